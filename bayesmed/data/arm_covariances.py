"""Sampling covariances between arms of one block: from columns of a table, and back to columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError, nearest
from bayesmed.data.cells import as_text
from bayesmed.data.columns import TOTAL_EFFECT, ArmCovariance, SiteColumns
from bayesmed.data.covariance import cov_name, numbers_of
from bayesmed.data.table import Table

if TYPE_CHECKING:
    from bayesmed.data.site_estimates import SiteEstimates

__all__ = ["CrossCov", "cross_cov_columns", "cross_cov_from_table"]

_Array = NDArray[np.float64]

_CORR_AT_MOST = 1 + 1e-9
_AGREE_WITHIN = 1e-6
"""Of the product of standard errors: two cells for one covariance differ by rounding only."""


@dataclass(frozen=True)
class CrossCov:
    """What the columns between arms say; see ``cross_cov`` of `SiteEstimates`."""

    cross_cov: Mapping[tuple[int, int], _Array] = field(default_factory=dict)
    quantity: Mapping[str, str] = field(default_factory=dict)
    """What messages call each matrix: its columns."""


@dataclass(frozen=True)
class _Given:
    """The covariance of the estimates of the row it stands in (down) with another's (across)."""

    matrix: _Array
    by: ArmCovariance


@dataclass(frozen=True)
class _Source:
    """The rows kept of a table, and what places a covariance between two of them."""

    table: Table
    whole: Table
    """Every row, those left out by ``where`` too."""
    arm_column: str
    block_column: str
    se: _Array

    @cached_property
    def arm(self) -> tuple[str, ...]:
        return self.table.texts(self.arm_column)

    @cached_property
    def block(self) -> tuple[str, ...]:
        return self.table.texts(self.block_column)

    @cached_property
    def rows_of(self) -> dict[tuple[str, str], list[int]]:
        """Rows kept, by block and arm."""
        rows: dict[tuple[str, str], list[int]] = {}
        for row, key in enumerate(zip(self.block, self.arm, strict=True)):
            rows.setdefault(key, []).append(row)
        return rows

    @cached_property
    def known(self) -> set[tuple[str, str]]:
        """Block and arm of every row of the table; empty names were left out by ``where``."""
        blocks, arms = self.whole.cells(self.block_column), self.whole.cells(self.arm_column)
        return {(as_text(b), as_text(a)) for b, a in zip(blocks, arms, strict=True)}

    def at(self, row: int, column: str) -> str:
        return f"{self.table.source}, {self.table.row_names[row]}, column {column!r}"


def cross_cov_from_table(table: Table, columns: SiteColumns, cov: _Array, whole: Table) -> CrossCov:
    """Read ``columns.arm_covariances``.

    Parameters
    ----------
    table
        The rows that are kept.
    columns
        Which column plays which role.
    cov
        (R, P + 1, P + 1) covariance of each row's estimates.
    whole
        The table before ``where``: a covariance with a row that it leaves out is passed over.

    Raises
    ------
    DataError
        If a covariance is given in part, with no row or several, twice in different sizes, or is
        larger than the standard errors allow.
    """
    if not columns.arm_covariances:
        return CrossCov()
    assert columns.arm is not None  # SiteColumns requires both
    assert columns.block is not None
    se = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    source = _Source(table, whole, columns.arm, columns.block, se)
    given = {pair: one for by in columns.arm_covariances for pair, one in _given(source, by)}
    cross: dict[tuple[int, int], _Array] = {}
    quantity = {}
    for i, j in sorted({(min(pair), max(pair)) for pair in given}):
        later, earlier = given.get((j, i)), given.get((i, j))
        if later is not None and earlier is not None:
            _check_agreement(source, i, j, earlier, later)
        cross[i, j] = later.matrix.T if later is not None else given[i, j].matrix
        named = [c for one in (earlier, later) if one for row in one.by.columns for c in row]
        quantity[f"cross_cov[{i}, {j}]"] = f"columns {', '.join(map(repr, named))}"
    return CrossCov(cross, quantity)


def _given(source: _Source, by: ArmCovariance) -> Iterator[tuple[tuple[int, int], _Given]]:
    """Yield row, other row and their covariance for every row in which it is given."""
    table = source.table
    arms = dict.fromkeys(as_text(arm) for arm in source.whole.cells(source.arm_column))
    if by.arm not in arms:
        raise DataError(
            f"{table.source}: covariances with arm {by.arm!r} are named, but no row has it in "
            f"column {source.arm_column!r}.",
            nearest(by.arm, filter(None, arms)),
        )
    cells = np.stack(
        [
            np.stack([numbers_of(table, column, may_be_missing=True) for column in row], axis=1)
            for row in by.columns
        ],
        axis=1,
    )
    filled = ~np.isnan(cells)
    for row in np.flatnonzero(filled.any(axis=(1, 2))).tolist():
        _check_filled(source, by, row, filled[row])
        other = _other_row(source, by, row, filled[row])
        if other is not None:
            _check_size(source, by, row, other, cells[row])
            yield (row, other), _Given(cells[row], by)


