r"""Mediation estimands as functions of site effects and parameters.

Fu (2023), section 4: :math:`\eta_s=\delta_s\gamma_s`, :math:`\beta_s=\theta_s+\eta_s`.
"""

from __future__ import annotations

import numpy as np

from bayesmed.core.types import ArrayLike, Floats


def weighted_average(values: Floats, weight: Floats) -> Floats:
    r"""Average over the sites of the data, the last axis: :math:`\sum_s w_s x_s`.

    With :math:`x_s=\eta_s` this is the sample average causal mediation effect (ACME). Weights sum
    to one.
    """
    return values @ weight


def average_slope(
    slope: ArrayLike,
    slope_linear: ArrayLike,
    slope_quadratic: ArrayLike,
    mediator_effect_mean: ArrayLike,
    mediator_effect_sd: ArrayLike,
) -> ArrayLike:
    r"""Average slope in the population of sites, for slopes that depend on the mediator effect.

    .. math:: E\,\delta_s = \delta_0 + \delta_1\mu_\gamma + \delta_2(\mu_\gamma^2+\sigma_\gamma^2)

    Fu (2023), Remark 1, with normal mediator effects. With :math:`\delta_1=\delta_2=0` it is the
    slope itself, constant or random.
    """
    mean, square = mediator_effect_mean, mediator_effect_mean**2 + mediator_effect_sd**2
    return slope + slope_linear * mean + slope_quadratic * square


def superpopulation_acme(
    slope: ArrayLike,
    mediator_effect_mean: ArrayLike,
    *,
    mediator_effect_sd: ArrayLike = 0.0,
    slope_linear: ArrayLike = 0.0,
    slope_quadratic: ArrayLike = 0.0,
    covariance: ArrayLike = 0.0,
) -> ArrayLike:
    r"""Average causal mediation effect in the population of sites.

    .. math::
        E[\delta_s\gamma_s] = E\,\delta_s\,\mu_\gamma + \mathrm{Cov}(\delta_s,\gamma_s)
        = \delta_0\mu_\gamma + \delta_1(\mu_\gamma^2+\sigma_\gamma^2)
        + \delta_2(\mu_\gamma^3+3\mu_\gamma\sigma_\gamma^2)

    for slopes that are a polynomial. The covariance is zero where slopes are constant, or random
    and unrelated to the mediator effects (Fu 2023, Proposition 1); where random slopes go with
    mediator effects it is given as ``covariance``.

    Examples
    --------
    >>> superpopulation_acme(2.0, 3.0)
    6.0
    >>> superpopulation_acme(2.0, 3.0, mediator_effect_sd=1.0, slope_linear=0.5)
    11.0
    """
    mean, variance = mediator_effect_mean, mediator_effect_sd**2
    return (
        slope * mean
        + slope_linear * (mean**2 + variance)
        + slope_quadratic * (mean**3 + 3.0 * mean * variance)
        + covariance
    )


def share_mediated(indirect: Floats, total: Floats) -> Floats:
    r"""Share of a total effect that is indirect, :math:`\eta/\beta`, draw by draw.

    A ratio whose denominator may be near zero has no mean: summarise it by quantiles only.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(indirect / total)
