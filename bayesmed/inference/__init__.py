"""From a model and data to a posterior."""

from bayesmed.inference.exact import ExactPosterior, exact_posterior
from bayesmed.inference.fit import Fit, fit
from bayesmed.inference.sampler import Sampler
from bayesmed.inference.storage import load_fit, save_fit

__all__ = ["ExactPosterior", "Fit", "Sampler", "exact_posterior", "fit", "load_fit", "save_fit"]
