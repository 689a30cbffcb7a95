"""Natural effects and what instrumental variables have in their place, with what lies between."""

from __future__ import annotations

import numpy as np

from bayesmed.core.names import (
    ARM,
    ARM_INTERCEPT,
    ARM_SLOPE,
    ATE,
    CELL_MEAN,
    INSTRUMENT_SHARE,
    MEDIATOR_MEAN,
    MEDIATOR_SHARE,
    MEDIATOR_VALUE,
    NDE,
    NIE,
    OUTCOME_MEAN,
    TYPE,
    TYPE_INTERCEPT,
    TYPE_SHARE,
    TYPE_SLOPE,
)
from bayesmed.core.types import Floats
from bayesmed.data import TrialCells
from bayesmed.effects.trials.estimands import TrialEstimands
from bayesmed.formulas.binary_iv import IVEffects, iv_effects
from bayesmed.formulas.principal_strata import (
    average_slopes,
    controlled_direct_effects,
    mediator_means,
    natural_direct_effects,
    natural_indirect_effects,
    outcome_means,
    total_effect,
)
from bayesmed.formulas.strata_shifts import shifted_by_instrument
from bayesmed.generative.principal_strata import PrincipalStrata
from bayesmed.generative.principal_strata_data import coords
from bayesmed.generative.protocol import Draws

__all__ = ["principal_strata_effects"]

NIE_IV, NDE_IV, NIE_GAP = f"{NIE}_iv", f"{NDE}_iv", f"{NIE}_gap"
CDE, MEDIATOR_SLOPE = "cde", "mediator_slope"
Q_UP, Q_DOWN, EFFECT_UP, EFFECT_DOWN = "q_up", "q_down", "effect_up", "effect_down"
RATIOS = frozenset((ARM_SLOPE, ARM_INTERCEPT, NIE_IV, NDE_IV, NIE_GAP, EFFECT_UP, EFFECT_DOWN))


def principal_strata_effects(
    model: PrincipalStrata, draws: Draws, data: TrialCells
) -> TrialEstimands:
    """Return the estimands of one trial from draws of the parameters.

    In strata of covariates everything holds stratum by stratum; what is returned are averages with
    the strata's shares of persons, so that NIE of one arm and NDE of the other add up to the ATE
    draw by draw.

    Parameters
    ----------
    model, data
        What was fitted.
    draws
        (n, ...) of all parameters, from posterior or prior.

    Examples
    --------
    >>> cells = TrialCells.from_arrays(
    ...     n=[[[30, 10], [20, 20]], [[30, 10], [10, 30]]],
    ...     events=[[[9, 5], [6, 10]], [[12, 6], [4, 21]]])
    >>> model = PrincipalStrata()
    >>> prior = model.prior_draws(cells, 100, np.random.default_rng(1))
    >>> found = principal_strata_effects(model, prior, cells).draws
    >>> bool(np.allclose(found["nie"][:, 1] + found["nde"][:, 0], found["ate"]))
    True
    """
    weight = data.stratum_share
    if model.saturated:
        share, mean = draws[MEDIATOR_SHARE], draws[CELL_MEAN]
        outcome = (1.0 - share) * mean[..., 0] + share * mean[..., 1]
        values = _averaged(_of_iv(iv_effects(share, outcome, draws[INSTRUMENT_SHARE])), weight)
    else:
        values = _averaged(_of_types(model, draws), weight)
        values |= _types(draws, weight)
        if not model.falling:
            del values[Q_DOWN], values[EFFECT_DOWN]  # nobody's mediator falls
    labels = {name: text for name, text in strata_labels(data).items() if name in values}
    where: dict[str, tuple[str, ...]] = {
        ARM: (ARM,),
        MEDIATOR_VALUE: (MEDIATOR_VALUE,),
        TYPE: (TYPE,),
    }
    dims: dict[str, tuple[str, ...]] = {name: where[ARM] for name in values if name != ATE}
    dims |= {name: where[MEDIATOR_VALUE] for name in (CDE,) if name in values}
    dims |= {TYPE_SHARE: (TYPE,), TYPE_SLOPE: (TYPE, ARM)} if not model.saturated else {}
    named = coords(model, data)
    return TrialEstimands(
        draws={name: values[name] for name in labels},
        labels=labels,
        dims={name: dims[name] for name in labels if name in dims},
        coords={name: tuple(named[name]) for name in (ARM, MEDIATOR_VALUE, TYPE)},
        ratios=RATIOS,
        notes=_notes(model, data),
    )


