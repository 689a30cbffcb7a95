"""Models: frozen descriptions of choices and priors, each with a ``build(data)`` for PyMC."""

from bayesmed.generative.registry import MODELS, model_from_mapping, model_to_mapping
from bayesmed.generative.site_slope import SiteSlope

__all__ = ["MODELS", "SiteSlope", "model_from_mapping", "model_to_mapping"]
