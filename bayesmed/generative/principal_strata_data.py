"""The cells of a trial as a model of types takes them: parameters with units, labels, nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bayesmed.core.names import (
    ARM,
    CELL_MEAN,
    CELL_SD,
    INSTRUMENT,
    INSTRUMENT_SHARE,
    INTERCEPT_HETEROGENEITY,
    INTERCEPT_MEAN,
    MEDIATOR_SHARE,
    MEDIATOR_VALUE,
    OUTCOME_SD,
    SLOPE_HETEROGENEITY,
    SLOPE_MEAN,
    STRATUM,
    TYPE,
    TYPE_INTERCEPT,
    TYPE_SHARE,
    TYPE_SLOPE,
)
from bayesmed.core.types import Floats
from bayesmed.data import TrialCells
from bayesmed.formulas.principal_types import type_names
from bayesmed.formulas.strata_likelihood import CELLS_OF_ARM, PAIRS_OF_CELLS
from bayesmed.generative.trial_parameters import Coords, Parameter
from bayesmed.priors import Prior

if TYPE_CHECKING:
    from bayesmed.generative.principal_strata import PrincipalStrata

# Data nodes. Saturated: counts, means and squares of cells. Types: numbers that are no data; counts
# of cells (S, 8), axes d, z, m, or (8,) of one stratum; counts of outcomes; outcomes of persons and
# the cell of each.
CELLS, CONSTANTS, COUNTS, PERSONS = "cells", "constants", "counts", "persons"
EVENTS, OTHERS, ENDS = "counts_with_outcome", "counts_without_outcome", "slope_ends"
# Types by moments, as counts: sums of squares, their degrees of freedom, 1 / n, and whether
# a cell is empty. By pairs of cells, arms inside (`strata_likelihood.PAIRS_OF_CELLS`): distances
# of means from those expected a priori, whether both cells are there, and prior covariances.
SQUARES, FREEDOM, PER_PERSON, EMPTY = "squares", "freedom", "per_person", "empty"
DISTANCE, SEEN, PRIOR_COVARIANCE = "distance", "seen", "prior_covariance"
# What is sampled of types: their shares in coordinates, where a and b lie, without units, the
# averages of a that cells tell, and of b.
TYPE_POSITION, DEFIER_POSITION = "type_share_position", "defier_share_position"
INTERCEPT_POSITION, SLOPE_POSITION = "type_intercept_position", "type_slope_position"
AVERAGE_POSITION, MEAN_POSITION = "type_average_position", "slope_mean_position"
UNIT = "cell"
"""The axis of persons at one treatment and instrument, which are independent of the others."""

_BY_ARM = (STRATUM, ARM)
_BY_CELL = (STRATUM, ARM, INSTRUMENT, MEDIATOR_VALUE)
DIMS: Mapping[str, tuple[str, ...]] = {
    INTERCEPT_MEAN: _BY_ARM,
    SLOPE_MEAN: _BY_ARM,
    OUTCOME_SD: (ARM,),
    CELL_SD: _BY_CELL,
    CELL_MEAN: _BY_CELL,
    MEDIATOR_SHARE: _BY_CELL[:3],
    INSTRUMENT_SHARE: (STRATUM, INSTRUMENT),
    TYPE_SHARE: (STRATUM, TYPE),
    TYPE_INTERCEPT: (STRATUM, TYPE, ARM),
    TYPE_SLOPE: (STRATUM, TYPE, ARM),
}
SUPPORTS = {
    INTERCEPT_MEAN: "real",
    SLOPE_MEAN: "real",
    INTERCEPT_HETEROGENEITY: "positive",
    SLOPE_HETEROGENEITY: "positive",
    CELL_SD: "positive",
    OUTCOME_SD: "positive",
    CELL_MEAN: "real",
    MEDIATOR_SHARE: "share",
}
_WIDE = Prior("Normal", mu=0, sigma=2.5, unit="scaled")
_SPREAD = Prior("HalfNormal", sigma=2.5, unit="scaled")
_UNIFORM = Prior("Uniform", lower=0, upper=1)
_DEFAULTS = {
    INTERCEPT_MEAN: _WIDE,
    SLOPE_MEAN: _WIDE,
    # Away from 0: types that are taken to be alike are no confounding, and would pull what the
    # instrument tells towards a comparison of persons with and without the mediator.
    INTERCEPT_HETEROGENEITY: Prior("LogNormal", mu=0, sigma=0.5, unit="scaled"),
    CELL_SD: _SPREAD,
    OUTCOME_SD: _SPREAD,
    CELL_MEAN: _WIDE,
    MEDIATOR_SHARE: _UNIFORM,
}
_COUNTED = {SLOPE_MEAN: Prior("Uniform", lower=-1, upper=1), CELL_MEAN: _UNIFORM}
_LEVELS = (INTERCEPT_MEAN, CELL_MEAN)


class OutcomeUnits(NamedTuple):
    """Natural location and scale of the outcome."""

    location: float
    scale: float


def outcome_units(model: PrincipalStrata, data: TrialCells) -> OutcomeUnits:
    """Return mean and standard deviation over all persons; 0 and 1 where probabilities are."""
    if model.likelihood_for(data) == "counts":
        return OutcomeUnits(0.0, 1.0)
    return _spread_of_outcome(data)


def _spread_of_outcome(data: TrialCells) -> OutcomeUnits:
    whole = data.pooled()
    n, mean, squares = (x.ravel() for x in (whole.n, whole.mean, whole.squares))
    location = float(n @ mean / n.sum())
    total = float(squares.sum() + n @ (mean - location) ** 2)
    return OutcomeUnits(location, float(np.sqrt(total / max(n.sum() - 1, 1))) or 1.0)


def table(model: PrincipalStrata, data: TrialCells) -> tuple[Parameter, ...]:
    """Return the parameters that have a prior of choice, in order."""
    counted = model.likelihood_for(data) == "counts"
    location, scale = outcome_units(model, data)
    found = []
    for name in model.parameters:
        if counted and name in (CELL_SD, INTERCEPT_MEAN, INTERCEPT_HETEROGENEITY):
            continue  # an outcome of 0 and 1 counted by the default choice
        default = (_COUNTED if counted else _DEFAULTS).get(name) or _DEFAULTS.get(name)
        if name == SLOPE_HETEROGENEITY:
            assert isinstance(model.heterogeneity, Prior)
            default = model.heterogeneity
            if counted:  # probabilities have units of their own, heterogeneity is in sds
                default = default.in_data_units(0.0, _spread_of_outcome(data).scale)
        assert default is not None
        share = name == MEDIATOR_SHARE
        at, width = location if name in _LEVELS else 0.0, 1.0 if share else scale
        found.append(Parameter(name, default, DIMS.get(name, ()), at, width))
    return tuple(found)


def coords(model: PrincipalStrata, data: TrialCells) -> Coords:
    """Return the labels along every axis."""
    assert data.names.arms is not None
    arms = tuple(data.names.arms)
    binary = ("0", "1")
    several = data.n_strata > 1
    units = [
        f"{f'{stratum}, ' if several else ''}{data.names.treatment} = {arm}, "
        f"{data.instrument} = {z}"
        for stratum in data.stratum
        for arm in arms
        for z in binary
    ]
    return {
        STRATUM: data.stratum,
        ARM: arms,
        INSTRUMENT: binary,
        MEDIATOR_VALUE: binary,
        TYPE: type_names(model.types),
        UNIT: tuple(units),
    }


def observations(model: PrincipalStrata, data: TrialCells) -> dict[str, Floats]:
    """Return the values of the data nodes, in the outcome's natural units.

    What does not depend on parameters is worked out here, not in the graph.
    """
    location, scale = outcome_units(model, data)
    mean = np.where(data.n > 0, (data.mean - location) / scale, 0.0)
    squares, how = data.squares / scale**2, model.likelihood_for(data)
    if model.saturated:
        return {CELLS: np.stack([data.n, mean, squares])}
    het = model.heterogeneity
    fixed = 0.0 if isinstance(het, Prior) else het / scale
    flat = lead(data.n_strata, 8)
    found = {
        CONSTANTS: np.array([fixed, model.share_concentration, model.defiers]),
        COUNTS: data.n.reshape(flat),
    }
    if how == "counts":
        found[EVENTS] = (data.n * mean).reshape(flat)
        found[ENDS] = slope_ends(model, data).reshape(lead(data.n_strata, 4))
        found[OTHERS] = (data.n * (1.0 - mean)).reshape(flat)
    elif how == "mixture":
        assert data.outcomes is not None
        outcome, cell = data.outcomes
        found[PERSONS] = np.column_stack([(outcome - location) / scale, cell])
    else:
        found |= _of_pairs(model, data, mean)
        found[SQUARES] = squares.reshape(flat)
        found[FREEDOM] = np.maximum(data.n - 1.0, 0.0).reshape(flat)
        found[PER_PERSON] = np.where(data.n > 0, 1.0 / np.maximum(data.n, 1.0), 0.0).reshape(flat)
        found[EMPTY] = (data.n == 0).astype(np.float64).reshape(flat)
    return found


def lead(strata: int, *axes: int) -> tuple[int, ...]:
    """Return the shape of what each stratum has: one stratum has no axis, to compile quickly."""
    return axes if strata == 1 else (strata, *axes)


def replaced(model: PrincipalStrata, data: TrialCells) -> frozenset[str]:
    """Return what has coordinates: b_d where the outcome is counted."""
    counted = not model.saturated and model.likelihood_for(data) == "counts"
    return frozenset({SLOPE_MEAN}) if counted else frozenset()


def slope_ends(model: PrincipalStrata, data: TrialCells) -> Floats:
    """Return the ends of the prior of b_d, (S, 2, 2): lower before upper, arms last."""
    own = [p for k, p in model.priors_for(data).items() if k.split("[")[0] == SLOPE_MEAN]
    ends = np.array([p.support for p in own]).reshape(data.n_strata, 2, 2)
    return np.swapaxes(ends, 1, 2)


def at_average(coordinate: Any) -> Any:
    """Return where an average probability lies, from a coordinate a sampler starts near 0."""
    return 0.5 + 0.25 * coordinate


def told_slope(coordinate: Any) -> Any:
    """Return an average slope of those whom the instrument moves, from its coordinate."""
    return 0.25 * coordinate


def _of_pairs(model: PrincipalStrata, data: TrialCells, mean: Floats) -> dict[str, Floats]:
    """Return what is known of an arm's cells and pairs of cells; an empty cell says nothing."""
    level, steep = (average_priors(model, data, name) for name in (INTERCEPT_MEAN, SLOPE_MEAN))
    location, scale = outcome_units(model, data)
    there = in_order(data.n) > 0  # (S, d, 4)
    treated = np.array([float(m) for _, m in CELLS_OF_ARM])
    expected = (level.mean[..., None] - location + treated * steep.mean[..., None]) / scale
    distance = np.where(there, in_order(mean) - expected, 0.0)
    one, other = (np.array([pair[i] for pair in PAIRS_OF_CELLS]) for i in range(2))
    both = there[..., one] & there[..., other]
    common = level.sd[..., None] ** 2 + treated[one] * treated[other] * steep.sd[..., None] ** 2
    by_pair = {SEEN: both.astype(np.float64), PRIOR_COVARIANCE: both * common / scale**2}
    return {
        name: value.transpose(0, 2, 1).reshape(lead(data.n_strata, -1))
        for name, value in (by_pair | {DISTANCE: distance}).items()
    }


