"""What a classical estimator returns."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class ClassicalEstimate:
    """A point estimate of the slope of total effects on mediator effects.

    Attributes
    ----------
    name
        The estimator, as tables call it.
    slope, slope_se
        Estimate and standard error, outcome units per mediator unit; NaN where not defined.
    intercept, intercept_se
        Those of the line at a mediator effect of zero, outcome units; NaN for a line through the
        origin, or where not defined.
    defined
        Whether the estimator has an answer for these data.
    reason
        Why it has none, or no standard error; empty otherwise.

    Examples
    --------
    >>> ClassicalEstimate.undefined("WLS", "a weight is infinite").defined
    False
    """

    name: str
    slope: float
    slope_se: float
    intercept: float
    intercept_se: float
    defined: bool = True
    reason: str = ""

    @classmethod
    def undefined(cls, name: str, reason: str) -> ClassicalEstimate:
        """Return the answer "not defined, because ..."."""
        nan = math.nan
        return cls(name, nan, nan, nan, nan, defined=False, reason=reason)
