"""Models: frozen descriptions of choices and priors, each with a ``build(data)`` for PyMC."""

from bayesmed.generative.multi_site_iv import MultiSiteIV
from bayesmed.generative.registry import (
    MODELS,
    AnyModel,
    model_from_mapping,
    model_to_mapping,
)
from bayesmed.generative.site_model import SiteModel
from bayesmed.generative.site_slope import SiteSlope

__all__ = [
    "MODELS",
    "AnyModel",
    "MultiSiteIV",
    "SiteModel",
    "SiteSlope",
    "model_from_mapping",
    "model_to_mapping",
]
