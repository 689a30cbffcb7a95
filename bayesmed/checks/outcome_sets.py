"""Values of a trial's outcome that its cells can count, and sets of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from bayesmed.core.types import Floats
from bayesmed.data import TrialCells
from bayesmed.formulas.instrument_inequalities import neighbouring_sets

__all__ = ["BINS", "DRAWS", "SETS", "OutcomeCounts", "counted_outcomes", "probabilities"]

BINS: Final = 8
"""Into about as many bins, equally full, outcomes of persons are put."""
DRAWS: Final = 1000
"""Posterior draws of the probabilities of cells."""
SETS: Final = "set"
"""The axis of sets of the outcome's values."""


@dataclass(frozen=True, eq=False)
class OutcomeCounts:
    """Persons of a trial by cell and value of the outcome.

    Attributes
    ----------
    count
        (S, 2, 2, 2, K) persons with axes stratum, d, z, m and value of the outcome. Where the
        cells hold moments only there is one value, any.
    sets
        (B, K) the sets of neighbouring values, zeros and ones.
    names
        (B,) what they are called.
    """

    count: Floats
    sets: Floats
    names: tuple[str, ...]

    @property
    def values(self) -> int:
        """How many values are told apart; 1 where only moments are known."""
        return int(self.count.shape[-1])


def counted_outcomes(data: TrialCells) -> OutcomeCounts:
    """Count persons by cell and value: 0 and 1, bins where persons are kept, else any value.

    Bins are between quantiles of all persons' outcomes together, which are outcomes of persons
    themselves, so that another unit changes nothing; ties make fewer bins.
    """
    if data.binary_outcome:
        events = np.round(data.n * data.mean)
        count = np.stack([data.n - events, events], axis=-1)
        return _with_sets(count, lambda low, _: f"{data.names.outcome} = {low}")
    if data.outcomes is None:
        return _with_sets(data.n[..., None], lambda *_: "")
    outcome, cell = data.outcomes
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    edges = np.unique(np.quantile(outcome, inner, method="inverted_cdf"))
    edges = edges[edges < outcome.max()]
    bins = len(edges) + 1
    code = cell.astype(np.int64) * bins + np.searchsorted(edges, outcome)
    count = np.bincount(code, minlength=data.n.size * bins).astype(np.float64)
    return _with_sets(count.reshape(*data.n.shape, bins), _interval(data.names.outcome, edges))


def probabilities(count: Floats, rng: np.random.Generator) -> Floats:
    """Draw probabilities of mediator and outcome at each d and z, (draw, d, z, m, K).

    Uniform a priori over all the probabilities of (m, y), so Dirichlet given the counts.

    Parameters
    ----------
    count
        (2, 2, 2, K) persons of one stratum.
    rng
        Where the draws come from.
    """
    found = rng.standard_gamma(1.0 + count, size=(DRAWS, *count.shape))
    shares: Floats = found / found.sum(axis=(-1, -2), keepdims=True)
    return shares


def _with_sets(count: Floats, name: Callable[[int, int], str]) -> OutcomeCounts:
    sets = neighbouring_sets(count.shape[-1])
    ends = [np.flatnonzero(own)[[0, -1]].tolist() for own in sets]
    names = [*(name(low, high) for low, high in ends[:-1]), "any"]
    return OutcomeCounts(count, sets, tuple(names))


def _interval(outcome: str, edges: Floats) -> Callable[[int, int], str]:
    """Name bins by the edges between them, with as many digits as tell these apart."""
    texts = [f"{edge:.17g}" for edge in edges]
    for digits in (12, 6, 3):
        short = [f"{edge:.{digits}g}" for edge in edges]
        texts = short if len(set(short)) == len(short) else texts

    def name(low: int, high: int) -> str:
        above = f"{texts[low - 1]} < " if low and high < len(texts) else ""
        if high < len(texts):
            return f"{above}{outcome} ≤ {texts[high]}"
        return f"{outcome} > {texts[low - 1]}"

    return name
