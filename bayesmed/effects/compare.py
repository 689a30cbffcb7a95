"""The verb ``compare``: classical estimators beside each other and beside a posterior."""

from __future__ import annotations

from functools import partial
from typing import overload

import numpy as np
import pandas as pd

from bayesmed.classical import (
    ESTIMATORS,
    ClassicalEstimate,
    cochran_q,
    ols,
    simex,
    strength,
)
from bayesmed.core.errors import DataError, ModelError
from bayesmed.core.names import AVERAGE_SLOPE
from bayesmed.core.numbers import number
from bayesmed.core.seeds import checked_seed, child_seed
from bayesmed.data import OneTrial, SiteEstimates, TrialCells, TrialMoments, TrialPersons
from bayesmed.effects.comparison import Comparison, Reason
from bayesmed.effects.differences import differences
from bayesmed.effects.leave_one_out import TRIED, dominating_sites
from bayesmed.effects.lines import least_squares_coefficients
from bayesmed.effects.noise_differences import SIMEX
from bayesmed.effects.parameters import parameters
from bayesmed.effects.posterior_differences import excess_scatter, of_model, of_posterior
from bayesmed.effects.reference import Setting, of_fit, slope_name, stand_in
from bayesmed.effects.trials.compare import compare_trial
from bayesmed.effects.trials.comparison import TrialComparison
from bayesmed.inference import Fit, TrialFit, is_trial

MANY_SITES = 500
"""Beyond this, bootstraps are left out and SIMEX takes fewer replicates: both would take long."""
SITE_REPLICATES = 1_000_000
FEWEST_REPLICATES = 100
SHOWN_CORRELATION = 0.5
TRIED_ONLY = f"Whether one site dominates was tried for {', '.join(TRIED)} only."
POSTERIOR_COLUMNS = ("mediator", "mean", "sd", "q2.5", "q50", "q97.5")


@overload
def compare(
    what: SiteEstimates | Fit, *, intercept: bool | None = None, seed: int = 0
) -> Comparison: ...


@overload
def compare(
    what: OneTrial | TrialFit, *, intercept: None = None, seed: int = 0
) -> TrialComparison: ...


def compare(
    what: SiteEstimates | Fit | OneTrial | TrialFit,
    *,
    intercept: bool | None = None,
    seed: int = 0,
) -> Comparison | TrialComparison:
    """Put the classical estimators beside each other, and beside the posterior of a fit.

    Differences are measured from the posterior; without one, from BCES, or where it is not
    defined from the reliability-corrected slope with Paule and Mandel's variance. Each comes with
    its reason and a number computed from the data. Codes and numbers:

    ``agrees``
        Within a quarter of the reference's sd. Distance in its sds.
    ``attenuation``
        Sampling error in mediator effects is ignored. Reliability λ.
    ``weak_instruments``
        A line through the origin is pulled to the slope within sites and arms, since errors of
        both effects go together. Share of the way: 1/F for one mediator.
    ``extrapolation``
        SIMEX's parabola does not reach back to no noise. Share of the slope it reaches.
    ``ignored_covariance``
        Cov(γ̂, β̂) was given and is left out. What that adds to the slope.
    ``other_reliability``
        Noise is taken off with another estimate of λ. That λ.
    ``different_target``
        A line through the origin, or with an intercept, where the reference's is the other kind.
        What the mean direct effect (or a within-site covariance in the model) adds to the slope;
        the intercept.
    ``undefined_denominator``, ``not_defined``
        No answer. The estimated variance that is not positive (bias-corrected IV, k-class: F - 1);
        0 where something else is missing.
    ``weights``
        Weighted least squares counts sites unequally. How far that moves it from OLS.
    ``own_error``, ``unexplained``
        None of these, and within two of the estimate's own standard errors, or not. Distance in
        standard errors; distance.
    ``one_site_dominating``
        Leaving one site out moves the estimate by more than its standard error (least squares,
        BCES, pooled Wald and bias-corrected IV are tried). Shift in standard errors, or the
        variance left where there would be no answer.
    ``excess_scatter``
        Sites lie further from the line than their sampling errors allow. Q.
    ``compliance_correlation``
        The model of the fit lets slopes go with mediator effects. What that adds to the slope.
    ``least_scatter``
        LIML minimises scatter, of which there is more than persons' noise. κ less what it is by
        chance.
    ``random_slope``, ``correlation``, ``covariates``
        The model of the fit has slopes that differ between sites, direct effects related to
        mediator effects, or covariates. Sd, or shift, of what the estimator averages; shifts.
    ``prior``
        What the slope's prior does to the posterior: shift of its mean in sds under a prior four
        times as wide (by reweighting draws, or by integration where they are too few), or the
        prior's share of the precision where neither can be done.
    ``shape``
        A skewed posterior. Mean less median, in sds.

    Beyond 500 sites bootstraps are left out and SIMEX takes fewer replicates.

    Of one trial without sites the estimators of its kind are put beside each other: least squares,
    two-stage least squares and strength for covariates × treatment, the Wald ratio for persons
    alone, instrumental variables by arm for cells.

    Parameters
    ----------
    what
        Site estimates, the data of one trial, or a fit.
    intercept
        Whether lines have an intercept. By default they do if the model of the fit has direct
        effects; beside data alone they do.
    seed
        Seed of the estimators that simulate.

    Returns
    -------
    Comparison
        The estimates, the posterior's slope (``average_slope`` of a polynomial model) if there is
        one, the reasons, and strength and overidentification of the sites as instruments. Of one
        trial a `TrialComparison`.

    Raises
    ------
    ModelError
        If ``what`` is neither, or the seed is not valid.

    Examples
    --------
    >>> from bayesmed.data import MediatorColumns, SiteColumns, load_dataset
    >>> columns = SiteColumns(
    ...     (MediatorColumns("PD", "gamma_hat", se="gamma_se", cov="cov"),),
    ...     total_effect="tau_hat",
    ...     total_effect_se="tau_se",
    ... )
    >>> found = compare(SiteEstimates.from_frame(load_dataset("berkey1998"), columns))
    >>> found.table()[["estimator", "slope"]].round(2).head(2).values.tolist()
    [['OLS', 0.46], ['WLS', 1.74]]
    >>> found.reasons().query("estimator == 'Pooled Wald'")["code"].tolist()
    ['different_target', 'one_site_dominating', 'excess_scatter']
    """
    seed = checked_seed(seed)
    if isinstance(what, TrialCells | TrialMoments | TrialPersons):
        return compare_trial(None, what, None)
    fit: Fit | None = None
    if isinstance(what, SiteEstimates):
        data = what
    elif isinstance(what, Fit):
        if is_trial(what):
            return compare_trial(what.model, what.data, what)
        fit, data = what, what.data
    else:
        raise ModelError(
            f"A {type(what).__name__} cannot be compared.", "Give site estimates or a fit."
        )
    if intercept is None:
        intercept = fit is None or fit.model.direct_effect
    estimates, absent = _estimates(data, intercept, seed)
    by_name = {estimate.name: estimate for estimate in estimates}
    posterior = None if fit is None else _posterior(fit)
    if fit is None or posterior is None:
        reference = stand_in(data, by_name, intercept)
    else:
        reference = of_fit(fit, posterior, intercept)
    setting = Setting(data, intercept, by_name, reference)
    weighted = by_name["WLS"].defined
    more = partial(of_model, fit, setting) if fit is not None else _nothing
    found = [] if fit is None or posterior is None else [*of_posterior(fit, posterior)]
    found += differences(setting, more)
    found += dominating_sites(setting)
    found += excess_scatter(setting, scatter_modelled=fit is None or _allows_scatter(fit))
    return Comparison(
        mediators=data.mediators,
        outcome=data.outcome,
        estimates=estimates,
        posterior=posterior,
        reference=reference,
        differences=tuple(found),
        strength=strength(data, intercept=intercept),
        overidentification=cochran_q(data, by_name["WLS" if weighted else "OLS"]),
        notes=(*_about_posterior(fit), *_about_errors(data, intercept), *absent, TRIED_ONLY),
    )


