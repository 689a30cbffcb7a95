"""Prior refits of one model, compiled once by each worker, beside compiling for every refit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bayesmed.generative import SiteSlope
from bayesmed.generative.replaced_priors import with_priors
from bayesmed.inference import Sampler, nuts
from bayesmed.inference.sampler import Engine
from bayesmed.studies import Row, Task, run_study
from bayesmed.studies.sensitivity.prior_sets import prior_sets
from bayesmed.studies.sensitivity.refit import Refit, refit_sampler
from tests.benchmarks.figure import Figure, timed
from tests.benchmarks.tables import tables

N_SITES, REFITS, WORKERS, SEED = 30, 500, 2, 1
RECOMPILED = 12
"""Refits that are compiled each: enough to know the time of one."""


@dataclass(frozen=True)
class Recompiled:
    """A refit that compiles its model, as the first one of every process does."""

    refit: Refit

    @property
    def key(self) -> str:
        return self.refit.key

    def run(self, seed: int) -> list[Row]:
        nuts._compiled.clear()
        return self.refit.run(seed)


def figures() -> Iterator[Figure]:
    """Time whole studies: workers started, compiled, refitted, kept in a file, read as a table."""
    again = [Recompiled(task) for task in _refits("nuts")[:RECOMPILED]]
    slow, _ = timed(_study, again)
    seconds = {}
    for engine in ("nuts", "exact"):
        seconds[engine], _ = timed(_study, _refits(engine))
        what = f"{REFITS} prior refits, {N_SITES} sites, {engine}, {WORKERS} workers"
        yield Figure(what, "s", (seconds[engine],), "≤ 120 s")
    note = f"of {RECOMPILED}; side by side"
    yield Figure("each refit compiled anew, per refit", "s", (slow / RECOMPILED,), note=note)
    ratio = slow / RECOMPILED / (seconds["nuts"] / REFITS)
    yield Figure("compiling anew over compiling once, per refit", "times", (ratio,), "≥ 25")


def _refits(engine: Engine) -> list[Refit]:
    """Every prior of the default model from a tenth to ten times as wide."""
    model, (data,) = SiteSlope(), tables(N_SITES, 1)
    factors = np.geomspace(0.1, 10, REFITS // len(model.parameters)).tolist()
    sets = prior_sets(model, data, alternatives={}, parameters=(), factors=factors, together=False)
    assert len(sets) == REFITS
    sampler = refit_sampler(Sampler(engine=engine), N_SITES)
    return [Refit(one.name, with_priors(model, one.priors), data, sampler) for one in sets]


def _study(tasks: Sequence[Task]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "study.duckdb"
        found = run_study(tasks, store=store, seed=SEED, workers=WORKERS)
    assert found.failures().empty
    return len(found.table())
