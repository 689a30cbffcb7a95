"""The picture of the question: total effects over mediator effects, site by site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmed.classical import ols
from bayesmed.core.names import MEDIATOR_EFFECT, MEDIATOR_EFFECT_ESTIMATE
from bayesmed.core.types import Floats, Integers
from bayesmed.effects.along_mediator import along_mediator, line_along, line_draws
from bayesmed.effects.partial_effects import (
    MEDIATOR_EFFECT_SE,
    PARTIAL_EFFECT,
    PARTIAL_EFFECT_ESTIMATE,
    PARTIAL_EFFECT_SE,
    partial_effects,
)
from bayesmed.inference import Fit
from bayesmed.report.figures import style
from bayesmed.report.figures.columns import evenly

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BARS = 120
MOST_VECTORS = 1000
LINES = 50
POINTS = 60
Z = 1.96
DRAWN = (
    MEDIATOR_EFFECT_ESTIMATE,
    PARTIAL_EFFECT_ESTIMATE,
    MEDIATOR_EFFECT_SE,
    PARTIAL_EFFECT_SE,
)
NOISY = 3.0  # times the median standard error: longer bars may leave the picture


def site_scatter(fit: Fit) -> Figure:
    """Draw estimates with both error bars, shrunken estimates, and the line of the posterior.

    With several mediators a panel for each, what runs through the others taken off.
    """
    several = fit.data.n_mediators > 1
    found = partial_effects(fit)
    with style.drawing():
        figure = style.new_figure(0.6 + (3.9 if several else 4.3) * fit.data.n_mediators)
        grid = figure.subplots(fit.data.n_mediators, 1, squeeze=False).ravel()
        for mediator, axes in enumerate(grid):
            draw_site_scatter(axes, fit, found, mediator)
        style.legend_above(figure, grid[0], columns=2 if several else 3)
    return figure


def draw_site_scatter(axes: Axes, fit: Fit, found: xr.Dataset, mediator: int = 0) -> None:
    """Draw the picture of one mediator, from the partial effects of a fit, into axes."""
    own = found.isel(mediator=mediator)
    x, y, x_se, y_se = (np.asarray(own[name]) for name in DRAWN)
    x_limits = frame(axes, (x, x_se), (y, y_se))
    crowded = x.size > MOST_VECTORS
    size = 3.0 if crowded else max(3.5, 6.5 - x.size / 50)
    bars(axes, (x, x_se), (y, y_se))
    style.points(axes, x, y, "o", style.ESTIMATE, size, "Estimate, 95 % intervals", crowded)
    means = np.asarray(own[MEDIATOR_EFFECT]), np.asarray(own[PARTIAL_EFFECT])
    _shrunken(axes, (x, y), means, size, crowded=crowded)
    if fit.data.n_mediators > 1:
        _line_band(axes, fit, mediator, np.array(x_limits))
    else:
        _lines(axes, fit, np.array(x_limits))
        _least_squares(axes, fit, np.array(x_limits))
    name_axes(axes, fit, mediator)


def frame(
    axes: Axes, x: tuple[Floats, Floats], y: tuple[Floats, Floats], *, origin: bool = False
) -> tuple[float, float]:
    """Set limits that show estimates with their errors, and draw grid and axes through zero.

    Returns the ends of the first axis. It includes zero with ``origin``.
    """
    x_limits, y_limits = limits(*x), limits(*y)
    if origin:
        x_limits, y_limits = _with_zero(*x_limits), _with_zero(*y_limits)
    # Only widens: lines and bars that leave the picture are cut, points never are.
    axes.set_xlim(*x_limits)
    axes.set_ylim(*y_limits)
    style.light_grid(axes, "both")
    for draw_line in (axes.axhline, axes.axvline):
        draw_line(0, color=style.MUTED, linewidth=0.8, zorder=1)
    return x_limits


def bars(axes: Axes, x: tuple[Floats, Floats], y: tuple[Floats, Floats]) -> None:
    """Draw the 95 % intervals of estimates, of some where they are many."""
    rows = barred(x[0])
    axes.errorbar(
        x[0][rows],
        y[0][rows],
        xerr=Z * x[1][rows],
        yerr=Z * y[1][rows],
        fmt="none",
        ecolor=style.ESTIMATE,
        elinewidth=0.9,
        alpha=0.75 if rows.size <= 30 else 0.4,
        zorder=3,
    )


def name_axes(axes: Axes, fit: Fit, mediator: int) -> None:
    """Say what is drawn over what."""
    names = [style.name(name) for name in fit.data.mediators]
    total = f"Total effect on {style.name(fit.data.outcome)}"
    about = f"{total} (β)"
    if len(names) > 1:
        rest = names[1 - mediator] if len(names) == 2 else "the others"
        about = f"{total} less what runs through {rest}"
    axes.set_xlabel(style.axis_label(f"Effect of treatment on {names[mediator]} (γ)"))
    axes.set_ylabel(style.axis_label(about, 40))


def barred(x: Floats) -> Integers:
    """Return the sites whose error bars are drawn: all, or some spread by mediator effect."""
    return np.argsort(x, kind="stable")[evenly(x.size, MOST_BARS)]


def limits(estimate: Floats, se: Floats) -> tuple[float, float]:
    """Return the ends of an axis that shows every estimate and the bars of all but noisy sites."""
    reach = Z * np.minimum(se, NOISY * np.median(se))
    low, high = float((estimate - reach).min()), float((estimate + reach).max())
    margin = 0.05 * ((high - low) or abs(high) or 1.0)
    return low - margin, high + margin


def _with_zero(low: float, high: float) -> tuple[float, float]:
    """Widen an axis that leaves out zero, so that zero stands inside it."""
    margin = 0.03 * max(high, -low, high - low)
    return min(low, -margin), max(high, margin)


def _lines(axes: Axes, fit: Fit, ends: Floats) -> None:
    """Posterior lines thin, their median thick; where slopes vary, where sites lie around it."""
    bent, varies = fit.model.slope == "polynomial", fit.model.slope != "constant"
    x = np.linspace(ends[0], ends[1], POINTS)
    heights = line_draws(fit, 0, x)
    some = evenly(heights.shape[0], LINES)
    at = slice(None) if bent or fit.model.related(fit.data) == "effects" else [0, -1]
    faint = [list(zip(x[at], row[at], strict=True)) for row in heights[some]]
    word = "curve" if bent else "line"
    label = f"Posterior draws of the {word}"
    style.segments(axes, faint, style.POSTERIOR, label=label, alpha=0.16, linewidth=0.9)
    middle = np.median(heights, axis=0)
    axes.plot(
        x, middle, color=style.POSTERIOR, linewidth=2, label="Posterior median at each γ", zorder=2
    )
    if varies:
        low, high = along_mediator(fit, 0, x)["sites"].sel(quantile=[0.025, 0.975]).values
        label = "95 % of true total effects"
        axes.fill_between(
            x, low, high, color=style.POSTERIOR, alpha=0.1, linewidth=0, label=label, zorder=0
        )


def _line_band(axes: Axes, fit: Fit, mediator: int, ends: Floats) -> None:
    """Draw the line of one of several mediators with what is known of it."""
    x = np.linspace(ends[0], ends[1], POINTS)
    line = line_along(fit, mediator, x)
    low, middle, high = line.sel(quantile=[0.025, 0.5, 0.975]).values
    label = "Posterior median of the line"
    axes.plot(x, middle, color=style.POSTERIOR, linewidth=2, label=label, zorder=2)
    axes.fill_between(
        x,
        low,
        high,
        color=style.POSTERIOR,
        alpha=0.14,
        linewidth=0,
        label="95 % interval of the line",
        zorder=0,
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
    estimates: tuple[Floats, Floats],
    means: tuple[Floats, Floats],
    size: float,
    *,
    crowded: bool,
) -> None:
    """Posterior means of the sites, each tied to its estimate."""
    (x, y), (own, total) = estimates, means
    if not crowded:
        ties = [[(x[i], y[i]), (own[i], total[i])] for i in barred(x)]
        style.segments(axes, ties, style.MUTED, linewidth=0.7, zorder=4)
    label = "Posterior mean of the site"
    style.points(axes, own, total, "D", style.POSTERIOR, 0.85 * size, label, crowded)
