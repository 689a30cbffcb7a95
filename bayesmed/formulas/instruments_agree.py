"""How far instruments are from agreeing on one slope."""

from __future__ import annotations

import numpy as np

from bayesmed.core.types import Floats

__all__ = ["least_disagreement"]


def least_disagreement(on_mediator: Floats, on_outcome: Floats, weight: Floats) -> Floats:
    r"""Return the distance of effects on the outcome from the nearest multiple of the others.

    .. math::

        \min_b (y-bx)'W(y-bx) = y'Wy-\frac{(x'Wy)^2}{x'Wx},

    which is Hansen's (1982) J where W is the inverse covariance of :math:`y-bx`: were each of k
    instruments valid, about :math:`\chi^2` with k - 1 degrees of freedom.

    Parameters
    ----------
    on_mediator, on_outcome
        (..., k) effects x and y of the instruments.
    weight
        (k, k) W, positive definite.

    Examples
    --------
    >>> x, y = np.array([1.0, 2.0]), np.array([[2.0, 4.0], [2.0, 5.0]])
    >>> least_disagreement(x, y, np.eye(2)).round(9).tolist()
    [0.0, 0.2]
    """
    of_y = np.einsum("...i,ij,...j->...", on_outcome, weight, on_outcome)
    of_x = np.einsum("...i,ij,...j->...", on_mediator, weight, on_mediator)
    both = np.einsum("...i,ij,...j->...", on_mediator, weight, on_outcome)
    with np.errstate(divide="ignore", invalid="ignore"):
        explained = np.where(of_x > 0, both**2 / of_x, 0.0)
    return np.asarray(np.maximum(of_y - explained, 0.0))
