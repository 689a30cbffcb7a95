"""Cross-products of treatment, variables and their interactions, from moments of two arms."""

from __future__ import annotations

import numpy as np

from bayesmed.core.types import Floats
from bayesmed.formulas.cell_moments import joined

__all__ = ["treatment_products"]


def treatment_products(n: Floats, mean: Floats, cross: Floats) -> Floats:
    r"""Return the centred cross-products of (R, V, R·V) over all persons: (1 + 2V, 1 + 2V).

    In an arm R is a constant, so R·V is V where R = 1 and 0 where R = 0. Its moments there are
    known; joined, the two arms give the cross-products

    .. math:: \sum_i (u_i-\bar u)(u_i-\bar u)',\qquad u_i = (R_i, V_i', R_iV_i')'

    (Small 2012, section 5, needs no other moments of persons with constant effects).

    Parameters
    ----------
    n
        (2,) persons with R = 0 and R = 1.
    mean
        (2, V) means by arm, measured from the point about which interactions are to be taken.
    cross
        (2, V, V) cross-products about these means.

    Examples
    --------
    >>> n, mean = np.array([1.0, 1.0]), np.array([[-1.0], [1.0]])
    >>> treatment_products(n, mean, np.zeros((2, 1, 1))).tolist()
    [[0.5, 1.0, 0.5], [1.0, 2.0, 1.0], [0.5, 1.0, 0.5]]
    """
    v = mean.shape[1]
    means = np.zeros((2, 1 + 2 * v))
    means[:, 1 : 1 + v] = mean
    means[1, 0], means[1, 1 + v :] = 1.0, mean[1]
    products = np.zeros((2, 1 + 2 * v, 1 + 2 * v))
    products[:, 1 : 1 + v, 1 : 1 + v] = cross
    products[1, 1:, 1:] = np.tile(cross[1], (2, 2))
    _, _, whole = joined(n, means, products, np.zeros(2, dtype=np.int64), 1)
    return np.asarray(whole[0])
