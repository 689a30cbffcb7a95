"""Lines of a trial whose covariates × treatment are instruments (Small 2012)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bayesmed.checks.assumptions.line import (
    NOTHING,
    QUANTITIES,
    LedgerLine,
    Sensitivity,
    by_design,
    judged,
    relaxed,
    untestable,
)
from bayesmed.checks.assumptions.site_draws import single
from bayesmed.checks.assumptions.summaries import estimated, summary
from bayesmed.checks.assumptions.tipping import tipping_point, tipping_sentence
from bayesmed.checks.result import CheckResult
from bayesmed.classical.trial_products import trial_products
from bayesmed.core.names import DIRECT_EFFECT, SLOPE, SLOPE_SD
from bayesmed.core.numbers import number
from bayesmed.core.words import joined
from bayesmed.formulas.tilted_lines import tilt_of_modifier
from bayesmed.generative import CovariateIV
from bayesmed.generative.covariate_iv_parameters import (
    ERROR_CORRELATION,
    MEDIATOR_MODIFICATION,
    instruments_of,
)
from bayesmed.generative.covariate_iv_residuals import modifications
from bayesmed.generative.covariate_iv_rows import product_rows
from bayesmed.inference import TrialFit
from bayesmed.priors import Prior

__all__ = ["of_covariate_iv"]

OVERIDENTIFICATION = "overidentification"


def of_covariate_iv(
    fit: TrialFit, model: CovariateIV, results: Sequence[CheckResult]
) -> Iterator[LedgerLine]:
    """Yield the assumptions of Small (2012), as the model has them."""
    data: Any = fit.data
    if model.mediator == "probit":
        yield by_design("linear_in_mediator", "The mediator is 0 or 1.")
    else:
        yield untestable("linear_in_mediator", "It holds of itself for a mediator of 0 and 1 only.")
    yield judged("relevance", results)
    yield _direct_effect(fit, model, results)
    yield _slope(model, results)
    if design_controls := instruments_of(model, data.names).interacted:
        names = joined([data.names.covariates[j] for j in design_controls])
        text = "Treatment × controls are in both equations, at some cost of precision."
        yield relaxed(
            "direct_effect_unmodified_by_controls",
            f"The direct effect may change with {names}.",
            Sensitivity(None, "", text),
        )
    elif model.instruments and set(model.instruments) != set(data.names.covariates):
        yield untestable(
            "direct_effect_unmodified_by_controls", "Treatment × controls are in no equation."
        )
    yield untestable("mediator_unrelated_to_slopes", "")
    yield from _of_errors(fit, model)


def _direct_effect(fit: TrialFit, model: CovariateIV, results: Sequence[CheckResult]) -> LedgerLine:
    code, tipping = "direct_effect_unmodified", _tipping(fit, model)
    if not model.direct_pairs:
        return _agreeing(judged(code, results, tipping))
    reason = f"It may change, as assumed: {_assumed(model.direct_pairs)}."
    begin = "Averages are over the prior." if model.uncertain_direct else "The answer holds then."
    return relaxed(code, reason, tipping._replace(sentence=f"{begin} {tipping.sentence}".strip()))


def _slope(model: CovariateIV, results: Sequence[CheckResult]) -> LedgerLine:
    code = "slope_unmodified"
    if not model.slope_pairs:
        return _agreeing(judged(code, results))
    reason = f"It may change, as assumed: {_assumed(model.slope_pairs)}."
    text = (
        "Posteriors given values drawn from the prior are pooled: data do not update it."
        if model.uncertain_slope
        else "The slope is that where covariates are at their means."
    )
    return relaxed(code, reason, Sensitivity(None, "", text))


def _agreeing(line: LedgerLine) -> LedgerLine:
    """Name the number of the check of instruments, which is no Q as that of sites."""
    if line.quantity == QUANTITIES[OVERIDENTIFICATION]:
        return replace(line, quantity="predictive p of covariates that agree")
    return line


def _assumed(pairs: Sequence[tuple[str, float | Prior]]) -> str:
    said = [
        f"with the prior {value}" if isinstance(value, Prior) else f"{value:g} a unit"
        for _, value in pairs
    ]
    return joined([f"by {name} {how}" for (name, _), how in zip(pairs, said, strict=True)])


def _tipping(fit: TrialFit, model: CovariateIV) -> Sensitivity:
    """Find the change of the direct effect, by a standard deviation of a covariate, that matters.

    It is that of two-stage least squares at the draws of the mediator's equation.
    """
    data: Any = fit.data
    if model.mediator == "probit":
        return NOTHING
    design = instruments_of(model, data.names)
    stages = design.stages(trial_products(data))
    if isinstance(stages, str):
        return NOTHING
    chosen = list(design.instruments)
    values = fit.tree["posterior"][MEDIATOR_MODIFICATION].to_numpy()
    flat = {MEDIATOR_MODIFICATION: values.reshape(-1, values.shape[-1])}
    d = modifications(model, flat, data.names)[:, chosen]
    tilt = tilt_of_modifier(d, np.linalg.inv(stages.instruments.inverse))
    at = single(fit, SLOPE)[:, None] / tilt * product_rows(data).sds()[chosen]
    points = [(tipping_point(at[:, j], tilt[:, j]), j) for j in range(len(chosen))]
    known = [(point, j) for point, j in points if point is not None]
    if not known:
        return NOTHING
    found, j = min(known, key=lambda pair: abs(pair[0].value))
    names = data.names
    direct = number(float(single(fit, DIRECT_EFFECT).mean()))
    what = (
        f"a direct effect that changes by {{}} {'more ' * bool(model.direct_pairs)}with a standard "
        f"deviation of "
        f"{names.covariates[chosen[j]]} (on average it is {direct})"
    )
    return tipping_sentence(found, "outcome per standard deviation of a covariate", what)


def _of_errors(fit: TrialFit, model: CovariateIV) -> Iterator[LedgerLine]:
    if model.person_effects == "random":
        found = estimated(fit, SLOPE_SD, "Slopes differ between persons with a spread of")
        yield relaxed("equal_person_effects", "Persons' effects vary normally.", found)
    else:
        yield untestable("equal_person_effects", "No check looks at it: fit random effects.")
    if model.errors == "by_arm":
        psi = fit.tree["posterior"][ERROR_CORRELATION].to_numpy()
        apart = (psi[..., 1] - psi[..., 0]).ravel()
        what = "From the first arm to the second the correlation of errors changes by"
        found = summary(apart, "change of the correlation of errors", what)
        yield relaxed("equal_errors", "Each arm has its own.", found)
    else:
        yield untestable("equal_errors", "No check looks at it: fit errors by arm.")
    yield untestable("normal_errors", "No check looks at it, but the picture of predictions does.")
