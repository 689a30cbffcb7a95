"""Whether data like these would come from the fitted model."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bayesmed.core.names import (
    MEDIATOR_EFFECT_ESTIMATE,
    SAME_SITES,
    TOTAL_EFFECT_ESTIMATE,
)
from bayesmed.core.types import Floats
from bayesmed.inference import Fit
from bayesmed.report.figures import style
from bayesmed.report.figures.columns import evenly, site_draws
from bayesmed.report.figures.site_scatter import MOST_VECTORS, limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SLOPE_TITLE = "Least-squares slope"
NEW_SITES = "posterior_predictive"
CLOUD = 4000
MOST_INTERVALS = 40


class Statistic(NamedTuple):
    """A summary of the estimates: its observed value and those of predicted tables."""

    title: str
    observed: float
    predicted: Floats

    @property
    def p(self) -> float:
        """Posterior predictive probability of a value at least as large as the observed one."""
        return float(np.mean(self.predicted >= self.observed))


def predictive_statistics(fit: Fit) -> tuple[Statistic, ...]:
    """Return summaries of the table of estimates beside those of tables at as many new sites."""
    predicted = [
        site_draws(fit, NEW_SITES, name)
        for name in (MEDIATOR_EFFECT_ESTIMATE, TOTAL_EFFECT_ESTIMATE)
    ]
    observed = [fit.data.mediator_effect[:, 0][None], fit.data.total_effect[None]]
    intercept = fit.model.direct_effect
    found = zip(_summaries(observed, intercept), _summaries(predicted, intercept), strict=True)
    titles = (
        "Spread of the estimated mediator effects",
        "Spread of the estimated total effects",
        SLOPE_TITLE,
        "Spread around the least-squares line",
    )
    return tuple(
        Statistic(title, float(seen[0]), drawn)
        for title, (seen, drawn) in zip(titles, found, strict=True)
    )


def _summaries(estimates: list[Floats], intercept: bool) -> tuple[Floats, ...]:
    """Spreads, least-squares slope and residual spread of tables, one per row."""
    x, y = estimates
    x_sd, y_sd = x.std(axis=1), y.std(axis=1)
    if intercept:
        x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    slope = (x * y).sum(axis=1) / (x**2).sum(axis=1)
    residual = y - slope[:, None] * x
    return x_sd, y_sd, slope, np.sqrt((residual**2).mean(axis=1))


def predictive_tables(fit: Fit) -> Figure:
    """Draw the joint cloud of estimates predicted at new sites, and summaries of whole tables."""
    with style.drawing():
        figure = style.new_figure(6.6)
        grid = figure.add_gridspec(3, 2, height_ratios=(2.1, 1, 1))
        axes = figure.add_subplot(grid[0, :])
        _cloud(axes, fit)
        for i, statistic in enumerate(predictive_statistics(fit)):
            _histogram(figure.add_subplot(grid[1 + i // 2, i % 2]), statistic)
        style.legend_above(figure, axes, columns=2)
    return figure


def _cloud(axes: Axes, fit: Fit) -> None:
    names = MEDIATOR_EFFECT_ESTIMATE, TOTAL_EFFECT_ESTIMATE
    drawn = [site_draws(fit, NEW_SITES, name) for name in names]
    # Neighbours come from one draw or one site: a stride of both shows the whole cloud.
    some = evenly(drawn[0].size, CLOUD)
    x, y = (values.T.ravel()[some] for values in drawn)
    seen = fit.data.mediator_effect[:, 0], fit.data.total_effect
    for values, observed, set_limits in ((x, seen[0], axes.set_xlim), (y, seen[1], axes.set_ylim)):
        inner = np.quantile(values, [0.005, 0.995])
        set_limits(*limits(np.concatenate([inner, observed]), np.zeros(observed.size + 2)))
    label = "Estimates predicted at new sites"
    style.points(axes, x, y, "o", style.POSTERIOR, 2.8, label, crowded=True)
    crowded = fit.data.n_rows > MOST_VECTORS
    size = 3.0 if crowded else 5.0
    style.points(axes, *seen, "o", style.ESTIMATE, size, "Estimates", crowded)
    style.light_grid(axes, "both")
    mediator, outcome = style.name(fit.data.mediators[0]), style.name(fit.data.outcome)
    axes.set_xlabel(style.axis_label(f"Estimated effect on {mediator}"))
    axes.set_ylabel(style.axis_label(f"Estimated total effect on {outcome}", 36))


def _histogram(axes: Axes, statistic: Statistic) -> None:
    inner = np.quantile(statistic.predicted, [0.01, 0.99])
    low, high = min(inner[0], statistic.observed), max(inner[1], statistic.observed)
    margin = 0.04 * ((high - low) or 1.0)
    span = (low - margin, high + margin)
    axes.hist(
        statistic.predicted,
        bins=45,
        range=span,
        color=style.POSTERIOR,
        alpha=0.45,
        histtype="stepfilled",
    )
    axes.axvline(statistic.observed, color=style.ESTIMATE, linewidth=2)
    axes.set_title(f"{statistic.title} (p = {statistic.p:.2f})", fontsize=8.5)
    axes.set_xlim(*span)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    style.light_grid(axes, "x")
    style.few_ticks(axes)


def predictive_sites(fit: Fit) -> Figure:
    """Draw each site's two estimates in the interval predicted for the same site."""
    order = np.argsort(fit.data.total_effect, kind="stable")
    rows = order[evenly(order.size, MOST_INTERVALS)]
    with style.drawing():
        figure = style.new_figure(1.2 + 0.17 * rows.size)
        left, right = figure.subplots(1, 2, sharey=True)
        mediator, outcome = style.name(fit.data.mediators[0]), style.name(fit.data.outcome)
        seen = fit.data.mediator_effect[rows, 0], fit.data.total_effect[rows]
        _intervals(left, seen[0], site_draws(fit, SAME_SITES, MEDIATOR_EFFECT_ESTIMATE, rows))
        _intervals(right, seen[1], site_draws(fit, SAME_SITES, TOTAL_EFFECT_ESTIMATE, rows))
        left.set_xlabel(style.axis_label(f"Estimated effect on {mediator}", 32))
        right.set_xlabel(style.axis_label(f"Estimated total effect on {outcome}", 32))
        left.set_yticks(np.arange(rows.size), [style.name(fit.data.labels[i]) for i in rows])
        left.set_ylim(-0.8, rows.size - 0.2)
        style.legend_above(figure, left, columns=2)
    return figure


def _intervals(axes: Axes, observed: Floats, predicted: Floats) -> None:
    low, high = np.quantile(predicted, [0.025, 0.975], axis=0)
    y = np.arange(observed.size)
    axes.hlines(
        y, low, high, color=style.POSTERIOR, linewidth=3, alpha=0.45, label="Predicted, 95 %"
    )
    axes.plot(
        observed, y, "o", color=style.ESTIMATE, markersize=4, linestyle="none", label="Estimate"
    )
    style.light_grid(axes, "x")
    style.few_ticks(axes)
    axes.spines["left"].set_visible(False)
