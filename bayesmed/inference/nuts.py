"""Hamiltonian Monte Carlo by nutpie: compile a model structure once, refit it with other data."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from bayesmed.core.errors import BayesmedError
from bayesmed.core.progress import Progress
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.generative.protocol import Model
from bayesmed.inference.sampler import Sampler

SAMPLE_STATS = {
    "diverging": "diverging",
    "energy": "energy",
    "logp": "lp",
    "depth": "tree_depth",
    "n_steps": "n_steps",
    "step_size": "step_size",
    "mean_tree_accept": "acceptance_rate",
}

# By structure: the graph and its compiled form.
_compiled: dict[Hashable, tuple[Any, Any]] = {}
_lock = threading.Lock()


class SamplingError(BayesmedError):
    """The sampler could not produce draws."""


def compiled(model: Model, data: SiteEstimates, progress: Progress) -> Any:
    """Return the compiled model with these data in it, compiling its structure if it is new."""
    key = model.structure(data)
    with _lock:
        if key not in _compiled:
            progress.phase("Compiling the model")
            import nutpie

            graph = model.build(data)
            # The parameters follow from these outside the graph: less to compile and to store.
            free = [variable.name for variable in graph.free_RVs]
            _compiled[key] = graph, nutpie.compile_pymc_model(graph, var_names=free)
    graph, ready = _compiled[key]
    values = model.graph_data(data)
    start = _start(graph, ready.initial_point_func, values)
    return replace(ready.with_data(**values), initial_point_func=start)


def _start(graph: Any, initial_point: Callable[[Any], Any], values: Mapping[str, Floats]) -> Any:
    """Return what makes initial points from the priors of this fit.

    ``with_data`` leaves them where the priors of the first fit put them, and the same seed would
    then give other draws than in a process of its own.
    """

    def start(seed: Any) -> Any:
        with _lock:
            for name, value in values.items():
                graph[name].set_value(value)
            return initial_point(seed)

    return start


def sample(
    model: Model, data: SiteEstimates, sampler: Sampler, seed: int, progress: Progress
) -> tuple[dict[str, Floats], xr.Dataset]:
    """Draw from the posterior.

    Returns
    -------
    parameters
        Arrays of shape (chain, draw) by name.
    sample_stats
        Sampler statistics by chain and draw.

    Raises
    ------
    SamplingError
        If nutpie cannot start or ends early.
    """
    import nutpie

    ready = compiled(model, data, progress)
    progress.phase("Sampling")
    running = nutpie.sample(
        ready,
        draws=sampler.draws,
        tune=sampler.tune,
        chains=sampler.chains,
        cores=sampler.cores,
        seed=seed,
        target_accept=sampler.target_accept,
        save_warmup=False,
        progress_bar=False,
        progress_callback=_reporter(progress),
        blocking=False,
    )
    try:
        trace = running.wait()
    except RuntimeError as error:
        raise SamplingError(f"Sampling failed: {error}") from error
    except BaseException:
        # An interrupted run must not pass for a finished one: throw its draws away.
        running.cancel()
        raise
    posterior = trace["posterior"].dataset
    free = {str(name): np.asarray(values) for name, values in posterior.data_vars.items()}
    draws = model.unstandardised(free, data)
    if next(iter(draws.values())).shape != (sampler.chains, sampler.draws):
        raise SamplingError("Sampling ended before all draws were made.")
    stats = trace["sample_stats"].dataset
    kept = {new: stats[old] for old, new in SAMPLE_STATS.items() if old in stats}
    return draws, xr.Dataset({n: (("chain", "draw"), np.asarray(v)) for n, v in kept.items()})


def _reporter(progress: Progress) -> Any:
    def report(chains: list[Any]) -> None:
        done = sum(c.finished_draws for c in chains)
        total = sum(c.total_draws for c in chains)
        divergences = sum(c.divergences for c in chains if not c.tuning)
        progress.advance(done / max(total, 1), f"{divergences} divergences" if divergences else "")

    return report
