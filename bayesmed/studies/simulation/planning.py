"""Planning a trial: power, width of intervals and wrong signs for numbers of sites and persons."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Executor

from bayesmed.core.progress import Progress
from bayesmed.generative import SiteModel, SiteSlope
from bayesmed.inference import Sampler
from bayesmed.studies.simulation.analysis import LIGHT
from bayesmed.studies.simulation.design import design_grid
from bayesmed.studies.simulation.result import Simulation
from bayesmed.studies.simulation.simulate import simulate
from bayesmed.studies.simulation.trial import TrialDesign

REPLICATES = 500


def design_analysis(
    design: TrialDesign,
    *,
    sites: Sequence[int],
    persons: Sequence[int],
    model: SiteModel | None = None,
    replicates: int = REPLICATES,
    sampler: Sampler = LIGHT,
    seed: int,
    store: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Simulation:
    """Say what a planned trial would find, for every number of sites and persons.

    A design analysis (Gelman and Carlin 2014): trials are drawn from what is expected of effects,
    and each is analysed as the real one will be. In the table, ``rejects`` is the power (the
    size, where the slope is 0), ``median_width`` the width of the 95 % interval to expect, and
    ``type_s`` the share of wrong signs among the intervals that exclude 0.

    Parameters
    ----------
    design
        The trial; its own numbers of sites and persons do not matter.
    sites, persons
        Numbers of sites, and of persons at each, to try: every combination.
    model
        How the trial will be analysed; `SiteSlope` by default.
    replicates, sampler, seed, store, executor, workers, progress
        As in `simulate`.

    Returns
    -------
    Simulation
        With one row in its ``table()`` for each combination.

    Raises
    ------
    ModelError
        If a number is not possible.
    StorageError, StudyError
        As `run_study`.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> design = TrialDesign(sites=10, persons=100, slope=0.8, mediator_effect_sd=0.3,
    ...                      direct_effect_sd=0.1, mediator_outcome_correlation=0.3)
    >>> with ThreadPoolExecutor(1) as own:
    ...     found = design_analysis(design, sites=[8, 60], persons=[200], replicates=20, seed=1,
    ...                             executor=own)
    >>> found.table()["rejects"].is_monotonic_increasing
    True
    """
    designs = design_grid(design, {"sites": sites, "persons": persons})
    return simulate(
        designs,
        replicates=replicates,
        estimators=(),
        models={"Posterior": SiteSlope() if model is None else model},
        sampler=sampler,
        seed=seed,
        store=store,
        executor=executor,
        workers=workers,
        progress=progress,
    )
