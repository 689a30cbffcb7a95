"""Whether the scatter of site effects looks like the model's line: its bend, its fan, its tails."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from bayesmed.checks.predictive import REPLICATE, predictive_p, replicated_estimates
from bayesmed.checks.result import CheckResult, Status
from bayesmed.checks.thresholds import SURPRISING
from bayesmed.core.names import (
    AVERAGE_SLOPE,
    DIRECT_EFFECT_SD,
    MEDIATOR,
    SITE,
    SLOPE,
)
from bayesmed.core.numbers import number
from bayesmed.core.types import Floats
from bayesmed.core.words import p_value
from bayesmed.formulas.site_discrepancies import (
    curvature,
    fan,
    line_residuals,
    rank_correlation,
    standardised_moments,
)
from bayesmed.inference import Fit

__all__ = ["scatter_of_sites"]

CURVATURE, FAN, PRECISION, NORMALITY = "curvature", "fan", "precision", "normal_effects"


def scatter_of_sites(fit: Fit) -> list[CheckResult]:
    """Compare the scatter with scatters of new sites drawn from the posterior (methods, §7)."""
    scatter = _Scatter.of(fit)
    results = []
    for p, mediator in enumerate(fit.data.mediators):
        results += [
            _bend(fit, scatter, p, mediator),
            _fanned(fit, scatter, p, mediator),
            _precision(fit, scatter, p, mediator),
        ]
    return [*results, _tails(fit, scatter)]


class _Scatter(NamedTuple):
    """Estimates of sites and of replicates of them, (1 + R, S, P) and (1 + R, S), data first."""

    mediator: Floats
    total: Floats
    weight: Floats
    """(S,) one over the variance of total effects about the line, but for sampling of γ."""
    intercept: bool

    @classmethod
    def of(cls, fit: Fit) -> _Scatter:
        mediator, total = replicated_estimates(fit)
        posterior, data = fit.tree["posterior"], fit.data
        name = AVERAGE_SLOPE if fit.model.slope == "polynomial" else SLOPE
        slope = posterior[name].transpose(..., MEDIATOR).values.reshape(-1, data.n_mediators)
        contrast = np.append(-slope.mean(axis=0), 1.0)
        variance = np.einsum("i,sij,j->s", contrast, data.cov, contrast)
        if DIRECT_EFFECT_SD in posterior:
            variance = variance + float((posterior[DIRECT_EFFECT_SD] ** 2).mean())
        least = 1e-12 * float(variance.max()) or 1.0
        return cls(
            np.concatenate([data.mediator_effect[None], mediator]),
            np.concatenate([data.total_effect[None], total]),
            1.0 / np.maximum(variance, least),
            bool(fit.model.direct_effect),
        )

    def design(self, *more: Floats) -> Floats:
        """Return regressors (1 + R, S, k): a constant where there are direct effects, γ, more."""
        ones = [np.ones((*self.total.shape, 1))] * self.intercept
        return np.concatenate([*ones, self.mediator, *(x[..., None] for x in more)], axis=-1)

    def spare(self, more: int = 0) -> int:
        """Return how many sites are more than regressors."""
        return int(self.total.shape[-1] - self.intercept - self.mediator.shape[-1] - more)


def _bend(fit: Fit, scatter: _Scatter, p: int, mediator: str) -> CheckResult:
    code, on = _named(fit, CURVATURE, mediator)
    title = f"Total effects follow a line of effects{on}, not a curve"
    if scatter.spare(more=1) < 1:
        return _too_few(fit, code, title)
    gamma = scatter.mediator[..., p]
    found = np.abs(curvature(scatter.design(gamma**2), scatter.total, scatter.weight))
    if not np.isfinite(found[0]):
        return CheckResult(code, title, "not applicable", f"Effects{on} do not differ.")
    p_of = predictive_p(float(found[0]), found[1:])
    text = f"t of a quadratic term: {number(float(found[0]))} (predictive {p_value(p_of)})"
    if p_of >= SURPRISING:
        text += ". Direct effects that go with mediator effects along a line would not show."
        return _result(code, title, "passed", text, p_of, found)
    text += ": slopes or direct effects go with mediator effects, so the slope is no average slope."
    return _result(code, title, "doubtful", text, p_of, found)


def _fanned(fit: Fit, scatter: _Scatter, p: int, mediator: str) -> CheckResult:
    code, on = _named(fit, FAN, mediator)
    title = f"The scatter is as wide at large effects{on} as the model has it"
    if scatter.spare() < 2:
        return _too_few(fit, code, title)
    residual = line_residuals(scatter.design(), scatter.total, scatter.weight)
    found = fan(residual, scatter.mediator[..., p])
    if not np.isfinite(found[0]):
        return CheckResult(code, title, "not applicable", f"Effects{on} do not differ.")
    p_of = predictive_p(float(found[0]), found[1:])
    text = (
        f"Rank correlation of the size of residuals with that of effects{on}: "
        f"{number(float(found[0]))} (predictive {p_value(p_of)})"
    )
    if p_of >= SURPRISING:
        return _result(code, title, "passed", f"{text}.", p_of, found)
    text += ": slopes differ between sites by more than the model allows"
    text += "." if fit.model.slope == "random" else ', set slope = "random".'
    return _result(code, title, "doubtful", text, p_of, found)


def _precision(fit: Fit, scatter: _Scatter, p: int, mediator: str) -> CheckResult:
    code, on = _named(fit, PRECISION, mediator)
    title = f"Sampling errors have nothing to do with the effects{on} themselves"
    se = fit.data.mediator_se[:, p]
    if np.ptp(se) <= 1e-9 * se.max():
        return CheckResult(code, title, "not applicable", "All have the same standard error.")
    found = rank_correlation(scatter.mediator[..., p], se)
    p_of = predictive_p(abs(float(found[0])), np.abs(found[1:]))
    text = f"Rank correlation {number(float(found[0]))} (predictive {p_value(p_of)})"
    if p_of >= SURPRISING:
        return _result(code, title, "passed", f"{text}.", p_of, found)
    text += (
        ": large and small sites have other effects, so that sites are no draws from one "
        "population; a covariate for their size may help."
    )
    return _result(code, title, "doubtful", text, p_of, found)


def _tails(fit: Fit, scatter: _Scatter) -> CheckResult:
    title = "Direct effects and sampling errors have the tails the model gives them"
    if not scatter.intercept:
        title = "Residuals about the line have the tails the model gives them"
    if scatter.spare() < 2:
        return _too_few(fit, NORMALITY, title)
    residual = line_residuals(scatter.design(), scatter.total, scatter.weight)
    skewness, kurtosis = standardised_moments(residual)
    if not np.isfinite(kurtosis[0]):
        return CheckResult(NORMALITY, title, "not applicable", "All sites lie on one line.")
    # The smaller of two p-values, doubled.
    both = [predictive_p(float(x[0]), x[1:]) for x in (skewness, kurtosis)]
    p_of = min(1.0, 2.0 * min(both))
    text = (
        f"Skewness {number(float(skewness[0]))}, excess kurtosis {number(float(kurtosis[0]))} of "
        f"residuals (predictive {p_value(p_of)})"
    )
    pit = (residual[1:] <= residual[0]).mean(axis=0)
    arrays = xr.Dataset(
        {
            "skewness": ((REPLICATE,), skewness[1:]),
            "excess_kurtosis": ((REPLICATE,), kurtosis[1:]),
            "residual": ((SITE,), residual[0]),
            "predictive_probability": ((SITE,), pit),
        },
        coords={SITE: fit.tree["observed_data"][SITE].values},
    )
    if p_of >= SURPRISING:
        return CheckResult(NORMALITY, title, "passed", f"{text}.", p_of, arrays=arrays)
    text += ": a few sites carry the answer; look at Student-t direct effects."
    return CheckResult(NORMALITY, title, "doubtful", text, p_of, arrays=arrays)


def _result(
    code: str, title: str, status: Status, text: str, value: float, found: Floats
) -> CheckResult:
    """Return a result with the discrepancy of the data and of every replicate."""
    arrays = xr.Dataset(
        {"observed": ((), found[0]), "replicated": ((REPLICATE,), found[1:])},
    )
    return CheckResult(code, title, status, text, value, arrays=arrays)


def _named(fit: Fit, code: str, mediator: str) -> tuple[str, str]:
    """Return a code, and words for effects, by mediator where there are several."""
    if fit.data.n_mediators == 1:
        return code, " on the mediator"
    return f"{code}[{mediator}]", f" on {mediator}"


def _too_few(fit: Fit, code: str, title: str) -> CheckResult:
    text = f"{fit.data.n_rows} sites are too few to tell."
    return CheckResult(code, title, "not applicable", text)
