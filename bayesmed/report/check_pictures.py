"""Checks as pictures, with the words around them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bayesmed.checks import CheckResult
from bayesmed.core.words import joined
from bayesmed.report.content import Picture
from bayesmed.report.figures import discrepancies

__all__ = ["check_pictures"]


def check_pictures(results: Sequence[CheckResult]) -> list[Picture]:
    """Return a picture of what checks compared with predictions; none where none did."""
    shown = discrepancies.drawable(results)
    if not shown:
        return []
    caption = (
        "What each check looks at, in the data (line) and in data sets predicted where its "
        "assumption holds (histogram). A line far out, solid, is doubtful; what each number is "
        "stands with the checks."
    )
    if any(r.code == "rank" for r in shown):
        caption += (
            " Of rank it is the other way round: in the data sets predicted, one combination of "
            "effects is missing, and the data should be far out."
        )
    doubtful = [r.code for r in shown if r.status == "doubtful"]
    alternative = f"Histograms of {len(shown)} checks with a line for the data; " + (
        f"far out: {joined(doubtful)}." if doubtful else "none is far out."
    )
    return [Picture("checks", caption, alternative, partial(discrepancies.discrepancies, results))]
