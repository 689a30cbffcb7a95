"""Classical estimates of one trial beside each other, and beside a posterior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bayesmed.core.display import Shown, displayed
from bayesmed.effects.comparison import POSTERIOR

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TrialComparison", "TrialRow", "posterior_rows"]


class TrialRow(NamedTuple):
    """An estimate of one effect.

    Attributes
    ----------
    estimator
        Its name; "Posterior" for the posterior.
    effect
        What is estimated, as `Effects.table` calls it.
    entry
        Which entry of it (arm ...); empty for a single number.
    estimate
        Estimate; the median of a posterior.
    se
        Standard error, or standard deviation of the posterior; NaN where there is none.
    low, high
        95 % interval; infinite where nothing is excluded, NaN where there is none.
    reason
        Why something is missing; empty otherwise.
    """

    estimator: str
    effect: str
    entry: str
    estimate: float
    se: float
    low: float
    high: float
    reason: str = ""


@displayed(one_line=True)
@dataclass(frozen=True, eq=False, repr=False)
class TrialComparison:
    """Classical estimates of one trial beside each other and, given a fit, beside its posterior.

    Attributes
    ----------
    rows
        The estimates, the posterior first.
    labels
        Each effect in words.
    instruments
        What is known of the instruments: quantity in words, and its value.
    notes
        What concerns all of them.

    Examples
    --------
    >>> import bayesmed as bm
    >>> cells = bm.TrialCells.from_arrays(
    ...     n=[[[30, 10], [20, 20]], [[30, 10], [10, 30]]],
    ...     events=[[[9, 5], [6, 10]], [[12, 6], [4, 21]]])
    >>> found = bm.compare(cells)
    >>> found.table().columns.tolist()[:3]
    ['estimator', 'effect', 'entry']
    """

    rows: tuple[TrialRow, ...]
    labels: dict[str, str]
    instruments: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return a tidy table of the estimates.

        Returns
        -------
        DataFrame
            Columns estimator, effect, entry, estimate (median of a posterior), se (sd of a
            posterior), low and high (95 % interval), reason (why something is missing).
        """
        import pandas as pd

        return pd.DataFrame(self.rows, columns=list(TrialRow._fields))

    def strength_table(self) -> pd.DataFrame:
        """Return what is known of the instruments: columns quantity and value."""
        import pandas as pd

        return pd.DataFrame(self.instruments, columns=["quantity", "value"])

    def _shown(self) -> Shown:
        from bayesmed.effects.display import shown_trial_comparison

        return shown_trial_comparison(self)


def posterior_rows(table: pd.DataFrame, effects: tuple[str, ...]) -> list[TrialRow]:
    """Take some effects from the table of a posterior."""
    wanted = table[table["effect"].isin(effects)]
    return [
        TrialRow(
            POSTERIOR,
            str(row["effect"]),
            str(row["entry"]),
            float(row["q50"]),
            float(row["sd"]) if np.isfinite(row["sd"]) else float("nan"),
            float(row["q2.5"]),
            float(row["q97.5"]),
        )
        for row in wanted.to_dict("records")
    ]
