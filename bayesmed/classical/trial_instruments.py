"""Which covariates × treatment are instruments, and which are held constant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bayesmed.classical.trial_products import Stages, TrialProducts
from bayesmed.core.errors import ModelError, nearest
from bayesmed.core.types import Floats
from bayesmed.data import TrialNames, TrialPersons


@dataclass(frozen=True)
class TrialInstruments:
    """Covariates of one trial, numbered from 0, by what their product with treatment is.

    Attributes
    ----------
    instruments
        Treatment × covariate predicts the mediator and is left out of the outcome's equation.
    interacted
        Treatment × covariate is in both equations.
    """

    instruments: tuple[int, ...]
    interacted: tuple[int, ...]

    def stages(self, sums: TrialProducts) -> Stages | str:
        """Regress on covariates, treatment and interacted controls; then on the instruments."""
        included = [*sums.covariates, sums.treatment, *sums.interactions(self.interacted)]
        return sums.stages(included, sums.interactions(self.instruments))

    def columns(self, persons: TrialPersons) -> tuple[Floats, Floats]:
        """Included columns (N, L), the intercept first and treatment last but one; instruments."""
        centred = persons.covariates - persons.covariates.mean(axis=0)
        crossed = persons.treatment[:, None] * centred
        treatment = persons.treatment - persons.treatment.mean()
        included = [np.ones(persons.n), centred, treatment, crossed[:, list(self.interacted)]]
        return np.column_stack(included), crossed[:, list(self.instruments)]


def trial_instruments(
    names: TrialNames, instruments: Iterable[str] | None, interactions: bool
) -> TrialInstruments:
    """Tell instruments from controls.

    Parameters
    ----------
    names
        The trial's variables.
    instruments
        Covariates whose product with treatment is an instrument; None for all of them.
    interactions
        Whether the products of the other covariates with treatment enter both equations.

    Raises
    ------
    ModelError
        If there is no such covariate, or no instrument.

    Examples
    --------
    >>> trial_instruments(TrialNames(covariates=("age", "sex")), ["sex"], True)
    TrialInstruments(instruments=(1,), interacted=(0,))
    """
    chosen = names.covariates if instruments is None else tuple(instruments)
    if isinstance(instruments, str):
        raise ModelError(f"Instruments are {instruments!r}.", "Give a list of covariates.")
    if not chosen:
        raise ModelError(
            "There is no instrument.", "Name at least one covariate that treatment works through."
        )
    numbers = sorted({position(names, name) for name in chosen})
    others = [j for j in range(len(names.covariates)) if j not in numbers]
    return TrialInstruments(tuple(numbers), tuple(others) if interactions else ())


def position(names: TrialNames, covariate: str) -> int:
    """Return a covariate's number, or refuse one that does not exist."""
    if covariate not in names.covariates:
        raise ModelError(
            f"There is no covariate {covariate!r}.", nearest(covariate, names.covariates)
        )
    return names.covariates.index(covariate)


def modifiers(names: TrialNames, given: Mapping[str, float] | None) -> Floats:
    """Return sensitivity parameters by covariate as (q,), 0 where none is given.

    Raises
    ------
    ModelError
        If there is no such covariate, or a value is not finite.
    """
    found = np.zeros(len(names.covariates))
    for name, value in (given or {}).items():
        if not np.isfinite(value):
            raise ModelError(f"The modifier of {name!r} is {value}.", "Give a finite number.")
        found[position(names, name)] = value
    return found


def sequence_of_modifiers(rows: Sequence[Sequence[float]], width: int) -> Floats:
    """Return rows of sensitivity parameters as (G, width).

    Raises
    ------
    ModelError
        If a row has another length, or a value is not finite.
    """
    for row in rows:
        if len(row) != width or not np.isfinite(row).all():
            raise ModelError(
                f"{tuple(row)} are not {width} finite numbers.",
                "Give one number for each instrument's covariate.",
            )
    return np.array(rows, dtype=np.float64).reshape(len(rows), width)
