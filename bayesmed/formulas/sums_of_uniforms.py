r"""Sums of independent uniform numbers: their density, and the numbers given their sum.

Functions take NumPy arrays and, but for what draws, variables of a graph.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bayesmed.core.types import ArrayLike, Floats
from bayesmed.formulas.type_shares import SMALLEST, positive_part, smaller

__all__ = ["density_of_sum", "drawn_parts"]


def density_of_sum(total: ArrayLike, room: Sequence[ArrayLike]) -> ArrayLike:
    r"""Density of a sum of independent numbers, each uniform between 0 and its room.

    .. math::

        f(s\mid c_1..c_k)=\frac1{k-1}\sum_i\Bigl\{\tau f(s\mid c_{-i})
          +(1-\tau)f(s-c_i\mid c_{-i})\Bigr\},\qquad \tau=\frac s{\sum_i c_i},

    the recurrence of box splines (de Boor and Höllig 1982) along a line, all of whose terms are
    positive; of two, :math:`\min(c_1,c_2,s,c_1+c_2-s)/c_1c_2`. All chains of the recurrence are
    one axis, so that a graph has few operations.

    Parameters
    ----------
    total
        (..., G) s, between 0 and the sum of the rooms.
    room
        k arrays (..., G) :math:`c_i`, positive.

    Examples
    --------
    >>> one, s = np.ones(1), np.array([1.5])
    >>> [round(float(density_of_sum(s, [one] * k)[0]), 4) for k in (2, 3, 4)]
    [0.5, 0.75, 0.4792]
    """
    count, value = len(room), total[..., None, :]
    if count == 1:
        return 1.0 / room[0] + 0.0 * total

    def of(chosen: Floats) -> ArrayLike:
        return sum(chosen[:, k, None] * room[k][..., None, :] for k in range(count))

    leaves = _leaves(count)
    weight: ArrayLike = 1.0
    for step in leaves.steps:
        part = (value - of(step.taken)) / of(step.left)
        weight = weight * (step.after + (1.0 - 2.0 * step.after) * part)
    one, other, rest = of(leaves.one), of(leaves.other), value - of(leaves.taken)
    inside = smaller(smaller(one, other), smaller(rest, one + other - rest))
    each = weight * (positive_part(inside) + SMALLEST**2) / (one * other)
    return each.sum(axis=-2) / math.prod(range(2, count))


class _Step(NamedTuple):
    """One use of the recurrence, in each of L chains of them: zeros and ones."""

    taken: Floats
    """(L, k) rooms taken off the sum before."""
    left: Floats
    """(L, k) rooms that are left."""
    after: Floats
    """(L, 1) whether a room is taken off the sum at this step."""


class _Leaves(NamedTuple):
    """What chains of the recurrence end in, until two rooms are left."""

    steps: tuple[_Step, ...]
    taken: Floats
    one: Floats
    other: Floats


def _leaves(count: int) -> _Leaves:
    """Return the L chains of dropping all but two of so many rooms, side by side."""
    chains: list[list[tuple[int, int]]] = [[]]
    for _ in range(count - 2):
        chains = [
            [*chain, (i, after)]
            for chain in chains
            for i in range(count)
            if i not in [dropped for dropped, _ in chain]
            for after in (0, 1)
        ]
    shape = (len(chains), count)
    taken, left, steps = np.zeros(shape), np.ones(shape), []
    for n in range(count - 2):
        after = np.array([[float(chain[n][1])] for chain in chains])
        steps.append(_Step(taken.copy(), left.copy(), after))
        for row, chain in enumerate(chains):
            dropped, off = chain[n]
            left[row, dropped], taken[row, dropped] = 0.0, float(off)
    ends = np.array([np.flatnonzero(row) for row in left])
    one, other = (np.eye(count)[ends[:, i]] for i in range(2))
    return _Leaves(tuple(steps), taken, one, other)


def drawn_parts(total: Floats, room: Floats, rng: np.random.Generator) -> Floats:
    """Draw independent uniform numbers given their sum, (..., k).

    Parameters
    ----------
    total
        (...) the sum.
    room
        (..., k) each number is uniform between 0 and this.
    rng
        Source of randomness.

    Examples
    --------
    >>> parts = drawn_parts(np.full(4, 1.5), np.ones((4, 3)), np.random.default_rng(1))
    >>> parts.sum(axis=-1).round(6).tolist(), bool((parts <= 1).all())
    ([1.5, 1.5, 1.5, 1.5], True)
    """
    count = room.shape[-1]
    flat, rooms = np.reshape(total, -1), np.reshape(room, (-1, count))
    found = np.zeros_like(rooms)
    left = np.arange(len(flat))
    # Each part uniform between the bounds that the sum and earlier parts leave, which is right but
    # for how wide the later bounds then are: kept in proportion to that.
    while left.size:
        rest, chance = flat[left].copy(), np.ones(left.size)
        parts = np.zeros((left.size, count))
        for k in range(count - 1):
            own, later = rooms[left, k], rooms[left, k + 1 :].sum(axis=1)
            low = np.maximum(0.0, rest - later)
            width = np.maximum(np.minimum(own, rest) - low, 0.0)
            if k:
                most = np.minimum(np.minimum(own, later), flat[left])
                chance *= np.where(most > 0, width / np.where(most > 0, most, 1.0), 1.0)
            parts[:, k] = low + width * rng.uniform(size=left.size)
            rest = rest - parts[:, k]
        parts[:, -1] = rest
        kept = (rng.uniform(size=left.size) < chance) | (flat[left] <= count * SMALLEST)
        found[left[kept]] = np.clip(parts[kept], 0.0, rooms[left[kept]])
        left = left[~kept]
    return found.reshape(room.shape)
