r"""What types of persons imply for the means of cells, with effects that vary between types.

Of the persons in cell (d, z, m), the share

.. math:: w_{dzm,t} = \frac{p_t\,1\{M_{dz}(t)=m\}}{\sum_u p_u\,1\{M_{dz}(u)=m\}}

is of type t. With :math:`a_{td}\sim N(a_d,\sigma_a^2)` and :math:`b_{td}\sim
N(b_d,\sigma_{het}^2)`, independent, the cells' means are jointly normal given the shares: what
varies between types is integrated out. Shapes are those of
`bayesmed.formulas.principal_strata`; functions take NumPy arrays and variables of a graph.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayesmed.core.types import ArrayLike, Floats
from bayesmed.formulas.site_slope import LOG_2PI

__all__ = [
    "CELLS_OF_ARM",
    "cell_weights",
    "covariance_of_cell_means",
    "folded",
    "intercept_bounds",
    "joint_log_density",
]

CELLS_OF_ARM = ((0, 0), (0, 1), (1, 0), (1, 1))
"""The four cells (z, m) of an arm, in the order of covariances between their means."""


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
    weight: ArrayLike, intercept_sd: ArrayLike, slope_sd: ArrayLike
) -> list[list[ArrayLike]]:
    r"""Covariance that types bring to the means of an arm's cells, a 4 × 4 list of (..., 2).

    .. math::

        \mathrm{Cov}(\mu_{dzm},\mu_{dz'm'})
          =\sum_t w_{dzm,t}\,w_{dz'm',t}\,(\sigma_a^2+m\,m'\,\sigma_{het}^2)

    Cells are in the order of ``CELLS_OF_ARM``; entries have the arm last.

    Parameters
    ----------
    weight
        (..., T, 2, 2, 2) from `cell_weights`.
    intercept_sd, slope_sd
        :math:`\sigma_a` and :math:`\sigma_{het}`.

    Examples
    --------
    >>> one = np.ones((1, 2, 2, 2))
    >>> found = covariance_of_cell_means(one, 1.0, 2.0)
    >>> float(found[3][1][0]), float(found[3][3][0]), found[3][2]
    (5.0, 5.0, 0.0)
    """
    found = []
    for z, m in CELLS_OF_ARM:
        row = []
        for other_z, other_m in CELLS_OF_ARM:
            if z == other_z and m != other_m:  # nobody is in both
                row.append(0.0)
                continue
            together = (weight[..., z, m] * weight[..., other_z, other_m]).sum(axis=-2)
            row.append(together * (intercept_sd**2 + m * other_m * slope_sd**2))
        found.append(row)
    return found


def joint_log_density(
    residual: Sequence[ArrayLike], cov: Sequence[Sequence[ArrayLike]]
) -> ArrayLike:
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
        k × k entries of :math:`\Sigma`, of which the lower triangle is read.

    Examples
    --------
    >>> round(float(joint_log_density([1.0, 0.0], [[1.0, 0.0], [0.5, 1.0]])), 6)
    -2.360703
    """
    lower: list[list[ArrayLike]] = []
    pivots: list[ArrayLike] = []
    whitened: list[ArrayLike] = []
    total: ArrayLike = 0.0
    for i, row in enumerate(cov):
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


def folded(value: ArrayLike) -> ArrayLike:
    r"""Reflect a number at -1 and 1 until it lies between them.

    Differences of two probabilities vary around an average one, and stay possible.

    Examples
    --------
    >>> folded(np.array([0.5, 1.25, -1.5, 3.0])).tolist()
    [0.5, 0.75, -0.5, -1.0]
    """
    return 1.0 - abs((value + 1.0) % 4.0 - 2.0)


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
