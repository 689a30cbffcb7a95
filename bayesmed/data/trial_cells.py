"""One trial with binary treatment, instrument and mediator: its persons in eight cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayesmed.core.display import Shown, displayed
from bayesmed.core.errors import DataError
from bayesmed.core.progress import Progress
from bayesmed.data import fields
from bayesmed.data.trial_cells_checks import check_cells, checked_outcomes, is_binary
from bayesmed.data.trial_cells_derived import cell_table, fingerprint, persons_by_instrument
from bayesmed.data.trial_names import TrialNames
from bayesmed.formulas.cell_moments import joined

if TYPE_CHECKING:
    import pandas as pd

    from bayesmed.data.rows.missingness import Missingness
    from bayesmed.data.rows.person_rows import PersonRows

__all__ = ["TrialCells"]

_Array = NDArray[np.float64]


@displayed()
@dataclass(frozen=True, eq=False, repr=False)
class TrialCells:
    """Counts, means and sums of squares of the outcome by treatment, instrument and mediator.

    Persons are in one of the cells (d, z, m) of their stratum. The instrument moves the mediator,
    and the outcome through nothing else (Kim 2022). Make one with `from_rows` or `from_arrays`;
    every way is checked alike. Arrays are read-only.

    Parameters
    ----------
    n
        (S, 2, 2, 2) persons, with axes stratum, d, z, m.
    mean
        (S, 2, 2, 2) mean outcome; 0 where nobody is.
    squares
        (S, 2, 2, 2) sums of squares of the outcome about the cell's mean.
    stratum
        Names of the S strata of baseline covariates; one stratum, "all", without them.
    names
        Names of treatment, mediator, outcome and of the two arms.
    instrument
        Name of the instrument.
    missingness
        Rows, complete rows and missing cells by stratum and arm, where the cells come from rows.
    source
        File name, "data frame" or "arrays".
    derivation
        How the cells were counted, where they come from rows of persons; else empty.
    notes
        Warnings that belong beside every result.
    outcomes
        Where every person's outcome is kept: (N,) outcomes, and (N,) the cell of each, numbered
        as the flattened arrays are; else None.

    Raises
    ------
    DataError
        If the cells cannot be used; the message names the cell and the remedy.

    Examples
    --------
    >>> cells = TrialCells.from_arrays(
    ...     n=[[[30, 10], [20, 20]], [[30, 10], [10, 30]]],
    ...     events=[[[9, 5], [6, 10]], [[12, 6], [4, 21]]])
    >>> cells
    TrialCells(160 persons: treatment 'treatment', instrument 'instrument', mediator 'mediator',
        outcome 'outcome', from arrays)
    >>> cells.mediator_mean[0].tolist(), cells.binary_outcome
    ([[0.25, 0.5], [0.25, 0.75]], True)
    """

    n: _Array
    mean: _Array
    squares: _Array
    stratum: tuple[str, ...] = ("all",)
    names: TrialNames = field(default_factory=TrialNames)
    instrument: str = "instrument"
    missingness: Missingness | None = None
    source: str = "arrays"
    derivation: str = ""
    notes: tuple[str, ...] = ()
    outcomes: tuple[_Array, _Array] | None = None

    def __post_init__(self) -> None:
        for name in ("n", "mean", "squares"):
            array = np.array(getattr(self, name), dtype=np.float64)
            object.__setattr__(self, name, array)
        for name in ("stratum", "notes"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        check_cells(self)
        if self.outcomes is not None:
            object.__setattr__(self, "outcomes", checked_outcomes(self))
        for name in ("mean", "squares"):
            getattr(self, name)[self.n == 0] = 0.0
        for name in ("n", "mean", "squares"):
            getattr(self, name).flags.writeable = False

    @classmethod
    def from_rows(
        cls,
        rows: PersonRows,
        *,
        keep_outcomes: bool = False,
        strict: bool = False,
        progress: Progress | None = None,
    ) -> TrialCells:
        """Let the engine count persons and average the outcome by cell, in one scan.

        No person comes here, unless ``keep_outcomes``. ``site`` columns of the rows, with their
        ``cuts`` and ``quantiles``, make the strata. A stratum without complete persons at both
        values of the instrument in both arms is dropped by name.

        Parameters
        ----------
        rows
            The persons and the roles of their columns: two arms, one mediator coded 0 and 1, and
            ``mediator_instrument``.
        keep_outcomes
            Bring the outcome of every complete person here too, for models of single persons.
        strict
            Refuse the rows where a stratum would be dropped.
        progress
            Shows how far the scan is.

        Raises
        ------
        DataError
            If the rows cannot be used, or a column has a role that cells do not know.

        Examples
        --------
        >>> import pandas as pd
        >>> from bayesmed.data import PersonRows, RowColumns
        >>> people = pd.DataFrame({
        ...     "d": [0, 0, 0, 0, 1, 1, 1, 1], "z": [0, 0, 1, 1] * 2,
        ...     "m": [0, 1, 0, 1, 0, 0, 1, 1], "y": [3, 5, 2, 6, 1, 2, 8, 9]})
        >>> rows = PersonRows.from_frame(
        ...     people, RowColumns("d", ("m",), "y", mediator_instrument="z"))
        >>> cells = TrialCells.from_rows(rows)
        >>> cells.n[0, 1].tolist(), cells.mean[0, 1].tolist(), cells.squares[0, 1].tolist()
        ([[2.0, 0.0], [0.0, 2.0]], [[1.5, 0.0], [0.0, 8.5]], [[0.5, 0.0], [0.0, 0.5]])
        """
        from bayesmed.data.rows.trial_cells import trial_cells

        return trial_cells(rows, keep=keep_outcomes, strict=strict, progress=progress)

    @classmethod
    def from_arrays(
        cls,
        *,
        n: ArrayLike,
        mean: ArrayLike | None = None,
        squares: ArrayLike | None = None,
        events: ArrayLike | None = None,
        stratum: Sequence[object] | None = None,
        names: TrialNames | None = None,
        instrument: str = "instrument",
        source: str = "arrays",
        notes: Sequence[str] = (),
    ) -> TrialCells:
        """Take arrays with axes d, z, m, and strata in front where there are any.

        Parameters
        ----------
        n
            (2, 2, 2) or (S, 2, 2, 2) persons.
        mean, squares
            Mean outcome and its sum of squares about it, (n − 1) sd², in each cell; whatever
            stands where nobody is.
        events
            In their place, for an outcome that is 0 or 1: how many persons have 1.
        stratum
            Names of the strata; default numbers from 1, or "all" for one.
        names, instrument, source, notes
            As in `TrialCells`.

        Raises
        ------
        DataError
            If shapes do not fit or the numbers cannot be used.
        """
        count = _stacked(fields.numeric("n", n, source))
        if events is not None and mean is None and squares is None:
            happened = _stacked(fields.numeric("events", events, source))
            _require_shape(happened, count, "events", source)
            with np.errstate(divide="ignore", invalid="ignore"):
                average = happened / count
            spread = happened * (1 - average)
        elif events is None and mean is not None and squares is not None:
            average = _stacked(fields.numeric("mean", mean, source))
            spread = _stacked(fields.numeric("squares", squares, source))
        else:
            raise DataError(
                f"{source}: the outcome is given neither by `events` nor by `mean` and `squares`, "
                "or by both.",
                "Give `events` for an outcome of 0 and 1, else `mean` and `squares`.",
            )
        if stratum is None and len(count) == 1:
            stratum = ("all",)
        return cls(
            n=count,
            mean=average,
            squares=spread,
            stratum=fields.names(stratum, len(count)),
            names=names or TrialNames(),
            instrument=instrument,
            source=source,
            notes=tuple(notes),
        )

    @property
    def n_persons(self) -> int:
        """Number of persons."""
        return int(self.n.sum())

    @property
    def n_strata(self) -> int:
        """Number of strata S."""
        return len(self.stratum)

    @property
    def binary_outcome(self) -> bool:
        """Whether the outcome is 0 or 1, which counts, means and squares tell."""
        return is_binary(self.n, self.mean, self.squares)

    @property
    def persons(self) -> _Array:
        """(S, 2, 2) persons by treatment and instrument."""
        found: _Array = self.n.sum(axis=-1)
        return found

    @property
    def mediator_mean(self) -> _Array:
        """(S, 2, 2) share of persons with the mediator, by treatment and instrument."""
        found: _Array = self.n[..., 1] / self.persons
        return found

    @property
    def outcome_mean(self) -> _Array:
        """(S, 2, 2) mean outcome by treatment and instrument."""
        return persons_by_instrument(self)[0]

    @property
    def products(self) -> _Array:
        """(S, 2, 2, 2, 2) sums of products of mediator and outcome about those means."""
        return persons_by_instrument(self)[1]

    @property
    def instrument_share(self) -> _Array:
        """(S, 2) shares of persons at each value of the instrument, both arms together."""
        at = self.persons.sum(axis=1)
        shares: _Array = at / at.sum(axis=1, keepdims=True)
        return shares

    @property
    def stratum_share(self) -> _Array:
        """(S,) shares of persons in each stratum."""
        at = self.n.sum(axis=(1, 2, 3))
        shares: _Array = at / at.sum()
        return shares

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of names and numbers, without ``notes`` and other words."""
        return fingerprint(self)

    def pooled(self) -> TrialCells:
        """Return the same persons in one stratum."""
        cell = np.tile(np.arange(8), self.n_strata)
        mean, squares = self.mean.reshape(-1, 1), self.squares.reshape(-1, 1, 1)
        # A cell that is empty in every stratum has no mean.
        with np.errstate(invalid="ignore"):
            moments = joined(self.n.ravel(), mean, squares, cell, 8)
        count, average, spread = (part.reshape(1, 2, 2, 2) for part in moments)
        kept = None if self.outcomes is None else (self.outcomes[0], self.outcomes[1] % 8)
        return replace(self, n=count, mean=average, squares=spread, stratum=("all",), outcomes=kept)

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy data frame, one row per cell.

        Columns: ``stratum``, ``treatment`` (the arm), ``instrument`` and ``mediator`` (0 or 1),
        ``n``, ``mean``, ``squares``.
        """
        return cell_table(self)

    def __repr__(self) -> str:
        names, several = self.names, f" in {self.n_strata} strata" if self.n_strata > 1 else ""
        return (
            f"TrialCells({self.n_persons} persons{several}: treatment {names.treatment!r}, "
            f"instrument {self.instrument!r}, mediator {names.mediator!r}, outcome "
            f"{names.outcome!r}, from {self.source})"
        )

    def _shown(self) -> Shown:
        from bayesmed.data.display import shown_trial

        return shown_trial(self)


def _stacked(array: _Array) -> _Array:
    """Put an axis of strata in front of one trial's cells."""
    return array[None] if array.ndim == 3 else array


def _require_shape(array: _Array, like: _Array, name: str, source: str) -> None:
    if array.shape != like.shape:
        raise DataError(
            f"{source}: {name} has the shape {array.shape}, and n {like.shape}.",
            "Give axes d, z, m, and strata in front where there are any.",
        )
