"""Estimates under other priors, and how quantities answer to power-scaling."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmed.report.figures import style
from bayesmed.report.figures.columns import evenly
from bayesmed.report.figures.comparison import window
from bayesmed.report.plain import plain
from bayesmed.studies.sensitivity.power_scaling import THRESHOLD
from bayesmed.studies.sensitivity.prior_sets import FITTED

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PRIORS = 40
LABEL_WIDTH = 40
"""Characters of the name of priors on one line, of which there are two at most."""
ROW, MARGIN = 0.27, 1.1  # inches


def estimates(table: pd.DataFrame, label: str) -> Figure:
    """Draw one quantity under all priors, or under those that move it most and some others.

    Parameters
    ----------
    table
        The rows of `PriorSensitivity.table` about the quantity, the fit's own priors first.
    label
        The quantity in words.
    """
    rows = shown_priors(table).to_dict("records")
    with style.drawing():
        figure = style.new_figure(MARGIN + ROW * len(rows))
        axes = figure.subplots()
        _draw(axes, rows)
        axes.set_xlabel(style.axis_label(label))
    return figure


def shown_priors(table: pd.DataFrame, most: int = MOST_PRIORS) -> pd.DataFrame:
    """Return the rows that are drawn: all, or the fit and an even choice of the others by shift."""
    if len(table) <= most:
        return table
    others = table[table["prior"] != FITTED].sort_values("shift", kind="stable")
    kept = others.iloc[evenly(len(others), most - 1)]
    return table[(table["prior"] == FITTED) | table.index.isin(kept.index)]


def _draw(axes: Axes, rows: list[dict[Any, Any]]) -> None:
    """Draw a row for each set of priors, those of the fit on top."""
    columns = [np.array([row[key] for row in rows], dtype=float) for key in ("q2.5", "q97.5")]
    middle = np.array([row["q50"] for row in rows], dtype=float)
    low, high = window(middle, *columns)
    axes.set_xlim(low, high)
    axes.set_ylim(-len(rows) + 0.4, 0.6)
    if low < 0 < high:
        axes.axvline(0, color=style.MUTED, linewidth=0.8, zorder=1)
    fitted = rows[0]
    axes.axvspan(fitted["q2.5"], fitted["q97.5"], color=style.POSTERIOR, alpha=0.09, linewidth=0)
    axes.axvline(fitted["q50"], color=style.POSTERIOR, linewidth=0.8, alpha=0.5, zorder=1)
    for i, row in enumerate(rows):
        changed = row["sign_changed"] or row["interval_changed"] or row["moved"]
        colour = style.ESTIMATE if changed else style.POSTERIOR
        start, stop = (min(max(row[end], low), high) for end in ("q2.5", "q97.5"))
        axes.hlines(-i, start, stop, color=colour, linewidth=1.4, zorder=3)
        arrow = {"color": colour, "markersize": 4.5, "clip_on": False, "zorder": 4}
        if row["q2.5"] < low:
            axes.plot(low, -i, "<", **arrow)  # type: ignore[arg-type]
        if row["q97.5"] > high:
            axes.plot(high, -i, ">", **arrow)  # type: ignore[arg-type]
        if low <= row["q50"] <= high:
            face = colour if row["converged"] else style.PAPER
            axes.plot(
                row["q50"],
                -i,
                "D" if i == 0 else "o",
                color=face,
                markersize=5,
                markeredgecolor=colour,
                zorder=5,
            )
    axes.set_yticks(-np.arange(len(rows)), [_name(row["prior"]) for row in rows])
    style.light_grid(axes, "x")
    style.few_ticks(axes)
    axes.spines["left"].set_visible(False)


def _name(text: str) -> str:
    return "\n".join(textwrap.wrap(plain(text), LABEL_WIDTH, max_lines=2, placeholder=" …"))


def scaling(table: pd.DataFrame, labels: dict[tuple[str, str], str]) -> Figure:
    """Draw the sensitivity of some quantities to the likelihood and to each prior.

    Parameters
    ----------
    table
        As `power_scaling` returns it.
    labels
        Which quantities, (name, entry), and what to call them.
    """
    components = list(dict.fromkeys(table["component"]))
    values = table.set_index(["quantity", "entry", "component"])["sensitivity"]
    with style.drawing():
        figure = style.new_figure(MARGIN + (0.4 + 0.2 * len(components)) * len(labels))
        panels = figure.subplots(len(labels), 1, squeeze=False, sharex=True)[:, 0]
        for axes, ((name, entry), label) in zip(panels, labels.items(), strict=True):
            own = [float(values[name, entry, component]) for component in components]
            lengths = [0.0 if math.isnan(value) else value for value in own]
            colours = [style.ESTIMATE if v >= THRESHOLD else style.POSTERIOR for v in lengths[1:]]
            y = -np.arange(len(components))
            axes.barh(y, lengths, height=0.62, color=[style.MUTED, *colours])
            axes.axvline(THRESHOLD, color=style.INK, linewidth=0.8, linestyle=(0, (4, 3)))
            axes.set_yticks(y, [plain(component) for component in components])
            axes.set_title(style.axis_label(label, 70))
            style.light_grid(axes, "x")
            axes.spines["left"].set_visible(False)
        panels[-1].set_xlabel("Sensitivity to power-scaling (dashed: counts from here on)")
    return figure
