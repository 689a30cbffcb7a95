r"""BCES: least squares with its moments corrected for sampling error (methods in `moments`)."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from bayesmed.classical.bces_bootstrap import pairs_interval, wild_interval
from bayesmed.classical.canonical import Canonical, Line, canonical, normal_quantile
from bayesmed.classical.estimate import NO_SPARE_SITE, ClassicalEstimate
from bayesmed.classical.moments import CorrectedMoments, corrected_moments
from bayesmed.core.errors import DataError, ModelError
from bayesmed.core.seeds import checked_seed, stream
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates

type Inference = Literal["asymptotic", "pairs_bootstrap", "wild_bootstrap"]
NAMES: dict[str, str] = {
    "asymptotic": "BCES",
    "pairs_bootstrap": "BCES (pairs bootstrap)",
    "wild_bootstrap": "BCES (wild bootstrap)",
}


def bces(
    data: SiteEstimates,
    *,
    intercept: bool = True,
    weights: npt.ArrayLike | None = None,
    inference: Inference = "asymptotic",
    replicates: int = 1999,
    seed: int | None = None,
) -> ClassicalEstimate:
    r"""Bivariate correlated errors and intrinsic scatter, of total on mediator effects.

    .. math::

        b = (S_{\gamma\gamma}-\textstyle\sum w_sV_{\gamma\gamma,s})^{-1}
            (S_{\gamma\beta}-\textstyle\sum w_sV_{\gamma\beta,s}),\qquad
        \xi_s = C^{-1}\{(\hat\gamma_s-\bar\gamma)(\hat\beta_s-b'\hat\gamma_s-a)
                + V_{\gamma\gamma,s}b - V_{\gamma\beta,s}\}

    with C the corrected matrix over S, and SE = sd(ξ)/√S (Akritas and Bershady 1996, equations
    9 to 15; Fu 2023, equation 24, which leaves out the division by S and V_γβ). Without an
    intercept sums are uncentred. Rows are taken as independent in standard errors and
    bootstraps, those of one block too; at few sites the asymptotic ones are too small.

    Parameters
    ----------
    data
        Site estimates of P mediators.
    intercept
        Whether the line has an intercept.
    weights
        (R,) weights of the rows, taken as fixed; equal by default.
    inference
        What the interval is made from: the normal limit; the percentile-t bootstrap of rows; or
        the percentile-t wild bootstrap that imposes the null hypothesis, inverted.
    replicates
        Bootstrap replicates.
    seed
        Seed of the bootstrap; None takes a fresh one.

    Returns
    -------
    ClassicalEstimate
        Not defined where the corrected matrix is not positive definite.

    Raises
    ------
    DataError
        If weights are not R numbers, none negative and some positive.
    ModelError
        If ``inference``, ``replicates`` or ``seed`` is not valid.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2, 3, 5],
    ...     total_effect=[2.0, 4.5, 6.0, 9.0],
    ...     cov=[[[0.2, 0.1], [0.1, 0.3]]] * 4,
    ... )
    >>> bces(data).slope.round(4).tolist()
    [1.8208]
    """
    if inference not in NAMES:
        raise ModelError(f"There is no inference {inference!r}.", f"Take one of {list(NAMES)}.")
    if replicates < 99:
        raise ModelError(f"{replicates} replicates are too few.", "Take 99 or more.")
    name = NAMES[inference]
    sites = canonical(data)
    moments = corrected_moments(
        sites.mediator,
        sites.total,
        sites.mediator_cov,
        sites.covariance,
        weight=None if weights is None else checked_weights(weights, data)[sites.order],
        intercept=intercept,
    )
    reason = not_defined(moments)
    if reason:
        return ClassicalEstimate.undefined(name, data.mediators, reason)
    line = asymptotic_line(moments)
    if moments.spare <= 0:
        return sites.answer(name, line, covariance=True, reason=NO_SPARE_SITE)
    if inference == "asymptotic":
        return sites.answer(name, line, covariance=True)
    return _with_bootstrap(name, sites, moments, line, inference, replicates, checked_seed(seed))


def checked_weights(weights: npt.ArrayLike, data: SiteEstimates) -> Floats:
    """Return weights of the rows, the largest 1, or refuse them."""
    array = np.asarray(weights, dtype=np.float64)
    if array.shape != (data.n_rows,) or not np.isfinite(array).all() or (array < 0).any():
        raise DataError(
            f"{data.source}: the weights are not {data.n_rows} numbers of 0 or more.",
            "Give one weight per row.",
        )
    if not array.any():
        raise DataError(f"{data.source}: all weights are 0.", "Give some row a positive weight.")
    return array / array.max()


def not_defined(moments: CorrectedMoments) -> str:
    """Say why corrected moments determine no line; "" where they do."""
    total = moments.matrix.sum(axis=0)
    if moments.positive_definite(total):
        return ""
    p = moments.centre.size
    if p > 1:
        return (
            "the covariance matrix of the mediator effects, less its sampling part, is not "
            "positive definite: along some combination of mediators sampling error explains all "
            "spread"
        )
    spread = float(moments.size[0]) ** 2
    what = "variance" if moments.intercept else "mean square"
    share = 1 - float(total[0, 0]) / spread
    return (
        f"the mediator effects' sampling variance is {share:.2f} times the {what} of their "
        f"estimates, so what is left for true effects is not positive"
    )


def asymptotic_line(moments: CorrectedMoments) -> Line:
    """Return the line with its standard errors; NaN where no site is left over."""
    found = moments.coefficients()
    p = moments.centre.size
    if moments.spare <= 0:
        return Line(found[:p], np.full(p, math.nan), float(moments.at_zero(found)))
    influence = moments.influence(found)
    return Line(
        slope=found[:p],
        slope_se=np.sqrt((influence[:, :p] ** 2).sum(axis=0)),
        intercept=float(moments.at_zero(found)),
        intercept_se=float(np.sqrt((moments.at_zero(influence) ** 2).sum())),
        quantile=normal_quantile(),
    )


def _with_bootstrap(
    name: str,
    sites: Canonical,
    moments: CorrectedMoments,
    line: Line,
    inference: Inference,
    replicates: int,
    seed: int,
) -> ClassicalEstimate:
    rng = stream(seed, f"BCES {inference}")
    interval = pairs_interval if inference == "pairs_bootstrap" else wild_interval
    found = interval(moments, replicates, rng)
    line = Line(
        line.slope,
        line.slope_se,
        line.intercept,
        line.intercept_se,
        low=found.low,
        high=found.high,
    )
    return sites.answer(name, line, covariance=True, reason=found.reason, notes=found.notes)
