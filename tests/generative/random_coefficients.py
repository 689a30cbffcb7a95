"""Models and persons for the tests of correlated random coefficients."""

from functools import cache

import numpy as np
from scipy.stats import beta

from bayesmed.data import TrialPersons
from bayesmed.generative.random_coefficients import RandomCoefficients
from bayesmed.generative.random_coefficients_normal import EXPONENTS
from tests.generative.graphs import PLAIN

MODELS = {
    "two arms": RandomCoefficients(),
    "two arms, direct": RandomCoefficients(direct_effect=True),
    "amount": RandomCoefficients(),
    "amount, direct": RandomCoefficients(direct_effect=True),
    "binary": RandomCoefficients(),
}
NORMAL = tuple(name for name in MODELS if name != "binary")


@cache
def persons(name, n=60, seed=3):
    """Draw persons of a kind; mediator and outcome far from zero and in odd units."""
    rng = np.random.default_rng(seed)
    amount = name.startswith("amount")
    treatment = rng.gamma(2.0, 1.5, n) if amount else (np.arange(n) % 3 > 0).astype(float)
    benefit = 0.3 + 0.2 * rng.standard_normal(n)
    if name == "binary":
        mediator = (rng.random(n) < 0.2 + 0.5 * treatment).astype(float)
    else:
        moved = (2.0 + 4.0 * (benefit - 0.3) + rng.standard_normal(n)) * treatment
        mediator = 40.0 + 5.0 * rng.standard_normal(n) + moved
    outcome = 100.0 + benefit * mediator + 0.5 * treatment + 3.0 * rng.standard_normal(n)
    return TrialPersons.from_arrays(
        treatment=treatment, mediator=mediator, outcome=outcome, continuous=amount
    )


class Compiled:
    """A graph as functions of its free values, without sampling."""

    def __init__(self, name, data=None):
        self.model, self.data = MODELS[name], data or persons(name)
        self.graph = self.model.build(self.data)
        variables = self.graph.replace_rvs_by_values(self.graph.free_RVs)
        wanted = [self.graph.logp(jacobian=False), self.graph.logp(), self.graph.dlogp()]
        self.at = self.graph.compile_fn([*wanted, *variables], mode=PLAIN, on_unused_input="ignore")

    def point(self, seed, spread=0.4):
        """Free values at random."""
        rng = np.random.default_rng(seed)
        start = self.graph.initial_point()
        return {k: v + rng.normal(0, spread, np.shape(v)) for k, v in start.items()}

    def density(self, point):
        """Log-density over the random variables."""
        return float(self.at(point)[0])

    def variables(self, point):
        """The random variables as one draw, (1, entries) as a sampler keeps them."""
        values = self.at(point)[3:]
        names = [v.name for v in self.graph.free_RVs]
        return {
            name: np.reshape(v, (1, -1) if np.ndim(v) else 1)
            for name, v in zip(names, values, strict=True)
        }

    def parameters(self, point):
        """All parameters in data units, (1, ...)."""
        rng = np.random.default_rng(0)
        return self.model.unstandardised(self.variables(point), self.data, rng)


@cache
def compiled(name):
    return Compiled(name)


def log_prior_of_variables(found, point):
    """Log prior density of the random variables of a graph, from the priors in data units."""
    draws = found.parameters(point)
    total = 0.0
    coords = found.model.coords(found.data)
    for p in found.model.table(found.data):
        own = found.model.log_prior(draws, found.data)[p.name]
        total += (own + np.log(np.broadcast_to(p.scale, (1, *p.shape(coords))))).sum()
    z = found.variables(point).get("partial_correlation")
    return total if z is None else total + beta(EXPONENTS, EXPONENTS).logpdf(z).sum()


def covariance(draws):
    """The covariance of one draw's coefficients (m0, y0, Γ, Δ) at the centres."""
    names = ("mediator_level_sd", "outcome_level_sd", "mediator_effect_sd", "slope_sd")
    sd = np.array([draws[name][0] for name in names])
    return draws["person_correlation"][0] * sd[:, None] * sd


def means(draws):
    """The means of one draw's coefficients, in the same order."""
    names = ("mediator_level", "outcome_level", "mediator_effect", "slope")
    return np.array([draws[name][0] for name in names])
