"""Correlated random coefficients, all of them normal: what the graph and its draws consist of.

Everything is about centred variables: persons' levels are those at the average treatment and the
average mediator of the data. How the mediators of persons vary has two forms. With amounts of
treatment they vary by level and by effect; with two arms these two cannot be told apart, and what
has priors is how they vary in each arm, from which the others follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bayesmed.core.names import (
    ARM,
    COEFFICIENT,
    DIRECT_EFFECT,
    MEDIATOR_EFFECT,
    MEDIATOR_EFFECT_SD,
    MEDIATOR_LEVEL,
    MEDIATOR_LEVEL_SD,
    OTHER_COEFFICIENT,
    OUTCOME_LEVEL,
    OUTCOME_LEVEL_SD,
    PERSON_CORRELATION,
    SLOPE,
    SLOPE_SD,
)
from bayesmed.core.types import Floats
from bayesmed.data import TrialPersons
from bayesmed.formulas.correlation import uniform_exponent
from bayesmed.formulas.linear_gaussian import Matrix
from bayesmed.formulas.random_coefficients import CoefficientMeans, normal_log_density
from bayesmed.formulas.random_coefficients_sequential import (
    mediator_from_root,
    mediator_loading,
    outcome_from_root,
    outcome_loading,
    scaled_root,
)
from bayesmed.generative.protocol import Draws
from bayesmed.generative.random_coefficients_covariance import correlated, root_by_entry
from bayesmed.generative.random_coefficients_given import Given, root_rows
from bayesmed.generative.random_coefficients_parameters import MEDIATOR_SD, PARTIAL, PersonScale
from bayesmed.generative.random_coefficients_statistics import chunks
from bayesmed.generative.trial_parameters import Parameter
from bayesmed.priors import Prior

PERSONS, IN_ARM = "persons", ("persons_in_first_arm", "persons_in_second_arm")
"""Data nodes: (N, 3) treatment, mediator and outcome, standardised; of two arms one for each."""
COEFFICIENTS = (MEDIATOR_LEVEL, OUTCOME_LEVEL, MEDIATOR_EFFECT, SLOPE)
SDS = (MEDIATOR_LEVEL_SD, OUTCOME_LEVEL_SD, MEDIATOR_EFFECT_SD, SLOPE_SD)
EXPONENTS = np.array([uniform_exponent(i, j, 4) for i in range(4) for j in range(i)])

_WIDE = Prior("Normal", sigma=2.5, unit="scaled")
_UNIT = Prior("HalfNormal", sigma=1, unit="scaled")
# A person's effects that vary by more than their natural unit would be all of the variance.
_HALF = Prior("HalfNormal", sigma=0.5, unit="scaled")


@dataclass(frozen=True)
class NormalMediator:
    """What depends on a normal mediator.

    Attributes
    ----------
    direct_effect
        Whether there is one.
    two_arms
        Whether treatment has two values.
    """

    direct_effect: bool
    two_arms: bool

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters with a prior of choice."""
        direct = (DIRECT_EFFECT,) if self.direct_effect else ()
        means = (SLOPE, MEDIATOR_EFFECT, *direct, MEDIATOR_LEVEL, OUTCOME_LEVEL)
        mediator = (MEDIATOR_SD,) if self.two_arms else (MEDIATOR_EFFECT_SD, MEDIATOR_LEVEL_SD)
        return (*means, SLOPE_SD, OUTCOME_LEVEL_SD, *mediator)

    @property
    def derived(self) -> tuple[str, ...]:
        """Names of the parameters that follow, or have a uniform prior."""
        effects = (MEDIATOR_EFFECT_SD, MEDIATOR_LEVEL_SD) if self.two_arms else ()
        return (*effects, PERSON_CORRELATION)

    @property
    def varying(self) -> frozenset[str]:
        """Names of the nodes with one row per person."""
        return frozenset(IN_ARM if self.two_arms else (PERSONS,))

    def dims(self) -> dict[str, tuple[str, ...]]:
        """Return the axes of the parameters."""
        return {MEDIATOR_SD: (ARM,), PERSON_CORRELATION: (COEFFICIENT, OTHER_COEFFICIENT)}

    def coords(self, data: TrialPersons) -> dict[str, tuple[str, ...]]:
        """Return the labels along the axes."""
        two = tuple(f"{x:g}" for x in np.unique(data.treatment)) if self.two_arms else ()
        arms = data.names.arms or two
        return {ARM: arms, COEFFICIENT: COEFFICIENTS, OTHER_COEFFICIENT: COEFFICIENTS}

    def table(self, data: TrialPersons) -> tuple[Parameter, ...]:
        """Return the parameters in natural units of the data."""
        s = PersonScale.of(data)
        t, m, y = s.treatment_sd, s.mediator_sd, s.outcome_sd
        every = {
            SLOPE: Parameter(SLOPE, _WIDE, scale=y / m),
            MEDIATOR_EFFECT: Parameter(MEDIATOR_EFFECT, _WIDE, scale=m / t),
            DIRECT_EFFECT: Parameter(DIRECT_EFFECT, _WIDE, scale=y / t),
            MEDIATOR_LEVEL: Parameter(MEDIATOR_LEVEL, _WIDE, location=s.mediator_centre, scale=m),
            OUTCOME_LEVEL: Parameter(OUTCOME_LEVEL, _WIDE, location=s.outcome_centre, scale=y),
            SLOPE_SD: Parameter(SLOPE_SD, _HALF, scale=y / m),
            OUTCOME_LEVEL_SD: Parameter(OUTCOME_LEVEL_SD, _UNIT, scale=y),
            MEDIATOR_SD: Parameter(MEDIATOR_SD, _UNIT, (ARM,), scale=m),
            MEDIATOR_EFFECT_SD: Parameter(MEDIATOR_EFFECT_SD, _HALF, scale=m / t),
            MEDIATOR_LEVEL_SD: Parameter(MEDIATOR_LEVEL_SD, _UNIT, scale=m),
        }
        return tuple(every[name] for name in self.parameters)

    def observations(self, data: TrialPersons) -> dict[str, Floats]:
        """Return the values of the data nodes."""
        rows = PersonScale.of(data).standardised(data)
        if not self.two_arms:
            return {PERSONS: rows}
        return {name: rows[(rows[:, 0] > 0) == (k > 0)] for k, name in enumerate(IN_ARM)}

    def add_likelihood(self, parameters: Mapping[str, Any], nodes: Mapping[str, Any]) -> None:
        """Add correlations and the density of the persons to the graph on the stack."""
        import pymc as pm

        z = 2.0 * pm.Beta(PARTIAL, EXPONENTS, EXPONENTS, shape=EXPONENTS.size) - 1.0
        root = self._root(parameters, [z[k] for k in range(EXPONENTS.size)])
        means = self._means(parameters, 0.0)
        total: Any = 0.0
        for k, node in enumerate(IN_ARM if self.two_arms else (PERSONS,)):
            t, m, y = (nodes[node][:, column] for column in range(3))
            if self.two_arms:
                t, b = t[0], root[2 + k]
                a = outcome_loading(m, root[0], root[1])
            else:
                b = mediator_loading(t, root[0], root[1])
                a = outcome_loading(m, root[2], root[3])
            total += normal_log_density(m, mediator_from_root(t, means, b)).sum()
            total += normal_log_density(y, outcome_from_root(m, t, means, b, a)).sum()
        pm.Potential("likelihood", total)

    def completed(self, draws: Draws, data: TrialPersons) -> dict[str, Floats]:
        """Return correlations and spreads from what was sampled."""
        found = {name: values for name, values in draws.items() if name != PARTIAL}
        partial = list((2.0 * draws[PARTIAL] - 1.0).T)
        if not self.two_arms:
            matrix = root_by_entry(self._root(found, partial), len(draws[PARTIAL]))
            return found | {PERSON_CORRELATION: correlated(matrix[:, (0, 2, 1, 3)]).correlation}
        by_arm = {**found, MEDIATOR_SD: list(found[MEDIATOR_SD].T)}
        matrix = root_by_entry(self._root(by_arm, partial), len(draws[PARTIAL]))
        # Rows: outcome level, slope, and the mediator in either arm.
        low, high = np.unique(data.treatment)
        compliance = (matrix[:, 3] - matrix[:, 2]) / (high - low)
        level = matrix[:, 2] + compliance * (data.treatment.mean() - low)
        whole = correlated(np.stack([level, matrix[:, 0], compliance, matrix[:, 1]], axis=1))
        return found | {
            MEDIATOR_LEVEL_SD: whole.sd[:, 0],
            MEDIATOR_EFFECT_SD: whole.sd[:, 2],
            PERSON_CORRELATION: whole.correlation,
        }

    def prior_completed(
        self, draws: Draws, data: TrialPersons, n: int, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Draw uniform correlations."""
        partial = rng.beta(EXPONENTS, EXPONENTS, (n, EXPONENTS.size))
        return self.completed({**draws, PARTIAL: partial}, data)

    def log_likelihood(self, draws: Draws, data: TrialPersons) -> Floats:
        """Log-density of every person, (n, N)."""
        found = np.empty((len(draws[SLOPE]), data.n))
        for few in chunks(len(found), data.n):
            given = self.given({name: values[few] for name, values in draws.items()}, data)
            found[few] = normal_log_density(data.mediator, given.mediator)
            found[few] += normal_log_density(data.outcome, given.outcome(data.mediator))
        return found

    def simulated(
        self, draws: Draws, data: TrialPersons, rng: np.random.Generator
    ) -> Iterator[tuple[Floats, Floats]]:
        """Draw mediator and outcome of as many persons, a few draws (n, N) at a time."""
        for few in chunks(len(draws[SLOPE]), data.n):
            given = self.given({name: values[few] for name, values in draws.items()}, data)
            noise = rng.standard_normal((2, few.stop - few.start, data.n))
            m = given.mediator.mean + np.sqrt(given.mediator.variance) * noise[0]
            outcome = given.outcome(m)
            yield m, outcome.mean + np.sqrt(outcome.variance) * noise[1]

    def new_persons(
        self, draws: Draws, data: TrialPersons, rng: np.random.Generator
    ) -> TrialPersons:
        """Draw persons from one draw (1, ...), whose levels are at their own average mediator."""
        noise = rng.standard_normal((2, 1, data.n))
        mediator = self.given(draws, data).mediator
        m = mediator.mean + np.sqrt(mediator.variance) * noise[0]
        new = replace(data, mediator=m[0])
        outcome = self.given(draws, new).outcome(m)
        return replace(new, outcome=(outcome.mean + np.sqrt(outcome.variance) * noise[1])[0])

    def given(self, draws: Draws, data: TrialPersons) -> Given:
        """Return the distributions of each person's variables, for draws (n, ...)."""
        s = PersonScale.of(data)
        names = (*COEFFICIENTS, *((DIRECT_EFFECT,) if self.direct_effect else ()))
        column = {name: draws[name][:, None] for name in names}
        sds = np.stack([draws[name] for name in SDS], axis=1)
        return Given(
            data.treatment - s.treatment_centre,
            s.mediator_centre,
            self._means(column, s.mediator_centre),
            root_rows(draws[PERSON_CORRELATION], sds),
        )

    def _root(self, values: Mapping[str, Any], partial: list[Any]) -> Matrix:
        """Return the root whose partial correlations are sampled.

        In two arms nothing else depends on the last one, that of a person's mediators in either.
        """
        if self.two_arms:
            first, second = (values[MEDIATOR_SD][k] for k in range(2))
            sds = [values[OUTCOME_LEVEL_SD], values[SLOPE_SD], first, second]
        else:
            names = (MEDIATOR_LEVEL_SD, MEDIATOR_EFFECT_SD, OUTCOME_LEVEL_SD, SLOPE_SD)
            sds = [values[name] for name in names]
        return scaled_root(sds, partial)

    def _means(self, values: Mapping[str, Any], centre: float) -> CoefficientMeans:
        """Return the means about the centre of the mediator."""
        direct = values[DIRECT_EFFECT] if self.direct_effect else 0.0
        level = values[MEDIATOR_LEVEL] - centre
        return CoefficientMeans(
            level, values[MEDIATOR_EFFECT], values[OUTCOME_LEVEL], values[SLOPE], direct
        )
