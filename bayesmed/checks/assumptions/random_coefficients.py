"""Lines of a trial whose persons differ in compliance and benefit (Reardon and Raudenbush)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bayesmed.checks.assumptions.line import (
    LedgerLine,
    Sensitivity,
    by_design,
    judged,
    relaxed,
    untestable,
)
from bayesmed.checks.assumptions.summaries import estimated, summary
from bayesmed.checks.assumptions.tipping import tipping_point, tipping_sentence
from bayesmed.checks.result import CheckResult
from bayesmed.core.names import CWATE, DIRECT_EFFECT
from bayesmed.core.types import Floats
from bayesmed.data import TrialPersons
from bayesmed.effects import effects
from bayesmed.effects.trials.random_coefficients import AVERAGE_TREATMENT_EFFECT, INTENTION_TO_TREAT
from bayesmed.generative import RandomCoefficients
from bayesmed.inference import TrialFit

__all__ = ["of_random_coefficients"]


def of_random_coefficients(
    fit: TrialFit, model: RandomCoefficients, results: Sequence[CheckResult]
) -> Iterator[LedgerLine]:
    """Yield the assumptions of their section 2, as the model has them."""
    assert isinstance(fit.data, TrialPersons)
    binary = model.kind(fit.data) == "binary"
    if len(np.unique(fit.data.treatment)) == 2:
        yield by_design("linear_in_treatment", "Treatment has two arms.")
    else:
        yield untestable("linear_in_treatment", "No check compares amounts of treatment.")
    if binary:
        yield by_design("linear_in_mediator", "The mediator is 0 or 1.")
    else:
        bend = "How the outcome bends in the mediator is taken for compliance going with benefit."
        yield untestable("linear_in_mediator", bend)
    yield judged("relevance", results)
    drawn = {str(name): np.ravel(values) for name, values in effects(fit).draws.items()}
    if model.direct_effect:
        found = estimated(fit, DIRECT_EFFECT, "The direct effect is")
        yield relaxed("exclusion", "The model has a direct effect.", found)
    else:
        yield judged("exclusion", results, _direct(drawn))
    yield _together(drawn, binary=binary)
    if binary:
        yield judged("monotone_in_treatment", results)
        return
    yield judged("normal_persons", results)
    if model.direct_effect:
        yield untestable("equal_direct_effect", "Nothing but normal distributions tells it.")


def _direct(drawn: dict[str, Floats]) -> Sensitivity:
    """Find the direct effect that would change the answer: the Wald ratio less it over compliance.

    A ratio of the effect on the outcome is 0 where the direct effect is all of it.
    """
    found = tipping_point(drawn[INTENTION_TO_TREAT], 1.0)
    what = "a direct effect of {}"
    return tipping_sentence(
        found, "in units of the outcome", what, of="the compliance-weighted effect"
    )


def _together(drawn: dict[str, Floats], *, binary: bool) -> LedgerLine:
    code = "within_site_covariance"
    if binary:
        text = (
            "The effect is that among persons whom treatment moves (LATE); the average over all "
            "persons is not told."
        )
        reason = "Persons whom treatment moves may benefit more or less than others."
        return relaxed(code, reason, Sensitivity(None, "", text))
    gap = drawn[CWATE] - drawn[AVERAGE_TREATMENT_EFFECT]
    what = "The compliance-weighted effect differs from the average effect by"
    found = summary(gap, "compliance-weighted less average effect", what)
    return relaxed(code, "Compliance and benefit of persons may go together.", found)
