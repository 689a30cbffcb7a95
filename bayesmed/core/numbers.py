"""Numbers as sentences and tables write them."""

from __future__ import annotations

import math


def number(value: float) -> str:
    """Write a number with three significant digits, without an exponent where it stays short.

    Examples
    --------
    >>> number(-0.012345), number(123456.0), number(2.0), number(1e-9)
    ('-0.0123', '123000', '2', '1e-09')
    """
    rounded = float(f"{value:.3g}")
    if rounded == 0 or 1e-4 <= abs(rounded) < 1e7:
        return f"{rounded:.7f}".rstrip("0").rstrip(".")
    return f"{rounded:.3g}"


def probability(value: float) -> str:
    """Return a posterior probability as draws can tell it; a dash where there is none.

    Examples
    --------
    >>> probability(0.25), probability(1.0), probability(math.nan)
    ('0.250', '> 0.999', '–')
    """
    if math.isnan(value):
        return "–"
    # Draws cannot tell a probability of 1 from one very near it.
    return "> 0.999" if value > 0.999 else "< 0.001" if value < 0.001 else f"{value:.3f}"
