"""Where the data of a card come from: a table of site estimates, or rows of persons."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from bayesmed.cards.columns import DATA, read_columns
from bayesmed.cards.rows import ROWS, RowsData, read_rows
from bayesmed.cards.section import Section
from bayesmed.cards.trials import CELLS, CellsData, read_cells
from bayesmed.core.errors import CardError, nearest
from bayesmed.core.progress import Progress
from bayesmed.data import (
    PersonRows,
    SiteColumns,
    SiteEstimates,
    dataset_names,
    load_dataset,
    reduce_rows,
)
from bayesmed.data.site_table import PARQUET
from bayesmed.subgroups import find_sites

__all__ = ["CardData", "load", "read_data"]


@dataclass(frozen=True)
class CardData:
    """Where the data of a card come from: a site table, rows of persons, or a trial's cells.

    Parameters
    ----------
    columns
        The role of each column of a table of site estimates; None where there are ``rows``.
    file
        A CSV or Parquet file, already resolved against the card's folder.
    dataset
        Name of a shipped table; at most one of ``file`` and ``dataset`` is given.
    rows
        Rows of persons, and how to reduce them; None where there are others.
    cells
        The cells of one trial; None where there are others.
    derivation
        How the estimates of a site table were computed, for the report.
    notes
        What to keep in mind beside every result.

    Raises
    ------
    CardError
        If not exactly one of ``columns``, ``rows`` and ``cells`` is given.
    """

    columns: SiteColumns | None = None
    file: Path | None = None
    dataset: str | None = None
    rows: RowsData | None = None
    cells: CellsData | None = None
    derivation: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.columns, self.rows, self.cells).count(None) != 2:
            raise CardError(
                "A card's data are either a table of sites, or rows of persons, or cells.",
                "Give one of `columns`, `rows` and `cells`.",
            )

    @property
    def covariates(self) -> tuple[str, ...]:
        """Names of what describes the sites."""
        if self.rows is not None:
            return self.rows.columns.site_covariates
        if self.cells is not None:
            return ()
        assert self.columns is not None
        return self.columns.covariates


def read_data(top: Section, folder: Path, *, of_trial: bool = False) -> CardData:
    """Read the section ``[data]``; files are looked up in ``folder``, the card's, only."""
    section = top.section("data", (*DATA, "rows", "cells"), example="[data] and its keys below it")
    if section is None:
        raise top.missing("data", "Write a section [data] that names the columns.")
    rows = section.section("rows", ROWS, example="[data.rows] and its keys below it")
    if rows is not None:
        _refuse_beside(section, "rows", "rows of persons")
        return CardData(rows=read_rows(rows, folder, of_trial=of_trial))
    cells = section.section("cells", CELLS, example="[data.cells] and its keys below it")
    if cells is not None:
        _refuse_beside(section, "cells", "the cells of a trial")
        return CardData(cells=read_cells(cells, folder))
    if of_trial:
        raise CardError(
            f"{section.card}: the model is one of a trial without sites, and [data] names a table "
            "of sites.",
            "Write [data.rows], or [data.cells] for the eight cells of a principal_strata model.",
        )
    file, dataset = section.text("file"), section.text("dataset")
    if file is not None and dataset is not None:
        raise section.wrong("dataset", "The card also names a file: keep one of the two.")
    if dataset is not None and dataset not in dataset_names():
        raise section.wrong("dataset", nearest(dataset, dataset_names()))
    return CardData(
        columns=read_columns(section),
        # Joining an absolute path gives that path; a file is never looked up anywhere else.
        file=None if file is None else folder / file,
        dataset=dataset,
        derivation=section.text("derivation", lines=True) or "",
        notes=section.texts("notes", lines=True),
    )


def _refuse_beside(section: Section, key: str, what: str) -> None:
    """Refuse keys of a table of sites where the data are something else."""
    other = next((name for name in section.values if name != key), None)
    if other in ("rows", "cells"):
        raise CardError(
            f"{section.card}: the card names both [data.rows] and [data.cells].",
            "Keep the one the data are.",
        )
    if other is not None:
        raise CardError(
            f"{section.card}: {section.at(other)} is for tables of site estimates, but the card "
            f"also names {what}.",
            f"Take {other} or [data.{key}] away; {key} have their own keys in [data.{key}].",
        )


def load(
    data: CardData, file: str | os.PathLike[str] | None, progress: Progress | None
) -> SiteEstimates | None:
    """Read the data, from ``file`` if one is given; None where no data are named."""
    if data.rows is not None:
        files = data.rows.files if file is None else (Path(file),)
        if not files:
            return None
        persons = PersonRows.read(files, data.rows.columns)
        if (by := data.rows.subgroups) is not None:
            sites = find_sites(persons, by.how, data.rows.how, seed=by.seed, progress=progress)
            return sites.estimates
        return reduce_rows(persons, data.rows.how, progress=progress).estimates
    found = _site_table(data, file)
    if found is None or file is not None:
        # What the card says of its own table need not hold for another.
        return found
    return replace(found, derivation=data.derivation, notes=(*found.notes, *data.notes))


def _site_table(data: CardData, file: str | os.PathLike[str] | None) -> SiteEstimates | None:
    assert data.columns is not None
    chosen = data.file if file is None else Path(file)
    if chosen is not None:
        if chosen.suffix.lower() in PARQUET:
            return SiteEstimates.read_parquet(chosen, data.columns)
        return SiteEstimates.read_csv(chosen, data.columns)
    if data.dataset is None:
        return None
    frame = load_dataset(data.dataset)
    return SiteEstimates.from_frame(frame, data.columns, source=data.dataset)
