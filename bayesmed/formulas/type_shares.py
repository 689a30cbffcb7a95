r"""Shares of types of persons from what the mediator tells of them, and from what it does not.

The mediator tells :math:`\bar m_d(z)`, sums of shares (`bayesmed.formulas.principal_strata`). What
is left free lies in a polytope; here it is reached by positions between 0 and 1, each between the
bounds that the earlier ones leave (Fréchet's bounds of a table with given margins), so that what is
known well and what is not known are coordinates of their own. Shares being linear in the means and
in what lies between the bounds, uniform shares have a density of the product of the widths.

Functions take NumPy arrays and variables of a graph, with any axes (draws, strata) in front.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bayesmed.core.types import ArrayLike, Floats
from bayesmed.formulas.principal_types import Monotone

__all__ = [
    "Shares",
    "means_at",
    "positive_part",
    "shares_of_types",
    "smaller",
    "summed",
    "table_with_margins",
]

SMALLEST = 1e-12
"""Added to every width: rounding may leave none, whose logarithm would be infinite."""


class Means(NamedTuple):
    """Means of the mediator, d before z; their density in the coordinates; positions left over."""

    mean: list[list[ArrayLike]]
    width: ArrayLike
    rest: Sequence[ArrayLike]


class Shares(NamedTuple):
    """Shares of types in the order of `principal_types`, and the product of the widths."""

    share: list[ArrayLike]
    width: ArrayLike


def table_with_margins(
    rows: Sequence[ArrayLike], columns: Sequence[ArrayLike], position: Sequence[ArrayLike]
) -> tuple[list[list[ArrayLike]], ArrayLike]:
    r"""Fill a table of shares, cell after cell, between the bounds that its margins leave.

    .. math::

        \max\Bigl(0,\ r_i-\sum_{j'>j}c_{j'}\Bigr)\le p_{ij}\le\min(r_i, c_j)

    with :math:`r_i` what is left of the row and :math:`c_j` of the column (Fréchet 1951).

    Parameters
    ----------
    rows, columns
        R and C margins, of the same sum.
    position
        (R - 1)(C - 1) positions between 0 and 1, row after row.

    Returns
    -------
    tuple
        The R × C cells, and the product of the widths of the bounds.

    Examples
    --------
    >>> cells, width = table_with_margins([0.5, 0.5], [0.25, 0.75], [0.5])
    >>> [[round(float(x), 6) for x in row] for row in cells], round(width, 6)
    ([[0.125, 0.375], [0.125, 0.375]], 0.25)
    """
    free, taken = list(columns), iter(position)
    cells: list[list[ArrayLike]] = []
    width: ArrayLike = 1.0
    for row in rows[:-1]:
        rest, own = row, []
        for j in range(len(columns) - 1):
            low = positive_part(rest - sum(free[j + 1 :]))
            high = smaller(rest, free[j])
            apart = positive_part(high - low) + SMALLEST
            cell = low + apart * next(taken)
            width = width * apart
            own.append(cell)
            rest = rest - cell
        own.append(rest)
        cells.append(own)
        free = [left - cell for left, cell in zip(free, own, strict=True)]
    return [*cells, free], width


def means_at(monotone_in: Monotone, position: Sequence[ArrayLike]) -> Means:
    r"""Return the means of the mediator at coordinates that keep them monotone.

    A higher mean lies anywhere, the one that is not above it at a position below: in each arm,
    monotone in the instrument; at each value of the instrument, monotone in treatment; of
    :math:`\bar m_1(1)` and :math:`\bar m_0(0)`, monotone in both, with the other two means at
    positions between them.

    Parameters
    ----------
    monotone_in
        As of `principal_types`.
    position
        Positions between 0 and 1, one fewer than there are types, of which the first four are
        used.

    Examples
    --------
    >>> means_at("both", [0.75, 0.25, 0.5, 0.25, 0.5]).mean
    [[0.1875, 0.46875], [0.328125, 0.75]]
    """
    first, second, third, fourth = position[:4]
    rest = position[4:]
    if monotone_in == "none":
        return Means([[first, second], [third, fourth]], 1.0, rest)
    if monotone_in == "both":
        always = first * second
        moved = first - always
        means = [[always, always + moved * third], [always + moved * fourth, first]]
        return Means(means, first * moved**2, rest)
    one, other = (first * second, first), (third * fourth, third)
    means = [[*one], [*other]]
    if monotone_in == "treatment":
        means = [[one[0], other[0]], [one[1], other[1]]]
    return Means(means, first * third, rest)


def shares_of_types(
    monotone_in: Monotone, mean: Sequence[Sequence[ArrayLike]], position: Sequence[ArrayLike]
) -> Shares:
    r"""Return the shares of the types that a monotone mediator allows.

    Parameters
    ----------
    monotone_in
        As of `principal_types`.
    mean
        :math:`\bar m_d(z)`, d before z, not falling where the mediator does not.
    position
        Positions between 0 and 1, those that `means_at` leaves over.

    Examples
    --------
    >>> found = shares_of_types("both", [[0.125, 0.25], [0.5, 0.75]], [0.5])
    >>> found.share, found.width
    ([0.25, 0.1875, 0.3125, 0.0625, 0.0625, 0.125], 0.125)
    """
    (m00, m01), (m10, m11) = mean
    if monotone_in == "both":
        low = positive_part(m01 + m10 - m00 - m11)
        width = smaller(m01, m10) - m00 - low
        both = low + width * position[0]
        found = {
            "0000": 1.0 - m11,
            "0001": m11 - m01 - m10 + m00 + both,
            "0011": m10 - m00 - both,
            "0101": m01 - m00 - both,
            "0111": both,
            "1111": m00,
        }
        return Shares([found[key] for key in sorted(found)], width)
    names: tuple[str, ...]
    if monotone_in == "treatment":
        names, before, after = ("00", "01", "11"), _three(m00, m10), _three(m01, m11)
        cells, width = table_with_margins(before, after, position)
        # Rows and columns are what treatment does at z = 0 and 1: the digits change places.
        named = {
            f"{i[0]}{j[0]}{i[1]}{j[1]}": cells[a][b]
            for a, i in enumerate(names)
            for b, j in enumerate(names)
        }
        return Shares([named[key] for key in sorted(named)], width)
    if monotone_in == "instrument":
        names, without, treated = ("00", "01", "11"), _three(m00, m01), _three(m10, m11)
        widths: ArrayLike = 1.0
    else:
        names = ("00", "01", "10", "11")
        without, first = _four(m00, m01, position[0])
        treated, second = _four(m10, m11, position[1])
        position, widths = position[2:], first * second
    cells, width = table_with_margins(without, treated, position)
    named = {f"{i}{j}": cells[a][b] for a, i in enumerate(names) for b, j in enumerate(names)}
    return Shares([named[key] for key in sorted(named)], widths * width)


def _three(low: ArrayLike, high: ArrayLike) -> list[ArrayLike]:
    """Shares of never, moved and always, from the two means."""
    return [1.0 - high, high - low, low]


def _four(
    first: ArrayLike, second: ArrayLike, position: ArrayLike
) -> tuple[list[ArrayLike], ArrayLike]:
    """Shares of 00, 01, 10 and 11, from the two means and where between its bounds 00 lies."""
    cells, width = table_with_margins([1.0 - first, first], [1.0 - second, second], [position])
    return [*cells[0], *cells[1]], width


def summed(values: ArrayLike, matrix: Floats) -> ArrayLike:
    r"""Return sums of the last axis with constant weights, :math:`\sum_t x_t A_{ti}`.

    A matrix product spelt out: in a graph it takes many times as long to compile.

    Parameters
    ----------
    values
        (..., T).
    matrix
        (T, I) numbers.

    Examples
    --------
    >>> import numpy as np
    >>> summed(np.array([1.0, 2.0]), np.array([[1.0, 0.0], [1.0, 3.0]])).tolist()
    [3.0, 6.0]
    """
    return (values[..., :, None] * matrix).sum(axis=-2)


def positive_part(x: ArrayLike) -> ArrayLike:
    """Return a number, or 0 where it is negative.

    Examples
    --------
    >>> positive_part(-2.0), positive_part(2.0)
    (0.0, 2.0)
    """
    return (x + abs(x)) / 2.0


def smaller(x: ArrayLike, y: ArrayLike) -> ArrayLike:
    """Return the smaller of two numbers.

    Examples
    --------
    >>> smaller(1.0, 2.0)
    1.0
    """
    return (x + y - abs(x - y)) / 2.0
