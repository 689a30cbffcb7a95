"""The verb ``calibrate``: simulation-based calibration of a model and its computation."""

from __future__ import annotations

import os
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmed.core.display import Shown, displayed
from bayesmed.core.errors import ModelError
from bayesmed.core.progress import Progress
from bayesmed.core.seeds import checked_seed, stream
from bayesmed.core.types import Floats, Integers
from bayesmed.formulas.ranks import simultaneous_band, uniformity_p_value
from bayesmed.generative import AnyModel, AnyTrialModel
from bayesmed.generative.site_model import SiteModel
from bayesmed.generative.site_slope_parameters import AT_CENTRE
from bayesmed.inference import Sampler
from bayesmed.studies.calibration.chunk import CalibrationChunk
from bayesmed.studies.study import run_study

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Calibration", "calibrate"]

LIGHT = Sampler(draws=500, tune=600, chains=1)
"""Settings for many fits: the acceptance a model asks for, and as few draws as ranks need."""
RANKS = 101
CHUNK = 20
OUTSIDE = 0.05
"""The band is left somewhere by this share of uniform ranks."""


@displayed(one_line=True)
@dataclass(frozen=True, eq=False, repr=False)
class Calibration:
    """Ranks of what is true among draws of the posterior, replicate by replicate.

    Attributes
    ----------
    model, data
        What was calibrated.
    ranks
        One row for each quantity of each replicate: ``replicate``, ``quantity``, ``rank`` (0 to
        ``n_ranks - 1``), ``divergences`` (of the sampler).
    failed
        Replicates without a posterior, and tasks that failed: columns task and error.
    n_ranks
        Number of values a rank can have.
    seed
        The seed of the study.

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesmed.generative import SiteSlope
    >>> ranks = pd.DataFrame({"replicate": range(8), "quantity": "slope",
    ...                       "rank": [0, 3, 2, 1, 1, 0, 3, 2], "divergences": 0})
    >>> found = Calibration(SiteSlope(), None, ranks, pd.DataFrame(), n_ranks=4, seed=1)
    >>> found.counts("slope").tolist()
    [2, 2, 2, 2]
    >>> found.table()[["quantity", "mean_rank", "inside"]]
      quantity  mean_rank  inside
    0    slope        0.5    True
    """

    model: AnyModel | AnyTrialModel
    data: Any
    ranks: pd.DataFrame
    failed: pd.DataFrame
    n_ranks: int
    seed: int

    def counts(self, quantity: str) -> Integers:
        """Return how often each rank of a quantity was seen, (n_ranks,)."""
        own = self.ranks.loc[self.ranks["quantity"] == quantity, "rank"]
        if own.empty:
            raise ModelError(f"There is no quantity {quantity!r}.", "table() lists them.")
        return np.bincount(own.to_numpy(np.int64), minlength=self.n_ranks)

    def band(self, quantity: str, probability: float = 0.95) -> Floats:
        """Return the simultaneous band of a quantity's ranks; see `simultaneous_band`."""
        return simultaneous_band(int(self.counts(quantity).sum()), self.n_ranks, probability)

    def table(self) -> pd.DataFrame:
        """Return one row for each quantity.

        Returns
        -------
        DataFrame
            Columns quantity, replicates, mean_rank (as a share; .5 if calibrated, less where the
            posterior is too high), spread (of ranks over that of uniform ones; above 1 where
            posteriors are too narrow, below 1 where too wide), p_value (of ranks as uneven as
            these somewhere, under uniformity), inside (whether they stay in the 95 % simultaneous
            band), p_of_all (p_value times the number of quantities, at most 1).
        """
        import pandas as pd

        rows = []
        for name in dict.fromkeys(self.ranks["quantity"]):
            counts, at = self.counts(name), (np.arange(self.n_ranks) + 0.5) / self.n_ranks
            n = counts.sum()
            mean = float(counts @ at / n)
            sd = float(np.sqrt(counts @ (at - 0.5) ** 2 / n) * np.sqrt(12))
            p = float(uniformity_p_value(counts))
            rows.append((name, int(n), mean, sd, p, p > OUTSIDE))
        columns = ["quantity", "replicates", "mean_rank", "spread", "p_value", "inside"]
        table = pd.DataFrame(rows, columns=columns)
        return table.assign(p_of_all=np.minimum(table["p_value"] * len(table), 1.0))

    @property
    def divergent(self) -> float:
        """Share of fits with a divergent transition: their ranks count like the others."""
        return float((self.ranks.drop_duplicates("replicate")["divergences"] > 0).mean())

    def _shown(self) -> Shown:
        from bayesmed.studies.display import shown_study

        table = self.table()
        title = f"Calibration({type(self.model).__name__}, {len(table)} quantities)"
        return shown_study(
            title, table, ("quantity", "replicates", "mean_rank", "p_value", "inside")
        )


