"""What follows from draws of a model of types: what was integrated out, densities, new cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bayesmed.core.names import (
    CELL_MEAN,
    CELL_SD,
    INSTRUMENT_SHARE,
    INTERCEPT_HETEROGENEITY,
    INTERCEPT_MEAN,
    MEDIATOR_SHARE,
    SLOPE_HETEROGENEITY,
    SLOPE_MEAN,
    TYPE_INTERCEPT,
    TYPE_SHARE,
    TYPE_SLOPE,
)
from bayesmed.core.types import ArrayLike, Floats
from bayesmed.data import TrialCells
from bayesmed.formulas.principal_strata import cell_means, cell_shares
from bayesmed.formulas.strata_likelihood import (
    CELLS_OF_ARM,
    PAIRS_OF_CELLS,
    cell_weights,
    covariance_of_cell_means,
    intercept_bounds,
    truncated_slopes,
)
from bayesmed.formulas.sums_of_uniforms import drawn_parts
from bayesmed.formulas.type_intercepts import (
    SumsOfGroups,
    average_of_moved,
    averages_at,
    bent,
    groups_of_types,
)
from bayesmed.formulas.type_shares import SMALLEST
from bayesmed.generative.principal_strata_data import (
    AVERAGE_POSITION,
    INTERCEPT_POSITION,
    MEAN_POSITION,
    SLOPE_POSITION,
    UNIT,
    at_average,
    average_priors,
    in_order,
    slope_ends,
    told_slope,
)
from bayesmed.generative.principal_strata_mixture import (
    mixed_cells,
    mixed_persons,
    mixture_log_likelihood,
)
from bayesmed.generative.principal_strata_shares import prior_shares, shares_at_coordinates
from bayesmed.generative.protocol import Draws
from bayesmed.priors import Prior

if TYPE_CHECKING:
    from bayesmed.generative.principal_strata import PrincipalStrata

__all__ = ["completed", "log_likelihood", "prior_completed", "replicated", "simulated"]


def completed(
    model: PrincipalStrata, draws: Draws, data: TrialCells, rng: np.random.Generator
) -> dict[str, Floats]:
    """Return every parameter; see `PrincipalStrata.completed`."""
    found = dict(draws)
    n = len(next(iter(found.values())))
    found[INSTRUMENT_SHARE] = _instrument_shares(data, n, rng)
    if model.saturated:
        return found
    found[TYPE_SHARE] = shares_at_coordinates(model, found, n, data.n_strata)
    how = model.likelihood_for(data)
    if how == "moments":
        return found | _given_cells(model, found, data, rng)
    if how == "counts":
        return found | _given_averages(model, found, data, rng)
    shape = (n, data.n_strata, len(model.types), 2)
    position = {key: found.pop(key).reshape(shape) for key in (INTERCEPT_POSITION, SLOPE_POSITION)}
    return found | _at_positions(model, found, position, how)


def _given_averages(
    model: PrincipalStrata,
    draws: dict[str, Floats],
    data: TrialCells,
    rng: np.random.Generator,
) -> dict[str, Floats]:
    """Take coordinates out of the draws and return a and b, each a given averages of groups."""
    share, groups = draws[TYPE_SHARE], groups_of_types(model.types)
    lead, shape = share.shape[:-1], (*share.shape, 2)
    position = np.swapaxes(draws.pop(SLOPE_POSITION).reshape(*lead, 2, -1), -1, -2)
    draws[SLOPE_MEAN] = _average_slopes(model, draws, data, position)
    slope = _slopes_of_counts(model, draws, position)
    low, high = intercept_bounds(slope)
    values = [share[..., None] * x for x in (np.ones(shape), slope, low, high - low)]
    flat = [np.swapaxes(x, -1, -2).reshape(*lead, -1) for x in values]
    every = np.split(np.concatenate(flat, axis=-1) @ groups.sums, 3 + len(groups.place), axis=-1)
    at = at_average(draws.pop(AVERAGE_POSITION)).reshape(*lead, -1)
    mass = averages_at(SumsOfGroups(every[0], every[1], every[2], every[3:]), at, groups).mass
    room, part = flat[3] + SMALLEST, np.zeros_like(flat[3])
    for g, size in enumerate(groups.sizes):
        own = [int(np.flatnonzero(place[:, g])[0]) for place in groups.place[:size]]
        part[..., own] = drawn_parts(np.asarray(mass)[..., g], room[..., own], rng)
    inside = np.swapaxes((part / room).reshape(*lead, 2, -1), -1, -2)
    return {TYPE_INTERCEPT: low + (high - low) * inside, TYPE_SLOPE: slope}


def _average_slopes(
    model: PrincipalStrata, draws: dict[str, Floats], data: TrialCells, position: Floats
) -> Floats:
    r"""Take a coordinate out of the draws and return :math:`b_d`; as `principal_strata_graph`."""
    share, het = draws[TYPE_SHARE], heterogeneity(model, draws)
    twice = np.concatenate([share, share], axis=-1)
    away = np.swapaxes(position, -1, -2).reshape(*share.shape[:-1], -1)
    moved = np.asarray(average_of_moved(twice, away, model.types))
    told = told_slope(draws.pop(MEAN_POSITION)).reshape(moved.shape)
    low, high = np.moveaxis(slope_ends(model, data), 1, 0)
    spread = het if isinstance(het, float) else het[:, None, None]
    found: Floats = low + np.asarray(bent(told - spread * moved, low, high - low).above)
    return found


def prior_completed(
    model: PrincipalStrata, draws: Draws, data: TrialCells, n: int, rng: np.random.Generator
) -> dict[str, Floats]:
    """Return every parameter; see `PrincipalStrata.prior_completed`."""
    found = dict(draws)
    uniform = rng.uniform(size=(n, data.n_strata))
    found[INSTRUMENT_SHARE] = np.stack([1 - uniform, uniform], axis=-1)
    if model.saturated:
        return found
    count = len(model.types)
    found[TYPE_SHARE] = prior_shares(model, (n, data.n_strata), rng)
    how, shape = model.likelihood_for(data), (n, data.n_strata, count, 2)
    at = rng.uniform(size=shape) if how == "counts" else rng.normal(size=shape)
    position = {INTERCEPT_POSITION: at, SLOPE_POSITION: rng.normal(size=shape)}
    return found | _at_positions(model, found, position, how)


def heterogeneity(model: PrincipalStrata, draws: Draws) -> Floats | float:
    r"""Return :math:`\sigma_{het}`, drawn or fixed."""
    fixed = model.heterogeneity
    return draws[SLOPE_HETEROGENEITY] if isinstance(fixed, Prior) else float(fixed)


def _spread(values: Floats | float) -> Floats | float:
    """Give draws the axes of strata, types and arms."""
    return values if isinstance(values, float) else values[:, None, None, None]


def _at_positions(
    model: PrincipalStrata, draws: Draws, position: Mapping[str, Floats], how: str
) -> dict[str, Floats]:
    """Return a and b of every type from where they lie, in units without scale."""
    if how == "counts":
        slope = _slopes_of_counts(model, draws, position[SLOPE_POSITION])
        low, high = intercept_bounds(slope)
        intercept = low + (high - low) * position[INTERCEPT_POSITION]
    else:
        away = _spread(heterogeneity(model, draws)) * position[SLOPE_POSITION]
        slope = draws[SLOPE_MEAN][:, :, None, :] + away
        spread = _spread(draws[INTERCEPT_HETEROGENEITY])
        intercept = draws[INTERCEPT_MEAN][:, :, None, :] + spread * position[INTERCEPT_POSITION]
    return {TYPE_INTERCEPT: intercept, TYPE_SLOPE: slope}


def _slopes_of_counts(model: PrincipalStrata, draws: Draws, position: Floats) -> Floats:
    """Return b of every type, a difference of two probabilities, from where it lies."""
    from scipy.special import ndtr, ndtri

    mean, spread = draws[SLOPE_MEAN][:, :, None, :], _spread(heterogeneity(model, draws))
    return np.asarray(truncated_slopes(mean, spread, position, ndtr, ndtri))


def _instrument_shares(data: TrialCells, n: int, rng: np.random.Generator) -> Floats:
    """Shares of the instrument's values, (n, S, 2): uniform a priori, so beta given the counts."""
    at = data.persons.sum(axis=1)
    one = rng.beta(1.0 + at[:, 1], 1.0 + at[:, 0], size=(n, data.n_strata))
    return np.stack([1.0 - one, one], axis=-1)


