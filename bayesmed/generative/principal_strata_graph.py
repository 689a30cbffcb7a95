"""The density of a trial's cells as a graph, vectorised over types."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayesmed.core.names import (
    CELL_MEAN,
    CELL_SD,
    INTERCEPT_HETEROGENEITY,
    INTERCEPT_MEAN,
    MEDIATOR_SHARE,
    OUTCOME_SD,
    SLOPE_HETEROGENEITY,
    SLOPE_MEAN,
    TYPE_SHARE,
)
from bayesmed.core.types import Floats
from bayesmed.data import TrialCells
from bayesmed.formulas.defiers import broken_stick, defying_types, place_of_types
from bayesmed.formulas.principal_types import principal_types
from bayesmed.formulas.site_slope import LOG_2PI
from bayesmed.formulas.strata_likelihood import (
    CELLS_OF_ARM,
    PAIRS_OF_CELLS,
    cell_weights,
    covariance_of_cell_means,
    intercept_bounds,
    joint_log_density,
    truncated_slopes,
)
from bayesmed.formulas.type_intercepts import (
    SumsOfGroups,
    average_of_moved,
    averages_at,
    bent,
    groups_of_types,
)
from bayesmed.formulas.type_shares import means_at, shares_of_types, summed
from bayesmed.generative.graph_vectors import columns, joined, parted
from bayesmed.generative.principal_strata_data import (
    AVERAGE_POSITION,
    CELLS,
    CONSTANTS,
    COUNTS,
    DEFIER_POSITION,
    DISTANCE,
    EMPTY,
    ENDS,
    EVENTS,
    FREEDOM,
    INTERCEPT_POSITION,
    MEAN_POSITION,
    OTHERS,
    PER_PERSON,
    PERSONS,
    PRIOR_COVARIANCE,
    SEEN,
    SLOPE_POSITION,
    SQUARES,
    TYPE_POSITION,
    at_average,
    lead,
    told_slope,
)

if TYPE_CHECKING:
    from bayesmed.generative.principal_strata import PrincipalStrata

_SHARE, _AWAY = "share", "away"
ROUNDING = 1e-12
ABSENT = -1e30
"""The log of a share that is 0: minus infinity has no gradient."""


def add_coordinates(
    model: PrincipalStrata,
    parameters: Mapping[str, Any],
    nodes: Mapping[str, Any],
    data: TrialCells,
) -> dict[str, Any]:
    """Add shares and slopes of types, and the average slope of those whom the instrument moves.

    That one is told by the cells; :math:`b_d` is less so the more slopes differ.
    """
    types, strata = model.types, data.n_strata
    share = _shares(model, strata, nodes[CONSTANTS])
    away = pm.Normal(SLOPE_POSITION, 0.0, 1.0, shape=lead(strata, 2 * len(types)))
    told = told_slope(pm.Flat(MEAN_POSITION, shape=lead(strata, 2)))
    het = parameters.get(SLOPE_HETEROGENEITY, nodes[CONSTANTS][0])
    coordinate = told - het * average_of_moved(joined([share, share]), away, types)
    low, high = parted(nodes[ENDS], [2, 2])
    found = bent(coordinate, low, high - low)
    pm.Potential(MEAN_POSITION + "_slope", found.log_slope.sum())
    mean = low + found.above
    return {SLOPE_MEAN: mean.reshape((strata, 2)), _SHARE: share, _AWAY: away}


def add_likelihood(
    model: PrincipalStrata,
    parameters: Mapping[str, Any],
    nodes: Mapping[str, Any],
    data: TrialCells,
) -> None:
    """Add shares of types, and the density of the cells, to the graph on the stack."""
    how = model.likelihood_for(data)
    if model.saturated:
        _saturated(parameters, nodes[CELLS], how)
        return
    types, constants = model.types, nodes[CONSTANTS]
    share = parameters.get(_SHARE)
    if share is None:  # not a coordinate
        share = _shares(model, data.n_strata, constants)
    inside = (types[..., None] == np.array([0.0, 1.0])).reshape(len(types), 8)
    persons = summed(share, inside.astype(np.float64))
    pm.Potential("mediator", (nodes[COUNTS] * pt.log(persons)).sum())
    het = parameters.get(SLOPE_HETEROGENEITY, constants[0])
    if how == "moments":
        density = _moments(parameters, share, types, het, nodes)
    elif how == "counts":
        density = _of_counts(parameters, share, persons, types, het, nodes)
    else:
        by_stratum = share.reshape((data.n_strata, len(types)))
        density = _mixture(parameters, by_stratum, types, het, nodes[PERSONS])
    pm.Potential("outcome", density)


def _saturated(parameters: Mapping[str, Any], cells: Any, how: str) -> None:
    """Add the density of cells that have a share and a mean each."""
    n, mean, squares = (cells[i] for i in range(3))
    share, expected = parameters[MEDIATOR_SHARE], parameters[CELL_MEAN]
    shares = pt.stack([1.0 - share, share], axis=-1)
    pm.Potential("mediator", (n * pt.log(shares)).sum())
    if how == "counts":
        pm.Potential("outcome", _counted(n * mean, n * (1.0 - mean), expected))
    else:
        sd = parameters[CELL_SD]
        each = -n * pt.log(sd) - 0.5 * (squares + n * (mean - expected) ** 2) / sd**2
        pm.Potential("outcome", each.sum())


def _shares(model: PrincipalStrata, strata: int, constants: Any) -> Any:
    """Add the shares of types, in coordinates of which the mediator tells each or says nothing."""
    concentration = constants[1]
    obeying = len(principal_types(model.monotone_in))
    at = pm.Uniform(TYPE_POSITION, 0.0, 1.0, shape=lead(strata, obeying - 1))
    told = means_at(model.monotone_in, columns(at))
    found = shares_of_types(model.monotone_in, told.mean, told.rest)
    share = pt.stack(found.share, axis=-1)
    density = pt.log(told.width * found.width).sum()
    rarest = pt.log(pt.maximum(share, 1e-300)).sum()
    pm.Potential(TYPE_SHARE, density + (concentration - 1.0) * rarest)
    return _with_defiers(model, strata, share, constants) if model.defiers else share


def _with_defiers(model: PrincipalStrata, strata: int, obeying: Any, constants: Any) -> Any:
    """Add those who defy monotonicity, of whom only the total share is known."""
    concentration, total = constants[1], constants[2]
    count = len(defying_types(model.monotone_in))
    at = pm.Uniform(DEFIER_POSITION, 0.0, 1.0, shape=lead(strata, count - 1))
    defying = pt.stack(broken_stick(columns(at)), axis=-1)
    rarest = pt.log(pt.maximum(defying, 1e-300)).sum()
    pm.Potential(DEFIER_POSITION + "_share", (concentration - 1.0) * rarest)
    every = joined([(1.0 - total) * obeying, total * defying])
    return summed(every, place_of_types(model.monotone_in))


def _moments(
    parameters: Mapping[str, Any], share: Any, types: Floats, het: Any, nodes: Mapping[str, Any]
) -> Any:
    """Density of means and sums of squares, what types and their averages are integrated out."""
    sd = parameters[CELL_SD].reshape((*share.type.shape[:-1], 8))
    variance = sd**2
    spread = -nodes[FREEDOM] * pt.log(sd) - 0.5 * nodes[SQUARES] / variance
    cov = covariance_of_cell_means(share, types, parameters[INTERCEPT_HETEROGENEITY], het)
    noise = variance * nodes[PER_PERSON] + nodes[EMPTY]
    cov = nodes[SEEN] * cov + nodes[PRIOR_COVARIANCE] + summed(noise, _on_diagonal())
    return spread.sum() + joint_log_density(_arms(nodes[DISTANCE]), _arms(cov)).sum()


def _arms(values: Any) -> list[Any]:
    """Split columns into pairs, one for each arm."""
    return parted(values, [2] * (values.type.shape[-1] // 2))


def _on_diagonal() -> Floats:
    """Return (8, 20) zeros and ones that put cells (d, z, m) where pairs have them."""
    found = np.zeros((2, 2, 2, len(PAIRS_OF_CELLS), 2))
    for k, (i, j) in enumerate(PAIRS_OF_CELLS):
        if i == j:
            for d in range(2):
                found[(d, *CELLS_OF_ARM[i], k, d)] = 1.0
    return found.reshape(8, -1)


def _of_counts(
    parameters: Mapping[str, Any],
    share: Any,
    persons: Any,
    types: Floats,
    het: Any,
    nodes: Mapping[str, Any],
) -> Any:
    """Density of counts of an outcome of 0 and 1, and of coordinates of types' probabilities."""
    before, groups, count = share.type.shape[:-1], groups_of_types(types), len(types)
    away = parameters[_AWAY]
    by_arm = parameters[SLOPE_MEAN].reshape((*before, 2))
    average = summed(by_arm, np.repeat(np.eye(2), count, axis=1))
    slope = truncated_slopes(average, het, away, _normal_cdf, _normal_quantile)
    twice = joined([share, share])
    low, high = intercept_bounds(slope)
    of_types = joined([twice, twice * slope, twice * low, twice * (high - low)])
    # One product makes all sums: many small ones take long to compile.
    size = len(groups.sizes)
    parts = parted(summed(of_types, groups.sums), [size] * (3 + len(groups.place)))
    sums = SumsOfGroups(parts[0], parts[1], parts[2], parts[3:])
    # Without a prior of its own: the coordinates have the density that `averages_at` gives.
    at = at_average(pm.Flat(AVERAGE_POSITION, shape=(*before, size)))
    found = averages_at(sums, at, groups)
    averages = joined([sums.share * found.without, sums.share * found.having])
    with_outcome = summed(averages, groups.cells)
    return _counted(nodes[EVENTS], nodes[OTHERS], with_outcome / persons) + found.log_density.sum()


