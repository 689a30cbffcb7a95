"""Roots of covariances of many draws, and the spreads and correlations they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bayesmed.core.types import ArrayLike, Floats


class Correlated(NamedTuple):
    """Standard deviations (n, k) and correlations (n, k, k)."""

    sd: Floats
    correlation: Floats


def root_by_entry(root: Sequence[Sequence[ArrayLike]], n: int) -> Floats:
    """Stack the entries of a root, each (n,) or a number, to (n, k, k)."""
    return np.stack([np.stack([np.broadcast_to(x, n) for x in row], -1) for row in root], -2)


def correlated(root: Floats) -> Correlated:
    """Return what a root, in any order of its rows, stands for.

    Parameters
    ----------
    root
        (n, k, k), covariance ``root @ root.T``.

    Examples
    --------
    >>> found = correlated(np.array([[[2.0, 0.0], [3.0, 4.0]]]))
    >>> found.sd.tolist(), round(float(found.correlation[0, 0, 1]), 12)
    ([[2.0, 5.0]], 0.6)
    """
    sd = np.sqrt((root**2).sum(axis=-1))
    unit = np.divide(root, sd[..., None], out=np.zeros_like(root), where=sd[..., None] > 0)
    found = np.clip(unit @ np.swapaxes(unit, -1, -2), -1.0, 1.0)
    k = range(root.shape[-1])
    found[:, k, k] = 1.0
    return Correlated(sd, found)
