"""Estimates and their sampling covariance from the columns of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError
from bayesmed.data.cells import as_numbers
from bayesmed.data.columns import TOTAL_EFFECT, SiteColumns
from bayesmed.data.table import Table

__all__ = ["Estimates", "cov_name", "estimates_from_table", "numbers_of"]

Z_975 = 1.959963984540054
"""Standard normal quantile: a 95 % interval is estimate ± this × SE."""


@dataclass(frozen=True)
class Estimates:
    """What the effect columns of a table say: R rows, P mediators; the total effect comes last."""

    estimate: NDArray[np.float64]
    """(R, P + 1)."""
    cov: NDArray[np.float64]
    """(R, P + 1, P + 1)."""
    quantity: Mapping[str, str]
    """What messages call each quantity: its column."""
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Effect:
    name: str
    column: str
    se: str | None
    interval: tuple[str, str] | None


@dataclass
class _Reader:
    """One pass over the effect columns, collecting column names and notes on the way."""

    table: Table
    quantity: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def cov_name(first: str, second: str) -> str:
    """Name of a sampling covariance in messages and tidy tables."""
    return f"cov[{first}, {second}]"


def estimates_from_table(table: Table, columns: SiteColumns) -> Estimates:
    """Read all effects and build each row's (P + 1) × (P + 1) sampling covariance."""
    reader = _Reader(table)
    effects = [_Effect(m.name, m.effect, m.se, m.interval) for m in columns.mediators]
    effects.append(
        _Effect(
            TOTAL_EFFECT,
            columns.total_effect,
            columns.total_effect_se,
            columns.total_effect_interval,
        )
    )
    estimate = np.stack([_estimate(reader, e) for e in effects], axis=1)
    se = np.stack([_se(reader, e, estimate[:, i]) for i, e in enumerate(effects)], axis=1)
    cov = np.zeros((*se.shape, se.shape[1]))
    diagonal = np.arange(se.shape[1])
    cov[:, diagonal, diagonal] = se**2
    names = [e.name for e in effects]
    for first, second, cov_column, corr_column in _pairs(columns):
        i, j = names.index(first), names.index(second)
        pair = cov_name(first, second)
        entry = _covariance(reader, pair, cov_column, corr_column, se[:, i], se[:, j])
        cov[:, i, j] = cov[:, j, i] = entry
    return Estimates(estimate, cov, reader.quantity, tuple(reader.notes))


def numbers_of(table: Table, column: str, *, may_be_missing: bool = False) -> NDArray[np.float64]:
    """Return one column as finite numbers (NaN where missing and allowed), or name the bad cell."""
    numbers = as_numbers(table.cells(column), may_be_missing=may_be_missing)
    if isinstance(numbers, tuple):
        row, bad = numbers
        raise DataError(
            f"{table.source}, {table.row_names[row]}, column {column!r}: {bad.problem}.",
            bad.remedy,
        )
    return numbers


def _pairs(columns: SiteColumns) -> list[tuple[str, str, str | None, str | None]]:
    pairs = [(m.name, TOTAL_EFFECT, m.cov, m.corr) for m in columns.mediators]
    pairs += [(p.first, p.second, p.cov, p.corr) for p in columns.covariances]
    return pairs


def _estimate(reader: _Reader, effect: _Effect) -> NDArray[np.float64]:
    key = effect.name if effect.name == TOTAL_EFFECT else f"mediator_effect[{effect.name}]"
    reader.quantity[key] = f"column {effect.column!r}"
    return numbers_of(reader.table, effect.column)


def _se(reader: _Reader, effect: _Effect, estimate: NDArray[np.float64]) -> NDArray[np.float64]:
    if effect.se is not None:
        reader.quantity[f"se[{effect.name}]"] = f"column {effect.se!r}"
        se = numbers_of(reader.table, effect.se)
        _refuse_first(
            reader,
            se < 0,
            effect.se,
            lambda row: f"the standard error is negative ({se[row]:g})",
            "Standard errors are 0 (known) or positive; check that this is the right column.",
        )
    else:
        assert effect.interval is not None  # SiteColumns requires one of the two
        lower, upper = effect.interval
        reader.quantity[f"se[{effect.name}]"] = f"columns {lower!r} and {upper!r}"
        se = _se_from_interval(reader, effect, estimate, lower, upper)
    _refuse_first(
        reader,
        (se != 0) & ((se < 1e-150) | (se > 1e150)),
        effect.se or lower,
        lambda row: f"the standard error {se[row]:g} cannot be squared in double precision",
        "Express the effect in another unit.",
    )
    return se


def _se_from_interval(
    reader: _Reader, effect: _Effect, estimate: NDArray[np.float64], lower: str, upper: str
) -> NDArray[np.float64]:
    low, high = numbers_of(reader.table, lower), numbers_of(reader.table, upper)
    _refuse_first(
        reader,
        low > high,
        lower,
        lambda row: f"the lower end {low[row]:g} lies above the upper end {high[row]:g}",
        "Exchange the two interval columns, or correct the row.",
    )
    _refuse_first(
        reader,
        (estimate < low) | (estimate > high),
        effect.column,
        lambda row: (
            f"the estimate {estimate[row]:g} lies outside its interval "
            f"[{low[row]:g}, {high[row]:g}]"
        ),
        "Check that estimate and interval belong together and are on one scale.",
    )
    half = (high - low) / 2
    off = np.abs(estimate - (high + low) / 2)[half > 0] / half[half > 0]
    # Rounded intervals are a little uneven; those of ratios are uneven in most rows.
    if off.size and np.median(off) > 0.1:
        reader.notes.append(
            f"Column {effect.column!r} does not lie in the middle of {lower!r} and {upper!r}: "
            "standard errors taken from such intervals are wrong. Give ratios (odds ratios, risk "
            "ratios) and their intervals as logarithms."
        )
    se: NDArray[np.float64] = half / Z_975
    return se


def _refuse_first(
    reader: _Reader,
    bad: NDArray[np.bool_],
    column: str,
    problem: Callable[[int], str],
    remedy: str,
) -> None:
    """Raise for the first row that is ``bad``, naming it and its column."""
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"{reader.table.source}, {reader.table.row_names[row]}, column {column!r}: "
            f"{problem(row)}.",
            remedy,
        )


def _covariance(
    reader: _Reader,
    pair: str,
    cov_column: str | None,
    corr_column: str | None,
    se_first: NDArray[np.float64],
    se_second: NDArray[np.float64],
) -> NDArray[np.float64] | float:
    """Return Cov = corr × SE × SE, the covariance column, or 0 where neither is named."""
    if cov_column is not None:
        reader.quantity[pair] = f"column {cov_column!r}"
        return numbers_of(reader.table, cov_column)
    if corr_column is None:
        return 0.0
    reader.quantity[pair] = f"column {corr_column!r}"
    corr = numbers_of(reader.table, corr_column)
    _refuse_first(
        reader,
        np.abs(corr) >= 1,
        corr_column,
        lambda row: f"the correlation {corr[row]:g} is not between -1 and 1",
        "Give correlations, or name the column as covariances (`cov`).",
    )
    _refuse_first(
        reader,
        (corr != 0) & (se_first * se_second == 0),
        corr_column,
        lambda row: f"the correlation is {corr[row]:g} although a standard error is 0",
        "An estimate known without error has correlation 0; set it to 0.",
    )
    return corr * se_first * se_second
