"""The treatment's direct effect once the mediator's effect is known."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DirectEffect", "direct_effect"]


class DirectEffect(NamedTuple):
    """A direct effect, its variance, and its covariance with the mediator's effect."""

    value: float
    variance: float
    covariance: float


def direct_effect(
    on_mediator: float,
    on_outcome: float,
    treatment_inverse: float,
    residual_variance: float,
    slope: float,
    slope_variance: float,
) -> DirectEffect:
    r"""Regress :math:`Y-\hat\theta_MM` on treatment and covariates.

    .. math::

        \hat\theta_R = b_Y - \hat\theta_M b_M,\qquad
        \mathrm{Var} = \sigma_u^2[(W'W)^{-1}]_{RR} + b_M^2\,\mathrm{Var}\,\hat\theta_M,\qquad
        \mathrm{Cov}(\hat\theta_R,\hat\theta_M) = -b_M\,\mathrm{Var}\,\hat\theta_M

    with :math:`b_M, b_Y` the coefficients of treatment in the regressions of M and Y on W, the
    covariates and treatment. For :math:`\hat\theta_M` of least squares or two-stage least squares
    in the same W it is their own coefficient of treatment and its homoskedastic error; for
    :math:`\hat\theta_M` given measured post-baseline confounders it is the correction of Small
    (2012, section 4; Vansteelandt 2009), because treatment works through them too. Errors have one
    variance and are unrelated to W.

    Parameters
    ----------
    on_mediator, on_outcome
        :math:`b_M, b_Y`.
    treatment_inverse
        :math:`[(W'W)^{-1}]_{RR}`.
    residual_variance
        :math:`\sigma_u^2` of :math:`Y-\hat\theta_MM` given W.
    slope, slope_variance
        :math:`\hat\theta_M` and its variance.

    Examples
    --------
    >>> direct_effect(0.5, 2.0, 0.25, 4.0, 1.0, 0.16)
    DirectEffect(value=1.5, variance=1.04, covariance=-0.08)
    """
    return DirectEffect(
        value=on_outcome - slope * on_mediator,
        variance=residual_variance * treatment_inverse + on_mediator**2 * slope_variance,
        covariance=-on_mediator * slope_variance,
    )
