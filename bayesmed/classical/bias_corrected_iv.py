r"""Multi-site instrumental variables with their finite-sample bias taken off."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bayesmed.classical.bces import asymptotic_line, checked_weights
from bayesmed.classical.canonical import Line, canonical, normal_quantile, one_mediator
from bayesmed.classical.estimate import NO_SPARE_SITE, ClassicalEstimate
from bayesmed.classical.moments import corrected_moments
from bayesmed.data import SiteEstimates

NAME = "Bias-corrected IV"


def bias_corrected_iv(
    data: SiteEstimates, *, weights: npt.ArrayLike | None = None
) -> ClassicalEstimate:
    r"""Two-stage least squares with site-by-treatment instruments, less its weak-instrument bias.

    Two-stage least squares tends to :math:`\delta+(b_{OLS}-\delta)/F`, so

    .. math::

        b = \frac{F\,b_{2SLS}-b_{OLS}}{F-1},\quad
        b_{2SLS} = \frac{\sum w\hat\gamma\hat\beta}{\sum w\hat\gamma^2},\quad
        b_{OLS} = \frac{\sum wV_{\gamma\beta}}{\sum wV_{\gamma\gamma}},\quad
        F = \frac{\sum w\hat\gamma^2}{\sum wV_{\gamma\gamma}}

    after Reardon, Unlu, Zhu and Bloom (2014); :math:`b_{OLS}` is the slope of outcome on mediator
    within site and arm, which the sampling covariance holds. It equals `bces` without intercept
    in the same weights, whose standard error it carries; the interval is the normal one. It takes
    direct effects to be 0.

    Parameters
    ----------
    data
        Site estimates of one mediator.
    weights
        (R,) weights of two-stage least squares, n p (1 - p) with n persons of whom a share p is
        treated. Default: :math:`1/V_{\gamma\gamma,s}`, proportional to them where persons vary
        alike at all sites.

    Returns
    -------
    ClassicalEstimate
        Without intercept; not defined where F is not above 1.

    Raises
    ------
    DataError
        If there is more than one mediator, or weights are not R numbers, none negative and some
        positive.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2, 3], total_effect=[2.0, 4.5, 6.0], cov=[0.2 * np.eye(2)] * 3)
    >>> bias_corrected_iv(data).slope.round(4).tolist()
    [2.1642]
    """
    one_mediator(NAME, data)
    sites = canonical(data)
    mediator, variance = sites.mediator[:, 0], sites.mediator_cov[:, 0, 0]
    if weights is not None:
        weight = checked_weights(weights, data)[sites.order]
    elif variance.all():
        weight = variance.min() / variance
    else:
        exact = data.labels[sites.order[np.argmin(variance)]]
        return ClassicalEstimate.undefined(
            NAME,
            data.mediators,
            f"the standard error of the mediator effect of site {exact!r} is 0, so its weight "
            "would be infinite: give weights",
        )
    error = float(weight @ variance)
    strength = float(weight @ mediator**2)
    if strength <= error:
        reason = (
            "the mediator effects are all 0"
            if error == 0
            else f"F is {strength / error:.2f}, not above 1: sampling error explains all effects"
        )
        return ClassicalEstimate.undefined(NAME, data.mediators, reason)
    two_stage = float(weight @ (mediator * sites.total)) / strength
    slope = two_stage
    if error > 0:
        within = float(weight @ sites.covariance[:, 0]) / error
        f = strength / error
        slope = (f * two_stage - within) / (f - 1)
    moments = corrected_moments(
        sites.mediator,
        sites.total,
        sites.mediator_cov,
        sites.covariance,
        weight=weight,
        intercept=False,
    )
    line = Line(np.array([slope]), asymptotic_line(moments).slope_se, quantile=normal_quantile())
    reason = "" if moments.spare > 0 else NO_SPARE_SITE
    return sites.answer(NAME, line, covariance=True, reason=reason)
