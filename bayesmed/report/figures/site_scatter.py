"""The picture of the question: total effects over mediator effects, site by site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmed.classical import ols
from bayesmed.core.names import (
    DIRECT_EFFECT_MEAN,
    MEDIATOR_EFFECT,
    SITE_EFFECTS,
    SLOPE,
    TOTAL_EFFECT,
)
from bayesmed.core.types import Floats, Integers
from bayesmed.inference import Fit
from bayesmed.report.figures import style
from bayesmed.report.figures.columns import evenly, parameter_draws, site_draws

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BARS = 120
MOST_VECTORS = 1000
LINES = 50
Z = 1.96
NOISY = 3.0  # times the median standard error: longer bars may leave the picture


def site_scatter(fit: Fit) -> Figure:
    """Draw estimates with both error bars, shrunken estimates, and posterior lines."""
    with style.drawing():
        figure = style.new_figure(4.9)
        axes = figure.subplots()
        draw_site_scatter(axes, fit)
        style.legend_above(figure, axes, columns=3)
    return figure


def draw_site_scatter(axes: Axes, fit: Fit) -> None:
    """Draw the picture into axes."""
    x, y = fit.data.mediator_effect[:, 0], fit.data.total_effect
    x_se, y_se = fit.data.mediator_se[:, 0], fit.data.total_effect_se
    x_limits, y_limits = limits(x, x_se), limits(y, y_se)
    # Only widens: lines and bars that leave the picture are cut, points never are.
    axes.set_xlim(*x_limits)
    axes.set_ylim(*y_limits)
    style.light_grid(axes, "both")
    for draw_line in (axes.axhline, axes.axvline):
        draw_line(0, color=style.MUTED, linewidth=0.8, zorder=1)
    crowded = fit.data.n_rows > MOST_VECTORS
    size = 3.0 if crowded else max(3.5, 6.5 - fit.data.n_rows / 50)
    rows = barred(x)
    axes.errorbar(
        x[rows],
        y[rows],
        xerr=Z * x_se[rows],
        yerr=Z * y_se[rows],
        fmt="none",
        ecolor=style.ESTIMATE,
        elinewidth=0.9,
        alpha=0.75 if rows.size <= 30 else 0.4,
        zorder=3,
    )
    style.points(axes, x, y, "o", style.ESTIMATE, size, "Estimate, 95 % intervals", crowded)
    _shrunken(axes, fit, size, crowded=crowded)
    _lines(axes, fit, np.array(x_limits))
    mediator, outcome = style.name(fit.data.mediators[0]), style.name(fit.data.outcome)
    axes.set_xlabel(style.axis_label(f"Effect of treatment on {mediator} (γ)"))
    axes.set_ylabel(style.axis_label(f"Total effect on {outcome} (β)", 44))


def barred(x: Floats) -> Integers:
    """Return the sites whose error bars are drawn: all, or some spread by mediator effect."""
    return np.argsort(x, kind="stable")[evenly(x.size, MOST_BARS)]


def limits(estimate: Floats, se: Floats) -> tuple[float, float]:
    """Return the ends of an axis that shows every estimate and the bars of all but noisy sites."""
    reach = Z * np.minimum(se, NOISY * np.median(se))
    low, high = float((estimate - reach).min()), float((estimate + reach).max())
    margin = 0.05 * ((high - low) or abs(high) or 1.0)
    return low - margin, high + margin


def _lines(axes: Axes, fit: Fit, ends: Floats) -> None:
    """Posterior lines thin, their median thick, least squares dashed."""
    slopes = parameter_draws(fit, SLOPE)
    assert slopes is not None
    intercepts = parameter_draws(fit, DIRECT_EFFECT_MEAN)
    slope = slopes.ravel()
    intercept = np.zeros_like(slope) if intercepts is None else intercepts.ravel()
    some = evenly(slope.size, LINES)
    faint = [
        [(x, a + b * x) for x in ends] for a, b in zip(intercept[some], slope[some], strict=True)
    ]
    label = "Posterior draws of the line"
    style.segments(axes, faint, style.POSTERIOR, label=label, alpha=0.16, linewidth=0.9)
    x = np.linspace(ends[0], ends[1], 60)
    middle = np.median(intercept[:, None] + slope[:, None] * x, axis=0)
    axes.plot(
        x, middle, color=style.POSTERIOR, linewidth=2, label="Posterior median at each γ", zorder=2
    )
    found = ols(fit.data, intercept=fit.model.direct_effect)
    if found.defined:
        start = found.intercept if fit.model.direct_effect else 0.0
        axes.plot(
            ends,
            start + found.slope * ends,
            color=style.MUTED,
            linewidth=1.3,
            linestyle=(0, (4, 3)),
            zorder=2,
            label="Least squares (OLS)",
        )


def _shrunken(axes: Axes, fit: Fit, size: float, *, crowded: bool) -> None:
    """Posterior means of the sites, each tied to its estimate."""
    means = [site_means(fit, name) for name in (MEDIATOR_EFFECT, TOTAL_EFFECT)]
    x, y = fit.data.mediator_effect[:, 0], fit.data.total_effect
    if not crowded:
        ties = [[(x[i], y[i]), (means[0][i], means[1][i])] for i in barred(x)]
        style.segments(axes, ties, style.MUTED, linewidth=0.7, zorder=4)
    label = "Posterior mean of the site"
    style.points(axes, means[0], means[1], "D", style.POSTERIOR, 0.85 * size, label, crowded)


def site_means(fit: Fit, name: str) -> Floats:
    """Posterior mean of a quantity of every site, shape (S,)."""
    return np.asarray(site_draws(fit, SITE_EFFECTS, name).mean(axis=0))
