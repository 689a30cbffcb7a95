r"""Least squares divided by the reliability of the estimated mediator effects."""

from __future__ import annotations

import math

import numpy as np

from bayesmed.classical import heterogeneity
from bayesmed.classical.canonical import Line, canonical, normal_quantile, one_mediator
from bayesmed.classical.estimate import NO_SPARE_SITE, ClassicalEstimate
from bayesmed.classical.heterogeneity import BetweenSites, VarianceEstimator
from bayesmed.classical.least_squares import no_least_squares
from bayesmed.core.errors import ModelError
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates


def reliability_corrected(
    data: SiteEstimates,
    *,
    variance: VarianceEstimator = "dersimonian_laird",
    covariance: bool = True,
) -> ClassicalEstimate:
    r"""Return the slope of least squares, corrected for its attenuation.

    .. math::

        b = \frac{S_{\gamma\gamma}\,b_{OLS} - \overline{V_{\gamma\beta}}}
                 {\lambda S_{\gamma\gamma}},\qquad
        \lambda = \frac{\sigma_\gamma^2}{\sigma_\gamma^2+\overline{V_{\gamma\gamma}}},

    :math:`S_{\gamma\gamma}` with divisor S - 1 (Fu 2023, proposition 2, whose
    :math:`b_{OLS}/\lambda` leaves out :math:`V_{\gamma\beta}`). With the moment estimator of
    :math:`\sigma_\gamma^2` it is BCES with :math:`(S-1)V_s/S`. The standard error is the delta
    method's over all sums, that of :math:`\sigma_\gamma^2` included (the infinitesimal
    jackknife); the interval is the normal one. Rows are taken as independent.

    Parameters
    ----------
    data
        Site estimates of one mediator.
    variance
        Estimator of :math:`\sigma_\gamma^2`.
    covariance
        Whether :math:`V_{\gamma\beta}` is taken off, without which errors that are correlated
        pass for a slope.

    Returns
    -------
    ClassicalEstimate
        Not defined where :math:`\sigma_\gamma^2` is estimated as 0.

    Raises
    ------
    DataError
        If there is more than one mediator.
    ModelError
        If there is no such estimator of the variance.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2, 3], total_effect=[2.0, 4.5, 6.0], cov=[0.25 * np.eye(2)] * 3)
    >>> reliability_corrected(data).slope.round(4).tolist()
    [2.6667]
    """
    if variance not in heterogeneity.ESTIMATORS:
        raise ModelError(
            f"There is no estimator {variance!r} of a variance.",
            f"Take one of {list(heterogeneity.ESTIMATORS)}.",
        )
    label = heterogeneity.LABELS[variance]
    name = f"Reliability-corrected{'' if covariance else ', no covariance'} ({label})"
    one_mediator(name, data)
    sites = canonical(data)
    mediator, sampling = sites.mediator[:, 0], sites.mediator_cov[:, 0, 0]
    shared = sites.covariance[:, 0] if covariance else np.zeros_like(mediator)
    reason = no_least_squares(sites.mediator, intercept=True)
    if not reason and variance == "dersimonian_laird" and not sampling.all():
        exact = data.labels[sites.order[np.argmin(sampling)]]
        reason = (
            f"the standard error of the mediator effect of site {exact!r} is 0, so its weight "
            "would be infinite"
        )
    if reason:
        return ClassicalEstimate.undefined(name, data.mediators, reason)
    between = heterogeneity.ESTIMATORS[variance](mediator, sampling)
    if between.variance <= 0:
        reason = f"the {label} estimate of the variance of true mediator effects is 0"
        return ClassicalEstimate.undefined(name, data.mediators, reason)
    line = _corrected(mediator, sites.total, sampling, shared, between)
    return sites.answer(
        name, line, covariance=covariance, reason=NO_SPARE_SITE if data.n_rows < 3 else ""
    )


def _corrected(
    mediator: Floats, total: Floats, sampling: Floats, shared: Floats, between: BetweenSites
) -> Line:
    """Return the corrected line; derivatives are by the weight of each site in the sample."""
    sites = mediator.size
    x, y = mediator - mediator.mean(), total - total.mean()
    numerator = x @ y / (sites - 1) - shared.mean()
    d_numerator = (x * y - x @ y / (sites - 1)) / (sites - 1) - (shared - shared.mean()) / sites
    square = x @ x / (sites - 1)
    d_square = (x**2 - square) / (sites - 1)
    error = sampling.mean()
    d_error = (sampling - error) / sites
    observed = between.variance + error
    reliability = between.variance / observed
    d_reliability = (error * between.influence - between.variance * d_error) / observed**2
    slope = numerator / (reliability * square)
    influence = (d_numerator - slope * (d_reliability * square + reliability * d_square)) / (
        reliability * square
    )
    intercept = total.mean() - slope * mediator.mean()
    d_intercept = (total - slope * mediator - intercept) / sites - mediator.mean() * influence
    enough = sites > 2
    return Line(
        slope=np.array([slope]),
        slope_se=np.array([math.sqrt(influence @ influence) if enough else math.nan]),
        intercept=float(intercept),
        intercept_se=math.sqrt(d_intercept @ d_intercept) if enough else math.nan,
        quantile=normal_quantile(),
    )
