"""Classical estimators, the baselines a posterior is shown beside, and strength of instruments."""

from bayesmed.classical.bces import bces
from bayesmed.classical.bces_published import bces_published
from bayesmed.classical.bias_corrected_iv import bias_corrected_iv
from bayesmed.classical.cochran_q import CochranQ, cochran_q
from bayesmed.classical.estimate import ClassicalEstimate
from bayesmed.classical.least_squares import expected_ols_slopes, ols, wls
from bayesmed.classical.moments import bces_formula
from bayesmed.classical.person_iv import person_level_iv
from bayesmed.classical.pooled_wald import pooled_wald
from bayesmed.classical.random_effects import random_effects_weights, random_effects_wls
from bayesmed.classical.registry import ESTIMATORS, Estimator, all_estimates
from bayesmed.classical.reliability_corrected import reliability_corrected
from bayesmed.classical.simex import simex
from bayesmed.classical.strength import Strength, strength

__all__ = [
    "ESTIMATORS",
    "ClassicalEstimate",
    "CochranQ",
    "Estimator",
    "Strength",
    "all_estimates",
    "bces",
    "bces_formula",
    "bces_published",
    "bias_corrected_iv",
    "cochran_q",
    "expected_ols_slopes",
    "ols",
    "person_level_iv",
    "pooled_wald",
    "random_effects_weights",
    "random_effects_wls",
    "reliability_corrected",
    "simex",
    "strength",
    "wls",
]
