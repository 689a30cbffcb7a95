"""From a model and data to a posterior."""

from bayesmed.inference.exact import ExactPosterior, exact_posterior
from bayesmed.inference.fit import Fit, TrialFit, fit, is_trial
from bayesmed.inference.nuts import SamplingError
from bayesmed.inference.quadrature import QuadratureError
from bayesmed.inference.sampler import Sampler
from bayesmed.inference.storage import load_fit, save_fit

__all__ = [
    "ExactPosterior",
    "Fit",
    "QuadratureError",
    "Sampler",
    "SamplingError",
    "TrialFit",
    "exact_posterior",
    "fit",
    "is_trial",
    "load_fit",
    "save_fit",
]
