"""Every notebook runs, for real, from its first cell to its last (make test-notebooks)."""

from __future__ import annotations

import nbformat
import pytest

from tests.notebooks.running import FOLDER, executed, names, pictures, warned


def test_there_are_eight_with_pictures_in_them() -> None:
    """What is stored has outputs of every cell, from one run in order."""
    assert [name[:2] for name in names()] == [f"{i:02d}" for i in range(1, 9)]
    for name in names():
        notebook = nbformat.read(FOLDER / name, as_version=4)
        nbformat.validate(notebook)
        counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
        assert counts == list(range(1, len(counts) + 1)), name
        assert pictures(notebook) > 0, name
        assert not warned(notebook), name


@pytest.mark.parametrize("name", names())
def test_each_begins_with_a_question_and_ends_with_what_cannot_be_known(name: str) -> None:
    notebook = nbformat.read(FOLDER / name, as_version=4)
    first, last = notebook.cells[0], notebook.cells[-1]
    assert first.source.startswith("# ")
    assert "**Question.**" in first.source
    assert last.source.startswith("## What was learned, and what cannot be\n")


@pytest.mark.notebooks
@pytest.mark.parametrize("name", names())
def test_it_runs_and_draws(name: str) -> None:
    stored = nbformat.read(FOLDER / name, as_version=4)
    notebook, seconds = executed(name)
    print(f"{name}: {seconds:.0f} s")
    assert not warned(notebook)
    assert pictures(notebook) == pictures(stored)
