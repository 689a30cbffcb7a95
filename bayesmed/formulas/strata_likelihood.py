r"""What types of persons imply for the means of cells, with effects that vary between types.

Of the persons in cell (d, z, m), the share

.. math:: w_{dzm,t} = \frac{p_t\,1\{M_{dz}(t)=m\}}{\sum_u p_u\,1\{M_{dz}(u)=m\}}

is of type t. With :math:`a_{td}\sim N(a_d,\sigma_a^2)` and :math:`b_{td}\sim
N(b_d,\sigma_{het}^2)`, independent, the cells' means are jointly normal given the shares: what
varies between types is integrated out. Shapes are those of
`bayesmed.formulas.principal_strata`; functions take NumPy arrays and variables of a graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bayesmed.core.types import ArrayLike, Floats
from bayesmed.formulas.site_slope import LOG_2PI
from bayesmed.formulas.type_shares import summed

__all__ = [
    "CELLS_OF_ARM",
    "PAIRS_OF_CELLS",
    "cell_weights",
    "covariance_of_cell_means",
    "intercept_bounds",
    "joint_log_density",
    "truncated_slopes",
]

CELLS_OF_ARM = ((0, 0), (0, 1), (1, 0), (1, 1))
"""The four cells (z, m) of an arm, in the order of covariances between their means."""
PAIRS_OF_CELLS = tuple((i, j) for i in range(4) for j in range(i + 1))
"""Pairs of them, each row of a lower triangle after the other."""
_LEAST = 1e-150
_NARROWEST, _INSIDE = 1e-9, 1e-15


def cell_weights(share: ArrayLike, types: Floats) -> ArrayLike:
    r"""Share of each type among the persons of a cell, (..., T, 2, 2, 2), axes t, d, z, m.

    The :math:`w_{dzm,t}` of the module; NaN in a cell that no type is in.

    Examples
    --------
    >>> types = np.array([[[1, 1], [1, 1]], [[0, 1], [0, 1]]])
    >>> cell_weights(np.array([0.25, 0.75]), types)[:, 0, 1, 1].tolist()
    [0.25, 0.75]
    """
    members = share[..., :, None, None, None] * (types[..., None] == np.array([0.0, 1.0]))
    with np.errstate(divide="ignore", invalid="ignore"):
        return members / members.sum(axis=-4)[..., None, :, :, :]


def covariance_of_cell_means(
    share: ArrayLike, types: Floats, intercept_sd: ArrayLike, slope_sd: ArrayLike
) -> ArrayLike:
    r"""Covariance that types bring to the means of an arm's cells, (..., 20).

    .. math::

        \mathrm{Cov}(\mu_{dzm},\mu_{dz'm'})
          =\sum_t w_{dzm,t}\,w_{dz'm',t}\,(\sigma_a^2+m\,m'\,\sigma_{het}^2)

    for the pairs of cells in ``PAIRS_OF_CELLS``, both arms of a pair side by side. 0 where nobody
    is in a cell.

    Parameters
    ----------
    share
        (..., T) shares of types.
    types
        (T, 2, 2) an array of numbers.
    intercept_sd, slope_sd
        :math:`\sigma_a` and :math:`\sigma_{het}`, single numbers or with one axis of length 1 at
        the end.

    Examples
    --------
    >>> types = np.array([[[1.0, 1.0], [1.0, 1.0]]])
    >>> found = covariance_of_cell_means(np.ones(1), types, 1.0, 2.0)
    >>> PAIRS_OF_CELLS[7], found[14:16].tolist(), PAIRS_OF_CELLS[6], found[12:14].tolist()
    ((3, 1), [5.0, 5.0], (3, 0), [0.0, 0.0])
    """
    inside = _in_cells(types)
    first, second = (np.array([pair[i] for pair in PAIRS_OF_CELLS]) for i in range(2))
    shape = (len(types), 2 * len(PAIRS_OF_CELLS))
    one, other = inside[:, first].reshape(shape), inside[:, second].reshape(shape)
    together = summed(share**2, one * other)
    treated = np.array([float(m) for _, m in CELLS_OF_ARM])
    both = np.repeat(treated[first] * treated[second], 2)
    # A share of 0 leaves no type in a cell; the least number keeps it from being divided by.
    persons = (summed(share, one) + _LEAST) * (summed(share, other) + _LEAST)
    return together / persons * (intercept_sd**2 + both * slope_sd**2)


def _in_cells(types: Floats) -> Floats:
    """Whether a type is in a cell, (T, 4, 2): zeros and ones, the arm last."""
    return np.stack([types[:, :, z] == m for z, m in CELLS_OF_ARM], axis=1).astype(np.float64)


def joint_log_density(residual: Sequence[ArrayLike], cov: Sequence[ArrayLike]) -> ArrayLike:
    r"""Log-density of a normal vector with mean 0, natural logarithm.

    .. math:: -\tfrac12\sum_i\{\log 2\pi+\log D_i+u_i^2/D_i\},\qquad
              \Sigma = LDL',\quad Lu = r

    Entries are arrays or variables of a graph, all of one shape: with few of them that is far
    quicker to compile than stacked matrices.

    Parameters
    ----------
    residual
        k entries r.
    cov
        k (k + 1) / 2 entries of :math:`\Sigma`: its lower triangle, row after row.

    Examples
    --------
    >>> round(float(joint_log_density([1.0, 0.0], [1.0, 0.5, 1.0])), 6)
    -2.360703
    """
    lower: list[list[ArrayLike]] = []
    pivots: list[ArrayLike] = []
    whitened: list[ArrayLike] = []
    total: ArrayLike = 0.0
    for i in range(len(residual)):
        row = cov[i * (i + 1) // 2 :]
        below: list[ArrayLike] = []
        for j in range(i):
            rest = row[j] - sum(below[k] * lower[j][k] * pivots[k] for k in range(j))
            below.append(rest / pivots[j])
        pivot = row[i] - sum(below[k] ** 2 * pivots[k] for k in range(i))
        u = residual[i] - sum(below[k] * whitened[k] for k in range(i))
        lower.append(below)
        pivots.append(pivot)
        whitened.append(u)
        total = total - 0.5 * (LOG_2PI + np.log(pivot) + u**2 / pivot)
    return total


def truncated_slopes(
    mean: ArrayLike,
    sd: ArrayLike,
    position: ArrayLike,
    cdf: Callable[[ArrayLike], ArrayLike],
    quantile: Callable[[ArrayLike], ArrayLike],
) -> ArrayLike:
    r"""Return normal differences of two probabilities, truncated to between -1 and 1.

    .. math::

        b=b_d+\sigma_{het}\,\Phi^{-1}\{\Phi(l)+\Phi(z)(\Phi(h)-\Phi(l))\},\qquad
        l=\frac{-1-b_d}{\sigma_{het}},\quad h=\frac{1-b_d}{\sigma_{het}}

    has that distribution where z is standard normal, and is :math:`b_d+\sigma_{het}z` far from
    the ends.

    Parameters
    ----------
    mean, sd
        :math:`b_d` between -1 and 1, and :math:`\sigma_{het}` from 0 on.
    position
        z.
    cdf, quantile
        :math:`\Phi` and its inverse, of arrays or of variables of a graph.

    Examples
    --------
    >>> from scipy.special import ndtr, ndtri
    >>> truncated_slopes(0.5, 0.1, np.array([-1.0, 0.0]), ndtr, ndtri).round(3).tolist()
    [0.4, 0.5]
    """
    width = sd + _NARROWEST
    lowest, highest = cdf((-1.0 - mean) / width), cdf((1.0 - mean) / width)
    # Beyond eight standard deviations a probability is 1 to the last digit.
    inside = _INSIDE + (1.0 - 2.0 * _INSIDE) * (lowest + cdf(position) * (highest - lowest))
    return mean + sd * quantile(inside)


def intercept_bounds(slope: ArrayLike) -> tuple[ArrayLike, ArrayLike]:
    r"""Return the probabilities a that leave a and a + b between 0 and 1.

    .. math:: \max(0,-b)\le a\le\min(1,1-b)

    Examples
    --------
    >>> [x.tolist() for x in intercept_bounds(np.array([0.25, -0.25]))]
    [[0.0, 0.25], [0.75, 1.0]]
    """
    size = abs(slope)
    return (size - slope) / 2.0, 1.0 - (size + slope) / 2.0
