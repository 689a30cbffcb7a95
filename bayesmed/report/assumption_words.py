"""What a study of assumptions asks and finds, in sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bayesmed.core.names import (
    AVERAGE_SLOPE,
    COMPLIANCE_CORRELATION,
    CORRELATION,
    SLOPE,
    WITHIN_SITE_COVARIANCE,
)
from bayesmed.core.numbers import number
from bayesmed.core.words import joined
from bayesmed.effects import effects
from bayesmed.generative.assumption_axes import DEFIERS, HETEROGENEITY, Axis
from bayesmed.generative.covariate_iv_parameters import DIRECT_MODIFIER, SLOPE_MODIFIER
from bayesmed.inference import is_trial
from bayesmed.report import words
from bayesmed.studies.sensitivity import AssumptionSensitivity
from bayesmed.studies.sensitivity.tipping import INTERVAL, SIGN

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["about", "axis_label", "labels", "reasons", "sentence"]

type Key = tuple[str, str]

REASONS: Mapping[str, str] = {
    CORRELATION: (
        "Sites where treatment moves the mediator more may also be those where it does more by "
        "other ways. The scatter of the estimates shows no trace of that, and no check can find "
        "it: ρ = 0 is an assumption (Fu's first), and what follows says how far it may be wrong."
    ),
    COMPLIANCE_CORRELATION: (
        "Sites where treatment moves the mediator more may be those where the mediator matters "
        "more (Reardon and Raudenbush's assumption vii says not). It bends total effects over "
        "mediator effects, which only many sites show."
    ),
    WITHIN_SITE_COVARIANCE: (
        "Within sites, persons whose mediator moves more may be those for whom it matters more "
        "(Reardon and Raudenbush's assumption vi says not). κ is what that adds to the total "
        "effect of a site; the data cannot tell it from a direct effect."
    ),
    DIRECT_MODIFIER: (
        "A covariate whose product with treatment is an instrument must not change the direct "
        "effect (Small's IV-A2). τ_R, by how much a unit of it does, cannot be told from the slope "
        "but by what several instruments contradict each other in."
    ),
    SLOPE_MODIFIER: (
        "Nor must the covariate change what the mediator does. What the data say of τ_M, by how "
        "much a unit of the covariate changes the slope, comes from the form of the model alone."
    ),
    HETEROGENEITY: (
        "What the mediator does to persons of some types meets no data, so natural effects are "
        "identified in part only. σ_het says how far these effects may lie from the others: at 0 "
        "the natural effects are those that instrumental variables have."
    ),
    DEFIERS: (
        "π is the share of persons in whom the mediator does fall where it is assumed never to; 0 "
        "is monotonicity. Which types they are is left open. Data bound π from above at best."
    ),
}


def reasons(axes: Sequence[Axis]) -> tuple[str, ...]:
    """Return why assumptions are held at values, in sentences."""
    return tuple(REASONS[axis.name.split("[", 1)[0]] for axis in axes)


def axis_label(axis: Axis, *, short: bool = False) -> str:
    """Return an assumption with its unit, as axes of pictures have it."""
    text = axis.symbol if short else words.capital(axis.words)
    return f"{text}, {axis.unit}" if axis.unit else text


def labels(found: AssumptionSensitivity) -> dict[Key, str]:
    """Return the quantities conclusions are about, in words, by name and entry."""
    told = set(found.concluded())
    table = found.table()
    keys = dict.fromkeys(zip(table["quantity"], table["entry"], strict=True))
    fit = found.fit
    if is_trial(fit):
        named = effects(fit).labels
        return {
            (name, entry): words.capital(named[name]) + (f", arm {entry}" if entry else "")
            for name, entry in keys
            if name in told
        }
    slopes = (SLOPE, AVERAGE_SLOPE)
    return {
        (name, entry): words.slope_label(fit, entry)
        if name in slopes
        else words.average_label(fit, name, entry)
        for name, entry in keys
        if name in told
    }


def sentence(found: AssumptionSensitivity, told: Mapping[Key, str]) -> str:
    """Say what becomes of some quantities as the assumptions give way."""
    if not found.axes:
        count = len(found.versions)
        return f"No assumption was held at values; {count:,} other sets of priors are below."
    tipping, grid = found.tipping(), found.held()
    tipping = tipping[tipping["quantity"].isin({name for name, _ in told})]
    if tipping.empty:
        return "No refit converged, so nothing can be said."
    begin = " and the ".join(_held(axis, grid) for axis in found.axes)
    parts = []
    for (name, entry), label in told.items():
        own = tipping[(tipping["quantity"] == name) & (tipping["entry"] == entry)]
        if not own.empty:
            # Of a slope the first colon is ours, before any name of the data's.
            what = label.replace(": ", ", ", 1) if name in (SLOPE, AVERAGE_SLOPE) else label
            parts.append(f"{what}: {_clause(found, own, about(grid, (name, entry)))}.")
    return f"The {begin}. " + " ".join(parts)


def _held(axis: Axis, grid: pd.DataFrame) -> str:
    values = grid[axis.name]
    return f"{axis.words} was held at values from {number(values.min())} to {number(values.max())}"


def _clause(found: AssumptionSensitivity, own: pd.DataFrame, grid: pd.DataFrame) -> str:
    grid = grid[grid["converged"].astype(bool)]
    if len(found.axes) == 1:
        interval, sign = (own[own["conclusion"] == kind].iloc[0] for kind in (INTERVAL, SIGN))
        ends = grid[found.axes[0].name].min(), grid[found.axes[0].name].max()
        return f"{_of_interval(interval, ends)}; {_of_sign(found.axes[0], sign)}"
    outside = (grid["q2.5"] > 0) | (grid["q97.5"] < 0)
    negative, positive = int((grid["q50"] < 0).sum()), int((grid["q50"] > 0).sum())
    parts = [
        f"the 95 % interval excludes 0 at {int(outside.sum()):,} of {len(grid):,} combinations",
        f"the median is positive at {positive:,} and negative at {negative:,}",
    ]
    for axis in found.axes:
        alone = own[(own["axis"] == axis.name) & (own["conclusion"] == INTERVAL)].iloc[0]
        at = _points(alone)
        where = f"changes what the interval says at {joined(at)}" if at else "never changes that"
        parts.append(f"{axis.symbol} alone {where}")
    return "; ".join(parts)


def _of_interval(row: Any, ends: tuple[float, float]) -> str:
    """Say from where to where the interval says what it says at the reference."""
    other = "includes" if row["at_reference"] == "excludes 0" else "excludes"
    if not _points(row):
        return f"the 95 % interval {row['at_reference']} at all of them"
    low, high = (
        number(end if math.isnan(tip) else tip)
        for tip, end in zip((row["below"], row["above"]), ends, strict=True)
    )
    doubt = "" if row["clear"] else " (Monte Carlo error could explain it)"
    return (
        f"the 95 % interval {row['at_reference']} from {low} to {high}, and {other} it just "
        f"beyond{doubt}"
    )


def _of_sign(axis: Axis, row: Any) -> str:
    at = _points(row)
    doubt = "" if row["clear"] else " (Monte Carlo error could explain it)"
    if not at:
        return f"its median stays {row['at_reference']}"
    return f"at {axis.symbol} = {joined(at)} its sign is unknown (the median is 0){doubt}"


def _points(row: Any) -> list[str]:
    return [number(row[side]) for side in ("below", "above") if not math.isnan(row[side])]


def about(table: pd.DataFrame, key: Key) -> pd.DataFrame:
    """Return the rows of a table about one quantity."""
    return table[(table["quantity"] == key[0]) & (table["entry"] == key[1])]