def _given_cells(
    model: PrincipalStrata, draws: Draws, data: TrialCells, rng: np.random.Generator
) -> dict[str, Floats]:
    """Draw averages and types from their normal conditional given the cells' means.

    All of them and the cells are drawn together from the model, and moved by what the cells drawn
    lack of the cells seen (Matheron's rule).
    """
    n, types = len(draws[TYPE_SHARE]), model.types
    level, steep = (average_priors(model, data, name) for name in (INTERCEPT_MEAN, SLOPE_MEAN))
    found = {
        INTERCEPT_MEAN: level.mean + level.sd * rng.normal(size=(n, data.n_strata, 2)),
        SLOPE_MEAN: steep.mean + steep.sd * rng.normal(size=(n, data.n_strata, 2)),
    }
    shape = (n, data.n_strata, len(types), 2)
    position = {key: rng.normal(size=shape) for key in (INTERCEPT_POSITION, SLOPE_POSITION)}
    found |= _at_positions(model, {**draws, **found}, position, "moments")
    weight = np.nan_to_num(cell_weights(draws[TYPE_SHARE], types))  # (n, S, T, d, z, m)
    expected = cell_means(draws[TYPE_SHARE], found[TYPE_INTERCEPT], found[TYPE_SLOPE], types)
    there = data.n > 0
    noise = np.where(there, draws[CELL_SD] ** 2 / np.maximum(data.n, 1.0), 1.0)
    lacking = data.mean - np.nan_to_num(expected) - np.sqrt(noise) * rng.normal(size=noise.shape)
    lacking = np.where(there, lacking, 0.0)
    flat, het = draws[INTERCEPT_HETEROGENEITY], heterogeneity(model, draws)
    pairs = covariance_of_cell_means(
        draws[TYPE_SHARE],
        types,
        flat[:, None, None],
        het if isinstance(het, float) else het[:, None, None],
    )
    treated = np.array([float(m) for _, m in CELLS_OF_ARM])
    common = (
        level.sd[..., None, None] ** 2 + np.outer(treated, treated) * steep.sd[..., None, None] ** 2
    )
    seen = in_order(data.n) > 0  # (S, d, 4)
    cov = (_matrices(pairs) + common) * (seen[..., :, None] & seen[..., None, :])
    cov = cov + np.eye(4) * in_order(noise)[..., None, :]
    gain = np.linalg.solve(cov, in_order(lacking)[..., None])[..., 0] * seen  # (n, S, d, 4)
    moved = in_order(weight) * gain[:, :, None]  # (n, S, T, d, 4)
    averages = level.sd**2 * gain.sum(-1), steep.sd**2 * (gain * treated).sum(-1)
    of_types = moved.sum(-1) * _spread(flat) ** 2, (moved * treated).sum(-1) * _spread(het) ** 2
    names = ((INTERCEPT_MEAN, TYPE_INTERCEPT), (SLOPE_MEAN, TYPE_SLOPE))
    for (average, of_type), shift, apart in zip(names, averages, of_types, strict=True):
        found[average] = found[average] + shift
        found[of_type] = found[of_type] + shift[:, :, None] + apart
    return found


