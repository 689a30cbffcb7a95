"""What a classical estimator returns for one trial without sites."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bayesmed.classical.canonical import t_quantile


@dataclass(frozen=True)
class TrialEstimate:
    """Estimates of the mediator's effect on the outcome and of the treatment's direct effect.

    Attributes
    ----------
    name
        The estimator, as tables call it.
    slope, slope_se, slope_low, slope_high
        Effect of the mediator, outcome units per mediator unit: estimate, standard error, ends of
        the 95 % interval.
    direct_effect, direct_effect_se, direct_effect_low, direct_effect_high
        Direct effect of treatment, outcome units, likewise.
    covariance
        Sampling covariance of the two.
    df
        Degrees of freedom of Student's quantile in the intervals.
    defined
        Whether the estimator has an answer for these data; numbers are NaN where it has none.
    reason
        Why it has none, or no standard errors; empty otherwise.

    Examples
    --------
    >>> TrialEstimate.undefined("2SLS", "the instruments do not move the mediator").slope
    nan
    """

    name: str
    slope: float
    slope_se: float
    direct_effect: float
    direct_effect_se: float
    covariance: float
    df: int
    defined: bool = True
    reason: str = ""

    @classmethod
    def undefined(cls, name: str, reason: str) -> TrialEstimate:
        """Return the answer "not defined, because ..."."""
        return cls(name, *(math.nan,) * 5, df=0, defined=False, reason=reason)

    @property
    def slope_low(self) -> float:
        """Lower end of the slope's interval."""
        return self.slope - self._quantile * self.slope_se

    @property
    def slope_high(self) -> float:
        """Upper end of the slope's interval."""
        return self.slope + self._quantile * self.slope_se

    @property
    def direct_effect_low(self) -> float:
        """Lower end of the direct effect's interval."""
        return self.direct_effect - self._quantile * self.direct_effect_se

    @property
    def direct_effect_high(self) -> float:
        """Upper end of the direct effect's interval."""
        return self.direct_effect + self._quantile * self.direct_effect_se

    @property
    def _quantile(self) -> float:
        return t_quantile(self.df)
