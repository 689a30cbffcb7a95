"""Populations of types of persons, and persons drawn from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmed.formulas.principal_types import principal_types


@dataclass(frozen=True)
class Population:
    """Shares of types, their outcomes, and P(Z = 1)."""

    types: Any
    share: Any
    intercept: Any
    slope: Any
    instrument_share: Any


def population(seed: int, monotone_in: Any = "none", *, same_slope: bool = False) -> Population:
    """Return random shares and outcomes of the types allowed."""
    rng = np.random.default_rng(seed)
    types = principal_types(monotone_in)
    slope = rng.normal(1.0, 1.5, (len(types), 2))
    if same_slope:
        slope[:] = slope[0]
    p = rng.uniform(0.2, 0.8)
    return Population(
        types=types,
        share=rng.dirichlet(np.ones(len(types))),
        intercept=rng.normal(0.0, 3.0, (len(types), 2)),
        slope=slope,
        instrument_share=np.array([1 - p, p]),
    )


@dataclass(frozen=True)
class Persons:
    """N persons with everything that nobody sees."""

    d: NDArray[np.int64]
    z: NDArray[np.int64]
    mediator: NDArray[np.float64]
    """(N, 2, 2) M_dz."""
    outcome: NDArray[np.float64]
    """(N, 2, 2) Y_dm."""

    def mediator_under(self, d: int) -> Any:
        """M_d, with each person's own instrument."""
        return self.mediator[np.arange(len(self.z)), d, self.z]

    def outcome_under(self, d: int, other: int) -> Any:
        """Outcome under d with the mediator as under ``other``."""
        m = self.mediator_under(other).astype(int)
        return self.outcome[np.arange(len(self.z)), d, m]


def persons(found: Population, n: int, seed: int = 0) -> Persons:
    """Draw persons one by one: type, outcomes with noise, treatment, instrument."""
    rng = np.random.default_rng(seed)
    t = rng.choice(len(found.types), n, p=found.share)
    base = found.intercept[t] + rng.normal(size=(n, 2))
    effect = found.slope[t] + rng.normal(size=(n, 2))
    return Persons(
        d=rng.integers(0, 2, n),
        z=(rng.random(n) < found.instrument_share[1]).astype(int),
        mediator=found.types[t],
        outcome=np.stack([base, base + effect], axis=-1),
    )
