"""Posteriors with some parameters drawn from their prior, not updated by the data: cut.

Values of these parameters are spread evenly over their prior (a Latin hypercube), the model is
fitted given each, without compiling again, and the posteriors are pooled with equal weights
(Plummer 2015). What the likelihood would say of the cut parameters is thrown away: for parameters
that data seem to tell through the form of the model alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import xarray as xr

from bayesmed.core.errors import ModelError
from bayesmed.core.names import CHAIN, DRAW
from bayesmed.core.progress import Progress, Silent
from bayesmed.core.seeds import stream
from bayesmed.core.types import Floats
from bayesmed.generative.trial_model import TrialModel
from bayesmed.inference.drawing import Drawn, draw_trial_posterior
from bayesmed.inference.sampler import Sampler

VALUES = 64
TUNE = 400
"""Most tuning draws of each fit: the coordinates of the models are made to need few."""
FEWEST = 4


def draw_cut_posterior[D](
    model: TrialModel[D],
    data: D,
    sampler: Sampler,
    seed: int,
    progress: Progress,
    *,
    values: int = VALUES,
) -> Drawn:
    """Draw from the posteriors given values of the cut parameters, and pool them.

    Every chain holds draws of all fits in random order, so that the usual diagnostics apply to what
    the fits did; the error that comes of there being a finite number of values is not in them.

    Parameters
    ----------
    model
        A model with ``cut`` parameters.
    data
        Its data.
    sampler
        Draws and chains of the pooled posterior; each fit has its part of the draws, at least 4.
    seed
        Seed of values, fits and order.
    progress
        Shows how many fits are done.
    values
        How many values of the cut parameters, at least 1; fewer where there are too few draws.

    Raises
    ------
    ModelError
        If ``values`` is not positive.
    SamplingError
        If a fit fails.
    """
    if values < 1:
        raise ModelError(f"values is {values}.", "Give a positive number.")
    values = max(1, min(values, sampler.draws // FEWEST))
    at = spread_evenly(values, model.cut, stream(seed, "cut values"))
    sizes = [len(part) for part in np.array_split(np.arange(sampler.draws), values)]
    seeds = stream(seed, "cut fits").integers(0, 2**32, values).tolist()
    found: list[Drawn] = []
    sampler = sampler.for_trial(model.target_accept(data))
    tune = min(sampler.tune or TUNE, TUNE)
    for k in range(values):
        own = replace(sampler, draws=sizes[k], tune=tune)
        given, fixed = model.given(at[k], data)
        drawn = draw_trial_posterior(given, data, own, seeds[k], Silent())
        found.append(drawn._replace(draws=drawn.draws | _repeated(fixed, own)))
        progress.phase(f"Fits given cut parameters: {k + 1} of {values}")
    return _pooled(found, stream(seed, "cut order"))


def spread_evenly(n: int, k: int, rng: np.random.Generator) -> Floats:
    """Return (n, k) probabilities, in every column one in each n-th of (0, 1).

    Examples
    --------
    >>> found = spread_evenly(4, 2, np.random.default_rng(1))
    >>> np.sort(np.floor(4 * found), axis=0).T.tolist()
    [[0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0, 3.0]]
    """
    order = rng.permuted(np.tile(np.arange(n), (k, 1)), axis=1).T
    found: Floats = (order + rng.random((n, k))) / n
    return found


def _repeated(fixed: Mapping[str, Floats], sampler: Sampler) -> dict[str, Floats]:
    """Give every draw of a fit the values it was made with."""
    shape = sampler.chains, sampler.draws
    return {name: np.broadcast_to(v, (*shape, *np.shape(v))) for name, v in fixed.items()}


def _pooled(found: list[Drawn], rng: np.random.Generator) -> Drawn:
    """Put the draws of all fits into chains, in random order."""
    joined = {
        name: np.concatenate([drawn.draws[name] for drawn in found], axis=1)
        for name in found[0].draws
    }
    chains, n = next(iter(joined.values())).shape[:2]
    orders = np.argsort(rng.random((chains, n)), axis=1)

    def shuffled(values: Floats) -> Floats:
        return np.stack([values[c][orders[c]] for c in range(chains)])

    stats = [drawn.sample_stats for drawn in found if drawn.sample_stats is not None]
    variables = {
        name: ((CHAIN, DRAW), shuffled(np.concatenate([s[name].to_numpy() for s in stats], axis=1)))
        for name in stats[0].data_vars
    }
    return Drawn({k: shuffled(v) for k, v in joined.items()}, xr.Dataset(variables), None)
