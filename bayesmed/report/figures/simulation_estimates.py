"""What estimators gave over the data sets of a simulated study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from bayesmed.core.types import Floats
from bayesmed.report.figures import style
from bayesmed.report.figures.columns import evenly
from bayesmed.report.figures.simulation import said
from bayesmed.studies.simulation.design import Design, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesmed.studies.simulation import Simulation

MOST_DESIGNS, MOST_ESTIMATORS = 6, 8
BINS = 48
HEIGHT = 0.82


def sampling_distributions(found: Simulation) -> Figure:
    """Draw what each estimator gave over the data sets of some designs, beside the truth."""
    kept = [found.designs[i] for i in evenly(len(found.designs), MOST_DESIGNS)]
    names = found.estimators[-MOST_ESTIMATORS:]
    with style.drawing():
        columns = min(len(kept), 2)
        lines = -(-len(kept) // columns)
        figure = style.new_figure(lines * (0.7 + 0.34 * len(names)))
        grid = figure.subplots(lines, columns, squeeze=False, sharey=True).ravel()
        for axes, design in zip(grid, kept, strict=False):
            part = found.replicates[found.replicates["design"] == label(design)]
            estimates = {
                name: part.loc[part["estimator"] == name, "estimate"].to_numpy(dtype=np.float64)
                for name in names
            }
            _distributions(axes, estimates, design.truth)
            axes.set_title(style.axis_label(design_title(found, design), 80 // columns))
        for axes in grid[len(kept) :]:
            axes.set_visible(False)
        for axes in grid[max(0, len(kept) - columns) : len(kept)]:
            axes.set_xlabel("Estimated slope")
    return figure


def _distributions(axes: Axes, estimates: Mapping[str, Floats], truth: float) -> None:
    """Draw a histogram for each estimator, all to one scale, the last one on top."""
    low, high = limits(list(estimates.values()), truth)
    largest = max((values.size for values in estimates.values()), default=0)
    edges = np.linspace(low, high, min(BINS, 8 + int(1.5 * np.sqrt(largest))) + 1)
    shares = [
        np.histogram(values[np.isfinite(values)], edges)[0] / max(values.size, 1)
        for values in estimates.values()
    ]
    scale = HEIGHT / (max(float(share.max()) for share in shares) or 1.0)
    axes.axvline(truth, color=style.INK, linewidth=0.9, zorder=4)
    for y, (values, share) in enumerate(zip(estimates.values(), shares, strict=True)):
        colour = style.POSTERIOR if y == len(shares) - 1 else style.ESTIMATE
        top = y + scale * share
        axes.stairs(top, edges, baseline=y, fill=True, color=colour, alpha=0.45, zorder=2)
        if np.isfinite(values).any():
            middle = float(np.median(values[np.isfinite(values)]))
            if low <= middle <= high:
                axes.vlines(middle, y, y + HEIGHT, color=colour, linewidth=1.4, zorder=3)
        outside = 1.0 - float(share.sum()) if values.size else 0.0
        if outside >= 0.005:
            words = {"fontsize": 7, "color": style.MUTED, "ha": "right", "va": "center"}
            axes.text(high, y + 0.68, f"{outside:.0%} elsewhere", **words)  # type: ignore[arg-type]
    axes.set_xlim(low, high)
    axes.set_ylim(-0.15, len(shares))
    axes.set_yticks(np.arange(len(shares)) + 0.3, [style.name(name) for name in estimates])
    style.light_grid(axes, "x")
    style.few_ticks(axes)
    axes.spines["left"].set_visible(False)


def limits(estimates: list[Floats], truth: float) -> tuple[float, float]:
    """Return the ends of an axis of estimates.

    It shows nearly all of the last ones, and the middle of the others as far as they are near.

    Examples
    --------
    >>> others = np.array([1e9, np.nan]), np.array([-0.5, -0.5])
    >>> low, high = limits([*others, np.linspace(0.0, 1.0, 101)], 3.0)
    >>> low < -0.5, 3.0 < high < 4.0
    (True, True)
    """
    known = [x[np.isfinite(x)] for x in estimates]
    main = next((x for x in reversed(known) if x.size), np.array([truth]))
    low, high = (float(q) for q in np.quantile(main, [0.01, 0.99]))
    reach = high - low
    for values in (x for x in known if x.size):
        ends = np.quantile(values, [0.25, 0.75])
        if low - reach < ends[0] and ends[1] < high + reach:
            low, high = min(low, float(ends[0])), max(high, float(ends[1]))
    low, high = min(low, truth), max(high, truth)
    margin = 0.08 * (high - low or 1.0)
    return low - margin, high + margin


def design_title(found: Simulation, design: Design) -> str:
    """Say which of the designs of a study this is."""
    if found.varying == ("design",):
        return label(design)
    return said(found.varying, {name: getattr(design, name) for name in found.varying})
