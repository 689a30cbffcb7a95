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


def compliance_weighted_average(slope: Floats, mediator_effect: Floats, weight: Floats) -> Floats:
    r"""Average slope over the sites of the data, each counting by its mediator effect.

    .. math:: \frac{\sum_s w_s\gamma_s\delta_s}{\sum_s w_s\gamma_s}

    Reardon and Raudenbush's (2013, equation 5) compliance-weighted average treatment effect
    (CWATE), with sites in the place of persons: what one unit of the mediator does where treatment
    moves it. Over persons it is this plus :math:`\sum_sw_s\kappa_s/\sum_sw_s\gamma_s`, which is
    nothing where mediator effects and slopes of persons are unrelated within sites (assumption vi).

    Parameters
    ----------
    slope, mediator_effect
        (..., S) slopes and mediator effects of one mediator at the sites of the data.
    weight
        (S,) weights that sum to one.

    Notes
    -----
    A ratio whose denominator may be near zero has no mean: summarise it by quantiles only. A site
    where treatment works the other way counts negatively: the average may lie outside the slopes.

    Examples
    --------
    >>> weight = np.array([0.5, 0.5])
    >>> float(compliance_weighted_average(np.array([1.0, 2.0]), np.array([3.0, 1.0]), weight))
    1.25
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((slope * mediator_effect) @ weight / (mediator_effect @ weight))


def superpopulation_cwate(
    average_slope: Floats, mediator_effect_mean: Floats, covariance: Floats
) -> Floats:
    r"""Compliance-weighted average treatment effect in the population of sites.

    .. math:: \frac{E[\delta_s\gamma_s]}{E\,\gamma_s}
        = E\,\delta_s + \frac{\mathrm{Cov}(\delta_s,\gamma_s)}{E\,\gamma_s}

    Reardon and Raudenbush (2013), equations 5 and 8. It is what the pooled Wald ratio
    :math:`E\beta_s/E\gamma_s` tends to with one mediator, exclusion and no covariance within
    sites, and the average slope itself where slopes do not go with mediator effects.

    Parameters
    ----------
    average_slope, mediator_effect_mean
        :math:`E\,\delta_s` and :math:`E\,\gamma_s` of one mediator.
    covariance
        :math:`\mathrm{Cov}(\delta_s,\gamma_s)` across sites, of the same mediator.

    Examples
    --------
    >>> float(superpopulation_cwate(np.array(2.0), np.array(0.5), np.array(0.25)))
    2.5
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(average_slope + covariance / mediator_effect_mean)


def share_mediated(indirect: Floats, total: Floats) -> Floats:
    r"""Share of a total effect that is indirect, :math:`\eta/\beta`, draw by draw.

    A ratio whose denominator may be near zero has no mean: summarise it by quantiles only.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(indirect / total)
