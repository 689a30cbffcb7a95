r"""Student-t direct effects as normal ones whose variance is scaled by a random number w.

:math:`\theta-\mu_\theta\mid w\sim N(0, w\sigma_\theta^2)` with :math:`w\sim
\mathrm{InvGamma}(\nu/2,\nu/2)` is Student-t with :math:`\nu` degrees of freedom. Given w every
formula of the normal model holds, so only :math:`u=\log w` has to be integrated.
"""

from __future__ import annotations

import numpy as np

from bayesmed.core.types import ArrayLike, Floats
from bayesmed.formulas.averaging import ARRAYS, Functions
from bayesmed.formulas.site_slope import LOG_2PI

NODES = 40


def log_scale_density(
    log_scale: ArrayLike, dof: ArrayLike, functions: Functions = ARRAYS
) -> ArrayLike:
    r"""Log-density of :math:`u=\log w`.

    .. math:: \frac\nu2\log\frac\nu2 - \log\Gamma(\nu/2) - \frac\nu2\,(u + e^{-u})
    """
    half = dof / 2.0
    return half * np.log(half) - functions.log_gamma(half) - half * (log_scale + np.exp(-log_scale))


def log_scale_range(
    dof: ArrayLike, residual: ArrayLike, other_variance: ArrayLike, residual_variance: ArrayLike
) -> tuple[ArrayLike, ArrayLike]:
    r"""Return the ends between which the posterior of u lies, whatever the residual.

    Below, w is bounded by the prior: :math:`1/w` is :math:`\chi^2_\nu/\nu`. Above, a residual far
    outside pulls w to about :math:`(\nu + r^2/\sigma^2)/(\nu+1)`, from where the density falls as
    :math:`e^{-(\nu+1)u/2}`.

    Parameters
    ----------
    dof, residual_variance
        :math:`\nu` and :math:`\sigma^2`.
    residual, other_variance
        A site's residual r, and the variance it has beside that of the direct effect.
    """
    low = -np.log(1.0 + 6.0 * np.sqrt(2.0 / dof) + 20.0 / dof)
    square = residual**2
    pull = square / (square + other_variance + residual_variance) * square / residual_variance
    past = 20.0 / (dof + 1.0) + 5.0 * np.sqrt(2.0 / (dof + 1.0))
    return low, np.log((dof + pull) / (dof + 1.0)) + past


def nodes(n: int = NODES) -> tuple[Floats, Floats]:
    """Positions in [0, 1] and logarithms of the weights of the trapezoidal rule."""
    weight = np.full(n, 1.0 / (n - 1))
    weight[[0, -1]] /= 2.0
    return np.linspace(0.0, 1.0, n), np.log(weight)


def log_marginal(
    residual: ArrayLike,
    other_variance: ArrayLike,
    residual_variance: ArrayLike,
    dof: ArrayLike,
    functions: Functions = ARRAYS,
) -> ArrayLike:
    r"""Log-density of a residual that is the sum of a Student-t and a normal variable.

    .. math:: \log\int N(r;\,0,\ v + \sigma^2e^u)\,p(u)\,du

    By the trapezoidal rule, whose nodes lie where the integrand does.

    Parameters
    ----------
    residual, other_variance
        r and v.
    residual_variance, dof
        :math:`\sigma^2` (square of the scale) and :math:`\nu`.
    functions
        NumPy's, or those of the graph.

    Examples
    --------
    >>> from scipy.stats import t
    >>> value = log_marginal(np.array([3.0]), 1e-9, 1.0, 4.0)
    >>> bool(np.isclose(value[0], t(4).logpdf(3.0)))
    True
    """
    position, log_weight = nodes()
    over = (-1, *[1] * residual.ndim)
    u, width = log_scales(residual, other_variance, residual_variance, dof, position.reshape(over))
    terms = log_terms(u, residual, other_variance, residual_variance, dof, functions)
    return functions.log_sum_exp(terms + log_weight.reshape(over)) + np.log(width)


def log_scales(
    residual: ArrayLike,
    other_variance: ArrayLike,
    residual_variance: ArrayLike,
    dof: ArrayLike,
    position: ArrayLike,
) -> tuple[ArrayLike, ArrayLike]:
    """Return u at positions in [0, 1] of its range, and the width of that range."""
    low, high = log_scale_range(dof, residual, other_variance, residual_variance)
    return low + (high - low) * position, high - low


def log_terms(
    log_scale: ArrayLike,
    residual: ArrayLike,
    other_variance: ArrayLike,
    residual_variance: ArrayLike,
    dof: ArrayLike,
    functions: Functions = ARRAYS,
) -> ArrayLike:
    """Log-density of a residual and u together."""
    variance = other_variance + residual_variance * np.exp(log_scale)
    normal = -0.5 * (LOG_2PI + np.log(variance) + residual**2 / variance)
    return normal + log_scale_density(log_scale, dof, functions)
