"""A table of the eight cells of a trial: one row per cell, as papers print them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError
from bayesmed.data.cells import CellError, as_number
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
        The arm that is compared with; the first one in alphabetical order where left out.
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
    names = sorted(set(arms))
    place = f"{table.source}, column {columns.treatment!r}"
    if len(names) != 2:
        raise DataError(f"{place}: there are {len(names)} arms.", "Give the cells of two arms.")
    if columns.reference is not None:
        if columns.reference not in names:
            raise DataError(
                f"{place}: there is no arm {columns.reference!r}.", f"Its arms are {names}."
            )
        names.sort(key=lambda name: name != columns.reference)
    strata = ("all",) * rows if columns.stratum is None else table.texts(columns.stratum)
    known = tuple(dict.fromkeys(strata))
    index = (
        np.array([known.index(s) for s in strata]),
        np.array([names.index(a) for a in arms]),
        _binary(table, columns.instrument),
        _binary(table, columns.mediator),
    )
    _require_each_once(table, index, len(known))

    def cells(column: str, default: float = np.nan) -> NDArray[np.float64]:
        found = np.full((len(known), 2, 2, 2), default)
        found[index] = _numbers(table, column, empty=default)
        return found

    count = cells(columns.n)
    how: dict[str, Any]
    if columns.events is not None:
        how = {"events": cells(columns.events)}
    else:
        assert columns.mean is not None
        squares = (
            cells(columns.squares)
            if columns.squares is not None
            else np.maximum(count - 1.0, 0.0) * np.nan_to_num(cells(columns.sd or "")) ** 2
        )
        how = {"mean": cells(columns.mean), "squares": squares}
    return TrialCells.from_arrays(
        n=count,
        stratum=None if columns.stratum is None else known,
        names=TrialNames(
            treatment=columns.treatment,
            mediator=columns.mediator,
            outcome=columns.outcome,
            arms=(names[0], names[1]),
        ),
        instrument=columns.instrument,
        source=table.source,
        **how,
    )


def _binary(table: Table, column: str) -> NDArray[np.int64]:
    values = _numbers(table, column)
    for row, value in enumerate(values.tolist()):
        if value not in (0.0, 1.0):
            raise DataError(
                f"{table.source}, {table.row_names[row]}, column {column!r}: {value:g} is neither "
                "0 nor 1.",
                "Code it as 0 and 1.",
            )
    return values.astype(np.int64)


def _numbers(table: Table, column: str, *, empty: float | None = None) -> NDArray[np.float64]:
    """Read a column; a cell nobody is in may be left empty."""
    found = []
    for row, cell in enumerate(table.cells(column)):
        if empty is not None and (cell is None or not str(cell).strip()):
            found.append(empty)
            continue
        try:
            found.append(as_number(cell))
        except CellError as error:
            raise DataError(
                f"{table.source}, {table.row_names[row]}, column {column!r}: {error.problem}",
                error.remedy,
            ) from error
    return np.array(found)


def _require_each_once(table: Table, index: tuple[NDArray[np.int64], ...], strata: int) -> None:
    count = np.zeros((strata, 2, 2, 2), dtype=np.int64)
    np.add.at(count, index, 1)
    if (count != 1).any():
        s, d, z, m = np.argwhere(count != 1)[0].tolist()
        often = int(count[s, d, z, m])
        raise DataError(
            f"{table.source}: the cell with treatment {d}, instrument {z}, mediator {m} is there "
            f"{often} times{f', in stratum {s + 1}' if strata > 1 else ''}.",
            "Give every cell once, with n = 0 where nobody is.",
        )
