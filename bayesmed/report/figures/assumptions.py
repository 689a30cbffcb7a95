"""Posteriors over an assumption that is held at values: curves along one, a map over two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bayesmed.core.types import Floats
from bayesmed.report.figures import style
from bayesmed.studies.sensitivity.tipping import INTERVAL, SIGN

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Curve", "assumption_curves", "assumption_map"]

HEIGHT = 3.1  # inches of a panel
FINE = 400
# Over a map, whose colours are the same in light and dark mode; none of them is a style variable.
OVER = "#222222"
NEGATIVE, NONE, POSITIVE = "#b35806", "#f7f7f7", "#2166ac"


class Curve(NamedTuple):
    """One quantity over one assumption.

    Attributes
    ----------
    title
        The quantity in words.
    rows
        Its estimates in the order of the axis, a column ``x`` with the values.
    tipping
        Its rows of `AssumptionSensitivity.tipping`.
    beside
        The same of what stands in its place where the assumption is not needed; or None.
    """

    title: str
    rows: pd.DataFrame
    tipping: pd.DataFrame
    beside: pd.DataFrame | None = None


def assumption_curves(
    curves: Sequence[Curve], label: str, reference: float, *, fitted: bool = True
) -> Figure:
    """Draw medians with 50 % and 95 % bands, and hatch where the conclusion is another one.

    Parameters
    ----------
    curves
        One or a few quantities in one unit, a panel for each.
    label
        The assumption in words.
    reference
        Its value with which others are compared.
    fitted
        Whether it is that of the fit, to be marked.
    """
    across = min(len(curves), 2)
    down = -(-len(curves) // across)
    with style.drawing():
        figure = style.new_figure(0.5 + HEIGHT * down)
        grid = figure.subplots(down, across, sharex=True, sharey=across > 1, squeeze=False)
        for axes in grid.ravel()[len(curves) :]:
            axes.set_visible(False)
        for axes, curve in zip(grid.ravel(), curves, strict=False):
            _bands(axes, curve)
            _turns(axes, curve, reference)
            if fitted:
                line: dict[str, Any] = {"linewidth": 0.9, "linestyle": (0, (1, 2))}
                axes.axvline(reference, color=style.MUTED, label="as fitted", **line)
            axes.margins(x=0.02)
            axes.set_title(style.axis_label(curve.title, 40 if across > 1 else 70))
            axes.set_xlabel(style.axis_label(label, 40 if across > 1 else 64))
            style.light_grid(axes, "both")
            style.few_ticks(axes)
        style.legend_above(figure, grid[0][0], columns=2)
    return figure


def _bands(axes: Axes, curve: Curve) -> None:
    rows, blue = curve.rows, style.POSTERIOR
    x = rows["x"].to_numpy(dtype=float)
    wide = ("q2.5", "q97.5", 0.15, "95 % and 50 % intervals"), ("q25", "q75", 0.3, "_")
    for low, high, alpha, words in wide:
        axes.fill_between(
            x, rows[low], rows[high], color=blue, alpha=alpha, linewidth=0, label=words
        )
    axes.plot(x, rows["q50"], color=blue, linewidth=1.6, label="median")
    good = rows["converged"].astype(bool).to_numpy()
    for mark, face in ((good, blue), (~good, style.PAPER)):
        dots: dict[str, Any] = {"markersize": 4.2, "markeredgecolor": blue, "linestyle": "none"}
        words = "not converged" if face == style.PAPER and mark.any() else "_"
        axes.plot(x[mark], rows["q50"][mark], "o", color=face, label=words, zorder=4, **dots)
    if curve.beside is not None:
        axes.plot(
            curve.beside["x"],
            curve.beside["q50"],
            color=style.PRIOR,
            linewidth=1.4,
            linestyle=(0, (4, 2)),
            label="median as instrumental variables have it",
        )


def _turns(axes: Axes, curve: Curve, reference: float) -> None:
    """Mark 0, where the conclusion is another one, and where it turns."""
    axes.axhline(0, color=style.MUTED, linewidth=0.9, zorder=1)
    good = curve.rows[curve.rows["converged"].astype(bool)]
    if not good.empty:
        known, low, high = good[["x", "q2.5", "q97.5"]].to_numpy(dtype=float).T
        x, other = changed(known, low, high, reference)
        axes.fill_between(
            x,
            0,
            1,
            where=other.tolist(),
            transform=axes.get_xaxis_transform(),
            facecolor="none",
            edgecolor=style.ESTIMATE,
            hatch="///",
            linewidth=0,
            alpha=0.35,
            zorder=0,
            label="conclusion of the 95 % interval differs" if other.any() else "_",
        )
    for kind, mark, words in (
        (INTERVAL, "D", "the interval begins, or ceases, to include 0"),
        (SIGN, "X", "the median changes sign"),
    ):
        own = curve.tipping[curve.tipping["conclusion"] == kind]
        at = own[["below", "above"]].to_numpy(dtype=float).ravel()
        at = at[np.isfinite(at)]
        dots: dict[str, Any] = {"markersize": 7, "markeredgecolor": style.PAPER, "zorder": 6}
        label = words if at.size else "_"
        axes.plot(at, 0 * at, mark, color=style.ESTIMATE, linestyle="none", label=label, **dots)


def changed(x: Floats, low: Floats, high: Floats, reference: float) -> tuple[Floats, Any]:
    """Return fine values, and where the interval says another thing about 0 than at the reference.

    Ends of intervals are taken to lie on straight lines between values.

    Examples
    --------
    >>> x = np.array([0.0, 1.0])
    >>> fine, other = changed(x, np.array([1.0, -1.0]), np.array([2.0, 2.0]), 0.0)
    >>> float(fine[other].min().round(2))
    0.5
    """
    fine = np.unique(np.concatenate([np.linspace(x[0], x[-1], FINE), x]))
    below, above = np.interp(fine, x, low), np.interp(fine, x, high)
    at = x[np.argmin(np.abs(x - reference))]
    side = (below > 0).astype(int) - (above < 0).astype(int)
    return fine, side != side[np.flatnonzero(fine == at)[0]]


def assumption_map(
    rows: pd.DataFrame, title: str, labels: tuple[str, str], fitted: tuple[float, float] | None
) -> Figure:
    """Draw medians over two assumptions, hatched where the 95 % interval includes 0.

    Parameters
    ----------
    rows
        Estimates with columns ``x`` and ``y``, every combination of their values or some.
    title
        The quantity in words.
    labels
        The assumptions in words, across and up.
    fitted
        Their values in the fit; None where it has none.
    """
    from matplotlib.colors import CenteredNorm, LinearSegmentedColormap

    x, y = (np.unique(rows[c].to_numpy(dtype=float)) for c in ("x", "y"))
    median, apart = (np.full((len(y), len(x)), np.nan) for _ in range(2))
    good = rows[rows["converged"].astype(bool)]
    at = np.searchsorted(y, good["y"]), np.searchsorted(x, good["x"])
    median[at] = good["q50"]
    apart[at] = np.maximum(good["q2.5"], -good["q97.5"])
    colours = LinearSegmentedColormap.from_list("sign", [NEGATIVE, NONE, POSITIVE])
    with style.drawing():
        figure = style.new_figure(4.6)
        axes = figure.subplots()
        drawn = axes.pcolormesh(
            x, y, median, shading="nearest", cmap=colours, norm=CenteredNorm(), rasterized=True
        )
        bar = figure.colorbar(drawn, ax=axes, label=style.axis_label(f"Median: {title}", 44))
        bar.outline.set_visible(False)
        if min(len(x), len(y)) > 1 and not good.empty:
            _contours(axes, x, y, _filled(median, x), _filled(apart, x))
        bad = rows[~rows["converged"].astype(bool)]
        dots: dict[str, Any] = {"linestyle": "none", "clip_on": False}
        axes.plot(bad["x"], bad["y"], "x", markersize=8, color=style.MUTED, **dots)
        if fitted is not None:
            axes.plot([fitted[0]], [fitted[1]], "*", markersize=13, color=OVER, **dots)
        axes.set_xlabel(style.axis_label(labels[0]))
        axes.set_ylabel(style.axis_label(labels[1], 40))
        style.few_ticks(axes)
        axes.tick_params(length=0)
    return figure


def _filled(values: Floats, x: Floats) -> Floats:
    """Return values with what is missing on straight lines between its neighbours across."""
    found = values.copy()
    for row in found:
        known = np.isfinite(row)
        if known.any():
            row[~known] = np.interp(x[~known], x[known], row[known])
    return found


def _contours(axes: Axes, x: Floats, y: Floats, median: Floats, apart: Floats) -> None:
    """Hatch where the interval includes 0, and draw lines where that and the sign change."""
    low, high = np.nanmin(apart), np.nanmax(apart)
    if low <= 0:
        axes.contourf(
            x,
            y,
            apart,
            levels=[low - 1.0, 0.0],
            colors="none",
            hatches=["//"],
        )
        for drawn in axes.collections[1:]:
            drawn.set_edgecolor(OVER)
            drawn.set_linewidth(0.0)
    if low < 0 < high:
        axes.contour(x, y, apart, levels=[0.0], colors=OVER, linewidths=1.6)
    if np.nanmin(median) < 0 < np.nanmax(median):
        axes.contour(x, y, median, levels=[0.0], colors=OVER, linewidths=1.1, linestyles="dashed")