def calibrate(
    model: AnyModel | AnyTrialModel,
    data: Any,
    *,
    replicates: int = 1000,
    sampler: Sampler = LIGHT,
    ranks: int = RANKS,
    seed: int,
    store: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    chunk: int = CHUNK,
) -> Calibration:
    r"""Draw parameters from the prior, data from the model, fit, and rank the truth; many times.

    If prior, likelihood and sampler are one model, the rank of every true quantity among
    independent draws of its posterior is uniform (Talts and others 2018). The likelihood that
    draws the data is written apart from that of the graph.

    Parameters
    ----------
    model
        A model whose priors are all given in the units of the data, so that no prior depends on
        what is simulated: the default ones do.
    data
        What new data are like: their sites, covariates, sampling covariances, persons, treatments
        are kept, and mediators and outcomes are drawn anew.
    replicates
        Number of simulated data sets.
    sampler
        How to fit; by default one chain of 500 draws after 600, with the acceptance the model asks
        for.
    ranks
        Number of values a rank has: one more than the draws that are kept of each posterior,
        evenly spaced so that they are nearly independent.
    seed
        Whole number from 0 to 2**32-1.
    store, executor, workers, progress
        As in `run_study`. A file begun with fewer replicates goes on with more, where both are
        multiples of ``chunk``.
    chunk
        Replicates in one task.

    Returns
    -------
    Calibration
        Ranks, and their ``table()``.

    Raises
    ------
    ModelError
        If a prior depends on the data, the data are drawn from no joint distribution with the
        parameters (cut priors), or a number is not possible.
    StorageError, StudyError
        As `run_study`.

    Notes
    -----
    Parameters at an average of the data, as levels of `RandomCoefficients`, are those at the
    average of what is simulated. The intercept of `CovariateIV` is drawn where the mediator of
    ``data`` is at its average, and moved to that of the new ones: give ``outcome_intercept`` a wide
    prior, for which that makes no difference.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from bayesmed.data import SiteEstimates
    >>> from bayesmed.generative import SiteSlope
    >>> from bayesmed.priors import Prior
    >>> like = SiteEstimates.from_arrays(
    ...     mediator_effect=[0.2, 0.5, 0.9, 1.4], total_effect=[0.5, 1.1, 1.8, 3.1],
    ...     cov=np.tile(np.diag([0.01, 0.04]), (4, 1, 1)))
    >>> wide, scale = Prior("Normal", mu=0, sigma=1), Prior("HalfNormal", sigma=1)
    >>> model = SiteSlope(priors={
    ...     "slope": wide, "direct_effect_mean": wide, "direct_effect_sd": scale,
    ...     "mediator_effect_mean": wide, "mediator_effect_sd": scale})
    >>> exact = Sampler(engine="exact", draws=200, chains=1)
    >>> with ThreadPoolExecutor(1) as own:  # leave the executor out to use processes
    ...     found = calibrate(model, like, replicates=4, sampler=exact, seed=1, executor=own)
    >>> found.table()["replicates"].unique().tolist()
    [4]
    """
    seed = checked_seed(seed)
    _check_number("replicates", replicates, 1)
    _check_number("chunk", chunk, 1)
    _check_number("ranks", ranks, 2)
    if ranks > (most := sampler.chains * sampler.draws + 1):
        raise ModelError(f"ranks is {ranks}.", f"With these draws give 2 to {most}.")
    any_model: Any = model
    any_model.check_data(data)
    _check_priors(any_model, data, seed)
    tasks = [
        CalibrationChunk(model, data, sampler, ranks, first, min(first + chunk, replicates), seed)
        for first in range(0, replicates, chunk)
    ]
    done = run_study(
        tasks, store=store, seed=seed, executor=executor, workers=workers, progress=progress
    )
    return _found(any_model, data, done.table(), done.failures(), ranks, seed)


def _found(
    model: Any, data: Any, table: pd.DataFrame, failures: pd.DataFrame, ranks: int, seed: int
) -> Calibration:
    import pandas as pd

    columns = ["replicate", "quantity", "rank", "divergences"]
    table = table.reindex(columns=["task", *columns, "error"])
    lost = table["rank"] < 0
    without = pd.DataFrame(
        {
            "task": [f"replicate {i}" for i in table["replicate"][lost]],
            "error": table["error"][lost],
        }
    )
    kept = table.loc[~lost, columns].reset_index(drop=True)
    failed = pd.concat([failures, without], ignore_index=True)
    return Calibration(model, data, kept, failed, ranks, seed)


def _check_number(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ModelError(f"{name} is {value!r}.", f"Give a whole number of {least} or more.")


def _check_priors(model: Any, data: Any, seed: int) -> None:
    """Refuse priors that what is simulated would move."""
    if not isinstance(model, SiteModel) and model.cut:
        raise ModelError(
            "A prior of slope_modifier is cut: there is no joint distribution to draw from.",
            "Give numbers in its place.",
        )
    rng = stream(seed, "priors")
    before = model.priors_for(data)
    new, _ = model.simulated(model.prior_draws(data, 1, rng), data, rng)
    after = model.priors_for(new)
    centred = set(AT_CENTRE.values()) if isinstance(model, SiteModel) else set()
    moved = [k for k, prior in before.items() if after[k] != prior or k in centred]
    if moved:
        raise ModelError(
            f"The prior of {moved[0]!r} depends on the data, and so on what is simulated.",
            f"Give every parameter a prior in the units of the data: {', '.join(moved)}.",
        )
