"""The result of a simulated study in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bayesmed.core.numbers import number
from bayesmed.report.answer import Answer
from bayesmed.report.figures.simulation import said
from bayesmed.report.figures.simulation_estimates import design_title
from bayesmed.report.rows import Row
from bayesmed.studies.simulation import Simulation
from bayesmed.studies.simulation.design import label

if TYPE_CHECKING:
    import pandas as pd

MOST_ANSWERS = 12
WANTED_POWER = 0.8
OFTEN = 0.1


def simulation_answer(found: Simulation) -> Answer:
    """Say how the last estimator did, which is the posterior where there is one."""
    rows = records(found.table())
    main = [row for row in rows if row["estimator"] == found.estimators[-1]]
    return Answer(
        first=_failures(found),
        sentence=_sentence(found, main),
        rows=tuple(_answer_row(found, row) for row in main[:MOST_ANSWERS]),
        notes=_notes(found, rows, main),
        columns=("Quantity", "Share of data sets", "± 2 Monte Carlo errors"),
    )


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table by column."""
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def span(values: Sequence[float]) -> str:
    """Write the smallest and the largest of some numbers.

    Examples
    --------
    >>> span([0.5, 0.25]), span([1.0, 1.0])
    ('0.25 to 0.5', '1')
    """
    low, high = number(min(values)), number(max(values))
    return low if low == high else f"{low} to {high}"


def _answer_row(found: Simulation, row: dict[str, Any]) -> Row:
    what = "Size" if row["truth"] == 0 else "Power"
    if len(found.designs) > 1:
        design = next(d for d in found.designs if label(d) == row["design"])
        what = f"{what}: {design_title(found, design)}"
    value, error = float(row["rejects"]), 2 * float(row["rejects_error"])
    return Row(what, value, max(value - error, 0.0), min(value + error, 1.0))


def _failures(found: Simulation) -> tuple[str, ...]:
    if found.failed.empty:
        return ()
    first = found.failed["error"].iloc[0]
    text = f"{len(found.failed)} tasks failed and are missing from every number; the first: {first}"
    return (text,)


def _sentence(found: Simulation, main: Sequence[dict[str, Any]]) -> str:
    """Say what size, power and coverage are; for a plan, how much is enough."""
    effect = [row for row in main if row["truth"] != 0]
    null = [row["rejects"] for row in main if row["truth"] == 0]
    parts = []
    if null:
        parts.append(f"excludes a slope of 0 that is true in {span(null)} of the data sets")
    if effect:
        power = span([row["rejects"] for row in effect])
        parts.append(f"excludes 0 where there is a slope in {power}")
    covers = [row["covers"] for row in main if row["covers"] == row["covers"]]
    parts.append(f"covers the truth in {span(covers)}" if covers else "never exists")
    text = f"The 95 % interval of the {found.estimators[-1].lower()} {', '.join(parts)}."
    return f"{text} {_enough(found, effect)}" if "sites" in found.varying and effect else text


def _enough(found: Simulation, effect: Sequence[dict[str, Any]]) -> str:
    """Name the smallest design with the wanted power."""
    reached = [row for row in effect if row["rejects"] >= WANTED_POWER]
    if not reached:
        best = max(effect, key=lambda row: row["rejects"])
        return (
            f"No design reaches a power of {WANTED_POWER:g}; the best is "
            f"{said(found.varying, best)}, with {number(float(best['rejects']))}."
        )
    least = min(reached, key=lambda row: row["sites"] * row.get("persons", 1))
    return f"The smallest design with a power of {WANTED_POWER:g}: {said(found.varying, least)}."


def _notes(
    found: Simulation, rows: Sequence[dict[str, Any]], main: Sequence[dict[str, Any]]
) -> tuple[str, ...]:
    notes = []
    for name in found.estimators:
        part = [row for row in rows if row["estimator"] == name]
        total = sum(row["replicates"] for row in part) or 1
        missing = sum(row["undefined"] + row["without_interval"] for row in part) / total
        diverging = sum(row["fits_with_divergences"] for row in part) / total
        if missing > OFTEN:
            notes.append(f"{name} has no interval in {missing:.0%} of data sets.")
        if diverging > OFTEN:
            notes.append(f"{name}: {diverging:.0%} of the fits had divergent transitions.")
    wrong = max((row["type_s"] for row in main if row["type_s"] > 0.05), default=0.0)
    if wrong:
        notes.append(
            "Where power is low, an interval that excludes 0 may lie on its wrong side: up to "
            f"{number(wrong)} of them do."
        )
    return tuple(notes)
