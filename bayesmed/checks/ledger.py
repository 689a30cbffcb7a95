"""The verb ``ledger``: every assumption of a fit, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bayesmed.checks.assumptions.crosswalk import CROSSWALK
from bayesmed.checks.assumptions.line import LedgerLine, Status
from bayesmed.checks.assumptions.record import Paper
from bayesmed.checks.assumptions.sites import of_sites
from bayesmed.checks.assumptions.trials import of_trials, papers_of_trial
from bayesmed.checks.check import check
from bayesmed.checks.result import CheckResult
from bayesmed.core.display import Shown, displayed
from bayesmed.inference import Fit, TrialFit, is_trial

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STATUSES", "Ledger", "ledger"]

STATUSES: Final[tuple[Status, ...]] = (
    "doubtful",
    "not testable",
    "checked",
    "relaxed",
    "by design",
)
"""From what matters most to what matters least."""
COLUMNS: Final = (
    "code",
    "assumption",
    "papers",
    "status",
    "number",
    "quantity",
    "reason",
    "consequence",
)
_OF_SITES: Final[tuple[Paper, ...]] = ("fu", "sites", "reardon")


@displayed(one_line=True)
@dataclass(frozen=True, repr=False)
class Ledger:
    """Every assumption of a fit.

    Attributes
    ----------
    lines
        One for each assumption, in the order of the crosswalk.
    papers
        The papers the model comes from: their numbers are in the table.

    Examples
    --------
    >>> import bayesmed as bm
    >>> card = bm.load_card(bm.find_card("berkey1998"))
    >>> exact = bm.Sampler(engine="exact")
    >>> fit = bm.fit(card.model, card.load_data(), sampler=exact, seed=1)
    >>> found = ledger(fit)
    >>> table = found.table().set_index("code")
    >>> table.loc["direct_effects_unrelated", "status"]
    'not testable'
    >>> len(found.by_importance()) == len(found.lines)
    True
    """

    lines: tuple[LedgerLine, ...]
    papers: tuple[Paper, ...]

    def by_importance(self) -> tuple[LedgerLine, ...]:
        """Return the lines from doubtful to by design; among equals those with a number first."""
        return tuple(sorted(self.lines, key=lambda x: (STATUSES.index(x.status), x.number is None)))

    def table(self) -> pd.DataFrame:
        """Return a tidy table.

        Returns
        -------
        DataFrame
            Columns code, assumption (the statement), papers (its numbers in the papers of the
            model), status, number and quantity (what the number is; empty where there is none),
            reason (of the status), consequence (of its failing).
        """
        import pandas as pd

        rows = [
            (
                line.assumption.code,
                line.assumption.statement,
                line.assumption.cited(self.papers),
                line.status,
                line.number,
                line.quantity,
                line.reason,
                line.consequence,
            )
            for line in self.lines
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"number": float})

    def _shown(self) -> Shown:
        rows = tuple(
            (line.assumption.statement, line.status, line.reason) for line in self.by_importance()
        )
        title = f"Ledger({len(self.lines)} assumptions)"
        return Shown(title, (), ("Assumption", "Status", "Because"), rows)


def ledger(fit: Fit | TrialFit, *, checks: Sequence[CheckResult] | None = None) -> Ledger:
    """List every assumption of a fit with its status and what follows if it fails.

    Parameters
    ----------
    fit
        The fit, as it is configured: what a choice of its model gives up is said to be relaxed.
    checks
        The results of `check(fit)`, if they are there already.

    Returns
    -------
    Ledger
        Statuses are ``"by design"``, ``"checked"`` (no sign against it in the data, which proves
        nothing), ``"doubtful"``, ``"not testable"`` and ``"relaxed"``. Numbers say how much of a
        failure would change what the 95 % interval of the slope says of 0, where draws tell that;
        nothing is fitted again.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmed.data import SiteEstimates
    >>> from bayesmed.generative import SiteSlope
    >>> from bayesmed.inference import Sampler, fit
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[0.2, 0.5, 0.9, 1.4], total_effect=[0.5, 1.1, 1.8, 3.1],
    ...     cov=np.tile(np.diag([0.01, 0.04]), (4, 1, 1)))
    >>> found = ledger(fit(SiteSlope(), data, sampler=Sampler(engine="exact"), seed=1))
    >>> table = found.table().set_index("code")
    >>> table.loc["direct_effects_unrelated", ["papers", "status"]].tolist()
    ['Fu assumption 1', 'not testable']
    """
    results = check(fit) if checks is None else checks
    if is_trial(fit):
        return Ledger(_ordered(of_trials(fit, results)), papers_of_trial(fit))
    return Ledger(_ordered(of_sites(fit, results)), _OF_SITES)


def _ordered(lines: Iterable[LedgerLine]) -> tuple[LedgerLine, ...]:
    order = list(CROSSWALK)
    return tuple(sorted(lines, key=lambda line: order.index(line.assumption.code)))
