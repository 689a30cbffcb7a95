r"""Normal vectors seen through scalar measurements, one measurement at a time.

A vector :math:`x = m + L\varepsilon` with :math:`\varepsilon\sim N(0, I)` is measured by
:math:`y = h'x + e`, :math:`e\sim N(0, r)`. What is known about x afterwards has the same form. The
root L is updated instead of the covariance (Potter's square-root filter; Bierman 1977, section
II.3), so that nothing loses its digits when a measurement is nearly, or quite, exact.

Vectors and matrices are lists of entries, each an array over sites (and draws) or a PyTensor
variable: with few entries and many sites that is far quicker than matrices stacked by site. An
entry that is the number 0 costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bayesmed.core.types import ArrayLike, Floats
from bayesmed.formulas.site_slope import LOG_2PI

type Vector = list[ArrayLike]
type Matrix = list[Vector]


class Known(NamedTuple):
    r"""What is known of a normal vector: :math:`x = m + L\varepsilon`, entry by entry."""

    mean: Vector
    root: Matrix


class Measured(NamedTuple):
    """What a measurement does.

    ``known`` is what is known after it; ``variance`` and ``log_density`` are those of the
    measurement before it was made.
    """

    known: Known
    variance: ArrayLike
    log_density: ArrayLike


def product(a: ArrayLike, b: ArrayLike) -> ArrayLike:
    """Multiply, keeping a factor that is the number 0 as it is."""
    return 0.0 if _is_zero(a) or _is_zero(b) else a * b


def dot(a: Sequence[ArrayLike], b: Sequence[ArrayLike]) -> ArrayLike:
    """Sum the products of two lists of entries, leaving out those that are the number 0."""
    total: ArrayLike = 0.0
    for x, y in zip(a, b, strict=True):
        term = product(x, y)
        total = total if _is_zero(term) else term if _is_zero(total) else total + term
    return total


def identity(n: int) -> Matrix:
    """Return the identity matrix."""
    return [[1.0 if i == j else 0.0 for j in range(n)] for i in range(n)]


def measure(
    known: Known, value: ArrayLike, loading: Sequence[ArrayLike], noise_sd: ArrayLike
) -> Measured:
    r"""Learn from one scalar measurement :math:`y = h'x + e` with noise of standard deviation r.

    .. math::
        f = L'h,\quad s = f'f + r^2,\quad m \leftarrow m + L f\,(y - h'm)/s,\quad
        L \leftarrow L\{I - f f'/(s + r\sqrt{s})\}

    The determinant of L shrinks by :math:`r/\sqrt{s}`.

    Examples
    --------
    >>> found = measure(Known([0.0], [[1.0]]), 2.0, [1.0], 1.0)
    >>> round(float(found.known.mean[0]), 6), round(float(found.known.root[0][0] ** 2), 6)
    (1.0, 0.5)
    """
    n = len(known.mean)
    f = [dot([known.root[i][k] for i in range(n)], loading) for k in range(n)]
    noise_variance = noise_sd**2
    variance = dot(f, f) + noise_variance
    spread = np.sqrt(variance)
    innovation = value - dot(loading, known.mean)
    away = innovation / variance
    damping = 1.0 / (variance + noise_sd * spread)
    mean, root = list(known.mean), [list(row) for row in known.root]
    for i in range(n):
        gain = dot(known.root[i], f)
        mean[i] = _sum(mean[i], product(gain, away))
        damped = product(gain, damping)
        for k in range(n):
            root[i][k] = _sum(root[i][k], product(-1.0, product(damped, f[k])))
    log_density = -0.5 * (LOG_2PI + np.log(variance) + innovation * away)
    return Measured(Known(mean, root), variance, log_density)


def unit_lower(matrix: Sequence[Sequence[ArrayLike]]) -> tuple[Matrix, Vector]:
    r"""Decompose a covariance matrix given by its lower triangle: :math:`C = U D U'`.

    Returns
    -------
    inverse
        :math:`U^{-1}`, unit lower triangular: multiplied by it, values become uncorrelated.
    variance
        The diagonal of D.
    """
    inverse, variance, _ = eliminated(matrix, len(matrix))
    return inverse, variance


def eliminated(matrix: Sequence[Sequence[ArrayLike]], steps: int) -> tuple[Matrix, Vector, Matrix]:
    r"""Take the first variables out of a covariance matrix given by its lower triangle.

    Returns
    -------
    inverse
        Unit lower triangular: multiplied by it, the first values become uncorrelated, and the rest
        what the first do not predict.
    variance
        Variances of the first values then.
    left
        Covariance of the rest given the first, lower triangle.

    Examples
    --------
    >>> inverse, variance, left = eliminated([[4.0, 0.0], [2.0, 3.0]], 1)
    >>> inverse[1], variance, left
    ([-0.5, 1.0], [4.0], [[2.0]])
    """
    n = len(matrix)
    left = [[matrix[i][j] if j <= i else 0.0 for j in range(n)] for i in range(n)]
    inverse = identity(n)
    for k in range(steps):
        for i in range(k + 1, n):
            factor = _quotient(left[i][k], left[k][k])
            for j in range(k + 1, i + 1):
                left[i][j] = _sum(left[i][j], product(-1.0, product(factor, left[j][k])))
            for j in range(k + 1):
                inverse[i][j] = _sum(inverse[i][j], product(-1.0, product(factor, inverse[k][j])))
    variance = [left[k][k] for k in range(steps)]
    return inverse, variance, [row[steps:] for row in left[steps:]]


def lower_inverse(root: Sequence[Sequence[ArrayLike]]) -> Matrix:
    """Return the inverse of a lower triangular matrix.

    Examples
    --------
    >>> lower_inverse([[2.0, 0.0], [1.0, 4.0]])
    [[0.5, 0.0], [-0.125, 0.25]]
    """
    n = len(root)
    inverse: Matrix = [[0.0] * n for _ in range(n)]
    for i in range(n):
        inverse[i][i] = 1.0 / root[i][i]
        for j in range(i):
            below = dot(root[i][j:i], [inverse[k][j] for k in range(j, i)])
            inverse[i][j] = product(-1.0, product(below, inverse[i][i]))
    return inverse


def _quotient(a: ArrayLike, b: ArrayLike) -> ArrayLike:
    """Divide; what has no variance has no covariance either."""
    if _is_zero(a):
        return 0.0
    if isinstance(b, np.ndarray):
        out: Floats = np.zeros(np.broadcast_shapes(np.shape(a), b.shape))
        return np.divide(a, b, out=out, where=b > 0)
    return a / b


def _sum(a: ArrayLike, b: ArrayLike) -> ArrayLike:
    return a if _is_zero(b) else b if _is_zero(a) else a + b


def _is_zero(x: ArrayLike) -> bool:
    return isinstance(x, int | float) and x == 0
