"""Running a notebook for real, in the folder of notebooks."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import nbformat
from nbclient import NotebookClient

FOLDER: Final = Path(__file__).parents[2] / "notebooks"
LIMIT: Final = 120
"""Seconds a cell may take. A notebook takes less than 60 on 2 cores."""


def names() -> list[str]:
    """Return the names of the notebooks, in their order."""
    return sorted(path.name for path in FOLDER.glob("*.ipynb"))


def executed(name: str) -> tuple[nbformat.NotebookNode, float]:
    """Run a copy of a notebook; return it with its outputs, and the seconds it took.

    Any error stops it, and so does a warning that nobody asked for: it would stand in the page.
    """
    notebook = nbformat.read(FOLDER / name, as_version=4)
    place = {"metadata": {"path": str(FOLDER)}}
    start = time.perf_counter()
    NotebookClient(notebook, timeout=LIMIT, resources=place, record_timing=False).execute()
    return notebook, time.perf_counter() - start


def warned(notebook: nbformat.NotebookNode) -> list[str]:
    """Return what its cells wrote to standard error."""
    return [
        output["text"]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.get("name") == "stderr"
    ]


def pictures(notebook: nbformat.NotebookNode) -> int:
    """Return how many pictures stand in it."""
    return sum(
        "image/png" in output.get("data", {})
        for cell in notebook.cells
        for output in cell.get("outputs", ())
    )