def _matrices(pairs: ArrayLike) -> Floats:
    """Return covariances (..., 2, 4, 4) from those of pairs of cells, (..., 20)."""
    found = np.zeros((*pairs.shape[:-1], 2, 4, 4))
    for k, (i, j) in enumerate(PAIRS_OF_CELLS):
        found[..., i, j] = found[..., j, i] = pairs[..., 2 * k : 2 * k + 2]
    return found


def _cells(model: PrincipalStrata, draws: Draws) -> tuple[Floats, Floats]:
    """Probabilities of the mediator's values and mean outcomes of the cells, (n, S, 2, 2, 2)."""
    if model.saturated:
        share = draws[MEDIATOR_SHARE]
        return np.stack([1.0 - share, share], axis=-1), draws[CELL_MEAN]
    share = draws[TYPE_SHARE]
    means = cell_means(share, draws[TYPE_INTERCEPT], draws[TYPE_SLOPE], model.types)
    return np.asarray(cell_shares(share, model.types)), np.asarray(means)


def log_likelihood(model: PrincipalStrata, draws: Draws, data: TrialCells) -> tuple[str, Floats]:
    """Log-density of each unit; see `PrincipalStrata.log_likelihood`."""
    shares, means = _cells(model, draws)
    how, n = model.likelihood_for(data), data.n
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(n > 0, n * np.log(shares), 0.0)
        if how == "counts":
            events = n * data.mean
            of_outcome = np.where(events > 0, events * np.log(means), 0.0)
            of_outcome = of_outcome + np.where(n > events, (n - events) * np.log1p(-means), 0.0)
        elif how == "mixture":
            of_outcome = mixture_log_likelihood(model, draws, data)
        else:
            sd = draws[CELL_SD]
            squares = data.squares + n * (data.mean - np.nan_to_num(means)) ** 2
            of_outcome = -n * (np.log(sd) + 0.5 * np.log(2 * np.pi)) - 0.5 * squares / sd**2
    total = (each + of_outcome).sum(axis=-1)
    return UNIT, total.reshape(len(total), -1)


