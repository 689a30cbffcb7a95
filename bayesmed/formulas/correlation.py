r"""Correlations: of mediator effects among each other, and of mediator with direct effects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayesmed.core.types import ArrayLike
from bayesmed.formulas.linear_gaussian import Matrix, dot


def root_of_correlations(partial: Sequence[ArrayLike], n: int) -> Matrix:
    r"""Return the lower triangular root of a correlation matrix from partial correlations.

    Row i is built from :math:`z_{i1},\dots,z_{i,i-1}`, the correlations of i with 1, 2, ... given
    those before (Lewandowski, Kurowicka and Joe 2009, section 3.2).

    Parameters
    ----------
    partial
        :math:`n(n-1)/2` partial correlations in (-1, 1), row by row.
    n
        Size.

    Examples
    --------
    >>> [[round(float(x), 6) for x in row] for row in root_of_correlations([0.6], 2)]
    [[1.0, 0.0], [0.6, 0.8]]
    """
    taken = iter(partial)
    root: Matrix = []
    for i in range(n):
        row: list[ArrayLike] = []
        left: ArrayLike = 1.0
        for _ in range(i):
            z = next(taken)
            row.append(z * np.sqrt(left))
            left = left * (1.0 - z**2)
        root.append([*row, 1.0 if i == 0 else np.sqrt(left), *[0.0] * (n - i - 1)])
    return root


def uniform_exponent(i: int, j: int, n: int) -> float:
    r"""Return b such that :math:`(1+z_{ij})/2\sim\mathrm{Beta}(b, b)` makes correlations uniform.

    Then all correlation matrices of size n are equally likely (LKJ with :math:`\eta=1`), whatever
    the order of the variables. Rows i > columns j, counted from 0.
    """
    return 1.0 + (n - 2 - j) / 2.0


def correlations(root: Matrix) -> Matrix:
    """Return the matrix a root belongs to."""
    return [[dot(a, b) for b in root] for a in root]


def slope_under_correlation(
    regression_slope: ArrayLike,
    residual_sd: ArrayLike,
    mediator_effect_sd: ArrayLike,
    correlation: ArrayLike,
) -> ArrayLike:
    r"""Slope that a correlation of direct with mediator effects implies, without sampling error.

    .. math:: \delta(\rho) = b - \frac{\rho}{\sqrt{1-\rho^2}}\,\frac{s_e}{\sigma_\gamma}

    Parameters
    ----------
    regression_slope, residual_sd
        b and :math:`s_e` of the regression of total effects on mediator effects.
    mediator_effect_sd
        :math:`\sigma_\gamma`.
    correlation
        :math:`\rho=\mathrm{Corr}(\gamma,\theta)`.

    Examples
    --------
    >>> float(slope_under_correlation(2.0, 1.0, 1.0, 0.0))
    2.0
    """
    shift = correlation / np.sqrt(1.0 - correlation**2) * residual_sd / mediator_effect_sd
    return regression_slope - shift


def tipping_correlation(
    regression_slope: ArrayLike, residual_sd: ArrayLike, mediator_effect_sd: ArrayLike
) -> ArrayLike:
    r"""Correlation at which the slope is zero, without sampling error.

    .. math:: \rho^* = \mathrm{Corr}(\gamma,\beta)

    Examples
    --------
    >>> rho = tipping_correlation(2.0, 1.0, 1.0)
    >>> bool(np.isclose(slope_under_correlation(2.0, 1.0, 1.0, rho), 0.0))
    True
    """
    through = regression_slope * mediator_effect_sd
    return through / np.sqrt(through**2 + residual_sd**2)
