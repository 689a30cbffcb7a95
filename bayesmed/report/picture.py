"""The verb ``picture``: what reports draw, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from bayesmed.checks import check
from bayesmed.core.errors import ModelError
from bayesmed.effects import Comparison, TrialComparison, compare, effects
from bayesmed.inference import Fit, TrialFit, is_trial
from bayesmed.report import figures
from bayesmed.report.contents import SHOWN, Studied, chosen, content_of_study
from bayesmed.report.figures.comparison import comparison
from bayesmed.report.figures.discrepancies import discrepancies, drawable
from bayesmed.report.figures.trials import trial_comparison, trial_predictive
from bayesmed.report.trials.pictures import effects_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["picture"]

type Drawn = Callable[[Any], Figure]


def _checks(fit: Fit | TrialFit) -> Figure:
    shown = drawable(check(fit))
    if not shown:
        raise ModelError("No check of this fit has anything to draw.", "Read them: check(fit).")
    return discrepancies(shown)


def _trial_estimators(fit: TrialFit) -> Figure:
    return trial_comparison(compare(fit))


_BOTH: Mapping[str, Drawn] = {
    "checks": _checks,
    "priors": figures.prior_posterior,
    "ranks": figures.ranks,
}
_OF_SITES: Mapping[str, Drawn] = {
    "scatter": figures.site_scatter,
    "forest": figures.forest,
    "fan": figures.fan,
    "estimators": lambda fit: comparison(compare(fit)),
    "predicted": figures.predictive_tables,
    "refitted": figures.predictive_sites,
    **_BOTH,
}
_OF_TRIALS: Mapping[str, Drawn] = {
    "effects": lambda fit: effects_picture(effects(fit), fit.data.names).draw(),
    "estimators": _trial_estimators,
    "predicted": trial_predictive,
    **_BOTH,
}


def _of_fit(fit: Fit | TrialFit) -> Mapping[str, Drawn]:
    """Return the pictures that its report has, too."""
    found = dict(_OF_TRIALS if is_trial(fit) else _OF_SITES)
    if not is_trial(fit) and fit.model.slope != "random":
        del found["fan"]  # slopes are the same
    if "quadrature" in fit.tree.children:
        del found["ranks"]  # there are no chains
    return found


def picture(
    what: Fit | TrialFit | Comparison | TrialComparison | Studied, which: str = ""
) -> Figure:
    """Return a picture of a result, as reports have it.

    In a notebook it shows itself; ``savefig("name.png")`` or ``.svg`` or ``.pdf`` writes it.

    Parameters
    ----------
    what
        A fit, what `compare` returned, sites that `find_sites` found, or what a study returned.
    which
        Which one; the first of its report where none is named. Of a fit of sites:
        ``"scatter"`` (total effects over mediator effects), ``"forest"`` (effects through the
        mediator; at most 60 sites, evenly chosen), ``"fan"`` (slopes that differ),
        ``"estimators"`` (beside the classical ones), ``"predicted"`` and ``"refitted"`` (data
        beside predictions of tables and of sites), ``"checks"``, ``"priors"`` (and posteriors),
        ``"ranks"`` (of chains). Of one trial: ``"effects"``, ``"estimators"``, ``"predicted"``,
        ``"checks"``, ``"priors"``, ``"ranks"``. Of studies: ``"priors-slope"`` and others,
        ``"scaling"``; ``"over-slope"`` or ``"map-slope"`` and others, ``"versions-slope"``;
        ``"splits-slope"``; ``"performance"``, ``"estimates"``; ``"ranks"``. Of sites found:
        ``"tree"``.

    Returns
    -------
    matplotlib.figure.Figure
        On white. Not known to pyplot, so nothing is drawn twice.

    Raises
    ------
    ModelError
        If there is no such picture.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmed.data import SiteEstimates
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2, 3, 4], total_effect=[2.0, 4.5, 6.0, 9.0],
    ...     cov=[0.25 * np.eye(2)] * 4)
    >>> picture(compare(data)).axes[0].get_xlabel()
    'Slope: outcome per unit of mediator'
    """
    figure = _drawn(what, which)
    # Pages shine through the pictures of reports; one alone must be read on any ground.
    figure.set_facecolor("white")
    return figure


def _drawn(what: Fit | TrialFit | Comparison | TrialComparison | Studied, which: str) -> Figure:
    makers: Mapping[str, Drawn]
    if isinstance(what, Comparison):
        makers = {"estimators": comparison}
    elif isinstance(what, TrialComparison):
        makers = {"estimators": trial_comparison}
    elif isinstance(what, Fit):
        makers = _of_fit(what)
    else:
        named = {one.slug: one for one in content_of_study(what, accepted=SHOWN).pictures}
        return chosen(named, which, "picture", what).draw()
    return chosen(makers, which, "picture", what)(what)
