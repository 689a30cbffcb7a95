"""Distributions of ranks less the uniform one, with the band that uniform ranks stay in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from bayesmed.core.types import Floats, Integers
from bayesmed.formulas.ranks import simultaneous_band
from bayesmed.report.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["rank_distributions"]

COLUMNS = 3
NAMED = 3
"""Quantities outside the band that a panel names."""
ROOM, LEAST = 2.5, 0.2
"""Height of a panel in bands; the share of data sets a quantity must be in to be drawn."""


def rank_distributions(panels: Mapping[str, Mapping[str, Integers]]) -> Figure:
    """Draw a panel for each model, a line for each quantity; those outside the band are named.

    Parameters
    ----------
    panels
        How often each rank was seen, (n_ranks,), by quantity, by the title of the panel.
    """
    with style.drawing():
        columns = min(len(panels), COLUMNS)
        rows = -(-len(panels) // columns)
        figure = style.new_figure(0.6 + (2.0 if columns > 1 else 3.2) * rows)
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, (title, counts) in zip(grid, panels.items(), strict=False):
            _panel(axes, counts)
            axes.set_title(style.name(title), fontsize=8.5 if columns > 1 else 9.5)
        for axes in grid[len(panels) :]:
            axes.set_visible(False)
        figure.supxlabel("Rank of the truth among draws, as a share", fontsize=9.5)
        figure.supylabel("Share of ranks below, less the uniform", fontsize=9.5)
    return figure


def _panel(axes: Axes, quantities: Mapping[str, Integers]) -> None:
    outside = 0
    most = max(quantities.values(), key=lambda counts: int(counts.sum()))
    at = _difference(most)[0]
    low, high = simultaneous_band(int(most.sum()), len(most)) - at
    axes.fill_between(at, low, high, color=style.RULE, alpha=0.8, linewidth=0, zorder=1)
    axes.set_ylim(ROOM * float(low.min()), ROOM * float(high.max()))
    for name, counts in quantities.items():
        if counts.sum() < LEAST * most.sum():
            continue  # there in a few data sets only: its own band would be all of the panel
        at, line = _difference(counts)
        low, high = simultaneous_band(int(counts.sum()), len(counts)) - at
        out = bool(((line < low - 1e-12) | (line > high + 1e-12)).any())
        named = out and outside < NAMED
        axes.plot(
            at,
            line,
            color=style.ESTIMATE if out else style.POSTERIOR,
            linewidth=1.3 if out else 0.7,
            alpha=1.0 if out else 0.45,
            zorder=4 if out else 3,
            label=style.name(name) if named else "_",
        )
        outside += out
    axes.axhline(0, color=style.MUTED, linewidth=0.8, zorder=2)
    axes.set_xticks([0, 0.5, 1], ["0", ".5", "1"])
    if outside:
        axes.legend(loc="lower center", fontsize=7, handlelength=1.2)


def _difference(counts: Integers) -> tuple[Floats, Floats]:
    """Return where ranks are counted, and the share below less that of uniform ones."""
    at = np.arange(1, len(counts)) / len(counts)
    return at, np.cumsum(counts)[:-1] / counts.sum() - at
