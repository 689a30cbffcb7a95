"""Regressions in cross-products: what some variables predict of others, and what they leave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmed.core.types import Floats

__all__ = ["Partialled", "first_dependent", "partialled"]

_DEPENDENT = 1e-10
"""Share of a variable's sum of squares below which the variables before it predict all of it."""


@dataclass(frozen=True, eq=False)
class Partialled:
    """Regressions of K - J variables on the J before them.

    Attributes
    ----------
    coefficients
        (J, K - J).
    inverse
        (J, J) inverse of the cross-products of the first J.
    explained
        (K - J, K - J) cross-products of what is predicted.
    left
        (K - J, K - J) cross-products of what is not.
    """

    coefficients: Floats
    inverse: Floats
    explained: Floats
    left: Floats

    @property
    def total(self) -> Floats:
        """(K - J, K - J) cross-products of the later variables themselves."""
        return self.explained + self.left


def partialled(products: Floats, first: int) -> Partialled:
    r"""Regress the later variables on the first ones (Frisch and Waugh 1933; Lovell 1963).

    .. math::

        B = S_{11}^{-1}S_{12},\qquad
        S_{22} = \underbrace{S_{21}S_{11}^{-1}S_{12}}_{explained} +
                 \underbrace{S_{22}-S_{21}S_{11}^{-1}S_{12}}_{left}

    Both parts come from a triangular root of S, so that neither is a difference of large numbers.

    Parameters
    ----------
    products
        (K, K) cross-products S, the first J positive definite (`first_dependent`).
    first
        J.

    Examples
    --------
    >>> found = partialled(np.array([[4.0, 2.0], [2.0, 5.0]]), 1)
    >>> found.coefficients.tolist(), found.explained.tolist(), found.left.tolist()
    ([[0.5]], [[1.0]], [[4.0]])
    """
    size, root = _root(products)
    lower = root[first:, :first] * size[first:, None]
    rest = root[first:, first:] * size[first:, None]
    inverse_root = np.linalg.inv(root[:first, :first]) / size[:first]
    return Partialled(
        coefficients=inverse_root.T @ lower.T,
        inverse=inverse_root.T @ inverse_root,
        explained=lower @ lower.T,
        left=rest @ rest.T,
    )


def first_dependent(products: Floats) -> int | None:
    """Return the first variable that those before it predict wholly, or that is constant.

    Examples
    --------
    >>> first_dependent(np.array([[1.0, 2.0], [2.0, 4.0]])), first_dependent(np.eye(2))
    (1, None)
    """
    _, root = _root(products)
    dependent = np.flatnonzero(np.diagonal(root) ** 2 < _DEPENDENT)
    return int(dependent[0]) if dependent.size else None


def _root(products: Floats) -> tuple[Floats, Floats]:
    """Sizes of the variables and the lower triangular root of their correlations.

    A variable that those before it predict has a column of zeros.
    """
    k = len(products)
    size = np.sqrt(np.maximum(np.diagonal(products), 0.0))
    size = np.where(size > 0, size, 1.0)
    scaled = products / (size[:, None] * size)
    root = np.zeros((k, k))
    for j in range(k):
        column = scaled[j:, j] - root[j:, :j] @ root[j, :j]
        if column[0] >= _DEPENDENT:
            root[j:, j] = column / np.sqrt(column[0])
    return size, root
