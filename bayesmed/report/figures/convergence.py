"""Whether the chains found the same posterior."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmed.core.names import CHAIN, CORRELATIONS, DRAW
from bayesmed.core.types import Floats
from bayesmed.inference import Fit, TrialFit
from bayesmed.inference.entries import entries
from bayesmed.report.figures import style
from bayesmed.report.words import parameter_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 2
BINS = 20
MOST = 60


def ranks(fit: Fit | TrialFit) -> Figure:
    """Draw histograms of each chain's ranks among all draws, and the energy of the sampler.

    Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), section 4.3.
    """
    names = (*fit.model.parameters, *CORRELATIONS)
    shown = [e for e in entries(fit.tree["posterior"].to_dataset()) if e.name in names]
    shown = shown[:MOST]
    energy = "sample_stats" in fit.tree.children
    rows = -(-(len(shown) + energy) // COLUMNS)
    with style.drawing():
        figure = style.new_figure(0.5 + 1.5 * rows)
        grid = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
        for axes, entry in zip(grid, shown, strict=False):
            _rank_panel(axes, np.asarray(entry.values, dtype=float))
            label = parameter_label(fit, entry.name, entry.labels)
            axes.set_title(style.axis_label(label, 46))
        if energy:
            _energy_panel(grid[len(shown)], fit)
        for axes in grid[len(shown) + energy :]:
            axes.set_visible(False)
    return figure


def rank_histogram(draws: Floats) -> Floats:
    """Return counts of ranks by chain and bin, shape (chain, bin), relative to even ones.

    Draws of shape (chain, draw) are ranked together.
    """
    flat = draws.ravel()
    rank = np.empty(flat.size)
    rank[np.argsort(flat, kind="stable")] = np.arange(flat.size)
    bins = (rank * BINS / flat.size).astype(np.int64).reshape(draws.shape)
    counts = np.stack([np.bincount(chain, minlength=BINS) for chain in bins])
    return np.asarray(counts * BINS / draws.shape[1], dtype=float)


def _rank_panel(axes: Axes, draws: Floats) -> None:
    edges = np.linspace(0, 1, BINS + 1)
    noise = 1.96 * np.sqrt(BINS / draws.shape[1])
    axes.axhspan(max(0.0, 1 - noise), 1 + noise, color=style.MUTED, alpha=0.15, linewidth=0)
    for i, heights in enumerate(rank_histogram(draws)):
        colour = style.CHAINS[i % len(style.CHAINS)]
        axes.stairs(heights, edges, color=colour, linewidth=1.1, alpha=0.9, baseline=None)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, max(2.0, axes.get_ylim()[1]))
    axes.set_xticks([])
    axes.set_yticks([0, 1])
    style.light_grid(axes, "y")


def _energy_panel(axes: Axes, fit: Fit | TrialFit) -> None:
    """Marginal energy against its steps: where steps are much narrower, tails are missed."""
    energy = np.asarray(fit.tree["sample_stats"]["energy"].transpose(CHAIN, DRAW), dtype=float)
    centred = (energy - energy.mean()).ravel()
    steps = np.diff(energy, axis=1).ravel()
    span = np.quantile(np.concatenate([centred, steps]), [0.002, 0.998])
    for values, colour, word in (
        (centred, style.POSTERIOR, "energy"),
        (steps, style.ESTIMATE, "its steps"),
    ):
        axes.hist(
            values,
            bins=40,
            range=tuple(span),
            density=True,
            histtype="step",
            color=colour,
            linewidth=1.4,
            label=word,
        )
    axes.set_title("Energy of the sampler, and its steps")
    axes.legend(loc="upper right", fontsize=8)
    axes.set_yticks([])
    style.light_grid(axes, "x")
    axes.spines["left"].set_visible(False)
