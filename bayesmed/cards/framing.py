"""The words around an analysis, and what its answer is to be compared with."""

from __future__ import annotations

from dataclasses import dataclass

from bayesmed.cards.section import Section
from bayesmed.effects import Rope

__all__ = ["FRAMING", "Framing", "read_framing"]

FRAMING = ("title", "question", "published", "assumptions", "rope")
ROPE = ("low", "high", "effect")


@dataclass(frozen=True)
class Framing:
    """The words around an analysis, as a report shows them.

    Parameters
    ----------
    title, question, published
        What it is called, what it asks, where it was published; empty where unknown.
    assumptions
        What the answer relies on, one sentence each.
    rope
        A region of practical equivalence that the answer is to be compared with, if any.
    """

    title: str = ""
    question: str = ""
    published: str = ""
    assumptions: tuple[str, ...] = ()
    rope: Rope | None = None


def read_framing(top: Section) -> Framing:
    """Read the words of a card and its section ``[rope]``.

    Raises
    ------
    CardError
        If a text or the region is not possible.
    """
    return Framing(
        title=top.text("title") or "",
        question=top.text("question", lines=True) or "",
        published=top.text("published", lines=True) or "",
        assumptions=top.texts("assumptions", lines=True),
        rope=_rope(top),
    )


def _rope(top: Section) -> Rope | None:
    """Read the region of practical equivalence, if there is one."""
    section = top.section("rope", ROPE, example="[rope] and low = -0.1, high = 0.1 below it")
    if section is None:
        return None
    for key in ("low", "high"):
        if key not in section.values:
            raise section.missing(key, f"Write {key} = 0.1, in the units of the effect.")
    low, high = section.number("low", 0.0), section.number("high", 0.0)
    with section.located():
        return Rope(low, high, section.text("effect") or "")