class AveragePriors(NamedTuple):
    """Means and standard deviations of the normal priors of averages over types, (S, 2)."""

    mean: Floats
    sd: Floats


def average_priors(model: PrincipalStrata, data: TrialCells, name: str) -> AveragePriors:
    """Return the priors of ``intercept_mean`` or ``slope_mean``, in outcome units."""
    priors = [p.parameters for k, p in model.priors_for(data).items() if k.split("[")[0] == name]
    return AveragePriors(
        *(np.array([p[key] for p in priors]).reshape(data.n_strata, 2) for key in ("mu", "sigma"))
    )


def in_order(cells: Floats) -> Floats:
    """Put the four cells (z, m) of the last two axes on one, as covariances have them."""
    return np.stack([cells[..., z, m] for z, m in CELLS_OF_ARM], axis=-1)


def observed(data: TrialCells) -> dict[str, tuple[tuple[str, ...], Floats]]:
    """Return the share with the mediator, and the cells' means and sds, NaN where unknown."""
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.sqrt(data.squares / np.where(data.n > 1, data.n - 1, np.nan))
    return {
        MEDIATOR_SHARE: (DIMS[MEDIATOR_SHARE], data.mediator_mean),
        CELL_MEAN: (_BY_CELL, np.where(data.n > 0, data.mean, np.nan)),
        CELL_SD: (_BY_CELL, sd),
    }
