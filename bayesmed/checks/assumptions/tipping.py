"""How much of a failure makes the interval of a slope include 0, from draws."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesmed.checks.assumptions.line import NOTHING, Sensitivity
from bayesmed.core.numbers import number
from bayesmed.core.types import Floats

__all__ = ["Tipping", "tipping_point", "tipping_sentence"]

INTERVAL = (0.025, 0.975)
ONE_WAY = 0.999
"""Share of draws in which a failure must move the slope the same way."""


class Tipping(NamedTuple):
    """The smallest failure that changes what the 95 % interval of a slope says of 0.

    Attributes
    ----------
    value
        Its size, with its sign.
    includes
        Whether the interval includes 0 already, so that this size makes it exclude 0.
    """

    value: float
    includes: bool


def tipping_point(at_zero: Floats, shift: Floats | float, now: float = 0.0) -> Tipping | None:
    """Return the smallest failure that changes whether the interval includes 0.

    If slopes fall (or rise) as a failure x grows, in all draws, a draw has a slope below (or
    above) 0 exactly where x is beyond its own point; so the interval includes 0 between the
    quantiles of these points.

    Parameters
    ----------
    at_zero
        (n,) the x of each draw at which its slope is 0.
    shift
        Which way it moves slopes, by draw: only signs matter.
    now
        The x the fit was made at.

    Returns
    -------
    Tipping or None
        None where draws do not agree in which way it moves the slope.

    Examples
    --------
    >>> tipping_point(np.linspace(1.0, 2.0, 41), 1.0)
    Tipping(value=1.025, includes=False)
    >>> tipping_point(np.linspace(-1.0, 3.0, 41), 1.0)
    Tipping(value=-0.9, includes=True)
    """
    up = float(np.mean(np.asarray(shift) > 0))
    if max(up, 1.0 - up) < ONE_WAY or not np.isfinite(at_zero).all():
        return None
    low, high = (float(x) for x in np.quantile(at_zero, INTERVAL))
    nearest = min((low, high), key=lambda x: abs(x - now))
    return Tipping(nearest, low <= now <= high)


def tipping_sentence(
    found: Tipping | None, quantity: str, what: str, *, limit: float = np.inf, of: str = "the slope"
) -> Sensitivity:
    """Say a tipping point; beyond a limit that no failure reaches it is none.

    Parameters
    ----------
    found
        The point.
    quantity
        What it is, for tables.
    what
        What it is, with ``{}`` for the number, to begin a sentence with.
    limit
        The largest size there can be.
    of
        What the interval is of.
    """
    if found is None:
        return NOTHING
    interval = f"the 95 % interval of {of}"
    if abs(found.value) >= limit:
        does = "exclude" if found.includes else "include"
        most = what.format(f"±{number(limit)}")
        return Sensitivity(None, "", f"Even {most} would not make {interval} {does} 0.")
    said = what.format(f"about {number(found.value)}")
    if found.includes:
        text = f"The {interval[4:]} includes 0 already; {said} would make it exclude 0."
    else:
        text = f"{said[0].upper()}{said[1:]} would make {interval} include 0."
    return Sensitivity(found.value, quantity, text)
