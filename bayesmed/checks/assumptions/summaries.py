"""What was estimated in the place of an assumption, in a sentence."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmed.checks.assumptions.line import Sensitivity
from bayesmed.checks.assumptions.site_draws import single
from bayesmed.checks.assumptions.tipping import INTERVAL
from bayesmed.core.numbers import number
from bayesmed.core.types import Floats
from bayesmed.inference import Fit

__all__ = ["estimated", "summary"]


def estimated(fit: Fit[Any, Any], name: str, what: str) -> Sensitivity:
    """Summarise a parameter of one number."""
    return summary(single(fit, name), f"{name.replace('_', ' ')}, posterior median", what)


def summary(draws: Floats, quantity: str, what: str, after: str = "") -> Sensitivity:
    """Return the median of some draws, and it with its interval in a sentence.

    Examples
    --------
    >>> summary(np.linspace(0.0, 1.0, 41), "gap", "They are apart by").sentence
    'They are apart by 0.5 [0.025, 0.975].'
    """
    low, middle, high = (float(x) for x in np.quantile(draws, (INTERVAL[0], 0.5, INTERVAL[1])))
    text = f"{what} {number(middle)} [{number(low)}, {number(high)}]{after}."
    return Sensitivity(middle, quantity, text)
