"""A binary mediator in two arms: its share in each arm, and the outcome by arm and mediator.

Every person's compliance is -1, 0 or 1 then, and nothing about types of persons is needed: effects
are functions of shares and means of cells. The outcome is normal in a cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bayesmed.core.names import ARM, CELL_MEAN, CELL_SD, MEDIATOR_SHARE, MEDIATOR_VALUE
from bayesmed.core.types import Floats, Integers
from bayesmed.data import TrialPersons
from bayesmed.formulas.random_coefficients import Conditional, normal_log_density
from bayesmed.formulas.site_slope import LOG_2PI
from bayesmed.generative.protocol import Draws
from bayesmed.generative.random_coefficients_parameters import PersonScale
from bayesmed.generative.random_coefficients_statistics import chunks
from bayesmed.generative.trial_parameters import Parameter
from bayesmed.priors import Prior

CELLS = "cells"
"""The data node: (3, 2, 2) persons, mean outcome and squares about it, by arm and mediator."""
VALUES = ("0", "1")


@dataclass(frozen=True)
class BinaryMediator:
    """What depends on a binary mediator."""

    parameters = (MEDIATOR_SHARE, CELL_MEAN, CELL_SD)
    derived: tuple[str, ...] = ()
    varying: frozenset[str] = frozenset()

    def dims(self) -> dict[str, tuple[str, ...]]:
        """Return the axes of the parameters."""
        cell = (ARM, MEDIATOR_VALUE)
        return {MEDIATOR_SHARE: (ARM,), CELL_MEAN: cell, CELL_SD: cell}

    def coords(self, data: TrialPersons) -> dict[str, tuple[str, ...]]:
        """Return the labels along the axes."""
        return {ARM: data.names.arms or (), MEDIATOR_VALUE: VALUES}

    def table(self, data: TrialPersons) -> tuple[Parameter, ...]:
        """Return the parameters in natural units of the data."""
        s, dims = PersonScale.of(data), self.dims()
        share = Prior("Uniform", lower=0, upper=1)
        wide = Prior("Normal", sigma=2.5, unit="scaled")
        unit = Prior("HalfNormal", sigma=1, unit="scaled")
        return (
            Parameter(MEDIATOR_SHARE, share, dims[MEDIATOR_SHARE]),
            Parameter(CELL_MEAN, wide, dims[CELL_MEAN], s.outcome_centre, s.outcome_sd),
            Parameter(CELL_SD, unit, dims[CELL_SD], scale=s.outcome_sd),
        )

    def observations(self, data: TrialPersons) -> dict[str, Floats]:
        """Return the data node's value."""
        s = PersonScale.of(data)
        y = (data.outcome - s.outcome_centre) / s.outcome_sd
        cell = cell_of(data)
        n = np.bincount(cell, minlength=4).astype(np.float64)
        mean = np.bincount(cell, y, minlength=4) / np.maximum(n, 1.0)
        squares = np.bincount(cell, (y - mean[cell]) ** 2, minlength=4)
        return {CELLS: np.stack([n, mean, squares]).reshape(3, 2, 2)}

    def add_likelihood(self, parameters: Mapping[str, Any], nodes: Mapping[str, Any]) -> None:
        """Add the density of the cells to the graph on the stack."""
        import pymc as pm

        n, mean, squares = (nodes[CELLS][k] for k in range(3))
        share, sd = parameters[MEDIATOR_SHARE], parameters[CELL_SD]
        away = squares + n * (mean - parameters[CELL_MEAN]) ** 2
        outcome = -n * (np.log(sd) + LOG_2PI / 2) - away / (2.0 * sd**2)
        mediator = n[:, 0] * np.log1p(-share) + n[:, 1] * np.log(share)
        pm.Potential("likelihood", outcome.sum() + mediator.sum())

    def completed(self, draws: Draws, data: TrialPersons) -> dict[str, Floats]:
        """Return the draws: nothing was integrated out."""
        return dict(draws)

    def prior_completed(
        self, draws: Draws, data: TrialPersons, n: int, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Return the draws: every parameter has a prior of choice."""
        return dict(draws)

    def log_likelihood(self, draws: Draws, data: TrialPersons) -> Floats:
        """Log-density of every person, (n, N)."""
        share, cell = draws[MEDIATOR_SHARE], cell_of(data)
        of_mediator = np.log(np.stack([1.0 - share, share], axis=-1)).reshape(-1, 4)
        mean, sd = (draws[k].reshape(-1, 4)[:, cell] for k in (CELL_MEAN, CELL_SD))
        of_outcome: Floats = normal_log_density(data.outcome, Conditional(mean, sd**2))
        return of_mediator[:, cell] + of_outcome

    def simulated(
        self, draws: Draws, data: TrialPersons, rng: np.random.Generator
    ) -> Iterator[tuple[Floats, Floats]]:
        """Draw mediator and outcome of as many persons, a few draws (n, N) at a time."""
        arm = data.treatment.astype(np.int64)
        for few in chunks(len(draws[MEDIATOR_SHARE]), data.n):
            share = draws[MEDIATOR_SHARE][few][:, arm]
            has = rng.random(share.shape) < share
            rows = np.arange(len(share))[:, None]
            mean, sd = (draws[k][few][rows, arm, has.astype(int)] for k in (CELL_MEAN, CELL_SD))
            yield has.astype(np.float64), mean + sd * rng.standard_normal(mean.shape)

    def new_persons(
        self, draws: Draws, data: TrialPersons, rng: np.random.Generator
    ) -> TrialPersons:
        """Draw persons from one draw (1, ...)."""
        mediator, outcome = next(iter(self.simulated(draws, data, rng)))
        return replace(data, mediator=mediator[0], outcome=outcome[0])


def cell_of(data: TrialPersons) -> Integers:
    """Return (N,) the cell of each person: 2 t + m."""
    return (2 * data.treatment + data.mediator).astype(np.int64)
