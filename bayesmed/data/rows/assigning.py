"""Sites that were found, as a column of the rows: persons stay where they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayesmed.data.rows.baseline import PART, Baseline
from bayesmed.data.rows.person_rows import PersonRows

__all__ = ["Region", "Score", "with_regions", "with_scores"]

_SITE = "subgroup"


@dataclass(frozen=True)
class Region:
    """Persons whose features are within bounds.

    Parameters
    ----------
    name
        What the site is called.
    bounds
        Feature's name to (low, high): low ≤ x < high. A person without one of these features is
        not within the region.
    """

    name: str
    bounds: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Score:
    """A number for every person: a linear function of features, another one for each part.

    Parameters
    ----------
    intercept
        (K,) for the K parts.
    coefficient
        (K, F) for the F features of the rows.
    """

    intercept: NDArray[np.float64]
    coefficient: NDArray[np.float64]


def with_regions(base: Baseline, regions: Sequence[Region], part: int | None) -> PersonRows:
    """Return the rows of one part, or all, whose site is the region that a person is in."""
    import ibis

    table = base.table if part is None else base.table.filter(base.table[PART] == part)
    cases = [(_within(table, region), region.name) for region in regions]
    site = base.free(_SITE)
    return base.rows(table.mutate(**{site: ibis.cases(*cases, else_=None)}).view(), site=site)


def with_scores(base: Baseline, scores: Mapping[str, Score], groups: int) -> PersonRows:
    """Return all rows, whose sites are combinations of groups of equal size of the scores."""
    import ibis

    table = base.table
    values: dict[str, Any] = {}
    for name, score in scores.items():
        cases = [(table[PART] == k, _linear(base, table, score, k)) for k in range(base.parts)]
        values[base.free(name)] = ibis.cases(*cases, else_=None)
    quantiles = dict.fromkeys(values, groups)
    return base.rows(table.mutate(**values).view(), site=tuple(values), quantiles=quantiles)


def _within(table: Any, region: Region) -> Any:
    import ibis

    inside = ibis.literal(True)
    for name, (low, high) in region.bounds.items():
        if not math.isinf(low):
            inside &= table[name] >= low
        if not math.isinf(high):
            inside &= table[name] < high
    return inside


def _linear(base: Baseline, table: Any, score: Score, k: int) -> Any:
    import ibis

    value = ibis.literal(float(score.intercept[k]))
    for feature, b in zip(base.features, score.coefficient[k].tolist(), strict=True):
        value += table[feature.name] * b
    return value
