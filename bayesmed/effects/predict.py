"""The verb ``predict``: effects at new sites, or averaged over a target population."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from bayesmed.core.errors import DataError, nearest
from bayesmed.core.names import CHAIN, DRAW, MEDIATOR, SITE, SITE_EFFECTS
from bayesmed.core.seeds import checked_seed, stream
from bayesmed.core.types import Floats
from bayesmed.effects.effects import Effects
from bayesmed.effects.estimands import (
    in_population,
    known_covariance,
    of_sites,
    over_sites,
    telling,
)
from bayesmed.effects.labels import effect_labels
from bayesmed.effects.new_sites import NewSites
from bayesmed.inference import Fit
from bayesmed.inference.tree import SITE_VALUES


def predict(
    fit: Fit,
    new: NewSites | None = None,
    *,
    weights: ArrayLike | Mapping[str, float] | None = None,
    seed: int | None = None,
) -> Effects:
    r"""Predict effects at new sites of the population, or for a target population of sites.

    A new site is drawn from the population the data come from, at its own covariates. Where its
    mediator effects have been estimated they are drawn given the estimate, and its direct effect
    and slope from the population given its mediator effects:
    :math:`p(\gamma_s\mid\hat\gamma_s)\,p(\theta_s,\delta_s\mid\gamma_s)`, for every posterior
    draw. Estimates of new sites do not change what is known of the parameters.

    Parameters
    ----------
    fit
        The fit.
    new
        The new sites. Without, effects are those of the sites of the data.
    weights
        How much each site counts in averages: one number for each, or a mapping from names to
        numbers, where sites left out do not count. Equal for new sites where left out.
    seed
        Seed of the draws; that of the fit where left out.

    Returns
    -------
    Effects
        As `effects` returns, without reliabilities: effects of each site, their weighted averages
        (``acme`` ...), and averages in a population of sites whose covariates have the weighted
        means of these (``superpopulation_acme`` ...). Draws are thinned evenly where sites are
        many.

    Raises
    ------
    DataError
        If there is nothing to predict, a covariate or mediator is missing or unknown, or weights
        are not numbers of 0 or more that fit the sites.
    ModelError
        If the seed is no whole number from 0 to 2**32-1.

    Notes
    -----
    Assumes that new sites come from the same population, and that estimation errors of their
    mediator effects are normal with known covariance.

    Examples
    --------
    >>> from bayesmed.data import SiteEstimates
    >>> from bayesmed.generative import SiteSlope
    >>> from bayesmed.inference import Sampler, fit
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[0.2, 0.5, 0.9, 1.4], total_effect=[0.5, 1.1, 1.8, 3.1],
    ...     cov=np.tile(np.diag([0.01, 0.04]), (4, 1, 1)))
    >>> fitted = fit(SiteSlope(), data, sampler=Sampler(engine="exact"), seed=1)
    >>> oslo = NewSites(["Oslo"], mediator_effect=[0.8], mediator_effect_se=[0.1])
    >>> dict(predict(fitted, oslo).draws["total_effect"].sizes)
    {'chain': 4, 'draw': 1500, 'site': 1}
    >>> predict(fitted, weights={"1": 2, "4": 1}).draws["acme"].dims
    ('chain', 'draw', 'mediator')
    """
    names = fit.data.labels if new is None else tuple(new.names)
    if new is None and weights is None:
        raise DataError("There is nothing to predict.", "Give new sites, or weights of the sites.")
    weight = np.full(len(names), 1 / len(names)) if weights is None else _weight(weights, names)
    if new is None:
        sites = fit.tree[SITE_EFFECTS].to_dataset()
        covariates = fit.model.covariate_values(fit.data)
    else:
        covariates = new.covariate_values(fit)
        sites = _drawn(fit, new, covariates, checked_seed(fit.seed if seed is None else seed))
    posterior = fit.tree["posterior"].to_dataset().sel({DRAW: sites[DRAW]})
    known = known_covariance(fit.model)
    found = {
        **of_sites(sites),
        **over_sites(sites, weight),
        **in_population(posterior, weight @ covariates, within_site_covariance=known),
    }
    found = telling(found, direct_effect=fit.model.direct_effect)
    return Effects(xr.Dataset(found), effect_labels(found, fit.model))


def _drawn(fit: Fit, new: NewSites, covariates: Floats, seed: int) -> xr.Dataset:
    """Draw effects of new sites for every posterior draw, or for some where sites are many."""
    posterior = fit.tree["posterior"].to_dataset()
    size = posterior.sizes[CHAIN] * posterior.sizes[DRAW] * len(new.names)
    posterior = posterior.isel({DRAW: slice(None, None, max(1, -(-size // SITE_VALUES)))})
    shape = posterior.sizes[CHAIN], posterior.sizes[DRAW]
    draws: dict[str, Floats] = {}
    for name, values in posterior.data_vars.items():
        array = np.asarray(values.transpose(CHAIN, DRAW, ...))
        draws[str(name)] = array.reshape(-1, *array.shape[2:])
    effects = fit.model.new_site_effects(
        draws, covariates, stream(seed, "new sites"), new.estimates(fit)
    )
    variables: dict[str, Any] = {
        name: (
            (CHAIN, DRAW, SITE, MEDIATOR)[: values.ndim + 1],
            values.reshape(*shape, *values.shape[1:]),
        )
        for name, values in effects.items()
    }
    coords: dict[str, Any] = {name: posterior[name] for name in (CHAIN, DRAW)}
    coords |= {SITE: list(new.names), MEDIATOR: list(fit.data.mediators)}
    return xr.Dataset(variables, coords=coords)


def _weight(weights: ArrayLike | Mapping[str, float], names: Sequence[str]) -> Floats:
    """Return weights that sum to one, in the order of the sites."""
    if isinstance(weights, Mapping):
        for name in weights:
            if name not in names:
                raise DataError(f"There is no site {name!r} to weight.", nearest(str(name), names))
        weights = [weights.get(name, 0.0) for name in names]
    try:
        found = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError("Weights are not numbers.", "Give a number for each site.") from error
    if found.shape != (len(names),):
        raise DataError(
            f"Weights have shape {found.shape} for {len(names)} sites.",
            "Give one number for each site.",
        )
    if not np.isfinite(found).all() or (found < 0).any() or not found.any():
        raise DataError(
            "Weights are not all numbers of 0 or more, or all are 0.", "Give weights that count."
        )
    # In units of the largest, so that no sum overflows.
    found = found / found.max()
    return np.asarray(found / found.sum())
