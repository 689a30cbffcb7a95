"""Lines of every study, with sites or without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bayesmed.checks.assumptions.line import LedgerLine, by_design, untestable
from bayesmed.core.notes import LOST

__all__ = ["of_every_study"]


def of_every_study(notes: Sequence[str]) -> Iterator[LedgerLine]:
    """Yield what every answer takes from how the study was made."""
    yield by_design("random_assignment", "It is how the study was made, or is said to be.")
    yield by_design("no_interference", "It is how the study was made: no data here speak to it.")
    lost = [note for note in notes if LOST in note]
    line = untestable(
        "no_selective_loss", "Who is missing is known from rows of persons only, and never why."
    )
    yield replace(line, status="doubtful", reason=" ".join(lost)) if lost else line
