"""The verbs ``table`` and ``latex``: results as tables to show, paste or print."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from bayesmed.checks import Ledger, ledger
from bayesmed.core.errors import ModelError
from bayesmed.effects import Comparison, TrialComparison, compare, effects
from bayesmed.inference import Fit, TrialFit, is_trial
from bayesmed.report import tables
from bayesmed.report.comparison import estimates
from bayesmed.report.content import Table
from bayesmed.report.contents import SHOWN, Studied, chosen, content_of_study
from bayesmed.report.findings import findings
from bayesmed.report.great import great_table
from bayesmed.report.latex import to_latex
from bayesmed.report.ledger import assumptions
from bayesmed.report.moves import scaling
from bayesmed.report.trials.tables import effects_table, trial_estimates

if TYPE_CHECKING:
    from great_tables import GT

__all__ = ["latex", "table"]

type Maker = Callable[[Any], Table]


def _scaling(fit: Fit | TrialFit) -> Table:
    found = scaling(fit)
    if found is None:
        raise ModelError("These draws do not tell how priors count.", "Keep more of them.")
    return found


def _trial_comparison(fit: TrialFit) -> Table:
    return trial_estimates(compare(fit))


_BOTH: Mapping[str, Maker] = {
    "parameters": lambda fit: tables.parameters(findings(fit), fit),
    "priors": tables.priors,
    "assumptions": lambda fit: assumptions(ledger(fit)),
    "scaling": _scaling,
}
_OF_SITES: Mapping[str, Maker] = {
    "effects": lambda fit: tables.averages(findings(fit), fit),
    "sites": lambda fit: tables.site_effects(findings(fit), fit),
    "estimators": lambda fit: estimates(compare(fit)),
    **_BOTH,
}
_OF_TRIALS: Mapping[str, Maker] = {
    "effects": lambda fit: effects_table(findings(fit), effects(fit), fit.data.names),
    "estimators": _trial_comparison,
    **_BOTH,
}


def table(
    what: Fit | TrialFit | Comparison | TrialComparison | Ledger | Studied, which: str = ""
) -> GT:
    """Return a result as a table by great-tables, as reports have it.

    In a notebook it shows itself; ``as_raw_html(inline_css=True)`` gives HTML to paste into a
    letter. For print take `latex`.

    Parameters
    ----------
    what
        A fit, what `compare` returned, a `ledger`, sites that `find_sites` found, or what a study
        returned.
    which
        Which one; the first where none is named. Of a fit: ``"effects"`` (averages), ``"sites"``
        (effects by site), ``"parameters"``, ``"priors"``, ``"estimators"`` (beside the classical
        estimators), ``"assumptions"``, or ``"scaling"`` (if priors counted more). Of
        studies: ``"changes"``, ``"priors-slope"`` and others, ``"scaling"``, ``"tried"``;
        ``"tipping"``, ``"values"``, ``"versions"``; ``"columns"``, ``"values"``;
        ``"performance"``; ``"ranks"``. Of sites found: ``"sites"``, ``"splits"``.

    Raises
    ------
    ModelError
        If there is no such table.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmed.data import SiteEstimates
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2, 3, 4], total_effect=[2.0, 4.5, 6.0, 9.0],
    ...     cov=[0.25 * np.eye(2)] * 4)
    >>> "OLS" in table(compare(data)).as_raw_html()
    True
    """
    return great_table(_table(what, which))


def latex(
    what: Fit | TrialFit | Comparison | TrialComparison | Ledger | Studied, which: str = ""
) -> str:
    r"""Return a table as LaTeX that fits a line of print, for array, booktabs, caption, longtable.

    What does not fit a line of 16 cm is set in smaller print, then over several lines; Greek
    letters are mathematics, everything else is escaped.

    Parameters
    ----------
    what, which
        As of `table`.

    Raises
    ------
    ModelError
        If there is no such table.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmed.data import SiteEstimates
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2, 3, 4], total_effect=[2.0, 4.5, 6.0, 9.0],
    ...     cov=[0.25 * np.eye(2)] * 4)
    >>> r"OLS & 2.25 &" in latex(compare(data))
    True
    """
    return to_latex(_table(what, which))


def _table(
    what: Fit | TrialFit | Comparison | TrialComparison | Ledger | Studied, which: str
) -> Table:
    makers: Mapping[str, Maker]
    if isinstance(what, Comparison):
        makers = {"estimators": estimates}
    elif isinstance(what, TrialComparison):
        makers = {"estimators": trial_estimates}
    elif isinstance(what, Ledger):
        makers = {"assumptions": assumptions}
    elif isinstance(what, Fit):
        makers = _OF_TRIALS if is_trial(what) else _OF_SITES
    else:
        named = {one.slug: one for one in content_of_study(what, accepted=SHOWN).tables if one.slug}
        return chosen(named, which, "table", what)
    return chosen(makers, which, "table", what)(what)
