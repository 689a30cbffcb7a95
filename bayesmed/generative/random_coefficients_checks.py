"""Choices and data that correlated random coefficients refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np

from bayesmed.core.errors import DataError, ModelError, nearest
from bayesmed.core.names import (
    CELL_MEAN,
    DIRECT_EFFECT,
    MEDIATOR_EFFECT,
    MEDIATOR_LEVEL,
    MEDIATOR_SHARE,
    OUTCOME_LEVEL,
    SLOPE,
)
from bayesmed.core.words import joined
from bayesmed.data import TrialPersons
from bayesmed.generative.random_coefficients_binary import cell_of
from bayesmed.generative.trial_parameters import check_priors

if TYPE_CHECKING:
    from bayesmed.generative.random_coefficients import RandomCoefficients

FEWEST = 10
"""Fewer persons cannot tell nine parameters and six correlations from anything."""
TIES = 5
"""So many persons with one treatment and one value of the mediator are no chance."""
_REAL = {SLOPE, MEDIATOR_EFFECT, DIRECT_EFFECT, MEDIATOR_LEVEL, OUTCOME_LEVEL, CELL_MEAN}


def check_choices(model: RandomCoefficients) -> None:
    """Refuse unknown choices, choices that exclude each other, and impossible priors.

    Raises
    ------
    ModelError
        If there is any.
    """
    from bayesmed.generative.random_coefficients import MediatorKind

    known = get_args(MediatorKind)
    if model.mediator not in known:
        raise ModelError(
            f"The mediator of a random_coefficients model is {model.mediator!r}.",
            nearest(str(model.mediator), known),
        )
    if not isinstance(model.direct_effect, bool):
        raise ModelError(f"direct_effect is {model.direct_effect!r}.", "Write true or false.")
    if model.direct_effect and model.mediator == "binary":
        raise ModelError(
            "A direct effect cannot be told from effects of a binary mediator.",
            "Leave direct_effect out.",
        )
    supports = {
        name: "share" if name == MEDIATOR_SHARE else "real" if name in _REAL else "positive"
        for name in model.parameters
    }
    check_priors(model.priors, supports)


def is_binary(data: TrialPersons) -> bool:
    """Say whether the mediator takes the values 0 and 1 only, in two arms."""
    return data.names.arms is not None and bool(np.isin(data.mediator, (0.0, 1.0)).all())


def check_persons(model: RandomCoefficients, data: TrialPersons) -> None:
    """Refuse persons the model has no likelihood for.

    Raises
    ------
    DataError
        If covariates are given, there are too few persons, the mediator is of the wrong kind, or
        mediator or outcome do not vary where they must.
    ModelError
        If a prior is set for a parameter that is not there with these data.
    """
    if extra := (*data.names.covariates, *data.names.post_baseline):
        raise DataError(
            f"{data.source}: random_coefficients has no place for {joined(extra)}.",
            "Leave these columns out, or use covariate_iv.",
        )
    if data.n < FEWEST:
        raise DataError(
            f"{data.source}: {data.n} persons are too few for random_coefficients.",
            f"Give {FEWEST} or more.",
        )
    if np.ptp(data.outcome) == 0:
        raise DataError(f"{_outcome(data)}: everybody has the same value.", "Give another one.")
    if model.kind(data) == "binary":
        _check_binary(model, data)
    else:
        _check_normal(data)
    here = model.part(data).parameters
    for name in model.priors:
        if name.split("[", 1)[0] not in here:
            raise ModelError(
                f"priors sets {name!r}, no parameter with these data ({data.source}).",
                f"They have {joined(here)}.",
            )


def _check_binary(model: RandomCoefficients, data: TrialPersons) -> None:
    if not is_binary(data):
        two = (
            "treatment is an amount"
            if data.names.arms is None
            else "it has other values than 0 and 1"
        )
        raise DataError(
            f"{_mediator(data)} is no binary mediator in two arms: {two}.",
            'Set mediator = "normal" or "auto".',
        )
    if model.direct_effect:
        raise DataError(
            f"{_mediator(data)} is binary: a direct effect cannot be told from its effects.",
            "Leave direct_effect out.",
        )
    if np.ptp(data.mediator) == 0:
        raise DataError(f"{_mediator(data)}: everybody has the same value.", "Give another one.")
    cell = cell_of(data)
    for k in range(4):
        own = data.outcome[cell == k]
        if own.size > 1 and np.ptp(own) == 0:
            raise DataError(
                f"{_outcome(data)} is {own[0]:g} for all {own.size} persons with treatment "
                f"{k // 2} and mediator {k % 2}: it has no spread there.",
                "Use an outcome that varies in every cell.",
            )


def _check_normal(data: TrialPersons) -> None:
    if len(np.unique(data.mediator)) < 3:
        raise DataError(
            f"{_mediator(data)} has two values or fewer: effects of a normal mediator cannot be "
            "told from it.",
            'Code it as 0 and 1, with two arms, and set mediator = "auto".',
        )
    amounts, which, counts = np.unique(data.treatment, return_inverse=True, return_counts=True)
    for k in np.flatnonzero(counts >= TIES):
        own = data.mediator[which == k]
        if np.ptp(own) == 0:
            raise DataError(
                f"{_mediator(data)} is {own[0]:g} for all {own.size} persons with treatment "
                f"{amounts[k]:g}: a normal mediator has a spread there.",
                "Use a mediator that varies among them, or a binary one.",
            )
    t, m = data.treatment, data.mediator
    line = np.column_stack([np.ones(data.n), t, m, t * m])
    if _explained(line[:, :2], m) or _explained(line, data.outcome):
        raise DataError(
            f"{_mediator(data)} or the outcome {data.names.outcome!r} follows from the other "
            "variables without any error.",
            "Use variables that were measured, not computed from each other.",
        )


def _explained(design: np.ndarray, y: np.ndarray) -> bool:
    scaled = design / np.abs(design).max(axis=0).clip(min=1e-300)
    left = y - scaled @ np.linalg.lstsq(scaled, y, rcond=None)[0]
    return bool(left.var() <= 1e-16 * y.var())


def _mediator(data: TrialPersons) -> str:
    return f"{data.source}, {data.names.mediator!r}"


def _outcome(data: TrialPersons) -> str:
    return f"{data.source}, {data.names.outcome!r}"
