"""The natural scales of a table of site estimates, in which default priors are stated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.types import Floats

# Sampling error may explain all the spread of the estimates: the noise-free variance is never
# taken below this share of the raw one. See tests/calibration for what the choice does.
NOISE_FREE_FLOOR = 0.1
# A site this many times noisier than the median one says nothing about natural scales.
NOISY_SITE = 5.0


@dataclass(frozen=True)
class SiteScale:
    r"""Natural locations and scales of one mediator and the outcome across sites.

    Attributes
    ----------
    mediator_location, outcome_location
        Means of :math:`\hat\gamma_s` and :math:`\hat\beta_s`.
    mediator_spread, outcome_spread
        :math:`S_\gamma, S_\beta`: standard deviations over sites.
    noise_free_spread
        :math:`\tilde\sigma_\gamma`, with :math:`\tilde\sigma_\gamma^2 = \max(S_\gamma^2 -
        \overline{se_\gamma^2},\ .1\,S_\gamma^2)`.
    centre
        c, the precision-weighted mean of :math:`\hat\gamma_s`.
    slope_scale
        What one natural unit of outcome per mediator is.
    """

    mediator_location: float
    mediator_spread: float
    noise_free_spread: float
    outcome_location: float
    outcome_spread: float
    centre: float
    slope_scale: float


def site_scale(
    mediator_effect: Floats,
    mediator_se: Floats,
    total_effect: Floats,
    total_effect_se: Floats,
    *,
    intercept: bool = True,
) -> SiteScale:
    r"""Measure the natural scales of the estimates of one mediator and the outcome.

    Sites whose standard error exceeds five times the median are left out of the locations and
    spreads, unless fewer than three would remain. With two sites a standard deviation is nearly
    arbitrary, and with identical estimates it is zero: the root mean square of the estimates,
    or of their standard errors, stands in where it is larger.

    Parameters
    ----------
    mediator_effect, mediator_se, total_effect, total_effect_se
        :math:`\hat\gamma_s, \hat\beta_s` and standard errors, shape (S,).
    intercept
        Whether the line of total on mediator effects has an intercept. Without one, the slope's
        scale is a ratio of root mean squares instead of spreads.

    Examples
    --------
    >>> scale = site_scale(np.array([1., 2., 3.]), np.zeros(3), np.array([2., 4., 6.]), np.zeros(3))
    >>> scale.slope_scale, scale.centre
    (2.0, 2.0)
    """
    mediator, outcome = _informative(mediator_se), _informative(total_effect_se)
    mediator_spread = _spread(mediator_effect[mediator], mediator_se[mediator])
    outcome_spread = _spread(total_effect[outcome], total_effect_se[outcome])
    noise = float(np.mean(mediator_se[mediator] ** 2))
    noise_free = _without_noise(mediator_spread**2, noise)
    weight = 1.0 / (noise_free**2 + mediator_se**2)
    slope_scale = outcome_spread / noise_free
    if not intercept:
        size = float(np.mean(mediator_effect[mediator] ** 2))
        slope_scale = _root_mean_square(total_effect[outcome]) / _without_noise(size, noise)
    return SiteScale(
        mediator_location=float(np.mean(mediator_effect[mediator])),
        mediator_spread=mediator_spread,
        noise_free_spread=noise_free,
        outcome_location=float(np.mean(total_effect[outcome])),
        outcome_spread=outcome_spread,
        centre=float(np.sum(weight * mediator_effect) / np.sum(weight)),
        slope_scale=slope_scale or 1.0,
    )


def _informative(se: Floats) -> NDArray[np.bool_]:
    """Mask of the sites that are not much noisier than the rest."""
    kept: NDArray[np.bool_] = se <= NOISY_SITE * np.median(se)
    return kept if kept.sum() >= 3 else np.ones(se.shape, dtype=np.bool_)


def _root_mean_square(x: Floats) -> float:
    return float(np.sqrt(np.mean(x**2)))


def _without_noise(variance: float, noise: float) -> float:
    return float(np.sqrt(max(variance - noise, NOISE_FREE_FLOOR * variance)))


def _spread(estimate: Floats, se: Floats) -> float:
    spread = float(np.std(estimate, ddof=1)) if estimate.size > 1 else 0.0
    if estimate.size > 2 and spread > 0:
        return spread
    return max(spread, _root_mean_square(se)) or _root_mean_square(estimate) or 1.0
