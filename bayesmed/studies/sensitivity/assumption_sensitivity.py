"""The verb ``assumption_sensitivity``: where conclusions change as an assumption gives way."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bayesmed.core.display import Shown, displayed
from bayesmed.core.errors import ModelError
from bayesmed.core.names import (
    ATE,
    CWATE,
    DIRECT_EFFECT,
    INDIRECT_EFFECT,
    NDE,
    NIE,
    SLOPE,
    TOTAL_EFFECT,
)
from bayesmed.core.progress import Progress, Silent
from bayesmed.core.seeds import checked_seed
from bayesmed.effects.trials.random_coefficients import (
    AVERAGE_TREATMENT_EFFECT,
    INTENTION_TO_TREAT,
    LATE,
)
from bayesmed.generative.assumption_axes import Axis, fitted_value
from bayesmed.inference import Fit, Sampler, TrialFit, is_trial
from bayesmed.priors import Prior
from bayesmed.studies.sensitivity.assumption_grid import HELD, Plan, planned
from bayesmed.studies.sensitivity.assumption_refit import (
    AssumptionRefit,
    assumption_sampler,
    rows_of,
)
from bayesmed.studies.sensitivity.conclusions import concluded
from bayesmed.studies.sensitivity.prior_sets import FITTED
from bayesmed.studies.sensitivity.tipping import tipping_points
from bayesmed.studies.study import run_study

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AssumptionSensitivity", "assumption_sensitivity"]

OF_TRIALS = (
    SLOPE,
    INDIRECT_EFFECT,
    DIRECT_EFFECT,
    TOTAL_EFFECT,
    NIE,
    NDE,
    ATE,
    AVERAGE_TREATMENT_EFFECT,
    LATE,
    CWATE,
    INTENTION_TO_TREAT,
)
"""Effects of one trial whose sign and interval an analysis draws conclusions from."""
ESTIMATES = (
    "quantity", "entry", "mean", "sd", "q2.5", "q25", "q50", "q75", "q97.5", "p_positive",
    "mc_error", "engine", "converged", "divergences", "r_hat", "ess_bulk", "ess_tail",
)  # fmt: skip
NUMBERS = ("mean", "sd", "mc_error", "divergences", "r_hat", "ess_bulk", "ess_tail")


@displayed(one_line=True)
@dataclass(frozen=True, eq=False, repr=False)
class AssumptionSensitivity:
    """What becomes of the conclusions of a fit as assumptions give way.

    Attributes
    ----------
    fit
        The fit that was asked about.
    axes
        The assumptions that were held at values: none, one or two.
    versions
        Named priors that were fitted beside the grid, by name and parameter.
    estimates, failed
        See `table` and `failures`.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> import bayesmed as bm
    >>> card = bm.load_card(bm.find_card("berkey1998"))
    >>> exact = bm.Sampler(engine="exact")
    >>> fit = bm.fit(card.model, card.load_data(), sampler=exact, seed=1)
    >>> sceptical = {"sceptical": {"slope": bm.Prior("Normal", mu=0, sigma=1)}}
    >>> with ThreadPoolExecutor(1) as own:
    ...     found = assumption_sensitivity(fit, (), priors=sceptical, executor=own)
    >>> found.table()["version"].unique().tolist()
    ['as fitted', 'sceptical']
    >>> len(found.failures())
    0
    """

    fit: Fit | TrialFit
    axes: tuple[Axis, ...]
    versions: Mapping[str, Mapping[str, Prior]]
    estimates: pd.DataFrame
    failed: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """Return every quantity at every value, and under every version.

        Returns
        -------
        DataFrame
            Columns version (``as fitted``, ``held``, or the name of priors), one for each axis
            (its value; NaN where it is no number), quantity, entry (mediator or arm, empty where
            there is none), mean, sd (missing for ratios), q2.5, q25, q50, q75, q97.5 in the unit
            of the quantity, p_positive, mc_error (Monte Carlo standard error of the mean), engine,
            converged, and for nuts divergences, r_hat, ess_bulk, ess_tail, each the worst.
        """
        return self.estimates.copy()

    def held(self) -> pd.DataFrame:
        """Return the rows of `table` in which every axis has a value, in the order of values.

        The fit itself is among them where it has numbers.
        """
        names = [axis.name for axis in self.axes]
        if not names:
            return self.estimates.iloc[:0].copy()
        known = self.estimates[names].notna().all(axis=1)
        # Versions of other parameters have the fit's values, and are no part of the grid.
        own = self.estimates[known & self.estimates["version"].isin((FITTED, HELD))]
        return own.sort_values(names, kind="stable").reset_index(drop=True)

    def tipping(self) -> pd.DataFrame:
        """Return where conclusions change: nearest to the reference, looking either way.

        Between two values that were tried, ends of intervals and medians are taken to lie on a
        straight line. Refits that did not converge are passed over.

        Returns
        -------
        DataFrame
            Columns axis, quantity, entry, conclusion (``interval``: whether the 95 % interval
            excludes 0; ``sign``: of the median), reference (the value in the fit, 0 where that is
            no number, or the nearest tried), at_reference (``excludes 0``, ``includes 0``;
            ``positive``, ``negative``), below and above: the values at which that changes, NaN
            where it does not; clear (False where Monte Carlo error could explain a change). With
            two axes the other one is at its own reference.
        """
        quantities = self.concluded()
        names = [axis.name for axis in self.axes]
        return tipping_points(self.held(), names, self.reference(), quantities)

    def reference(self) -> dict[str, float]:
        """Return the value of every axis in the fit; 0, where the assumption holds, if none."""
        fitted = {axis.name: fitted_value(self.fit.model, axis.name) for axis in self.axes}
        return {name: 0.0 if value is None else value for name, value in fitted.items()}

    def concluded(self) -> list[str]:
        """Return the quantities that conclusions are about."""
        if is_trial(self.fit):
            there = set(self.estimates["quantity"])
            return [name for name in OF_TRIALS if name in there]
        return concluded(self.estimates)

    def failures(self) -> pd.DataFrame:
        """Return the refits that failed: columns refit and error."""
        return self.failed.copy()

    def _shown(self) -> Shown:
        from bayesmed.studies.display import shown_study

        names = tuple(axis.name for axis in self.axes)
        title = f"AssumptionSensitivity({', '.join((*names, *self.versions))})"
        columns = ("version", *names, "quantity", "entry", "q50", "q2.5", "q97.5")
        return shown_study(title, self.table(), columns)


def assumption_sensitivity(
    fit: Fit | TrialFit,
    axes: str | Sequence[str] | Mapping[str, Sequence[float]] | None = None,
    *,
    priors: Mapping[str, Mapping[str, Prior]] | None = None,
    sampler: Sampler | None = None,
    seed: int | None = None,
    store: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> AssumptionSensitivity:
    r"""Fit again with an assumption held at several values, and say where conclusions change.

    Some assumptions leave no trace in the data, or hardly one: no check can pass them. What can be
    said is how far they may fail before a conclusion does. Each model structure is compiled once
    in each worker.

    Parameters
    ----------
    fit
        The fit.
    axes
        One assumption or two (all combinations of their values), by name, or names with values;
        values left empty are chosen by the data. Where left out, the first below; for a
        `CovariateIV` both of its first instrument. ``()`` for none beside `priors`.

        - `SiteSlope` with direct effects: ``correlation`` :math:`\rho` (Fu, Assumption 1).
        - `MultiSiteIV`: ``compliance_correlation`` (Reardon and Raudenbush's vii), and
          ``within_site_covariance`` :math:`\kappa` (vi) without a direct effect.
        - `CovariateIV`: ``direct_modifier[x]`` :math:`\tau_R` and ``slope_modifier[x]``
          :math:`\tau_M` of a covariate x (Small's IV-A2).
        - `PrincipalStrata`: ``heterogeneity`` :math:`\sigma_{het}`, and ``defiers`` :math:`\pi`
          (Kim's assumptions 3 and 4).
    priors
        Versions of the analysis to fit beside the grid, by a name of your choice: priors by
        parameter, of an assumption above or of any other parameter.
    sampler
        How to refit; that of the fit where left out, with at most 1,000 draws per chain, and from
        30 sites on at most 500.
    seed
        Seed of the refits; that of the fit where left out.
    store, executor, workers, progress
        As of `run_study`.

    Returns
    -------
    AssumptionSensitivity
        ``.table()`` of all quantities, ``.tipping()`` of conclusions, ``.failures()``.

    Raises
    ------
    ModelError, DataError
        If the model has no such assumption, a value or prior is impossible, or a name is taken.
    StorageError, StudyError
        As `run_study`.

    Examples
    --------
    >>> import numpy as np
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from bayesmed.data import SiteEstimates
    >>> from bayesmed.generative import SiteSlope
    >>> from bayesmed.inference import fit
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[0.2, 0.5, 0.9, 1.4], total_effect=[0.5, 1.1, 1.8, 3.1],
    ...     cov=np.tile(np.diag([0.01, 0.04]), (4, 1, 1)))
    >>> quick = Sampler(draws=400, tune=400, chains=2)
    >>> fitted = fit(SiteSlope(), data, sampler=quick, seed=1)
    >>> with ThreadPoolExecutor(1) as own:  # leave the executor out to use processes
    ...     found = assumption_sensitivity(fitted, {"correlation": [-0.5, 0.5]}, executor=own)
    >>> slopes = found.table().query("quantity == 'slope'").sort_values("correlation")
    >>> slopes["version"].tolist(), bool(slopes["q50"].is_monotonic_decreasing)
    (['held', 'as fitted', 'held'], True)
    """
    if not isinstance(fit, Fit):
        raise ModelError(f"A {type(fit).__name__} is no fit.", "Give what `fit` returned.")
    versions = {str(name): dict(own) for name, own in (priors or {}).items()}
    plan = planned(fit.model, fit.data, axes, versions)
    settings = replace(sampler or assumption_sampler(fit), cores=1)
    of_trial = is_trial(fit)
    if of_trial:
        made: Any = fit.model
        settings = settings.for_trial(made.target_accept(fit.data))
    tasks = [
        AssumptionRefit(name, model, fit.data, settings, of_trial)
        for name, model in plan.models.items()
    ]
    study = run_study(
        tasks,
        store=store,
        seed=checked_seed(fit.seed if seed is None else seed),
        executor=executor,
        workers=workers,
        progress=progress or Silent(),
    )
    failed = study.failures().rename(columns={"task": "refit"})
    return AssumptionSensitivity(
        fit, plan.axes, versions, _estimates(fit, plan, study.table()), failed
    )


def _estimates(fit: Fit | TrialFit, plan: Plan, refits: pd.DataFrame) -> pd.DataFrame:
    """Put the fit, the grid and the versions under each other, with the value of every axis."""
    import pandas as pd

    fitted = pd.DataFrame(rows_of(fit)).assign(task=FITTED)
    every = pd.concat([fitted, refits], ignore_index=True)
    every["version"] = [HELD if task in plan.points else task for task in every["task"]]
    own = {FITTED: fit.model, **plan.models}
    for axis in plan.axes:
        known = {key: _value(model, axis.name) for key, model in own.items()}
        every[axis.name] = every["task"].map(known).astype(float)
    table = every.astype(dict.fromkeys(NUMBERS, float))
    return table[["version", *(axis.name for axis in plan.axes), *ESTIMATES]]


def _value(model: Any, name: str) -> float:
    value = fitted_value(model, name)
    return math.nan if value is None else value
