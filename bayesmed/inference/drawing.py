"""Draws of the parameters from a posterior, by either engine."""

from __future__ import annotations

from typing import NamedTuple

import xarray as xr

from bayesmed.core.errors import ModelError
from bayesmed.core.progress import Progress
from bayesmed.core.seeds import child_seed, stream
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.generative.protocol import Model
from bayesmed.generative.trial_model import TrialModel
from bayesmed.inference.exact import ExactPosterior, exact_posterior
from bayesmed.inference.quadrature import LINE_TOLERANCE
from bayesmed.inference.sampler import Sampler


class Drawn(NamedTuple):
    """Draws of all parameters, and what they were made by.

    Attributes
    ----------
    draws
        Arrays (chain, draw, ...) by parameter.
    sample_stats
        Sampler statistics by chain and draw; None for the exact engine.
    exact
        The integrated posterior; None for nuts.
    """

    draws: dict[str, Floats]
    sample_stats: xr.Dataset | None
    exact: ExactPosterior | None


def draw_posterior(
    model: Model,
    data: SiteEstimates,
    sampler: Sampler,
    seed: int,
    progress: Progress,
    *,
    tolerance: float = LINE_TOLERANCE,
) -> Drawn:
    """Draw the parameters by the engine of ``sampler``, all of whose settings are made.

    ``tolerance`` is that of `exact_posterior`.

    Raises
    ------
    ModelError
        If the exact engine cannot take the model.
    SamplingError, QuadratureError
        If the engine fails.
    """
    if sampler.engine == "exact":
        progress.phase("Integrating")
        exact = exact_posterior(model, data, tolerance=tolerance)
        flat = exact.draws(sampler.chains * sampler.draws, stream(seed, "draws"))
        shape = sampler.chains, sampler.draws
        draws = {name: v.reshape(*shape, *v.shape[1:]) for name, v in flat.items()}
        return Drawn(draws, None, exact)
    from bayesmed.inference import nuts

    draws, stats = nuts.sample(model, data, sampler, child_seed(seed, "draws"), progress)
    return Drawn(draws, stats, None)


def draw_trial_posterior[D](
    model: TrialModel[D], data: D, sampler: Sampler, seed: int, progress: Progress
) -> Drawn:
    """Draw the parameters of a model of one trial, by nuts.

    Raises
    ------
    ModelError
        If another engine is asked for.
    SamplingError
        If sampling fails.
    """
    if sampler.engine != "nuts":
        raise ModelError(
            f"The engine {sampler.engine!r} takes models of sites only.", 'Set engine = "nuts".'
        )
    if model.cut:
        from bayesmed.inference.cut import draw_cut_posterior

        return draw_cut_posterior(model, data, sampler, seed, progress)
    from bayesmed.inference import nuts

    columns, stats = nuts.variables(model, data, sampler, child_seed(seed, "draws"), progress)
    flat = {name: v.reshape(-1, *v.shape[2:]) for name, v in columns.items()}
    found = model.unstandardised(flat, data, stream(seed, "completed"))
    shape = sampler.chains, sampler.draws
    return Drawn({k: v.reshape(*shape, *v.shape[1:]) for k, v in found.items()}, stats, None)
