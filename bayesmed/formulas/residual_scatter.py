"""Scatter of site estimates about a line, in units of its sampling error."""

from __future__ import annotations

import numpy as np

from bayesmed.core.types import Floats

__all__ = ["residual_q"]


def residual_q(estimate: Floats, variance: Floats) -> float:
    r"""Cochran's Q of residuals: their squares over their sampling variances.

    .. math:: Q = \sum_s \frac{r_s^2}{c'V_sc},\qquad r_s = c'(\hat\gamma_s, \hat\beta_s) - a

    with the contrast :math:`c = (-\delta, 1)` (Cochran 1954; as a test of exclusion Greco, Minelli,
    Sheehan and Thompson 2015; with the errors of several regressors Sanderson, Davey Smith,
    Windmeijer and Bowden 2019). Residuals are taken as independent.

    Parameters
    ----------
    estimate
        (S,) residuals r.
    variance
        (S,) their sampling variances :math:`c'V_sc`, all positive.

    Examples
    --------
    >>> residual_q(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    3.0
    """
    return float(np.sum(estimate**2 / variance))
