r"""The constant site-slope model with both population means integrated out as well.

Given :math:`(\delta,\sigma_\gamma,\sigma_\theta)` the estimates are linear in
:math:`(\mu_\gamma,\alpha)`, with :math:`\alpha=\mu_\theta+\delta c` the average total effect at the
centre c. With normal priors on the two, what remains is a density in at most three dimensions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesmed.core.types import Floats
from bayesmed.formulas.site_slope import (
    LOG_2PI,
    SamplingCovariance,
    mediator_estimate_variance,
    outcome_conditional_noise,
)


class NormalPrior(NamedTuple):
    """Mean and standard deviation of a normal prior; arrays broadcast over the slope."""

    mean: Floats | float
    sd: float


class IntegratedDensity(NamedTuple):
    r"""Log-density of the estimates, and the conditional normal of the two means.

    ``mediator_mean, intercept_mean`` and the entries of their covariance have the shape of
    ``log_density``; those of the intercept are zero where the model has none.
    """

    log_density: Floats
    mediator_mean: Floats
    intercept_mean: Floats
    mediator_var: Floats
    intercept_var: Floats
    cross_var: Floats


def integrated_log_density(
    mediator_effect_estimate: Floats,
    total_effect_estimate: Floats,
    cov: SamplingCovariance,
    *,
    slope: Floats,
    mediator_effect_sd: Floats,
    direct_effect_sd: Floats,
    mediator_effect_mean: NormalPrior,
    total_effect_at_centre: NormalPrior | None,
    centre: float,
) -> IntegratedDensity:
    r"""Log-density of all sites' estimates given :math:`\delta,\sigma_\gamma,\sigma_\theta`.

    With :math:`a_s, b_s, w_s` as in :mod:`bayesmed.formulas.site_slope`,
    :math:`y_s=\hat\beta_s-b_s\hat\gamma_s+\delta c` and :math:`x_s=\delta-b_s`,

    .. math::
        \hat\gamma_s \sim N(\mu_\gamma, a_s),\qquad
        y_s \mid \hat\gamma_s \sim N(\alpha + x_s\mu_\gamma, w_s),

    so the precision and the linear term of :math:`(\mu_\gamma,\alpha)` are sums over sites, and
    the integral is that of a bivariate normal.

    Parameters
    ----------
    mediator_effect_estimate, total_effect_estimate
        Shape (S,).
    cov
        Entries of shape (S,).
    slope, mediator_effect_sd
        Shapes that broadcast to a common shape (...).
    direct_effect_sd
        Shape (..., C): its last axis is new, the rest broadcasts with the other two.
    mediator_effect_mean
        Prior of :math:`\mu_\gamma`.
    total_effect_at_centre
        Prior of :math:`\alpha`, its mean of shape (...) ; ``None`` for a model without direct
        effect, where :math:`\beta_s=\delta\gamma_s`.
    centre
        c; without meaning where there is no direct effect.

    Returns
    -------
    IntegratedDensity
        Arrays of shape (..., C).
    """
    slope, mediator_effect_sd = np.broadcast_arrays(slope, mediator_effect_sd)
    slope, mediator_effect_sd = slope[..., None], mediator_effect_sd[..., None]
    variance = mediator_estimate_variance(mediator_effect_sd, cov)
    noise = outcome_conditional_noise(slope, mediator_effect_sd, cov)
    # delta - b_s, written so that nothing cancels.
    loading = (slope * cov.mediator - cov.cross) / variance
    offset = slope * (centre if total_effect_at_centre is not None else 0.0)
    response = total_effect_estimate - (slope - loading) * mediator_effect_estimate + offset

    precision = 1.0 / variance
    prior = mediator_effect_mean
    p_m = precision.sum(axis=-1) + prior.sd**-2
    h_m = precision @ mediator_effect_estimate + prior.mean / prior.sd**2
    square = precision @ mediator_effect_estimate**2 + (np.asarray(prior.mean) / prior.sd) ** 2
    log_scale = np.log(variance).sum(axis=-1) + 2.0 * np.log(prior.sd)
    of_mediators = (p_m[..., None], h_m[..., None], square[..., None])
    conditional = direct_effect_sd[..., None] ** 2 + noise[..., None, :]
    log_scale = log_scale[..., None] + np.log(conditional).sum(axis=-1)
    if total_effect_at_centre is None:
        fitted, moments = _without_intercept(conditional, response, loading, of_mediators)
    else:
        sharpest = int(np.argmin(cov.outcome))
        fitted, moments = _with_intercept(
            conditional, response, loading, of_mediators, total_effect_at_centre, sharpest
        )
        log_scale = log_scale + 2.0 * np.log(total_effect_at_centre.sd)
    log_2pi = 2 * mediator_effect_estimate.size * LOG_2PI
    return IntegratedDensity(-0.5 * (log_2pi + log_scale + fitted), *moments)


type _Triple = tuple[Floats, Floats, Floats]
type _Moments = tuple[Floats, Floats, Floats, Floats, Floats]


def _without_intercept(
    conditional: Floats, response: Floats, loading: Floats, of_mediators: _Triple
) -> tuple[Floats, _Moments]:
    """Integrate the mediator mean: log-determinant plus residual square, and its moments."""
    features = np.stack([loading**2, response * loading, response**2], axis=-1)
    w_xx, w_xy, w_yy = np.moveaxis(np.matmul(1.0 / conditional, features), -1, 0)
    p_m, h_m, square = (x + y for x, y in zip(of_mediators, (w_xx, w_xy, w_yy), strict=True))
    zero = np.zeros_like(p_m)
    fitted = np.log(p_m) + square - h_m**2 / p_m
    return fitted, (h_m / p_m, zero, 1.0 / p_m, zero, zero)


def _with_intercept(
    conditional: Floats,
    response: Floats,
    loading: Floats,
    of_mediators: _Triple,
    prior: NormalPrior,
    sharpest: int,
) -> tuple[Floats, _Moments]:
    """Integrate both means, the intercept first.

    Responses and loadings are measured from those of the site with the sharpest total effect, and
    the prior becomes one more observation: sums dominated by that site then keep their digits.
    """
    y_0, x_0 = response[..., sharpest], loading[..., sharpest]
    y, x = response - y_0[..., None], loading - x_0[..., None]
    features = np.stack([np.ones_like(y), x, x**2, y, y * x, y**2], axis=-1)
    sums = np.moveaxis(np.matmul(1.0 / conditional, features), -1, 0)
    y_prior, precision = np.asarray(prior.mean) - y_0, prior.sd**-2
    one = np.ones_like(x_0)
    observed = (one, -x_0, x_0**2, y_prior, -x_0 * y_prior, y_prior**2)
    weight, w_x, w_xx, w_y, w_xy, w_yy = (
        found + (precision * extra)[..., None] for found, extra in zip(sums, observed, strict=True)
    )
    p_m, h_m, square = (a + b for a, b in zip(of_mediators, (w_xx, w_xy, w_yy), strict=True))
    schur = p_m - w_x**2 / weight
    left = h_m - w_x * w_y / weight
    fitted = np.log(weight) + np.log(schur) + square - w_y**2 / weight - left**2 / schur
    mean_m, var_m = left / schur, 1.0 / schur
    # alpha = y_0 + (intercept from the sharpest site) - x_0 * mu_gamma
    tilt = -(w_x / weight + x_0[..., None])
    mean_a = y_0[..., None] + w_y / weight + tilt * mean_m
    return fitted, (mean_m, mean_a, var_m, 1.0 / weight + tilt**2 * var_m, tilt * var_m)
