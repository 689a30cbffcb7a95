"""What follows from draws of the parameters of a site-slope model: sites, predictions, densities.

Parameter draws are flat arrays of shape (n,) by name; results have shape (n, S).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bayesmed.core.names import (
    DIRECT_EFFECT,
    DIRECT_EFFECT_MEAN,
    DIRECT_EFFECT_SD,
    INDIRECT_EFFECT,
    MEDIATOR_EFFECT,
    MEDIATOR_EFFECT_ESTIMATE,
    MEDIATOR_EFFECT_MEAN,
    MEDIATOR_EFFECT_SD,
    SLOPE,
    TOTAL_EFFECT,
    TOTAL_EFFECT_ESTIMATE,
)
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.formulas.site_slope import (
    SamplingCovariance,
    log_density,
    site_effects_given_estimates,
)
from bayesmed.generative.protocol import Draws


def _columns(draws: Draws) -> dict[str, Floats]:
    """Parameters as columns; a model without direct effect has zeros there."""
    zero = np.zeros_like(draws[SLOPE])
    return {
        name: draws.get(name, zero)[:, None]
        for name in (
            SLOPE,
            MEDIATOR_EFFECT_MEAN,
            MEDIATOR_EFFECT_SD,
            DIRECT_EFFECT_MEAN,
            DIRECT_EFFECT_SD,
        )
    }


def _with_effects(
    draws: Draws, mediator_effect: Floats, direct_effect: Floats
) -> dict[str, Floats]:
    indirect = draws[SLOPE][:, None] * mediator_effect
    return {
        MEDIATOR_EFFECT: mediator_effect,
        DIRECT_EFFECT: direct_effect,
        INDIRECT_EFFECT: indirect,
        TOTAL_EFFECT: direct_effect + indirect,
    }


def new_site_effects(draws: Draws, n_sites: int, rng: np.random.Generator) -> dict[str, Floats]:
    r"""Draw :math:`\gamma\sim N(\mu_\gamma,\sigma_\gamma^2)`, :math:`\theta` likewise."""
    p = _columns(draws)
    z = rng.standard_normal((2, p[SLOPE].size, n_sites))
    mediator_effect = p[MEDIATOR_EFFECT_MEAN] + p[MEDIATOR_EFFECT_SD] * z[0]
    direct_effect = p[DIRECT_EFFECT_MEAN] + p[DIRECT_EFFECT_SD] * z[1]
    return _with_effects(draws, mediator_effect, direct_effect)


def estimates_given_effects(
    effects: Mapping[str, Floats], data: SiteEstimates, rng: np.random.Generator
) -> dict[str, Floats]:
    """Draw estimates around site effects with the sampling covariance of each site of the data."""
    cov = SamplingCovariance.of(data.cov)
    z = rng.standard_normal((2, *effects[MEDIATOR_EFFECT].shape))
    se = np.sqrt(cov.mediator)
    known = cov.mediator == 0
    safe = np.where(known, 1.0, cov.mediator)
    coefficient = np.where(known, 0.0, cov.cross / safe)
    remaining = np.sqrt(np.where(known, cov.outcome, cov.determinant / safe))
    error = se * z[0]
    return {
        MEDIATOR_EFFECT_ESTIMATE: effects[MEDIATOR_EFFECT] + error,
        TOTAL_EFFECT_ESTIMATE: effects[TOTAL_EFFECT] + coefficient * error + remaining * z[1],
    }


def site_effects(draws: Draws, data: SiteEstimates, rng: np.random.Generator) -> dict[str, Floats]:
    """Draw the effects of each site of the data from their exact conditional distribution.

    One draw per parameter draw: effects and estimates are simulated from the population, then
    moved by how far the simulated estimates are from the observed ones.
    """
    p = _columns(draws)
    simulated = new_site_effects(draws, data.n_rows, rng)
    estimates = estimates_given_effects(simulated, data, rng)
    residual = (
        data.mediator_effect[:, 0] - estimates[MEDIATOR_EFFECT_ESTIMATE],
        data.total_effect - estimates[TOTAL_EFFECT_ESTIMATE],
    )
    moved = site_effects_given_estimates(
        (simulated[MEDIATOR_EFFECT], simulated[DIRECT_EFFECT]),
        residual,
        SamplingCovariance.of(data.cov),
        slope=p[SLOPE],
        mediator_effect_sd=p[MEDIATOR_EFFECT_SD],
        direct_effect_sd=p[DIRECT_EFFECT_SD],
    )
    return _with_effects(draws, *moved)


def log_likelihood(draws: Draws, data: SiteEstimates) -> Floats:
    """Log-density of each site's pair of estimates, shape (n, S)."""
    return np.asarray(
        log_density(
            data.mediator_effect[:, 0],
            data.total_effect,
            SamplingCovariance.of(data.cov),
            **_columns(draws),
        )
    )
