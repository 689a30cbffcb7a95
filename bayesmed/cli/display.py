"""What the command line says while it works: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

from bayesmed.core.progress import Progress

if TYPE_CHECKING:
    import rich.progress


class Display(Progress, Protocol):
    """Progress that can also say something that stays."""

    def note(self, text: str) -> None:
        """Say something worth keeping."""


class Lines:
    """One line per phase, for files and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def phase(self, text: str) -> None:
        """Say that a new phase begins."""
        print(f"{clean(text)} ...", file=self._stream, flush=True)

    def advance(self, done: float, detail: str = "") -> None:
        """Say nothing: a log needs no percentages."""

    def note(self, text: str) -> None:
        """Say something worth keeping."""
        print(clean(text), file=self._stream, flush=True)


class Live:
    """A line with the phase, how far it is and its time; what is over stays above it."""

    def __init__(self, bar: rich.progress.Progress) -> None:
        self._bar = bar
        self._task: rich.progress.TaskID | None = None
        self._text = ""
        self._began = 0.0

    def phase(self, text: str) -> None:
        """Say that a new phase begins."""
        self.finish()
        self._text, self._began = clean(text), time.monotonic()
        self._task = self._bar.add_task(self._text, total=None, detail="")

    def advance(self, done: float, detail: str = "") -> None:
        """Say that the share ``done`` (0 to 1) of the current phase is done."""
        if self._task is not None:
            self._bar.update(self._task, total=1.0, completed=done, detail=clean(detail))

    def note(self, text: str) -> None:
        """Say something worth keeping."""
        self._bar.console.print(clean(text), markup=False)

    def finish(self) -> None:
        """Leave a line of the phase that ends."""
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None
            from rich.text import Text

            seconds = time.monotonic() - self._began
            self._bar.console.print(Text(f"{self._text} ({seconds:.1f} s)", style="dim"))


@contextmanager
def display() -> Iterator[Display]:
    """Show phases on standard error for as long as the context lasts."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield Lines(sys.stderr)
        return
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[detail]}", markup=False, style="dim"),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True, highlight=False)
    with Bar(*columns, console=console, transient=True) as bar:
        live = Live(bar)
        yield live
        live.finish()


def complain(message: str) -> None:
    """Say on standard error what is wrong."""
    print(f"bayesmed: {clean(message)}", file=sys.stderr)


def clean(text: str) -> str:
    r"""Replace characters that would steer a terminal; line breaks and tabs stay.

    Examples
    --------
    >>> clean("Bogot\u00e1\x1b[2J")
    'Bogotá?[2J'
    """
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)
