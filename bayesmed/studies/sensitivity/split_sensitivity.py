"""The verb ``split_sensitivity``: how much an answer depends on how sites were found."""

from __future__ import annotations

import os
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bayesmed.core.display import Shown, displayed
from bayesmed.core.errors import DataError, ModelError
from bayesmed.core.progress import Progress
from bayesmed.core.seeds import checked_seed
from bayesmed.formulas.repeated_splits import median_interval
from bayesmed.generative import AnyModel, MultiSiteIV, SiteSlope
from bayesmed.inference import Sampler
from bayesmed.studies.sensitivity.quantities import CONCLUSIONS
from bayesmed.studies.sensitivity.refit import Refit, refit_sampler
from bayesmed.studies.study import run_study
from bayesmed.subgroups import RepeatedSites

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SplitSensitivity", "split_sensitivity"]

SPLIT = "split"


@displayed(one_line=True)
@dataclass(frozen=True, eq=False, repr=False)
class SplitSensitivity:
    """One model fitted to the sites that several random splits found.

    Attributes
    ----------
    model, repeated, seed
        The model, the sites it was fitted to, and the seed of the fits.
    estimates, failed
        See `table` and `failures`.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> import numpy as np, pandas as pd
    >>> from bayesmed.data import PersonRows, RowColumns
    >>> from bayesmed.subgroups import CompliancePropensity, repeat_sites
    >>> rng = np.random.default_rng(1)
    >>> people = pd.DataFrame({"t": np.arange(900) % 2, "age": rng.integers(20, 60, 900)})
    >>> people["m"] = people.t * (people.age - 20) / 20 + rng.normal(size=900)
    >>> people["y"] = people.m + rng.normal(size=900)
    >>> rows = PersonRows.from_frame(people, RowColumns("t", ("m",), "y", site="age"))
    >>> repeated = repeat_sites(rows, CompliancePropensity(groups=3), splits=2, seed=1)
    >>> with ThreadPoolExecutor(1) as own:  # leave the executor out to use processes
    ...     found = split_sensitivity(repeated, seed=1, executor=own)
    >>> found
    SplitSensitivity(2 splits)
    >>> sorted(set(found.table()["split"]))
    [1, 2]
    """

    model: AnyModel
    repeated: RepeatedSites
    seed: int
    estimates: pd.DataFrame
    failed: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """Return every quantity in every split.

        Returns
        -------
        DataFrame
            Columns split (1, 2, ...), split_seed, sites, quantity, mediator (empty where there is
            none), mean, sd, q2.5, q50, q97.5 (in the unit of the quantity), p_positive, engine,
            converged, and for nuts divergences, r_hat, ess_bulk, ess_tail, each the worst.
        """
        return self.estimates.copy()

    def combined(self) -> pd.DataFrame:
        """Return one answer for each conclusion, put together over the splits by medians.

        Splits whose fit failed or did not converge are left out.

        Returns
        -------
        DataFrame
            Columns quantity, mediator, q50 (median over splits of the posterior medians), q2.5,
            q97.5 (`median_interval` of the splits' 95 % intervals), lowest and highest (posterior
            median of a split), share_positive (of splits, by posterior median), share_excluding_0
            (of splits, by 95 % interval) and splits (how many have an answer).
        """
        import pandas as pd

        good = self._answered()
        if good.empty:
            raise DataError(
                "No split has an answer that converged.",
                "See failures() and table(); take more draws, or fewer and larger sites.",
            )
        rows = []
        for (quantity, mediator), own in good.groupby(["quantity", "mediator"], sort=False):
            middle = own["q50"].to_numpy(dtype=float)
            ends = own["q2.5"].to_numpy(dtype=float), own["q97.5"].to_numpy(dtype=float)
            low, high = median_interval(*ends)
            rows.append(
                {
                    "quantity": quantity,
                    "mediator": mediator,
                    "q50": float(np.median(middle)),
                    "q2.5": float(low),
                    "q97.5": float(high),
                    "lowest": float(middle.min()),
                    "highest": float(middle.max()),
                    "share_positive": float((middle > 0).mean()),
                    "share_excluding_0": float(((ends[0] > 0) | (ends[1] < 0)).mean()),
                    "splits": len(own),
                }
            )
        return pd.DataFrame(rows)

    def failures(self) -> pd.DataFrame:
        """Return the splits without an answer: columns split_seed and error."""
        return self.failed.copy()

    @property
    def answered(self) -> bool:
        """Whether any split has an answer that converged."""
        return not self._answered().empty

    def _answered(self) -> pd.DataFrame:
        if self.estimates.empty:
            return self.estimates
        good = self.estimates[self.estimates["converged"].astype(bool)]
        return good[good["quantity"].isin(CONCLUSIONS)]

    def _shown(self) -> Shown:
        from bayesmed.studies.display import shown_study

        title = f"SplitSensitivity({len(self.repeated.found)} splits)"
        if not self.answered:
            return Shown(title, ("No split has an answer that converged.",))
        columns = ("quantity", "mediator", "q50", "q2.5", "q97.5", "lowest", "highest")
        return shown_study(title, self.combined(), columns)


