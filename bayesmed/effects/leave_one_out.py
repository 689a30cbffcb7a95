"""Whether one site dominates an estimate: what leaving it out does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmed.classical import ClassicalEstimate
from bayesmed.classical.canonical import Canonical, canonical
from bayesmed.classical.moments import corrected_moments
from bayesmed.core.numbers import number
from bayesmed.core.types import Floats
from bayesmed.effects.comparison import Difference
from bayesmed.effects.reference import Setting

CODE = "one_site_dominating"
ROUNDING = 1e-12
DOMINATES = 1.0
"""A site dominates where leaving it out moves an estimate by more of its standard errors."""
TRIED = ("OLS", "WLS", "BCES", "Pooled Wald", "Bias-corrected IV")
"""Estimators that solve a linear equation of sums over rows: leaving one out costs nothing."""


@dataclass(frozen=True, eq=False)
class _Sums:
    """Terms of the equation Σ A c = Σ m: (R, k, k) and (R, k), with the rows' weights (R,)."""

    matrix: Floats
    vector: Floats
    weight: Floats
    spared: NDArray[np.bool_]
    """(R,) whether the rows without this one still have an answer."""


def dominating_sites(setting: Setting) -> Iterator[Difference]:
    """Yield, for each estimator that can be tried, the row whose loss moves it too much.

    The value is how far the estimate moves, in its standard errors; where there would be no
    estimate without a row, it is the variance of mediator effects that would be left.
    """
    data = setting.data
    if data.n_rows <= data.n_mediators + 1 + setting.intercept:
        return
    sites = canonical(data)
    for name in TRIED:
        estimate = setting.estimates.get(name)
        if estimate is not None and estimate.defined:
            sums = _sums(sites, name, setting.intercept)
            yield from _farthest(sites, estimate, sums)
            if data.n_mediators == 1 and name != "Pooled Wald":
                yield from _indispensable(sites, estimate, sums)


def _sums(sites: Canonical, name: str, intercept: bool) -> _Sums:
    if name == "Pooled Wald":
        weight = sites.rows.weight
        ratio = weight * sites.mediator[:, 0]
        spared = np.abs(ratio.sum() - ratio) > ROUNDING
        return _Sums(ratio[:, None, None], (weight * sites.total)[:, None], weight, spared)
    corrected = name in ("BCES", "Bias-corrected IV")
    variance = np.ones(sites.total.size)
    if name == "WLS":
        variance = sites.rows.total_effect_se**2
    elif name == "Bias-corrected IV":
        variance = sites.mediator_cov[:, 0, 0]
    weight = variance.min() / variance if variance.all() else np.ones_like(variance)
    moments = corrected_moments(
        sites.mediator,
        sites.total,
        sites.mediator_cov * corrected,
        sites.covariance * corrected,
        weight=weight,
        intercept=intercept and name != "Bias-corrected IV",
    )
    without = moments.matrix.sum(axis=0) - moments.matrix
    return _Sums(moments.matrix, moments.vector, weight, moments.positive_definite(without))


def _farthest(sites: Canonical, estimate: ClassicalEstimate, sums: _Sums) -> Iterator[Difference]:
    matrix, vector = sums.matrix.sum(axis=0), sums.vector.sum(axis=0)
    rows = np.flatnonzero(sums.spared)
    if not rows.size:
        return
    without = matrix - sums.matrix[rows], (vector - sums.vector[rows])[..., None]
    found = np.linalg.solve(*without)[..., 0]
    p = len(estimate.mediators)
    unit = sites.mediator_factor / sites.outcome_factor
    moved = (found - np.linalg.solve(matrix, vector))[:, :p] * unit
    for i, mediator in enumerate(estimate.mediators):
        worst = int(np.argmax(np.abs(moved[:, i])))
        slope, se = float(estimate.slope[i]), float(estimate.slope_se[i])
        far = float(moved[worst, i])
        if not abs(far) > DOMINATES * se:  # NaN where there is no standard error
            continue
        errors = far / se if se > 0 else math.inf
        yield Difference(
            estimate.name,
            mediator,
            CODE,
            f"Rests on site {_label(sites, rows[worst])!r}: without it {number(slope)} becomes "
            f"{number(slope + far)}, {number(abs(errors))} of its standard errors away.",
            errors,
        )


def _indispensable(
    sites: Canonical, estimate: ClassicalEstimate, sums: _Sums
) -> Iterator[Difference]:
    """Name the row without which least variance is left, where that leaves no answer."""
    rows = np.flatnonzero(~sums.spared)
    if not rows.size:
        return
    matrix = sums.matrix.sum(axis=0) - sums.matrix[rows]
    left = matrix[:, 0, 0]
    if matrix.shape[1] > 1:
        left = left - matrix[:, 0, 1] ** 2 / matrix[:, 1, 1]
    left = left / (sums.weight.sum() - sums.weight[rows]) / sites.mediator_factor[0] ** 2
    least = int(np.argmin(left))
    yield Difference(
        estimate.name,
        estimate.mediators[0],
        CODE,
        f"Rests on site {_label(sites, rows[least])!r}: without it the variance left for true "
        f"mediator effects is {number(float(left[least]))}, and it would not be defined.",
        float(left[least]),
    )


def _label(sites: Canonical, row: int) -> str:
    return sites.rows.labels[row]
