"""The verb ``table``: results as tables to print or paste."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from bayesmed.checks import Ledger
from bayesmed.core.errors import ModelError, nearest
from bayesmed.effects import Comparison, TrialComparison, compare, effects
from bayesmed.inference import Fit, TrialFit, is_trial
from bayesmed.report import tables
from bayesmed.report.comparison import estimates
from bayesmed.report.content import Table
from bayesmed.report.findings import Findings, findings
from bayesmed.report.great import great_table
from bayesmed.report.ledger import assumptions
from bayesmed.report.trials.tables import effects_table, trial_estimates

if TYPE_CHECKING:
    from great_tables import GT

__all__ = ["table"]

type Maker = Callable[[Findings, Any], Table]

_BOTH: Mapping[str, Maker] = {
    "parameters": tables.parameters,
    "priors": lambda found, fit: tables.priors(fit),
    "assumptions": lambda found, fit: assumptions(found.ledger),
}
_OF_SITES: Mapping[str, Maker] = {
    "effects": tables.averages,
    "sites": tables.site_effects,
    "comparison": lambda found, fit: estimates(compare(fit)),
    **_BOTH,
}
_OF_TRIALS: Mapping[str, Maker] = {
    "effects": lambda found, fit: effects_table(found, effects(fit), fit.data.names),
    "comparison": lambda found, fit: trial_estimates(_compared(fit)),
    **_BOTH,
}


def _compared(fit: TrialFit) -> TrialComparison:
    return compare(fit)


def table(
    what: Fit | TrialFit | Comparison | TrialComparison | Ledger, which: str = "effects"
) -> GT:
    r"""Return a result as a table by great-tables, as reports have it.

    In a notebook it shows itself; ``as_latex()`` gives LaTeX with everything escaped,
    ``as_raw_html(inline_css=True)`` HTML to paste into a letter.

    Parameters
    ----------
    what
        A fit, what `compare` returned, or a `ledger`.
    which
        Of a fit: ``"effects"`` (averages), ``"sites"`` (effects by site), ``"parameters"``,
        ``"priors"``, ``"comparison"`` (beside the classical estimators), or ``"assumptions"``.

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
    >>> r"OLS & 2.25 &" in table(compare(data)).as_latex()
    True
    """
    if isinstance(what, Comparison):
        return great_table(estimates(what))
    if isinstance(what, TrialComparison):
        return great_table(trial_estimates(what))
    if isinstance(what, Ledger):
        return great_table(assumptions(what))
    if not isinstance(what, Fit):
        raise ModelError(
            f"There is no table of a {type(what).__name__}.",
            "Give a fit, or what compare or ledger returned.",
        )
    makers = _OF_TRIALS if is_trial(what) else _OF_SITES
    if which not in makers:
        raise ModelError(f"There is no table {which!r} of this fit.", nearest(which, makers))
    return great_table(makers[which](findings(what), what))
