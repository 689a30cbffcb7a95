"""The density of a trial's cells as a graph, vectorised over types."""

from __future__ import annotations

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
from bayesmed.data import TrialCells
from bayesmed.formulas.principal_strata import cell_means, cell_shares
from bayesmed.formulas.site_slope import LOG_2PI
from bayesmed.formulas.strata_likelihood import (
    CELLS_OF_ARM,
    cell_weights,
    covariance_of_cell_means,
    folded,
    intercept_bounds,
    joint_log_density,
)
from bayesmed.formulas.type_shares import MARGINS, POSITIONS, means_at, shares_of_types
from bayesmed.generative.principal_strata_data import CELLS, CONSTANTS, PERSONS

if TYPE_CHECKING:
    from bayesmed.generative.principal_strata import PrincipalStrata

# What is sampled of types: their shares in coordinates, and where a and b lie, without units.
TYPE_MARGIN, TYPE_POSITION = "type_margin", "type_share_position"
INTERCEPT_POSITION, SLOPE_POSITION = "type_intercept_position", "type_slope_position"
ABSENT = -1e30
"""The log of a share that is 0: minus infinity has no gradient."""


def add_likelihood(
    model: PrincipalStrata,
    parameters: Mapping[str, Any],
    nodes: Mapping[str, Any],
    data: TrialCells,
) -> None:
    """Add shares of types, and the density of the cells, to the graph on the stack."""
    n, mean, squares = (nodes[CELLS][i] for i in range(3))
    how = model.likelihood_for(data)
    if model.saturated:
        share = parameters[MEDIATOR_SHARE]
        shares = pt.stack([1.0 - share, share], axis=-1)
        pm.Potential("mediator", (n * pt.log(shares)).sum())
        expected = parameters[CELL_MEAN]
        if how == "counts":
            pm.Potential("outcome", _counted(n, mean, expected))
        else:
            sd = parameters[CELL_SD]
            each = -n * pt.log(sd) - 0.5 * (squares + n * (mean - expected) ** 2) / sd**2
            pm.Potential("outcome", each.sum())
        return
    types = model.types
    share = _shares(model, data.n_strata, nodes[CONSTANTS][1])
    pm.Potential("mediator", (n * pt.log(cell_shares(share, types))).sum())
    het = parameters.get(SLOPE_HETEROGENEITY, nodes[CONSTANTS][0])
    if how == "moments":
        density = _moments(parameters, share, types, het, (n, mean, squares))
    elif how == "counts":
        density = _of_counts(parameters, share, types, het, (n, mean))
    else:
        density = _mixture(parameters, share, types, het, nodes[PERSONS])
    pm.Potential("outcome", density)


def _shares(model: PrincipalStrata, strata: int, concentration: Any) -> Any:
    """Add the shares of types, in coordinates of which the mediator tells each or says nothing."""
    monotone, shape = model.monotone_in, MARGINS[model.monotone_in]
    at = pm.Uniform(TYPE_POSITION, 0.0, 1.0, shape=(strata, POSITIONS[monotone]))
    if monotone == "none":
        margin = pm.Uniform(TYPE_MARGIN, 0.0, 1.0, shape=(strata, *shape))
    else:
        margin = pm.Dirichlet(TYPE_MARGIN, a=np.ones((strata, *shape)), shape=(strata, *shape))
    columns = margin.reshape((strata, -1))
    entries = [[x[:, i] for i in range(x.type.shape[1])] for x in (columns, at)]
    told = means_at(monotone, *entries)
    found = shares_of_types(monotone, told.mean, told.rest)
    share = pt.stack(found.share, axis=-1)
    density = pt.log(told.width * found.width).sum()
    rarest = pt.log(pt.maximum(share, 1e-300)).sum()
    pm.Potential(TYPE_SHARE, density + (concentration - 1.0) * rarest)
    return share


def _moments(
    parameters: Mapping[str, Any], share: Any, types: Any, het: Any, cells: tuple[Any, Any, Any]
) -> Any:
    """Density of means and sums of squares, what types and their averages are integrated out."""
    n, mean, squares = cells
    sd = parameters[CELL_SD]
    spread = -pt.maximum(n - 1.0, 0.0) * pt.log(sd) - 0.5 * squares / sd**2
    level, steep = parameters[INTERCEPT_MEAN], parameters[SLOPE_MEAN]
    cov = covariance_of_cell_means(
        cell_weights(share, types), parameters[INTERCEPT_HETEROGENEITY], het
    )
    # A cell that nobody is in is replaced by one that says nothing.
    there = n > 0
    noise = pt.switch(there, sd**2 / pt.maximum(n, 1.0), 1.0)
    full, residual = [], []
    for i, (z, m) in enumerate(CELLS_OF_ARM):
        here = there[..., z, m]
        row = []
        for j, (other_z, other_m) in enumerate(CELLS_OF_ARM[: i + 1]):
            common = cov[i][j] + level["sigma"] ** 2 + m * other_m * steep["sigma"] ** 2
            both = pt.switch(here & there[..., other_z, other_m], common, 0.0)
            row.append(both + noise[..., z, m] if i == j else both)
        full.append(row)
        expected = level["mu"] + m * steep["mu"]
        residual.append(pt.switch(here, mean[..., z, m] - expected, 0.0))
    return spread.sum() + joint_log_density(residual, full).sum()


def _of_counts(
    parameters: Mapping[str, Any], share: Any, types: Any, het: Any, cells: tuple[Any, Any]
) -> Any:
    """Density of counts of an outcome of 0 and 1."""
    shape = (share.type.shape[0], len(types), 2)
    slope = folded(
        parameters[SLOPE_MEAN][:, None, :] + het * pm.Normal(SLOPE_POSITION, 0.0, 1.0, shape=shape)
    )
    low, high = intercept_bounds(slope)
    intercept = low + (high - low) * pm.Uniform(INTERCEPT_POSITION, 0.0, 1.0, shape=shape)
    return _counted(*cells, cell_means(share, intercept, slope, types))


def _counted(n: Any, mean: Any, probability: Any) -> Any:
    return (n * (mean * pt.log(probability) + (1.0 - mean) * pt.log1p(-probability))).sum()


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
