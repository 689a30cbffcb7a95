"""From draws of the parameters to the labelled tree that every ArviZ function takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from bayesmed.core.names import (
    BLOCK,
    CHAIN,
    CORRELATIONS,
    COVARIATE,
    COVARIATE_EFFECT,
    DRAW,
    ESTIMATE,
    ESTIMATES,
    MEDIATOR,
    MEDIATOR_EFFECT_ESTIMATE,
    OTHER_ESTIMATE,
    OTHER_MEDIATOR,
    PERSON_COVARIANCE,
    PERSON_GROUP,
    SAME_SITES,
    SITE,
    SITE_EFFECTS,
    TOTAL_EFFECT,
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


def assemble(
    model: Model,
    data: SiteEstimates,
    draws: Mapping[str, Floats],
    sample_stats: xr.Dataset | None,
    seed: int,
    *,
    least: bool = False,
) -> xr.DataTree:
    """Build every group from parameter draws of shape (chain, draw, ...).

    Site effects, predictions and log-likelihoods follow from the parameters exactly; where there
    are many sites they are computed on evenly thinned draws. With ``least`` only what tables of
    parameters and effects need: the same draws of parameters and site effects.
    """
    groups: dict[str, xr.Dataset] = {"posterior": parameters_dataset(model, data, draws)}
    step = max(1, int(np.ceil(_size(draws) * data.n_rows / SITE_VALUES)))
    thinned = {name: values[:, ::step] for name, values in draws.items()}
    shape = _shape(thinned)
    flat = _flat(thinned)
    index = np.arange(0, _shape(draws)[1], step)

    def by_site(values: Mapping[str, Floats]) -> xr.Dataset:
        return _by_site(values, data, shape, index)

    effects = model.site_effects(flat, data, stream(seed, "site effects"))
    groups[SITE_EFFECTS] = by_site(effects)
    if least:
        return xr.DataTree.from_dict(groups | _sampled(sample_stats))
    same = model.estimates(effects, flat, data, stream(seed, "same sites"))
    groups[SAME_SITES] = by_site(same)
    rng = stream(seed, "posterior predictive")
    new = model.new_site_effects(flat, model.covariate_values(data), rng)
    groups["posterior_predictive"] = by_site(model.estimates(new, flat, data, rng))
    likelihood = model.log_likelihood(flat, data)
    groups["log_likelihood"] = xr.Dataset(
        {ESTIMATES: ((CHAIN, DRAW, BLOCK), likelihood.reshape(*shape, -1))},
        coords={CHAIN: np.arange(shape[0]), DRAW: index, BLOCK: _block_labels(data)},
    )
    full = _shape(draws)
    log_prior = model.log_prior(_flat(draws), data)
    shaped = {name: values.reshape(*full, *values.shape[1:]) for name, values in log_prior.items()}
    groups["log_prior"] = parameters_dataset(model, data, shaped)
    groups |= _prior_groups(model, data, seed)
    groups |= _sampled(sample_stats)
    groups["observed_data"] = _observed(data)
    return xr.DataTree.from_dict(dict(groups))


def _sampled(stats: xr.Dataset | None) -> dict[str, xr.Dataset]:
    """Label sampler statistics, where there are some."""
    if stats is None:
        return {}
    return {"sample_stats": stats.assign_coords(_chain_coords(tuple(stats.sizes.values())))}


def _shape(draws: Mapping[str, Floats]) -> tuple[int, int]:
    chains, n = next(iter(draws.values())).shape[:2]
    return chains, n


def _size(draws: Mapping[str, Floats]) -> int:
    return int(np.prod(_shape(draws)))


def _flat(draws: Mapping[str, Floats]) -> dict[str, Floats]:
    """Put all chains in one row."""
    return {name: values.reshape(-1, *values.shape[2:]) for name, values in draws.items()}


def _chain_coords(shape: tuple[int, ...]) -> dict[str, Any]:
    return {CHAIN: np.arange(shape[0]), DRAW: np.arange(shape[1])}


def parameters_dataset(
    model: Model, data: SiteEstimates, draws: Mapping[str, Floats]
) -> xr.Dataset:
    """Label draws of the parameters, arrays (chain, draw, ...)."""
    variables: dict[str, Any] = {}
    shape = _shape(draws)
    coords = _chain_coords(shape) | {MEDIATOR: list(data.mediators)}
    for name in (*model.parameters, *model.derived):
        if name not in draws:
            continue
        dims: tuple[str, ...] = ()
        if name in model.by_mediator:
            dims = (MEDIATOR,)
        elif name == COVARIATE_EFFECT:
            dims = (COVARIATE,)
            coords[COVARIATE] = list(model.covariates)
        elif name in CORRELATIONS:
            dims = (MEDIATOR, OTHER_MEDIATOR)
            coords[OTHER_MEDIATOR] = list(data.mediators)
        elif name == PERSON_COVARIANCE:
            dims = (PERSON_GROUP, ESTIMATE, OTHER_ESTIMATE)
            coords |= _person_coords(model, data)
        variables[name] = ((CHAIN, DRAW, *dims), draws[name])
    return xr.Dataset(variables, coords=coords)


def _person_coords(model: Model, data: SiteEstimates) -> dict[str, Any]:
    persons = model.persons(data)
    assert persons is not None
    estimates = [*data.mediators, TOTAL_EFFECT]
    return {PERSON_GROUP: list(persons.groups), ESTIMATE: estimates, OTHER_ESTIMATE: estimates}


def _by_site(
    values: Mapping[str, Floats], data: SiteEstimates, shape: tuple[int, ...], index: Any
) -> xr.Dataset:
    variables: dict[str, Any] = {}
    for name, value in values.items():
        dims = (CHAIN, DRAW, SITE, MEDIATOR) if value.ndim == 3 else (CHAIN, DRAW, SITE)
        variables[name] = (dims, value.reshape(*shape, *value.shape[1:]))
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
    new = model.new_site_effects(flat, model.covariate_values(data), rng)
    estimates = model.estimates(new, flat, data, rng)
    index = np.arange(0, PRIOR_DRAWS, step)
    prior = parameters_dataset(
        model, data, {n: v.reshape(*shape, *v.shape[1:]) for n, v in draws.items()}
    )
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
