r"""Slopes under a correlation of direct and mediator effects, which no scatter of sites shows.

With :math:`\rho=\mathrm{Corr}(\gamma_s,\theta_s)` the total effect is
:math:`\beta_s=\theta_s+\delta\gamma_s` with

.. math::

    E[\beta_s\mid\gamma_s]=\text{constant}+(\delta+\rho\sigma_\theta/\sigma_\gamma)\gamma_s,\qquad
    \mathrm{Var}(\beta_s\mid\gamma_s)=\sigma_\theta^2(1-\rho^2),

so that data tell these two numbers, and neither :math:`\rho` nor :math:`\delta` alone (methods,
section 2). Every function takes parameters that were learnt at one value of :math:`\rho` and says
what they are at another, the two numbers being what they were.
"""

from __future__ import annotations

import numpy as np

from bayesmed.core.types import Floats

__all__ = ["correlation_without_slope", "own_spread", "slope_at_correlation"]


def slope_at_correlation(
    slope: Floats,
    direct_effect_sd: Floats,
    mediator_effect_sd: Floats,
    correlation: Floats | float,
    assumed: Floats | float = 0.0,
) -> Floats:
    r"""Return the slope that fits as well at another correlation.

    .. math::

        \delta(\rho)=b-\frac{\rho}{\sqrt{1-\rho^2}}\,\frac{\sqrt v}{\sigma_\gamma},\qquad
        b=\delta+\rho_0\frac{\sigma_\theta}{\sigma_\gamma},\quad v=\sigma_\theta^2(1-\rho_0^2)

    from :math:`v=\sigma_\theta(\rho)^2(1-\rho^2)` and
    :math:`b=\delta(\rho)+\rho\,\sigma_\theta(\rho)/\sigma_\gamma` at every :math:`\rho`.

    Parameters
    ----------
    slope, direct_effect_sd, mediator_effect_sd
        :math:`\delta,\sigma_\theta,\sigma_\gamma` at :math:`\rho_0`, any shapes that broadcast. Of
        several mediators the spread is `own_spread`, and :math:`\rho` the correlation of direct
        effects with what effects on the others leave.
    correlation
        :math:`\rho` in (-1, 1).
    assumed
        :math:`\rho_0`.

    Examples
    --------
    >>> float(slope_at_correlation(np.array(1.0), np.array(0.4), np.array(0.5), 0.6))
    0.4
    """
    level, root = _told(slope, direct_effect_sd, mediator_effect_sd, assumed)
    odds = correlation / np.sqrt(1.0 - np.square(correlation))
    return np.asarray(level - odds * root / mediator_effect_sd)


def correlation_without_slope(
    slope: Floats,
    direct_effect_sd: Floats,
    mediator_effect_sd: Floats,
    assumed: Floats | float = 0.0,
) -> Floats:
    r"""Return the correlation at which the slope would be 0.

    .. math::

        \rho^*=\frac{b\,\sigma_\gamma}{\sqrt{b^2\sigma_\gamma^2+v}}=\mathrm{Corr}(\gamma_s,\beta_s),

    b and v as in `slope_at_correlation`: all of the association is then that of direct effects.
    Slopes fall as :math:`\rho` rises, so the slope is negative exactly beyond :math:`\rho^*`. The
    second form holds where slopes do not differ between sites.

    Parameters
    ----------
    slope, direct_effect_sd, mediator_effect_sd, assumed
        As in `slope_at_correlation`.

    Examples
    --------
    >>> round(float(correlation_without_slope(np.array(1.5), np.array(0.4), np.array(0.2))), 6)
    0.6
    """
    level, root = _told(slope, direct_effect_sd, mediator_effect_sd, assumed)
    along = level * mediator_effect_sd
    with np.errstate(invalid="ignore"):
        return np.asarray(along / np.hypot(along, root))


def _told(
    slope: Floats, direct_effect_sd: Floats, mediator_effect_sd: Floats, assumed: Floats | float
) -> tuple[Floats, Floats]:
    """Return what data tell: the coefficient of γ, and the spread of β about its line."""
    level = slope + assumed * direct_effect_sd / mediator_effect_sd
    return level, direct_effect_sd * np.sqrt(1.0 - np.square(assumed))


def own_spread(sd: Floats, corr: Floats) -> Floats:
    r"""Spread of each mediator's effect that effects on the others leave, (..., P).

    .. math:: \sigma_{p\cdot}=1/\sqrt{(\Omega_\gamma^{-1})_{pp}}

    If direct effects go with mediator effects by :math:`\mathrm{Cov}(\gamma,\theta)=c`, slopes are
    off by :math:`\Omega_\gamma^{-1}c`. Of all c that shift slope p by a given number, the one with
    the smallest multiple correlation :math:`R=\sqrt{c'\Omega_\gamma^{-1}c}/\sigma_\theta` has
    :math:`R\,\sigma_\theta/\sigma_{p\cdot}` in its place (Cauchy and Schwarz).

    Parameters
    ----------
    sd
        (..., P) spreads of mediator effects across sites.
    corr
        (..., P, P) their correlations.

    Examples
    --------
    >>> own_spread(np.array([1.0, 2.0]), np.array([[1.0, 0.6], [0.6, 1.0]])).round(6).tolist()
    [0.8, 1.6]
    """
    precision = np.diagonal(np.linalg.inv(corr), axis1=-2, axis2=-1)
    return np.asarray(sd / np.sqrt(precision))
