"""What is done to every simulated data set: a classical estimator, or a posterior."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bayesmed.classical import ESTIMATORS
from bayesmed.core.errors import BayesmedError
from bayesmed.core.names import AVERAGE_SLOPE, SLOPE
from bayesmed.core.progress import Silent
from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteModel
from bayesmed.inference import Sampler, exact_posterior

LIGHT = Sampler(draws=500, tune=500, chains=2, cores=1, target_accept=0.95)
"""Settings for many fits of small tables: the error of an interval's end is then a twentieth of a
posterior standard deviation, which averages out over replicates."""
# Puts moments and quantiles of the slope within 1e-3 of a posterior standard deviation.
TOLERANCE = 3e-3


@dataclass(frozen=True)
class Answer:
    """An estimate of the average slope and its 95 % interval.

    Attributes
    ----------
    estimate
        The point estimate: a posterior's mean. NaN where there is none.
    low, high
        Ends of the interval, infinite where nothing is excluded, NaN where there is none.
    divergences
        Divergent transitions of a sampled posterior; 0 for everything else.
    """

    estimate: float
    low: float
    high: float
    divergences: int = 0


@dataclass(frozen=True)
class Classical:
    """An estimator of `bayesmed.classical.ESTIMATORS`, by name."""

    name: str
    intercept: bool = True

    def answer(self, data: SiteEstimates, seed: int) -> Answer:
        """Estimate the line of a data set."""
        found = ESTIMATORS[self.name](data, self.intercept, seed=seed)
        if not found.defined:
            return Answer(math.nan, math.nan, math.nan)
        low, high = float(found.interval_low[0]), float(found.interval_high[0])
        return Answer(float(found.slope[0]), low, high)


@dataclass(frozen=True)
class Posterior:
    """The posterior of a model, under a name for tables: integrated where possible, or sampled."""

    name: str
    model: SiteModel
    sampler: Sampler = LIGHT

    def answer(self, data: SiteEstimates, seed: int) -> Answer:
        """Summarise the posterior of the average slope given a data set."""
        try:
            found = exact_posterior(self.model, data, tolerance=TOLERANCE).summary(SLOPE)
        except BayesmedError:  # the model has too many dimensions, or the density is too rough
            return self._sampled(data, seed)
        return Answer(found.mean, found.quantiles[0], found.quantiles[-1])

    def _sampled(self, data: SiteEstimates, seed: int) -> Answer:
        from bayesmed.inference.nuts import sample

        draws, stats = sample(self.model, data, self.sampler, seed, Silent())
        slope = np.ravel(draws.get(AVERAGE_SLOPE, draws[SLOPE]))
        low, high = np.quantile(slope, [0.025, 0.975])
        return Answer(float(slope.mean()), float(low), float(high), int(stats["diverging"].sum()))


type Analysis = Classical | Posterior
