"""A fit as it shows itself: what was fitted, and its parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmed.core.display import Shown
from bayesmed.core.numbers import number
from bayesmed.inference.entries import Entry, entries

__all__ = ["shown_fit"]


def shown_fit(fit: Any) -> Shown:
    """Return the model, the data and every parameter of a fit."""
    rows = []
    for entry in entries(fit.tree["posterior"].to_dataset()):
        mean, sd, low, high = map(number, _summary(fit, entry))
        rows.append((entry.key, mean, sd, f"{low} to {high}"))
    lines = (f"Model: {fit.model!r}", f"Data: {fit.data!r}")
    return Shown(repr(fit), lines, ("Parameter", "Mean", "sd", "95 % interval"), tuple(rows))


def _summary(fit: Any, entry: Entry) -> tuple[float, float, float, float]:
    """Return mean, sd and the ends of the 95 % interval, exact where they were integrated."""
    if "quadrature" in fit.tree.children:
        exact = fit.tree["quadrature"].to_dataset().sel(parameter=entry.key)
        low, high = exact["quantile"].sel(probability=[0.025, 0.975]).values
        return float(exact["mean"]), float(exact["sd"]), float(low), float(high)
    draws = np.asarray(entry.values, dtype=float).ravel()
    low, high = np.quantile(draws, [0.025, 0.975])
    sd = float(draws.std(ddof=1)) if draws.size > 1 else 0.0
    return float(draws.mean()), sd, float(low), float(high)
