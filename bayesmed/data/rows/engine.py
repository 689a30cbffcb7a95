"""The engine that scans rows: DuckDB inside this process, or whatever an Ibis table runs on."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bayesmed.core.errors import BayesmedError, DataError
from bayesmed.core.progress import Progress

if TYPE_CHECKING:
    import ibis
    import pandas as pd

__all__ = ["EngineError", "backend_of", "duckdb_backend", "fetch", "in_memory"]

_POLL = 0.2
"""Seconds between looks at how far a scan is."""

# What DuckDB says of a CSV file, in our words, with the remedy.
_CSV_PROBLEMS = {
    r"^Expected Number of Columns: (\d+) Found: (\d+)": (
        r"the row has \2 cells, the header \1",
        "Fill the row up, remove what is too much, and put texts with commas in quotes.",
    ),
    "^Value with unterminated quote": (
        "a quotation mark is not closed",
        'Close every quotation mark, and write one inside a cell as "".',
    ),
    "^Invalid unicode": (
        "the file is not text in UTF-8",
        "Save it as comma-separated text (CSV) in UTF-8.",
    ),
    "^Maximum line size": (
        "the line is too long",
        "Close every quotation mark, and leave columns of long texts out.",
    ),
    "state machine": (
        "lines end in different ways, or the text after a quotation mark is not separated",
        "Save the file anew, so that all of its lines end alike.",
    ),
}


class EngineError(BayesmedError):
    """The engine could not do a scan, for reasons that lie neither in the rows nor their roles.

    Examples
    --------
    >>> issubclass(EngineError, BayesmedError)
    True
    """


def duckdb_backend() -> Any:
    """Return a new DuckDB of this process, which fetches nothing from outside it."""
    import duckdb
    import ibis

    backend = ibis.duckdb.connect(
        autoinstall_known_extensions=False, autoload_known_extensions=False
    )
    # Progress is kept, for `fetch` to look at, but not printed. In a notebook DuckDB refuses even
    # that where ipywidgets is missing; scans then go on without.
    with suppress(duckdb.InvalidInputException):
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


def fetch(backend: Any, query: ibis.Table, progress: Progress, source: str) -> pd.DataFrame:
    """Run a query whose result is small and return it; ``source`` is what messages name.

    Raises
    ------
    DataError
        If the engine finds a row it cannot read; the message says which, where it knows.
    EngineError
        If the engine fails for another reason.
    """
    try:
        # Whole numbers beside missing ones stay whole: names of sites have many digits.
        found: pd.DataFrame = _asked(backend, query, progress).to_pandas(integer_object_nulls=True)
    except (KeyboardInterrupt, MemoryError):
        raise
    except Exception as error:
        raise _explained(error, source) from error
    return found


def _asked(backend: Any, query: ibis.Table, progress: Progress) -> Any:
    """Run a query; tell ``progress`` how far DuckDB is (other engines show their own)."""
    connection: Any = getattr(backend, "con", None)
    if not hasattr(connection, "query_progress"):
        return backend.to_pyarrow(query)
    # DuckDB works in a thread of its own, so that this one hears Ctrl and C.
    with ThreadPoolExecutor(1) as worker:
        running = worker.submit(backend.to_pyarrow, query)
        try:
            while not wait([running], _POLL).done:
                share = connection.query_progress()
                if share > 0:
                    progress.advance(min(share / 100, 1.0))
        except BaseException:
            while not running.done():
                connection.interrupt()
                wait([running], _POLL)
            raise
        return running.result()


def _explained(error: Exception, source: str) -> BayesmedError:
    """Turn what an engine says into one message; its own words are kept where they help."""
    text = " ".join(str(error).split())
    kind = type(error).__name__
    if text.startswith("Invalid Input Error") and "CSV" in text:
        return _malformed_csv(str(error), source)
    if kind in {"ConversionException", "InvalidInputException"} or "Parquet" in text:
        return DataError(
            f"{source}: the rows cannot be read ({text[:300].rstrip('.')}).",
            "Mend or leave out the part it names.",
        )
    if kind == "OutOfMemoryException":
        return EngineError(f"{source}: the engine has not enough memory for the scan.")
    return EngineError(
        f"{source}: the engine stopped with {kind} ({text[:500].rstrip('.')}). Check that the "
        "file is whole, or what the engine itself reports."
    )


def _malformed_csv(text: str, source: str) -> DataError:
    file = re.search(r"^\s*file = .*?([^/\\\n]+)$", text, re.MULTILINE)
    line = re.search(r"CSV Error on Line: (\d+)", text)
    place = (file[1] if file else source) + (f", line {line[1]}" if line else "")
    for pattern, (problem, remedy) in _CSV_PROBLEMS.items():
        if found := re.search(pattern, text, re.MULTILINE):
            return DataError(f"{place}: {found.expand(problem)}.", remedy)
    return DataError(
        f"{place}: the row cannot be read.",
        "Every line has as many fields as the header, in UTF-8; texts with commas stand in "
        "double quotes.",
    )
