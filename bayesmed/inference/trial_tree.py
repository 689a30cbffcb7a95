"""From draws of a model of one trial to the labelled tree that every ArviZ function takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from bayesmed.core.names import CHAIN, DRAW
from bayesmed.core.seeds import stream
from bayesmed.core.types import Floats
from bayesmed.generative.trial_model import TrialModel

__all__ = ["assemble_trial"]

UNIT_VALUES = 4_000_000
"""Largest number of log-densities kept: above it, draws are thinned evenly, for them only."""
PRIOR_DRAWS = 2000
PREDICTED = 1000
"""About as many data sets are predicted."""
LIKELIHOOD = "likelihood"


def assemble_trial[D](
    model: TrialModel[D],
    data: D,
    draws: Mapping[str, Floats],
    sample_stats: xr.Dataset,
    seed: int,
    *,
    least: bool = False,
) -> xr.DataTree:
    """Build every group from draws (chain, draw, ...) of the parameters.

    Predictions and log-likelihoods follow from the parameters; predictions are made for about
    1,000 evenly thinned draws, log-likelihoods for as many as there is place for. With ``least``
    only what judging the computation needs.
    """
    shape = _shape(draws)
    coords = _chain_coords(shape[0], np.arange(shape[1]))
    groups: dict[str, xr.Dataset] = {"posterior": _parameters(model, data, draws)}
    sampled = sample_stats.assign_coords(coords)
    if least:
        return xr.DataTree.from_dict(groups | {"sample_stats": sampled})
    step = max(1, shape[0] * shape[1] // PREDICTED)
    few, at = _thinned(draws, step)
    predicted = model.replicated(_flat(few), data, stream(seed, "posterior predictive"))
    groups["posterior_predictive"] = _statistics(model, data, predicted, (shape[0], len(at)), at)
    groups["log_likelihood"] = _log_likelihood(model, data, draws)
    log_prior = model.log_prior(_flat(draws), data)
    groups["log_prior"] = _parameters(model, data, _shaped(log_prior, shape))
    rng = stream(seed, "prior")
    prior = model.prior_draws(data, PRIOR_DRAWS, rng)
    index = np.arange(PRIOR_DRAWS)
    groups["prior"] = _parameters(model, data, _shaped(prior, (1, PRIOR_DRAWS)))
    half = {name: values[::2] for name, values in prior.items()}
    from_prior = model.replicated(half, data, rng)
    groups["prior_predictive"] = _statistics(
        model, data, from_prior, (1, len(index[::2])), index[::2]
    )
    groups["sample_stats"] = sampled
    observed = {name: (dims, values) for name, (dims, values) in model.observed(data).items()}
    groups["observed_data"] = xr.Dataset(observed, coords=_labels(model, data, observed))
    return xr.DataTree.from_dict(dict(groups))


def _log_likelihood[D](model: TrialModel[D], data: D, draws: Mapping[str, Floats]) -> xr.Dataset:
    first, _ = _thinned({k: v[:1, :1] for k, v in draws.items()}, 1)
    axis, one = model.log_likelihood(_flat(first), data)
    chains, n = _shape(draws)
    kept, at = _thinned(draws, max(1, int(np.ceil(chains * n * one.shape[1] / UNIT_VALUES))))
    _, found = model.log_likelihood(_flat(kept), data)
    own = model.coords(data).get(axis)
    labels = np.arange(one.shape[1]) if own is None else list(own)
    return xr.Dataset(
        {LIKELIHOOD: ((CHAIN, DRAW, axis), found.reshape(chains, len(at), -1))},
        coords=_chain_coords(chains, at) | {axis: labels},
    )


def _parameters[D](model: TrialModel[D], data: D, draws: Mapping[str, Floats]) -> xr.Dataset:
    """Label draws of the parameters, arrays (chain, draw, ...)."""
    chains, n = _shape(draws)
    dims = model.dims()
    variables = {
        name: ((CHAIN, DRAW, *dims.get(name, ())), draws[name])
        for name in (*model.parameters, *model.derived)
        if name in draws
    }
    coords = _chain_coords(chains, np.arange(n)) | _labels(model, data, variables)
    return xr.Dataset(variables, coords=coords)


def _statistics[D](
    model: TrialModel[D], data: D, values: Mapping[str, Floats], shape: tuple[int, int], at: Any
) -> xr.Dataset:
    """Label predicted statistics as the observed ones are."""
    observed = model.observed(data)
    variables = {
        name: ((CHAIN, DRAW, *observed[name][0]), own)
        for name, own in _shaped(values, shape).items()
    }
    return xr.Dataset(
        variables, coords=_chain_coords(shape[0], at) | _labels(model, data, variables)
    )


def _labels[D](model: TrialModel[D], data: D, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the labels of the axes that some variables have."""
    used = {dim for dims, *_ in variables.values() for dim in dims}
    return {dim: list(names) for dim, names in model.coords(data).items() if dim in used}


def _shape(draws: Mapping[str, Floats]) -> tuple[int, int]:
    chains, n = next(iter(draws.values())).shape[:2]
    return chains, n


def _flat(draws: Mapping[str, Floats]) -> dict[str, Floats]:
    """Put all chains in one row."""
    return {name: values.reshape(-1, *values.shape[2:]) for name, values in draws.items()}


def _shaped(draws: Mapping[str, Floats], shape: tuple[int, int]) -> dict[str, Floats]:
    return {name: values.reshape(*shape, *values.shape[1:]) for name, values in draws.items()}


def _thinned(draws: Mapping[str, Floats], step: int) -> tuple[dict[str, Floats], Any]:
    """Return every so-manieth draw, and which ones."""
    at = np.arange(0, _shape(draws)[1], step)
    return {name: values[:, at] for name, values in draws.items()}, at


def _chain_coords(chains: int, at: Any) -> dict[str, Any]:
    return {CHAIN: np.arange(chains), DRAW: at}