def _of_iv(found: IVEffects) -> dict[str, Floats]:
    return {
        ARM_SLOPE: found.slope,
        ARM_INTERCEPT: found.intercept,
        MEDIATOR_MEAN: found.mediator_mean,
        OUTCOME_MEAN: found.outcome_mean,
        NIE_IV: found.nie,
        NDE_IV: found.nde,
        ATE: found.ate,
    }


def _of_types(model: PrincipalStrata, draws: Draws) -> dict[str, Floats]:
    """Effects by stratum, (n, S, ...)."""
    share, a, b = draws[TYPE_SHARE], draws[TYPE_INTERCEPT], draws[TYPE_SLOPE]
    pi, types = draws[INSTRUMENT_SHARE], model.types
    seen = iv_effects(mediator_means(share, types), outcome_means(share, a, b, types), pi)
    nie = natural_indirect_effects(share, b, types, pi)
    moved = shifted_by_instrument(share, b, types)
    return _of_iv(seen) | {
        NIE: nie,
        NDE: natural_direct_effects(share, a, b, types, pi),
        ATE: total_effect(share, a, b, types, pi),
        NIE_GAP: seen.nie - nie,
        CDE: controlled_direct_effects(share, a, b),
        MEDIATOR_SLOPE: average_slopes(share, b),
        Q_UP: moved.share_up,
        Q_DOWN: moved.share_down,
        EFFECT_UP: moved.effect_up,
        EFFECT_DOWN: moved.effect_down,
    }


def _averaged(by_stratum: dict[str, Floats], weight: Floats) -> dict[str, Floats]:
    """Average over persons: (n, S, ...) to (n, ...)."""
    return {name: np.einsum("s,ns...->n...", weight, values) for name, values in by_stratum.items()}


def _types(draws: Draws, weight: Floats) -> dict[str, Floats]:
    """Shares of types among all persons, and the mediator's average effect in each."""
    persons = weight[:, None] * draws[TYPE_SHARE]
    share = persons.sum(axis=1)
    slope = (persons[..., None] * draws[TYPE_SLOPE]).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {TYPE_SHARE: share, TYPE_SLOPE: slope / share[..., None]}


def strata_labels(data: TrialCells) -> dict[str, str]:
    """Return every effect in words."""
    n = data.names
    of, by = f"of {n.mediator} on {n.outcome}", f"by {data.instrument}"
    return {
        ATE: f"average effect of {n.treatment} on {n.outcome}",
        NIE: f"natural indirect effect through {n.mediator}",
        NDE: "natural direct effect",
        NIE_IV: f"natural indirect effect as instrumental variables have it ({by})",
        NDE_IV: f"natural direct effect as instrumental variables have it ({by})",
        NIE_GAP: "instrumental variables less natural indirect effect",
        CDE: f"direct effect with everybody's {n.mediator} held",
        MEDIATOR_SLOPE: f"average effect {of}",
        ARM_SLOPE: f"effect {of} {by}",
        ARM_INTERCEPT: f"intercept of the line {by}",
        EFFECT_UP: f"effect {of}, among those whose {n.mediator} rises with {data.instrument}",
        EFFECT_DOWN: f"effect {of}, among those whose {n.mediator} falls with {data.instrument}",
        Q_UP: f"share of those whose {n.mediator} rises with {data.instrument} (Q1)",
        Q_DOWN: f"share of those whose {n.mediator} falls with {data.instrument} (Q2)",
        MEDIATOR_MEAN: f"share with {n.mediator}",
        OUTCOME_MEAN: f"mean {n.outcome}",
        TYPE_SHARE: "share of a type of persons",
        TYPE_SLOPE: f"effect {of} in a type of persons",
    }


def _notes(model: PrincipalStrata, data: TrialCells) -> tuple[str, ...]:
    n = data.names
    ratio = (
        f"What instrumental variables have divides by how {data.instrument} moves {n.mediator}: "
        "where that is near zero it can be of any size."
    )
    if model.saturated:
        same = (
            "These are the natural effects if the effect of "
            f"{n.mediator} does not vary between types of persons; the saturated model cannot say."
        )
        return same, ratio
    partly = (
        f"The effect of {n.mediator} in some types of persons meets no data: natural effects are "
        "identified in part only, and how wide their posterior is rests on how far effects are "
        "let vary between types (heterogeneity). Vary it."
    )
    types = (
        f"Types are named by what {n.mediator} would be: without {n.treatment} at "
        f"{data.instrument} = 0 and 1, then with it."
    )
    return partly, types, ratio
