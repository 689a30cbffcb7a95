"""Slopes of all estimators under each other, the posterior on top."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmed.core.numbers import number
from bayesmed.core.types import Floats
from bayesmed.effects import POSTERIOR, Comparison
from bayesmed.report.figures import style
from bayesmed.report.plain import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABEL_WIDTH = 30
"""Characters of an estimator's name on one line."""
ROW, MARGIN = 0.34, 1.1  # inches
LONGEST = 3.0
"""Median half lengths of intervals beyond which an interval is cut, and gets an arrow."""
FARTHEST = 12.0
"""The same for the distance of an estimate from the middle one."""


def comparison(found: Comparison) -> Figure:
    """Draw estimates with 95 % intervals, one panel for each mediator."""
    table = found.table()
    rows = int((table["mediator"] == found.mediators[0]).sum())
    with style.drawing():
        figure = style.new_figure(len(found.mediators) * (MARGIN + ROW * rows))
        panels = figure.subplots(len(found.mediators), 1, squeeze=False)[:, 0]
        for axes, mediator in zip(panels, found.mediators, strict=True):
            _draw(axes, table[table["mediator"] == mediator].to_dict("records"))
            names = style.name(found.outcome), style.name(mediator)
            axes.set_xlabel(style.axis_label(f"Slope: {names[0]} per unit of {names[1]}"))
    return figure


def _draw(axes: Axes, rows: list[dict[Any, Any]]) -> None:
    """Draw one row for each estimator, the first on top."""
    low, high = window(
        *(np.array([row[key] for row in rows], dtype=float) for key in ("slope", "low", "high"))
    )
    axes.set_xlim(low, high)
    axes.set_ylim(-len(rows) + 0.4, 0.6)
    if low < 0 < high:
        axes.axvline(0, color=style.MUTED, linewidth=0.8, zorder=1)
    if rows[0]["estimator"] == POSTERIOR:
        span = rows[0]["low"], rows[0]["high"]
        axes.axvspan(*span, color=style.POSTERIOR, alpha=0.09, linewidth=0, zorder=0)
    for i, row in enumerate(rows):
        colour = style.POSTERIOR if row["estimator"] == POSTERIOR else style.ESTIMATE
        if row["defined"]:
            _estimate(axes, -i, row, colour, (low, high))
        else:
            words = {"color": style.MUTED, "fontsize": 8.5, "va": "center"}
            axes.text(low + 0.02 * (high - low), -i, "not defined", **words)  # type: ignore[arg-type]
    labels = [
        textwrap.fill(plain(row["estimator"]), LABEL_WIDTH, break_on_hyphens=False) for row in rows
    ]
    axes.set_yticks(-np.arange(len(rows)), labels)
    style.light_grid(axes, "x")
    style.few_ticks(axes)
    axes.spines["left"].set_visible(False)


def _estimate(
    axes: Axes, y: float, row: dict[Any, Any], colour: str, ends: tuple[float, float]
) -> None:
    """Draw a point and its interval; what leaves the picture ends in an arrow."""
    low, high = ends
    slope, interval = row["slope"], (row["low"], row["high"])
    if not any(math.isnan(end) for end in interval):
        start, stop = (min(max(end, low), high) for end in interval)
        axes.hlines(y, start, stop, color=colour, linewidth=1.6, zorder=3)
        arrow = {"color": colour, "markersize": 5, "clip_on": False, "zorder": 4}
        if interval[0] < low:
            axes.plot(low, y, "<", **arrow)  # type: ignore[arg-type]
        if interval[1] > high:
            axes.plot(high, y, ">", **arrow)  # type: ignore[arg-type]
    if low <= slope <= high:
        mark = "D" if row["estimator"] == POSTERIOR else "o"
        axes.plot(
            slope, y, mark, color=colour, markersize=5.5, markeredgecolor=style.PAPER, zorder=5
        )
        return
    left = slope < low
    text = f"← {number(slope)}" if left else f"{number(slope)} →"
    x = low + 0.02 * (high - low) if left else high - 0.02 * (high - low)
    align = "left" if left else "right"
    axes.text(x, y + 0.3, text, color=colour, fontsize=8, va="center", ha=align)


def window(slope: Floats, low: Floats, high: Floats) -> tuple[float, float]:
    """Return the ends of an axis that no single long interval or far estimate stretches.

    Parameters
    ----------
    slope, low, high
        (rows,) estimates and ends of intervals, NaN where there are none; the first of them is
        shown whole.

    Examples
    --------
    >>> slope, low, high = np.array([[1.0, 1.2, 900.0], [0.0, 0.2, 0.0], [2.0, 2.2, 9e5]])
    >>> ends = window(slope, low, high)
    >>> ends[0] < 0, 2.2 < ends[1] < 30
    (True, True)
    """
    known = np.isfinite(slope)
    if not known.any():
        return -1.0, 1.0
    half = (high - low)[np.isfinite(high - low)] / 2
    middle = float(np.median(slope[known]))
    unit = float(np.median(half)) if half.size else float(np.ptp(slope[known])) / 2
    unit = unit or abs(middle) or 1.0
    near = known & (np.abs(slope - middle) <= FARTHEST * unit)
    near[np.argmax(known)] = True  # the first one always
    shown = slope[near]
    reach = LONGEST * unit
    bottom = np.fmax(np.where(np.isnan(low[near]), shown, low[near]), shown - reach).min()
    top = np.fmin(np.where(np.isnan(high[near]), shown, high[near]), shown + reach).max()
    if known[0] and np.isfinite([low[0], high[0]]).all():
        bottom, top = min(bottom, low[0]), max(top, high[0])
    margin = 0.04 * (float(top - bottom) or 1.0)
    return float(bottom) - margin, float(top) + margin
