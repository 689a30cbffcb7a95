"""The verb ``picture``: what reports draw, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from bayesmed.checks import check
from bayesmed.core.errors import ModelError
from bayesmed.effects import Comparison, TrialComparison, compare, effects
from bayesmed.inference import Fit, TrialFit, is_trial
from bayesmed.report import figures
from bayesmed.report.contents import Studied, chosen, content_of_study
from bayesmed.report.figures.comparison import comparison
from bayesmed.report.figures.discrepancies import discrepancies, drawable
from bayesmed.report.figures.trials import trial_comparison, trial_predictive
from bayesmed.report.trials.pictures import effects_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["picture"]

type Drawn = Callable[[Any], Figure]


def _fan(fit: Fit) -> Figure:
    if fit.model.slope != "random":
        raise ModelError(
            "Sites of this model do not fan out: their slopes are the same.", 'Draw "scatter".'
        )
    return figures.fan(fit)


def _checks(fit: Fit | TrialFit) -> Figure:
    shown = drawable(check(fit))
    if not shown:
        raise ModelError("No check of this fit has anything to draw.", "Read them: check(fit).")
    return discrepancies(shown)


def _ranks(fit: Fit | TrialFit) -> Figure:
    if "quadrature" in fit.tree.children:
        raise ModelError(
            "This posterior was integrated: there are no chains to compare.", 'Draw "priors".'
        )
    return figures.ranks(fit)


def _trial_estimators(fit: TrialFit) -> Figure:
    return trial_comparison(compare(fit))


_BOTH: Mapping[str, Drawn] = {"checks": _checks, "priors": figures.prior_posterior, "ranks": _ranks}
_OF_SITES: Mapping[str, Drawn] = {
    "scatter": figures.site_scatter,
    "forest": figures.forest,
    "fan": _fan,
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
        mediator by site), ``"fan"`` (slopes that differ), ``"estimators"`` (beside the classical
        ones), ``"predicted"`` and ``"refitted"`` (data beside predictions of tables and of sites),
        ``"checks"``, ``"priors"`` (and posteriors), ``"ranks"`` (of chains). Of one trial:
        ``"effects"``, ``"estimators"``, ``"predicted"``, ``"checks"``, ``"priors"``, ``"ranks"``.
        Of a study: the names an error lists.

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
        makers = _OF_TRIALS if is_trial(what) else _OF_SITES
    else:
        named = {one.slug: one for one in content_of_study(what).pictures}
        return chosen(named, which, "picture", what).draw()
    return chosen(makers, which, "picture", what)(what)
