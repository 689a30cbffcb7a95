"""The verb ``prior_sensitivity``: which conclusion changes under which prior."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bayesmed.core.display import Shown, displayed
from bayesmed.core.errors import ModelError
from bayesmed.core.progress import Progress, Silent
from bayesmed.core.seeds import checked_seed
from bayesmed.generative.replaced_priors import with_priors
from bayesmed.inference import Fit, Sampler
from bayesmed.priors import Prior
from bayesmed.studies.sensitivity.conclusions import changes, compared
from bayesmed.studies.sensitivity.power_scaling import power_scaling
from bayesmed.studies.sensitivity.prior_sets import FACTORS, FITTED, PriorSet, prior_sets
from bayesmed.studies.sensitivity.refit import Refit, refit_sampler, rows_of_fit
from bayesmed.studies.study import run_study

if TYPE_CHECKING:
    import pandas as pd


@displayed(one_line=True)
@dataclass(frozen=True, eq=False, repr=False)
class PriorSensitivity:
    """What other priors do to the conclusions of a fit.

    Attributes
    ----------
    fit
        The fit.
    sets
        The priors tried.
    estimates, scaling, failed
        See `table`, `power_scaling` and `failures`.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> import bayesmed as bm
    >>> card = bm.load_card(bm.find_card("berkey1998"))
    >>> exact = bm.Sampler(engine="exact")
    >>> fit = bm.fit(card.model, card.load_data(), sampler=exact, seed=1)
    >>> with ThreadPoolExecutor(1) as own:
    ...     found = prior_sensitivity(fit, parameters=["slope"], factors=[2], executor=own)
    >>> found.priors()["prior"].unique().tolist()
    ['as fitted', 'slope × 2']
    >>> len(found.failures())
    0
    """

    fit: Fit
    sets: tuple[PriorSet, ...]
    estimates: pd.DataFrame
    scaling: pd.DataFrame
    failed: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """Return every quantity under every prior, those of the fit itself first.

        Returns
        -------
        DataFrame
            Columns prior, quantity, mediator (empty where there is none), mean, sd, q2.5, q50,
            q97.5 (in the unit of the quantity), p_positive; shift (of the mean, of the median for
            ratios, in the fit's posterior sds) and width_ratio (of the 95 % intervals); whether
            the median changed its sign (sign_changed), the 95 % interval began or ceased to
            exclude 0 (interval_changed) and the estimate moved by more than half an sd (moved);
            mc_error (Monte Carlo standard error of the mean; 0 where it was integrated), engine,
            converged, and for nuts divergences, r_hat, ess_bulk, ess_tail, each the worst.
        """
        return self.estimates.copy()

    def changes(self) -> pd.DataFrame:
        """Return the conclusions that changed: a row for each, and the priors they change under.

        Conclusions are about slopes and about effects averaged over the sites.

        Returns
        -------
        DataFrame
            Columns prior, quantity, mediator, conclusion (``sign``, ``interval`` or ``moved``),
            before, after (in words), clear (False where Monte Carlo error could explain it) and
            converged.
        """
        return changes(self.estimates, FITTED)

    def power_scaling(self) -> pd.DataFrame:
        """Return how quantities answer to power-scaling, as `power_scaling` does."""
        return self.scaling.copy()

    def failures(self) -> pd.DataFrame:
        """Return the priors whose refit failed: columns prior and error."""
        return self.failed.copy()

    def priors(self) -> pd.DataFrame:
        """Return what was tried: columns prior, parameter, distribution (in words), factor."""
        import pandas as pd

        rows: list[tuple[str, str, str, float]] = [
            (FITTED, name, str(prior), 1.0)
            for name, prior in self.fit.model.priors_for(self.fit.data).items()
        ]
        for one in self.sets:
            for name, prior in one.priors.items():
                every = one.factors.get(name.split("[", 1)[0], math.nan)
                rows.append((one.name, name, str(prior), one.factors.get(name, every)))
        return pd.DataFrame(rows, columns=["prior", "parameter", "distribution", "factor"])

    def _shown(self) -> Shown:
        from bayesmed.studies.display import shown_study

        table = self.table()
        title = f"PriorSensitivity({table['prior'].nunique() - 1} other priors)"
        return shown_study(
            title, table, ("prior", "quantity", "mediator", "q50", "q2.5", "q97.5", "converged")
        )


def prior_sensitivity(
    fit: Fit,
    *,
    alternatives: Mapping[str, Mapping[str, Prior]] | None = None,
    parameters: Sequence[str] = (),
    factors: Sequence[float] = FACTORS,
    together: bool = False,
    sampler: Sampler | None = None,
    seed: int | None = None,
    store: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> PriorSensitivity:
    """Ask which conclusion of a fit changes under which prior.

    Power-scaling answers from the fit's own draws what happens when a prior counts a little more
    or less. Refits answer what happens under other priors: those declared, and the fit's own made
    wider and narrower. Refits compile each model structure once in each worker.

    Parameters
    ----------
    fit
        The fit.
    alternatives
        Priors to try, by a name of your choice: a mapping from parameters to priors for each;
        parameters left out keep the fit's.
    parameters
        Whose priors to make wider and narrower; all where left out.
    factors
        How many times as wide; ``()`` for none. A prior keeps its middle, and one of positive
        values is stretched from 0.
    together
        Whether to try all combinations of factors, instead of one parameter at a time.
    sampler
        How to refit; that of the fit where left out, with at most 1,000 draws per chain, and from
        30 sites on at most 500, after as many tuning draws. The exact engine gives way to nuts
        where a prior cannot be integrated.
    seed
        Seed of the refits; that of the fit where left out.
    store, executor, workers, progress
        As of `run_study`.

    Returns
    -------
    PriorSensitivity
        ``.table()`` of all quantities under all priors, ``.changes()`` of conclusions,
        ``.power_scaling()``, ``.priors()`` and ``.failures()``.

    Raises
    ------
    ModelError, DataError
        If a parameter is unknown, a prior impossible for it, a name taken, or a factor not
        greater than 0.
    StorageError, StudyError
        As `run_study`.

    Notes
    -----
    Every number is given the data and the rest of the model: that no prior changes a conclusion
    does not say that the model is right.

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
    >>> fitted = fit(SiteSlope(), data, sampler=Sampler(engine="exact"), seed=1)
    >>> sceptical = {"sceptical": {"slope": Prior("Normal", mu=0, sigma=0.5)}}
    >>> with ThreadPoolExecutor(1) as own:  # leave the executor out to use processes
    ...     found = prior_sensitivity(fitted, alternatives=sceptical, factors=(), executor=own)
    >>> found.table().query("quantity == 'slope'")[["prior", "shift", "moved"]].round(1)
            prior  shift  moved
    0   as fitted    0.0  False
    14  sceptical   -2.6   True
    """
    if not isinstance(fit, Fit):
        raise ModelError(f"A {type(fit).__name__} is no fit.", "Give what `fit` returned.")
    shown = progress or Silent()
    seed = checked_seed(fit.seed if seed is None else seed)
    sets = prior_sets(
        fit.model,
        fit.data,
        alternatives=alternatives or {},
        parameters=parameters,
        factors=factors,
        together=together,
    )
    shown.phase("Power-scaling")
    scaling = power_scaling(fit)
    settings = sampler or refit_sampler(fit.sampler, fit.data.n_rows)
    tasks = [
        Refit(one.name, with_priors(fit.model, one.priors), fit.data, replace(settings, cores=1))
        for one in sets
    ]
    import pandas as pd

    frames = [pd.DataFrame(rows_of_fit(fit)).assign(prior=FITTED)]
    failed = pd.DataFrame({"prior": [], "error": []}, dtype=str)
    if tasks:
        study = run_study(
            tasks, store=store, seed=seed, executor=executor, workers=workers, progress=shown
        )
        frames.append(study.table().rename(columns={"task": "prior"}))
        failed = study.failures().rename(columns={"task": "prior"})
    estimates = compared(pd.concat(frames), FITTED)
    return PriorSensitivity(fit, tuple(sets), estimates, scaling, failed)
