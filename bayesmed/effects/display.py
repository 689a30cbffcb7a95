"""Effects and comparisons as they show themselves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bayesmed.core.display import Shown
from bayesmed.core.names import CHAIN, DRAW, SITE
from bayesmed.core.numbers import number, probability

if TYPE_CHECKING:
    from bayesmed.effects.comparison import Comparison
    from bayesmed.effects.effects import Effects
    from bayesmed.effects.trials.comparison import TrialComparison

__all__ = ["shown_comparison", "shown_effects", "shown_trial_comparison"]


def shown_effects(found: Effects) -> Shown:
    """Return effects that are not of single sites, with intervals."""
    table, sizes = found.table(), found.draws.sizes
    if SITE in table:
        table = table[table[SITE] == ""]
    rows = []
    for row in table.to_dict("records"):
        name, entry = str(row["effect"]), str(row.get("mediator") or row.get("entry") or "")
        label = found.labels.get(name, name)
        ratio = math.isnan(row["mean"])
        middle = f"{number(row['q50'] if ratio else row['mean'])}{' (median)' if ratio else ''}"
        rows.append(
            (
                f"{label}, {entry}" if entry else label,
                name,
                middle,
                _ends(row["q2.5"], row["q97.5"]),
                probability(row["p_positive"]),
            )
        )
    title = f"Effects({len(found.draws)} effects, {sizes[CHAIN]} x {sizes[DRAW]} draws)"
    return Shown(title, (), ("Effect", "Name", "Mean", "95 % interval", "P(> 0)"), tuple(rows))


def shown_comparison(found: Comparison) -> Shown:
    """Return every estimate of a slope with its interval."""
    rows = tuple(
        (
            f"{row['estimator']}, {row['mediator']}"
            if len(found.mediators) > 1
            else str(row["estimator"]),
            _shown(row["slope"]),
            _shown(row["slope_se"]),
            _ends(row["low"], row["high"]),
        )
        for row in found.table().to_dict("records")
    )
    title = f"Comparison({len(found.estimates)} estimators, outcome {found.outcome!r})"
    return Shown(title, (), ("Estimator", "Slope", "sd or SE", "95 % interval"), rows)


def shown_trial_comparison(found: TrialComparison) -> Shown:
    """Return every estimate of one trial with its interval."""
    rows = tuple(
        (
            f"{row.estimator}: {row.effect}{f', {row.entry}' if row.entry else ''}",
            _shown(row.estimate),
            _shown(row.se),
            _ends(row.low, row.high),
        )
        for row in found.rows
    )
    title = f"TrialComparison({len(found.rows)} estimates)"
    return Shown(title, (), ("Estimate", "Value", "sd or SE", "95 % interval"), rows)


def _shown(value: Any) -> str:
    return number(float(value)) if math.isfinite(value) else "–"


def _ends(low: float, high: float) -> str:
    if math.isnan(low) or math.isnan(high):
        return "–"
    return " to ".join(
        number(e) if math.isfinite(e) else "∞" if e > 0 else "−∞" for e in (low, high)
    )
