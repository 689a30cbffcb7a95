r"""Total effects less what is expected to run through all mediators but one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesmed.core.types import Floats


class PartialResiduals(NamedTuple):
    """Partial residuals of S sites, their sampling variances, and covariances, each (S,).

    ``cov`` are the covariances with all estimates, (S, P + 1), total effects last.
    """

    estimate: Floats
    variance: Floats
    cov: Floats


def partial_residuals(
    total: Floats, fitted: Floats, gradient: Floats, cov: Floats
) -> PartialResiduals:
    r"""Return :math:`\hat\beta_s - f(\hat\gamma_s)` with its sampling error, at given slopes.

    With :math:`c_s = (-\nabla f(\hat\gamma_s), 1)`

    .. math:: \mathrm{Var} = c_s'V_sc_s,\qquad \mathrm{Cov} = V_sc_s,

    exactly where f is linear, :math:`f = \sum_{q\ne p}\delta_q\gamma_q` (partial or
    component-plus-residual plots: Larsen and McCleary 1972; here with errors in all variables), and
    to first order elsewhere.

    Parameters
    ----------
    total, fitted
        (S,) estimated total effects, and f at the estimated mediator effects.
    gradient
        (S, P) derivatives of f.
    cov
        (S, P + 1, P + 1) sampling covariances of mediator effects and total effect.

    Examples
    --------
    >>> cov = np.array([[[4.0, 1.0], [1.0, 9.0]]])
    >>> found = partial_residuals(np.array([5.0]), np.array([2.0]), np.array([[0.5]]), cov)
    >>> found.estimate.tolist(), found.variance.tolist(), found.cov.tolist()
    ([3.0], [9.0], [[-1.0, 8.5]])
    """
    c = np.concatenate([-gradient, np.ones((total.size, 1))], axis=1)
    across = np.einsum("sij,sj->si", cov, c)
    return PartialResiduals(total - fitted, np.einsum("si,si->s", c, across), across)
