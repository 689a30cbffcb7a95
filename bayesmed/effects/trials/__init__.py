"""Estimands of one trial, model by model."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from bayesmed.core.names import CHAIN, DRAW
from bayesmed.effects.trials.covariate_iv import covariate_iv_effects
from bayesmed.effects.trials.estimands import TrialEstimands
from bayesmed.effects.trials.principal_strata import principal_strata_effects
from bayesmed.effects.trials.random_coefficients import random_coefficients_effects
from bayesmed.generative import (
    AnyTrialModel,
    CovariateIV,
    PrincipalStrata,
    RandomCoefficients,
)
from bayesmed.generative.protocol import Draws

__all__ = ["TrialEstimands", "estimands_of_posterior", "trial_estimands"]


def trial_estimands(model: AnyTrialModel, draws: Draws, data: Any) -> TrialEstimands:
    """Return the estimands of one trial from flat draws (n, ...) of all its parameters."""
    match model:
        case CovariateIV():
            return covariate_iv_effects(model, draws, data)
        case RandomCoefficients():
            return random_coefficients_effects(model, draws, data)
        case PrincipalStrata():
            return principal_strata_effects(model, draws, data)
    raise TypeError(f"There are no estimands of a {type(model).__name__}.")


def estimands_of_posterior(
    model: AnyTrialModel, posterior: xr.Dataset, data: Any
) -> TrialEstimands:
    """Return the estimands of one trial from labelled draws, their draws flat (chain by chain)."""
    flat = {
        str(name): np.asarray(own).reshape(-1, *own.shape[2:])
        for name, own in posterior.transpose(CHAIN, DRAW, ...).data_vars.items()
    }
    return trial_estimands(model, flat, data)
