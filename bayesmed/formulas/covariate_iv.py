r"""A mediator confounded with the outcome: errors that go together, effects that differ.

The equations of one person (Small 2012, section 5; methods, section 5), X about its mean:

.. math::

    Y = \alpha + \beta'X + \theta_{Ri}R + \theta_{Mi}M + e,\qquad
    M = a + b'X + cR + d'(R\cdot X) + v,\qquad \mathrm{Corr}(e, v) = \psi

with :math:`\sigma_v, \sigma_e` the standard deviations of v and e. Effects of persons
:math:`\theta_{Ri}, \theta_{Mi}` are normal around their means given X and unrelated to (e, v),
which is more than Small assumes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bayesmed.core.types import ArrayLike
from bayesmed.formulas.site_slope import LOG_2PI

__all__ = [
    "ErrorRegression",
    "Errors",
    "error_log_jacobian",
    "error_regression",
    "errors_behind",
    "indirect_effect",
    "outcome_variance",
    "probit_log_density",
]


class Errors(NamedTuple):
    r"""Standard deviation of the outcome's error, and its correlation with the mediator's."""

    outcome_sd: ArrayLike
    correlation: ArrayLike


class ErrorRegression(NamedTuple):
    r"""What least squares of Y on M sees: :math:`\lambda` and the residual :math:`\omega`."""

    slope: ArrayLike
    residual_sd: ArrayLike


def error_regression(slope: ArrayLike, mediator_sd: ArrayLike, errors: Errors) -> ErrorRegression:
    r"""Regress :math:`\theta_Mv + e` on v.

    .. math::

        \lambda = \theta_M + \psi\sigma_e/\sigma_v,\qquad \omega = \sigma_e\sqrt{1-\psi^2}

    Y given M, R and X is normal with mean :math:`\ldots+\theta_MM+\psi(\sigma_e/\sigma_v)v`:
    :math:`\lambda` is the slope of least squares within an arm, given X.

    Parameters
    ----------
    slope, mediator_sd
        :math:`\theta_M, \sigma_v`.
    errors
        :math:`\sigma_e, \psi`.

    Examples
    --------
    >>> found = error_regression(1.0, 2.0, Errors(5.0, 0.6))
    >>> found.slope, float(found.residual_sd)
    (2.5, 4.0)
    """
    sd, correlation = errors
    return ErrorRegression(
        slope + correlation * sd / mediator_sd, sd * np.sqrt(1.0 - correlation**2)
    )


def errors_behind(slope: ArrayLike, mediator_sd: ArrayLike, seen: ErrorRegression) -> Errors:
    r"""Return the errors that a regression comes from: the inverse of `error_regression`.

    .. math::

        \psi\sigma_e = (\lambda-\theta_M)\sigma_v,\qquad
        \sigma_e^2 = \omega^2 + (\lambda-\theta_M)^2\sigma_v^2

    Examples
    --------
    >>> found = errors_behind(1.0, 2.0, ErrorRegression(2.5, 4.0))
    >>> float(found.outcome_sd), float(found.correlation)
    (5.0, 0.6)
    """
    shared = (seen.slope - slope) * mediator_sd
    sd = np.sqrt(seen.residual_sd**2 + shared**2)
    return Errors(sd, shared / sd)


def error_log_jacobian(
    mediator_sd: ArrayLike, residual_sd: ArrayLike, outcome_sd: ArrayLike
) -> ArrayLike:
    r"""Log-determinant of :math:`(\sigma_e, \psi)` by :math:`(\lambda, \omega)`.

    .. math::

        \left|\frac{\partial(\sigma_e,\psi)}{\partial(\lambda,\omega)}\right|
        = \frac{\omega\,\sigma_v}{\sigma_e^2}

    A uniform prior of :math:`\psi` is therefore one of :math:`\lambda-\theta_M` that falls off
    like :math:`1/\{\omega^2+(\lambda-\theta_M)^2\sigma_v^2\}`: far from least squares a slope needs
    errors that are all but the same.

    Examples
    --------
    >>> round(float(np.exp(error_log_jacobian(2.0, 4.0, 5.0))), 6)
    0.32
    """
    return np.log(mediator_sd) + np.log(residual_sd) - 2.0 * np.log(outcome_sd)


def outcome_variance(
    residual_variance: ArrayLike,
    treatment: ArrayLike,
    mediator: ArrayLike,
    effect_covariance: tuple[ArrayLike, ArrayLike, ArrayLike],
) -> ArrayLike:
    r"""Variance of Y given R, M, X (and v), where effects differ between persons.

    .. math:: \sigma^2 + R^2\omega_R^2 + M^2\omega_M^2 + 2RM\omega_{RM}

    with :math:`\sigma^2=\sigma_e^2(1-\psi^2)` given v, and :math:`\sigma_e^2` without it.

    Parameters
    ----------
    residual_variance
        :math:`\sigma^2`.
    treatment, mediator
        R and M: the mediator as it was measured, not about its mean.
    effect_covariance
        :math:`\omega_R^2, \omega_M^2, \omega_{RM}`.

    Examples
    --------
    >>> outcome_variance(1.0, 1.0, 2.0, (4.0, 9.0, 0.5))
    43.0
    """
    direct, slope, both = effect_covariance
    crossed = treatment * (treatment * direct + 2.0 * mediator * both)
    return residual_variance + crossed + mediator**2 * slope


def probit_log_density(
    residual: ArrayLike,
    taken: ArrayLike,
    index: ArrayLike,
    variance: ArrayLike,
    errors: Errors,
    log_ndtr: Callable[[ArrayLike], ArrayLike],
) -> ArrayLike:
    r"""Log-density of an outcome and a mediator that is 1 where its index exceeds 0.

    .. math::

        \frac{\phi(r/s)}{s}\;\Phi\!\left(\pm\frac{\eta+\psi\sigma_e r/s^2}
            {\sqrt{1-\psi^2\sigma_e^2/s^2}}\right)

    The sign is + for M = 1 and - for M = 0, and :math:`\sigma_v = 1`. The correlation of r with v
    is :math:`\psi\sigma_e/s`, smaller than :math:`\psi` where effects differ between persons.

    Parameters
    ----------
    residual
        r, the outcome less its mean given R, M and X.
    taken
        M, 0 or 1.
    index
        :math:`\eta = a+b'X+cR+d'(R\cdot X)`.
    variance
        :math:`s^2` (`outcome_variance`).
    errors
        :math:`\sigma_e, \psi`.
    log_ndtr
        Logarithm of :math:`\Phi`.

    Examples
    --------
    >>> from scipy.special import log_ndtr
    >>> alone = probit_log_density(0.0, 1.0, 0.3, 1.0, Errors(1.0, 0.0), log_ndtr)
    >>> round(float(alone - log_ndtr(0.3)), 6)
    -0.918939
    """
    shared = errors.correlation * errors.outcome_sd
    left = np.sqrt(1.0 - shared**2 / variance)
    given = (index + shared * residual / variance) / left
    density = -0.5 * (LOG_2PI + np.log(variance) + residual**2 / variance)
    return density + log_ndtr((2.0 * taken - 1.0) * given)


def indirect_effect(
    slope: ArrayLike, mediator_effect: ArrayLike, modification: ArrayLike
) -> ArrayLike:
    r"""Average of persons' slope times mediator effect, both lines in covariates.

    .. math:: \theta_Mc + \tau_M'\,\mathrm{Cov}(X)\,d

    The mean of :math:`(\theta_M+\tau_M'X)(c+d'X)` over persons, X about its mean.

    Parameters
    ----------
    slope, mediator_effect
        :math:`\theta_M, c`.
    modification
        :math:`\tau_M'\,\mathrm{Cov}(X)\,d`.

    Examples
    --------
    >>> indirect_effect(2.0, 0.5, 0.25)
    1.25
    """
    return slope * mediator_effect + modification
