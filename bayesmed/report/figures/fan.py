"""How sites fan out: total effects over the effect on a mediator, where slopes differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmed.core.types import Floats
from bayesmed.effects.along_mediator import along_mediator
from bayesmed.effects.partial_effects import partial_effects
from bayesmed.inference import Fit
from bayesmed.report.figures import style
from bayesmed.report.figures.site_scatter import (
    DRAWN,
    MOST_VECTORS,
    bars,
    frame,
    name_axes,
)

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 40
ROOM = 0.35  # of the height of the estimates, above and below
# Of one mediator, what holds so much of all sites; of several, what their own slopes spread.
ONE = (
    ("sites", 0.025, 0.975, 0.12, "95 % of true effects"),
    ("sites", 0.25, 0.75, 0.26, "50 % of true effects"),
)
SEVERAL = (
    ("sites", 0.025, 0.975, 0.12, "95 % of true effects"),
    ("own", 0.025, 0.975, 0.2, "95 % were the other slopes equal"),
)


def fan(fit: Fit) -> Figure:
    """Draw estimates over the spread of sites that the posterior predicts at each effect.

    Reardon's (2016) picture of intent-to-treat effects over compliance; with several mediators a
    panel for each, what runs through the others taken off.
    """
    found = partial_effects(fit)
    with style.drawing():
        figure = style.new_figure(0.7 + 3.8 * fit.data.n_mediators)
        grid = figure.subplots(fit.data.n_mediators, 1, squeeze=False).ravel()
        for mediator, axes in enumerate(grid):
            _panel(axes, fit, found.isel(mediator=mediator), mediator)
        style.legend_above(figure, grid[0], columns=3)
    return figure


def _panel(axes: Axes, fit: Fit, own: xr.Dataset, mediator: int) -> None:
    x, y, x_se, y_se = (np.asarray(own[name]) for name in DRAWN)
    ends = frame(axes, (x, x_se), (y, y_se), origin=True)
    crowded = x.size > MOST_VECTORS
    size = 3.0 if crowded else max(3.5, 6.0 - x.size / 50)
    bars(axes, (x, x_se), (y, y_se))
    style.points(axes, x, y, "o", style.ESTIMATE, size, "Estimate, 95 % intervals", crowded)
    at = np.linspace(*ends, POINTS)
    spread = along_mediator(fit, mediator, at)
    _bands(axes, spread, SEVERAL if fit.data.n_mediators > 1 else ONE)
    middle = spread["line"].sel(quantile=0.5).values
    label = "Posterior median of the line"
    axes.plot(at, middle, color=style.POSTERIOR, linewidth=2, label=label, zorder=2)
    if "estimates" in spread:
        for q, label in ((0.025, "95 % of estimates"), (0.975, "_")):
            axes.plot(
                at,
                spread["estimates"].sel(quantile=q).values,
                color=style.ESTIMATE,
                linewidth=1.2,
                linestyle=(0, (4, 3)),
                label=label,
                zorder=2,
            )
    inside = (at >= x.min()) & (at <= x.max())
    _make_room(axes, spread["sites"].sel(quantile=[0.025, 0.975]).values[:, inside])
    name_axes(axes, fit, mediator)


def _bands(
    axes: Axes, spread: xr.Dataset, bands: tuple[tuple[str, float, float, float, str], ...]
) -> None:
    for name, low, high, alpha, label in bands:
        axes.fill_between(
            spread["x"].values,
            *spread[name].sel(quantile=[low, high]).values,
            color=style.POSTERIOR,
            alpha=alpha,
            linewidth=0,
            label=label,
            zorder=0,
        )


def _make_room(axes: Axes, band: Floats) -> None:
    """Show the band where there are sites, unless that would make the estimates small."""
    low, high = axes.get_ylim()
    room = ROOM * (high - low)
    ends = np.concatenate([band.ravel(), [low, high]])
    axes.set_ylim(max(ends.min(), low - room), min(ends.max(), high + room))
