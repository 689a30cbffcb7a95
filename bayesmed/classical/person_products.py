"""Sums of products of persons within sites, from their moments: what IV estimators are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError
from bayesmed.core.types import Floats
from bayesmed.data import Moments, RowColumns
from bayesmed.data.rows.choosing import chosen_arms
from bayesmed.formulas.cell_moments import joined
from bayesmed.formulas.k_class import partialled
from bayesmed.formulas.site_regression import smallest_tolerance

COLLINEAR = 1e-11
"""Regressors whose correlation matrix has a smaller eigenvalue are collinear."""


@dataclass(frozen=True, eq=False)
class PersonProducts:
    """Sums of products of treatment (J columns), mediators and outcome (K) at S sites.

    Attributes
    ----------
    treatment, cross, outcomes
        (S, J, J), (S, J, K) and (S, K, K), of what site (block) intercepts and covariates leave.
    present
        (S, J) whether a site has the arm.
    size
        (K,) sums of squares about 0: what is nothing beside them is rounding.
    persons
        At these sites.
    exogenous
        Intercepts and coefficients of covariates, at all sites together.
    left_out
        Names of the sites that cannot tell an effect of treatment.
    """

    treatment: Floats
    cross: Floats
    outcomes: Floats
    present: NDArray[np.bool_]
    size: Floats
    persons: float
    exogenous: int
    left_out: tuple[str, ...]


def person_products(moments: Moments, columns: RowColumns, source: str) -> PersonProducts:
    """Join cells into sites and take out intercepts and covariates.

    Raises
    ------
    DataError
        If the moments are not those of the columns, or no site tells an effect.
    """
    cells = _cells(moments, columns, source)
    groups, group = np.unique(
        np.column_stack([cells.site, cells.block]), axis=0, return_inverse=True
    )
    _, _, by_group = joined(cells.n, cells.mean, cells.cross, group.ravel(), len(groups))
    by_site = np.zeros((len(cells.names), *by_group.shape[1:]))
    np.add.at(by_site, groups[:, 0], by_group)
    j, q = cells.arms or len(columns.randomised), len(columns.covariates)
    spread = np.diagonal(by_site, axis1=1, axis2=2)[:, :j]
    present = spread > 0 if cells.arms else np.ones_like(spread, dtype=bool)
    usable = present.any(axis=1)
    usable &= smallest_tolerance(_padded(by_site[:, : j + q, : j + q], present)) > COLLINEAR
    if not usable.any():
        raise DataError(
            f"{source}: no site tells an effect of treatment.",
            "Sites need persons in every arm, and covariates that are not collinear.",
        )
    left = partialled(by_site[usable], j, q)
    blocks = np.bincount(groups[:, 0], minlength=len(cells.names))[usable]
    return PersonProducts(
        treatment=left[:, :j, :j],
        cross=left[:, :j, j:],
        outcomes=left[:, j:, j:],
        present=present[usable],
        size=_squares(cells, usable[cells.site])[j + q :],
        persons=float(cells.n[usable[cells.site]].sum()),
        exogenous=int(blocks.sum()) + q * int(usable.sum()),
        left_out=tuple(n for n, use in zip(cells.names, usable, strict=True) if not use),
    )


def _squares(cells: _Cells, used: NDArray[np.bool_]) -> Floats:
    """(V,) sums of squares about 0 over the cells that are used."""
    inside = np.diagonal(cells.cross[used], axis1=1, axis2=2)
    return np.asarray((inside + cells.n[used, None] * cells.mean[used] ** 2).sum(axis=0))


def _padded(cross: Floats, present: NDArray[np.bool_]) -> Floats:
    """Give an arm that a site does not have a spread of 1."""
    padded = cross.copy()
    at = np.arange(present.shape[1])
    padded[:, at, at] = np.where(present, padded[:, at, at], 1.0)
    return padded


@dataclass(frozen=True, eq=False)
class _Cells:
    """Means and products in the order T, X, W, of the cells of arms that are compared."""

    mean: Floats
    cross: Floats
    n: Floats
    site: NDArray[np.int64]
    block: NDArray[np.int64]
    names: list[str]
    arms: int


def _cells(moments: Moments, columns: RowColumns, source: str) -> _Cells:
    amounts = () if columns.has_arms else columns.randomised
    wanted = (*amounts, *columns.covariates, *columns.estimated)
    crossed = moments.variables[: moments.cross.shape[1]]
    missing = [name for name in wanted if name not in crossed]
    if missing or (moments.arm is None) == columns.has_arms:
        what = f"no products of {missing[0]!r}" if missing else "other arms"
        raise DataError(
            f"{source}: the moments have {what}.", "Give the moments of rows with these columns."
        )
    at = np.array([crossed.index(name) for name in wanted])
    mean, cross = moments.mean[:, at], moments.cross[:, at[:, None], at]
    kept = np.ones(len(moments.site), dtype=bool)
    arms = chosen_arms(moments, columns, source)
    count = 0
    if arms is not None:
        assert moments.arm is not None
        number = {name: i for i, name in enumerate(arms.all)}
        arm = np.array([number.get(name, -1) for name in moments.arm])
        kept = arm >= 0
        count = len(arms.compared)
        dummies = (arm[:, None] == np.arange(1, count + 1)).astype(float)
        mean = np.column_stack([dummies, mean])
        cross = np.pad(cross, ((0, 0), (count, 0), (count, 0)))
    index = np.flatnonzero(kept)
    blocks = moments.block or ("",) * len(kept)
    return _Cells(
        mean=mean[index],
        cross=cross[index],
        n=moments.n[index],
        site=_numbered([moments.site[c] for c in index]),
        block=_numbered([blocks[c] for c in index]),
        names=list(dict.fromkeys(moments.site[c] for c in index)),
        arms=count,
    )


def _numbered(names: list[str]) -> NDArray[np.int64]:
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return np.array([number[name] for name in names], dtype=np.int64)
