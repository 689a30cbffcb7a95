"""Whether sites agree, where all of every total effect is taken to run through the mediators."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesmed.checks.predictive import REPLICATE, predictive_p, replicated_estimates
from bayesmed.checks.result import CheckResult, Status
from bayesmed.checks.thresholds import SURPRISING
from bayesmed.classical.cochran_q import scatter_about
from bayesmed.classical.wald_contrast import wald_contrast
from bayesmed.core.names import MEDIATOR, SLOPE, WITHIN_SITE_COVARIANCE
from bayesmed.core.numbers import number
from bayesmed.core.types import Floats
from bayesmed.core.words import p_value
from bayesmed.formulas.site_discrepancies import line_residuals
from bayesmed.inference import Fit


def overidentification(fit: Fit) -> list[CheckResult]:
    """Compare sites with the posterior's line by Cochran's Q, where there is no direct effect.

    Where there are direct effects, scatter about the line is what they are estimated from.
    """
    if fit.model.direct_effect:
        return []
    code, title = "overidentification", "Sites lie on one line but for sampling error (Cochran's Q)"
    if fit.model.slope == "polynomial":
        return [CheckResult(code, title, "not applicable", "The model has a curve, not a line.")]
    posterior = fit.tree["posterior"]
    slope = posterior[SLOPE].transpose(..., MEDIATOR).values.mean(axis=(0, 1))
    kappa, drawn = fit.model.within_site_covariance, WITHIN_SITE_COVARIANCE in posterior
    start = float(posterior[WITHIN_SITE_COVARIANCE].mean()) if drawn else float(np.asarray(kappa))
    found = scatter_about("", fit.data, slope, start, coefficients=slope.size + drawn)
    if found.reason:
        return [CheckResult(code, title, "not applicable", f"It has no test: {found.reason}.")]
    observed, replicated = _residual_sums(fit, slope, start, free=drawn)
    p_of = predictive_p(observed, replicated)
    arrays = xr.Dataset({"observed": ((), observed), "replicated": ((REPLICATE,), replicated)})
    text = f"{found.words}; predictive {p_value(p_of)}"
    allowed = found.p_value >= SURPRISING
    if fit.model.slope == "random" and not allowed:
        text += (
            ": further than sampling error allows. This model takes all of it for slopes that "
            "differ between sites; direct effects inflate Q as well"
        )
    elif p_of >= SURPRISING:
        text += ": no further than sampling error allows"
    status: Status = "passed" if p_of >= SURPRISING else "doubtful"
    if status == "passed":
        text += ". Direct effects in proportion to mediator effects would not show."
    elif fit.model.slope == "random":
        text += ", and by more than such slopes explain."
    else:
        text += (
            ": further than sampling error allows. Slopes that differ between sites inflate Q as "
            "direct effects do, so it is not invalidity by itself. This model has neither, so its "
            "intervals are too narrow."
        )
    return [CheckResult(code, title, status, text, found.statistic, arrays=arrays)]


def _residual_sums(fit: Fit, slope: Floats, start: float, *, free: bool) -> tuple[float, Floats]:
    """Return sums of squares about the best line of the data, and of replicates of them.

    All lines are free, so that replicates, like the data, lie about a line of their own.
    """
    data = fit.data
    mediator, total = replicated_estimates(fit)
    contrast = np.append(-slope, 1.0)
    weight = 1.0 / np.einsum("i,sij,j->s", contrast, data.cov, contrast)
    x = np.concatenate([data.mediator_effect[None], mediator])
    y = np.concatenate([data.total_effect[None], total]) - (0.0 if free else start)
    if free:
        x = np.concatenate([np.ones((*x.shape[:2], 1)), x], axis=-1)
    sums = (line_residuals(x, y, weight) ** 2).sum(axis=-1)
    return float(sums[0]), sums[1:]


def pooled_wald_agrees(fit: Fit) -> list[CheckResult]:
    """Compare the pooled Wald ratio with the regression, one mediator without direct effect."""
    if fit.data.n_mediators > 1 or fit.model.direct_effect:
        return []
    code = "pooled_wald"
    title = "The ratio of mean effects and the regression through the origin agree (pooled Wald)"
    if reason := _expected_apart(fit):
        return [CheckResult(code, title, "not applicable", reason)]
    found = wald_contrast(fit.data)
    if found.reason:
        return [CheckResult(code, title, "not applicable", f"Not compared: {found.reason}.")]
    numbers = (
        f"The ratio is {number(found.wald)}, the regression {number(found.regression)}, "
        f"{number(abs(found.errors))} standard errors apart"
    )
    if not abs(found.errors) > found.critical:
        text = f"{numbers}, which is no proof that slopes are unrelated to mediator effects."
        return [CheckResult(code, title, "passed", text, found.errors)]
    text = (
        f"{numbers}: slopes go with mediator effects (compliance_correlation of a multi_site_iv "
        "model allows for it), or there are direct effects, or a within-site covariance. These "
        "data cannot tell which."
    )
    return [CheckResult(code, title, "doubtful", text, found.errors)]


def _expected_apart(fit: Fit) -> str:
    """Say why the model itself has the two differ; "" if it does not."""
    if fit.model.slope == "polynomial" or fit.model.related(fit.data) == "effects":
        return "The model lets slopes go with mediator effects: the two then differ."
    kappa = fit.model.within_site_covariance
    if not (isinstance(kappa, float) and kappa == 0):
        return "The model has a within-site covariance: the two then differ."
    return ""
