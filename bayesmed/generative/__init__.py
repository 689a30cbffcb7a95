"""Models: frozen descriptions of choices and priors, each with a ``build(data)`` for PyMC."""

from bayesmed.generative.covariate_iv import CovariateIV
from bayesmed.generative.multi_site_iv import MultiSiteIV
from bayesmed.generative.principal_strata import PrincipalStrata
from bayesmed.generative.random_coefficients import RandomCoefficients
from bayesmed.generative.registry import (
    MODELS,
    SITE_MODELS,
    TRIAL_MODELS,
    AnyModel,
    AnyTrialModel,
    model_from_mapping,
    model_to_mapping,
)
from bayesmed.generative.site_model import SiteModel
from bayesmed.generative.site_slope import SiteSlope
from bayesmed.generative.trial_model import TrialModel

__all__ = [
    "MODELS",
    "SITE_MODELS",
    "TRIAL_MODELS",
    "AnyModel",
    "AnyTrialModel",
    "CovariateIV",
    "MultiSiteIV",
    "PrincipalStrata",
    "RandomCoefficients",
    "SiteModel",
    "SiteSlope",
    "TrialModel",
    "model_from_mapping",
    "model_to_mapping",
]
