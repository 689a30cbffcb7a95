"""Files of persons, in one piece or many, as a lazy table of the engine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bayesmed.core.errors import DataError
from bayesmed.data.reading import csv_header, existing_file
from bayesmed.data.rows.engine import duckdb_backend
from bayesmed.data.table import require_distinct_columns

if TYPE_CHECKING:
    import ibis

__all__ = [
    "PARQUET",
    "Files",
    "csv_table",
    "parquet_table",
    "pieces",
    "require_distinct_letters",
    "source_name",
]

type Files = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

PARQUET = frozenset({".parquet", ".pq"})
_CSV = frozenset({".csv", ".txt", ""})


def pieces(paths: Files) -> list[Path]:
    """Return the files meant: one, several, or those in a folder in order of their names.

    Raises
    ------
    DataError
        If a file does not exist, or a folder holds no data files or files of both kinds.
    """
    if not isinstance(paths, str | os.PathLike | Sequence):
        raise DataError(f"{paths!r} is no path.", "Name a CSV or Parquet file, or a folder.")
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    files = [file for path in given for file in _in_folder(Path(path))]
    if not files:
        raise DataError("No file of persons is named.", "Name a CSV or Parquet file.")
    kinds = {file.suffix.lower() in PARQUET: file.name for file in files}
    if len(kinds) > 1:
        raise DataError(
            f"{kinds[True]} is a Parquet file by its name, {kinds[False]} is not.",
            "Give files of one kind.",
        )
    return [existing_file(file) for file in files]


def source_name(files: Sequence[Path]) -> str:
    """Return what messages call the files."""
    if len(files) == 1:
        return files[0].name
    return f"{files[0].parent.name or files[0].name} ({len(files)} files)"


def csv_table(files: Sequence[Path]) -> ibis.Table:
    """Return comma-separated files of one header as a lazy table of texts.

    Every cell stays text, so that the engine guesses no types; see `bayesmed.data.rows.cleaning`.
    """
    names = csv_header(files[0])
    for file in files:
        if (other := csv_header(file)) != names:
            raise DataError(
                f"{file.name} has {_difference(other, names)} {files[0].name}.",
                "Give files with the same header.",
            )
        _require_header_first(file)
    require_distinct_letters([name for name in names if name], source_name(files))
    # Columns without a name (row numbers) get one that no header can hold.
    columns = {name or f"\n{i}": "string" for i, name in enumerate(names)}
    return duckdb_backend().read_csv(
        [_literal(file) for file in files],
        columns=columns,
        auto_detect=False,
        header=True,
        delim=",",
        quote='"',
        escape='"',
        strict_mode=True,
    )


def parquet_table(files: Sequence[Path]) -> ibis.Table:
    """Return Parquet files of one schema as a lazy table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    first: dict[str, str] = {}
    for file in files:
        try:
            schema = pq.read_schema(file)
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{file.name} is not a readable Parquet file.",
                "Write it again, or give a CSV file if that is what it is.",
            ) from error
        found = {name: str(kind) for name, kind in zip(schema.names, schema.types, strict=True)}
        first = first or found
        for name in first.keys() | found.keys():
            if first.get(name) != found.get(name):
                raise DataError(
                    f"Column {name!r} is {_kind(found.get(name))} in {file.name} and "
                    f"{_kind(first.get(name))} in {files[0].name}.",
                    "Write all pieces with the same columns of the same types.",
                )
        require_distinct_letters(schema.names, file.name)
    return duckdb_backend().read_parquet([_literal(file) for file in files])


def _in_folder(path: Path) -> Iterable[Path]:
    try:
        if not path.is_dir():
            return [path]
    except OSError:
        return [path]  # `existing_file` says what is wrong with it.
    files = sorted(
        f
        for f in path.iterdir()
        if f.suffix.lower() in PARQUET | (_CSV - {""}) and not f.name.startswith((".", "_"))
    )
    if not files:
        raise DataError(
            f"The folder {path} holds no file that ends in .csv or .parquet.",
            "Name the files of persons, or their folder.",
        )
    return files


def _literal(file: Path) -> str:
    """Return a path in which the engine takes no character for a pattern."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(file.absolute()))


def require_distinct_letters(names: Sequence[str], source: str) -> None:
    """Refuse names that differ only in upper and lower case: the engine cannot tell them apart.

    Raises
    ------
    DataError
        If two names are equal, or equal but for upper and lower case.
    """
    require_distinct_columns(names, source)
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            raise DataError(
                f"{source}: the columns {other!r} and {name!r} differ only in upper and lower "
                "case.",
                "Rename one of them.",
            )


def _require_header_first(file: Path) -> None:
    with file.open("rb") as stream:
        first = stream.readline(2**20)
    if not first.strip(b"\xef\xbb\xbf \t\r\n"):
        raise DataError(f"{file.name}, line 1: the line is empty.", "Begin with the header.")


def _difference(names: Sequence[str], first: Sequence[str]) -> str:
    """Say how a header differs from that of the first file."""
    if more := [name for name in names if name not in first]:
        return f"the column {more[0]!r}, unlike"
    if less := [name for name in first if name not in names]:
        return f"no column {less[0]!r}, unlike"
    return "its columns in another order than"


def _kind(kind: str | None) -> str:
    return "missing" if kind is None else f"of type {kind}"
