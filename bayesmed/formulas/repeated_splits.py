"""One answer from many random splits of the same data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["median_interval", "median_over_splits"]

_Array = NDArray[np.float64]


def median_over_splits(estimate: _Array, se: _Array) -> tuple[_Array, _Array]:
    r"""Combine estimates of the same quantity over splits (Chernozhukov et al. 2018, Def. 3.3).

    .. math::

        \tilde\theta = \mathrm{median}_b\,\hat\theta_b,\qquad
        \tilde\sigma^2 = \mathrm{median}_b\{\hat\sigma_b^2 + (\hat\theta_b-\tilde\theta)^2\}

    All splits use the same persons: more of them make the answer depend less on chance, and never
    more precise than one split is.

    Parameters
    ----------
    estimate, se
        (B, K) estimates and standard errors of K quantities in B splits.

    Returns
    -------
    tuple of NDArray
        (K,) estimate and standard error.

    Examples
    --------
    >>> est, se = median_over_splits(np.array([[1.0], [2.0], [6.0]]), np.array([[3.0]] * 3))
    >>> est, se**2
    (array([2.]), array([10.]))
    """
    middle: _Array = np.median(estimate, axis=0)
    spread: _Array = np.sqrt(np.median(se**2 + (estimate - middle) ** 2, axis=0))
    return middle, spread


def median_interval(low: _Array, high: _Array) -> tuple[_Array, _Array]:
    r"""Combine intervals for the same quantity over splits (Chernozhukov et al. 2025, section 4).

    .. math::

        [\underline{\mathrm{median}}_b\,L_b,\ \overline{\mathrm{median}}_b\,U_b]

    the lower median of the lower ends and the upper one of the upper ends. If each covers with
    probability 1 - α given its split, both ends together cover with at least 1 - 2α whatever goes
    on between splits; with 1 - α where splits agree. *Generic machine learning inference on
    heterogeneous treatment effects in randomized experiments*, Econometrica; arXiv:1712.04802.

    Parameters
    ----------
    low, high
        (B, ...) ends of the intervals of B splits.

    Returns
    -------
    tuple of NDArray
        (...) ends.

    Examples
    --------
    >>> median_interval(np.array([0.0, 1.0, 2.0, 9.0]), np.array([3.0, 4.0, 5.0, 10.0]))
    (np.float64(1.0), np.float64(5.0))
    """
    return (
        np.quantile(low, 0.5, axis=0, method="lower"),
        np.quantile(high, 0.5, axis=0, method="higher"),
    )
