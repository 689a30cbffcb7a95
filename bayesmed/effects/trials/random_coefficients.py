"""Estimands of correlated random coefficients, and what they rest on in words."""

from __future__ import annotations

import numpy as np

from bayesmed.core.names import (
    CELL_MEAN,
    CWATE,
    DIRECT_EFFECT,
    MEDIATOR_EFFECT,
    MEDIATOR_EFFECT_SD,
    MEDIATOR_SHARE,
    PERSON_CORRELATION,
    SLOPE,
    SLOPE_SD,
)
from bayesmed.core.types import Floats
from bayesmed.data import TrialPersons
from bayesmed.effects.trials.estimands import TrialEstimands
from bayesmed.formulas.compliance_effects import (
    compliance_weighted_effect,
    effect_on_the_treated,
    intention_to_treat,
    local_average_effect,
    wald_less_average_effect,
)
from bayesmed.generative.protocol import Draws
from bayesmed.generative.random_coefficients import RandomCoefficients
from bayesmed.generative.random_coefficients_normal import COEFFICIENTS, NormalMediator

__all__ = ["random_coefficients_effects"]

AVERAGE_TREATMENT_EFFECT = "average_treatment_effect"
INTENTION_TO_TREAT = "intention_to_treat"
COMPLIANCE_SLOPE_COVARIANCE = "compliance_slope_covariance"
WALD_GAP = "wald_gap"
LATE, TOT = "late", "tot"


def random_coefficients_effects(
    model: RandomCoefficients, draws: Draws, data: TrialPersons
) -> TrialEstimands:
    """Return the estimands of one trial from draws of the parameters.

    Parameters
    ----------
    model, data
        What was fitted.
    draws
        (n, ...) of all parameters, from posterior or prior.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> treatment = np.arange(20) % 2
    >>> has = treatment * (np.arange(20) % 3 > 0)
    >>> persons = TrialPersons.from_arrays(
    ...     treatment=treatment, mediator=has, outcome=has + rng.standard_normal(20))
    >>> model = RandomCoefficients()
    >>> found = random_coefficients_effects(model, model.prior_draws(persons, 5, rng), persons)
    >>> list(found.draws)
    ['intention_to_treat', 'mediator_effect', 'late', 'cwate', 'tot']
    """
    part = model.part(data)
    if isinstance(part, NormalMediator):
        return _normal(part, draws, data)
    return _binary(draws, data)


def _normal(part: NormalMediator, draws: Draws, data: TrialPersons) -> TrialEstimands:
    slope, compliance = draws[SLOPE], draws[MEDIATOR_EFFECT]
    i, j = COEFFICIENTS.index(MEDIATOR_EFFECT), COEFFICIENTS.index(SLOPE)
    together = draws[PERSON_CORRELATION][:, i, j] * draws[MEDIATOR_EFFECT_SD] * draws[SLOPE_SD]
    direct = draws[DIRECT_EFFECT] if part.direct_effect else np.zeros_like(slope)
    values = {
        AVERAGE_TREATMENT_EFFECT: slope,
        INTENTION_TO_TREAT: intention_to_treat(slope, compliance, together, direct),
        MEDIATOR_EFFECT: compliance,
        CWATE: compliance_weighted_effect(slope, compliance, together),
        WALD_GAP: wald_less_average_effect(compliance, together, direct),
        COMPLIANCE_SLOPE_COVARIANCE: together,
    }
    if part.direct_effect:
        values[DIRECT_EFFECT] = direct
    n = data.names
    labels = {
        AVERAGE_TREATMENT_EFFECT: f"average effect of {n.mediator} on {n.outcome}",
        INTENTION_TO_TREAT: f"effect of {n.treatment} on {n.outcome} (intention to treat)",
        MEDIATOR_EFFECT: f"average effect of {n.treatment} on {n.mediator}",
        CWATE: f"effect of {n.mediator} on {n.outcome}, persons weighted by compliance",
        WALD_GAP: "Wald ratio less the average effect",
        COMPLIANCE_SLOPE_COVARIANCE: f"covariance of persons' effects on and of {n.mediator}",
        DIRECT_EFFECT: f"direct effect of {n.treatment} on {n.outcome}",
    }
    return TrialEstimands(
        draws=values,
        labels={name: labels[name] for name in values},
        ratios=frozenset({CWATE, WALD_GAP}),
        notes=_normal_notes(part, data, together),
    )


