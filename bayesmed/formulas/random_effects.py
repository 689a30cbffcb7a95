r"""Variances beyond sampling error in a regression across sites, by the method of moments.

Of :math:`\hat\beta_s = x_s'b + u_s + e_s`, with :math:`e_s` of known variance :math:`v_s`, weights
:math:`w_s=1/v_s`, residuals r of weighted least squares and :math:`H` its hat matrix on the scale
of :math:`\sqrt w`, :math:`H_{st} = \sqrt{w_sw_t}\,x_s'Gx_t,\ G = (\sum w_sx_sx_s')^{-1}`.
"""

from __future__ import annotations

import numpy as np

from bayesmed.core.types import Floats

__all__ = ["coefficient_variances", "common_variance"]


def common_variance(design: Floats, outcome: Floats, variance: Floats) -> float:
    r"""Estimate one variance :math:`\tau` of :math:`u_s`, the same at every site.

    .. math::

        \hat\tau = \max\Bigl\{0,\ \frac{\sum w_sr_s^2 - (S-k)}
                                      {\sum w_s - \sum w_s^2x_s'Gx_s}\Bigr\}

    DerSimonian and Laird (1986), in the form of Raudenbush (2009) for regressions.

    Parameters
    ----------
    design, outcome
        (S, k) regressors, with the column of ones if there is an intercept, and (S,).
    variance
        (S,) sampling variances, all positive.

    Examples
    --------
    >>> x = np.ones((3, 1))
    >>> round(common_variance(x, np.array([1.0, 2.0, 3.0]), np.full(3, 0.25)), 12)
    0.75
    """
    sites, k = design.shape
    if sites <= k:
        return 0.0
    weight = 1 / variance
    square, residual = _least_squares(design, outcome, weight)
    leverage = np.einsum("si,ij,sj->s", design, square, design)
    excess = float(weight @ residual**2 - (sites - k))
    return max(0.0, excess / (float(weight.sum()) - float(weight**2 @ leverage)))


def coefficient_variances(design: Floats, outcome: Floats, variance: Floats) -> Floats:
    r"""Estimate the variances of coefficients that differ between sites, :math:`u_s=\eta_s'x_s`.

    With :math:`\mathrm{Cov}\,\eta_s` diagonal, :math:`\tau_1,\dots,\tau_k`, squared residuals have
    expectations

    .. math::

        E\,w_sr_s^2 = 1 - H_{ss} + \sum_q\tau_q\sum_t(1_{s=t}-H_{st})^2w_tx_{tq}^2,

    to which the :math:`\tau_q\ge0` are fitted by least squares (Hildreth and Houck 1968, with a
    known part of the variance). Costs as many operations as there are sites.

    Parameters
    ----------
    design, outcome, variance
        As in `common_variance`.

    Returns
    -------
    NDArray
        (k,) variances, in the order of the columns.

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [3.0], [4.0]])
    >>> coefficient_variances(x, 2 * x[:, 0], np.full(4, 0.1))
    array([0.])
    """
    from scipy.optimize import nnls

    sites, k = design.shape
    if sites <= k:
        return np.zeros(k)
    weight = 1 / variance
    square, residual = _least_squares(design, outcome, weight)
    mapped = design @ square
    leverage = weight * np.einsum("si,si->s", mapped, design)
    each = weight[:, None] * design**2
    # Σ_t w_s w_t (x_s'G x_t)² w_t x_tq², by way of k × k sums over t.
    inner = np.einsum("t,ti,tj,tq->qij", weight, design, design, each)
    outer = weight[:, None] * np.einsum("si,qij,sj->sq", mapped, inner, mapped)
    expected = each * (1 - 2 * leverage)[:, None] + outer
    size = np.sqrt((expected**2).sum(axis=0))
    size = np.where(size > 0, size, 1.0)
    found, _ = nnls(expected / size, weight * residual**2 - (1 - leverage))
    return np.asarray(found / size)


def _least_squares(design: Floats, outcome: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return G and the residuals."""
    weighted = design * weight[:, None]
    square = np.linalg.inv(weighted.T @ design)
    residual = outcome - design @ (square @ (weighted.T @ outcome))
    return square, residual
