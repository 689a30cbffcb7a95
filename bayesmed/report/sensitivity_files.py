"""A prior sensitivity study as a folder of files, beside the file it keeps its refits in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bayesmed.cards import Framing
from bayesmed.core.errors import StorageError
from bayesmed.report.folder import checked_folder, replace_file
from bayesmed.report.report import write_content
from bayesmed.report.sensitivity import sensitivity_content
from bayesmed.report.trials.heterogeneity import heterogeneity_content
from bayesmed.studies.sensitivity import HeterogeneityStudy, PriorSensitivity

if TYPE_CHECKING:
    import pandas as pd

STUDY = "study.duckdb"
REPORTS = ("sensitivity.html", "sensitivity.md")
TABLES = ("estimates.csv", "changes.csv", "priors.csv", "power_scaling.csv", "failures.csv")
TIPPING = "tipping.csv"


def checked_sensitivity_folder(directory: str | os.PathLike[str]) -> Path:
    """Return the folder of a study, or say why it cannot be one.

    It may be absent, empty, or hold a study that was begun, or ended, and nothing else.

    Raises
    ------
    StorageError
        If something could be lost in it, or nothing can be written there.
    """
    # What DuckDB, and a study killed in its first moment, leave beside the file.
    begun = [path.name for path in Path(directory).glob(f"*{STUDY}.*")]
    return checked_folder(directory, marker=STUDY, own=(STUDY, *begun, *TABLES, TIPPING, *REPORTS))


def write_sensitivity(
    found: PriorSensitivity, directory: Path, *, framing: Framing | None = None
) -> None:
    """Write ``estimates.csv``, ``changes.csv``, ``priors.csv``, ``power_scaling.csv``, reports.

    Also ``failures.csv``. Each file is written whole or not at all.

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
    content = sensitivity_content(found, framing)
    write_content(content, [directory / name for name in REPORTS])


def write_heterogeneity(
    found: HeterogeneityStudy, directory: Path, *, framing: Framing | None = None
) -> None:
    """Write ``estimates.csv``, ``tipping.csv`` and the reports of a study over σ_het.

    Raises
    ------
    StorageError
        If the folder cannot be written.
    """
    _write(directory / TABLES[0], found.table())
    _write(directory / TIPPING, found.tipping())
    content = heterogeneity_content(found, framing)
    write_content(content, [directory / name for name in REPORTS])


def _write(path: Path, frame: pd.DataFrame) -> None:
    try:
        replace_file(path, lambda part: frame.to_csv(part, index=False, lineterminator="\n"))
    except OSError as error:
        raise StorageError(
            f"{path} could not be written: {error.strerror or error}.",
            "Make room on the disk, or name another folder.",
        ) from error
