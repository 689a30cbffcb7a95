"""Complete persons of the sites that take part, cell by cell, as numbers and on their scales."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayesmed.formulas.log_odds import log_odds, log_odds_slope

__all__ = ["Cells"]

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class Cells:
    """Complete persons of the sites that take part, cell by cell.

    Parameters
    ----------
    site
        (C,) number of the site, from 0 in order.
    group
        (C,) number of the site's block, from 0; the site itself without blocks.
    arm
        (C,) number of the arm, the reference 0; 0 everywhere where treatment is an amount.
    n, weight
        (C,) persons, and the sum of their weights.
    mean
        (C, U) means: amounts of treatment, covariates, outcomes.
    cross
        (C, U, U) sums of products about them.
    arms
        Number of arms beside the reference; 0 where treatment is an amount.
    amounts, covariates
        Numbers of treatment amounts and of covariates.
    log_odds
        Positions among the outcomes of those compared by log odds.
    """

    site: NDArray[np.int64]
    group: NDArray[np.int64]
    arm: NDArray[np.int64]
    n: _Array
    weight: _Array
    mean: _Array
    cross: _Array
    arms: int
    amounts: int
    covariates: int
    log_odds: tuple[int, ...] = ()

    @property
    def treatments(self) -> int:
        """Number of treatment columns J."""
        return self.arms + self.amounts

    @property
    def outcomes(self) -> int:
        """Number of outcomes K."""
        return int(self.mean.shape[1]) - self.amounts - self.covariates

    @property
    def sites(self) -> int:
        """Number of sites S."""
        return int(self.site[-1]) + 1

    def dummies(self) -> _Array:
        """(C, arms) whether a cell is in each arm beside the reference."""
        found: _Array = (self.arm[:, None] == np.arange(1, self.arms + 1)).astype(float)
        return found

    def outcome_scale(self) -> _Array:
        """(C, K) derivative of each outcome's scale at the cell's mean: 1, or that of log odds."""
        scale = np.ones((len(self.n), self.outcomes))
        for k in self.log_odds:
            scale[:, k] = log_odds_slope(self.mean[:, self.amounts + self.covariates + k])
        return scale

    def on_scale(self) -> Cells:
        """Return the cells with means on the outcomes' scales, deviations by the delta method."""
        if not self.log_odds:
            return self
        before = self.amounts + self.covariates
        scale = np.column_stack([np.ones((len(self.n), before)), self.outcome_scale()])
        mean = self.mean.copy()
        for k in self.log_odds:
            mean[:, before + k] = log_odds(mean[:, before + k])
        return replace(self, mean=mean, cross=self.cross * scale[:, :, None] * scale[:, None, :])
