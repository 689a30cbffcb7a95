"""CSV and Parquet files to tables of raw cells; errors name the line a user sees in an editor."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path

from bayesmed.core.errors import DataError, nearest
from bayesmed.data.table import Table, require_distinct_columns

__all__ = [
    "csv_header",
    "existing_file",
    "read_csv_table",
    "read_parquet_table",
    "table_from_csv_text",
]

_COMMA_REMEDY = "Save it as comma-separated text (CSV) in UTF-8."
_HEADER_BYTES = 2**20
_SIGNATURES = {
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"\x89HDF": "an HDF5 or NetCDF file",
    b"%PDF": "a PDF file",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}


def read_csv_table(path: str | os.PathLike[str]) -> Table:
    """Read a comma-separated UTF-8 file; every cell stays text.

    Raises
    ------
    DataError
        If the file is missing, not text, empty, ragged or separated by something else.
    """
    file = existing_file(path)
    return table_from_csv_text(_decoded(_bytes(file), file.name), file.name)


def read_parquet_table(path: str | os.PathLike[str]) -> Table:
    """Read a Parquet file; rows are counted from 1.

    Raises
    ------
    DataError
        If the file is missing, is no Parquet file, or holds no rows.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = existing_file(path)
    content = _bytes(file)
    try:
        table = pq.ParquetFile(pa.BufferReader(content)).read()
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{file.name} is not a readable Parquet file.",
            "Write it again, or give a CSV file if that is what it is.",
        ) from error
    names = [str(name) for name in table.column_names]
    require_distinct_columns(names, file.name)
    if table.num_rows == 0:
        raise _no_rows(file.name)
    columns = {name: table.column(i).to_pylist() for i, name in enumerate(names)}
    return Table(file.name, columns, [f"row {i + 1}" for i in range(table.num_rows)])


def table_from_csv_text(text: str, source: str) -> Table:
    """Parse comma-separated text with one header line; see `read_csv_table`."""
    rows = _rows(text, source)
    names = _header(rows, source)
    lines, cells = [], []
    for line, row in rows:
        lines.append(line)
        cells.append(row)
    while cells and not any(cell.strip() for cell in cells[-1]):
        # Spreadsheets leave rows of nothing but commas at the end.
        cells.pop()
        lines.pop()
    if not cells:
        raise _no_rows(source)
    _check_lengths(names, lines, cells, source)
    # Columns without a name (row numbers, trailing commas) cannot be asked for.
    by_name = {name: [row[i] for row in cells] for i, name in enumerate(names) if name}
    return Table(source, by_name, [f"line {line}" for line in lines])


def csv_header(file: Path) -> list[str]:
    """Return the column names of a comma-separated file of any size; a name may be empty.

    Raises
    ------
    DataError
        If the beginning of the file is not comma-separated text in UTF-8.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(_HEADER_BYTES)
    except OSError as error:
        raise _unreadable(file, error) from error
    # A cut may stand inside a character: only whole lines are looked at.
    whole = content if len(content) < _HEADER_BYTES else content[: content.rfind(b"\n") + 1]
    if content and not whole:
        raise DataError(f"{file.name}: the header line is too long.", _COMMA_REMEDY)
    return _header(_rows(_decoded(whole, file.name), file.name), file.name)


def existing_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a regular file, or say what stands there instead."""
    file = Path(path)
    try:
        if file.is_dir():
            raise DataError(f"{file} is a folder, not a file.", "Name the data file in it.")
        if file.is_file():
            return file
        if file.exists():
            raise DataError(f"{file} is not a regular file.", "Save the data in a file first.")
        siblings = [f.name for f in file.parent.iterdir()] if file.parent.is_dir() else []
    except (OSError, ValueError) as error:
        raise DataError(
            f"{str(file)!r} cannot be opened: {error}.", "Check the path and its permissions."
        ) from error
    offer = nearest(file.name, siblings)
    raise DataError(
        f"There is no file {file}.",
        offer if offer.startswith("Did you mean") else "Check the path and the current folder.",
    )


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: OSError) -> DataError:
    return DataError(f"{file} cannot be read: {error.strerror}.", "Check the file's permissions.")


def _header(rows: Iterator[tuple[int, list[str]]], source: str) -> list[str]:
    """Take the header off the rows and check it."""
    _, header = next(rows, (0, []))
    if not header:
        raise DataError(f"{source} is empty.", "Give a file with a header line and rows below it.")
    _check_separator(header, source)
    names = [name.strip() for name in header]
    require_distinct_columns([name for name in names if name], source)
    return names


def _decoded(content: bytes, source: str) -> str:
    for signature, kind in _SIGNATURES.items():
        if content.startswith(signature):
            raise DataError(f"{source} is {kind}, not comma-separated text.", _COMMA_REMEDY)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{source}, line {line}: the file is not text in UTF-8.", _COMMA_REMEDY
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{source}, line {line}: the file is binary, not text.", _COMMA_REMEDY)
    return text


def _rows(text: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line on which each row begins, and its cells; blank lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    while True:
        begins = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(
                f"{source}, line {begins}: the row cannot be read ({error}).",
                'Close every quotation mark, and write one inside a cell as "".',
            ) from error
        if row and row != [""]:
            yield begins, row


def _check_separator(header: list[str], source: str) -> None:
    joined = ",".join(header)
    for mark, called in ((";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")):
        # Semicolon files from spreadsheets write decimal commas, so commas may occur as well.
        if joined.count(mark) >= max(1, len(header)) and (len(header) == 1 or mark == ";"):
            raise DataError(
                f"{source}: columns are separated by {called}, not by commas.",
                "Save it with commas between columns and points as decimal marks; a spreadsheet "
                "set to a language with decimal commas writes semicolons and commas.",
            )


def _check_lengths(names: list[str], lines: list[int], cells: list[list[str]], source: str) -> None:
    ragged = [i for i, row in enumerate(cells) if len(row) != len(names)]
    if not ragged:
        return
    first = ragged[0]
    remedy = "Fill the row up, remove what is too much, and put texts with commas in quotes."
    if len(ragged) == len(cells) and {len(row) for row in cells} == {len(names) + 1}:
        remedy = (
            "Every row has one cell more than the header: name the first column too (in R, "
            "write.csv(…, row.names = FALSE)), or write decimal points instead of commas."
        )
    raise DataError(
        f"{source}, line {lines[first]}: the row has {len(cells[first])} cells, "
        f"the header {len(names)}.",
        remedy,
    )


def _no_rows(source: str) -> DataError:
    return DataError(f"{source} has a header but no rows.", "Add at least two rows of estimates.")
