"""Data frames in memory as lazy tables of the engine; nothing is copied that need not be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayesmed.core.errors import DataError
from bayesmed.data.rows.engine import duckdb_backend
from bayesmed.data.table import require_distinct_columns

if TYPE_CHECKING:
    import ibis

__all__ = ["table_from"]


def table_from(frame: Any, source: str) -> ibis.Table:
    """Return a pandas or polars data frame, or an Arrow table, as a table of a DuckDB.

    Raises
    ------
    DataError
        If it is none of these, names columns alike, or has a column of mixed types.
    """
    import ibis
    import pyarrow as pa

    if hasattr(frame, "collect_schema") and hasattr(frame, "collect"):
        raise DataError(
            f"{source} is a lazy polars frame.",
            "Call its collect(), or write it to Parquet and use PersonRows.read.",
        )
    try:
        if isinstance(frame, pa.Table):
            arrow = frame
        elif hasattr(frame, "iloc"):
            require_distinct_columns([str(name) for name in frame.columns], source)
            named = frame.set_axis([str(name) for name in frame.columns], axis=1)
            arrow = pa.Table.from_pandas(named, preserve_index=False)
        elif hasattr(frame, "to_arrow"):
            arrow = frame.to_arrow()
        else:
            raise DataError(
                f"A data frame or Arrow table is needed, not a {type(frame).__name__}.",
                "Give pandas, polars or Arrow; PersonRows.read takes files.",
            )
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise DataError(
            f"{source} cannot be taken: {' '.join(str(error).split())[:300]}.",
            "Give every column values of one type.",
        ) from error
    require_distinct_columns([name.casefold() for name in arrow.column_names], source)
    return duckdb_backend().create_view("persons", ibis.memtable(arrow))
