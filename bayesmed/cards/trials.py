"""The data of one trial that a card names: rows of persons, or a table of cells."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from bayesmed.cards.columns import as_text
from bayesmed.cards.rows import RowsData
from bayesmed.cards.section import Section
from bayesmed.core.progress import Progress
from bayesmed.data import OneTrial, PersonRows, TrialCells, TrialMoments, TrialPersons
from bayesmed.data.cell_table import CellColumns, cells_from_table
from bayesmed.data.reading import read_csv_table, read_parquet_table
from bayesmed.data.site_table import PARQUET
from bayesmed.generative import AnyTrialModel, PrincipalStrata

__all__ = ["CELLS", "CellsData", "load_trial", "read_cells"]

CELLS = ("file", *(f.name for f in fields(CellColumns)))


@dataclass(frozen=True)
class CellsData:
    """A table of cells that a card names: the roles of its columns, and the file."""

    columns: CellColumns
    file: Path | None = None


def read_cells(section: Section, folder: Path) -> CellsData:
    """Read ``[data.cells]``; the file is looked up in ``folder`` only."""
    given = {key: section.text(key) for key in CELLS if key not in ("file", "reference")}
    named = {key: value for key, value in given.items() if value is not None}
    if "reference" in section.values:
        named["reference"] = as_text(section, "reference")
    file = section.text("file")
    with section.located():
        columns = CellColumns(**named)
    # Joining an absolute path gives that path; a file is never looked up anywhere else.
    return CellsData(columns, None if file is None else folder / file)


def load_trial(
    model: AnyTrialModel,
    rows: RowsData | None,
    cells: CellsData | None,
    file: Path | None,
    progress: Progress | None,
) -> OneTrial | None:
    """Read the data of one trial as its model takes them; None where none are named."""
    if cells is not None:
        chosen = file or cells.file
        if chosen is None:
            return None
        parquet = chosen.suffix.lower() in PARQUET
        table = read_parquet_table(chosen) if parquet else read_csv_table(chosen)
        return cells_from_table(table, cells.columns)
    assert rows is not None
    files = rows.files if file is None else (file,)
    if not files:
        return None
    persons = PersonRows.read(files, rows.columns)
    if isinstance(model, PrincipalStrata):
        keep = model.outcome_likelihood == "mixture"
        return TrialCells.from_rows(
            persons, keep_outcomes=keep, strict=rows.how.strict, progress=progress
        )
    if model.data_kinds[0] is TrialMoments:
        return TrialMoments.from_rows(persons, progress=progress)
    return TrialPersons.from_rows(persons, progress=progress)