def split_sensitivity(
    repeated: RepeatedSites,
    model: SiteSlope | MultiSiteIV | None = None,
    *,
    sampler: Sampler | None = None,
    seed: int | None = None,
    store: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> SplitSensitivity:
    """Fit one model to the sites of every split, and put the answers together.

    Sites found in the data are found by chance: a tree grown on another random half of the persons
    has other leaves. Each split's posterior is that of sites known beforehand; their medians say
    what the trial says whatever the split, and their spread how much one split decides.

    Parameters
    ----------
    repeated
        What `repeat_sites` found.
    model
        The model; `SiteSlope()` where left out.
    sampler
        How to fit; where left out the exact engine where it can take the model, or else nuts.
    seed
        Seed of the fits.
    store, executor, workers, progress
        As of `run_study`.

    Returns
    -------
    SplitSensitivity
        ``.combined()`` answers, ``.table()`` of all splits, and ``.failures()``.

    Raises
    ------
    ModelError, DataError
        If the model cannot be fitted to such sites.
    StorageError, StudyError
        As `run_study`.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> import numpy as np, pandas as pd
    >>> from bayesmed.data import PersonRows, RowColumns
    >>> from bayesmed.subgroups import CompliancePropensity, repeat_sites
    >>> rng = np.random.default_rng(1)
    >>> people = pd.DataFrame({"t": np.arange(900) % 2, "age": rng.integers(20, 60, 900)})
    >>> people["m"] = people.t * (people.age - 20) / 20 + rng.normal(size=900)
    >>> people["y"] = people.m + rng.normal(size=900)
    >>> rows = PersonRows.from_frame(people, RowColumns("t", ("m",), "y", site="age"))
    >>> repeated = repeat_sites(rows, CompliancePropensity(groups=4), splits=3, seed=1)
    >>> with ThreadPoolExecutor(1) as own:  # leave the executor out to use processes
    ...     found = split_sensitivity(repeated, seed=1, executor=own)
    >>> found.combined().set_index("quantity").loc["slope", "splits"]
    np.int64(3)
    """
    import pandas as pd

    if not isinstance(repeated, RepeatedSites):
        raise ModelError(
            f"A {type(repeated).__name__} is no set of splits.",
            "Give what `repeat_sites` returned.",
        )
    model = SiteSlope() if model is None else model
    seed = checked_seed(seed)
    tasks = []
    for b, found in enumerate(repeated.found, 1):
        data = found.estimates
        model.check_data(data)
        settings = refit_sampler(sampler or Sampler(engine="exact"), data.n_rows)
        tasks.append(Refit(f"{b}", model, data, replace(settings, cores=1)))
    study = run_study(
        tasks, store=store, seed=seed, executor=executor, workers=workers, progress=progress
    )
    estimates = study.table().rename(columns={"task": SPLIT})
    split = estimates[SPLIT].astype(int)
    seeds = [found.seed for found in repeated.found]
    sites = [found.estimates.n_rows for found in repeated.found]
    estimates = estimates.drop(columns=SPLIT)
    estimates.insert(0, SPLIT, split)
    estimates.insert(1, "split_seed", [seeds[b - 1] for b in split])
    estimates.insert(2, "sites", [sites[b - 1] for b in split])
    failed = [
        *repeated.without.items(),
        *(
            (seeds[int(row["task"]) - 1], row["error"])
            for row in study.failures().to_dict("records")
        ),
    ]
    return SplitSensitivity(
        model, repeated, seed, estimates, pd.DataFrame(failed, columns=["split_seed", "error"])
    )
