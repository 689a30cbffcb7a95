"""A fit as it shows itself: what was fitted, and its parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmed.core.display import Shown
from bayesmed.core.numbers import number
from bayesmed.inference.entries import entries

__all__ = ["shown_fit"]


def shown_fit(fit: Any) -> Shown:
    """Return the model, the data and every parameter of a fit."""
    rows = []
    for entry in entries(fit.tree["posterior"].to_dataset()):
        draws = np.asarray(entry.values, dtype=float).ravel()
        low, high = np.quantile(draws, [0.025, 0.975])
        cells = (draws.mean(), draws.std(ddof=1) if draws.size > 1 else 0.0)
        interval = f"{number(float(low))} to {number(float(high))}"
        rows.append((entry.key, *(number(float(c)) for c in cells), interval))
    lines = (f"Model: {fit.model!r}", f"Data: {fit.data!r}")
    return Shown(repr(fit), lines, ("Parameter", "Mean", "sd", "95 % interval"), tuple(rows))
