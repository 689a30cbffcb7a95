"""Effects at new sites: drawn from the population, or given estimates of the mediator effects."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bayesmed.core.names import MEDIATOR_EFFECT_ESTIMATE, SLOPE, TOTAL_EFFECT_ESTIMATE
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.formulas.linear_gaussian import Known, dot, measure, unit_lower
from bayesmed.generative.protocol import Draws
from bayesmed.generative.site_slope_draws import described, row_effects, slope_deviations

if TYPE_CHECKING:
    from bayesmed.generative.site_model import SiteModel


class MediatorEstimates(NamedTuple):
    """Estimated mediator effects of S sites, shape (S, P), and their covariance, (S, P, P)."""

    effect: Floats
    cov: Floats


def new_site_effects(
    model: SiteModel,
    draws: Draws,
    covariates: Floats,
    rng: np.random.Generator,
    estimates: MediatorEstimates | None = None,
) -> dict[str, Floats]:
    r"""Draw effects at new sites with centred covariates of shape (S, C).

    Where mediator effects have been estimated they are drawn from

    .. math::
        \gamma_s\mid\hat\gamma_s \sim N\{\mu + \Omega(\Omega+V_s)^{-1}(\hat\gamma_s-\mu),\
        \Omega - \Omega(\Omega+V_s)^{-1}\Omega\},

    and direct effects and slopes from the population given :math:`\gamma_s`.
    """
    whole = described(model, draws, covariates.T[None])
    known = Known(list(whole.mean), whole.root)
    if estimates is not None:
        known = _measured(known, estimates)
    p, n, sites = len(whole.mean), draws[SLOPE].shape[0], covariates.shape[0]
    z = list(rng.standard_normal((p, n, sites)))
    gamma = [m + dot(row, z) for m, row in zip(known.mean, known.root, strict=True)]
    scale = 1.0
    if whole.dof is not None:
        scale = whole.dof / rng.chisquare(np.broadcast_to(whole.dof, (n, sites)))
    residual = np.sqrt(whole.curve.residual_variance * scale) * rng.standard_normal((n, sites))
    away = slope_deviations(whole.curve, (n, sites), rng)
    return row_effects(whole, 0, gamma, residual, away)


def simulated(
    model: SiteModel, draws: Draws, data: SiteEstimates, rng: np.random.Generator
) -> tuple[SiteEstimates, dict[str, Floats]]:
    """Draw sites and their estimates from the first of some draws of the parameters.

    Returns
    -------
    tuple
        A table with the sites, covariates and sampling covariances of ``data``, and the true
        effects (1, S) or (1, S, P) by name.
    """
    first = {name: values[:1] for name, values in draws.items()}
    effects = model.new_site_effects(first, model.covariate_values(data), rng)
    seen = model.estimates(effects, first, data, rng)
    table = replace(
        data,
        mediator_effect=seen[MEDIATOR_EFFECT_ESTIMATE][0],
        total_effect=seen[TOTAL_EFFECT_ESTIMATE][0],
    )
    return table, effects


def _measured(known: Known, estimates: MediatorEstimates) -> Known:
    """Learn from estimates made independent of each other, one at a time."""
    size = range(estimates.effect.shape[1])
    cov = [[estimates.cov[:, i, j] for j in size] for i in size]
    inverse, variance = unit_lower(cov)
    for loading, noise in zip(inverse, variance, strict=True):
        value = dot(loading, list(estimates.effect.T))
        known = measure(known, value, loading, np.sqrt(np.maximum(noise, 0.0))).known
    return known
