"""A table of the eight cells of a trial: one row per cell, as papers print them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError, nearest
from bayesmed.data.cells import as_numbers
from bayesmed.data.table import Table
from bayesmed.data.trial_cells import TrialCells
from bayesmed.data.trial_names import TrialNames

__all__ = ["CellColumns", "cells_from_table"]


@dataclass(frozen=True)
class CellColumns:
    """Which column of a table of cells has which role.

    Parameters
    ----------
    treatment
        The arm of the cell, two of them.
    instrument, mediator
        0 or 1.
    n
        Persons.
    events
        How many of them have the outcome, where it is 0 or 1; else ``mean`` with ``sd`` or
        ``squares``.
    mean, sd, squares
        Mean outcome, its standard deviation (n - 1), or its sum of squares about the mean.
    stratum
        Stratum of covariates; None for one trial as a whole.
    reference
        The arm that is compared with; 0 where left out.
    outcome
        What the outcome is called.

    Raises
    ------
    DataError
        If the outcome is given in no way, or in two.

    Examples
    --------
    >>> CellColumns(events="died").mediator
    'mediator'
    """

    treatment: str = "treatment"
    instrument: str = "instrument"
    mediator: str = "mediator"
    n: str = "n"
    events: str | None = None
    mean: str | None = None
    sd: str | None = None
    squares: str | None = None
    stratum: str | None = None
    reference: str | None = None
    outcome: str = "outcome"

    def __post_init__(self) -> None:
        counted = self.events is not None
        spread = [self.sd is not None, self.squares is not None]
        if counted == (self.mean is not None) or counted == any(spread) or all(spread):
            raise DataError(
                "The outcome of cells is not given, or in two ways.",
                "Name `events` for an outcome of 0 and 1, else `mean` with `sd` or `squares`.",
            )
        roles = [f.name for f in fields(self) if f.name not in ("reference", "outcome")]
        named = [getattr(self, r) for r in roles if getattr(self, r) is not None]
        for name in named:
            if named.count(name) > 1:
                raise DataError(f"Column {name!r} has two roles.", "Name each column once.")


def cells_from_table(table: Table, columns: CellColumns) -> TrialCells:
    """Read a table of cells.

    Raises
    ------
    DataError
        If a column is not there, a value impossible, or a cell given twice or not at all.
    """
    rows = len(table)
    arms = table.texts(columns.treatment)
    names = _arms(table, columns)
    strata = ("all",) * rows if columns.stratum is None else table.texts(columns.stratum)
    known = tuple(dict.fromkeys(strata))
    number = {name: s for s, name in enumerate(known)}
    index = (
        np.array([number[name] for name in strata]),
        np.array([names.index(a) for a in arms]),
        _binary(table, columns.instrument),
        _binary(table, columns.mediator),
    )
    _require_each_once(table, columns, index, (known, names))

    def cells(values: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.full((len(known), 2, 2, 2), np.nan)
        found[index] = values
        return found

    count = _numbers(table, columns.n)
    outcome = {name: cells(values) for name, values in _outcome(table, columns, count).items()}
    return TrialCells.from_arrays(
        n=cells(count),
        stratum=None if columns.stratum is None else known,
        names=TrialNames(
            treatment=columns.treatment,
            mediator=columns.mediator,
            outcome=columns.outcome,
            arms=names,
        ),
        instrument=columns.instrument,
        source=table.source,
        events=outcome.get("events"),
        mean=outcome.get("mean"),
        squares=outcome.get("squares"),
    )


def _arms(table: Table, columns: CellColumns) -> tuple[str, str]:
    """Return both arms, the reference first."""
    names = sorted(set(table.texts(columns.treatment)))
    place = f"{table.source}, column {columns.treatment!r}"
    if len(names) != 2:
        raise DataError(f"{place}: there are {len(names)} arms.", "Give the cells of two arms.")
    reference = columns.reference
    if reference is None:
        if "0" not in names:
            raise DataError(
                f"{place}: {names[0]!r} and {names[1]!r} do not tell which arm is compared with.",
                f'Name it: reference = "{names[0]}".',
            )
        reference = "0"
    if reference not in names:
        raise DataError(f"{place}: there is no arm {reference!r}.", nearest(reference, names))
    first, second = sorted(names, key=lambda name: name != reference)
    return first, second


def _outcome(
    table: Table, columns: CellColumns, count: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return events, or means and sums of squares, by row."""
    if columns.events is not None:
        return {"events": _events(table, columns.events, count)}
    assert columns.mean is not None
    mean = _numbers(table, columns.mean, needed=count > 0)
    if columns.squares is not None:
        return {"mean": mean, "squares": _numbers(table, columns.squares, needed=count > 0)}
    assert columns.sd is not None
    return {"mean": mean, "squares": _squares(table, columns.sd, count)}


