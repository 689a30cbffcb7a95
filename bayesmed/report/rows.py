"""Lines of the short table that every answer has."""

from __future__ import annotations

from dataclasses import dataclass

from bayesmed.core.numbers import number

__all__ = ["Row", "with_interval"]


@dataclass(frozen=True)
class Row:
    """One line of the short table: the middle of a posterior and its 95 % interval.

    Parameters
    ----------
    label
        What it is, in words.
    middle
        The mean; the median where ``is_median``.
    low, high
        Ends of the central 95 % interval.
    is_median
        True for ratios, whose mean says nothing.
    """

    label: str
    middle: float
    low: float
    high: float
    is_median: bool = False


def with_interval(row: Row) -> str:
    """Return the middle with the interval, as sentences have them."""
    return f"{number(row.middle)} [{number(row.low)}, {number(row.high)}]"