def _normal_notes(part: NormalMediator, data: TrialPersons, together: Floats) -> tuple[str, ...]:
    n = data.names
    found = [
        (
            f"With probability {np.mean(together > 0):.2f} the persons whom {n.treatment} moves "
            f"more are those who benefit more from {n.mediator}. Their covariance is what sets the "
            "Wald ratio apart from the average effect."
        ),
        (
            "Average effect, compliance-weighted effect and covariance are told apart by how the "
            f"mean of {n.outcome} bends in {n.mediator} at a given treatment: this rests on "
            "persons' levels and effects being jointly normal. The intention to treat and the "
            f"effect on {n.mediator} rest on randomisation."
        ),
    ]
    if part.two_arms:
        found.append(
            f"Nobody's {n.mediator} is seen under both treatments: how much effects on "
            f"{n.mediator} differ among persons (mediator_effect_sd, mediator_level_sd and their "
            "correlation) is partly told by the prior alone. The effects listed do not depend "
            "on it."
        )
    if part.direct_effect and part.two_arms:
        found.append(
            "Caution: with two arms a direct effect is told from the mediator's effect by the "
            f"variances of {n.outcome} at given {n.mediator} alone. Where effects hardly differ "
            "between persons they do not tell it, and the posterior is that of the priors: compare "
            "other priors before reading these numbers."
        )
    elif part.direct_effect:
        found.append(
            "Caution: the direct effect is told from the mediator's effect by the shapes of normal "
            "distributions alone: compare other priors before reading these numbers."
        )
    return tuple(found)


def _binary(draws: Draws, data: TrialPersons) -> TrialEstimands:
    share, mean, n = draws[MEDIATOR_SHARE], draws[CELL_MEAN], data.names
    outcome = (1.0 - share) * mean[..., 0] + share * mean[..., 1]
    total, compliance = outcome[:, 1] - outcome[:, 0], share[:, 1] - share[:, 0]
    late = local_average_effect(total, compliance)
    values = {INTENTION_TO_TREAT: total, MEDIATOR_EFFECT: compliance, LATE: late, CWATE: late}
    notes = [
        (
            f"LATE is the average effect of {n.mediator} among those who have it because of "
            f"{n.treatment}. It rests on {n.treatment} working through {n.mediator} only, and on "
            f"nobody losing {n.mediator} by it; the compliance-weighted effect is the same number, "
            "and needs only the first."
        ),
        (
            f"No normal distribution of persons' effects is assumed; {n.outcome} is normal in each "
            f"cell of {n.treatment} and {n.mediator}, of which effects use the means. The average "
            "effect over all persons is not identified."
        ),
    ]
    if not (data.mediator[data.treatment == 0] > 0).any():
        # Without access the controls' mean is that of their only cell.
        values[TOT] = effect_on_the_treated(outcome[:, 1] - mean[:, 0, 0], share[:, 1])
        notes.append(
            f"No access: nobody without {n.treatment} has {n.mediator}. TOT, the average effect "
            f"among those who have {n.mediator}, takes it that nobody could; the other effects "
            "leave a small share open."
        )
    labels = {
        INTENTION_TO_TREAT: f"effect of {n.treatment} on {n.outcome} (intention to treat)",
        MEDIATOR_EFFECT: f"effect of {n.treatment} on the share with {n.mediator}",
        LATE: f"effect of {n.mediator} on {n.outcome} among compliers (LATE)",
        CWATE: f"effect of {n.mediator} on {n.outcome}, persons weighted by compliance",
        TOT: f"effect of {n.mediator} on {n.outcome} among the treated (TOT)",
    }
    return TrialEstimands(
        draws=values,
        labels={name: labels[name] for name in values},
        ratios=frozenset(values) & {LATE, CWATE, TOT},
        notes=tuple(notes),
    )
