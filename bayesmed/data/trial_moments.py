"""Moments of the persons of one trial, by arm: all that regressions of its variables need."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.display import Shown, displayed
from bayesmed.core.errors import DataError
from bayesmed.core.progress import Progress
from bayesmed.data.trial_names import TrialNames, fingerprint
from bayesmed.data.trial_persons import TrialPersons

if TYPE_CHECKING:
    from bayesmed.data.rows import PersonRows

__all__ = ["TrialMoments"]

_Array = NDArray[np.float64]


@displayed()
@dataclass(frozen=True, eq=False, repr=False)
class TrialMoments:
    r"""Counts, means and cross-products of one trial's complete persons in its two arms.

    The V variables are covariates X, post-baseline confounders, mediator M and outcome Y
    (`TrialNames.measured`), and after them the q products
    :math:`(M-\bar M)(X_j-\bar X_j)` about the means of all persons. Treatment being 0 or 1, they
    hold every cross-moment of treatment, these variables and treatment × variable.

    Parameters
    ----------
    names
        What the variables are called, with two arms.
    n
        (2,) persons.
    mean
        (2, V) means.
    cross
        (2, V, V) sums of products about the arm's means.
    source
        Where the persons come from.
    notes
        What to keep in mind beside them.

    Raises
    ------
    DataError
        If shapes do not fit, an arm has fewer than two persons, or a number is impossible.

    Examples
    --------
    >>> persons = TrialPersons.from_arrays(
    ...     treatment=[0, 0, 1, 1], mediator=[1, 3, 2, 6], outcome=[5, 6, 4, 9],
    ...     covariates={"age": [30, 40, 35, 45]})
    >>> moments = TrialMoments.from_persons(persons)
    >>> moments.mean[1].tolist(), moments.overall.tolist()
    ([40.0, 4.0, 6.5, 12.5], [37.5, 3.0, 6.0])
    """

    names: TrialNames
    n: _Array
    mean: _Array
    cross: _Array
    source: str = "arrays"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        arms = _arms(self.names, self.source)
        v = len(self.variables)
        for role, shape in (("n", (2,)), ("mean", (2, v)), ("cross", (2, v, v))):
            array = np.array(getattr(self, role), dtype=np.float64)
            if array.shape != shape or not np.isfinite(array).all():
                raise DataError(
                    f"{self.source}: {role} has the shape {array.shape}, not {shape}, or is not "
                    "finite.",
                    "Make moments by TrialMoments.from_rows or from_persons.",
                )
            array.flags.writeable = False
            object.__setattr__(self, role, array)
        object.__setattr__(self, "notes", tuple(self.notes))
        for arm, count in zip(arms, self.n.tolist(), strict=True):
            if count < 2:
                raise DataError(
                    f"{self.source}: {count:.0f} complete persons are in arm {arm!r}.",
                    "Effects compare arms: give at least two persons in each.",
                )
        if (np.diagonal(self.cross, axis1=1, axis2=2) < 0).any():
            raise DataError(
                f"{self.source}: a sum of squares is negative.",
                "Make moments by TrialMoments.from_rows or from_persons.",
            )

    @classmethod
    def from_rows(cls, rows: PersonRows, *, progress: Progress | None = None) -> TrialMoments:
        """Let the engine count, average and cross-multiply; no person comes here.

        Parameters
        ----------
        rows
            The persons and the roles of their columns: no site, two arms, one mediator.
        progress
            Shows how far the scans are: one, or two where there are covariates.

        Raises
        ------
        DataError
            If the rows cannot be used, or a column has a role that a trial does not know.

        Examples
        --------
        >>> import pandas as pd
        >>> from bayesmed.data import PersonRows, RowColumns
        >>> people = pd.DataFrame({"t": [0, 0, 1, 1], "m": [1, 3, 2, 6], "y": [5, 6, 4, 9]})
        >>> rows = PersonRows.from_frame(people, RowColumns("t", ("m",), "y"))
        >>> TrialMoments.from_rows(rows).cross[1].tolist()
        [[8.0, 10.0], [10.0, 12.5]]
        """
        from bayesmed.data.rows.trials import trial_moments

        return trial_moments(rows, progress)

    @classmethod
    def from_persons(cls, persons: TrialPersons) -> TrialMoments:
        """Compute the moments of persons at hand.

        Raises
        ------
        DataError
            If treatment is an amount, or an arm has fewer than two persons.
        """
        _arms(persons.names, persons.source)
        measured, q = persons.measured, len(persons.names.covariates)
        centred = measured - measured.mean(axis=0)
        values = np.column_stack([measured, centred[:, -2, None] * centred[:, :q]])
        arms = [values[persons.treatment == arm] for arm in (0, 1)]
        means = [arm.mean(axis=0) for arm in arms]
        apart = [arm - mean for arm, mean in zip(arms, means, strict=True)]
        return cls(
            names=persons.names,
            n=np.array([len(arm) for arm in arms], dtype=np.float64),
            mean=np.stack(means),
            cross=np.stack([x.T @ x for x in apart]),
            source=persons.source,
            notes=persons.notes,
        )

    @property
    def n_persons(self) -> int:
        """Number of persons."""
        return int(self.n.sum())

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of names and numbers, without ``notes`` and other words."""
        return fingerprint(asdict(self.names), self.n, self.mean, self.cross)

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the V variables."""
        return (*self.names.measured, *self.names.products)

    @property
    def overall(self) -> _Array:
        """(q + c + 2,) means of all persons, products aside."""
        measured = len(self.names.measured)
        found: _Array = self.n @ self.mean[:, :measured] / self.n.sum()
        return found

    def __repr__(self) -> str:
        names = self.names
        each = zip(self.n, _arms(names, self.source), strict=True)
        counts = " and ".join(f"{n:.0f} in arm {arm!r}" for n, arm in each)
        return (
            f"TrialMoments({counts}: treatment {names.treatment!r}, mediator {names.mediator!r}, "
            f"outcome {names.outcome!r})"
        )

    def _shown(self) -> Shown:
        from bayesmed.data.display import shown_trial

        return shown_trial(self)


def _arms(names: TrialNames, source: str) -> tuple[str, str]:
    """Return the two arms, or refuse amounts of treatment."""
    if names.arms is None:
        raise DataError(
            f"{source}, {names.treatment!r}: treatment is an amount.",
            "Moments by arm need two arms, 0 and 1; use TrialPersons for amounts.",
        )
    return names.arms
