"""A fit as it shows itself: what was fitted, and its parameters."""

from __future__ import annotations

from typing import Any

from bayesmed.core.display import Shown
from bayesmed.core.numbers import number
from bayesmed.inference.entries import entries, summarised

__all__ = ["shown_fit"]

ENDS = (0.025, 0.975)


def shown_fit(fit: Any) -> Shown:
    """Return the model, the data and every parameter of a fit."""
    rows = []
    for entry in entries(fit.tree["posterior"].to_dataset()):
        mean, sd, (low, high) = summarised(fit.tree, entry, ENDS)
        rows.append((entry.key, number(mean), number(sd), f"{number(low)} to {number(high)}"))
    lines = (f"Model: {fit.model!r}", f"Data: {fit.data!r}")
    return Shown(repr(fit), lines, ("Parameter", "Mean", "sd", "95 % interval"), tuple(rows))
