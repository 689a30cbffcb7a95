"""The picture of the question: total effects over mediator effects, site by site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmed.classical import ols
from bayesmed.core.names import INDIRECT_EFFECT, MEDIATOR_EFFECT, SITE_EFFECTS, TOTAL_EFFECT
from bayesmed.core.types import Floats, Integers
from bayesmed.inference import Fit
from bayesmed.report.figures import style
from bayesmed.report.figures.columns import evenly, site_means
from bayesmed.report.figures.curve import band, curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BARS = 120
MOST_VECTORS = 1000
LINES = 50
POINTS = 60
Z = 1.96
NOISY = 3.0  # times the median standard error: longer bars may leave the picture


def site_scatter(fit: Fit) -> Figure:
    """Draw estimates with both error bars, shrunken estimates, and posterior lines."""
    mediators = range(fit.data.n_mediators)
    with style.drawing():
        figure = style.new_figure(0.6 + 4.3 * len(mediators))
        grid = figure.subplots(len(mediators), 1, squeeze=False).ravel()
        for axes, mediator in zip(grid, mediators, strict=True):
            draw_site_scatter(axes, fit, mediator)
        style.legend_above(figure, grid[0], columns=3)
    return figure


def draw_site_scatter(axes: Axes, fit: Fit, mediator: int = 0) -> None:
    """Draw the picture of one mediator into axes, what runs through others taken off."""
    x, y = fit.data.mediator_effect[:, mediator], fit.data.total_effect - others(fit, mediator)
    x_se, y_se = fit.data.mediator_se[:, mediator], fit.data.total_effect_se
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
    _shrunken(axes, fit, mediator, (x, y), size, crowded=crowded)
    _lines(axes, fit, mediator, np.array(x_limits))
    if fit.data.n_mediators == 1:
        _least_squares(axes, fit, np.array(x_limits))
    _name_axes(axes, fit, mediator)


def _name_axes(axes: Axes, fit: Fit, mediator: int) -> None:
    name, outcome = style.name(fit.data.mediators[mediator]), style.name(fit.data.outcome)
    axes.set_xlabel(style.axis_label(f"Effect of treatment on {name} (γ)"))
    total = f"Total effect on {outcome} (β)"
    about = total if fit.data.n_mediators == 1 else f"Effect on {outcome} not through others"
    axes.set_ylabel(style.axis_label(about, 44))


def others(fit: Fit, mediator: int) -> Floats:
    """Posterior mean of what runs through the other mediators at each site, shape (S,)."""
    indirect = site_means(fit, SITE_EFFECTS, INDIRECT_EFFECT)
    return np.asarray(indirect.sum(axis=1) - indirect[:, mediator])


def barred(x: Floats) -> Integers:
    """Return the sites whose error bars are drawn: all, or some spread by mediator effect."""
    return np.argsort(x, kind="stable")[evenly(x.size, MOST_BARS)]


def limits(estimate: Floats, se: Floats) -> tuple[float, float]:
    """Return the ends of an axis that shows every estimate and the bars of all but noisy sites."""
    reach = Z * np.minimum(se, NOISY * np.median(se))
    low, high = float((estimate - reach).min()), float((estimate + reach).max())
    margin = 0.05 * ((high - low) or abs(high) or 1.0)
    return low - margin, high + margin


def _lines(axes: Axes, fit: Fit, mediator: int, ends: Floats) -> None:
    """Posterior lines thin, their median thick; where slopes vary, where sites lie around it."""
    bent, varies = fit.model.slope == "polynomial", fit.model.slope != "constant"
    x = np.linspace(ends[0], ends[1], POINTS)
    heights = curve(fit, mediator, x)
    some = evenly(heights.shape[0], LINES)
    at = slice(None) if bent else [0, -1]
    faint = [list(zip(x[at], row[at], strict=True)) for row in heights[some]]
    word = "curve" if bent else "line"
    label = f"Posterior draws of the {word}"
    style.segments(axes, faint, style.POSTERIOR, label=label, alpha=0.16, linewidth=0.9)
    middle = np.median(heights, axis=0)
    axes.plot(
        x, middle, color=style.POSTERIOR, linewidth=2, label="Posterior median at each γ", zorder=2
    )
    if varies:
        low, high = band(fit, mediator, x)
        label = "95 % of true total effects"
        axes.fill_between(
            x, low, high, color=style.POSTERIOR, alpha=0.1, linewidth=0, label=label, zorder=0
        )


def _least_squares(axes: Axes, fit: Fit, ends: Floats) -> None:
    found = ols(fit.data, intercept=fit.model.direct_effect)
    if found.defined:
        start = found.intercept if fit.model.direct_effect else 0.0
        axes.plot(
            ends,
            start + found.slope[0] * ends,
            color=style.MUTED,
            linewidth=1.3,
            linestyle=(0, (4, 3)),
            zorder=2,
            label="Least squares (OLS)",
        )


def _shrunken(
    axes: Axes,
    fit: Fit,
    mediator: int,
    estimates: tuple[Floats, Floats],
    size: float,
    *,
    crowded: bool,
) -> None:
    """Posterior means of the sites, each tied to its estimate."""
    x, y = estimates
    own = site_means(fit, SITE_EFFECTS, MEDIATOR_EFFECT)[:, mediator]
    total = site_means(fit, SITE_EFFECTS, TOTAL_EFFECT) - others(fit, mediator)
    if not crowded:
        ties = [[(x[i], y[i]), (own[i], total[i])] for i in barred(x)]
        style.segments(axes, ties, style.MUTED, linewidth=0.7, zorder=4)
    label = "Posterior mean of the site"
    style.points(axes, own, total, "D", style.POSTERIOR, 0.85 * size, label, crowded)
