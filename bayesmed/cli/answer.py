"""The answer on the terminal: what must come first, one sentence, a small table, the report."""

from __future__ import annotations

import os
import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bayesmed.cli.display import clean
from bayesmed.core.numbers import number
from bayesmed.report import Answer, Results


def show(results: Results) -> None:
    """Print a result on standard output.

    Colours only on a terminal, and not where NO_COLOR is set; lines fold at its width.
    """
    # A pipe or a file takes whole lines: nothing in it is folded for a screen.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 1000)
    console.print()
    for warning in results.answer.first:
        console.print(Text(clean(warning), style="bold red"), end="\n\n")
    console.print(Text(clean(results.answer.sentence), style="bold"), end="\n\n")
    if results.answer.region:
        console.print(Text(clean(results.answer.region)), end="\n\n")
    console.print(_table(results.answer))
    for note in results.answer.notes:
        console.print(Text(clean(f"Note: {note}"), style="yellow"))
    console.print()
    console.print(Text(clean(f"Report: {_near(results)}")), soft_wrap=True)


def _table(answer: Answer) -> Table:
    table = Table(box=None, pad_edge=False, expand=False)
    table.add_column("", overflow="fold")
    table.add_column("mean", justify="right", no_wrap=True)
    table.add_column("95 % interval", justify="right", no_wrap=True)
    for row in answer.rows:
        middle = number(row.middle) + (" (median)" if row.is_median else "")
        interval = f"{number(row.low)} to {number(row.high)}"
        table.add_row(Text(clean(row.label)), middle, interval)
    return table


def _near(results: Results) -> str:
    """Path of the report, relative where it lies below the current folder."""
    path = results.directory / "report.html"
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
