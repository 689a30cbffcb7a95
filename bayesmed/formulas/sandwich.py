"""Covariance of regression coefficients where persons' residuals vary unequally."""

from __future__ import annotations

import numpy as np

from bayesmed.core.types import Floats

__all__ = ["sandwich"]


def sandwich(design: Floats, residual: Floats) -> Floats:
    r"""Return White's (1982) covariance of coefficients: (K, K).

    .. math:: (A'A)^{-1}\Big(\sum_i\hat\varepsilon_i^2A_iA_i'\Big)(A'A)^{-1}

    For two-stage least squares :math:`A_i=(1, X_i, R_i, \hat M_i)` with the *predicted* mediator,
    and residuals made with the mediator itself (Small 2012, section 5; its text prints
    :math:`M_i` in :math:`A_i`, which is inconsistent). Times n/(n - K) where residuals of small
    samples are too small.

    Parameters
    ----------
    design
        (N, K) A, of full rank.
    residual
        (N,).

    Examples
    --------
    >>> sandwich(np.ones((4, 1)), np.array([1.0, -1.0, 2.0, -2.0])).tolist()
    [[0.625]]
    """
    basis, root = np.linalg.qr(design)
    weighted = basis * residual[:, None]
    inverse = np.linalg.inv(root)
    return np.asarray(inverse @ (weighted.T @ weighted) @ inverse.T)
