"""The verb ``simulate``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from types import MappingProxyType
from typing import TYPE_CHECKING

from bayesmed.classical import ESTIMATORS
from bayesmed.core.errors import ModelError, nearest
from bayesmed.core.progress import Progress
from bayesmed.core.seeds import checked_seed
from bayesmed.generative import SiteModel, SiteSlope
from bayesmed.inference import Sampler
from bayesmed.studies.simulation.analysis import LIGHT, Analysis, Classical, Posterior
from bayesmed.studies.simulation.chunk import Chunk
from bayesmed.studies.simulation.design import Design
from bayesmed.studies.simulation.result import Simulation, checked_designs
from bayesmed.studies.study import run_study

if TYPE_CHECKING:
    import pandas as pd

TABLE_1 = (
    "OLS",
    "BCES",
    "BCES (pairs bootstrap)",
    "BCES (wild bootstrap)",
    "SIMEX",
    "SIMEX (published form)",
)
"""The estimators of Fu's Table 1, and least squares."""
DEFAULT_MODELS: Mapping[str, SiteModel] = MappingProxyType({"Posterior": SiteSlope()})
CHUNK = 20
COLUMNS = ("design", "replicate", "estimator", "estimate", "low", "high", "divergences")


def simulate(
    designs: Design | Sequence[Design],
    *,
    replicates: int = 1000,
    estimators: Sequence[str] = TABLE_1,
    models: Mapping[str, SiteModel] = DEFAULT_MODELS,
    intercept: bool = True,
    sampler: Sampler = LIGHT,
    seed: int,
    store: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    chunk: int = CHUNK,
) -> Simulation:
    """Draw data sets from designs whose truth is known, and see how estimators do.

    All estimators see the same data sets. The result depends on the designs, the seed and the
    number of replicates alone: neither on ``chunk`` nor on the executor nor on which other
    estimators and designs there are.

    Parameters
    ----------
    designs
        One or more of `FuDesign`, `ReardonDesign`, `TrialDesign`, or of your own; see
        `design_grid`.
    replicates
        Data sets of each design.
    estimators
        Names of classical estimators, as in `bayesmed.classical.ESTIMATORS`.
    models
        Models whose posterior of the average slope is an estimator too (its mean, and the central
        95 % interval), by the name it has in tables. Posteriors are integrated exactly where the
        model allows it and sampled elsewhere.
    intercept
        Whether lines of the classical estimators have an intercept.
    sampler
        How to sample; by default 2 chains of 500 draws after 500.
    seed
        Whole number from 0 to 2**32-1.
    store, executor, workers, progress
        As in `run_study`. A file begun with fewer replicates goes on with more, where both are
        multiples of ``chunk``.
    chunk
        Replicates in one task.

    Returns
    -------
    Simulation
        Estimates of every replicate, and their ``table()``.

    Raises
    ------
    ModelError
        If there is no such estimator, two analyses have one name, nothing is asked for, or a
        number is not possible.
    StorageError, StudyError
        As `run_study`.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from bayesmed.studies.simulation import FuDesign
    >>> with ThreadPoolExecutor(1) as own:
    ...     found = simulate(FuDesign(sites=30), replicates=20, estimators=["OLS"], models={},
    ...                      seed=1, executor=own)
    >>> row = found.table().iloc[0]
    >>> bool(row["bias"] < -1)  # measurement error pulls least squares towards 0
    True
    """
    several = checked_designs(designs)
    seed = checked_seed(seed)
    for name, value in (("replicates", replicates), ("chunk", chunk)):
        if value < 1:
            raise ModelError(f"{name} is {value}.", "Give a whole number of 1 or more.")
    analyses = _analyses(estimators, models, intercept, sampler)
    tasks = [
        Chunk(design, analyses, first, min(first + chunk, replicates), seed)
        for design in several
        for first in range(0, replicates, chunk)
    ]
    done = run_study(
        tasks, store=store, seed=seed, executor=executor, workers=workers, progress=progress
    )
    return Simulation(
        designs=several,
        replicates=_plain(done.table()),
        failed=done.failures(),
        estimators=tuple(analysis.name for analysis in analyses),
        seed=seed,
    )


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows without the tasks they came from."""
    return table.reindex(columns=list(COLUMNS))


def _analyses(
    estimators: Sequence[str], models: Mapping[str, SiteModel], intercept: bool, sampler: Sampler
) -> tuple[Analysis, ...]:
    """Return what is to be done to each data set, or say why it cannot be."""
    if isinstance(estimators, str):
        raise ModelError(f"estimators is {estimators!r}.", "Give a list of names.")
    for name in estimators:
        if name not in ESTIMATORS:
            raise ModelError(f"There is no estimator {name!r}.", nearest(name, ESTIMATORS))
        if not intercept and False not in ESTIMATORS[name].intercepts:
            raise ModelError(f"{name} exists for a line with an intercept only.", "Leave it out.")
    found: list[Analysis] = [Classical(name, intercept) for name in estimators]
    found += [Posterior(name, model, sampler) for name, model in models.items()]
    names = [analysis.name for analysis in found]
    for name in names:
        if names.count(name) > 1:
            raise ModelError(f"Two estimators are called {name!r}.", "Give each a name of its own.")
    if not found:
        raise ModelError("No estimator and no model is asked for.", "Name one or more.")
    return tuple(found)
