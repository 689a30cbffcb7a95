"""The answer about one trial in a sentence, with the short table it rests on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bayesmed.core.names import (
    ATE,
    CWATE,
    DIRECT_EFFECT,
    INDIRECT_EFFECT,
    MEDIATOR_EFFECT,
    NDE,
    NIE,
    SHARE_MEDIATED,
    SLOPE,
    TOTAL_EFFECT,
)
from bayesmed.effects.trials.principal_strata import NDE_IV, NIE_GAP, NIE_IV
from bayesmed.effects.trials.random_coefficients import (
    AVERAGE_TREATMENT_EFFECT,
    INTENTION_TO_TREAT,
    LATE,
    TOT,
)
from bayesmed.generative import CovariateIV, PrincipalStrata
from bayesmed.inference import TrialFit
from bayesmed.report.rows import Row, with_interval
from bayesmed.report.words import capital

if TYPE_CHECKING:
    import pandas as pd

    from bayesmed.report.findings import Findings

__all__ = ["trial_rows", "trial_sentence"]

SHOWN: tuple[str, ...] = (
    TOTAL_EFFECT,
    INDIRECT_EFFECT,
    DIRECT_EFFECT,
    SHARE_MEDIATED,
    SLOPE,
    ATE,
    NIE,
    NDE,
    NIE_IV,
    NDE_IV,
    NIE_GAP,
    AVERAGE_TREATMENT_EFFECT,
    LATE,
    CWATE,
    TOT,
    INTENTION_TO_TREAT,
    MEDIATOR_EFFECT,
)


def trial_rows(found: Findings) -> dict[str, Row]:
    """Rows of the short table by effect, ``effect[entry]`` where it has several."""
    rows: dict[str, Row] = {}
    for name in SHOWN:
        if name == CWATE and LATE in rows:
            continue  # of a binary mediator the two are one number
        table: pd.DataFrame = found.effects[found.effects["effect"] == name]
        for row in table.to_dict("records"):
            entry = str(row["entry"])
            ratio = math.isnan(row["mean"])
            label = capital(found.labels.get(name, name))
            rows[f"{name}[{entry}]" if entry else name] = Row(
                f"{label}, arm {entry}" if entry else label,
                float(row["q50"] if ratio else row["mean"]),
                float(row["q2.5"]),
                float(row["q97.5"]),
                is_median=ratio,
            )
    return rows


def trial_sentence(fit: TrialFit, rows: dict[str, Row]) -> str:
    """Return the answer in a sentence, with 95 % intervals."""
    model: Any = fit.model
    n = fit.data.names
    if isinstance(model, CovariateIV):
        return (
            f"On average {n.treatment} changes {n.outcome} by {with_interval(rows[TOTAL_EFFECT])} "
            f"(95 % interval): by {with_interval(rows[INDIRECT_EFFECT])} through {n.mediator}, and "
            f"by {with_interval(rows[DIRECT_EFFECT])} past it. A unit of {n.mediator} changes "
            f"{n.outcome} by {with_interval(rows[SLOPE])}."
        )
    if isinstance(model, PrincipalStrata):
        assert n.arms is not None
        control, treated = n.arms
        iv = NIE not in rows and f"{NIE}[{treated}]" not in rows
        nie, nde = (NIE_IV, NDE_IV) if iv else (NIE, NDE)
        named = " as instrumental variables have it" if iv else ""
        return (
            f"On average {n.treatment} changes {n.outcome} by {with_interval(rows[ATE])} (95 % "
            f"interval): a natural indirect effect through {n.mediator}{named} of "
            f"{with_interval(rows[f'{nie}[{treated}]'])} (in arm {treated}) and a natural direct "
            f"effect of {with_interval(rows[f'{nde}[{control}]'])} (with {n.mediator} as in arm "
            f"{control})."
        )
    if LATE in rows:
        return (
            f"On average {n.mediator} changes {n.outcome} by {with_interval(rows[LATE])} (95 % "
            f"interval) among those who have {n.mediator} because of {n.treatment}."
        )
    return (
        f"A unit of {n.mediator} changes {n.outcome} by "
        f"{with_interval(rows[AVERAGE_TREATMENT_EFFECT])} on average over persons, and by "
        f"{with_interval(rows[CWATE])} where {n.treatment} brings it about (95 % intervals)."
    )
