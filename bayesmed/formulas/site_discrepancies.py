r"""What a scatter of site effects would not look like, were the assumptions of a line true.

Each function takes one scatter, or many replicated ones on the axes in front, and returns a number
of each: how large it is by chance, predictions of the model tell.

Shapes: ``mediator`` (..., S) estimated effects on one mediator, ``total`` (..., S) estimated total
effects, ``weight`` (S,).
"""

from __future__ import annotations

import numpy as np

from bayesmed.core.types import Floats

__all__ = ["curvature", "fan", "line_residuals", "rank_correlation", "standardised_moments"]


def line_residuals(design: Floats, total: Floats, weight: Floats) -> Floats:
    r"""Residuals of a weighted regression, in units of one over the root of the weights, (..., S).

    .. math:: r_s=\sqrt{w_s}\,(\hat\beta_s-x_s'b),\qquad b=(X'WX)^{-1}X'W\hat\beta

    Parameters
    ----------
    design
        (..., S, k) regressors.
    total
        (..., S) estimated total effects.
    weight
        (S,) weights.

    Examples
    --------
    >>> x = np.array([[1.0], [1.0]])
    >>> line_residuals(x, np.array([1.0, 3.0]), np.array([1.0, 1.0])).tolist()
    [-1.0, 1.0]
    """
    root = np.sqrt(weight)
    x, y = design * root[:, None], total * root
    cross = np.swapaxes(x, -1, -2)
    coefficients = np.linalg.pinv(cross @ x) @ cross @ y[..., None]
    return np.asarray(y - (x @ coefficients)[..., 0])


def curvature(design: Floats, total: Floats, weight: Floats) -> Floats:
    r"""Statistic t of the last regressor, (...,): the square of the mediator effect, say.

    .. math::

        t=\frac{b_k}{\sqrt{\hat\sigma^2\{(X'WX)^{-1}\}_{kk}}},\qquad
        \hat\sigma^2=\frac{\sum_s r_s^2}{S-k}

    Were slopes related to mediator effects, :math:`E[\hat\beta\mid\gamma]` would bend (methods,
    section 7). NaN where no site is to spare.

    Parameters
    ----------
    design
        (..., S, k) regressors.
    total
        (..., S) estimated total effects.
    weight
        (S,) weights.

    Examples
    --------
    >>> x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    >>> design = np.stack([np.ones(5), x, x**2], axis=-1)
    >>> noise = np.array([0.1, -0.2, 0.0, 0.2, -0.1])
    >>> round(float(curvature(design, 1 + x + x**2 + noise, np.ones(5))), 2)
    16.73
    """
    sites, k = design.shape[-2:]
    if sites <= k:
        return np.full(design.shape[:-2], np.nan)
    # What of the last regressor, and of total effects, the others leave.
    left, rest = (line_residuals(design[..., :-1], y, weight) for y in (design[..., -1], total))
    square = (left**2).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (left * rest).sum(axis=-1) / square
        variance = ((rest - slope[..., None] * left) ** 2).sum(axis=-1) / (sites - k)
        return np.asarray(slope * np.sqrt(square / variance))


def fan(residual: Floats, mediator: Floats) -> Floats:
    r"""Rank correlation of the size of residuals with the size of mediator effects, (...,).

    .. math:: \mathrm{corr}\{\mathrm{rank}\,|r_s|,\ \mathrm{rank}\,|\hat\gamma_s|\}

    Slopes that differ between sites add :math:`\sigma_\delta^2\gamma_s^2` to the variance of
    residuals: the scatter fans out. Residuals themselves have no correlation with mediator effects
    then (methods, section 7).

    Examples
    --------
    >>> x = np.array([-3.0, -1.0, 1.5, 4.0])
    >>> float(fan(np.array([2.0, 0.1, -0.5, -3.0]), x))
    1.0
    """
    return rank_correlation(np.abs(residual), np.abs(mediator))


def rank_correlation(one: Floats, other: Floats) -> Floats:
    """Spearman's rank correlation along the last axis, (...,); NaN where all are equal.

    Examples
    --------
    >>> float(rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([1.0, 10.0, 5.0])))
    0.5
    """
    from scipy.stats import rankdata

    first, second = (_centred(rankdata(x, axis=-1)) for x in np.broadcast_arrays(one, other))
    sizes = (first**2).sum(axis=-1) * (second**2).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((first * second).sum(axis=-1) / np.sqrt(sizes))


def standardised_moments(residual: Floats) -> Floats:
    r"""Size of the skewness, and the excess kurtosis, along the last axis, (2, ...).

    .. math:: \frac{|\sum_s z_s^3|}S,\qquad \frac{\sum_s z_s^4}S-3,\qquad
              z_s=\frac{r_s-\bar r}{\sqrt{\sum_s(r_s-\bar r)^2/S}}

    Examples
    --------
    >>> standardised_moments(np.array([-1.0, 1.0, -1.0, 1.0])).tolist()
    [0.0, -2.0]
    """
    centred = _centred(residual)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True))
    return np.stack([np.abs((z**3).mean(axis=-1)), (z**4).mean(axis=-1) - 3.0])


def _centred(x: Floats) -> Floats:
    return np.asarray(x - x.mean(axis=-1, keepdims=True))
