"""Sensitivity studies as a folder of files, beside the files they keep their refits in."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from bayesmed.cards import Framing
from bayesmed.core.errors import StorageError
from bayesmed.report.assumptions import assumption_content
from bayesmed.report.content import Content
from bayesmed.report.folder import checked_folder, replace_file
from bayesmed.report.sensitivity import sensitivity_content
from bayesmed.report.shown import shown_names, write_shown
from bayesmed.studies.sensitivity import AssumptionSensitivity, PriorSensitivity

if TYPE_CHECKING:
    import pandas as pd

STUDY = "study.duckdb"
REPORTS = ("sensitivity.html", "sensitivity.md")
TABLES = ("estimates.csv", "changes.csv", "priors.csv", "power_scaling.csv", "failures.csv")
ASSUMPTION_STUDY = "assumptions.duckdb"
ASSUMPTION_REPORTS = ("assumptions.html", "assumptions.md")
ASSUMPTION_TABLES = ("assumptions.csv", "tipping.csv", "assumption_failures.csv")


def checked_sensitivity_folder(directory: str | os.PathLike[str]) -> Path:
    """Return the folder of a study, or say why it cannot be one.

    It may be absent, empty, or hold studies that were begun, or ended, and nothing else.

    Raises
    ------
    StorageError
        If something could be lost in it, or nothing can be written there.
    """
    folder, files = Path(directory), (STUDY, ASSUMPTION_STUDY)
    # What DuckDB, and a study killed in its first moment, leave beside the file.
    begun = [path.name for file in files for path in folder.glob(f"*{file}.*")]
    marker = ASSUMPTION_STUDY if (folder / ASSUMPTION_STUDY).exists() else STUDY
    written = shown_names("*", "*", (*REPORTS, *ASSUMPTION_REPORTS))
    own = (*files, *begun, *TABLES, *ASSUMPTION_TABLES, *written)
    return checked_folder(directory, marker=marker, own=own)


def write_sensitivity(
    found: PriorSensitivity, directory: Path, *, framing: Framing | None = None
) -> Content:
    """Write ``estimates.csv``, ``changes.csv``, ``priors.csv``, ``power_scaling.csv``, reports.

    Also ``failures.csv``, and what reports show as ``figures/*.png`` and ``tables/*.tex``. Each
    file is written whole or not at all. Returned is what the reports say.

    Raises
    ------
    StorageError
        If the folder cannot be written.
    """
    frames = (
        found.table(),
        found.changes(),
        found.priors(),
        found.power_scaling(),
        found.failures(),
    )
    for name, frame in zip(TABLES, frames, strict=True):
        _write(directory / name, frame)
    return _shown(sensitivity_content(found, framing), directory, REPORTS)


def write_assumptions(
    found: AssumptionSensitivity, directory: Path, *, framing: Framing | None = None
) -> Content:
    """Write ``assumptions.csv``, ``tipping.csv``, ``assumption_failures.csv`` and the reports.

    What reports show is in ``figures/*.png`` and ``tables/*.tex``, too; what they say is returned.

    Raises
    ------
    StorageError
        If the folder cannot be written.
    """
    frames = found.table(), found.tipping(), found.failures()
    for name, frame in zip(ASSUMPTION_TABLES, frames, strict=True):
        _write(directory / name, frame)
    return _shown(assumption_content(found, framing), directory, ASSUMPTION_REPORTS)


def _shown(content: Content, directory: Path, reports: Iterable[str]) -> Content:
    try:
        write_shown(content, directory, reports)
    except OSError as error:
        raise _unwritten(directory, error) from error
    return content


def _write(path: Path, frame: pd.DataFrame) -> None:
    try:
        replace_file(path, lambda part: frame.to_csv(part, index=False, lineterminator="\n"))
    except OSError as error:
        raise _unwritten(path, error) from error


def _unwritten(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{path} could not be written: {error.strerror or error}.",
        "Make room on the disk, or name another folder.",
    )