def _normal_cdf(z: Any) -> Any:
    return 0.5 * pt.erfc(-z / math.sqrt(2.0))


def _normal_quantile(share: Any) -> Any:
    return math.sqrt(2.0) * pt.erfinv(2.0 * share - 1.0)


def _counted(events: Any, others: Any, probability: Any) -> Any:
    # Averages may round to 0 or 1, whose logarithm would be infinite.
    inside = ROUNDING + (1.0 - 2.0 * ROUNDING) * probability
    return (events * pt.log(inside) + others * pt.log1p(-inside)).sum()


def _mixture(parameters: Mapping[str, Any], share: Any, types: Any, het: Any, persons: Any) -> Any:
    """Density of persons around the means of their types."""
    shape = (share.type.shape[0], len(types), 2)
    spread = parameters[INTERCEPT_HETEROGENEITY]
    intercept = parameters[INTERCEPT_MEAN][:, None, :] + spread * pm.Normal(
        INTERCEPT_POSITION, 0.0, 1.0, shape=shape
    )
    slope = parameters[SLOPE_MEAN][:, None, :] + het * pm.Normal(
        SLOPE_POSITION, 0.0, 1.0, shape=shape
    )
    weight = cell_weights(share, types)
    log_weight = pt.switch(weight > 0, pt.log(pt.maximum(weight, 1e-300)), ABSENT)
    means = pt.stack([intercept, intercept + slope], axis=-1)  # (S, T, d, m)
    means = means[:, :, :, None, :] + 0.0 * weight
    # (S · 8, T): cells in front, as persons are numbered.
    order = (0, 2, 3, 4, 1)
    by_cell = [x.transpose(*order).reshape((-1, len(types))) for x in (log_weight, means)]
    # Products with indicators: their gradients are products too, and quicker than looking up.
    cell = persons[:, 1:]
    member = pt.eq(cell, np.arange(8.0 * log_weight.type.shape[0])).astype("float64")
    treated = pt.eq(cell // 4 % 2, 1.0).astype("float64")
    sd = parameters[OUTCOME_SD][0] * (1.0 - treated) + parameters[OUTCOME_SD][1] * treated
    z = (persons[:, :1] - member.dot(by_cell[1])) / sd
    terms = member.dot(by_cell[0]) - 0.5 * z**2 - pt.log(sd) - 0.5 * LOG_2PI
    most = terms.max(axis=1)
    return (most + pt.log(pt.exp(terms - most[:, None]).sum(axis=1))).sum()
