"""What checks compared: the data's number among those of data sets the model predicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayesmed.checks import CheckResult
from bayesmed.core.types import Floats
from bayesmed.report.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["discrepancies", "drawable"]

OBSERVED, REPLICATED = "observed", "replicated"
COLUMNS = 3
BINS = 30


def drawable(results: Sequence[CheckResult]) -> list[CheckResult]:
    """Return the checks that compared a number with replicates of it.

    Examples
    --------
    >>> import xarray as xr
    >>> arrays = xr.Dataset({"observed": 1.0, "replicated": ("replicate", np.arange(3.0))})
    >>> one = CheckResult("curvature", "A line", "passed", "p = 0.5", 0.5, arrays=arrays)
    >>> [r.code for r in drawable([one, CheckResult("rank", "Rank", "passed", "Yes.")])]
    ['curvature']
    """
    return [r for r in results if {OBSERVED, REPLICATED} <= set(r.arrays)]


def discrepancies(results: Sequence[CheckResult]) -> Figure:
    """Draw a panel for each of `drawable` checks: replicates as a histogram, the data as a line."""
    shown = drawable(results)
    with style.drawing():
        columns = min(COLUMNS, len(shown))
        rows = -(-len(shown) // columns)
        figure = style.new_figure(0.3 + 1.75 * rows)
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, result in zip(grid, shown, strict=False):
            _panel(axes, result)
        for axes in grid[len(shown) :]:
            axes.set_visible(False)
        style.legend_above(figure, grid[0], 2)
    return figure


def _panel(axes: Axes, result: CheckResult) -> None:
    observed = float(result.arrays[OBSERVED])
    replicated: Floats = np.asarray(result.arrays[REPLICATED].values, dtype=np.float64)
    replicated = replicated[np.isfinite(replicated)]
    low, high = np.quantile(replicated, [0.001, 0.999]) if replicated.size else (0.0, 1.0)
    low, high = min(low, observed), max(high, observed)
    room = 0.04 * (high - low) or 1.0
    axes.hist(
        np.clip(replicated, low, high),
        bins=BINS,
        range=(low - room, high + room),
        color=style.POSTERIOR,
        alpha=0.35,
        label="predicted data sets",
    )
    doubtful = result.status != "passed"
    axes.axvline(
        observed,
        color=style.ESTIMATE if doubtful else style.INK,
        linewidth=1.8,
        linestyle="-" if doubtful else (0, (5, 2)),
        label="the data",
    )
    axes.set_title(style.name(f"{result.code.replace('_', ' ')}: {result.status}"), fontsize=8.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    style.few_ticks(axes)
