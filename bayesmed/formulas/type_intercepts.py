r"""Probabilities of types of persons, of which the cells tell averages.

An outcome of 0 and 1 has in type t the probabilities :math:`a_{td}` without the mediator and
:math:`a_{td}+b_{td}` with it. Types of one mediator :math:`(M_{d0},M_{d1})` under treatment d are
in the same cells: a group. Of a group g with the share :math:`p_g` the cells tell the average

.. math:: \bar a_g=\frac1{p_g}\sum_{t\in g}p_t a_{td},

and nothing of how its types differ. With slopes given, :math:`a_{td}` is uniform between the bounds
of `bayesmed.formulas.strata_likelihood.intercept_bounds`, so that an average is a sum of uniform
numbers, whose density is known: types are integrated out, and drawn given their average afterwards.

Functions take NumPy arrays and, but for what draws, variables of a graph, with any axes in front.
Types by arm are one axis of 2T, those under no treatment first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bayesmed.core.types import ArrayLike, Floats
from bayesmed.formulas.type_shares import SMALLEST, positive_part, smaller

__all__ = [
    "SOFTNESS",
    "GroupAverages",
    "SumsOfGroups",
    "TypeGroups",
    "averages_at",
    "density_of_sum",
    "drawn_parts",
    "groups_of_types",
]

SOFTNESS = 0.05
"""How near to its bounds, in probability, an average begins to bend away from its coordinate."""


class TypeGroups(NamedTuple):
    """Which types are in the same cells: G groups of up to K types, those of fewer first."""

    member: Floats
    """(2T, G) zeros and ones: the types of a group."""
    sizes: tuple[int, ...]
    """How many types each group has."""
    place: Floats
    """(K, 2T, G) zeros and ones: the first type of each group, the second, ..."""
    only_with: Floats
    """(G,) 1 for groups that are seen with the mediator only."""
    cells: Floats
    """(2G, 8) cells (d, z, m) in which a group is without the mediator; those it is in with it."""

    @property
    def sums(self) -> Floats:
        """(8T, (3 + K) G) constants that make `SumsOfGroups` of four values of each type."""
        alone = np.eye(4)
        blocks = [np.kron(alone[:, [i]], self.member) for i in range(3)]
        return np.concatenate([*blocks, *(np.kron(alone[:, [3]], p) for p in self.place)], axis=1)


class SumsOfGroups(NamedTuple):
    """Sums over the types of a group, each (..., G)."""

    share: ArrayLike
    slope: ArrayLike
    r""":math:`\sum_t p_t b_t`."""
    lowest: ArrayLike
    r""":math:`\sum_t p_t\max(0,-b_t)`."""
    room: Sequence[ArrayLike]
    r"""K rooms, :math:`p_t(1-|b_t|)` of the first type, the second, ...; 0 where there is none."""


class GroupAverages(NamedTuple):
    """Averages of groups without and with the mediator, what they leave to types, density."""

    without: ArrayLike
    """(..., G)"""
    having: ArrayLike
    """(..., G)"""
    mass: ArrayLike
    r"""(..., G) :math:`\sum_{t\in g}p_t(a_t-\max(0,-b_t))`."""
    log_density: ArrayLike
    """(...,) of the coordinates, natural logarithm."""


def groups_of_types(types: Floats) -> TypeGroups:
    """Return which types are in the same cells.

    Parameters
    ----------
    types
        (T, 2, 2) as `bayesmed.formulas.principal_types.principal_types` returns them.

    Examples
    --------
    >>> types = np.array([[[0, 0], [0, 0]], [[0, 0], [1, 1]], [[1, 1], [1, 1]]], dtype=float)
    >>> groups = groups_of_types(types)
    >>> groups.sizes, groups.only_with.tolist(), groups.member.shape
    ((1, 1, 2, 2), [1.0, 0.0, 0.0, 1.0], (6, 4))
    """
    keys = [(d, *map(int, one[d])) for d in range(2) for one in types]
    groups = sorted(set(keys), key=lambda group: (keys.count(group), group))
    sizes = tuple(keys.count(group) for group in groups)
    place = np.zeros((max(sizes), len(keys), len(groups)))
    seen = np.zeros((2, len(groups), 2, 2, 2))
    for g, group in enumerate(groups):
        for k, i in enumerate(i for i, key in enumerate(keys) if key == group):
            place[k, i, g] = 1.0
        d, *values = group
        for z, m in enumerate(values):
            seen[m, g, d, z, m] = 1.0
    only = np.array([float(low == high == 1) for _, low, high in groups])
    return TypeGroups(place.sum(axis=0), sizes, place, only, seen.reshape(-1, 8))


def averages_at(sums: SumsOfGroups, at: ArrayLike, groups: TypeGroups) -> GroupAverages:
    r"""Return the averages of groups at coordinates x.

    With :math:`L\le\bar a\le H` the bounds that slopes leave an average,

    .. math::

        \bar a=L+s\left\{\zeta\Bigl(\frac{x-L}{s}\Bigr)-\zeta\Bigl(\frac{x-H}{s}\Bigr)\right\},
        \qquad \zeta(v)=\log(1+e^v),

    is x itself but near its bounds, so that slopes the cells say nothing of do not move it; where a
    group is seen with the mediator only, x is the average probability with it.

    Parameters
    ----------
    sums
        Of the types of each group.
    at
        (..., G) real coordinates.
    groups
        From `groups_of_types`.

    Returns
    -------
    GroupAverages
        ``log_density`` is that of the coordinates where intercepts are uniform between their
        bounds, summed over groups.

    Examples
    --------
    One type, never with the mediator, whose slopes are 0:

    >>> groups, none = groups_of_types(np.zeros((1, 2, 2))), np.zeros(2)
    >>> sums = SumsOfGroups(np.ones(2), none, none, [np.ones(2)])
    >>> found = averages_at(sums, np.array([0.25, 0.5]), groups)
    >>> found.without.round(3).tolist(), round(float(found.log_density), 3)
    ([0.25, 0.5], -0.007)
    """
    weight = sums.share + SMALLEST
    steep, lowest = sums.slope / weight, sums.lowest / weight
    between = (sum(sums.room) + SMALLEST) / weight
    from_low = (at - lowest - steep * groups.only_with) / SOFTNESS
    from_high = from_low - between / SOFTNESS
    above = SOFTNESS * (_softplus(from_low) - _softplus(from_high))
    bend = np.log1p(SMALLEST - np.exp(-between / SOFTNESS))
    density = bend + np.log(weight) - _softplus(-from_low) - _softplus(from_high)
    mass, total = weight * above, density.sum(axis=-1)
    for size in sorted(set(groups.sizes)):
        first = groups.sizes.index(size)
        own = slice(first, first + groups.sizes.count(size))
        parts = [room[..., own] + SMALLEST for room in sums.room[:size]]
        total = total + np.log(density_of_sum(mass[..., own], parts)).sum(axis=-1)
    return GroupAverages(lowest + above, lowest + above + steep, mass, total)


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


def _softplus(x: ArrayLike) -> ArrayLike:
    return positive_part(x) + np.log1p(np.exp(-abs(x)))
