"""Indirect effects by site, and their average."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmed.core.names import INDIRECT_EFFECT, SITE_EFFECTS
from bayesmed.core.types import Floats, Integers
from bayesmed.effects.labels import indirect
from bayesmed.inference import Fit
from bayesmed.report.figures import style
from bayesmed.report.figures.columns import evenly, site_draws, site_means
from bayesmed.report.words import capital

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_SITES = 60
INTERVALS = (0.025, 0.25, 0.5, 0.75, 0.975)
COLUMNS = 2


def forest(fit: Fit) -> Figure:
    """Draw posterior medians, 50 % and 95 % intervals of indirect effects, and their average."""
    mediators = range(fit.data.n_mediators)
    columns = min(len(mediators), COLUMNS)
    lines = -(-len(mediators) // columns)
    with style.drawing():
        rows = min(fit.data.n_rows, MOST_SITES) + 2
        figure = style.new_figure((1.1 + 0.2 * rows) * lines)
        grid = figure.subplots(lines, columns, squeeze=False, sharey=True).ravel()
        for axes, mediator in zip(grid, mediators, strict=False):
            draw_forest(axes, fit, mediator=mediator)
        for axes in grid[len(mediators) :]:
            axes.set_visible(False)
    return figure


def draw_forest(axes: Axes, fit: Fit, most: int = MOST_SITES, mediator: int = 0) -> None:
    """Draw the forest of at most so many sites, the smallest effect at their bottom."""
    rows = shown_sites(fit, most)
    draws = site_draws(fit, SITE_EFFECTS, INDIRECT_EFFECT, rows, mediator)
    quantiles = np.quantile(draws, INTERVALS, axis=0)
    average = np.quantile(average_draws(fit, mediator), INTERVALS)
    y = np.arange(rows.size) + 2.0
    axes.axvline(0, color=style.MUTED, linewidth=0.8, zorder=1)
    axes.axvspan(average[0], average[-1], color=style.POSTERIOR, alpha=0.09, linewidth=0, zorder=0)
    axes.hlines(y, quantiles[0], quantiles[-1], color=style.POSTERIOR, linewidth=1.1)
    axes.hlines(y, quantiles[1], quantiles[-2], color=style.POSTERIOR, linewidth=3.2)
    dots = {"color": style.POSTERIOR, "markeredgecolor": style.PAPER, "markeredgewidth": 0.8}
    axes.plot(quantiles[2], y, "o", markersize=5, **dots)  # type: ignore[arg-type]
    diamond = np.array([[average[0], 0], [average[2], 0.42], [average[-1], 0], [average[2], -0.42]])
    axes.fill(*diamond.T, color=style.INK, linewidth=0, zorder=4)
    labels = ["Average (ACME)", *(style.name(fit.data.labels[i]) for i in rows)]
    axes.set_yticks([0, *y], labels)
    axes.axhline(1, color=style.RULE, linewidth=0.8)
    axes.set_ylim(-0.9, y[-1] + 0.7)
    axes.margins(x=0.03)
    style.light_grid(axes, "x")
    axes.spines["left"].set_visible(False)
    name, outcome = style.name(fit.data.mediators[mediator]), style.name(fit.data.outcome)
    text = f"{capital(indirect(fit.model))} on {outcome} through {name} (δγ)"
    if rows.size < fit.data.n_rows:
        text += f"; {rows.size} of {fit.data.n_rows:,} sites"
    narrow = fit.data.n_mediators > 1
    axes.set_xlabel(style.axis_label(text, 32) if narrow else style.axis_label(text))
    if narrow:
        style.few_ticks(axes)


def average_draws(fit: Fit, mediator: int = 0) -> Floats:
    """Draws of the weighted average of the sites' indirect effects, flattened."""
    draws = site_draws(fit, SITE_EFFECTS, INDIRECT_EFFECT, mediator=mediator)
    return np.asarray(draws @ fit.data.weight)


def shown_sites(fit: Fit, most: int = MOST_SITES) -> Integers:
    """Return the rows drawn, by indirect effect through all mediators.

    All of them, or some evenly spread with both ends.
    """
    means = site_means(fit, SITE_EFFECTS, INDIRECT_EFFECT).sum(axis=1)
    order = np.argsort(means, kind="stable")
    return order[evenly(order.size, most)]
