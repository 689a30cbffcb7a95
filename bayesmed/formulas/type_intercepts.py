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

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bayesmed.core.types import ArrayLike, Floats
from bayesmed.formulas.sums_of_uniforms import density_of_sum
from bayesmed.formulas.type_shares import SMALLEST, positive_part, summed

__all__ = [
    "SOFTNESS",
    "Bent",
    "GroupAverages",
    "SumsOfGroups",
    "TypeGroups",
    "average_of_moved",
    "averages_at",
    "bent",
    "groups_of_types",
]

SOFTNESS = 0.05
"""How near to its bounds, in probability, a number begins to bend away from its coordinate."""


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


class Bent(NamedTuple):
    """How far a number lies above its lower bound, and the log of how fast it moves."""

    above: ArrayLike
    log_slope: ArrayLike


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


def bent(coordinate: ArrayLike, low: ArrayLike, between: ArrayLike) -> Bent:
    r"""Return a number between bounds that is its coordinate but near them.

    .. math::

        v=L+s\left\{\zeta\Bigl(\frac{x-L}{s}\Bigr)-\zeta\Bigl(\frac{x-H}{s}\Bigr)\right\},
        \qquad \zeta(u)=\log(1+e^u)

    Parameters
    ----------
    coordinate
        x, any number.
    low, between
        L, and H - L.

    Examples
    --------
    >>> [round(float(bent(x, -1.0, 2.0).above) - 1.0, 3) for x in (0.5, 1.0, 3.0)]
    [0.5, 0.965, 1.0]
    """
    from_low = (coordinate - low) / SOFTNESS
    from_high = from_low - between / SOFTNESS
    above = SOFTNESS * (_softplus(from_low) - _softplus(from_high))
    slope = np.log1p(SMALLEST - np.exp(-between / SOFTNESS))
    return Bent(above, slope - _softplus(-from_low) - _softplus(from_high))


def averages_at(sums: SumsOfGroups, at: ArrayLike, groups: TypeGroups) -> GroupAverages:
    r"""Return the averages of groups at coordinates, which `bent` keeps between their bounds.

    Slopes the cells say nothing of do not move an average, then, but near its bounds. Where a group
    is seen with the mediator only, the coordinate is that of the average probability with it.

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
    above, log_slope = bent(at - steep * groups.only_with, lowest, between)
    mass, total = weight * above, (log_slope + np.log(weight)).sum(axis=-1)
    for size in sorted(set(groups.sizes)):
        first = groups.sizes.index(size)
        own = slice(first, first + groups.sizes.count(size))
        parts = [room[..., own] + SMALLEST for room in sums.room[:size]]
        total = total + np.log(density_of_sum(mass[..., own], parts)).sum(axis=-1)
    return GroupAverages(lowest + above, lowest + above + steep, mass, total)


def average_of_moved(share: ArrayLike, value: ArrayLike, types: Floats) -> ArrayLike:
    r"""Average over the types whose mediator the instrument raises, by arm, (..., 2).

    .. math::

        \frac{\sum_t p_t\,1\{M_{d0}(t)<M_{d1}(t)\}\,x_{td}}
             {\sum_t p_t\,1\{M_{d0}(t)<M_{d1}(t)\}}

    Of slopes it is what cells tell.

    Parameters
    ----------
    share
        (..., 2T) shares of types, once for each arm.
    value
        (..., 2T) x.
    types
        (T, 2, 2) an array of numbers.

    Examples
    --------
    >>> types = np.array([[[0.0, 1.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 1.0]]])
    >>> share = np.array([0.25, 0.75, 0.25, 0.75])
    >>> average_of_moved(share, np.array([4.0, 8.0, 1.0, 9.0]), types).round(6).tolist()
    [7.0, 1.0]
    """
    moved = (types[:, :, 1] > types[:, :, 0]).astype(np.float64)  # (T, d)
    by_arm = np.concatenate([moved * np.eye(2)[d] for d in range(2)])
    return summed(share * value, by_arm) / (summed(share, by_arm) + SMALLEST)


def _softplus(x: ArrayLike) -> ArrayLike:
    return positive_part(x) + np.log1p(np.exp(-abs(x)))
