"""Effects of treatment at each site with their joint covariance, from moments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayesmed.data.rows.linear_map import LinearMap
from bayesmed.data.rows.site_cells import Cells
from bayesmed.formulas.cell_moments import joined, recentred
from bayesmed.formulas.site_regression import (
    Regression,
    cluster_factor,
    hc1_factor,
    regressed,
    residual_products,
    sandwich,
    score_products,
    smallest_tolerance,
)

__all__ = ["Scores", "SiteEffects", "fitted", "with_covariance"]

_Array = NDArray[np.float64]
_COLLINEAR = 1e-11
"""Regressors whose correlation matrix has a smaller eigenvalue are collinear."""
_ROUNDING = 1e-13
"""Effects per standard deviation of treatment that are smaller, beside the outcome, are 0."""


@dataclass(frozen=True)
class SiteEffects:
    """Least squares at S sites.

    Parameters
    ----------
    effect
        (S, J, K) effects; of no meaning for arms a site does not have.
    present
        (S, J) whether a site has the arm.
    n, parameters
        (S,) persons, and regressors with the intercepts.
    bread
        (S, J, J), see `bayesmed.formulas.site_regression`.
    residual
        (S, K, K) sums of products of what the regression leaves of the outcomes.
    maps
        What the regression leaves of a person's treatment and outcomes.
    size
        (S, K) standard deviation of the outcomes about 0, on their scale: what is nothing beside
        it is rounding.
    problem
        What keeps a site from being used, by its number.
    """

    effect: _Array
    present: NDArray[np.bool_]
    n: _Array
    parameters: _Array
    bread: _Array
    residual: _Array
    maps: LinearMap
    size: _Array
    problem: dict[int, str]


@dataclass(frozen=True)
class Scores:
    """Sums of products of scores over persons or clusters of each site.

    Parameters
    ----------
    products
        (S, J K, J K).
    clusters
        (S,) clusters, or None.
    clusters_in_arm
        (S, arms) clusters with a person in each arm, the reference first; with amounts of
        treatment, all clusters.
    """

    products: _Array
    clusters: _Array | None = None
    clusters_in_arm: _Array | None = None


def fitted(cells: Cells) -> SiteEffects:
    """Regress outcomes on treatment and covariates at every site."""
    scaled = cells.on_scale()
    j, q = cells.treatments, cells.covariates
    dummies = cells.dummies()
    mean = np.column_stack([dummies, scaled.mean])
    cross = np.zeros((len(mean), mean.shape[1], mean.shape[1]))
    cross[:, cells.arms :, cells.arms :] = scaled.cross
    groups = int(cells.group.max()) + 1
    _, centre, group_cross = joined(cells.weight, mean, cross, cells.group, groups)
    site_of_group = np.zeros(groups, dtype=np.int64)
    site_of_group[cells.group] = cells.site
    site_cross = np.zeros((cells.sites, *cross.shape[1:]))
    np.add.at(site_cross, site_of_group, group_cross)
    present = np.ones((cells.sites, j), dtype=bool)
    for a in range(cells.arms):
        present[:, a] = np.bincount(cells.site, dummies[:, a], minlength=cells.sites) > 0
        # An arm a site does not have gets a regressor of its own, unrelated to all.
        site_cross[~present[:, a], a, a] = 1.0
    n = np.bincount(cells.site, cells.n, minlength=cells.sites)
    blocks = np.bincount(site_of_group, minlength=cells.sites)
    parameters = blocks + present.sum(axis=1) + q
    problem = _problems(site_cross, n, parameters, j, q)
    usable = site_cross.copy()
    usable[list(problem)] = np.eye(mean.shape[1])
    found = regressed(usable, j, q)
    size = _size(scaled)
    weight = np.bincount(cells.site, cells.weight, minlength=cells.sites)
    # Effects that are nothing but rounding are 0: those on what is the same everywhere.
    spread = 1 / np.sqrt(np.diagonal(found.bread, axis1=1, axis2=2) * weight[:, None])
    real = np.abs(found.effect) * spread[:, :, None] > _ROUNDING * size[:, None, :]
    found = replace(found, effect=np.where(real, found.effect, 0.0))
    distance = mean - centre[cells.group]
    return SiteEffects(
        effect=found.effect,
        present=present,
        n=n,
        parameters=parameters.astype(float),
        bread=found.bread,
        residual=residual_products(usable, found),
        maps=_maps(cells, found, distance),
        size=size,
        problem=problem,
    )


def with_covariance(
    cells: Cells,
    found: SiteEffects,
    kind: str,
    scores: Callable[[LinearMap], Scores] | None,
) -> tuple[_Array, Scores]:
    """Return the joint covariance (S, J K, J K) of the effects, and the scores behind it.

    Parameters
    ----------
    cells, found
        Moments and what `fitted` made of them.
    kind
        "HC1", "HC2" or "pooled".
    scores
        Asks the engine for the scores; None where cells tell them: arms, no covariates, no
        weights, no clusters.
    """
    k = cells.outcomes
    if scores is None:
        maps, scaled = found.maps, cells.on_scale()
        before = cells.amounts + cells.covariates
        inside = scaled.cross[:, before:, before:]
        if kind == "HC2":
            # Every person's leverage is 1/n of the cell (MacKinnon & White 1985).
            inside = inside * (cells.n / np.maximum(cells.n - 1, 1))[:, None, None]
        if kind == "pooled":
            inside = cells.n[:, None, None] * _pooled(cells, inside)
        by_cell = score_products(maps.treatment, recentred(cells.n, maps.residual, inside))
        products = np.zeros((cells.sites, *by_cell.shape[1:]))
        np.add.at(products, cells.site, by_cell)
        result = Scores(products)
    else:
        result = scores(found.maps)
    cov = sandwich(found.bread, result.products, np.ones(cells.sites))
    with np.errstate(divide="ignore", invalid="ignore"):
        if result.clusters is not None:
            factor = cluster_factor(found.n, found.parameters, result.clusters)
        elif kind == "HC1":
            factor = hc1_factor(found.n, found.parameters)
        else:
            factor = np.ones(cells.sites)
        root = np.sqrt(factor)[:, None] * np.ones(found.present.shape[1] * k)
    if result.clusters is None:
        # Maximum likelihood has no such correction: log odds keep Woolf's variance.
        for outcome in cells.log_odds:
            root[:, outcome::k] = 1.0
    cov = cov * root[:, :, None] * root[:, None, :]
    weight = np.bincount(cells.site, cells.weight, minlength=cells.sites) / found.n
    spread = np.sqrt(np.diagonal(found.bread, axis1=1, axis2=2) * weight[:, None])
    noise = spread[:, :, None] * found.size[:, None, :]
    return _without_rounding(cov, noise.reshape(cov.shape[:2])), result


def _pooled(cells: Cells, inside: _Array) -> _Array:
    """Return the covariance of persons' outcomes in each cell's arm, pooled over sites."""
    arms = cells.arms + 1
    total = np.zeros((arms, *inside.shape[1:]))
    np.add.at(total, cells.arm, inside)
    spare = np.bincount(cells.arm, cells.n - 1, minlength=arms)
    pooled: _Array = (total / spare[:, None, None])[cells.arm]
    return pooled


def _problems(
    cross: _Array, n: _Array, parameters: NDArray[np.int64], j: int, q: int
) -> dict[int, str]:
    """Say which sites cannot be regressed, and why."""
    alone = smallest_tolerance(cross[:, :j, :j])
    together = smallest_tolerance(cross[:, : j + q, : j + q])
    problem: dict[int, str] = {}
    for s in range(len(n)):
        if alone[s] < _COLLINEAR:
            problem[s] = (
                "treatment does not vary within blocks"
                if j == 1
                else ("treatments do not vary, or go together")
            )
        elif n[s] <= parameters[s]:
            problem[s] = f"{n[s]:.0f} persons for {parameters[s]} coefficients"
        elif together[s] < _COLLINEAR:
            problem[s] = "covariates do not vary, or are collinear"
    return problem


def _maps(cells: Cells, found: Regression, distance: _Array) -> LinearMap:
    """Turn coefficients into what is left of each person; see `LinearMap`."""
    j, q, k = cells.treatments, cells.covariates, cells.outcomes
    a, b, theta = (
        m[cells.site] for m in (found.treatment_on_covariates, found.covariate_effect, found.effect)
    )
    of_t, of_x, of_w = distance[:, :j], distance[:, j : j + q], distance[:, j + q :]
    treatment = of_t - np.einsum("cq,cqj->cj", of_x, a)
    residual = of_w - np.einsum("cj,cjk->ck", of_t, theta) - np.einsum("cq,cqk->ck", of_x, b)
    count, variables = cells.mean.shape
    on_t = np.zeros((count, j, variables))
    on_e = np.zeros((count, k, variables))
    amounts, xs = slice(0, cells.amounts), slice(cells.amounts, cells.amounts + q)
    on_t[:, :, xs] = -a.transpose(0, 2, 1)
    on_e[:, :, xs] = -b.transpose(0, 2, 1)
    if cells.amounts:
        on_t[:, np.arange(j), np.arange(j)] = 1.0
        on_e[:, :, amounts] = -theta.transpose(0, 2, 1)
    at = cells.amounts + q + np.arange(k)
    on_e[:, np.arange(k), at] = cells.outcome_scale()
    return LinearMap(cells.mean, treatment, on_t, residual, on_e, cells.arm)


def _size(scaled: Cells) -> _Array:
    before = scaled.amounts + scaled.covariates
    total, mean, cross = joined(
        scaled.weight,
        scaled.mean[:, before:],
        scaled.cross[:, before:, before:],
        scaled.site,
        scaled.sites,
    )
    variance = np.diagonal(cross, axis1=1, axis2=2) / total[:, None]
    size: _Array = np.sqrt(np.maximum(variance, 0.0) + mean**2)
    return size


def _without_rounding(cov: _Array, whole: _Array) -> _Array:
    """Set to 0 the variances that are nothing but rounding, with their covariances.

    ``whole`` is the standard error that residuals as large as the outcomes would have.
    """
    se = np.sqrt(np.maximum(np.diagonal(cov, axis1=1, axis2=2), 0.0))
    real = se > 1e-12 * whole
    kept: _Array = np.where(real[:, :, None] & real[:, None, :], cov, 0.0)
    return kept
