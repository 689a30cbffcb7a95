"""Which persons are kept: conditions that name a column and the value its cells must have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bayesmed.core.errors import DataError, nearest
from bayesmed.data.cells import CellError, as_number, as_text

if TYPE_CHECKING:
    import ibis

__all__ = ["kept", "require_column"]

_TRUTH = {"true": True, "1": True, "false": False, "0": False}


def require_column(name: str, known: Iterable[str], source: str) -> None:
    """Refuse a column that does not exist, and say which columns there are."""
    known = list(known)
    if name not in known:
        raise DataError(f"{source} has no column {name!r}.", nearest(name, known))


def kept(table: ibis.Table, where: Mapping[str, str], source: str) -> ibis.Table:
    """Keep the rows whose cells equal ``where``, as numbers or as text: 3 equals 3.0.

    Raises
    ------
    DataError
        If a column does not exist, or cannot have the value.
    """
    for name, given in where.items():
        require_column(name, table.columns, source)
        table = table.filter(_equal(table[name], as_text(given), f"{source}, column {name!r}"))
    return table


def _equal(column: Any, value: str, place: str) -> Any:
    kind = column.type()
    if kind.is_boolean():
        if value.casefold() not in _TRUTH:
            raise DataError(
                f"{place} is true or false, and `where` asks for {value!r}.", "Ask for 0 or 1."
            )
        return column == _TRUTH[value.casefold()]
    if kind.is_nested() or kind.is_binary():
        raise DataError(f"{place} is of type {kind}, which equals no text.", "Convert it first.")
    try:
        number = as_number(value)
    except CellError as bad:
        if kind.is_numeric():
            raise DataError(
                f"{place} holds numbers, and `where` asks for {value!r}.", bad.remedy
            ) from bad
        return _text(column) == value
    if kind.is_numeric():
        return column.cast("float64") == number
    if kind.is_string():
        return (column.strip() == value) | (column.try_cast("float64") == number).fill_null(False)
    return _text(column) == value


def _text(column: Any) -> Any:
    return column.strip() if column.type().is_string() else column.cast("string")
