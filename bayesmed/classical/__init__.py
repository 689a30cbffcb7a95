"""Classical estimators, the baselines a posterior is shown beside."""

from bayesmed.classical.estimate import ClassicalEstimate
from bayesmed.classical.least_squares import expected_ols_slope, ols, wls

__all__ = ["ClassicalEstimate", "expected_ols_slope", "ols", "wls"]
