"""The answer in a sentence, and what has to be said before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayesmed.core.names import (
    ACME,
    AVERAGE,
    DIRECT_EFFECT,
    RELIABILITY,
    SHARE_MEDIATED,
    SLOPE,
    TOTAL_EFFECT,
)
from bayesmed.inference import Fit
from bayesmed.report.findings import Findings

if TYPE_CHECKING:
    import pandas as pd

AVERAGE_DIRECT = f"{AVERAGE}_{DIRECT_EFFECT}"
AVERAGE_SHARE = f"{AVERAGE}_{SHARE_MEDIATED}"
AVERAGE_TOTAL = f"{AVERAGE}_{TOTAL_EFFECT}"


@dataclass(frozen=True)
class Row:
    """One line of the short table: the middle of a posterior and its 95 % interval.

    Parameters
    ----------
    label
        What it is, in words.
    middle
        The mean; the median where ``is_median``.
    low, high
        Ends of the central 95 % interval.
    is_median
        True for ratios, whose mean says nothing.
    """

    label: str
    middle: float
    low: float
    high: float
    is_median: bool = False


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
    """

    first: tuple[str, ...]
    sentence: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def answer(found: Findings) -> Answer:
    """Put the result of a fit in words."""
    failed = [c for c in found.checks if c.status == "failed"]
    blocking = [c.reason for c in failed if not c.convergence]
    not_converged = [f"{c.title}: no. {c.reason}" for c in failed if c.convergence]
    rows = _rows(found)
    return Answer(
        first=(*blocking, *([_not_converged(not_converged)] if not_converged else [])),
        sentence=_sentence(found.fit, rows),
        rows=tuple(rows.values()),
        notes=tuple(
            f"{c.title}: doubtful. {c.reason}" for c in found.checks if c.status == "doubtful"
        ),
    )


def _not_converged(causes: Sequence[str]) -> str:
    return (
        "The computation did not converge, so the numbers below are not to be relied on. "
        + " ".join(causes)
    )


def _rows(found: Findings) -> dict[str, Row]:
    outcome, mediator = found.fit.data.outcome, found.fit.data.mediators[0]
    labels = {
        AVERAGE_TOTAL: f"Average total effect on {outcome}",
        ACME: f"Average indirect effect, through {mediator}",
        AVERAGE_DIRECT: "Average direct effect, by other ways",
        AVERAGE_SHARE: f"Share of the total that runs through {mediator}",
        RELIABILITY: f"Reliability of the estimated effects on {mediator}",
    }
    rows = {
        SLOPE: _row(found.parameters, "name", SLOPE, f"Slope: {outcome} per unit of {mediator}")
    }
    known = set(found.effects["effect"])
    for name, label in labels.items():
        # A model without direct effect has no direct effects and no shares.
        if name in known:
            rows[name] = _row(found.effects, "effect", name, label)
    return rows


def _row(table: pd.DataFrame, column: str, name: str, label: str) -> Row:
    found = table[table[column] == name].iloc[0]
    is_median = bool(found["mean"] != found["mean"])
    middle = float(found["q50"] if is_median else found["mean"])
    return Row(label, middle, float(found["q2.5"]), float(found["q97.5"]), is_median)


def _sentence(fit: Fit, rows: dict[str, Row]) -> str:
    total, indirect = rows[AVERAGE_TOTAL], rows[ACME]
    outcome, mediator = fit.data.outcome, fit.data.mediators[0]
    begin = (
        f"On average over the {fit.data.n_rows} sites, the treatment changes {outcome} by "
        f"{_with_interval(total)} ({fit.data.outcome_scale}; 95 % interval)"
    )
    if not fit.model.direct_effect:
        slope = _with_interval(rows[SLOPE])
        return f"{begin}, all of it through {mediator} by assumption, {slope} per unit of it."
    return f"{begin}; the part that runs through {mediator} is {_with_interval(indirect)}."


def _with_interval(row: Row) -> str:
    return f"{number(row.middle)} [{number(row.low)}, {number(row.high)}]"


def number(value: float) -> str:
    """Write a number with three significant digits, without an exponent where it stays short.

    Examples
    --------
    >>> number(-0.012345), number(123456.0), number(2.0), number(1e-9)
    ('-0.0123', '123000', '2', '1e-09')
    """
    rounded = float(f"{value:.3g}")
    if rounded == 0 or 1e-4 <= abs(rounded) < 1e7:
        return f"{rounded:.7f}".rstrip("0").rstrip(".")
    return f"{rounded:.3g}"