def replicated(
    model: PrincipalStrata, draws: Draws, data: TrialCells, rng: np.random.Generator
) -> dict[str, Floats]:
    """Draw new cells; see `PrincipalStrata.replicated`."""
    shares, means = _cells(model, draws)
    persons = data.persons
    having = rng.binomial(persons.astype(np.int64), np.clip(shares[..., 1], 0, 1))
    n = np.stack([persons - having, having], axis=-1).astype(np.float64)
    how = model.likelihood_for(data)
    with np.errstate(divide="ignore", invalid="ignore"):
        if how == "counts":
            events = rng.binomial(n.astype(np.int64), np.clip(np.nan_to_num(means), 0, 1))
            mean = events / n
            squares = events * (1.0 - mean)
        elif how == "mixture":
            mean, squares = mixed_cells(model, draws, n, rng)
        else:
            sd = draws[CELL_SD]
            mean = means + sd / np.sqrt(n) * rng.normal(size=n.shape)
            squares = sd**2 * rng.chisquare(np.maximum(n - 1.0, 1e-9))
        spread = np.sqrt(np.where(n > 1, squares / (n - 1.0), np.nan))
    return {
        MEDIATOR_SHARE: having / persons,
        CELL_MEAN: np.where(n > 0, mean, np.nan),
        CELL_SD: spread,
    }


def simulated(
    model: PrincipalStrata, draws: Draws, data: TrialCells, rng: np.random.Generator
) -> tuple[TrialCells, dict[str, Floats]]:
    """Draw new cells from the first draw; see `PrincipalStrata.simulated`."""
    first = {name: values[:1] for name, values in draws.items()}
    # Known from the numbers of persons, which new cells keep.
    first[INSTRUMENT_SHARE] = _instrument_shares(data, 1, rng)
    seen = {name: values[0] for name, values in replicated(model, first, data, rng).items()}
    having = np.round(seen[MEDIATOR_SHARE] * data.persons)
    n = np.stack([data.persons - having, having], axis=-1)
    if model.likelihood_for(data) == "mixture":
        outcome, cell = mixed_persons(model, first, n, rng)
        count = np.maximum(n, 1.0)
        mean = np.bincount(cell, outcome, n.size).reshape(n.shape) / count
        squares = np.bincount(cell, (outcome - mean.ravel()[cell]) ** 2, n.size).reshape(n.shape)
        own = outcome, cell.astype(np.float64)
        return replace(data, n=n, mean=mean, squares=squares, outcomes=own), first
    squares = np.where(n > 1, np.nan_to_num(seen[CELL_SD]) ** 2 * (n - 1.0), 0.0)
    return replace(data, n=n, mean=np.nan_to_num(seen[CELL_MEAN]), squares=squares), first
