r"""Bootstrap intervals of BCES, both percentile-t.

Pairs: rows are drawn with replacement, and :math:`t^*=(b^*-b)/se^*`. Restricted wild: to test
:math:`b_p=b_0` the other coefficients are estimated under the null, the terms
:math:`\psi_s(b_0)` of the estimating equation, which then have mean zero, are multiplied by
independent signs, and b is estimated and studentised again; the interval holds what is not
rejected. Where errors are uncorrelated and :math:`b_0=0` this is the wild bootstrap of restricted
residuals (Davidson and MacKinnon 2010); multiplying :math:`\psi_s` instead of residuals keeps it
right elsewhere, because measurement error makes the residual depend on :math:`\hat\gamma_s`
(Kline and Santos 2012).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bayesmed.classical.estimate import LEVEL
from bayesmed.classical.moments import CorrectedMoments
from bayesmed.core.types import Floats

TAIL = (1 - LEVEL) / 2
# Standard errors, in units in which effects are about 1, that are rounding only.
NO_SCATTER = 1e-12
# Numbers held at a time, so that memory does not grow with replicates × sites.
CHUNK = 2_000_000
MOST_UNDEFINED = 0.1
FEW_SITES = 12
FARTHEST = 2.0**24
HALVINGS = 40


@dataclass(frozen=True, eq=False)
class BootstrapInterval:
    """Ends of shape (P,), NaN with a reason where there is no interval."""

    low: Floats
    high: Floats
    reason: str = ""
    notes: tuple[str, ...] = ()


def pairs_interval(
    moments: CorrectedMoments, replicates: int, rng: np.random.Generator
) -> BootstrapInterval:
    """Return equal-tailed percentile-t intervals from rows drawn with replacement.

    Replicates without a positive definite matrix have no t. They are left out and counted in a
    note; beyond a tenth of them there is no interval.
    """
    sites, k = moments.vector.shape
    p = moments.centre.size
    found = moments.coefficients()
    se = np.sqrt((moments.influence(found) ** 2).sum(axis=0))
    if (se[:p] < NO_SCATTER).any():
        return _without_scatter(p)
    step = max(1, CHUNK // (sites * k))
    parts = []
    for start in range(0, replicates, step):
        size = min(step, replicates - start)
        counts = rng.multinomial(sites, np.full(sites, 1 / sites), size=size).astype(np.float64)
        parts.append(_studentised(moments, counts, found))
    t = np.concatenate(parts)[:, :p]
    lost = replicates - len(t)
    if lost > MOST_UNDEFINED * replicates:
        nan = np.full(p, np.nan)
        reason = f"BCES is not defined in {lost} of {replicates} bootstrap replicates"
        return BootstrapInterval(nan, nan, reason)
    lower, upper = np.quantile(t, [TAIL, 1 - TAIL], axis=0)
    notes = (f"BCES is not defined in {lost} of {replicates} bootstrap replicates.",)
    slope = found[:p]
    return BootstrapInterval(
        slope - upper * se[:p], slope - lower * se[:p], notes=notes if lost else ()
    )


def _without_scatter(p: int) -> BootstrapInterval:
    nan = np.full(p, np.nan)
    return BootstrapInterval(nan, nan, "every site lies on the line: nothing scatters to resample")


def _studentised(moments: CorrectedMoments, counts: Floats, found: Floats) -> Floats:
    """(at most B, k) t statistics of the resamples, (B, S) counts, that have one."""
    sites, k = moments.vector.shape
    matrix = (counts @ moments.matrix.reshape(sites, k * k)).reshape(-1, k, k)
    usable = moments.positive_definite(matrix)
    # A resample of fewer different rows than coefficients and one leaves no spare site.
    usable &= (counts > 0).sum(axis=1) > k
    matrix, counts = matrix[usable], counts[usable]
    inverse = np.linalg.inv(matrix)
    value = np.einsum("bij,bj->bi", inverse, counts @ moments.vector)
    psi = moments.vector - np.einsum("sij,bj->bsi", moments.matrix, value)
    influence = np.einsum("bsj,bij->bsi", psi, inverse)
    se = np.sqrt(np.einsum("bs,bsi->bi", counts, influence**2))
    scattered = (se > 0).all(axis=1)
    t: Floats = (value - found)[scattered] / se[scattered]
    return t


def wild_interval(
    moments: CorrectedMoments, replicates: int, rng: np.random.Generator
) -> BootstrapInterval:
    """Return the values that equal-tailed restricted wild bootstrap tests do not reject.

    Signs are Rademacher's, or Webb's six-point ones at fewer than 12 sites, where two points
    make too few different replicates. An end is infinite where no value is rejected.
    """
    sites, p = moments.vector.shape[0], moments.centre.size
    influence = moments.influence(moments.coefficients())
    if (np.sqrt((influence**2).sum(axis=0))[:p] < NO_SCATTER).any():
        return _without_scatter(p)
    if sites < FEW_SITES:
        points = np.sqrt([0.5, 1.0, 1.5])
        signs = rng.choice(np.concatenate([-points, points]), size=(replicates, sites))
    else:
        signs = rng.choice([-1.0, 1.0], size=(replicates, sites))
    ends = np.array([_inverted(moments, signs, i) for i in range(p)])
    notes: tuple[str, ...] = ()
    if np.isinf(ends).any():
        notes = ("The bootstrap test does not reject any slope on an infinite side.",)
    return BootstrapInterval(ends[:, 0], ends[:, 1], notes=notes)


def _inverted(moments: CorrectedMoments, signs: Floats, p: int) -> tuple[float, float]:
    found = moments.coefficients()
    se = float(np.sqrt((moments.influence(found)[:, p] ** 2).sum()))
    tails = _tails(moments, signs, p, float(found[p]), se)

    def kept(distance: float) -> bool:
        upper, lower = tails(float(found[p]) + distance * se)
        return (lower if distance > 0 else upper) >= TAIL

    return (
        float(found[p]) - se * _boundary(lambda d: kept(-d)),
        float(found[p]) + se * _boundary(kept),
    )


def _tails(
    moments: CorrectedMoments, signs: Floats, p: int, slope: float, se: float
) -> Callable[[float], tuple[float, float]]:
    """Return b0 → shares of replicates with t* at least, and at most, the t of ``slope``."""
    inverse = np.linalg.inv(moments.matrix.sum(axis=0))
    summed, vector = moments.matrix.sum(axis=0), moments.vector.sum(axis=0)
    others = np.delete(np.arange(len(vector)), p)
    row = moments.matrix @ inverse[p]  # (S, k): how coefficients move each site's influence
    squares = row.T @ row
    signs_squared = signs**2

    def tails(null: float) -> tuple[float, float]:
        restricted = np.zeros(len(vector))
        restricted[p] = null
        restricted[others] = np.linalg.solve(
            summed[np.ix_(others, others)], vector[others] - summed[others, p] * null
        )
        psi = moments.vector - moments.matrix @ restricted
        value = signs @ (psi @ inverse)
        own = psi @ inverse[p]
        variance = (
            signs_squared @ own**2
            - 2 * ((signs @ (own[:, None] * row)) * value).sum(axis=1)
            + ((value @ squares) * value).sum(axis=1)
        )
        # t* ≥ t without dividing by a variance that may be 0.
        drawn, observed = value[:, p], (slope - null) / se * np.sqrt(np.maximum(variance, 0))
        slack = 1e-9 * np.abs(observed)  # equal draws stay equal under rounding
        return float(np.mean(drawn >= observed - slack)), float(np.mean(drawn <= observed + slack))

    return tails


def _boundary(kept: Callable[[float], bool]) -> float:
    """Return the distance at which values stop being kept, infinite where they never do."""
    outside = 1.0
    while kept(outside):
        outside *= 2
        if outside > FARTHEST:
            return np.inf
    inside = 0.0
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if kept(middle) else (inside, middle)
    return inside
