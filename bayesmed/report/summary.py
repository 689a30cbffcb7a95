"""The short table under the answer."""

from __future__ import annotations

from bayesmed.core.numbers import number
from bayesmed.report.answer import Answer
from bayesmed.report.content import Table


def summary(answer: Answer) -> Table:
    """Put the rows of an answer into a table."""
    rows = tuple(
        (
            row.label,
            number(row.middle) + (" (median)" if row.is_median else ""),
            f"{number(row.low)} to {number(row.high)}",
        )
        for row in answer.rows
    )
    return Table("The answer in numbers", answer.columns, rows)
