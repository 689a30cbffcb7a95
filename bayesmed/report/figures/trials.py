"""Pictures of one trial: effects, estimators beside each other, predictions of its statistics."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bayesmed.core.names import CHAIN, DRAW
from bayesmed.core.types import Floats
from bayesmed.report.figures import style
from bayesmed.report.plain import shortened
from bayesmed.report.trials.names import statistic_label, statistics

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesmed.effects import TrialComparison
    from bayesmed.effects.trials.comparison import TrialRow
    from bayesmed.inference import TrialFit

__all__ = ["MOST_STATISTICS", "Panel", "trial_comparison", "trial_effects", "trial_predictive"]

WIDE = (0.025, 0.25, 0.5, 0.75, 0.975)
MOST_STATISTICS = 40
WILD = 8.0
"""An interval this many times as wide as the median one of its panel leaves the picture."""
LABEL, NARROW, TITLE = 40, 50, 64
"""Characters of a line."""
LINE, GAP = 0.15, 0.16
"""Inches of a line of a label, and between labels."""


class Panel(NamedTuple):
    """Effects in one unit.

    Attributes
    ----------
    unit
        What the axis shows, in words.
    labels, entries
        What each effect is, and which arm it belongs to; empty where it has none.
    draws
        (n,) posterior draws of each.
    """

    unit: str
    labels: list[str]
    entries: list[str]
    draws: list[Floats]


def trial_effects(panels: Sequence[Panel]) -> Figure:
    """Draw medians, 50 % and 95 % intervals of effects, a panel for each unit."""
    with style.drawing():
        texts = [list(map(_label, panel.labels, panel.entries)) for panel in panels]
        grid = _stacked(texts, 0.62)
        for axes, panel, own in zip(grid, panels, texts, strict=True):
            low, left, middle, right, high = np.array(
                [np.nanquantile(draws, WIDE) for draws in panel.draws]
            ).T
            y = _rows(axes, own)
            blue = style.POSTERIOR
            axes.axvline(0, color=style.MUTED, linewidth=0.8, zorder=1)
            axes.hlines(y, left, right, color=blue, linewidth=3.2)
            low, high = _in_view(axes, y, (low, middle, high), [blue] * len(own))
            axes.hlines(y, low, high, color=blue, linewidth=1.1)
            style.points(axes, middle, y, "o", blue, 6, "_", crowded=False)
            axes.set_xlabel(style.axis_label(panel.unit))
    return grid[0].figure  # type: ignore[return-value]  # no sub-figures


def trial_comparison(found: TrialComparison) -> Figure:
    """Draw the estimates of every effect with their intervals, the posterior in blue."""
    shown = [row for row in found.rows if math.isfinite(row.estimate)]
    effects = list(dict.fromkeys(row.effect for row in shown))
    every = [
        sorted((row for row in shown if row.effect == effect), key=lambda row: row.entry)
        for effect in effects
    ]
    with style.drawing():
        texts = [[_estimator(row) for row in rows] for rows in every]
        grid = _stacked(texts or [["nothing to show"]], 0.62)
        for axes, effect, rows, own in zip(grid, effects, every, texts, strict=False):
            words = found.labels.get(effect, effect)
            axes.set_title(_label(words[:1].upper() + words[1:], width=TITLE))
            axes.axvline(0, color=style.MUTED, linewidth=0.8, zorder=1)
            _estimates(axes, _rows(axes, own), rows)
    return grid[0].figure  # type: ignore[return-value]  # no sub-figures


def _estimator(row: TrialRow) -> str:
    return _label(f"Arm {row.entry}: {row.estimator}" if row.entry else row.estimator)


def _estimates(axes: Axes, y: Floats, rows: Sequence[TrialRow]) -> None:
    """Draw points and intervals."""
    at, low, high = np.array([[row.estimate, row.low, row.high] for row in rows]).T
    colours = [style.POSTERIOR if r.estimator == "Posterior" else style.ESTIMATE for r in rows]
    low, high = _in_view(axes, y, (low, at, high), colours)
    for i, colour in enumerate(colours):
        if math.isfinite(high[i] - low[i]):
            axes.hlines(y[[i]], low[[i]], high[[i]], color=colour, linewidth=1.4)
        style.points(axes, at[[i]], y[[i]], "o", colour, 5.5, "_", crowded=False)


def trial_predictive(fit: TrialFit) -> Figure:
    """Draw observed statistics in the intervals predicted for them, each about its own middle."""
    names, observed, predicted = _statistics(fit)
    kept = np.linspace(0, len(names) - 1, min(len(names), MOST_STATISTICS)).round().astype(int)
    observed, predicted = observed[kept], predicted[kept]
    with style.drawing():
        texts = [_label(names[i], width=NARROW, lines=2) for i in kept]
        (axes,) = _stacked([texts], 0.7, gap=0.05)
        middle = np.nanmedian(predicted, axis=1)
        spread = np.nanstd(predicted, axis=1)
        spread = np.where(spread > 0, spread, 1.0)
        low, high = (np.nanquantile(predicted, [0.025, 0.975], axis=1) - middle) / spread
        y = _rows(axes, texts, gap=0.05)
        axes.hlines(y, low, high, color=style.POSTERIOR, linewidth=3.2, alpha=0.4)
        at = (observed - middle) / spread
        style.points(axes, at, y, "o", style.ESTIMATE, 5, "_", crowded=False)
        axes.axvline(0, color=style.MUTED, linewidth=0.8, zorder=1)
        axes.set_xlabel("from the median prediction, in standard deviations")
    return axes.figure  # type: ignore[return-value]  # no sub-figures


def _statistics(fit: TrialFit) -> tuple[list[str], Floats, Floats]:
    """Names, observed values and predictions (statistics, draws)."""
    new = fit.tree["posterior_predictive"].to_dataset()
    names: list[str] = []
    seen: list[float] = []
    drawn: list[Floats] = []
    for name, labels, value in statistics(fit):
        draws = np.asarray(new[name].sel(labels).transpose(CHAIN, DRAW)).ravel()
        if np.isfinite(value) and np.isfinite(draws).sum() > 10:
            names.append(statistic_label(fit, name, labels))
            seen.append(value)
            drawn.append(draws)
    return names, np.array(seen), np.array(drawn)


def _label(text: str, entry: str = "", *, width: int = LABEL, lines: int = 3) -> str:
    """Return words in a few lines; the middle of longer ones goes, the entry stays."""
    tail = f", {shortened(entry, width)}" if entry else ""
    whole = shortened(text, max(width, lines * (width - 6) - len(tail))) + tail
    bound = re.sub(r"\b(arm|type) (?=\S)", "\\1\u00a0", whole)
    return "\n".join(textwrap.wrap(bound, width))


def _stacked(texts: Sequence[Sequence[str]], around: float, gap: float = GAP) -> list[Axes]:
    """Return panels below each other, as high as their labels need, in a figure."""
    heights = [float(_heights(own, gap).sum()) for own in texts]
    figure = style.new_figure(sum(heights) + around * len(texts))
    grid = figure.subplots(len(texts), 1, squeeze=False, height_ratios=heights)
    return list(grid.ravel())


def _heights(labels: Sequence[str], gap: float) -> Floats:
    """Inches of the row of each label."""
    return np.array([gap + LINE * (1 + label.count("\n")) for label in labels])


def _rows(axes: Axes, labels: Sequence[str], gap: float = GAP) -> Floats:
    """Name rows from the top, each as high as its label, and return where they are."""
    height = _heights(labels, gap)
    y: Floats = height.sum() - np.cumsum(height) + height / 2
    axes.set_yticks(y, labels)
    axes.set_ylim(0, float(height.sum()))
    axes.margins(x=0.04)
    style.light_grid(axes, "x")
    axes.spines["left"].set_visible(False)
    return y


def _in_view(
    axes: Axes, y: Floats, intervals: tuple[Floats, Floats, Floats], colours: Sequence[str]
) -> tuple[Floats, Floats]:
    """Return ends of intervals to draw; those much wider than others, or endless, get arrows."""
    low, at, high = intervals
    width = high - low
    finite = np.isfinite(width)
    typical = np.quantile(width[finite], 0.5, method="lower") if finite.any() else 0.0
    wild = np.isinf(width) | (finite & (width > WILD * typical))
    if not wild.any():
        return low, high
    kept = np.isinf(width) | (finite & ~wild)
    shown = np.concatenate([at, low[kept], high[kept], [0.0]])
    shown = shown[np.isfinite(shown)]
    margin = 0.15 * (float(np.ptp(shown)) or 1.0)
    left, right = float(shown.min()) - margin, float(shown.max()) + margin
    axes.set_xlim(left, right)
    for i in np.flatnonzero(wild).tolist():
        for beyond, edge, mark in ((low[i] < left, left, "<"), (high[i] > right, right, ">")):
            if beyond:
                axes.plot([edge], [y[i]], mark, color=colours[i], markersize=6, clip_on=False)
    return np.maximum(low, left), np.minimum(high, right)
