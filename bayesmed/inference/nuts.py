"""Hamiltonian Monte Carlo by nutpie: compile a model structure once, refit it with other data."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

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
    """The sampler could not produce draws.

    Examples
    --------
    >>> issubclass(SamplingError, BayesmedError)
    True
    """


class Compilable[D](Protocol):
    """What compiling a model takes."""

    def structure(self, data: D) -> Hashable:
        """Return what must be equal for two fits to share one compiled model."""

    def graph_data(self, data: D) -> dict[str, Floats]:
        """Return the values of every data node of the graph."""

    def build(self, data: D) -> Any:
        """Return the PyMC model."""


def compiled[D](model: Compilable[D], data: D, progress: Progress) -> Any:
    """Return the compiled model with these data in it, compiling its structure if it is new."""
    key = model.structure(data)
    with _lock:
        if key not in _compiled:
            progress.phase("Compiling the model")
            import nutpie

            graph = model.build(data)
            # The parameters follow from these outside the graph: less to compile and to store.
            free = [variable.name for variable in graph.free_RVs]
            with _uncollected(), _rested():
                _compiled[key] = graph, nutpie.compile_pymc_model(graph, var_names=free)
    graph, ready = _compiled[key]
    values = model.graph_data(data)
    start = _start(graph, ready.initial_point_func, values)
    return replace(ready.with_data(**values), initial_point_func=start)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Rest the garbage collector: walking over what a compilation makes is a sixth of its time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@contextmanager
def _rested() -> Iterator[None]:
    """Rest two rewrites that cost more than half of a compilation and make no faster code.

    One multiplies out products, the other looks for memory to use twice.
    """
    from pytensor.compile.mode import optdb

    distributor, inplace = "local_greedy_distributor", "inplace_elemwise"
    tags = [
        (optdb["canonicalize"], distributor, ("canonicalize", "fast_run", "fast_compile")),
        (optdb["stabilize"], distributor, ("stabilize", "fast_run")),
        (optdb, inplace, ("fast_run", "inplace")),
    ]
    for database, name, own in tags:
        database.remove_tags(name, *own)
    try:
        yield
    finally:
        for database, name, own in tags:
            database.add_tags(name, *own)


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
    """Draw the parameters of a model of sites from their posterior.

    Returns
    -------
    parameters
        Arrays of shape (chain, draw, ...) by name.
    sample_stats
        Sampler statistics by chain and draw.

    Raises
    ------
    SamplingError
        If nutpie cannot start or ends early.
    """
    sampler = sampler.for_sites(data.n_rows, through_origin=model.through_origin)
    columns, stats = variables(model, data, sampler, seed, progress)
    return model.unstandardised(columns, data), stats


def variables[D](
    model: Compilable[D], data: D, sampler: Sampler, seed: int, progress: Progress
) -> tuple[dict[str, Floats], xr.Dataset]:
    """Draw the random variables of a graph from their posterior.

    Parameters
    ----------
    model, data
        What to sample.
    sampler
        Settings, all of them made.
    seed
        Whole number.
    progress
        Shows phases and progress.

    Returns
    -------
    variables
        Arrays of shape (chain, draw, entries) by name, without the last axis for single numbers.
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
        return_raw_trace=True,
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
    columns, stats = trace.get_arrow_trace()
    found = _kept(stats, SAMPLE_STATS, sampler)
    return _kept(columns, columns[0].column_names, sampler), xr.Dataset(
        {new: (("chain", "draw"), found[old]) for old, new in SAMPLE_STATS.items()}
    )


def _kept(chains: Sequence[Any], names: Iterable[str], sampler: Sampler) -> dict[str, Floats]:
    """Return columns as arrays of shape (chain, draw), without the tuning draws.

    Straight from what the sampler filled: by way of nutpie's own tree it takes a twentieth of a
    second more, a quarter of a whole refit of a small table.
    """
    tune = sampler.tune or 0
    if any(chain.num_rows != tune + sampler.draws for chain in chains):
        raise SamplingError("Sampling ended before all draws were made.")
    return {
        name: np.stack([_values(chain.column(name))[tune:] for chain in chains]) for name in names
    }


def _values(column: Any) -> Floats:
    """Return one chain's draws of a variable, shape (draws, ...)."""
    if "List" not in str(column.type):
        return np.asarray(column.to_numpy())
    import pyarrow as pa

    rows = pa.array(column)
    return np.asarray(rows.flatten().to_numpy()).reshape(len(rows), -1)


def _reporter(progress: Progress) -> Any:
    def report(chains: list[Any]) -> None:
        done = sum(c.finished_draws for c in chains)
        total = sum(c.total_draws for c in chains)
        divergences = sum(c.divergences for c in chains if not c.tuning)
        progress.advance(done / max(total, 1), f"{divergences} divergences" if divergences else "")

    return report
