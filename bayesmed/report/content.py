"""One frozen record of everything a report says; HTML and Markdown only differ in clothes.

All text in it is plain: nothing is markup, and whoever writes it out escapes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bayesmed.report.answer import Answer

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of text."""

    kind: ClassVar[str] = "paragraph"
    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    kind: ClassVar[str] = "bullets"
    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table of text; the first column names the rows.

    Attributes
    ----------
    caption
        What it shows, in one line.
    columns, rows
        Headings, and cells of the same number in every row.
    texts
        Positions of the columns that hold words; the others hold numbers.
    note
        What a reader must know below it: what was left out.
    slug
        Its name among the files of a result, a word; empty where it has no file.
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: tuple[int, ...] = (0,)
    note: str = ""
    slug: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture, drawn when it is needed.

    Attributes
    ----------
    slug
        Its name in the page, a word.
    caption
        How to read it.
    alternative
        What it shows, for those who cannot see it.
    draw
        Makes the figure.
    """

    kind: ClassVar[str] = "picture"
    slug: str
    caption: str
    alternative: str
    draw: Callable[[], Figure]


@dataclass(frozen=True)
class Code:
    """Lines to run, with what they do."""

    kind: ClassVar[str] = "code"
    caption: str
    text: str


def slugs(prefix: str, names: Iterable[str]) -> list[str]:
    """Return a slug for each thing of some names; those of one name are numbered.

    Examples
    --------
    >>> slugs("priors", ["slope", "slope", "average_direct_effect"])
    ['priors-slope-1', 'priors-slope-2', 'priors-average-direct-effect']
    """
    listed = [f"{prefix}-{name.replace('_', '-')}" for name in names]
    found: list[str] = []
    for i, slug in enumerate(listed):
        before = listed[:i].count(slug)
        found.append(f"{slug}-{before + 1}" if listed.count(slug) > 1 else slug)
    return found


type Block = Paragraph | Bullets | Table | Picture | Code


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it; ``slug`` is a word."""

    slug: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Content:
    """A whole report: what comes first, the answer, and the sections it rests on."""

    title: str
    question: str
    answer: Answer
    sections: tuple[Section, ...]
    made: str

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every picture, in order."""
        return tuple(b for s in self.sections for b in s.blocks if isinstance(b, Picture))

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table, in order."""
        return tuple(b for s in self.sections for b in s.blocks if isinstance(b, Table))
