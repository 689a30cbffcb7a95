"""The task of fitting a model with an assumption held at a number, reduced to its effects."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from bayesmed.core.progress import Silent
from bayesmed.inference import Fit, Sampler, TrialFit, is_trial
from bayesmed.inference.drawing import draw_trial_posterior
from bayesmed.inference.trial_tree import assemble_trial
from bayesmed.studies.sensitivity.quantities import ENDS, Quantity, trial_quantities
from bayesmed.studies.sensitivity.refit import Refit, refit_sampler, rows_of_fit, sampling_quality
from bayesmed.studies.task import Cell, Row

DRAWS = 1000
"""At most so many draws per chain of one trial: ends of intervals are told well enough by them."""


@dataclass(frozen=True)
class AssumptionRefit:
    """A model, data and sampler to fit once; the rows are those of `rows_of`."""

    name: str
    model: Any
    data: Any
    sampler: Sampler
    of_trial: bool

    @property
    def key(self) -> str:
        """Name of the refit."""
        return self.name

    def run(self, seed: int) -> list[Row]:
        """Fit, and return a row for each quantity."""
        if not self.of_trial:
            refit = Refit(self.name, self.model, self.data, self.sampler)
            return _by_entry(refit.run(seed))
        self.model.check_data(self.data)
        drawn = draw_trial_posterior(self.model, self.data, self.sampler, seed, Silent())
        assert drawn.sample_stats is not None
        stats = drawn.sample_stats
        tree = assemble_trial(self.model, self.data, drawn.draws, stats, seed, least=True)
        return _of_trial(self.model, self.data, tree)


def rows_of(fit: Fit | TrialFit) -> list[Row]:
    """Return what a refit gives, from a fit that is there.

    Returns
    -------
    list of dict
        quantity, entry (mediator or arm; empty where there is none), mean, sd, q2.5, q25, q50,
        q75, q97.5, p_positive, mc_error, engine, converged, divergences, r_hat, ess_bulk, ess_tail.
    """
    if is_trial(fit):
        return _of_trial(fit.model, fit.data, fit.tree)
    return _by_entry(rows_of_fit(fit))


def assumption_sampler(fit: Fit | TrialFit) -> Sampler:
    """Return the settings of a fit for one of many: no more draws than needed, on one core."""
    if not is_trial(fit):
        return refit_sampler(fit.sampler, fit.data.n_rows)
    model: Any = fit.model
    few = replace(fit.sampler, draws=min(fit.sampler.draws, DRAWS), cores=1)
    return few.for_trial(model.target_accept(fit.data))


def _by_entry(rows: list[Row]) -> list[Row]:
    """Call what a number belongs to by the name that it has for every model."""
    return [{"entry" if k == "mediator" else k: v for k, v in row.items()} for row in rows]


def _of_trial(model: Any, data: Any, tree: xr.DataTree) -> list[Row]:
    """Summarise every effect of one trial but those of single types of persons."""
    quality = sampling_quality(tree)
    ess = quality["ess_bulk"]
    assert isinstance(ess, float)
    return [
        {"quantity": q.name, "entry": q.entry, **_summary(q, max(ess, 1.0)), **quality}
        for q in trial_quantities(model, data, tree["posterior"].to_dataset())
    ]


def _summary(quantity: Quantity, ess: float) -> dict[str, Cell]:
    values, ratio = quantity.draws.ravel(), quantity.ratio
    quantile = np.nanquantile if np.isnan(values).any() else np.quantile
    sd = None if ratio else float(values.std(ddof=1))
    return {
        "mean": None if ratio else float(values.mean()),
        "sd": sd,
        **dict(zip(ENDS, quantile(values, list(ENDS.values())).tolist(), strict=True)),
        "p_positive": float(np.mean(values > 0)),
        "mc_error": None if sd is None else sd / math.sqrt(ess),
    }
