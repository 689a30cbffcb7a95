"""Lists and probabilities as sentences write them."""

from __future__ import annotations

from collections.abc import Sequence


def joined(names: Sequence[str]) -> str:
    """Return names as a list in a sentence.

    Examples
    --------
    >>> joined(["LDL"]), joined(["LDL", "HDL", "CRP"])
    ('LDL', 'LDL, HDL and CRP')
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def p_value(p: float) -> str:
    """Return the p-value of a test, without digits where it is next to nothing.

    Examples
    --------
    >>> p_value(0.0321), p_value(1e-9)
    ('p = 0.032', 'p < 0.001')
    """
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
