"""The engine that scans rows: DuckDB inside this process, or whatever an Ibis table runs on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bayesmed.core.errors import BayesmedError, DataError
from bayesmed.core.progress import Progress

if TYPE_CHECKING:
    import ibis
    import pandas as pd

__all__ = ["EngineError", "backend_of", "duckdb_backend", "fetch", "in_memory"]

_POLL = 0.2
"""Seconds between looks at how far a scan is."""


class EngineError(BayesmedError):
    """The engine could not do a scan, for reasons that lie neither in the rows nor their roles."""


def duckdb_backend() -> Any:
    """Return a new DuckDB of this process, which fetches nothing from outside it."""
    import ibis

    backend = ibis.duckdb.connect(
        autoinstall_known_extensions=False, autoload_known_extensions=False
    )
    # Progress is kept, for `fetch` to look at, but not printed.
    backend.con.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false")
    return backend


def backend_of(table: ibis.Table) -> Any:
    """Return the engine a table runs on; a table in memory gets a DuckDB of its own."""
    backends, _ = table._find_backends()  # noqa: SLF001  (no public name tells "none yet")
    return backends[0] if backends else duckdb_backend()


def in_memory(frame: pd.DataFrame) -> ibis.Table:
    """Return a table made here as one the engine can join rows with."""
    import ibis
    import pyarrow as pa

    return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))


def fetch(backend: Any, query: ibis.Table, progress: Progress) -> pd.DataFrame:
    """Run a query whose result is small and return it.

    Raises
    ------
    DataError
        If the engine finds a row it cannot read; the message says which, where it knows.
    EngineError
        If the engine fails for another reason.
    """
    try:
        with _watched(backend, progress):
            found: pd.DataFrame = backend.to_pyarrow(query).to_pandas()
            return found
    except (KeyboardInterrupt, MemoryError):
        raise
    except Exception as error:
        raise _explained(error) from error


@contextmanager
def _watched(backend: Any, progress: Progress) -> Iterator[None]:
    """Tell ``progress`` how far DuckDB is; other engines show their own."""
    connection: Any = getattr(backend, "con", None)
    if not hasattr(connection, "query_progress"):
        yield
        return
    done = threading.Event()

    def look() -> None:
        while not done.wait(_POLL):
            share = connection.query_progress()
            if share > 0:
                progress.advance(min(share / 100, 1.0))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _explained(error: Exception) -> BayesmedError:
    """Turn what an engine says into one message; its own words are kept where they help."""
    text = " ".join(str(error).split())
    kind = type(error).__name__
    if "CSV Error on Line" in text or "Invalid Input Error: CSV" in text:
        return _malformed_csv(str(error))
    if kind in {"ConversionException", "InvalidInputException"} or "Parquet" in text:
        return DataError(
            f"The rows cannot be read: {text[:300]}.", "Mend or leave out the part it names."
        )
    if kind == "OutOfMemoryException":
        return EngineError("The engine has not enough memory for the scan.")
    return EngineError(f"The engine stopped with {kind}: {text[:500]}")


def _malformed_csv(text: str) -> DataError:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    where = next((line for line in lines if "CSV Error on Line" in line), "")
    number = where.rsplit(":", 1)[-1].strip()
    what = next((x for x in lines if x.startswith(("Expected", "Invalid", "Value", "Max"))), "")
    place = f", line {number}" if number.isdigit() else ""
    return DataError(
        f"The CSV file{place}: {what.rstrip('.') or 'a row cannot be read'}.",
        "Every line has as many fields as the header, in UTF-8; texts with commas stand in "
        "double quotes.",
    )
