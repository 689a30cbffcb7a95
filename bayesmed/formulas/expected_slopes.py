"""What least squares of total on mediator effects tends to, where an assumption fails."""

from __future__ import annotations

import numpy as np

from bayesmed.core.types import Floats

__all__ = ["expected_slopes"]


def expected_slopes(
    slope: Floats,
    mean: Floats,
    cov: Floats,
    *,
    slope_effect_cov: Floats | float = 0.0,
    constant: Floats | float = 0.0,
    noise: Floats | float = 0.0,
    noise_covariance: Floats | float = 0.0,
    intercept: bool = False,
) -> Floats:
    r"""Return the limit of slopes of total on mediator effects, many sites: (..., P).

    .. math::

        \bar\delta + (\Omega_\gamma+\bar\gamma\bar\gamma'+\overline{V_{\gamma\gamma}})^{-1}
        \{\bar\gamma\,\mathrm{tr}\,\omega + \omega\bar\gamma + \bar\gamma\kappa
          + \overline{V_{\gamma\beta}} - \overline{V_{\gamma\gamma}}\bar\delta\}

    through the origin; for one mediator without noise
    :math:`\bar\delta + (2\bar\gamma\omega + \bar\gamma\kappa)/(\bar\gamma^2+\sigma_\gamma^2)`.
    From :math:`\beta_s=\delta_s'\gamma_s+\kappa_s` (Raudenbush, Reardon and Nomi 2012, equation 9)
    with :math:`(\gamma_s,\delta_s)` jointly normal, whose third central moments are 0, and
    :math:`\kappa_s` unrelated to :math:`\gamma_s`. A mean direct effect acts as :math:`\kappa`
    does. With an intercept the terms with :math:`\bar\gamma` in front drop out, that in the inverse
    among them. Weights must be unrelated to effects.

    Parameters
    ----------
    slope, mean, cov
        (..., P) mean slopes :math:`\bar\delta`; (..., P) means :math:`\bar\gamma` and (..., P, P)
        covariance :math:`\Omega_\gamma` of mediator effects across sites.
    slope_effect_cov
        (..., P, P) :math:`\omega`, covariance across sites of mediator effects (down) with slopes.
    constant
        (...,) mean :math:`\kappa` of the covariances, within sites, of persons' mediator effects
        and slopes, or mean direct effect.
    noise, noise_covariance
        (P, P) and (P,): (weighted) mean sampling covariance of the mediator effects, and of them
        with the total.
    intercept
        Whether the line has an intercept.

    Examples
    --------
    >>> one = np.array([[0.75]])
    >>> expected_slopes(np.array([1.0]), np.array([0.5]), one, slope_effect_cov=0.2 * one / 0.75)
    array([1.2])
    """
    p = slope.shape[-1]
    omega = np.broadcast_to(slope_effect_cov, (*slope.shape, p))
    noise = np.broadcast_to(noise, (p, p))
    # The bias is added, so that without one the answer is the slope to the last digit.
    moved = (omega @ mean[..., None])[..., 0] + noise_covariance - slope @ noise.T
    square = cov + noise
    if not intercept:
        added = np.trace(omega, axis1=-2, axis2=-1) + constant
        moved = moved + mean * np.expand_dims(added, -1)
        square = square + mean[..., None] * mean[..., None, :]
    return np.asarray(slope + np.linalg.solve(square, moved[..., None])[..., 0])
