"""A line through the origin whose slopes differ between sites, by maximum likelihood."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesmed.core.types import Floats

__all__ = ["VaryingLine", "varying_line"]


class VaryingLine(NamedTuple):
    """Average slopes (P,), their covariance (P, P), and spreads of slopes (P,)."""

    slope: Floats
    cov: Floats
    slope_sd: Floats


def varying_line(mediator: Floats, total: Floats, variance: Floats, start: Floats) -> VaryingLine:
    r"""Maximise the likelihood of total effects given mediator effects.

    .. math::

        \beta_s\sim N\Bigl(\delta'\gamma_s,\ v_s=a_s+\sum_p\sigma_p^2\gamma_{ps}^2\Bigr),\qquad
        \hat\delta=\Bigl(\sum_s\gamma_s\gamma_s'/v_s\Bigr)^{-1}\sum_s\gamma_s\beta_s/v_s

    over :math:`\sigma_p\ge0`, the slopes being those given :math:`\sigma` (Reardon and Raudenbush
    2013, equation 11, with normal slopes, diagonal :math:`\Omega_\delta` and mediator effects as
    known).

    Parameters
    ----------
    mediator
        (S, P) mediator effects.
    total
        (S,) total effects.
    variance
        (S,) their variances beside those of slopes, positive.
    start
        (P,) spreads to begin at; those that are 0 stay so.

    Examples
    --------
    >>> gamma = np.array([[1.0], [2.0], [3.0], [4.0]])
    >>> total = np.array([0.5, 3.0, 2.0, 7.0])
    >>> found = varying_line(gamma, total, np.full(4, 0.1), np.array([0.5]))
    >>> found.slope.round(3).tolist(), found.slope_sd.round(3).tolist()
    ([1.144], [0.495])
    """
    from scipy.optimize import minimize

    free = np.flatnonzero(start > 0)
    square = mediator**2

    def at(spread: Floats) -> tuple[Floats, Floats, Floats]:
        weight = 1.0 / (variance + square[:, free] @ spread**2)
        weighted = mediator * weight[:, None]
        cov = np.linalg.inv(mediator.T @ weighted)
        return weight, cov, cov @ (weighted.T @ total)

    def loss(scaled: Floats) -> tuple[float, Floats]:
        weight, _, slope = at(scaled * unit)
        residual = weight * (total - mediator @ slope) ** 2
        value = 0.5 * float(residual.sum() - np.log(weight).sum())
        slopes = ((weight * (1.0 - residual)) @ square[:, free]) * scaled * unit**2
        return value, slopes

    unit = start[free]
    spread = np.zeros_like(start)
    if free.size:
        bounds = [(0.0, None)] * free.size
        found = minimize(loss, np.ones(free.size), jac=True, bounds=bounds, method="L-BFGS-B")
        spread[free] = found.x * unit
    _, cov, slope = at(spread[free])
    return VaryingLine(slope, cov, spread)
