r"""The covariance of persons within an arm, and the sampling covariance it gives site estimates.

Sums of products about the means of cells are :math:`S\sim\mathrm{Wishart}(\Sigma,\nu)` for normal
persons, whatever the means (methods, section 4a). With Jeffreys' prior
:math:`|\Sigma|^{-(K+1)/2}`, which does not depend on units or on the order of variables,

.. math::
    \Sigma\mid S \sim \mathrm{InverseWishart}(\nu, S),\qquad
    \Sigma = C A^{-T} A^{-1} C',\quad S = CC',

where A is lower triangular, :math:`A_{ii}^2\sim\chi^2_{\nu-i}` for i = 0, 1, … and
:math:`A_{ij}\sim N(0,1)` below the diagonal (Bartlett 1933). Coordinates z are those normal
numbers and, for the diagonal, :math:`z_i` with :math:`A_{ii}^2=k\,e^{z_i\sqrt{2/k}}`,
:math:`k=\nu-i`, which are nearly standard normal: exactly so for many persons.

The means of cells are independent of S, so that the estimates of a row, with weights w of the arms,
have the sampling covariance :math:`V=\sum_a w_a\Sigma_a`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bayesmed.core.types import ArrayLike
from bayesmed.formulas.linear_gaussian import Matrix, dot, lower_inverse
from bayesmed.formulas.site_slope import LOG_2PI


def n_coordinates(k: int) -> int:
    """Return how many coordinates the covariance of K variables has."""
    return k * (k + 1) // 2


def covariance_of_persons(
    z: Sequence[ArrayLike], root: Sequence[Sequence[ArrayLike]], df: ArrayLike
) -> Matrix:
    r"""Return :math:`\Sigma` at coordinates z; see the module's equations.

    Parameters
    ----------
    z
        K coordinates of the diagonal, then K (K - 1) / 2 below it, row by row.
    root
        C, K by K, lower triangular.
    df
        :math:`\nu`.

    Examples
    --------
    >>> round(float(covariance_of_persons([0.0], [[6.0]], 12.0)[0][0]), 9)
    3.0
    """
    k = len(root)
    below = iter(z[k:])
    bartlett: Matrix = []
    for i in range(k):
        freedom = df - i
        diagonal = np.sqrt(freedom) * np.exp(0.5 * z[i] * np.sqrt(2.0 / freedom))
        row: list[ArrayLike] = [next(below) for _ in range(i)]
        bartlett.append([*row, diagonal, *[0.0] * (k - i - 1)])
    inverse = lower_inverse(bartlett)
    # Row i of C A^{-T}: the transpose of A's inverse is upper triangular.
    whole = [[dot(row, inverse[j]) for j in range(k)] for row in root]
    lower = [[dot(whole[i], whole[j]) for j in range(i + 1)] for i in range(k)]
    return [[lower[max(i, j)][min(i, j)] for j in range(k)] for i in range(k)]


def coordinate_log_ratio(z: ArrayLike, df: ArrayLike, i: int) -> ArrayLike:
    r"""Log-density of a coordinate of the diagonal over that of a standard normal one.

    With :math:`k=\nu-i` and :math:`u=z\sqrt{2/k}` it is :math:`\tfrac k2(u - e^u + 1) + z^2/2`
    and `coordinate_log_constant`, from the density of a :math:`\chi^2_k`.

    Examples
    --------
    >>> bool(abs(coordinate_log_ratio(1.0, 1e9, 0)) < 1e-4)
    True
    """
    freedom = df - i
    u = z * np.sqrt(2.0 / freedom)
    return 0.5 * freedom * (u - np.expm1(u)) + 0.5 * z**2


def coordinate_log_constant(df: float, i: int) -> float:
    r"""Return what `coordinate_log_ratio` leaves out.

    It is :math:`-\{\log\Gamma(h)-(h-\tfrac12)\log h+h-\tfrac12\log 2\pi\}` with
    :math:`h=(\nu-i)/2`: the remainder of Stirling's series, nearly 0.

    Examples
    --------
    >>> round(coordinate_log_constant(12.0, 0), 4)
    -0.0139
    """
    h = (df - i) / 2
    if h > 1e4:
        return -1 / (12 * h)
    return -(math.lgamma(h) - (h - 0.5) * math.log(h) + h - 0.5 * LOG_2PI)


def sampling_covariance(weights: Sequence[ArrayLike], covariances: Sequence[Matrix]) -> Matrix:
    r"""Return :math:`V=\sum_a w_a\Sigma_a`, lower triangle only.

    Examples
    --------
    >>> sampling_covariance([0.5, 0.25], [[[2.0]], [[8.0]]])
    [[3.0]]
    """
    k = len(covariances[0])
    return [
        [dot(weights, [c[i][j] for c in covariances]) if j <= i else 0.0 for j in range(k)]
        for i in range(k)
    ]
