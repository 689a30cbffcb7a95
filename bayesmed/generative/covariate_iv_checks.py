"""What the covariate-IV model can be, and what data it has a likelihood for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from bayesmed.classical.trial_instruments import position
from bayesmed.classical.trial_products import TrialData, trial_products
from bayesmed.core.errors import DataError, ModelError, nearest
from bayesmed.data import TrialPersons
from bayesmed.generative.covariate_iv_parameters import instruments_of
from bayesmed.generative.covariate_iv_rows import product_rows
from bayesmed.priors import Prior

if TYPE_CHECKING:
    from bayesmed.generative.covariate_iv import CovariateIV

MediatorKind = Literal["normal", "probit"]
PersonEffects = Literal["constant", "random"]
ErrorKind = Literal["common", "by_arm"]
type Modifiers = tuple[tuple[str, float | Prior], ...]


def check_choices(model: CovariateIV) -> None:
    """Refuse choices that do not exist.

    Raises
    ------
    ModelError
        If a choice is unknown.
    """
    for name, kind in (
        ("mediator", MediatorKind),
        ("person_effects", PersonEffects),
        ("errors", ErrorKind),
    ):
        choice, known = getattr(model, name), get_args(kind)
        if choice not in known:
            raise ModelError(
                f"The {name} of a covariate_iv model is {choice!r}.",
                nearest(str(choice), known),
            )
    if not isinstance(model.control_interactions, bool):
        raise ModelError(
            f"control_interactions is {model.control_interactions!r}.", "Write true or false."
        )
    given: Any = model.instruments
    if isinstance(given, str) or not all(isinstance(name, str) for name in given):
        raise ModelError(f"Instruments are {given!r}.", "Give a list of names of covariates.")


def modifier_pairs(name: str, given: Any) -> Modifiers:
    """Return modifiers as pairs, numbers as floats.

    Raises
    ------
    ModelError
        If one is neither a finite number nor a prior.

    Examples
    --------
    >>> modifier_pairs("direct_modifier", {"age": 1})
    (('age', 1.0),)
    """
    found = []
    for covariate, value in dict(given).items():
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not isinstance(value, Prior) and not (number and math.isfinite(value)):
            raise ModelError(
                f"The {name} of {covariate!r} is {value!r}.", "Give a finite number, or a prior."
            )
        found.append((str(covariate), value if isinstance(value, Prior) else float(value)))
    return tuple(found)


def check_modified(model: CovariateIV) -> None:
    """Refuse modifiers of covariates that are no instruments.

    Raises
    ------
    ModelError
        If there is one.
    """
    for name, _ in (*model.direct_pairs, *model.slope_pairs):
        if model.instruments and name not in model.instruments:
            raise ModelError(
                f"{name!r} has a modifier, but is no instrument.",
                "Modifiers are of instruments: what controls change is estimated.",
            )


def check_data(model: CovariateIV, data: TrialData) -> None:
    """Refuse data the model has no likelihood for; see `CovariateIV.check_data`."""
    if model.by_person and not isinstance(data, TrialPersons):
        raise DataError(
            f"{data.source}: a probit, and effects that differ between persons, need persons.",
            "Give TrialPersons.",
        )
    modified = (name for name, _ in (*model.direct_pairs, *model.slope_pairs))
    for name in (*model.instruments, *modified):
        position(data.names, name)
    if isinstance(data, TrialPersons) and model.mediator == "probit":
        _check_binary(data)
    stages = instruments_of(model, data.names).stages(trial_products(data))
    counts, least = product_rows(data).n, len(data.names.covariates) + 3
    reason = stages if isinstance(stages, str) else ""
    if not reason and counts.min() < least:
        reason = f"an arm has {counts.min():.0f} persons, fewer than {least}"
    if reason:
        raise DataError(f"{data.source}: {reason}.", "Leave covariates out, or give persons.")


def _check_binary(data: TrialPersons) -> None:
    if np.unique(data.mediator).tolist() != [0.0, 1.0]:
        raise DataError(
            f"{data.source}, {data.names.mediator!r}: a probit needs 0 and 1.",
            'Code them so, or set mediator = "normal".',
        )
