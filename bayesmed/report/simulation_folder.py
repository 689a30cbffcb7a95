"""A simulated study as a folder of files."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bayesmed.core import provenance
from bayesmed.report.answer import Answer
from bayesmed.report.folder import checked_folder, write_folder
from bayesmed.report.shown import shown_names, write_shown
from bayesmed.report.simulation import simulation_content
from bayesmed.studies.simulation import Simulation

RUN, TABLE, REPLICATES = "run.json", "table.csv", "replicates.parquet"
FILES = (RUN, TABLE, REPLICATES, *shown_names(("performance", "estimates"), ("performance",)))
FORMAT = {"format": "bayesmed simulation", "format_version": 1}


@dataclass(frozen=True)
class SimulationResults:
    """What was written: the folder, and the answer in it."""

    directory: Path
    answer: Answer


def checked_simulation_folder(directory: str | os.PathLike[str]) -> Path:
    """Return the folder `write_simulation` would write, or say why it will not.

    Raises
    ------
    StorageError
        If writing it could lose something, or is not possible.
    """
    return checked_folder(directory, marker=TABLE, own=FILES)


def write_simulation(
    found: Simulation, directory: str | os.PathLike[str], *, title: str = ""
) -> SimulationResults:
    """Write a simulated study as a folder of files, all or nothing.

    ``table.csv`` (`Simulation.table`), ``replicates.parquet`` (every estimate of every data set),
    ``run.json`` (how it was made), ``report.html`` and ``report.md``, and what is in them as
    ``figures/*.png`` and ``tables/*.tex``. An earlier study in the folder is replaced when the new
    one is complete.

    Parameters
    ----------
    found
        The study.
    directory
        The folder; absent, empty, or an earlier study.
    title
        Title of the report.

    Raises
    ------
    StorageError
        If the folder holds anything else, or cannot be written.
    BayesmedError
        If every task of the study failed: there is nothing to write.

    Examples
    --------
    >>> import tempfile
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from bayesmed.studies.simulation import FuDesign, design_grid, simulate
    >>> designs = design_grid(FuDesign(sites=5), {"sites": (5, 10)})
    >>> with ThreadPoolExecutor(1) as own:
    ...     found = simulate(designs, replicates=4, estimators=["OLS"], seed=1, executor=own)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = write_simulation(found, folder + "/study")
    ...     sorted(path.name for path in written.directory.iterdir())
    ['figures', 'replicates.parquet', 'report.html', 'report.md', 'run.json', 'table.csv',
     'tables']
    """
    target = checked_simulation_folder(directory)
    content = simulation_content(found, title)

    def write(folder: Path) -> None:
        found.table().to_csv(folder / TABLE, index=False, lineterminator="\n")
        found.replicates.to_parquet(folder / REPLICATES, index=False)
        text = json.dumps(_run(found, title), indent=2, ensure_ascii=False)
        (folder / RUN).write_text(text + "\n", "utf-8")
        write_shown(content, folder)

    write_folder(target, write)
    return SimulationResults(target, content.answer)


def _run(found: Simulation, title: str) -> dict[str, Any]:
    designs: list[Any] = list(found.designs)
    return {
        **FORMAT,
        "created_at": provenance.now(),
        "versions": provenance.versions(),
        "title": title,
        "seed": found.seed,
        "estimators": list(found.estimators),
        "designs": [{"type": type(design).__name__, **asdict(design)} for design in designs],
        "failed": found.failed.to_dict("records"),
    }
