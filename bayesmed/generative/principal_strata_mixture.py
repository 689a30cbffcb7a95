"""Persons who are a mixture of types: their density, and new cells made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmed.core.names import OUTCOME_SD, TYPE_INTERCEPT, TYPE_SHARE, TYPE_SLOPE
from bayesmed.core.types import Floats, Integers
from bayesmed.data import TrialCells
from bayesmed.formulas.strata_likelihood import cell_weights
from bayesmed.generative.protocol import Draws

if TYPE_CHECKING:
    from bayesmed.generative.principal_strata import PrincipalStrata

__all__ = ["mixed_cells", "mixed_persons", "mixture_log_likelihood"]


def _types_of_cells(model: PrincipalStrata, draws: Draws) -> tuple[Floats, Floats]:
    """Weights and means of types in the cells, each (n, S, 2, 2, 2, T)."""
    weight = np.moveaxis(np.nan_to_num(cell_weights(draws[TYPE_SHARE], model.types)), 2, -1)
    intercept = np.moveaxis(draws[TYPE_INTERCEPT], 2, -1)[:, :, :, None, None, :]
    slope = np.moveaxis(draws[TYPE_SLOPE], 2, -1)[:, :, :, None, None, :]
    return weight, intercept + slope * np.array([0.0, 1.0])[:, None] + np.zeros_like(weight)


def mixture_log_likelihood(model: PrincipalStrata, draws: Draws, data: TrialCells) -> Floats:
    """Log-density of the outcomes of each cell's persons, (n, S, 2, 2, 2)."""
    assert data.outcomes is not None
    outcome, cell = data.outcomes
    weight, mean = _types_of_cells(model, draws)
    n, shape = len(weight), weight.shape[1:-1]
    weight, mean = (x.reshape(n, -1, x.shape[-1]) for x in (weight, mean))
    found = np.zeros((n, weight.shape[1]))
    for c in np.unique(cell).astype(int).tolist():
        sd = draws[OUTCOME_SD][:, (c // 4) % 2][:, None, None]
        own = outcome[cell == c][None, :, None]
        z = (own - mean[:, None, c]) / sd
        density = (weight[:, None, c] * np.exp(-0.5 * z**2)).sum(axis=-1)
        # Far from every type a density is too small for a number.
        terms = np.log(np.maximum(density, 1e-300)) - np.log(sd[..., 0]) - 0.5 * np.log(2 * np.pi)
        found[:, c] = terms.sum(axis=-1)
    return found.reshape(n, *shape)


def mixed_cells(
    model: PrincipalStrata, draws: Draws, persons: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw mean outcomes and sums of squares of cells with so many persons, (n, S, 2, 2, 2)."""
    weight, mean = _types_of_cells(model, draws)
    total = weight.sum(axis=-1, keepdims=True)
    even = np.full_like(weight, 1.0 / weight.shape[-1])
    share = np.where(total > 0, weight / np.where(total > 0, total, 1.0), even)
    of_type = rng.multinomial(persons.astype(np.int64), share).astype(np.float64)
    sd = draws[OUTCOME_SD][:, None, :, None, None, None]
    at = mean + sd / np.sqrt(np.maximum(of_type, 1.0)) * rng.normal(size=mean.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        average = (of_type * at).sum(axis=-1) / persons
    within = sd**2 * rng.chisquare(np.maximum(of_type - 1.0, 1e-9))
    apart = of_type * (at - average[..., None]) ** 2
    return average, (within + apart).sum(axis=-1)


def mixed_persons(
    model: PrincipalStrata, draws: Draws, n: Floats, rng: np.random.Generator
) -> tuple[Floats, Integers]:
    """Draw outcome and cell of single persons, n (S, 2, 2, 2) of them, from the first draw."""
    weight, mean = (x[0].reshape(n.size, -1) for x in _types_of_cells(model, draws))
    cell = np.repeat(np.arange(n.size), n.ravel().astype(np.int64))
    below = np.cumsum(weight[cell], axis=-1)
    of_type = (rng.random((len(cell), 1)) * below[:, -1:] >= below).sum(axis=-1)
    sd = draws[OUTCOME_SD][0][(cell // 4) % 2]
    return mean[cell, of_type] + sd * rng.standard_normal(len(cell)), cell
