"""The file a study keeps its results in: a DuckDB database with one record for each task.

A task's rows and the mark that it is done are one record, so no interruption can part them.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayesmed.core import provenance
from bayesmed.core.errors import StorageError
from bayesmed.studies.task import Outcome

if TYPE_CHECKING:
    import duckdb

FORMAT = "bayesmed-study"
FORMAT_VERSION = 1
SCHEMA = """
    CREATE TABLE study (format VARCHAR, format_version INTEGER, seed BIGINT, versions VARCHAR,
                        created_at VARCHAR);
    CREATE TABLE tasks (key VARCHAR PRIMARY KEY, digest VARCHAR NOT NULL, rows VARCHAR NOT NULL,
                        error VARCHAR NOT NULL, seconds DOUBLE NOT NULL);
"""
ANOTHER = "Name another file, or none."

# DuckDB lets one process open a file twice: two studies would do each other's work.
_opened: set[Path] = set()
_lock = threading.Lock()


class Store:
    """An opened study file. ``digests`` holds what each task of the study is, by key."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, digests: Mapping[str, str]) -> None:
        self._connection = connection
        self._digests = digests

    def keep(self, outcomes: Iterable[Outcome]) -> None:
        """Write what came of tasks, all of them or none; an earlier failure is replaced."""
        records = [
            [o.key, self._digests[o.key], json.dumps(o.rows), o.error, o.seconds] for o in outcomes
        ]
        # If any of this fails, the study ends, and closing the file takes back what it began.
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?)", records)
        self._connection.execute("COMMIT")

    def outcomes(self) -> dict[str, Outcome]:
        """Return all there is, by key."""
        found = self._connection.execute("SELECT key, rows, error, seconds FROM tasks").fetchall()
        return {
            key: Outcome(key, tuple(json.loads(rows)), error, seconds)
            for key, rows, error, seconds in found
        }


def stored_seed(path: Path) -> int | None:
    """Return the seed of the study in a file, None where there is none.

    Raises
    ------
    StorageError
        If the file is none of a study, or is in use.
    """
    if not path.exists():
        return None
    with _claimed(path), _explained(path), _connected(path) as connection:
        return _seed(connection, path)


@contextmanager
def opened(path: Path | None, seed: int, digests: Mapping[str, str]) -> Iterator[Store]:
    """Open the file of a study, made anew if there is none; without a path, keep it in memory.

    Raises
    ------
    StorageError
        If the file is none of a study, belongs to another one, is damaged, cannot be written, or
        is in use.
    """
    if path is None:
        with _explained(Path("memory")), _connected(":memory:") as connection:
            connection.execute(SCHEMA)
            yield Store(connection, digests)
        return
    with _claimed(path), _explained(path):
        if not path.exists():
            _create(path, seed)
        with _connected(path) as connection:
            _check(connection, path, seed, digests)
            yield Store(connection, digests)


def _connected(path: Path | str) -> duckdb.DuckDBPyConnection:
    """Connect to DuckDB, which fetches nothing, and leaves the other cores to the study."""
    import duckdb

    quiet = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    return duckdb.connect(path, config={"threads": 1, **quiet})


@contextmanager
def _claimed(path: Path) -> Iterator[None]:
    """Keep a file for one study of this process."""
    place = path.resolve()
    with _lock:
        if place in _opened:
            raise StorageError(f"{path} is in use by another study of this process.", ANOTHER)
        _opened.add(place)
    try:
        yield
    finally:
        with _lock:
            _opened.discard(place)


def _create(path: Path, seed: int) -> None:
    """Make a file that is whole from the moment it is there."""
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            part = Path(folder) / path.name
            with _connected(part) as connection:
                connection.execute(SCHEMA)
                values = [FORMAT, FORMAT_VERSION, seed, json.dumps(provenance.versions())]
                connection.execute(
                    "INSERT INTO study VALUES (?, ?, ?, ?, ?)", [*values, provenance.now()]
                )
            _put(part, path)
    except OSError as error:
        raise StorageError(
            f"The study cannot be kept in {path}: {error.strerror or error}.",
            "Name a file in a folder that exists and can be written.",
        ) from error


def _put(part: Path, path: Path) -> None:
    """Put a file in its place, unless another process has just done so."""
    try:
        os.link(part, path)  # which never replaces anything
    except FileExistsError:
        return
    except OSError:  # a disk without links
        part.replace(path)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what DuckDB raises into one message; an interruption stays one."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        text = " ".join(str(error).split())
        if "lock on file" in text:
            raise StorageError(
                f"{path} is in use by another process.", "Wait for it, or name another file."
            ) from error
        problem = f"{path} cannot be used as the file of a study: {text[:300].rstrip('.')}."
        raise StorageError(problem, ANOTHER) from error
    except RuntimeError as error:
        # What becomes of Ctrl and C in the middle of a statement.
        if "Query interrupted" in str(error):
            raise KeyboardInterrupt from error
        raise


def _seed(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Return the seed of a study whose format this version reads."""
    import duckdb

    try:
        found: Any = connection.execute("SELECT format, format_version, seed FROM study").fetchone()
    except duckdb.CatalogException as error:
        raise StorageError(f"{path} is no file of a study.", ANOTHER) from error
    if found is None or found[0] != FORMAT:
        raise StorageError(f"{path} is no file of a study.", ANOTHER)
    if found[1] != FORMAT_VERSION:
        raise StorageError(
            f"{path} has format version {found[1]}; this bayesmed reads {FORMAT_VERSION}.",
            "Install a newer bayesmed." if found[1] > FORMAT_VERSION else ANOTHER,
        )
    return int(found[2])


def _check(
    connection: duckdb.DuckDBPyConnection, path: Path, seed: int, digests: Mapping[str, str]
) -> None:
    """Refuse a file that is not this study's."""
    own = _seed(connection, path)
    if own != seed:
        raise StorageError(
            f"{path} holds a study with seed {own}, not {seed}.",
            "Give that seed, or name another file.",
        )
    tasks = connection.execute("SELECT key, digest FROM tasks").fetchall()
    for key, own_digest in tasks:
        if digests.get(key) != own_digest:
            how = "this study has none of that name" if key not in digests else "it is another one"
            raise StorageError(f"{path} holds the task {key!r}, but {how}.", ANOTHER)
