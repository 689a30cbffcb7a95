"""From draws of the parameters to the labelled tree that every ArviZ function takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from bayesmed.core.names import (
    BLOCK,
    CHAIN,
    DRAW,
    ESTIMATES,
    INDIRECT_EFFECT,
    MEDIATOR,
    MEDIATOR_EFFECT,
    MEDIATOR_EFFECT_ESTIMATE,
    SAME_SITES,
    SITE,
    SITE_EFFECTS,
    TOTAL_EFFECT_ESTIMATE,
)
from bayesmed.core.seeds import stream
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.generative.protocol import Model

# Largest number of values of a quantity that has one per site and draw: above it, draws are
# thinned evenly, for those groups only.
SITE_VALUES = 4_000_000
PRIOR_DRAWS = 2000

WITH_MEDIATOR = (MEDIATOR_EFFECT, INDIRECT_EFFECT, MEDIATOR_EFFECT_ESTIMATE)


def assemble(
    model: Model,
    data: SiteEstimates,
    draws: Mapping[str, Floats],
    sample_stats: xr.Dataset | None,
    seed: int,
) -> xr.DataTree:
    """Build every group from parameter draws of shape (chain, draw).

    Site effects, predictions and log-likelihoods follow from the parameters exactly; where there
    are many sites they are computed on evenly thinned draws.
    """
    groups: dict[str, xr.Dataset] = {"posterior": _parameters(model, data, draws)}
    step = max(1, int(np.ceil(_size(draws) * data.n_rows / SITE_VALUES)))
    thinned = {name: values[:, ::step] for name, values in draws.items()}
    shape = next(iter(thinned.values())).shape
    flat = {name: values.ravel() for name, values in thinned.items()}
    index = np.arange(0, next(iter(draws.values())).shape[1], step)

    def by_site(values: Mapping[str, Floats]) -> xr.Dataset:
        return _by_site(values, data, shape, index)

    effects = model.site_effects(flat, data, stream(seed, "site effects"))
    groups[SITE_EFFECTS] = by_site(effects)
    same = model.estimates(effects, data, stream(seed, "same sites"))
    groups[SAME_SITES] = by_site(same)
    rng = stream(seed, "posterior predictive")
    new = model.new_site_effects(flat, data.n_rows, rng)
    groups["posterior_predictive"] = by_site(model.estimates(new, data, rng))
    likelihood = model.log_likelihood(flat, data)
    groups["log_likelihood"] = xr.Dataset(
        {ESTIMATES: ((CHAIN, DRAW, BLOCK), likelihood.reshape(*shape, -1))},
        coords={CHAIN: np.arange(shape[0]), DRAW: index, BLOCK: _block_labels(data)},
    )
    everything = {name: values.ravel() for name, values in draws.items()}
    log_prior = model.log_prior(everything, data)
    full = next(iter(draws.values())).shape
    groups["log_prior"] = _parameters(
        model, data, {name: values.reshape(full) for name, values in log_prior.items()}
    )
    groups |= _prior_groups(model, data, seed)
    if sample_stats is not None:
        groups["sample_stats"] = sample_stats.assign_coords(_chain_coords(full))
    groups["observed_data"] = _observed(data)
    return xr.DataTree.from_dict(dict(groups))


def _size(draws: Mapping[str, Floats]) -> int:
    return next(iter(draws.values())).size


def _chain_coords(shape: tuple[int, ...]) -> dict[str, Any]:
    return {CHAIN: np.arange(shape[0]), DRAW: np.arange(shape[1])}


def _parameters(model: Model, data: SiteEstimates, draws: Mapping[str, Floats]) -> xr.Dataset:
    variables: dict[str, Any] = {}
    for name in (*model.parameters, *model.derived):
        if name not in draws:
            continue
        if name in model.by_mediator:
            variables[name] = ((CHAIN, DRAW, MEDIATOR), draws[name][..., None])
        else:
            variables[name] = ((CHAIN, DRAW), draws[name])
    shape = next(iter(draws.values())).shape
    coords = _chain_coords(shape) | {MEDIATOR: list(data.mediators)}
    return xr.Dataset(variables, coords=coords)


def _by_site(
    values: Mapping[str, Floats], data: SiteEstimates, shape: tuple[int, ...], index: Any
) -> xr.Dataset:
    variables: dict[str, Any] = {}
    for name, value in values.items():
        array = value.reshape(*shape, data.n_rows)
        if name in WITH_MEDIATOR:
            variables[name] = ((CHAIN, DRAW, SITE, MEDIATOR), array[..., None])
        else:
            variables[name] = ((CHAIN, DRAW, SITE), array)
    coords = {CHAIN: np.arange(shape[0]), DRAW: index}
    return xr.Dataset(variables, coords=coords | _site_coords(data))


def _site_coords(data: SiteEstimates) -> dict[str, Any]:
    return {SITE: list(data.labels), MEDIATOR: list(data.mediators)}


def _block_labels(data: SiteEstimates) -> list[str]:
    """Name each block by its rows."""
    if data.n_blocks == data.n_rows:
        return list(data.labels)
    return [
        " + ".join(data.labels[i] for i in data.block_rows(block)) for block in range(data.n_blocks)
    ]


def _prior_groups(model: Model, data: SiteEstimates, seed: int) -> dict[str, xr.Dataset]:
    rng = stream(seed, "prior")
    draws = model.prior_draws(data, PRIOR_DRAWS, rng)
    shape = (1, PRIOR_DRAWS)
    step = max(1, int(np.ceil(PRIOR_DRAWS * data.n_rows / SITE_VALUES)))
    flat = {name: values[::step] for name, values in draws.items()}
    estimates = model.estimates(model.new_site_effects(flat, data.n_rows, rng), data, rng)
    index = np.arange(0, PRIOR_DRAWS, step)
    prior = _parameters(model, data, {n: v.reshape(shape) for n, v in draws.items()})
    return {
        "prior": prior,
        "prior_predictive": _by_site(estimates, data, (1, index.size), index),
    }


def _observed(data: SiteEstimates) -> xr.Dataset:
    return xr.Dataset(
        {
            MEDIATOR_EFFECT_ESTIMATE: ((SITE, MEDIATOR), data.mediator_effect),
            TOTAL_EFFECT_ESTIMATE: (SITE, data.total_effect),
        },
        coords=_site_coords(data),
    )
