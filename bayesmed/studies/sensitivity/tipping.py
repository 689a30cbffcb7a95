"""Where along an assumption a conclusion changes, between the values that were tried."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bayesmed.core.types import Floats
from bayesmed.studies.sensitivity.conclusions import END_NOISE, MEDIAN_NOISE, NOISES

if TYPE_CHECKING:
    import pandas as pd

INTERVAL, SIGN = "interval", "sign"
COLUMNS = (
    "axis", "quantity", "entry", "conclusion", "reference", "at_reference", "below", "above",
    "clear",
)  # fmt: skip


class Line(NamedTuple):
    """Estimates of one quantity in the order of an axis, and where the reference is among them.

    ``x``, ``low``, ``middle``, ``high`` and ``noise`` (Monte Carlo standard error of the mean) have
    shape (values,).
    """

    x: Floats
    low: Floats
    middle: Floats
    high: Floats
    noise: Floats
    start: int


# From one value to the next: the estimates that are on either side of 0, None without a change.
type Crossing = Callable[[int, int], Floats | None]


def tipping_points(
    grid: pd.DataFrame,
    axes: Sequence[str],
    reference: Mapping[str, float],
    quantities: Sequence[str],
) -> pd.DataFrame:
    """Return where conclusions change; `AssumptionSensitivity.tipping` says what comes of it.

    Parameters
    ----------
    grid
        Estimates where every axis is held at a value: a column for each axis, quantity, entry,
        q2.5, q50, q97.5, mc_error, converged.
    axes
        None, one or two names.
    reference
        From where to look, by axis; the nearest converged value is taken.
    quantities
        What conclusions are about.
    """
    import pandas as pd

    rows = []
    told = grid[grid["quantity"].isin(quantities) & grid["converged"].astype(bool)]
    for (quantity, entry), own in told.groupby(["quantity", "entry"], sort=False):
        for axis in axes:
            line = _line(own, axis, reference)
            rows += [(axis, quantity, entry, *found) for found in _along(line)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _line(own: pd.DataFrame, axis: str, reference: Mapping[str, float]) -> Line:
    """Return the estimates along one axis, the other one at its reference."""
    for other, wanted in reference.items():
        if other != axis:
            own = own[own[other] == _nearest(own[other], wanted)]
    names = (axis, "q2.5", "q50", "q97.5", "mc_error")
    x, low, middle, high, noise = own.sort_values(axis)[list(names)].to_numpy(dtype=float).T
    start = int(np.flatnonzero(x == _nearest(x, reference[axis]))[0])
    return Line(x, low, middle, high, np.nan_to_num(noise), start)


def _nearest(values: Any, wanted: float) -> float:
    """Return the value that is nearest to one."""
    found = np.asarray(values, dtype=float)
    return float(found[np.argmin(np.abs(found - wanted))])


def _along(line: Line) -> list[tuple[Any, ...]]:
    """Return a row for each conclusion."""
    start = line.start
    outside = line.low[start] > 0 or line.high[start] < 0
    found = []
    for conclusion, words, crossing, noise in (
        (INTERVAL, "excludes 0" if outside else "includes 0", _of_interval(line), END_NOISE),
        (SIGN, "positive" if line.middle[start] > 0 else "negative", _of_sign(line), MEDIAN_NOISE),
    ):
        ends = [_first(line, crossing, step, NOISES * noise) for step in (-1, 1)]
        clear = all(is_clear for _, is_clear in ends)
        found.append((conclusion, float(line.x[start]), words, *(at for at, _ in ends), clear))
    return found


def _first(line: Line, crossing: Crossing, step: int, noises: float) -> tuple[float, bool]:
    """Return where something crosses 0 first, going one way, NaN where it never does.

    Also whether the estimates move from the reference by more than Monte Carlo error explains, at
    the crossing or anywhere beyond it.
    """
    order = range(line.start, len(line.x) if step > 0 else -1, step)
    for i, j in pairwise(order):
        end = crossing(i, j)
        if end is None:
            continue
        beyond = np.array(order[order.index(j) :])
        noise = noises * np.hypot(line.noise[beyond], line.noise[line.start])
        clear = bool((np.abs(end[beyond] - end[line.start]) > noise).any())
        return float(line.x[i] + (line.x[j] - line.x[i]) * _zero(end[i], end[j])), clear
    return math.nan, True


def _of_sign(line: Line) -> Crossing:
    def crossing(i: int, j: int) -> Floats | None:
        return line.middle if (line.middle[i] > 0) != (line.middle[j] > 0) else None

    return crossing


def _of_interval(line: Line) -> Crossing:
    """Return how to find where an interval begins to include 0, or ceases to."""

    def side(i: int) -> int:
        return int(line.low[i] > 0) - int(line.high[i] < 0)

    def crossing(i: int, j: int) -> Floats | None:
        here, there = side(i), side(j)
        if here == there:
            return None
        # The end that is at 0 first, coming from here.
        return line.low if 1 in (here, there) and here != -1 else line.high

    return crossing


def _zero(here: float, there: float) -> float:
    """Return how far from here to there a straight line is 0."""
    return here / (here - there) if here != there else 0.0
