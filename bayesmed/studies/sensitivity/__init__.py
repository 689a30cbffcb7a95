"""Which conclusion changes under which prior: power-scaling, and refits."""

from bayesmed.studies.sensitivity.heterogeneity import HeterogeneityStudy, heterogeneity_study
from bayesmed.studies.sensitivity.power_scaling import power_scaling
from bayesmed.studies.sensitivity.prior_sensitivity import PriorSensitivity, prior_sensitivity
from bayesmed.studies.sensitivity.prior_sets import PriorSet

__all__ = [
    "HeterogeneityStudy",
    "PriorSensitivity",
    "PriorSet",
    "heterogeneity_study",
    "power_scaling",
    "prior_sensitivity",
]