def _allows_scatter(fit: Fit) -> bool:
    return fit.model.direct_effect or fit.model.slope == "random"


def _nothing(estimate: ClassicalEstimate, p: int) -> tuple[Reason, ...]:
    return ()


def _posterior(fit: Fit) -> pd.DataFrame:
    table = parameters(fit)
    table = table[table["name"] == slope_name(fit)]
    return table[list(POSTERIOR_COLUMNS)].reset_index(drop=True)


def _estimates(
    data: SiteEstimates, intercept: bool, seed: int
) -> tuple[tuple[ClassicalEstimate, ...], tuple[str, ...]]:
    """Return the estimates, as `all_estimates` makes them, and notes on what is missing."""
    found, missing, too_long = [], [], []
    for name, estimator in ESTIMATORS.items():
        if data.n_rows > MANY_SITES and "bootstrap" in name:
            too_long.append(name)
            continue
        own = child_seed(seed, name)
        try:
            if data.n_rows > MANY_SITES and name in SIMEX:
                found.append(_quick_simex(data, name, intercept, own))
            else:
                found.append(estimator(data, intercept, seed=own))
        except DataError:  # it exists for one mediator, or with an intercept, only
            missing.append(name)
    notes = []
    if missing:
        what = "several mediators" if data.n_mediators > 1 else "a line through the origin"
        notes.append(f"Left out, because they do not exist for {what}: {', '.join(missing)}.")
    if too_long:
        notes.append(f"Left out with {data.n_rows:,} sites: {', '.join(too_long)}.")
    return tuple(found), tuple(notes)


def _quick_simex(data: SiteEstimates, name: str, intercept: bool, seed: int) -> ClassicalEstimate:
    return simex(
        data,
        form="published" if name == SIMEX[1] else "bivariate",
        intercept=intercept,
        replicates=max(FEWEST_REPLICATES, SITE_REPLICATES // data.n_rows),
        seed=seed,
    )


def _about_posterior(fit: Fit | None) -> tuple[str, ...]:
    if fit is None or slope_name(fit) != AVERAGE_SLOPE:
        return ()
    return ("The slope of the posterior is the average, over sites, of slopes that differ.",)


def _about_errors(data: SiteEstimates, intercept: bool) -> tuple[str, ...]:
    """Say what is taken as given about sampling errors, and what it may do to least squares."""
    notes = []
    scale = data.mediator_se * data.total_effect_se[:, None]
    if not data.covariance_given and scale.any() and ols(data, intercept=intercept).defined:
        coefficients = least_squares_coefficients(data, np.ones(data.n_rows), intercept)
        moved = SHOWN_CORRELATION * np.einsum("pr,rp->p", coefficients, scale)
        numbers = ", ".join(number(float(m)) for m in moved)
        notes.append(
            "The covariance of each site's errors was not given and is taken as 0 by all; a "
            f"correlation of {SHOWN_CORRELATION:g} would add {numbers} to the OLS slope."
        )
    if not data.mediator_se.any():
        notes.append("Mediator effects are known without error here: noise explains no difference.")
    if data.n_blocks < data.n_rows:
        notes.append(
            f"Classical standard errors take the {data.n_rows} rows as independent; they share "
            f"{data.n_blocks} control groups."
        )
    return tuple(notes)