def _check_filled(source: _Source, by: ArmCovariance, row: int, filled: NDArray[np.bool_]) -> None:
    """Refuse cells in the arm's own row, and a pair given in part."""
    if source.arm[row] == by.arm:
        raise DataError(
            f"{source.at(row, _first(by, filled))}: the row is of arm {by.arm!r} itself.",
            "Leave the covariances with an arm empty in its own rows: those are given by its "
            "standard errors and the covariances within a row.",
        )
    if not filled.all():
        raise DataError(
            f"{source.at(row, _first(by, ~filled))}: the value is missing, while other "
            f"covariances with arm {by.arm!r} are given.",
            f"Fill it in (0 if it is 0), or leave all {filled.size} cells empty.",
        )


def _other_row(
    source: _Source, by: ArmCovariance, row: int, filled: NDArray[np.bool_]
) -> int | None:
    """Return the row of the arm in this row's block, or None where ``where`` leaves it out."""
    key = source.block[row], by.arm
    rows = source.rows_of.get(key, [])
    if len(rows) == 1:
        return rows[0]
    place = source.at(row, _first(by, filled))
    if rows:
        named = " and ".join(source.table.row_names[r] for r in rows[:2])
        raise DataError(
            f"{place}: block {key[0]!r} has several rows of arm {by.arm!r} ({named}).",
            "Give each row of a block an arm of its own; where a file stacks several mediators "
            "or outcomes, keep one with `where`.",
        )
    if key in source.known:
        return None
    raise DataError(
        f"{place}: a covariance with arm {by.arm!r}, of which block {key[0]!r} has no row.",
        "Leave the cells empty, or give the arm's row the same block.",
    )


def _check_size(source: _Source, by: ArmCovariance, row: int, other: int, matrix: _Array) -> None:
    """Refuse a covariance larger than the product of its standard errors."""
    product = source.se[row][:, None] * source.se[other][None, :]
    bad = np.abs(matrix) > _CORR_AT_MOST * product
    if not bad.any():
        return
    place = source.at(row, _first(by, bad))
    value, largest = float(matrix[bad][0]), float(product[bad][0])
    if largest == 0:
        raise DataError(
            f"{place}: the covariance is {value:g} although a standard error is 0.",
            "An estimate known without error has covariance 0; set it to 0 or give the standard "
            "error.",
        )
    raise DataError(
        f"{place}: the covariance {value:g} with arm {by.arm!r} "
        f"({source.table.row_names[other]}) implies a correlation of {value / largest:.4g}, which "
        "is not between -1 and 1.",
        "Give covariances, not correlations; check that the standard errors are not variances.",
    )


def _check_agreement(source: _Source, i: int, j: int, earlier: _Given, later: _Given) -> None:
    """Refuse a pair of rows whose covariance is given in both rows, and not alike."""
    allowed = _AGREE_WITHIN * source.se[i][:, None] * source.se[j][None, :]
    bad = np.abs(earlier.matrix - later.matrix.T) > allowed
    if bad.any():
        a, b = (int(x) for x in np.argwhere(bad)[0])
        raise DataError(
            f"{source.at(j, later.by.columns[b][a])}: the covariance is "
            f"{later.matrix[b, a]:g}, but {earlier.matrix[a, b]:g} in "
            f"{source.table.row_names[i]}, column {earlier.by.columns[a][b]!r}.",
            "Both cells hold the same covariance: correct one of them, or leave all cells of the "
            "pair empty in one of the rows.",
        )


def _first(by: ArmCovariance, where: NDArray[np.bool_]) -> str:
    """Return the column of the first cell that is set in ``where``."""
    i, j = (int(x) for x in np.argwhere(where)[0])
    return by.columns[i][j]


def cross_cov_columns(data: SiteEstimates) -> dict[str, _Array]:
    """Return ``cross_cov`` as columns ``cov[a, b @ arm]``; see `SiteEstimates.to_frame`."""
    effects = (*data.mediators, TOTAL_EFFECT)
    called = _names_in_block(data)
    arms = dict.fromkeys(called[i] for i, _ in sorted(data.cross_cov))
    values = {arm: np.full(data.cov.shape, np.nan) for arm in arms}
    for (i, j), matrix in data.cross_cov.items():
        values[called[i]][j] = matrix.T
    return {
        cov_name(first, f"{second} @ {arm}"): values[arm][:, a, b]
        for arm in arms
        for a, first in enumerate(effects)
        for b, second in enumerate(effects)
    }


def _names_in_block(data: SiteEstimates) -> tuple[str, ...]:
    """Return the arms, or numbers within the block where arms do not tell its rows apart."""
    block = data.block.tolist()
    if data.arm is not None and len(set(zip(block, data.arm, strict=True))) == data.n_rows:
        return data.arm
    seen: Counter[int] = Counter()
    numbers = []
    for code in block:
        seen[code] += 1
        numbers.append(str(seen[code]))
    return tuple(numbers)
