"""How results show themselves: a small table as text, and as HTML in a notebook."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Displayed", "Shown", "as_html", "as_text", "displayed"]

MOST_ROWS = 12
MOST_CHARACTERS = 56


@dataclass(frozen=True)
class Shown:
    """What is shown of something, in plain text.

    Parameters
    ----------
    title
        What it is, in one line.
    lines
        Sentences or equations below.
    columns, rows
        A table, its first column naming the rows; none where there are no columns.
    """

    title: str
    lines: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


class Displayed(Protocol):
    """Anything that says what is to be shown of it."""

    def _shown(self) -> Shown: ...


def displayed[C: type](*, one_line: bool = False) -> Callable[[C], C]:
    """Let a class that has ``_shown`` print as a table, and show itself in a notebook.

    Parameters
    ----------
    one_line
        Whether the title stands for ``repr``, too.

    Examples
    --------
    >>> @displayed(one_line=True)
    ... class Sizes:
    ...     def _shown(self):
    ...         return Shown("Sizes(2 sites)", (), ("Site", "n"), (("A", "10"), ("B & C", "9")))
    >>> Sizes()
    Sizes(2 sites)
    >>> print(Sizes())
    Sizes(2 sites)
    Site    n
    A      10
    B & C   9
    >>> Sizes()._repr_html_()[:68]
    '<div style="overflow-x: auto"><p><strong>Sizes(2 sites)</strong></p>'
    """

    def decorate(kind: C) -> C:
        def text(self: Displayed) -> str:
            return as_text(self._shown())

        def page(self: Displayed) -> str:
            return as_html(self._shown())

        def title(self: Displayed) -> str:
            return _clean(self._shown().title)

        kind.__str__ = text  # type: ignore[assignment]
        kind._repr_html_ = page  # type: ignore[attr-defined]
        if one_line:
            kind.__repr__ = title  # type: ignore[assignment]
        return kind

    return decorate


def as_text(shown: Shown) -> str:
    """Return lines for a terminal, in columns; long tables and cells are cut."""
    rows = [tuple(_cut(c) for c in row) for row in (shown.columns, *shown.rows[:MOST_ROWS])]
    width = [max(map(len, column)) for column in zip(*rows, strict=True)]
    body = list(zip(*rows[1:], strict=True)) or [()] * len(width)
    lines = [_clean(shown.title), *map(_clean, shown.lines)]
    words = [i == 0 or any(c[:1].isalpha() for c in column) for i, column in enumerate(body)]
    for row in rows if shown.columns else ():
        placed = zip(row, width, words, strict=True)
        cells = (cell.ljust(n) if left else cell.rjust(n) for cell, n, left in placed)
        lines.append("  ".join(cells).rstrip())
    return "\n".join([*lines, *_rest(shown)])


def as_html(shown: Shown) -> str:
    """Return an HTML element without colours of its own; every text in it is escaped."""
    parts = [f"<p><strong>{_safe(shown.title)}</strong></p>"]
    parts += [f"<p>{_safe(line)}</p>" for line in shown.lines]
    if shown.columns:
        head = "".join(f'<th scope="col">{_safe(c)}</th>' for c in shown.columns)
        body = "".join(
            f'<tr><th scope="row">{_safe(row[0])}</th>'
            f"{''.join(f'<td>{_safe(c)}</td>' for c in row[1:])}</tr>"
            for row in shown.rows[:MOST_ROWS]
        )
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    parts += [f"<p>{text}</p>" for text in _rest(shown)]
    return f'<div style="overflow-x: auto">{"".join(parts)}</div>'


def _rest(shown: Shown) -> tuple[str, ...]:
    more = len(shown.rows) - MOST_ROWS
    return (f"and {more:,} more",) if more > 0 else ()


def _safe(text: str) -> str:
    return html.escape(_clean(text))


def _cut(text: str) -> str:
    text = _clean(text)
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"


def _clean(text: str) -> str:
    """Replace what would steer a terminal or turn the direction of a page."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)
