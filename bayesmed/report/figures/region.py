"""The posterior of an effect on a region of practical equivalence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmed.core.numbers import probability
from bayesmed.effects import PracticalEquivalence
from bayesmed.report.figures import style
from bayesmed.report.figures.prior_posterior import density
from bayesmed.report.words import capital

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["region"]

POINTS = 300
TAILS = (0.002, 0.998)


def region(share: PracticalEquivalence, label: str) -> Figure:
    """Draw the density of an effect, filled where it lies in the region, and three numbers."""
    low, high = share.rope.low, share.rope.high
    ends = np.quantile(share.draws, TAILS)
    left, right = min(ends[0], low), max(ends[1], high)
    room = 0.06 * (right - left or 1.0)
    x = np.union1d(np.linspace(left - room, right + room, POINTS), [low, high])
    height = density(share.draws, x, (-np.inf, np.inf))
    with style.drawing():
        figure = style.new_figure(2.6)
        axes = figure.subplots()
        axes.axvspan(low, high, color=style.MUTED, alpha=0.16, linewidth=0, zorder=0)
        axes.plot(x, height, color=style.POSTERIOR, linewidth=1.8, zorder=3)
        within = (x >= low) & (x <= high)
        fill = {"color": style.POSTERIOR, "linewidth": 0, "zorder": 2}
        axes.fill_between(x, height, where=within, alpha=0.45, **fill)  # type: ignore[arg-type]
        axes.fill_between(x, height, where=~within, alpha=0.12, **fill)  # type: ignore[arg-type]
        axes.axvline(0, color=style.MUTED, linewidth=0.8, zorder=1)
        top = 1.3 * float(height.max())
        # Side by side above the density, whatever its shape: narrow regions leave no room inside.
        for at, text in zip((0.0, 0.5, 1.0), _said(share), strict=True):
            place = ("left", "center", "right")[round(2 * at)]
            axes.text(at, 0.98, text, transform=axes.transAxes, ha=place, va="top", color=style.INK)
        axes.set_ylim(0, top)
        axes.set_xlim(x[0], x[-1])
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        style.light_grid(axes, "x")
        axes.set_xlabel(style.axis_label(capital(label)))
    return figure


def _said(share: PracticalEquivalence) -> tuple[str, str, str]:
    return (
        f"below: {probability(share.below)}",
        f"in the region: {probability(share.inside)}",
        f"above: {probability(share.above)}",
    )
