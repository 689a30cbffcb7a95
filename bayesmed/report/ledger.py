"""The ledger of assumptions as a table of a report."""

from __future__ import annotations

from typing import Final

from bayesmed.checks import PAPERS, SOURCES, Ledger, LedgerLine
from bayesmed.report.content import Table
from bayesmed.report.tables import shown

__all__ = ["ABOUT", "assumptions"]

SMALL: Final = 0.001
"""Probabilities below this have no digits."""

ABOUT: Final = (
    "The model itself assumes what follows: first what is doubtful, then what no data can show. A "
    "check that was passed is no proof. What it takes to change the answer is told by the draws of "
    "this fit, and so about right; assumption_sensitivity fits again, and its numbers are those to "
    "publish."
)


def assumptions(found: Ledger) -> Table:
    """Every assumption with its status, why, and what follows if it fails; what matters first."""
    rows = tuple(
        (
            _stated(line, found),
            line.status,
            line.reason,
            _number(line),
            line.consequence,
        )
        for line in found.by_importance()
    )
    columns = ("Assumption", "Status", "Because", "Number", "If it fails")
    sources = [f"{PAPERS[p]}: {SOURCES[p]}" for p in found.papers]
    note = (
        "What is relaxed is not assumed: what was found in its place stands for a consequence. In "
        f"brackets are the numbers of the papers. {'. '.join(sources)}."
    )
    words = tuple(range(len(columns)))
    return Table("What the answer assumes", columns, rows, words, note=note, slug="assumptions")


def _number(line: LedgerLine) -> str:
    if not line.quantity:
        return shown(line.number)
    p = line.quantity.startswith(("p of", "predictive p", "probability"))
    small = p and line.number is not None and line.number < SMALL
    return f"{f'< {SMALL}' if small else shown(line.number)} ({line.quantity})"


def _stated(line: LedgerLine, found: Ledger) -> str:
    cited = line.assumption.cited(found.papers)
    statement = line.assumption.statement
    return f"{statement.removesuffix('.')} ({cited})." if cited else statement
