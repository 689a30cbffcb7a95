"""Whether covariates whose product with treatment is an instrument agree on the slope."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesmed.checks.predictive import REPLICATE, predictive_p
from bayesmed.checks.result import CheckResult, Status
from bayesmed.checks.thresholds import SURPRISING
from bayesmed.core.names import ARM, CHAIN, COVARIATE, DRAW, SLOPE
from bayesmed.core.numbers import number
from bayesmed.core.types import Floats
from bayesmed.core.words import joined, p_value
from bayesmed.formulas.instruments_agree import least_disagreement
from bayesmed.generative import CovariateIV
from bayesmed.generative.covariate_iv_prediction import COVARIATE_SLOPE, VARIABLE
from bayesmed.inference import TrialFit

__all__ = ["instruments_agree"]

CODE = "overidentification"


def instruments_agree(fit: TrialFit, model: CovariateIV) -> CheckResult:
    """Compare how covariates change effects on mediator and outcome with predictions of the model.

    Covariates that change the direct effect or the slope, which they must not (Small's IV-A2),
    bend what they do to both off one line, unless all of them do so in proportion.
    """
    names = fit.data.names
    instruments = model.instruments or names.covariates
    title = f"Covariates agree on what {names.mediator} does to {names.outcome} (IV-A2)"
    if reason := _untestable(model, instruments):
        return CheckResult(CODE, title, "not applicable", reason)
    observed, replicated = _disagreements(fit, model, instruments)
    p_of = predictive_p(observed, replicated)
    arrays = xr.Dataset({"observed": ((), observed), "replicated": ((REPLICATE,), replicated)})
    text = (
        f"{joined(instruments)} are {number(observed)} from one slope, squared and in standard "
        f"errors; the model expects {number(float(np.mean(replicated)))} "
        f"(predictive {p_value(p_of)})"
    )
    status: Status = "passed" if p_of >= SURPRISING else "doubtful"
    if status == "passed":
        text += ". What changes the direct effect in the same proportions would not show."
    else:
        text += (
            f": some of them change the effect of {names.treatment} past {names.mediator}, or that "
            f"of {names.mediator} itself. Modifiers of both say what hangs on it."
        )
    return CheckResult(CODE, title, status, text, p_of, arrays=arrays)


def _untestable(model: CovariateIV, instruments: tuple[str, ...]) -> str:
    if len(instruments) == 1:
        return (
            f"{instruments[0]} is the only instrument: nothing in the data speaks to it. Vary its "
            "modifiers."
        )
    if model.slope_modifier:
        return "With modifiers of the slope, covariates need not agree on one."
    if model.uncertain_direct:
        return "Modifiers of the direct effect are parameters, which take up what is left over."
    return ""


def _disagreements(
    fit: TrialFit, model: CovariateIV, instruments: tuple[str, ...]
) -> tuple[float, Floats]:
    """Distances of the data, and of replicates of them, from their nearest slopes."""
    seen = _changes(fit.tree["observed_data"].to_dataset()[COVARIATE_SLOPE], instruments)
    new = fit.tree["posterior_predictive"].to_dataset()[COVARIATE_SLOPE]
    replicas = _changes(new.stack(replica=(CHAIN, DRAW)), instruments)
    known = dict(model.direct_pairs)
    shift = np.array([float(known.get(name, 0.0)) for name in instruments])  # type: ignore[arg-type]
    slope = float(fit.tree["posterior"][SLOPE].mean())
    apart = replicas[1] - shift - slope * replicas[0]
    weight = np.linalg.pinv(np.atleast_2d(np.cov(apart, rowvar=False)))
    x, y = (np.concatenate([own[None], many]) for own, many in zip(seen, replicas, strict=True))
    found = least_disagreement(x, y - shift, weight)
    return float(found[0]), found[1:]


def _changes(slopes: xr.DataArray, instruments: tuple[str, ...]) -> tuple[Floats, Floats]:
    """How much a unit of each covariate changes effects on mediator and outcome, (..., k)."""
    change = (slopes.isel({ARM: 1}, drop=True) - slopes.isel({ARM: 0}, drop=True)).sel(
        {COVARIATE: list(instruments)}
    )
    mediator, outcome = (change.isel({VARIABLE: i}, drop=True) for i in (0, 1))
    return tuple(v.transpose(..., COVARIATE).values for v in (mediator, outcome))  # type: ignore[return-value]
