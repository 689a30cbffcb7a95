"""What least squares through the origin tends to where an assumption fails."""

from __future__ import annotations

__all__ = ["expected_origin_slope"]


def expected_origin_slope(
    slope: float,
    mean: float,
    variance: float,
    *,
    slope_effect_cov: float = 0.0,
    within_site_covariance: float = 0.0,
    noise: float = 0.0,
    noise_covariance: float = 0.0,
) -> float:
    r"""Return the limit of the slope of total on mediator effects, one mediator, many sites.

    .. math::

        \frac{\bar\delta(\bar\gamma^2+\sigma_\gamma^2) + 2\bar\gamma\omega_{\gamma\delta}
              + \bar\gamma\kappa + \overline{V_{\gamma\beta}}}
             {\bar\gamma^2+\sigma_\gamma^2+\overline{V_{\gamma\gamma}}}

    without noise :math:`\bar\delta + (2\bar\gamma\omega_{\gamma\delta} + \bar\gamma\kappa)
    /(\bar\gamma^2+\sigma_\gamma^2)`: from :math:`\beta_s=\delta_s\gamma_s+\kappa_s` (Raudenbush,
    Reardon and Nomi 2012, equation 9) with :math:`(\gamma_s,\delta_s)` bivariate normal, whose
    third central moments are 0, and :math:`\kappa_s` unrelated to :math:`\gamma_s`. A mean direct
    effect acts as :math:`\kappa` does. Weights must be unrelated to effects.

    Parameters
    ----------
    slope, mean, variance
        Mean slope :math:`\bar\delta`; mean :math:`\bar\gamma` and variance :math:`\sigma_\gamma^2`
        of mediator effects across sites.
    slope_effect_cov
        :math:`\omega_{\gamma\delta}`, covariance of mediator effects and slopes across sites.
    within_site_covariance
        Mean :math:`\kappa` of the covariances, within sites, of persons' mediator effects and
        slopes.
    noise, noise_covariance
        (Weighted) mean sampling variance of the mediator effects, and covariance with the total.

    Examples
    --------
    >>> expected_origin_slope(1.0, 0.5, 0.75, slope_effect_cov=0.2)
    1.2
    """
    square = mean**2 + variance
    # The bias is added, so that without one the answer is the slope to the last digit.
    moved = 2 * mean * slope_effect_cov + mean * within_site_covariance + noise_covariance
    return slope + (moved - slope * noise) / (square + noise)
