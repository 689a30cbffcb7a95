"""The verb ``check``."""

from __future__ import annotations

from collections.abc import Iterable

from bayesmed.checks.agreement import overidentification, pooled_wald_agrees
from bayesmed.checks.convergence import convergence
from bayesmed.checks.data import (
    notes,
    sampling_covariance,
    slope_modes,
    spread_of_mediator_effects,
)
from bayesmed.checks.direct_effects import no_direct_effects
from bayesmed.checks.result import CheckResult, Checks
from bayesmed.checks.scatter import scatter_of_sites
from bayesmed.checks.strength import strength_of_sites
from bayesmed.checks.trials import trial_checks
from bayesmed.inference import Fit, TrialFit, is_trial


def check(fit: Fit | TrialFit) -> list[CheckResult]:
    """Check a fit: what the data can say, what was taken on trust, and the computation.

    Parameters
    ----------
    fit
        The fit, of sites or of one trial.

    Returns
    -------
    list of CheckResult
        It prints, and shows itself in a notebook, as a table.
        Codes ``reliability``, ``sampling_covariance``, ``slope_modes`` (for each of several
        mediators ``reliability[LDL]``, ``conditional_f[LDL]`` and ``slope_modes[LDL]``, and for
        all ``rank``); without direct effects ``overidentification`` and, for one mediator,
        ``first_stage_f`` and ``pooled_wald``; ``no_direct_effects``; of each mediator
        ``curvature``, ``fan`` and ``precision``, and ``normal_effects``; one ``data_note_<i>``
        for each note on the data;
        of one trial ``instrument_strength`` and, of covariates, ``overidentification``; or
        ``compliance`` and ``normal_coefficients``; and, with cells, ``instrument_balance``,
        ``monotone_in_instrument``, ``monotone_in_treatment`` and ``exclusion``;
        then the convergence codes (``divergences``, ``r_hat``, ``ess_bulk``, ``ess_tail``,
        ``e_bfmi``, or ``quadrature``).

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmed.data import SiteEstimates
    >>> from bayesmed.generative import SiteSlope
    >>> from bayesmed.inference import Sampler, fit
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[0.2, 0.5, 0.9, 1.4], total_effect=[0.5, 1.1, 1.8, 3.1],
    ...     cov=np.tile(np.diag([0.01, 0.04]), (4, 1, 1)))
    >>> results = check(fit(SiteSlope(), data, sampler=Sampler(engine="exact"), seed=1))
    >>> [r.status for r in results if r.convergence]
    ['passed']
    """
    if is_trial(fit):
        return Checks([*trial_checks(fit), *notes(fit), *convergence(fit)])
    found = [
        *spread_of_mediator_effects(fit),
        *strength_of_sites(fit),
        *overidentification(fit),
        *pooled_wald_agrees(fit),
        *no_direct_effects(fit),
        *scatter_of_sites(fit),
        sampling_covariance(fit),
        *slope_modes(fit),
        *notes(fit),
        *convergence(fit),
    ]
    return Checks(found)


def converged(results: Iterable[CheckResult]) -> bool:
    """Whether no check of the computation failed."""
    return not any(r.convergence and r.status == "failed" for r in results)
