"""Which conclusion changes under which prior, and as which assumption gives way."""

from bayesmed.studies.sensitivity.assumption_sensitivity import (
    AssumptionSensitivity,
    assumption_sensitivity,
)
from bayesmed.studies.sensitivity.power_scaling import power_scaling
from bayesmed.studies.sensitivity.prior_sensitivity import PriorSensitivity, prior_sensitivity
from bayesmed.studies.sensitivity.prior_sets import PriorSet
from bayesmed.studies.sensitivity.split_sensitivity import SplitSensitivity, split_sensitivity

__all__ = [
    "AssumptionSensitivity",
    "PriorSensitivity",
    "PriorSet",
    "SplitSensitivity",
    "assumption_sensitivity",
    "power_scaling",
    "prior_sensitivity",
    "split_sensitivity",
]
