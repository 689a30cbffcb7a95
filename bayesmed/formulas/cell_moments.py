"""Moments of persons in cells: joined into larger cells without going back to the persons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["joined", "recentred"]

_Array = NDArray[np.float64]


def joined(
    weight: _Array, mean: _Array, cross: _Array, group: NDArray[np.int64], groups: int
) -> tuple[_Array, _Array, _Array]:
    """Join cells into groups (the parallel axis theorem; Chan, Golub & LeVeque 1983).

    For cells c of a group with weights n_c, means m_c and cross-products C_c about m_c,

        n = Σ n_c,   m = Σ n_c m_c / n,   C = Σ C_c + Σ n_c (m_c − m)(m_c − m)'.

    Exact; no digits are lost to means that are large beside the spread.

    Parameters
    ----------
    weight
        (C,) number of persons, or sum of their weights; positive.
    mean
        (C, V) means.
    cross
        (C, V, V) sums of products about the cell's mean.
    group
        (C,) group of each cell, from 0; every group has a cell.
    groups
        Number of groups G.

    Returns
    -------
    tuple
        Weights (G,), means (G, V), cross-products (G, V, V).

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [6.0]])
    >>> n, m, c = joined(np.ones(3), x, np.zeros((3, 1, 1)), np.zeros(3, dtype=int), 1)
    >>> n[0], m[0, 0], c[0, 0, 0]
    (np.float64(3.0), np.float64(3.0), np.float64(14.0))
    """
    total = np.bincount(group, weight, minlength=groups)
    # The first cell's mean as origin keeps the sums of means as small as their differences.
    first = np.zeros(groups, dtype=np.int64)
    first[group[::-1]] = np.arange(len(group))[::-1]
    apart = mean - mean[first][group]
    shift = np.zeros((groups, mean.shape[1]))
    np.add.at(shift, group, weight[:, None] * apart)
    shift /= total[:, None]
    inside = apart - shift[group]
    products = np.zeros((groups, *cross.shape[1:]))
    np.add.at(products, group, recentred(weight, inside, cross))
    return total, mean[first] + shift, products


def recentred(weight: _Array, distance: _Array, cross: _Array) -> _Array:
    """Return sums of products about a point at ``distance`` from the cell's mean: C + n d d'.

    Parameters
    ----------
    weight
        (C,) persons or sums of weights.
    distance
        (C, V) cell mean minus the point.
    cross
        (C, V, V) sums of products about the cell's mean.

    Examples
    --------
    >>> recentred(np.array([2.0]), np.array([[3.0]]), np.array([[[1.0]]]))
    array([[[19.]]])
    """
    outer: _Array = distance[:, :, None] * distance[:, None, :]
    return cross + weight[:, None, None] * outer
