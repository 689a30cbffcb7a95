"""How estimators did in a simulated study: metrics over the number of sites, or what varies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmed.core.numbers import number
from bayesmed.core.types import Floats
from bayesmed.report.figures import style
from bayesmed.report.figures.columns import evenly
from bayesmed.report.figures.comparison import window

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesmed.studies.simulation import Simulation

PANELS: Mapping[str, str] = {
    "bias": "Bias",
    "rejects": "Interval excludes 0",
    "covers": "Interval covers the truth",
    "median_width": "Median width of the interval",
}
SIZE, POWER = 0.05, 0.8
NOMINAL = {"bias": 0.0, "covers": 0.95}
FIELDS: Mapping[str, str] = {"sites": "Sites", "persons": "Persons a site", "slope": "Slope"}
MOST_FACETS = 3
MARKERS = "osv^Dpx*"


@dataclass(frozen=True)
class Layout:
    """What stands where: along the axis, as lines, in panels of their own."""

    x: str
    series: str
    facets: tuple[str, ...]


def layout(found: Simulation) -> Layout | None:
    """Say what a picture of metrics has along its axis; None where no number varies.

    Examples
    --------
    >>> from bayesmed.studies.simulation import FuDesign, Simulation
    >>> import pandas as pd
    >>> designs = FuDesign(sites=5), FuDesign(sites=10), FuDesign(sites=10, slope=0)
    >>> layout(Simulation(designs, pd.DataFrame(), pd.DataFrame(), ("OLS", "BCES"), 1))
    Layout(x='sites', series='estimator', facets=('slope',))
    """
    numeric = [
        name
        for name in found.varying
        if all(isinstance(getattr(d, name, None), int | float) for d in found.designs)
    ]
    if not numeric:
        return None
    x = "sites" if "sites" in numeric else numeric[0]
    others = [name for name in found.varying if name != x]
    if len(found.estimators) > 1:
        return Layout(x, "estimator", tuple(others))
    series = others.pop(0) if others else "estimator"
    return Layout(x, series, tuple(others))


def performance(found: Simulation) -> Figure:
    """Draw bias, rejections, coverage and width with two Monte Carlo errors; see `layout`."""
    lay, table = layout(found), found.table()
    assert lay is not None
    facets = _facets(table, lay)
    with style.drawing():
        wide = len(facets) > 1
        rows, columns = (len(PANELS), len(facets)) if wide else (2, 2)
        figure = style.new_figure(0.6 + 1.9 * rows)
        grid = figure.subplots(rows, columns, sharex=True, squeeze=False)
        if not wide:
            grid = grid.reshape(len(PANELS), 1)
        for column, (said, part) in enumerate(facets):
            for axes, metric in zip(grid[:, column], PANELS, strict=True):
                _metric(axes, part, lay, metric)
                title = PANELS[metric]
                axes.set_title(f"{title} ({said})" if said else title)
        for axes in grid[-1] if wide else grid[2:, 0]:
            axes.set_xlabel(field(lay.x))
        style.legend_above(figure, grid[0, 0], 3)
    return figure


def field(name: str) -> str:
    """Name a value of a design for an axis.

    Examples
    --------
    >>> field("sites"), field("slope_sd")
    ('Sites', 'Slope sd')
    """
    return FIELDS.get(name, name.replace("_", " ").capitalize())


def said(names: tuple[str, ...], row: Mapping[str, Any]) -> str:
    """Write values of a design.

    Examples
    --------
    >>> said(("sites", "slope"), {"sites": 5, "slope": 2.0})
    'sites 5, slope 2'
    """
    return ", ".join(f"{name.replace('_', ' ')} {_value(row[name])}" for name in names)


def _value(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return number(float(value)) if isinstance(value, int | float | np.number) else str(value)


def _facets(table: pd.DataFrame, lay: Layout) -> list[tuple[str, pd.DataFrame]]:
    if not lay.facets:
        return [("", table)]
    groups = [
        (said(lay.facets, {name: part[name].iloc[0] for name in lay.facets}), part)
        for _, part in table.groupby(list(lay.facets), sort=False)
    ]
    return [groups[i] for i in evenly(len(groups), MOST_FACETS)]


def _metric(axes: Axes, table: pd.DataFrame, lay: Layout, metric: str) -> None:
    names = list(dict.fromkeys(table[lay.series]))
    looks = _looks(names, lay.series == "estimator")
    values = [_line(table[table[lay.series] == name], lay.x, metric) for name in names]
    ticks = sorted(float(t) for t in set(table[lay.x]))
    log = ticks[0] > 0 and ticks[-1] > 5 * ticks[0]
    for i, (name, (x, y, error)) in enumerate(zip(names, values, strict=True)):
        label = name if lay.series == "estimator" else said((lay.series,), {lay.series: name})
        # Beside each other, so that error bars can be told apart.
        aside = 0.006 * (i - (len(names) - 1) / 2)
        at = x * (ticks[-1] / ticks[0]) ** aside if log else x + aside * (ticks[-1] - ticks[0])
        axes.errorbar(at, y, 2 * error, label=style.name(str(label)), **looks[name])
    reference = NOMINAL.get(metric)
    if metric == "rejects":
        reference = SIZE if (table["truth"] == 0).all() else POWER
    if reference is not None:
        axes.axhline(reference, color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    # The last estimator is the posterior: its values decide what the picture shows.
    y, error = (np.concatenate([line[k] for line in reversed(values)]) for k in (1, 2))
    axes.set_ylim(*_ends(metric, y, error, reference == SIZE))
    if log:
        axes.set_xscale("log")
    axes.set_xticks(ticks, [number(t) for t in ticks])
    axes.set_xticks([], minor=True)
    style.light_grid(axes, "y")


def _ends(metric: str, y: Floats, error: Floats, size: bool) -> tuple[float, float]:
    """Return the ends of the vertical axis of a metric."""
    if metric == "rejects" and size:
        return -0.01, max(0.2, min(1.03, 1.1 * float(y.max(initial=0.0))))
    if metric in ("rejects", "covers"):
        return -0.03, 1.03
    low, high = window(y, y - 2 * error, y + 2 * error)
    return (0.0 if metric == "median_width" else low), high


def _line(table: pd.DataFrame, x: str, metric: str) -> tuple[Floats, Floats, Floats]:
    rows = table.sort_values(x)[[x, metric, f"{metric}_error"]].to_numpy(dtype=np.float64)
    rows = rows[np.isfinite(rows[:, 1])]
    return rows[:, 0], rows[:, 1], np.where(np.isfinite(rows[:, 2]), rows[:, 2], 0.0)


def _looks(names: list[Any], estimators: bool) -> dict[Any, Any]:
    """Colours and marks; the last estimator in the colour of posteriors."""
    others = [c for c in style.CHAINS if c != style.POSTERIOR]
    looks = {}
    for i, name in enumerate(reversed(names)):
        main = i == 0
        looks[name] = {
            "color": style.POSTERIOR if main else others[(i - 1) % len(others)],
            "marker": MARKERS[i % len(MARKERS)],
            "linestyle": "-" if main or not estimators else (0, (5, 2)),
            "linewidth": 1.8 if main else 1.1,
            "markersize": 5.0 if main else 4.0,
            "elinewidth": 0.9,
            "zorder": 5 if main else 3,
        }
    return looks
