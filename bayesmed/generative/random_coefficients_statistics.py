"""What predictions of persons are compared with: moments of mediator and outcome by treatment.

Axes: draws first, persons last; results (n, groups).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bayesmed.core.types import Floats, Integers
from bayesmed.data import TrialPersons

__all__ = ["STATISTICS", "chunks", "groups", "statistics"]

CHUNK = 2**18
"""Numbers held at once: small enough for a processor's cache."""

STATISTICS = (
    "mediator_mean",
    "outcome_mean",
    "mediator_variance",
    "outcome_variance",
    "mediator_outcome_covariance",
    "mediator_skewness",
    "outcome_skewness",
)
SKEWNESSES = STATISTICS[-2:]
CURVATURES = ("outcome_curvature", "outcome_variance_curvature")
THIRDS = ("lowest third", "middle third", "highest third")


def chunks(n: int, persons: int) -> Iterator[slice]:
    """Cut n draws into pieces whose arrays (draws, persons) are small.

    Examples
    --------
    >>> list(chunks(3, 10**6))
    [slice(0, 1, None), slice(1, 2, None), slice(2, 3, None)]
    """
    step = max(1, CHUNK // persons)
    for start in range(0, n, step):
        yield slice(start, min(n, start + step))


def groups(data: TrialPersons) -> tuple[tuple[str, ...], Integers]:
    """Return the labels of groups alike in treatment, and (N,) the group of each person.

    Groups are arms, the amounts of treatment where there are three at most, or thirds of persons.

    Examples
    --------
    >>> persons = TrialPersons.from_arrays(
    ...     treatment=[0, 1, 1], mediator=[1, 2, 3], outcome=[0, 1, 0])
    >>> groups(persons)
    (('0', '1'), array([0, 1, 1]))
    """
    amounts, which = np.unique(data.treatment, return_inverse=True)
    if data.names.arms is not None:
        return data.names.arms, which
    if len(amounts) <= len(THIRDS):
        return tuple(f"{x:g}" for x in amounts), which
    cuts = np.quantile(data.treatment, [1 / 3, 2 / 3])
    third = np.searchsorted(cuts, data.treatment, side="left")
    found, which = np.unique(third, return_inverse=True)
    return tuple(THIRDS[k] for k in found), which


def statistics(
    mediator: Floats, outcome: Floats, group: Integers, n_groups: int, *, curvature: bool
) -> dict[str, Floats]:
    """Return moments by group, (n, groups).

    Parameters
    ----------
    mediator, outcome
        (n, N).
    group
        (N,) as `groups` numbers them.
    n_groups
        How many there are.
    curvature
        Whether to add the quadratic coefficients of the outcome, and of its squared residuals, on
        the mediator: not for a mediator of two values.
    """
    each = [
        _moments(mediator[:, group == g], outcome[:, group == g], curvature=curvature)
        for g in range(n_groups)
    ]
    return {name: np.stack([one[name] for one in each], axis=-1) for name in each[0]}


def _moments(m: Floats, y: Floats, *, curvature: bool) -> dict[str, Floats]:
    mean_m, mean_y = m.mean(axis=-1), y.mean(axis=-1)
    dm, dy = m - mean_m[:, None], y - mean_y[:, None]
    square = dm * dm
    var_m, var_y = square.mean(axis=-1), (dy * dy).mean(axis=-1)
    covariance = (dm * dy).mean(axis=-1)
    third_m, third_y = (square * dm).mean(axis=-1), (dy**3).mean(axis=-1)
    skew = _ratio(third_m, var_m**1.5), _ratio(third_y, var_y**1.5)
    values = (mean_m, mean_y, var_m, var_y, covariance, *skew)
    found = dict(zip(STATISTICS, values, strict=True))
    if not curvature:
        return found
    # The quadratic regressor, free of intercept and line: its coefficient is a simple one.
    bend = _ratio(third_m, var_m)[:, None]
    quadratic = square - bend * dm - var_m[:, None]
    size = (quadratic * quadratic).mean(axis=-1)
    of_mean = _ratio((quadratic * dy).mean(axis=-1), size)
    residual = dy - _ratio(covariance, var_m)[:, None] * dm - of_mean[:, None] * quadratic
    of_variance = _ratio((quadratic * residual**2).mean(axis=-1), size)
    return found | dict(zip(CURVATURES, (of_mean, of_variance), strict=True))


def _ratio(a: Floats, b: Floats) -> Floats:
    """Divide, 0 where nothing varies."""
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)
