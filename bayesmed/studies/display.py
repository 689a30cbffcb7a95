"""Studies as they show themselves: the head of their table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayesmed.core.display import Shown
from bayesmed.core.numbers import number

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["shown_study"]


def shown_study(title: str, table: pd.DataFrame, columns: tuple[str, ...]) -> Shown:
    """Return some columns of a study's table; those that are not there are left out."""
    kept = [name for name in columns if name in table.columns]
    rows = tuple(tuple(map(_cell, row)) for row in table[kept].itertuples(index=False))
    return Shown(title, (), tuple(kept), rows)


def _cell(value: Any) -> str:
    return number(value) if isinstance(value, float) and value == value else str(value)
