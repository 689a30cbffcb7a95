"""The answer in a sentence, and what has to be said before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayesmed.core.names import (
    ACME,
    AVERAGE,
    AVERAGE_SLOPE,
    DIRECT_EFFECT,
    RELIABILITY,
    SHARE_MEDIATED,
    SLOPE,
    TOTAL_EFFECT,
)
from bayesmed.core.words import joined
from bayesmed.effects.labels import direct, indirect, of_all
from bayesmed.inference import Fit, is_trial
from bayesmed.report.findings import Findings
from bayesmed.report.region import region_label, region_sentence
from bayesmed.report.rows import Row, with_interval
from bayesmed.report.trials.answer import trial_rows, trial_sentence
from bayesmed.report.words import all_indirect, sites, slope_label

if TYPE_CHECKING:
    import pandas as pd

AVERAGE_DIRECT = f"{AVERAGE}_{DIRECT_EFFECT}"
AVERAGE_SHARE = f"{AVERAGE}_{SHARE_MEDIATED}"
AVERAGE_TOTAL = f"{AVERAGE}_{TOTAL_EFFECT}"


@dataclass(frozen=True)
class Answer:
    """What every output says first.

    Parameters
    ----------
    first
        What comes before the answer: that these data cannot answer, that the computation failed.
    sentence
        The answer with its uncertainty.
    rows
        A short table of what it rests on.
    notes
        What to keep in mind: what is doubtful.
    columns
        Headings of the short table.
    region
        How much lies in the region of practical equivalence; empty where none was given.
    """

    first: tuple[str, ...]
    sentence: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    columns: tuple[str, str, str] = ("Quantity", "Posterior mean", "95 % interval")
    region: str = ""


def answer(found: Findings) -> Answer:
    """Put the result of a fit in words."""
    failed = [c for c in found.checks if c.status == "failed"]
    blocking = [c.reason for c in failed if not c.convergence]
    not_converged = [f"{c.title}: no. {c.reason}" for c in failed if c.convergence]
    rows: dict[str, Row]
    if is_trial(found.fit):
        rows = trial_rows(found)
        sentence = trial_sentence(found.fit, rows)
    else:
        rows = _rows(found, found.fit)
        sentence = _sentence(found.fit, rows)
    return Answer(
        first=(*blocking, *([_not_converged(not_converged)] if not_converged else [])),
        sentence=sentence,
        rows=tuple(rows.values()),
        notes=tuple(
            f"{c.title}: doubtful. {c.reason}" for c in found.checks if c.status == "doubtful"
        ),
        region=_region(found),
    )


def _region(found: Findings) -> str:
    if found.region is None:
        return ""
    return region_sentence(found.region, region_label(found))


def _not_converged(causes: Sequence[str]) -> str:
    return (
        "The computation did not converge, so the numbers below are not to be relied on. "
        + " ".join(causes)
    )


def _rows(found: Findings, fit: Fit) -> dict[str, Row]:
    """Rows of the short table by effect; by effect and mediator where there are several."""
    mediators = fit.data.mediators
    rows = {}
    for mediator in mediators:
        table, name = _slope_in(found, fit)
        table = table[(table.iloc[:, 0] == name) & (table["mediator"] == mediator)]
        rows[key(SLOPE, mediator, fit)] = _row(table, slope_label(fit, mediator))
    kind = direct(fit.model)
    wanted = {
        AVERAGE_TOTAL: f"Average total effect on {fit.data.outcome}",
        ACME: f"Average {indirect(fit.model)}, through",
        of_all(ACME): f"Average {indirect(fit.model)}, through all of them",
        AVERAGE_DIRECT: f"Average {kind}, by other ways",
        AVERAGE_SHARE: "Share of the total that runs through",
        of_all(AVERAGE_SHARE): "Share of the total that runs through all of them",
        RELIABILITY: "Reliability of the estimated effects on",
    }
    if all_indirect(fit):
        del wanted[of_all(ACME)]
    for name, label in wanted.items():
        # A model without direct effect has no direct effects and no shares of its own.
        for _, line in found.effects[found.effects["effect"] == name].iterrows():
            place = f"{label} {line['mediator']}" if line["mediator"] else label
            rows[key(name, line["mediator"], fit)] = _row(line.to_frame().T, place)
    return rows


def key(name: str, mediator: str, fit: Fit) -> str:
    """Name a row, by mediator where there are several and the row belongs to one."""
    return f"{name}[{mediator}]" if mediator and fit.data.n_mediators > 1 else name


def _slope_in(found: Findings, fit: Fit) -> tuple[pd.DataFrame, str]:
    """Return where the slope an answer is about stands: the average one, where slopes vary."""
    if fit.model.slope == "polynomial":
        return found.effects, AVERAGE_SLOPE
    return found.parameters, SLOPE


def _row(table: pd.DataFrame, label: str) -> Row:
    found = table.iloc[0]
    is_median = bool(found["mean"] != found["mean"])
    middle = float(found["q50"] if is_median else found["mean"])
    return Row(label, middle, float(found["q2.5"]), float(found["q97.5"]), is_median)


def _sentence(fit: Fit, rows: dict[str, Row]) -> str:
    outcome, mediators = fit.data.outcome, fit.data.mediators
    begin = (
        f"On average over the {sites(fit.data)}, the treatment changes {outcome} by "
        f"{with_interval(rows[AVERAGE_TOTAL])} ({fit.data.outcome_scale}; 95 % interval)"
    )
    each = [(m, with_interval(rows[key(ACME, m, fit)])) for m in mediators]
    named = f" (the {indirect(fit.model)})" if fit.model.interaction else ""
    parts = ", ".join(f"{found} through {m}" for m, found in each)
    if len(mediators) == 1:
        if fit.model.direct_effect:
            return f"{begin}; the part that runs through {each[0][0]}{named} is {each[0][1]}."
        often = "" if fit.model.slope == "constant" else "on average "
        slope = f"{often}{with_interval(rows[SLOPE])} per unit of it"
        return f"{begin}, all of it through {mediators[0]} by assumption, {slope}{_kappa(fit)}."
    if not fit.model.direct_effect:
        return (
            f"{begin}, all of it through {joined(mediators)} by assumption: {parts}{_kappa(fit)}."
        )
    share = rows[of_all(AVERAGE_SHARE)]
    return (
        f"{begin}; the part that runs through {joined(mediators)} together{named} is "
        f"{with_interval(rows[of_all(ACME)])}, a share of {with_interval(share)} of the total: "
        f"{parts}."
    )


def _kappa(fit: Fit) -> str:
    """Say what slopes times mediator effects leave out of total effects."""
    if fit.model.within_site_covariance == 0:
        return ""
    return (
        ", and κ, what mediator effects and slopes of persons add by going together within sites, "
        "which was assumed"
    )
