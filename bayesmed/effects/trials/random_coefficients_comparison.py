"""The Wald ratio and least squares beside the posterior of correlated random coefficients."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bayesmed.classical import baron_kenny
from bayesmed.classical.trial_wald import trial_wald
from bayesmed.core.names import CWATE, SLOPE
from bayesmed.data import TrialMoments, TrialPersons
from bayesmed.effects.trials.comparison import TrialComparison, TrialRow, posterior_rows
from bayesmed.effects.trials.covariate_iv_comparison import rows_of
from bayesmed.effects.trials.random_coefficients import (
    AVERAGE_TREATMENT_EFFECT,
    INTENTION_TO_TREAT,
    LATE,
    TOT,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compare_random_coefficients"]

SHOWN = (AVERAGE_TREATMENT_EFFECT, CWATE, LATE, TOT, INTENTION_TO_TREAT)
LEAST_SQUARES = "Least squares"
TARGETS = (
    "The Wald ratio tends to the compliance-weighted effect where treatment works through the "
    "mediator only, not to the average effect; least squares to neither where the mediator is "
    "confounded."
)


def compare_random_coefficients(
    data: TrialPersons | TrialMoments, table: pd.DataFrame | None, labels: dict[str, str]
) -> TrialComparison:
    """Put the Wald ratio, least squares and the posterior beside each other.

    Parameters
    ----------
    data
        The trial.
    table, labels
        Those of `effects`; None and empty beside data alone.
    """
    rows: list[TrialRow] = []
    if table is not None:
        rows += posterior_rows(table, SHOWN)
    if isinstance(data, TrialPersons):
        rows += [row._replace(effect=CWATE) for row in rows_of(trial_wald(data))]
    if data.names.arms is not None:
        # Slope on the mediator with treatment held: it means the average effect, if anything.
        rows += [
            row._replace(effect=AVERAGE_TREATMENT_EFFECT)
            for row in rows_of(replace(baron_kenny(data), name=LEAST_SQUARES))
            if row.effect == SLOPE
        ]
    n = data.names
    words = {
        CWATE: f"effect of {n.mediator} on {n.outcome}, persons weighted by compliance",
        AVERAGE_TREATMENT_EFFECT: f"average effect of {n.mediator} on {n.outcome}",
        **labels,
    }
    return TrialComparison(tuple(rows), words, notes=(TARGETS,))
