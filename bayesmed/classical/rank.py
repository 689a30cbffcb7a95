r"""Which directions of mediator effects stand out of sampling error, and whose slopes lack one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmed.core.types import Floats
from bayesmed.formulas.rank import rank_p_values, weakest_combination
from bayesmed.formulas.strength import whitened_singular_values

SIGNIFICANT = 0.05
"""A direction stands out where noise alone would spread as far with a smaller probability."""


@dataclass(frozen=True, eq=False)
class Directions:
    """Directions of P mediators' effects.

    Attributes
    ----------
    singular_values
        (P,) in units of sampling error, largest first.
    rank
        How many stand out.
    p_value
        Probability of as much spread if one fewer than P had true effects.
    untold
        Positions of the mediators without which no direction, or fewer, would be missing.
    combination
        (untold,) coefficients of their effects in the direction that is missing, where one is.
    """

    singular_values: Floats
    rank: int
    p_value: float
    untold: tuple[int, ...] = ()
    combination: tuple[float, ...] = ()


def directions(spread: Floats, noise: Floats, freedom: float) -> Directions:
    """Test rank after rank, from 0 up, until noise suffices for what is left.

    Parameters
    ----------
    spread, noise
        (P, P) of `bayesmed.formulas.strength.spread_and_noise`, both positive definite.
    freedom
        Sites, less one with an intercept.

    Examples
    --------
    >>> found = directions(np.array([[40.0, 80.0], [80.0, 161.0]]), np.eye(2), 10.0)
    >>> found.rank, found.untold, np.round(found.combination, 2).tolist()
    (1, (0, 1), [1.0, -0.5])
    """
    values = whitened_singular_values(spread, noise, freedom)
    p_values = rank_p_values(values, freedom)
    rank = _rank(p_values)
    p = len(spread)
    if rank == p:
        return Directions(values, rank, float(p_values[-1]))
    involved = tuple(i for i in range(p) if _missing_without(i, spread, noise, freedom) < p - rank)
    # On the edge of significance leaving one out may mend nothing: then all are in it.
    involved = involved or tuple(range(p))
    combination: tuple[float, ...] = ()
    if p - rank == 1:
        among = np.ix_(involved, involved)
        combination = tuple(weakest_combination(spread[among], noise[among]).tolist())
    return Directions(values, rank, float(p_values[-1]), involved, combination)


def _rank(p_values: Floats) -> int:
    untold = np.flatnonzero(p_values >= SIGNIFICANT)
    return int(untold[0]) if untold.size else len(p_values)


def _missing_without(i: int, spread: Floats, noise: Floats, freedom: float) -> int:
    """Return how many directions of the other mediators do not stand out."""
    others = np.delete(np.arange(len(spread)), i)
    if not others.size:
        return 0
    among = np.ix_(others, others)
    values = whitened_singular_values(spread[among], noise[among], freedom)
    return len(others) - _rank(rank_p_values(values, freedom))
