"""Classical estimators from site estimates, the baselines a posterior is shown beside."""

from bayesmed.classical.bces import bces
from bayesmed.classical.bces_published import bces_published
from bayesmed.classical.bias_corrected_iv import bias_corrected_iv
from bayesmed.classical.estimate import ClassicalEstimate
from bayesmed.classical.least_squares import expected_ols_slopes, ols, wls
from bayesmed.classical.moments import bces_formula
from bayesmed.classical.pooled_wald import pooled_wald
from bayesmed.classical.registry import ESTIMATORS, Estimator, all_estimates
from bayesmed.classical.reliability_corrected import reliability_corrected
from bayesmed.classical.simex import simex

__all__ = [
    "ESTIMATORS",
    "ClassicalEstimate",
    "Estimator",
    "all_estimates",
    "bces",
    "bces_formula",
    "bces_published",
    "bias_corrected_iv",
    "expected_ols_slopes",
    "ols",
    "pooled_wald",
    "reliability_corrected",
    "simex",
    "wls",
]
