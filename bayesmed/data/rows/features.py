"""Baseline columns as features: numbers as they are, and 0 or 1 for each of several names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bayesmed.core.errors import DataError
from bayesmed.core.progress import Progress
from bayesmed.data.cells import as_text
from bayesmed.data.rows.cleaning import COMPLETE, STATE, Cleaned
from bayesmed.data.rows.engine import fetch

__all__ = ["Feature", "features_of"]

_MOST_NAMES = 30


@dataclass(frozen=True)
class Feature:
    """A number known of every person before treatment.

    Parameters
    ----------
    name
        Its name in the table of persons.
    column
        The user's column.
    level
        For a column of names, the one that makes the feature 1.
    other
        The other name, where there are two.
    binary
        Whether a number is 0 or 1 only.

    Examples
    --------
    >>> Feature("x0", "age").within(30, 50), Feature("x0", "age").within(-math.inf, 30)
    ('30 ≤ age < 50', 'age < 30')
    >>> Feature("x1", "region", "North").within(0.5, math.inf)
    'region=North'
    >>> Feature("x2", "female", binary=True).within(-math.inf, 1)
    'female=0'
    """

    name: str
    column: str
    level: str | None = None
    other: str | None = None
    binary: bool = False

    def __str__(self) -> str:
        return self.column if self.level is None else f"{self.column}={self.level}"

    def within(self, low: float, high: float, *, exact: bool = False) -> str:
        """Say that the feature is ``low`` or more, and less than ``high``.

        Fractions are shown with six digits, or with all that they have.
        """
        if self.level is not None:
            if low > 0:
                return f"{self.column}={self.level}"
            return f"{self.column}={self.other}" if self.other else f"{self.column}≠{self.level}"
        if self.binary:
            return f"{self.column}={int(low > 0)}"
        below, above = (_shown(edge, exact) for edge in (low, high))
        if math.isinf(low):
            return f"{self.column} < {above}"
        return (
            f"{self.column} ≥ {below}" if math.isinf(high) else f"{below} ≤ {self.column} < {above}"
        )


def _shown(edge: float, exact: bool) -> str:
    return as_text(edge if exact or edge.is_integer() else float(f"{edge:.6g}"))


def features_of(
    clean: Cleaned,
    numbers: Sequence[str],
    names: Mapping[str, str],
    backend: Any,
    progress: Progress,
    source: str,
) -> list[tuple[Feature, Any]]:
    """Return the features, each with the expression that gives it.

    Parameters
    ----------
    clean
        Cleaned rows, of which the columns are numbers and keys.
    numbers
        Users' columns that are numbers.
    names
        Columns of names: key in the cleaned table to user's column.
    backend, progress, source
        As for `fetch`.

    Raises
    ------
    DataError
        If a column holds more names than can be told apart.
    """
    table = clean.table
    found: list[tuple[str, str | None, str | None, Any]] = [
        (name, None, None, table[f"v{clean.variables.index(name)}"]) for name in numbers
    ]
    for key, name in names.items():
        text = table[key].cast("string")
        levels = _levels(table, text, name, backend, progress, source)
        shown = levels[1:] if len(levels) == 2 else levels
        other = levels[0] if len(levels) == 2 else None
        found.extend((name, level, other, (text == level).cast("float64")) for level in shown)
    return [
        (Feature(f"bayesmed_x{i}", column, level, other), value)
        for i, (column, level, other, value) in enumerate(found)
    ]


def _levels(
    table: Any, text: Any, name: str, backend: Any, progress: Progress, source: str
) -> list[str]:
    """Return the names that a column of complete persons holds."""
    kept = table.mutate(level=text).filter(table[STATE] == COMPLETE)
    query = kept.group_by("level").agg(n=kept.count()).limit(_MOST_NAMES + 1)
    levels = sorted(str(level) for level in fetch(backend, query, progress, source)["level"])
    if len(levels) > _MOST_NAMES:
        raise DataError(
            f"{source}, column {name!r} holds more than {_MOST_NAMES} names.",
            "Group them, or leave the column out; a column of numbers is not `categorical`.",
        )
    if len(levels) < 2:
        raise DataError(
            f"{source}, column {name!r}: everybody has the value {''.join(levels)!r}.",
            "Leave it out of `site`: it tells nobody apart.",
        )
    return levels
