"""What a classical estimator returns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayesmed.core.types import Floats

LEVEL = 0.95
"""Level of every interval of this room."""
NO_SPARE_SITE = "no site is left over to estimate a standard error from"


@dataclass(frozen=True, eq=False)
class ClassicalEstimate:
    """A point estimate of the slopes of total effects on mediator effects.

    Attributes
    ----------
    name
        The estimator, as tables call it.
    mediators
        Names of the P mediators.
    slope, slope_se
        (P,) estimates and standard errors, outcome units per mediator unit; NaN where not
        defined.
    interval_low, interval_high
        (P,) ends of the 95 % intervals, infinite where the data exclude nothing on that side.
    intercept, intercept_se
        Those of the line at mediator effects of zero, outcome units; NaN for a line through the
        origin, or where not defined.
    defined
        Whether the estimator has an answer for these data.
    reason
        Why it has none, or no standard error or interval; empty otherwise.
    covariance_used
        Whether Cov(γ̂, β̂) entered: the estimator takes it and the data give it.
    simulation_error
        (P,) Monte Carlo standard error of ``slope``; None for an estimator without simulation.
    notes
        What belongs beside the answer.

    Examples
    --------
    >>> ClassicalEstimate.undefined("WLS", ["effort"], "a weight is infinite").slope
    array([nan])
    """

    name: str
    mediators: tuple[str, ...]
    slope: Floats
    slope_se: Floats
    interval_low: Floats
    interval_high: Floats
    intercept: float
    intercept_se: float
    defined: bool = True
    reason: str = ""
    covariance_used: bool = False
    simulation_error: Floats | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("slope", "slope_se", "interval_low", "interval_high", "simulation_error"):
            value = getattr(self, name)
            if value is not None:
                array = np.array(value, dtype=np.float64).reshape(len(self.mediators))
                array.flags.writeable = False
                object.__setattr__(self, name, array)

    @classmethod
    def undefined(cls, name: str, mediators: Sequence[str], reason: str) -> ClassicalEstimate:
        """Return the answer "not defined, because ..."."""
        nan = np.full(len(mediators), math.nan)
        ends = (math.nan, math.nan)
        return cls(name, tuple(mediators), nan, nan, nan, nan, *ends, defined=False, reason=reason)
