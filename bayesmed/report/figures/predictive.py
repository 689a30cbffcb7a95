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
COLUMNS = 3


class Statistic(NamedTuple):
    """A summary of the estimates: its observed value and those of predicted tables.

    ``mediator`` is the one it is about where there are several, else empty.
    """

    title: str
    observed: float
    predicted: Floats
    mediator: str = ""

    @property
    def p(self) -> float:
        """Posterior predictive probability of a value at least as large as the observed one."""
        return float(np.mean(self.predicted >= self.observed))


def predictive_statistics(fit: Fit) -> tuple[Statistic, ...]:
    """Return summaries of the table of estimates beside those of tables at as many new sites."""
    data = fit.data
    mediators = range(data.n_mediators)
    x = [site_draws(fit, NEW_SITES, MEDIATOR_EFFECT_ESTIMATE, mediator=i) for i in mediators]
    predicted = np.stack(x, axis=-1), site_draws(fit, NEW_SITES, TOTAL_EFFECT_ESTIMATE)
    observed = data.mediator_effect[None], data.total_effect[None]
    drawn = _summaries(*predicted, fit.model.direct_effect)
    seen = _summaries(*observed, fit.model.direct_effect)
    names = data.mediators if data.n_mediators > 1 else ("",)
    titles = [
        *(("Spread of the estimated mediator effects", name) for name in names),
        *((SLOPE_TITLE, name) for name in names),
        ("Spread of the estimated total effects", ""),
        ("Spread around the least-squares line", ""),
    ]
    return tuple(
        Statistic(title, float(was[0]), would, name)
        for (title, name), was, would in zip(titles, seen, drawn, strict=True)
    )


def _summaries(x: Floats, y: Floats, intercept: bool) -> list[Floats]:
    """Spreads, least-squares slopes and residual spread of tables (n, S, P) and (n, S)."""
    x_sd, y_sd = x.std(axis=1), y.std(axis=1)
    if intercept:
        x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    across = np.swapaxes(x, 1, 2)
    # A table whose effects determine no line has the smallest slopes that fit.
    slope = np.linalg.pinv(across @ x, hermitian=True) @ (across @ y[:, :, None])
    residual = y - (x @ slope)[:, :, 0]
    return [*x_sd.T, *slope[:, :, 0].T, y_sd, np.sqrt((residual**2).mean(axis=1))]


def predictive_tables(fit: Fit) -> Figure:
    """Draw the joint cloud of estimates predicted at new sites, and summaries of whole tables."""
    statistics, mediators = predictive_statistics(fit), range(fit.data.n_mediators)
    clouds, rows = len(mediators), -(-len(statistics) // 2)
    heights = [2.1] * clouds + [1.0] * rows
    with style.drawing():
        figure = style.new_figure(0.5 + 1.5 * sum(heights))
        grid = figure.add_gridspec(clouds + rows, 2, height_ratios=heights)
        panels = [figure.add_subplot(grid[i, :]) for i in mediators]
        for axes, mediator in zip(panels, mediators, strict=True):
            _cloud(axes, fit, mediator)
        for i, statistic in enumerate(statistics):
            _histogram(figure.add_subplot(grid[clouds + i // 2, i % 2]), statistic)
        style.legend_above(figure, panels[0], columns=2)
    return figure


def _cloud(axes: Axes, fit: Fit, mediator: int) -> None:
    names = MEDIATOR_EFFECT_ESTIMATE, TOTAL_EFFECT_ESTIMATE
    drawn = [site_draws(fit, NEW_SITES, name, mediator=mediator) for name in names]
    # Neighbours come from one draw or one site: a stride of both shows the whole cloud.
    some = evenly(drawn[0].size, CLOUD)
    x, y = (values.T.ravel()[some] for values in drawn)
    seen = fit.data.mediator_effect[:, mediator], fit.data.total_effect
    for values, observed, set_limits in ((x, seen[0], axes.set_xlim), (y, seen[1], axes.set_ylim)):
        inner = np.quantile(values, [0.005, 0.995])
        set_limits(*limits(np.concatenate([inner, observed]), np.zeros(observed.size + 2)))
    label = "Estimates predicted at new sites"
    style.points(axes, x, y, "o", style.POSTERIOR, 2.8, label, crowded=True)
    crowded = fit.data.n_rows > MOST_VECTORS
    size = 3.0 if crowded else 5.0
    style.points(axes, *seen, "o", style.ESTIMATE, size, "Estimates", crowded)
    style.light_grid(axes, "both")
    name, outcome = style.name(fit.data.mediators[mediator]), style.name(fit.data.outcome)
    axes.set_xlabel(style.axis_label(f"Estimated effect on {name}"))
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
    about = f"\n{style.name(statistic.mediator)}" if statistic.mediator else ""
    axes.set_title(f"{statistic.title}{about} (p = {statistic.p:.2f})", fontsize=8.5)
    axes.set_xlim(*span)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    style.light_grid(axes, "x")
    style.few_ticks(axes)


def predictive_sites(fit: Fit) -> Figure:
    """Draw each site's estimates in the intervals predicted for the same site."""
    order = np.argsort(fit.data.total_effect, kind="stable")
    rows = order[evenly(order.size, MOST_INTERVALS)]
    p = fit.data.n_mediators
    columns = min(p + 1, COLUMNS)
    lines = -(-(p + 1) // columns)
    with style.drawing():
        figure = style.new_figure((1.2 + 0.17 * rows.size) * lines)
        grid = figure.subplots(lines, columns, sharey=True, squeeze=False)
        for i, axes in enumerate(grid.ravel()[: p + 1]):
            about = f"Estimated total effect on {style.name(fit.data.outcome)}"
            seen, name = fit.data.total_effect, TOTAL_EFFECT_ESTIMATE
            if i < p:
                about = f"Estimated effect on {style.name(fit.data.mediators[i])}"
                seen, name = fit.data.mediator_effect[:, i], MEDIATOR_EFFECT_ESTIMATE
            _intervals(axes, seen[rows], site_draws(fit, SAME_SITES, name, rows, min(i, p - 1)))
            axes.set_xlabel(style.axis_label(about, 64 // columns))
        for axes in grid.ravel()[p + 1 :]:
            axes.set_visible(False)
        for axes in grid[:, 0]:
            axes.set_yticks(np.arange(rows.size), [style.name(fit.data.labels[i]) for i in rows])
        grid[0, 0].set_ylim(-0.8, rows.size - 0.2)
        style.legend_above(figure, grid[0, 0], columns=2)
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
