"""Variants of the covariate-IV model, one for each piece of it, on a small trial."""

from __future__ import annotations

from functools import cache

import numpy as np

from bayesmed.data import TrialMoments, TrialPersons
from bayesmed.generative.covariate_iv import CovariateIV
from bayesmed.priors import Prior
from tests.generative.graphs import PLAIN

NORMAL = Prior("Normal", mu=0.1, sigma=0.4)

MODELS = {
    "default": CovariateIV(),
    "common errors": CovariateIV(errors="common"),
    "a control": CovariateIV(instruments=("severe", "past")),
    "no interactions": CovariateIV(instruments=("past",), control_interactions=False),
    "modifiers": CovariateIV(direct_modifier={"past": 0.7}, slope_modifier={"age": 0.02}),
    "uncertain": CovariateIV(
        instruments=("past", "severe"), direct_modifier={"severe": NORMAL, "past": 0.2}
    ),
    "little confounding": CovariateIV(
        priors={"error_correlation": Prior("Uniform", lower=-0.3, upper=0.2)}
    ),
    "own priors": CovariateIV(
        priors={"slope": Prior("Cauchy", alpha=1, beta=2), "mediator_modification[age]": NORMAL}
    ),
    "random": CovariateIV(person_effects="random"),
    "random, common errors": CovariateIV(
        person_effects="random", errors="common", instruments=("past",), slope_modifier={"past": 1}
    ),
    "random, little confounding": CovariateIV(
        person_effects="random",
        priors={"error_correlation": Prior("Uniform", lower=-0.3, upper=0.2)},
    ),
    "probit": CovariateIV(mediator="probit"),
    "probit, common errors": CovariateIV(
        mediator="probit",
        errors="common",
        instruments=("past", "age"),
        direct_modifier={"past": NORMAL},
    ),
    "probit, random": CovariateIV(mediator="probit", person_effects="random"),
}


def trial(
    seed: int = 1, n: int = 150, *, binary: bool = False, psi: float = 0.6, strength: float = 1.0
) -> TrialPersons:
    """Three covariates that go together, arms of unequal size and spread; slope 1.5, direct -1."""
    rng = np.random.default_rng(seed)
    r = (rng.random(n) < 0.4).astype(float)
    age = rng.normal(50, 9, n)
    past = (rng.random(n) < 0.4).astype(float)
    severe = rng.gamma(2.0, 1.0, n) + 0.03 * (age - 50) + 0.5 * past
    v = rng.normal(size=n) * (1 + 0.3 * r * (not binary))
    e = 2 * (psi * v / (1 + 0.3 * r * (not binary)) + np.sqrt(1 - psi**2) * rng.normal(size=n))
    change = r * (0.8 + strength * ((past - 0.4) - 0.5 * (severe - 2.2) + 0.05 * (age - 50)))
    m = -0.3 + 0.4 * past - 0.01 * (age - 50) + change + v
    m = (m > 0).astype(float) if binary else 20 + 3 * m
    y = 5 + 0.5 * severe - r + 1.5 * m + e
    return TrialPersons.from_arrays(
        treatment=r,
        mediator=m,
        outcome=y,
        covariates={"age": age, "past": past, "severe": severe},
    )


def data_for(name: str) -> TrialPersons:
    """The small trial with the kind of mediator a variant needs."""
    return trial(binary=MODELS[name].mediator == "probit")


class Compiled:
    """The graph of a variant as a function of its free values, without sampling."""

    def __init__(self, model, data):
        self.model, self.data = model, data
        self.graph = graph = model.build(data)
        outputs = [graph.logp(jacobian=False), graph.logp(), graph.dlogp()]
        values = graph.replace_rvs_by_values(graph.free_RVs)
        self.at = graph.compile_fn([*outputs, *values], mode=PLAIN, on_unused_input="ignore")
        self.start = graph.initial_point()

    def point(self, seed, spread=0.5):
        """Free values at random."""
        rng = np.random.default_rng(seed)
        return {k: v + rng.normal(0, spread, np.shape(v)) for k, v in self.start.items()}

    def evaluate(self, point):
        """Log-density over the random variables, log-density, gradient, random variables."""
        plain, whole, gradient, *rest = self.at(point)
        names = [v.name for v in self.graph.free_RVs]
        return float(plain), float(whole), np.asarray(gradient), dict(zip(names, rest, strict=True))

    def draws(self, variables):
        """Parameters (n, ...) at random variables (n, ...)."""
        rng = np.random.default_rng(0)
        return self.model.unstandardised(variables, self.data, rng)


@cache
def compiled(name: str) -> Compiled:
    return Compiled(MODELS[name], data_for(name))


def flat(model, draws) -> np.ndarray:
    """(n, K) every parameter with a prior."""
    n = len(draws["slope"])
    return np.concatenate([draws[name].reshape(n, -1) for name in model.parameters], axis=1)


def log_jacobian(found: Compiled, variables) -> float:
    """Log-determinant of the parameters by the random variables, by differences."""
    sizes = [np.size(v) for v in variables.values()]
    x = np.concatenate([np.ravel(v) for v in variables.values()])
    steps = 1e-6 * np.eye(x.size)
    points = np.split(np.concatenate([x + steps, x - steps]), np.cumsum(sizes)[:-1], axis=1)
    shaped = {
        name: values.reshape(len(values), *np.shape(variables[name]))
        for name, values in zip(variables, points, strict=True)
    }
    ends = flat(found.model, found.draws(shaped))
    sign, value = np.linalg.slogdet((ends[: x.size] - ends[x.size :]) / 2e-6)
    assert sign != 0
    return float(value)


def moments(name: str) -> TrialMoments:
    return TrialMoments.from_persons(data_for(name))
