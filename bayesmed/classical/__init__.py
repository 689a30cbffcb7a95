"""Classical estimators, the baselines a posterior is shown beside, and strength of instruments."""

from bayesmed.classical.bces import bces
from bayesmed.classical.bces_published import bces_published
from bayesmed.classical.bias_corrected_iv import bias_corrected_iv
from bayesmed.classical.binary_iv import binary_iv
from bayesmed.classical.binary_iv_estimate import BinaryIV
from bayesmed.classical.cochran_q import CochranQ, cochran_q
from bayesmed.classical.estimate import ClassicalEstimate
from bayesmed.classical.instrument_balance import InstrumentBalance, instrument_balance
from bayesmed.classical.least_squares import expected_ols_slopes, ols, wls
from bayesmed.classical.moments import bces_formula
from bayesmed.classical.person_iv import person_level_iv
from bayesmed.classical.pooled_wald import pooled_wald
from bayesmed.classical.random_effects import random_effects_weights, random_effects_wls
from bayesmed.classical.registry import ESTIMATORS, Estimator, all_estimates
from bayesmed.classical.reliability_corrected import reliability_corrected
from bayesmed.classical.simex import simex
from bayesmed.classical.strength import Strength, strength
from bayesmed.classical.trial_anderson_rubin import ConfidenceSet, anderson_rubin
from bayesmed.classical.trial_estimate import TrialEstimate
from bayesmed.classical.trial_iv import covariate_iv
from bayesmed.classical.trial_least_squares import baron_kenny, post_baseline_correction
from bayesmed.classical.trial_sensitivity import (
    SensitivityGrid,
    SensitivityRow,
    sensitivity_grid,
)
from bayesmed.classical.trial_strength import TrialStrength, trial_strength
from bayesmed.classical.trial_wald import trial_wald

__all__ = [
    "ESTIMATORS",
    "BinaryIV",
    "ClassicalEstimate",
    "CochranQ",
    "ConfidenceSet",
    "Estimator",
    "InstrumentBalance",
    "SensitivityGrid",
    "SensitivityRow",
    "Strength",
    "TrialEstimate",
    "TrialStrength",
    "all_estimates",
    "anderson_rubin",
    "baron_kenny",
    "bces",
    "bces_formula",
    "bces_published",
    "bias_corrected_iv",
    "binary_iv",
    "cochran_q",
    "covariate_iv",
    "expected_ols_slopes",
    "instrument_balance",
    "ols",
    "person_level_iv",
    "pooled_wald",
    "post_baseline_correction",
    "random_effects_weights",
    "random_effects_wls",
    "reliability_corrected",
    "sensitivity_grid",
    "simex",
    "strength",
    "trial_strength",
    "trial_wald",
    "wls",
]
