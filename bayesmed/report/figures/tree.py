"""A causal tree, its questions from left to right, and the effects estimated in its leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmed.report.figures import style
from bayesmed.report.plain import shortened

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Place", "causal_tree", "places"]

ROW, MARGIN, STEP, PANEL = 0.62, 1.0, 1.0, 1.6  # inches
SIDES = ("below", "above")
QUESTION = 26


@dataclass(frozen=True)
class Place:
    """Where a split or leaf stands: column (0 is everybody), row, and what leads to it."""

    depth: int
    row: float
    label: str
    persons: int
    parent: int | None
    site: str


def places(splits: pd.DataFrame) -> list[Place]:
    """Lay a tree out: leaves in rows 0, 1, ..., each split in the middle of what follows from it.

    Parameters
    ----------
    splits
        `FoundSites.splits` of a tree.

    Returns
    -------
    list of Place
        Each before those that follow it; ``parent`` is a position in this list.
    """
    rows = {int(row["split"]): row for row in splits.to_dict("records")}
    found: list[Place] = []
    leaves = 0

    def visit(number: int, depth: int, label: str, persons: int, parent: int | None) -> float:
        nonlocal leaves
        own, split = len(found), rows[number]
        found.append(Place(depth, 0.0, label, persons, parent, ""))
        middle = []
        for side in SIDES:
            n, text = int(split[f"n_{side}"]), str(split[side])
            below = int(split[f"{side}_split"])
            if below:
                middle.append(visit(below, depth + 1, text, n, own))
            else:
                site = str(split[f"{side}_site"])
                found.append(Place(depth + 1, float(leaves), text, n, own, site))
                middle.append(float(leaves))
                leaves += 1
        row = float(np.mean(middle))
        found[own] = Place(depth, row, label, persons, parent, "")
        return row

    first = rows[1]
    visit(1, 0, "everybody", int(first["n_below"]) + int(first["n_above"]), None)
    return found


def causal_tree(
    splits: pd.DataFrame, effects: Mapping[str, Mapping[str, tuple[float, float]]]
) -> Figure:
    """Draw the tree, and beside each leaf the effects estimated on other persons.

    Parameters
    ----------
    splits
        `FoundSites.splits` of a tree.
    effects
        What is estimated, by its label: site to estimate and standard error. Sites that are
        missing were dropped.
    """
    laid = places(splits)
    leaves = sum(bool(place.site) for place in laid)
    with style.drawing():
        tree = STEP * (max(place.depth for place in laid) + 1)
        width = max(style.WIDTH, tree + PANEL * len(effects))
        figure = style.new_figure(MARGIN + ROW * leaves, width)
        ratios = [width - PANEL * len(effects), *[PANEL] * len(effects)]
        grid = figure.subplots(1, 1 + len(effects), width_ratios=ratios, sharey=True)
        _draw_tree(grid[0], laid, leaves)
        for axes, (label, own) in zip(grid[1:], effects.items(), strict=True):
            _draw_effects(axes, [p for p in laid if p.site], own)
            axes.set_xlabel(style.axis_label(label, 18))
    return figure


def _draw_tree(axes: Axes, laid: Sequence[Place], leaves: int) -> None:
    axes.set_axis_off()
    axes.set_ylim(leaves - 0.5, -0.5)
    deep = max(place.depth for place in laid)
    axes.set_xlim(-0.05, deep + 0.95)
    text: dict[str, Any] = {"clip_on": False, "zorder": 4, "fontsize": 8.5}
    for place in laid:
        if place.parent is not None:
            above = laid[place.parent]
            x = [above.depth, above.depth, place.depth]
            axes.plot(x, [above.row, place.row, place.row], color=style.MUTED, linewidth=1.0)
        label = shortened(place.label, QUESTION)
        axes.text(place.depth + 0.04, place.row - 0.06, label, va="bottom", **text)
        said = f"{place.persons:,} persons"
        muted = {**text, "fontsize": 7.5, "color": style.MUTED}
        axes.text(place.depth + 0.04, place.row + 0.08, said, va="top", **muted)
        marker = "s" if place.site else "o"
        axes.plot(place.depth, place.row, marker, color=style.POSTERIOR, markersize=4, zorder=5)


def _draw_effects(
    axes: Axes, sites: Sequence[Place], effects: Mapping[str, tuple[float, float]]
) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.axvline(0, color=style.MUTED, linewidth=0.8, zorder=1)
    for row, place in enumerate(sites):
        if place.site not in effects:
            axes.text(0, row, "dropped", color=style.MUTED, fontsize=7.5, va="center", ha="center")
            continue
        estimate, se = effects[place.site]
        ends = estimate - 1.96 * se, estimate + 1.96 * se
        axes.hlines(row, *ends, color=style.ESTIMATE, linewidth=1.4, zorder=3)
        axes.plot(estimate, row, "o", color=style.ESTIMATE, markersize=5, zorder=4)
    axes.tick_params(left=False, labelleft=False)
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.08)
    style.light_grid(axes, "x")
    axes.xaxis.set_major_locator(MaxNLocator(3))
