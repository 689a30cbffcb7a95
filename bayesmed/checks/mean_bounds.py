"""Where the mean of persons whom the instrument does not move lies, and where it may lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesmed.core.types import Floats
from bayesmed.data import TrialCells
from bayesmed.formulas.instrument_inequalities import parts_and_wholes
from bayesmed.formulas.tail_means import (
    distance_variance,
    share_excess,
    tail_mean_shift,
    tail_means,
)

__all__ = ["MeanBounds", "bounds_of_moments", "bounds_of_persons"]

_TINY = 1e-300


@dataclass(frozen=True, eq=False)
class MeanBounds:
    """Means of always-takers (m = 1) and never-takers (m = 0), and their bounds.

    Attributes
    ----------
    mean, low, high
        (..., S, d, m) mean outcome of the persons known to be of the type, and the tails of the
        cell they are a part of; NaN where no persons or no bounds are there.
    violation
        (..., S, d, m) how far the mean is outside, in standard errors; negative inside.
    """

    mean: Floats
    low: Floats
    high: Floats
    violation: Floats


def bounds_of_moments(n: Floats, mean: Floats, sd: Floats) -> MeanBounds:
    """Bound means by mean and standard deviation of cells, arrays (..., S, d, z, m).

    Where the part is larger than the whole there are no bounds: the shares themselves violate what
    is assumed. One person alone has no standard deviation, and no bounds either.
    """
    share, log_share_variance = _shares(n)
    (n_part, n_whole), (part, whole) = parts_and_wholes(n), parts_and_wholes(mean)
    sd_part, sd_whole = parts_and_wholes(sd)
    shift = tail_mean_shift(sd_whole, share)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = (part - whole) / sd_whole
        of_distance = distance_variance(distance, (sd_part / sd_whole) ** 2 / n_part, n_whole)
        outside = share_excess(share, distance, log_share_variance, of_distance)
    found = _as_normal(outside, np.minimum(n_part, n_whole) - 1)
    known = np.where(share <= 1, found, np.nan)
    return MeanBounds(part, whole - shift, whole + shift, known)


def bounds_of_persons(data: TrialCells) -> MeanBounds:
    """Bound means by the means of the tails of a cell, whose persons' outcomes are kept."""
    assert data.outcomes is not None
    outcome, cell = data.outcomes
    at = np.split(
        outcome[np.argsort(cell, kind="stable")], np.cumsum(data.n.ravel())[:-1].astype(int)
    )
    number = np.arange(float(data.n.size)).reshape(data.n.shape)
    share, _ = _shares(data.n)
    n_part, n_whole = parts_and_wholes(data.persons[..., None].repeat(2, axis=-1))
    parts, wholes = parts_and_wholes(number)
    found = np.full((4, *share.shape), np.nan)
    for index in np.argwhere((share > 0) & (share <= 1)):
        i = tuple(index)
        part, whole = at[int(parts[i])], at[int(wholes[i])]
        found[(slice(None), *i)] = _of_tails(part, whole, share[i], n_part[i], n_whole[i])
    return MeanBounds(*found)


def _of_tails(
    part: Floats, whole: Floats, share: float, n_part: float, n_whole: float
) -> tuple[float, float, float, float]:
    r"""Return mean, tails and violation of one part of a cell.

    That a mean p is below the upper tail's is that
    :math:`E[(Y-c)M\mid z]\le E[(Y-c)^+M\mid z']` with the tail's edge c, at which the right side's
    slope in c is the left one's: an error in c does not matter, and both are means over persons.
    """
    tails, mean, worst = tail_means(whole, share), float(part.mean()), -np.inf
    for sign, edge in ((1.0, tails.high_from), (-1.0, tails.low_from)):
        own, beyond = sign * (part - edge), np.maximum(sign * (whole - edge), 0.0)
        gap = own.sum() / n_part - beyond.sum() / n_whole
        variance = _variance_of_mean(own, n_part) + _variance_of_mean(beyond, n_whole)
        if variance > 0:
            worst = max(worst, gap / np.sqrt(variance))
    dof = np.array(min(len(part), len(whole)) - 1.0)
    violation = _as_normal(np.array(worst), dof) if np.isfinite(worst) else np.nan
    return mean, tails.low, tails.high, float(violation)


def _variance_of_mean(values: Floats, n: float) -> float:
    """Variance of a mean over n persons of whom those not in the cell have 0."""
    return float((values @ values / n - (values.sum() / n) ** 2) / n)


def _shares(n: Floats) -> tuple[Floats, Floats]:
    """Return the part's share q of the whole, and the variance of its logarithm, (..., d, m)."""
    persons = n.sum(axis=-1, keepdims=True)
    (part, whole), (of_part, of_whole) = (
        parts_and_wholes(n),
        parts_and_wholes(persons.repeat(2, axis=-1)),
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (part / of_part) / (whole / of_whole)
        variance = 1 / part - 1 / of_part + 1 / whole - 1 / of_whole
    return share, variance


def _as_normal(value: Any, dof: Any) -> Floats:
    """Return the standard normal value that is as far out as a Student-t one; NaN without dof."""
    from scipy.special import ndtri, stdtr

    with np.errstate(invalid="ignore"):
        tail = np.maximum(stdtr(np.where(dof > 0, dof, np.nan), -np.abs(value)), _TINY)
        found: Floats = -np.sign(value) * ndtri(tail)
    return found
