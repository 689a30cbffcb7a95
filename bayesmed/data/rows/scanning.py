"""One look at all rows: moments of complete persons, and what is missing; bad cells refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmed.core.errors import DataError, nearest
from bayesmed.core.progress import Progress, Silent
from bayesmed.data.cells import CellError, as_number, as_text
from bayesmed.data.rows.cleaning import (
    ARM,
    BAD,
    BLOCK,
    COMPLETE,
    LARGEST,
    STATE,
    WEIGHT,
    Cleaned,
    cleaned,
    number_of,
    variables_of,
)
from bayesmed.data.rows.columns import RowColumns
from bayesmed.data.rows.engine import backend_of, fetch
from bayesmed.data.rows.missingness import Missingness, arm_name, missing_of
from bayesmed.data.rows.moments import Moments
from bayesmed.data.rows.queries import moments_query, weighted_query
from bayesmed.data.rows.site_names import site_names

if TYPE_CHECKING:
    import pandas as pd

    from bayesmed.data.rows.person_rows import PersonRows

__all__ = ["Scan", "complete_cells", "moments_of_cells", "scan"]


@dataclass(frozen=True, eq=False)
class Scan:
    """What one look at the rows found.

    Parameters
    ----------
    rows
        The cleaned rows, for further scans.
    moments
        Moments of complete persons, in cells sorted by site, block and arm.
    missingness
        Rows, complete rows and missing cells by site and arm.
    backend
        The engine.
    """

    rows: Cleaned
    moments: Moments
    missingness: Missingness
    backend: Any


def scan(persons: PersonRows, progress: Progress, *, split: bool = False) -> Scan:
    """Scan the rows once, or twice where there are weights.

    With ``split``, cells are split by the values of the mediator and of its instrument.

    Raises
    ------
    DataError
        If a cell is no number, a number is infinite, a weight negative, or nobody is complete.
    """
    columns, source = persons.columns, persons.source
    backend = backend_of(persons.table)
    progress.phase("Scanning the rows")
    rows = cleaned(persons.table, columns, _edges(persons, backend, progress), source, split=split)
    crossed = len(variables_of(columns)) - len(_others(columns))
    binary = tuple(rows.variables.index(name) for name in columns.log_odds)
    frame = fetch(backend, moments_query(rows, crossed, binary), progress, source)
    if not len(frame):
        raise _no_row(persons, backend)
    _refuse_bad_cells(rows, frame, backend, source)
    _refuse_bad_weights(frame, columns, source)
    missingness = missing_of(frame, rows)
    used = complete_cells(frame, rows)
    if not len(used):
        raise DataError(f"{source}: no person is complete.", missingness.most_missing())
    _refuse_two_spellings(rows, used, source)
    _refuse_not_binary(rows, used, binary, source)
    moments = moments_of_cells(used, rows, crossed)
    if WEIGHT in rows.counted:
        progress.phase("Scanning the rows again, for the weights")
        query = weighted_query(rows, moments.keys, moments.mean, crossed)
        sums = fetch(backend, query, progress, source).sort_values("cell")
        moments = _weighted(moments, sums)
    return Scan(rows, moments, missingness, backend)


def _others(columns: RowColumns) -> list[str]:
    return [c for c in columns.site_covariates if c not in columns.covariates]


def _edges(persons: PersonRows, backend: Any, progress: Progress) -> dict[str, Sequence[float]]:
    """Where numeric site columns are cut: as given, or at quantiles that a scan finds."""
    columns = persons.columns
    edges: dict[str, Sequence[float]] = dict(columns.cuts)
    for name, groups in columns.quantiles.items():
        value = number_of(persons.table, columns, name, persons.source)
        shares = {f"q{i}": value.quantile(i / groups) for i in range(1, groups)}
        found = fetch(backend, value.as_table().agg(**shares), progress, persons.source).iloc[0]
        edges[name] = sorted({float(x) for x in found if x is not None and x == x})
        if not edges[name]:
            raise DataError(
                f"{persons.source}, column {name!r}: there are no numbers to cut.",
                "Name a column of numbers as `quantiles`, and check the conditions `where`.",
            )
    return edges


def _refuse_bad_cells(rows: Cleaned, frame: pd.DataFrame, backend: Any, source: str) -> None:
    if not (frame[STATE] == BAD).any():
        return
    bad = rows.table.filter(rows.table[STATE] == BAD)
    counts = bad.agg(**{name: bad[f"bad_{name}"].cast("int64").sum() for name in rows.doubtful})
    found = fetch(backend, counts, Silent(), source).iloc[0]
    name = next(name for name in rows.doubtful if found[name] > 0)
    raise DataError(*_bad_cell(rows, name, int(found[name]), backend, source))


def _bad_cell(rows: Cleaned, name: str, count: int, backend: Any, source: str) -> tuple[str, str]:
    """Say what stands in one of the bad cells, and at which site."""
    example = rows.table.filter(rows.table[f"bad_{name}"])
    example = example.select(*rows.site_keys, text=example[f"text_{name}"])
    row = fetch(backend, example.order_by("text").limit(1), Silent(), source).iloc[0]
    place = f"{source}, column {rows.counted[name]!r}"
    if rows.site_keys and name not in rows.site_keys:
        place += ", site " + (", ".join(as_text(row[key]) for key in rows.site_keys) or "missing")
    several = f" and {count - 1} more like it" if count > 1 else ""
    try:
        number = as_number(str(row["text"]))
    except CellError as bad:
        return f"{place}: {bad.problem}{several}.", bad.remedy
    if abs(number) > LARGEST:
        return (
            f"{place}: {number:g} is too large to square{several}.",
            "Remove the row if the number stands for something missing; else use a larger unit.",
        )
    return f"{place}: {row['text']!r} is not a number{several}.", "Write plain numbers."


def _no_row(persons: PersonRows, backend: Any) -> DataError:
    """Say that there are no rows, or which condition no row meets."""
    where, source = persons.columns.where, persons.source
    if not where:
        return DataError(f"{source} has no rows.", "Give a row for every person.")
    asked = " and ".join(f"{name} = {as_text(value)!r}" for name, value in where.items())
    name, value = next(iter(where.items()))
    found = fetch(backend, persons.table.select(name).distinct().limit(100), Silent(), source)
    offer = nearest(as_text(value), sorted(as_text(cell) for cell in found[name]))
    return DataError(
        f"{source}: no row has {asked}.",
        offer if len(where) == 1 else "Check the conditions `where` one by one.",
    )


def _refuse_bad_weights(frame: pd.DataFrame, columns: RowColumns, source: str) -> None:
    if columns.weights is None:
        return
    least, most = frame["least_weight"].min(), frame["most_weight"].max()
    if least < 0:
        raise DataError(
            f"{source}, column {columns.weights!r}: a weight is negative ({least:g}).",
            "Weights are positive; leave persons of weight 0 out.",
        )
    if most == 0:
        raise DataError(
            f"{source}, column {columns.weights!r}: all weights are 0.",
            "Give positive weights, or leave them out for equal ones.",
        )


def _refuse_two_spellings(rows: Cleaned, used: pd.DataFrame, source: str) -> None:
    """Refuse sites or blocks called both 3 and 3.0; for arms see `chosen_arms`."""
    for key in rows.keys:
        seen: dict[str, str] = {}
        for text in dict.fromkeys(as_text(cell) for cell in used[key]):
            other = seen.setdefault(_whole(text), text)
            if other != text and key != ARM:
                raise DataError(
                    f"{source}, column {rows.counted[key]!r}: {other!r} and {text!r} are the same "
                    "number.",
                    "Spell every name in one way.",
                )


def _whole(text: str) -> str:
    """Return one spelling of a whole number; other names as they are."""
    try:
        number = as_number(text)
    except CellError:
        return text
    return as_text(number) if number.is_integer() and abs(number) < 2**53 else text


def _refuse_not_binary(
    rows: Cleaned, used: pd.DataFrame, binary: tuple[int, ...], source: str
) -> None:
    for i in binary:
        if (count := int(used[f"other_{i}"].sum())) > 0:
            raise DataError(
                f"{source}, column {rows.variables[i]!r}: {count} values are neither 0 nor 1.",
                "Log odds need an event coded 0 and 1; leave the column out of `log_odds` else.",
            )


def complete_cells(frame: pd.DataFrame, rows: Cleaned) -> pd.DataFrame:
    """Return the cells of complete persons, by site, block and arm.

    Numbers are sorted by size, names by letters after them.
    """
    frame = frame[frame[STATE] == COMPLETE]

    def rank(cell: object) -> tuple[float, str]:
        text = as_text(cell)
        try:
            return as_number(text), text
        except CellError:
            return math.inf, text

    keyed = zip(*(map(rank, frame[key]) for key in rows.keys), strict=True)
    ranks = list(keyed) if rows.keys else [()] * len(frame)
    order = sorted(range(len(frame)), key=lambda i: ranks[i])
    return frame.iloc[order].reset_index(drop=True)


def moments_of_cells(used: pd.DataFrame, rows: Cleaned, crossed: int) -> Moments:
    """Return the moments that `moments_query` found in the cells of complete persons."""
    n = used["rows"].to_numpy(dtype=float)
    mean = np.column_stack([used[f"mean_{i}"] for i in range(len(rows.variables))]).astype(float)
    cross = np.zeros((len(used), crossed, crossed))
    for j in range(crossed):
        for i in range(j + 1):
            cov = used[f"cov_{i}_{j}"].to_numpy(dtype=float)
            cross[:, i, j] = cross[:, j, i] = np.where(n > 1, cov, 0.0) * (n - 1)
    return Moments(
        site=site_names(used, rows),
        block=tuple(as_text(cell) for cell in used[BLOCK]) if BLOCK in rows.keys else None,
        arm=tuple(arm_name(cell) for cell in used[ARM]) if ARM in rows.keys else None,
        variables=rows.variables,
        n=n,
        weight=n,
        mean=mean,
        cross=cross,
        keys=used[list(rows.keys)],
    )


def _weighted(moments: Moments, sums: pd.DataFrame) -> Moments:
    """Turn sums of w, w d and w d d' about the plain means into weighted moments."""
    weight = sums["sum"].to_numpy(dtype=float)
    crossed = moments.cross.shape[1]
    variables = moments.mean.shape[1]
    shift = np.column_stack([sums[f"sum_{i}"] for i in range(variables)]) / weight[:, None]
    cross = np.zeros_like(moments.cross)
    for j in range(crossed):
        for i in range(j + 1):
            cross[:, i, j] = cross[:, j, i] = sums[f"sum_{i}_{j}"]
    moved = shift[:, :crossed]
    cross -= weight[:, None, None] * moved[:, :, None] * moved[:, None, :]
    return replace(moments, weight=weight, mean=moments.mean + shift, cross=cross)
