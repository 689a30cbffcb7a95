"""What was assumed of each parameter, and what the data made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bayesmed.core.names import CORRELATIONS
from bayesmed.core.types import Floats
from bayesmed.inference import Fit, TrialFit, is_trial
from bayesmed.inference.entries import entries
from bayesmed.priors import Prior
from bayesmed.report.figures import style
from bayesmed.report.words import parameter_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 2
POINTS = 180
MOST = 60


def prior_posterior(fit: Fit | TrialFit) -> Figure:
    """Draw the density of every parameter before and after the data."""
    shown = entries(fit.tree["posterior"].to_dataset())
    if is_trial(fit):  # of types there may be hundreds of numbers
        shown = [e for e in shown if e.name in fit.model.parameters][:MOST]
    before = {e.key: np.asarray(e.values).ravel() for e in entries(fit.tree["prior"].to_dataset())}
    rows = -(-len(shown) // COLUMNS)
    priors: dict[str, Prior] = cast("Any", fit.model).priors_for(fit.data)
    with style.drawing():
        figure = style.new_figure(0.55 + 1.75 * rows)
        grid = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
        for axes, entry in zip(grid, shown, strict=False):
            draws, prior = np.asarray(entry.values, dtype=float), priors.get(entry.key)
            ends = (-np.inf, np.inf) if prior is None else prior.support
            # Correlations have a prior of no choice.
            support = (-1.0, 1.0) if entry.name in CORRELATIONS else ends
            _panel(axes, draws, before[entry.key], prior, support)
            label = parameter_label(fit, entry.name, entry.labels)
            axes.set_title(style.axis_label(label, 46))
        for axes in grid[len(shown) :]:
            axes.set_visible(False)
        style.legend_above(figure, grid[0], columns=2)
    return figure


def _panel(
    axes: Axes, draws: Floats, before: Floats, prior: Prior | None, support: tuple[float, float]
) -> None:
    low, high = window(draws.ravel(), before, support)
    x = np.linspace(low, high, POINTS)
    after = density(draws.ravel(), x, support)
    axes.fill_between(x, after, color=style.POSTERIOR, alpha=0.3, linewidth=0, zorder=2)
    axes.plot(x, after, color=style.POSTERIOR, linewidth=1.6, label="Posterior", zorder=3)
    if prior is None:
        expected = density(before, x, support)
    else:
        with np.errstate(divide="ignore", over="ignore"):
            expected = np.exp(prior.log_density(x))
    dashed = {"color": style.PRIOR, "linewidth": 1.6, "linestyle": (0, (4, 2)), "zorder": 4}
    axes.plot(x, np.where(np.isfinite(expected), expected, np.nan), label="Prior", **dashed)  # type: ignore[arg-type]
    axes.set_yticks([])
    axes.set_ylim(0, 1.12 * (float(after.max()) or 1.0))
    axes.set_xlim(low, high)
    style.light_grid(axes, "x")
    style.few_ticks(axes)
    axes.spines["left"].set_visible(False)


def window(posterior: Floats, prior: Floats, support: tuple[float, float]) -> tuple[float, float]:
    """Return the ends of a panel: the posterior, and as much of the prior as leaves it visible."""
    low, high = np.quantile(posterior, [0.001, 0.999])
    room = 1.2 * ((high - low) or abs(high) or 1.0)
    from_prior = np.quantile(prior, [0.01, 0.99])
    left = min(low, max(from_prior[0], low - room))
    right = max(high, min(from_prior[1], high + room))
    margin = 0.02 * ((right - left) or 1.0)
    return float(max(left - margin, support[0])), float(min(right + margin, support[1]))


def density(draws: Floats, x: Floats, support: tuple[float, float]) -> Floats:
    """Return a smoothed density of draws at evenly spaced x.

    At a finite end of the support the draws are mirrored, so that no density leaks across it.
    """
    spread = float(np.subtract(*np.quantile(draws, [0.75, 0.25]))) / 1.34
    sd = float(np.std(draws))
    if sd == 0:
        return np.zeros_like(x)
    # Silverman's rule with the robust spread, so that long tails do not smooth two modes into one.
    width = max(1.06 * (min(sd, spread) or sd) * draws.size**-0.2, 1e-3 * float(x[-1] - x[0]))
    ends = [end for end in support if np.isfinite(end)]
    mirrored = np.concatenate([draws, *(2 * end - draws for end in ends)])
    edges = np.linspace(x[0] - 4 * width, x[-1] + 4 * width, 1500)
    counts, _ = np.histogram(mirrored, bins=edges)
    middle = (edges[1:] + edges[:-1]) / 2
    kept = counts > 0
    z = (x[:, None] - middle[kept]) / width
    scale = draws.size * width * np.sqrt(2 * np.pi)
    return np.asarray(np.exp(-0.5 * z**2) @ counts[kept] / scale)
