"""Averages over standard normal variables, by nodes and weights, in logarithms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from bayesmed.core.types import ArrayLike, Floats

# Nodes on each axis, by the number of axes; beyond those, points spread evenly.
PER_AXIS = {1: 16, 2: 8, 3: 6}
SPREAD_POINTS = 512


class Functions(NamedTuple):
    """Functions that NumPy arrays and PyTensor variables do not share.

    ``log_gamma`` is elementwise; ``log_sum_exp`` works over the first axis.
    """

    log_gamma: Callable[[ArrayLike], ArrayLike]
    log_sum_exp: Callable[[ArrayLike], ArrayLike]


def log_sum_exp(terms: Floats) -> Floats:
    """Logarithm of the sum of exponentials over the first axis."""
    top = terms.max(axis=0)
    return np.asarray(top + np.log(np.exp(terms - top).sum(axis=0)))


def line_nodes(points: int = 801, reach: float = 8.0) -> tuple[Floats, Floats]:
    r"""Nodes and log weights as of ``normal_nodes`` on one axis, evenly spaced and many.

    For what is too narrow or too bent for few nodes.

    Examples
    --------
    >>> z, log_weights = line_nodes()
    >>> round(float(np.exp(log_weights) @ z[0] ** 4), 6)
    3.0
    """
    nodes = np.linspace(-reach, reach, points)
    step = nodes[1] - nodes[0]
    return nodes[None], math.log(step) - 0.5 * (nodes**2 + math.log(2.0 * math.pi))


ARRAYS = Functions(gammaln, log_sum_exp)


def normal_nodes(n_axes: int) -> tuple[Floats, Floats]:
    r"""Nodes and log weights with :math:`E\,g(z)\approx\sum_j w_j g(z_j)`, z standard normal.

    Gauss-Hermite on up to three axes; beyond, a Sobol sequence carried to the normal (fixed, so
    that nothing depends on a seed).

    Returns
    -------
    nodes
        Shape (n_axes, J).
    log_weights
        Shape (J,); the weights sum to one.

    Examples
    --------
    >>> z, log_weights = normal_nodes(1)
    >>> round(float(np.exp(log_weights) @ z[0] ** 4), 6)
    3.0
    """
    if n_axes not in PER_AXIS:
        from scipy.special import ndtri
        from scipy.stats import qmc

        points = qmc.Sobol(n_axes, scramble=True, rng=np.random.default_rng(0)).random(
            SPREAD_POINTS
        )
        return np.asarray(ndtri(points.T)), np.full(SPREAD_POINTS, -math.log(SPREAD_POINTS))
    axis, weight = np.polynomial.hermite_e.hermegauss(PER_AXIS[n_axes])
    log_weight = np.log(weight) - 0.5 * math.log(2.0 * math.pi)
    grid = np.meshgrid(*[axis] * n_axes, indexing="ij")
    weights = np.meshgrid(*[log_weight] * n_axes, indexing="ij")
    return np.stack([g.ravel() for g in grid]), np.sum([w.ravel() for w in weights], axis=0)