def _binary(table: Table, column: str) -> NDArray[np.int64]:
    values = _numbers(table, column)
    for row in np.flatnonzero(~np.isin(values, (0.0, 1.0))).tolist():
        raise _bad(table, column, row, f"{values[row]:g} is neither 0 nor 1", "Code it as 0 and 1.")
    return values.astype(np.int64)


def _numbers(
    table: Table, column: str, *, needed: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Read a column; where it is not ``needed``, as nobody is there, it may be left empty."""
    found = as_numbers(table.cells(column), may_be_missing=needed is not None)
    if isinstance(found, tuple):
        row, error = found
        raise _bad(table, column, row, error.problem, error.remedy)
    for row in np.flatnonzero(np.isnan(found) & (needed if needed is not None else True)).tolist():
        remedy = "Fill it in; only a cell with too few persons may be left empty."
        raise _bad(table, column, row, "the value is missing", remedy)
    return found


def _events(table: Table, column: str, count: NDArray[np.float64]) -> NDArray[np.float64]:
    events = _numbers(table, column, needed=count > 0)
    wrong = ~((events >= 0) & (events <= count) & (events == np.round(events)))
    for row in np.flatnonzero(wrong & ~(np.isnan(events) & (count == 0))).tolist():
        problem = f"{events[row]:g} of {count[row]:g} persons have the outcome"
        raise _bad(table, column, row, problem, "Give a whole number from 0 to n.")
    return events


def _squares(table: Table, column: str, count: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sums of squares from standard deviations, which one person has none of."""
    sd = _numbers(table, column, needed=count > 1)
    for row in np.flatnonzero(sd < 0).tolist():
        raise _bad(table, column, row, f"{sd[row]:g} is negative", "A spread is 0 or positive.")
    with np.errstate(over="ignore"):
        return np.where(count > 1, (count - 1.0) * sd**2, 0.0)


def _bad(table: Table, column: str, row: int, problem: str, remedy: str) -> DataError:
    place = f"{table.source}, {table.row_names[row]}, column {column!r}"
    return DataError(f"{place}: {problem}.", remedy)


def _require_each_once(
    table: Table,
    columns: CellColumns,
    index: tuple[NDArray[np.int64], ...],
    named: tuple[Sequence[str], Sequence[str]],
) -> None:
    strata, arms = named
    count = np.zeros((len(strata), 2, 2, 2), dtype=np.int64)
    np.add.at(count, index, 1)
    for s, d, z, m in np.argwhere(count != 1).tolist():
        often = int(count[s, d, z, m])
        where = [] if columns.stratum is None else [f"{columns.stratum} = {strata[s]}"]
        where += [f"{columns.treatment} = {arms[d]}", f"{columns.instrument} = {z}"]
        where.append(f"{columns.mediator} = {m}")
        problem = "is missing" if often == 0 else f"is there {often} times"
        raise DataError(
            f"{table.source}: the cell {', '.join(where)} {problem}.",
            "Give every cell once, with n = 0 where nobody is.",
        )
