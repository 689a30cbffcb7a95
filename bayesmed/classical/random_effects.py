r"""Least squares whose weights allow for slopes that differ between sites."""

from __future__ import annotations

from typing import Literal

import numpy as np

from bayesmed.classical.canonical import Canonical, canonical
from bayesmed.classical.estimate import ClassicalEstimate
from bayesmed.classical.least_squares import infinite_weight, no_least_squares, weighted_line
from bayesmed.core.errors import DataError, ModelError
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.formulas.random_effects import coefficient_variances, common_variance

type Scatter = Literal["common", "slopes"]
NAMES: dict[str, str] = {"common": "WLS (random effects)", "slopes": "WLS (random slopes)"}
NO_SCATTER = "No variance beyond that of the total effects' errors is found: this is WLS."


def random_effects_wls(
    data: SiteEstimates, *, intercept: bool = True, scatter: Scatter = "common"
) -> ClassicalEstimate:
    r"""Weighted least squares with random-effects weights; intervals as in `ols`.

    .. math::

        w_s = \frac{1}{\tau + se(\hat\beta_s)^2}\quad\text{or}\quad
        w_s = \frac{1}{\sum_p\tau_p\hat\gamma_{ps}^2 [+\tau_\theta] + se(\hat\beta_s)^2}

    Reardon's slides on weighting where slopes are not the same at all sites print the first, for
    which they approximate :math:`(\gamma_s^2+se(\hat\gamma_s)^2)\tau_\delta\approx\tau`; with an
    intercept it is random-effects meta-regression. The second keeps
    :math:`\hat\gamma_s'\Omega_\delta\hat\gamma_s`, :math:`\Omega_\delta` diagonal. How to estimate
    the variances they do not say; here it is by moments (`bayesmed.formulas.random_effects`). The
    errors are those of least squares in these weights, scaled by the residuals (Knapp and Hartung
    2003). Like `wls` it takes mediator effects as known, so their sampling error passes into the
    variances, and attenuates the slopes.

    Parameters
    ----------
    data
        Site estimates of P mediators.
    intercept
        Whether the line has an intercept; its variance is :math:`\tau_\theta`.
    scatter
        ``"common"``: one variance at all sites. ``"slopes"``: of each coefficient, times the
        square of what it multiplies.

    Returns
    -------
    ClassicalEstimate
        Not defined where a standard error of a total effect is 0, or the mediator effects
        determine no line.

    Raises
    ------
    ModelError
        If there is no such scatter.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2, 3], total_effect=[2, 7, 6],
    ...     cov=[np.diag([0.0, v]) for v in (0.1, 0.1, 0.4)])
    >>> random_effects_wls(data, intercept=False).slope.round(3).tolist()
    [2.458]
    """
    name = _name(scatter)
    sites = canonical(data)
    reason = _no_weights(data, sites, intercept)
    if reason:
        return ClassicalEstimate.undefined(name, data.mediators, reason)
    extra = _extra_variance(sites, intercept, scatter)
    variance = sites.rows.total_effect_se**2 + extra
    notes = () if extra.any() else (NO_SCATTER,)
    return weighted_line(name, sites, variance.min() / variance, intercept, notes=notes)


def random_effects_weights(
    data: SiteEstimates, *, intercept: bool = True, scatter: Scatter = "common"
) -> Floats:
    """Return the weights of `random_effects_wls`, the largest 1: (R,), for `wls` and `bces`.

    Raises
    ------
    DataError
        If the estimator is not defined.
    ModelError
        If there is no such scatter.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2, 3], total_effect=[1, 2, 3],
    ...     cov=[np.diag([0.0, v]) for v in (0.1, 0.1, 0.4)])
    >>> random_effects_weights(data, intercept=False).round(6).tolist()
    [1.0, 1.0, 0.25]
    """
    name = _name(scatter)
    sites = canonical(data)
    reason = _no_weights(data, sites, intercept)
    if reason:
        raise DataError(f"{name} has no weights: {reason}.", "Take OLS, which needs none.")
    variance = sites.rows.total_effect_se**2 + _extra_variance(sites, intercept, scatter)
    weight = np.empty_like(variance)
    weight[sites.order] = variance.min() / variance
    return weight


def _name(scatter: str) -> str:
    if scatter not in NAMES:
        raise ModelError(f"There is no scatter {scatter!r}.", f"Take one of {list(NAMES)}.")
    return NAMES[scatter]


def _no_weights(data: SiteEstimates, sites: Canonical, intercept: bool) -> str:
    return infinite_weight(data) or no_least_squares(sites.mediator, intercept)


def _extra_variance(sites: Canonical, intercept: bool, scatter: Scatter) -> Floats:
    """(R,) variance of what moves total effects off the line, in canonical units."""
    design = np.hstack([sites.mediator, np.ones((sites.total.size, 1))][: 1 + intercept])
    variance = sites.rows.total_effect_se**2
    if scatter == "common":
        return np.full(variance.size, common_variance(design, sites.total, variance))
    return np.asarray(design**2 @ coefficient_variances(design, sites.total, variance))
