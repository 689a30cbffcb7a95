"""How natural effects move with how far effects are let vary between types of persons."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmed.core.errors import ModelError
from bayesmed.core.names import ATE, NDE, NIE
from bayesmed.core.progress import Progress, Silent
from bayesmed.core.seeds import checked_seed
from bayesmed.data import TrialCells
from bayesmed.effects.trials.principal_strata import (
    NDE_IV,
    NIE_GAP,
    NIE_IV,
    principal_strata_effects,
)
from bayesmed.generative import PrincipalStrata
from bayesmed.generative.principal_strata_data import outcome_units
from bayesmed.inference import Sampler, TrialFit
from bayesmed.inference.convergence import diagnose
from bayesmed.inference.drawing import draw_trial_posterior
from bayesmed.inference.trial_tree import assemble_trial
from bayesmed.studies.study import run_study
from bayesmed.studies.task import Row

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FACTORS", "HeterogeneityStudy", "heterogeneity_study"]

FACTORS = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 1.0)
"""Values tried where none are given, in standard deviations of the outcome."""
SHOWN = (ATE, NIE, NDE, NIE_IV, NDE_IV, NIE_GAP)
DRAWS = 1000
QUANTILES = {"q2.5": 0.025, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q97.5": 0.975}


@dataclass(frozen=True)
class HeterogeneityRefit:
    """A model with σ_het fixed at one value, to fit once."""

    value: float
    model: PrincipalStrata
    data: TrialCells
    sampler: Sampler

    @property
    def key(self) -> str:
        """Name of the refit."""
        return f"heterogeneity {self.value:.17g}"

    def run(self, seed: int) -> list[Row]:
        """Fit, and return a row for each effect."""
        model = replace(self.model, heterogeneity=self.value)
        drawn = draw_trial_posterior(model, self.data, self.sampler, seed, Silent())
        assert drawn.sample_stats is not None
        tree = assemble_trial(model, self.data, drawn.draws, drawn.sample_stats, seed, least=True)
        converged = all(d.passed for d in diagnose(tree))
        flat = {name: v.reshape(-1, *v.shape[2:]) for name, v in drawn.draws.items()}
        found = principal_strata_effects(model, flat, self.data)
        rows: list[Row] = []
        for name in SHOWN:
            values = found.draws[name].reshape(len(found.draws[name]), -1)
            dims = found.dims.get(name, ())
            entries = found.coords[dims[0]] if dims else ("",)
            for i, entry in enumerate(entries):
                quantiles = np.quantile(values[:, i], list(QUANTILES.values())).tolist()
                rows.append(
                    {
                        "heterogeneity": self.value,
                        "effect": name,
                        "entry": entry,
                        **dict(zip(QUANTILES, quantiles, strict=True)),
                        "p_positive": float(np.mean(values[:, i] > 0)),
                        "converged": converged,
                    }
                )
        return rows


@dataclass(frozen=True, eq=False)
class HeterogeneityStudy:
    r"""Effects at fixed values of :math:`\sigma_{het}`.

    Attributes
    ----------
    fit
        The fit that was asked about.
    estimates
        See `table`.
    failed
        Refits that failed: columns task and error.
    """

    fit: TrialFit
    estimates: pd.DataFrame
    failed: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """Return the effects at every value.

        Returns
        -------
        DataFrame
            Columns heterogeneity (outcome units), effect (``ate``, ``nie``, ``nde``, ``nie_iv``,
            ``nde_iv``, ``nie_gap``), entry (arm), q2.5, q25, q50, q75, q97.5, p_positive,
            converged.
        """
        return self.estimates.copy()

    def tipping(self) -> pd.DataFrame:
        """Return, for every effect, from which value on its 95 % interval includes 0.

        Returns
        -------
        DataFrame
            Columns effect, entry, excludes_zero (whether the interval excludes 0 at the smallest
            value tried) and includes_from: the smallest value tried at which it does not, NaN where
            there is none.
        """
        import pandas as pd

        rows = []
        for (effect, entry), own in self.estimates.groupby(["effect", "entry"], sort=False):
            ordered = own.sort_values("heterogeneity")
            inside = ((ordered["q2.5"] <= 0) & (ordered["q97.5"] >= 0)).to_numpy()
            at = ordered["heterogeneity"].to_numpy()
            first = float(at[inside][0]) if inside.any() else math.nan
            rows.append((effect, entry, bool(not inside[0]), first))
        return pd.DataFrame(rows, columns=["effect", "entry", "excludes_zero", "includes_from"])


def heterogeneity_study(
    fit: TrialFit,
    *,
    values: Sequence[float] | None = None,
    sampler: Sampler | None = None,
    seed: int | None = None,
    store: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> HeterogeneityStudy:
    r"""Fit again with :math:`\sigma_{het}` fixed at a grid of values, compiling once.

    How far the mediator's effect varies between types of persons is hardly told by data, and
    natural effects rest on it; at 0 they are what instrumental variables have.

    Parameters
    ----------
    fit
        A fit of `PrincipalStrata`, not saturated.
    values
        :math:`\sigma_{het}` in outcome units, from 0 on; where left out, 0 to 1 standard
        deviations of the outcome.
    sampler
        How to refit; the fit's with at most 1,000 draws per chain where left out.
    seed
        Seed of the refits; that of the fit where left out.
    store, executor, workers, progress
        As of `run_study`.

    Raises
    ------
    ModelError
        If the fit is of another model, or a value is impossible.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from bayesmed.inference import fit
    >>> cells = TrialCells.from_arrays(
    ...     n=[[[300, 100], [200, 200]], [[300, 100], [100, 300]]],
    ...     events=[[[90, 50], [60, 100]], [[120, 60], [40, 210]]])
    >>> quick = Sampler(draws=200, tune=300, chains=2)
    >>> fitted = fit(PrincipalStrata(outcome_likelihood="moments"), cells, sampler=quick, seed=1)
    >>> with ThreadPoolExecutor(1) as own:  # leave the executor out to use processes
    ...     found = heterogeneity_study(fitted, values=[0, 0.2], executor=own)
    >>> gaps = found.table().query("effect == 'nie_gap' and heterogeneity == 0")
    >>> len(found.table()), bool(gaps["q50"].abs().max() < 1e-9)
    (22, True)
    """
    model: Any = fit.model
    if not isinstance(model, PrincipalStrata) or model.saturated:
        raise ModelError(
            f"A fit of {type(model).__name__} has no types of persons whose effects could vary.",
            "Give a fit of PrincipalStrata that is not saturated.",
        )
    data: Any = fit.data
    if values is None:
        scale = outcome_units(model, data).scale
        values = [round(factor * scale, 6) for factor in FACTORS]
    for value in values:
        replace(model, heterogeneity=value)  # refuses what is impossible
    seed = checked_seed(fit.seed if seed is None else seed)
    chosen = sampler or replace(fit.sampler, draws=min(fit.sampler.draws, DRAWS))
    settings = replace(chosen.for_trial(model.target_accept(data)), cores=1)
    tasks = [HeterogeneityRefit(float(v), model, data, settings) for v in dict.fromkeys(values)]
    study = run_study(
        tasks, store=store, seed=seed, executor=executor, workers=workers, progress=progress
    )
    table = study.table().drop(columns="task").sort_values("heterogeneity", kind="stable")
    return HeterogeneityStudy(fit, table.reset_index(drop=True), study.failures())
