r"""The site-slope model with a constant slope, its site-level effects integrated out.

Notation (Fu 2023, section 4, with the sampling covariance kept):

.. math::

    (\hat\gamma_s, \hat\beta_s) \sim N\{(\gamma_s, \beta_s), V_s\},\quad
    \gamma_s \sim N(\mu_\gamma, \sigma_\gamma^2),\quad
    \theta_s \sim N(\mu_\theta, \sigma_\theta^2),\quad
    \beta_s = \theta_s + \delta\gamma_s .

Every density is written as :math:`p(\hat\gamma_s)\,p(\hat\beta_s\mid\hat\gamma_s)`. The
conditional variance is a sum of non-negative terms, so nothing cancels when standard errors are
tiny or exactly zero. All functions broadcast and take NumPy arrays or PyTensor variables.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bayesmed.core.types import ArrayLike, Floats

LOG_2PI = math.log(2.0 * math.pi)


class SamplingCovariance(NamedTuple):
    r"""The sampling covariance :math:`V_s` of :math:`(\hat\gamma_s, \hat\beta_s)`, by entries.

    ``determinant`` is stored because :math:`V_{\gamma\gamma}V_{\beta\beta}-V_{\gamma\beta}^2`
    must be computed once, with care, and then only added to other non-negative terms.
    """

    mediator: ArrayLike
    cross: ArrayLike
    outcome: ArrayLike
    determinant: ArrayLike

    @classmethod
    def of(cls, cov: Floats) -> SamplingCovariance:
        """Take the entries of covariance matrices of shape (..., 2, 2)."""
        mediator, cross, outcome = cov[..., 0, 0], cov[..., 0, 1], cov[..., 1, 1]
        scale = np.sqrt(mediator * outcome)
        # (1 - r)(1 + r) keeps the digits that 1 - r**2 loses when |r| is near one.
        product = (scale - cross) * (scale + cross)
        return cls(mediator, cross, outcome, np.maximum(product, 0.0))


def mediator_estimate_variance(mediator_effect_sd: ArrayLike, cov: SamplingCovariance) -> ArrayLike:
    r"""Marginal variance of the estimated mediator effect.

    .. math:: a_s = \sigma_\gamma^2 + V_{\gamma\gamma,s}
    """
    return mediator_effect_sd**2 + cov.mediator


def outcome_on_mediator_estimate(
    slope: ArrayLike, mediator_effect_sd: ArrayLike, cov: SamplingCovariance
) -> ArrayLike:
    r"""Coefficient of :math:`\hat\gamma_s` in :math:`E(\hat\beta_s\mid\hat\gamma_s)`.

    .. math:: b_s = (\delta\sigma_\gamma^2 + V_{\gamma\beta,s}) / a_s
    """
    variance = mediator_estimate_variance(mediator_effect_sd, cov)
    return (slope * mediator_effect_sd**2 + cov.cross) / variance


def outcome_conditional_noise(
    slope: ArrayLike, mediator_effect_sd: ArrayLike, cov: SamplingCovariance
) -> ArrayLike:
    r"""Return the part of :math:`\mathrm{Var}(\hat\beta_s\mid\hat\gamma_s)` due to sampling error.

    .. math::
        w_s - \sigma_\theta^2 = \{\sigma_\gamma^2 (V_{\beta\beta} - 2\delta V_{\gamma\beta}
        + \delta^2 V_{\gamma\gamma}) + |V_s|\} / a_s

    Equal to :math:`\delta^2\sigma_\gamma^2 + V_{\beta\beta} - (\delta\sigma_\gamma^2 +
    V_{\gamma\beta})^2/a_s`, without its cancellation.
    """
    contrast = cov.outcome - 2.0 * slope * cov.cross + slope**2 * cov.mediator
    variance = mediator_estimate_variance(mediator_effect_sd, cov)
    return (mediator_effect_sd**2 * contrast + cov.determinant) / variance


def log_density(
    mediator_effect_estimate: ArrayLike,
    total_effect_estimate: ArrayLike,
    cov: SamplingCovariance,
    *,
    slope: ArrayLike,
    mediator_effect_mean: ArrayLike,
    mediator_effect_sd: ArrayLike,
    direct_effect_mean: ArrayLike,
    direct_effect_sd: ArrayLike,
) -> ArrayLike:
    r"""Log-density of each site's pair of estimates, :math:`\gamma_s,\theta_s` integrated out.

    .. math::
        \log N(\hat\gamma_s;\,\mu_\gamma,\,a_s) +
        \log N\{\hat\beta_s;\,\mu_\theta+\delta\mu_\gamma+b_s(\hat\gamma_s-\mu_\gamma),\,w_s\}

    Parameters
    ----------
    mediator_effect_estimate, total_effect_estimate
        :math:`\hat\gamma_s,\hat\beta_s`, any shapes that broadcast.
    cov
        Sampling covariance of the pair.
    slope, mediator_effect_mean, mediator_effect_sd, direct_effect_mean, direct_effect_sd
        :math:`\delta,\mu_\gamma,\sigma_\gamma,\mu_\theta,\sigma_\theta`.

    Returns
    -------
    ArrayLike
        One value per site, in natural logarithms, of the density in data units.

    Examples
    --------
    >>> cov = SamplingCovariance.of(np.diag([0.04, 0.09]))
    >>> value = log_density(0.5, 1.1, cov, slope=2.0, mediator_effect_mean=0.4,
    ...                     mediator_effect_sd=0.3, direct_effect_mean=0.1, direct_effect_sd=0.2)
    >>> round(float(value), 6)
    -0.152134
    """
    deviation = mediator_effect_estimate - mediator_effect_mean
    coefficient = outcome_on_mediator_estimate(slope, mediator_effect_sd, cov)
    expected = direct_effect_mean + slope * mediator_effect_mean + coefficient * deviation
    noise = outcome_conditional_noise(slope, mediator_effect_sd, cov)
    conditional = direct_effect_sd**2 + noise
    variance = mediator_estimate_variance(mediator_effect_sd, cov)
    square = deviation**2 / variance + (total_effect_estimate - expected) ** 2 / conditional
    # One logarithm for both: logarithms are most of the time at thousands of sites.
    return -0.5 * (2.0 * LOG_2PI + np.log(variance * conditional) + square)


def reliability(mediator_effect_sd: ArrayLike, mediator_variance: ArrayLike) -> ArrayLike:
    r"""Share of the variance of :math:`\hat\gamma_s` that is true spread.

    .. math:: \lambda = \sigma_\gamma^2 / (\sigma_\gamma^2 + se^2)
    """
    return mediator_effect_sd**2 / (mediator_effect_sd**2 + mediator_variance)
