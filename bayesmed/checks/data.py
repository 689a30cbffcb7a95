"""Whether the data can answer at all, and what was taken on trust."""

from __future__ import annotations

import numpy as np

from bayesmed.checks.result import CheckResult
from bayesmed.checks.thresholds import LOW_RELIABILITY, NO_RELIABILITY
from bayesmed.core.errors import BayesmedError
from bayesmed.core.names import (
    AVERAGE_SLOPE,
    MEDIATOR,
    MEDIATOR_EFFECT_MEAN,
    MEDIATOR_EFFECT_SD,
    RELIABILITY,
    SLOPE,
)
from bayesmed.formulas.site_slope import reliability
from bayesmed.inference import Fit, TrialFit, exact_posterior
from bayesmed.inference.exact import Mode, sampled_modes

BETWEEN = " between sites"
# Second modes are a matter of few sites; up to here quadrature finds them in a tenth of a second.
FEW_SITES = 200


def spread_of_mediator_effects(fit: Fit) -> list[CheckResult]:
    r"""Judge whether effects on each mediator differ across sites (:math:`\lambda` against 0).

    Through the origin a slope is learnt from how far effects are from 0, not from each other.
    """
    posterior = fit.tree["posterior"]
    signal = posterior[MEDIATOR_EFFECT_SD].transpose(..., MEDIATOR).values
    if not fit.model.direct_effect:
        signal = np.hypot(signal, posterior[MEDIATOR_EFFECT_MEAN].transpose(..., MEDIATOR).values)
    share = reliability(signal, np.mean(fit.data.mediator_se**2, axis=0))
    low, middle, high = np.quantile(share, (0.025, 0.5, 0.975), axis=(0, 1))
    found = zip(fit.data.mediators, middle, low, high, strict=True)
    return [_spread(fit, mediator, *map(float, values)) for mediator, *values in found]


def _spread(fit: Fit, mediator: str, value: float, low: float, high: float) -> CheckResult:
    code = _code(fit, RELIABILITY, mediator)
    several = fit.data.n_mediators > 1
    effects_on = f"Effects on {mediator}" if several else "Mediator effects"
    apart, spread, true = "differ across sites", "variance", f"true difference{BETWEEN}"
    if not fit.model.direct_effect:
        apart, spread, true = "differ from 0", "mean square", "true effect"
    title = f"{effects_on} {apart} (reliability)"
    estimated = f"estimated effects on {mediator}" if several else "estimated mediator effects"
    if value < NO_RELIABILITY:
        reason = (
            f"These data cannot answer, because only {value:.1%} of the {spread} of the "
            f"{estimated} is {true}; the rest is sampling error. "
            f"{f'The slope of {mediator}' if several else 'The slope'} below is little more than "
            "its prior."
        )
        return CheckResult(code, title, "failed", reason, value)
    reason = (
        f"About {value:.0%} ({low:.0%} to {high:.0%}) of the {spread} of the {estimated} is "
        f"{true.removesuffix(BETWEEN)}"
    )
    if low < LOW_RELIABILITY:
        reason += ", so the prior of their spread matters: vary it."
        return CheckResult(code, title, "doubtful", reason, value)
    return CheckResult(code, title, "passed", reason + ".", value)


def _code(fit: Fit, name: str, mediator: str) -> str:
    """Name a result, by mediator where there are several, as entries of parameters are named."""
    return name if fit.data.n_mediators == 1 else f"{name}[{mediator}]"


def sampling_covariance(fit: Fit) -> CheckResult:
    """Say whether the covariance of each site's estimates was given, or made of persons'."""
    title = "Sampling covariance of each site's estimates is known"
    if (persons := fit.model.persons(fit.data)) is not None:
        who = "in each arm" if len(persons.groups) > 1 else "within sites and arms"
        reason = f"It is that of persons {who}, which is a parameter of the model."
        return CheckResult("sampling_covariance", title, "passed", reason)
    if not fit.data.covariance_given:
        reason = (
            "It was not given and was taken as 0. All estimates come from the same persons, so "
            "it is rarely 0, and a positive one biases the slope upwards: give cov or corr."
        )
        return CheckResult("sampling_covariance", title, "doubtful", reason)
    return CheckResult("sampling_covariance", title, "passed", "It was given and used.")


def slope_modes(fit: Fit) -> list[CheckResult]:
    """Look for a second mode of each slope: of the average one, where slopes vary."""
    found = zip(fit.data.mediators, _modes(fit), strict=True)
    return [_slope_modes(fit, mediator, modes) for mediator, modes in found]


def _slope_modes(fit: Fit, mediator: str, modes: tuple[Mode, ...]) -> CheckResult:
    code = _code(fit, "slope_modes", mediator)
    which = "slope" if fit.model.slope == "constant" else "average slope"
    which += f" of {mediator}" if fit.data.n_mediators > 1 else ""
    title = f"The {which} has one most probable region"
    if len(modes) < 2:
        return CheckResult(code, title, "passed", f"One mode, near {modes[0].at:.3g}.", 1)
    listed = " and ".join(f"{m.at:.3g} (probability {m.probability:.0%})" for m in modes)
    reason = f"The posterior of the {which} has {len(modes)} modes, near {listed}: report them all."
    return CheckResult(code, title, "doubtful", reason, float(len(modes)))


def _modes(fit: Fit) -> list[tuple[Mode, ...]]:
    """Modes by mediator."""
    if "quadrature" in fit.tree.children:
        found = fit.tree["quadrature"].to_dataset()
        pairs = zip(found["slope_mode"].values, found["slope_mode_probability"].values, strict=True)
        return [tuple(Mode(float(at), float(p)) for at, p in pairs)]
    if fit.data.n_rows <= FEW_SITES:
        try:
            return [exact_posterior(fit.model, fit.data).modes()]
        except BayesmedError:
            pass  # this model or its priors cannot be integrated: the draws have to do
    name = AVERAGE_SLOPE if fit.model.slope == "polynomial" else SLOPE
    draws = fit.tree["posterior"][name].transpose(MEDIATOR, ...).values
    return [sampled_modes(own.ravel()) for own in draws]


def notes(fit: Fit | TrialFit) -> list[CheckResult]:
    """Turn the notes made while reading the data into results."""
    return [
        CheckResult(f"data_note_{i}", "Data as read", "doubtful", note)
        for i, note in enumerate(fit.data.notes, start=1)
    ]
