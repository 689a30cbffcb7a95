r"""Persons whose compliance and benefit go together: correlated random coefficients.

Reardon and Raudenbush (2013, section 2): person i has

.. math::

    M_i = m_{0i} + \Gamma_iT_i,\qquad Y_i = y_{0i} + \theta T_i + \Delta_iM_i,\qquad
    (m_{0i}, y_{0i}, \Gamma_i, \Delta_i) \sim N(\mu, \Omega),

T randomised, binary or an amount. With :math:`e = m-\mu_m-\mu_\Gamma t` and

.. math::

    v(t) = \omega_{mm}+2t\,\omega_{m\Gamma}+t^2\omega_{\Gamma\Gamma},\quad
    c_y(t) = \omega_{ym}+t\,\omega_{y\Gamma},\quad
    c_\Delta(t) = \omega_{\Delta m}+t\,\omega_{\Delta\Gamma}

the likelihood of a person is :math:`p(m\mid t)\,p(y\mid m,t)`, both normal. For a binary treatment
only :math:`2\omega_{m\Gamma}+\omega_{\Gamma\Gamma}` enters it, not the two by themselves; and
:math:`\omega_{\Delta\Gamma}` is told by the curvature of E(Y | m, t), so by normality.

All functions broadcast and take NumPy arrays or PyTensor variables.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesmed.core.types import ArrayLike
from bayesmed.formulas.site_slope import LOG_2PI

__all__ = [
    "CoefficientCovariance",
    "CoefficientMeans",
    "Conditional",
    "TreatedMoments",
    "mediator_given_treatment",
    "mediator_variance",
    "moments_given_treatment",
    "normal_log_density",
    "outcome_given_mediator",
    "outcome_mediator_covariance",
    "slope_mediator_covariance",
]


class CoefficientMeans(NamedTuple):
    r"""Means :math:`\mu_m, \mu_\Gamma, \mu_y, \mu_\Delta` and the direct effect :math:`\theta`."""

    mediator: ArrayLike
    compliance: ArrayLike
    outcome: ArrayLike
    slope: ArrayLike
    direct_effect: ArrayLike = 0.0


class CoefficientCovariance(NamedTuple):
    r"""Entries of :math:`\Omega`, the covariance of a person's :math:`(m_0, y_0, \Gamma, \Delta)`.

    ``compliance`` is :math:`\omega_{\Gamma\Gamma}`, ``slope`` :math:`\omega_{\Delta\Delta}`, the
    others are named alike.
    """

    mediator: ArrayLike
    mediator_outcome: ArrayLike
    mediator_compliance: ArrayLike
    mediator_slope: ArrayLike
    outcome: ArrayLike
    outcome_compliance: ArrayLike
    outcome_slope: ArrayLike
    compliance: ArrayLike
    compliance_slope: ArrayLike
    slope: ArrayLike

    @classmethod
    def of(cls, cov: ArrayLike) -> CoefficientCovariance:
        r"""Take the entries of matrices (..., 4, 4), ordered :math:`(m_0, y_0, \Gamma, \Delta)`.

        Examples
        --------
        >>> float(CoefficientCovariance.of(np.arange(16.0).reshape(4, 4)).compliance_slope)
        11.0
        """
        return cls(*(cov[..., i, j] for i in range(4) for j in range(i, 4)))


class Conditional(NamedTuple):
    """Mean and variance of a normal variable given others."""

    mean: ArrayLike
    variance: ArrayLike


def mediator_variance(treatment: ArrayLike, cov: CoefficientCovariance) -> ArrayLike:
    r"""Variance of the mediator at a treatment, :math:`v(t)` of the module's equations.

    Examples
    --------
    >>> mediator_variance(1.0, CoefficientCovariance.of(np.eye(4)))
    np.float64(2.0)
    """
    return cov.mediator + treatment * (2.0 * cov.mediator_compliance + treatment * cov.compliance)


def outcome_mediator_covariance(treatment: ArrayLike, cov: CoefficientCovariance) -> ArrayLike:
    r"""Covariance of :math:`y_0` and the mediator at a treatment, :math:`c_y(t)`."""
    return cov.mediator_outcome + treatment * cov.outcome_compliance


def slope_mediator_covariance(treatment: ArrayLike, cov: CoefficientCovariance) -> ArrayLike:
    r"""Covariance of :math:`\Delta` and the mediator at a treatment, :math:`c_\Delta(t)`."""
    return cov.mediator_slope + treatment * cov.compliance_slope


def mediator_given_treatment(
    treatment: ArrayLike, means: CoefficientMeans, cov: CoefficientCovariance
) -> Conditional:
    r"""Return mean and variance of M given T = t.

    .. math:: M\mid t \sim N\{\mu_m+\mu_\Gamma t,\ v(t)\}

    Examples
    --------
    >>> means, cov = CoefficientMeans(1.0, 2.0, 0.0, 0.0), CoefficientCovariance.of(np.eye(4))
    >>> found = mediator_given_treatment(0.0, means, cov)
    >>> float(found.mean), float(found.variance)
    (1.0, 1.0)
    """
    mean = means.mediator + means.compliance * treatment
    return Conditional(mean, mediator_variance(treatment, cov))


def outcome_given_mediator(
    mediator: ArrayLike,
    treatment: ArrayLike,
    means: CoefficientMeans,
    cov: CoefficientCovariance,
) -> Conditional:
    r"""Return mean and variance of Y given M = m and T = t.

    .. math::

        E &= \mu_y + \theta t + \mu_\Delta m + (c_y + m\,c_\Delta)\,e/v \\
        \mathrm{Var} &= \omega_{yy}-c_y^2/v + 2m(\omega_{y\Delta}-c_yc_\Delta/v)
                        + m^2(\omega_{\Delta\Delta}-c_\Delta^2/v)

    Given M and T, :math:`(y_0, \Delta)` is normal; Y is their sum with weights 1 and m.

    Parameters
    ----------
    mediator, treatment
        m and t of each person.
    means, cov
        Parameters; the variance of the mediator positive.

    Examples
    --------
    >>> means, cov = CoefficientMeans(0.0, 1.0, 3.0, 0.5), CoefficientCovariance.of(np.eye(4))
    >>> found = outcome_given_mediator(2.0, 1.0, means, cov)
    >>> float(found.mean), float(found.variance)
    (4.0, 5.0)
    """
    expected, variance = mediator_given_treatment(treatment, means, cov)
    of_outcome = outcome_mediator_covariance(treatment, cov)
    of_slope = slope_mediator_covariance(treatment, cov)
    away = (mediator - expected) / variance
    mean = means.outcome + means.direct_effect * treatment + means.slope * mediator
    intercept = cov.outcome - of_outcome**2 / variance
    cross = cov.outcome_slope - of_outcome * of_slope / variance
    slope = cov.slope - of_slope**2 / variance
    return Conditional(
        mean=mean + (of_outcome + mediator * of_slope) * away,
        variance=intercept + mediator * (2.0 * cross + mediator * slope),
    )


def normal_log_density(value: ArrayLike, given: Conditional) -> ArrayLike:
    r"""Log-density of a value under a mean and a variance, natural logarithm.

    .. math:: -\tfrac12\{\log 2\pi + \log\sigma^2 + (x-\mu)^2/\sigma^2\}

    A person's log-likelihood is that of m under `mediator_given_treatment` plus that of y under
    `outcome_given_mediator`.

    Examples
    --------
    >>> round(float(normal_log_density(1.0, Conditional(1.0, 1.0))), 6)
    -0.918939
    """
    square = (value - given.mean) ** 2 / given.variance
    return -0.5 * (LOG_2PI + np.log(given.variance) + square)


class TreatedMoments(NamedTuple):
    """First two moments of mediator and outcome at a treatment."""

    mediator_mean: ArrayLike
    outcome_mean: ArrayLike
    mediator_variance: ArrayLike
    covariance: ArrayLike
    outcome_variance: ArrayLike


def moments_given_treatment(
    treatment: ArrayLike, means: CoefficientMeans, cov: CoefficientCovariance
) -> TreatedMoments:
    r"""Return the moments of (M, Y) given T = t, whatever amount t is.

    .. math::

        E\,Y &= \mu_y + \theta t + \mu_\Delta\mu_M + c_\Delta,\qquad \mu_M = \mu_m+\mu_\Gamma t \\
        \mathrm{Cov}(M, Y) &= c_y + \mu_\Delta v + \mu_Mc_\Delta \\
        \mathrm{Var}\,Y &= \omega_{yy} + 2(\mu_\Delta c_y + \mu_M\omega_{y\Delta}) + \mu_\Delta^2v
            + \mu_M^2\omega_{\Delta\Delta} + 2\mu_\Delta\mu_Mc_\Delta + \omega_{\Delta\Delta}v
            + c_\Delta^2

    Y is not normal given t alone. E Y is a line in t, whatever :math:`\Omega`: its slope is the
    intention-to-treat effect (`bayesmed.formulas.compliance_effects`).

    Examples
    --------
    >>> means, cov = CoefficientMeans(1.0, 2.0, 0.0, 0.5), CoefficientCovariance.of(np.eye(4))
    >>> [float(x) for x in moments_given_treatment(1.0, means, cov)]
    [3.0, 1.5, 2.0, 1.0, 12.5]
    """
    mean, v = mediator_given_treatment(treatment, means, cov)
    of_outcome = outcome_mediator_covariance(treatment, cov)
    of_slope = slope_mediator_covariance(treatment, cov)
    delta = means.slope
    spread = delta**2 * v + cov.slope * (mean**2 + v) + of_slope * (2.0 * delta * mean + of_slope)
    return TreatedMoments(
        mediator_mean=mean,
        outcome_mean=means.outcome + means.direct_effect * treatment + delta * mean + of_slope,
        mediator_variance=v,
        covariance=of_outcome + delta * v + mean * of_slope,
        outcome_variance=cov.outcome
        + 2.0 * (delta * of_outcome + mean * cov.outcome_slope)
        + spread,
    )
