"""Data frames in memory as lazy tables of the engine; nothing is copied that need not be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bayesmed.core.errors import DataError
from bayesmed.data.rows.conditions import require_column
from bayesmed.data.rows.engine import duckdb_backend
from bayesmed.data.rows.reading import require_distinct_letters

if TYPE_CHECKING:
    import ibis

__all__ = ["table_from"]


def table_from(frame: Any, named: Sequence[str], source: str) -> ibis.Table:
    """Return the named columns of a data frame, or an Arrow table, as a table of a DuckDB.

    Raises
    ------
    DataError
        If it is no data frame, names columns alike, lacks a column, or one is of mixed types.
    """
    import ibis
    import pyarrow as pa

    if hasattr(frame, "collect_schema") and hasattr(frame, "collect"):
        raise DataError(
            f"{source} is a lazy polars frame.",
            "Call its collect(), or write it to Parquet and use PersonRows.read.",
        )
    is_arrow = isinstance(frame, pa.Table | pa.RecordBatch)
    if not is_arrow and not (hasattr(frame, "columns") and hasattr(frame, "shape")):
        raise DataError(
            f"A data frame or Arrow table is needed, not a {type(frame).__name__}.",
            "Give pandas, polars or Arrow; PersonRows.read takes files.",
        )
    names = [str(name) for name in (frame.schema.names if is_arrow else frame.columns)]
    require_distinct_letters(names, source)
    columns = {}
    # Other columns are not looked at: whatever they hold, they do no harm.
    for name in named:
        require_column(name, names, source)
        columns[name] = _column(frame, names.index(name), f"{source}, column {name!r}")
    return duckdb_backend().create_view("persons", ibis.memtable(pa.table(columns)))


def _column(frame: Any, i: int, place: str) -> Any:
    """Return a column as an Arrow array of a type that engines know."""
    import ibis
    import pyarrow as pa

    is_pandas = hasattr(frame, "iloc")
    column = frame.iloc[:, i] if is_pandas else frame.columns[i]
    try:
        if is_pandas:
            column = pa.Table.from_pandas(column.to_frame("x"), preserve_index=False)["x"]
        elif hasattr(frame, "get_column"):
            column = frame.get_column(column).to_arrow()
        kind = column.type
        if pa.types.is_null(kind):
            return column.cast(pa.string())
        if pa.types.is_float16(kind):
            return column.cast(pa.float32())
        ibis.dtype(kind)
    except (pa.ArrowException, TypeError, ValueError, KeyError) as error:
        cells = (
            frame.iloc[:, i].dropna() if is_pandas and str(frame.dtypes.iloc[i]) == "object" else ()
        )
        types = sorted({type(cell).__name__ for cell in cells})
        problem = f"mixes values of the types {', '.join(types)}"
        if len(types) < 2:
            called = frame.dtypes.iloc[i] if is_pandas else getattr(column, "type", "unknown")
            problem = f"holds values of type {called}, which are neither numbers nor names"
        raise DataError(
            f"{place} {problem}.", "Convert all of its values to numbers, or to text."
        ) from error
    return column
