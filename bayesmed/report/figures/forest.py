"""Indirect effects by site, and their average."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmed.core.names import INDIRECT_EFFECT, SITE_EFFECTS
from bayesmed.core.types import Floats, Integers
from bayesmed.inference import Fit
from bayesmed.report.figures import style
from bayesmed.report.figures.columns import evenly, site_draws
from bayesmed.report.figures.site_scatter import site_means

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_SITES = 60
INTERVALS = (0.025, 0.25, 0.5, 0.75, 0.975)


def forest(fit: Fit) -> Figure:
    """Draw posterior medians, 50 % and 95 % intervals of indirect effects, and their average."""
    with style.drawing():
        rows = min(fit.data.n_rows, MOST_SITES) + 2
        figure = style.new_figure(1.1 + 0.2 * rows)
        draw_forest(figure.subplots(), fit)
    return figure


def draw_forest(axes: Axes, fit: Fit, most: int = MOST_SITES) -> None:
    """Draw the forest of at most so many sites, the smallest effect at their bottom."""
    rows = shown_sites(fit, most)
    quantiles = np.quantile(site_draws(fit, SITE_EFFECTS, INDIRECT_EFFECT, rows), INTERVALS, axis=0)
    average = np.quantile(average_draws(fit), INTERVALS)
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
    mediator, outcome = style.name(fit.data.mediators[0]), style.name(fit.data.outcome)
    axes.set_xlabel(style.axis_label(f"Indirect effect on {outcome} through {mediator} (δγ)"))


def average_draws(fit: Fit) -> Floats:
    """Draws of the weighted average of the sites' indirect effects, flattened."""
    return np.asarray(site_draws(fit, SITE_EFFECTS, INDIRECT_EFFECT) @ fit.data.weight)


def shown_sites(fit: Fit, most: int = MOST_SITES) -> Integers:
    """Return the rows drawn, by indirect effect: all, or some evenly spread with both ends."""
    order = np.argsort(site_means(fit, INDIRECT_EFFECT), kind="stable")
    return order[evenly(order.size, most)]
