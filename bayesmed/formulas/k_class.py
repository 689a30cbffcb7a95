r"""Instrumental-variable estimators of persons, from sums of products.

Sums are those of what the included exogenous variables (site intercepts, covariates, the
treatment where it has a direct effect) leave of persons' mediators and outcome, in that order:
T of products, and Z of products of what the instruments, site by treatment, predict of them. With
E = T - Z, what they do not, the k-class estimator (Theil 1958) is

.. math::

    b(\kappa) = (T_{MM}-\kappa E_{MM})^{-1}(T_{MY}-\kappa E_{MY})
              = \{Z_{MM}-(\kappa-1)E_{MM}\}^{-1}\{Z_{MY}-(\kappa-1)E_{MY}\},

:math:`\kappa=0` least squares, :math:`\kappa=1` two-stage least squares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmed.core.types import Floats

__all__ = [
    "KClass",
    "explained_products",
    "k_class",
    "liml_kappa",
    "many_instruments_kappa",
    "partialled",
]


@dataclass(frozen=True, eq=False)
class KClass:
    r"""A k-class estimate.

    Attributes
    ----------
    slope
        (P,) coefficients of the mediators.
    bread
        (P, P) inverse of :math:`Z_{MM}-(\kappa-1)E_{MM}`; times the residual variance, the
        covariance of the slopes where persons vary alike.
    residual_square
        Sum of squared residuals.
    """

    slope: Floats
    bread: Floats
    residual_square: float


def partialled(cross: Floats, first: int, count: int) -> Floats:
    r"""Return sums of products of what some variables leave of the others.

    .. math:: C_{WW} - C_{WX}C_{XX}^{-1}C_{XW}

    (Frisch and Waugh 1933; Lovell 1963).

    Parameters
    ----------
    cross
        (S, V, V) sums of products about the means.
    first, count
        Position and number of the variables X that are taken out, not collinear.

    Returns
    -------
    NDArray
        (S, V - count, V - count).

    Examples
    --------
    >>> partialled(np.array([[[4.0, 2.0], [2.0, 3.0]]]), 0, 1).tolist()
    [[[2.0]]]
    """
    out = np.arange(first, first + count)
    kept = np.delete(np.arange(cross.shape[1]), out)
    rest: Floats = cross[:, kept[:, None], kept]
    if not count:
        return rest
    size = np.sqrt(np.diagonal(cross, axis1=1, axis2=2)[:, out])
    inside = cross[:, out[:, None], out] / (size[:, :, None] * size[:, None, :])
    across = cross[:, out[:, None], kept] / size[:, :, None]
    return np.asarray(rest - across.transpose(0, 2, 1) @ np.linalg.solve(inside, across))


def explained_products(treatment: Floats, cross: Floats) -> Floats:
    r"""Return sums of products of what treatment predicts of variables, site by site.

    .. math:: Z = \sum_s C_{WT,s}C_{TT,s}^{-1}C_{TW,s}

    For a binary treatment :math:`\sum_s n_sp_s(1-p_s)\hat\pi_s\hat\pi_s'`, with
    :math:`\hat\pi_s=(\hat\gamma_s,\hat\beta_s)`: hence two-stage least squares is the regression
    through the origin of :math:`\hat\beta_s` on :math:`\hat\gamma_s` with weights
    :math:`n_sp_s(1-p_s)`.

    Parameters
    ----------
    treatment, cross
        (S, J, J), invertible, and (S, J, K).

    Examples
    --------
    >>> explained_products(np.array([[[2.0]]]), np.array([[[4.0]]])).tolist()
    [[8.0]]
    """
    size = np.sqrt(np.diagonal(treatment, axis1=1, axis2=2))
    inside = treatment / (size[:, :, None] * size[:, None, :])
    across = cross / size[:, :, None]
    return np.asarray(np.einsum("sjk,sjl->kl", across, np.linalg.solve(inside, across)))


def liml_kappa(total: Floats, explained: Floats) -> float:
    r"""Kappa of limited-information maximum likelihood.

    .. math:: \kappa = \min\{k: \det(T - kE) = 0\} \ge 1

    (Anderson and Rubin 1949), over the mediators and the outcome.

    Parameters
    ----------
    total, explained
        (P + 1, P + 1), T and Z; E = T - Z positive definite.

    Examples
    --------
    >>> liml_kappa(np.diag([4.0, 3.0]), np.diag([2.0, 1.0]))
    1.5
    """
    from scipy.linalg import eigh

    error = total - explained
    size = np.sqrt(np.diagonal(error))
    scale = size[:, None] * size
    # T - kE = Z - (k - 1) E: the small excess is found without losing digits to the 1.
    excess = eigh(explained / scale, error / scale, eigvals_only=True)[0]
    return 1.0 + max(float(excess), 0.0)


def many_instruments_kappa(persons: float, exogenous: int, instruments: int) -> float:
    r"""Kappa that is consistent where instruments are many.

    .. math:: \kappa = \frac{1-L/n}{1-(k+L)/n} = \frac{n-L}{n-L-k}

    n persons, L included exogenous columns, k excluded instruments: modified bias-corrected
    two-stage least squares (Kolesár, Chetty, Friedman, Glaeser and Imbens 2015; Anatolyev 2013).

    Examples
    --------
    >>> many_instruments_kappa(100, 10, 10)
    1.125
    """
    return (persons - exogenous) / (persons - exogenous - instruments)


def k_class(total: Floats, explained: Floats, kappa: float) -> KClass | None:
    """Solve the equation of the module; None where its matrix is not positive definite.

    Parameters
    ----------
    total, explained
        (P + 1, P + 1), T and Z.
    kappa
        1 for two-stage least squares.

    Examples
    --------
    >>> found = k_class(np.array([[4.0, 3.0], [3.0, 5.0]]), np.array([[2.0, 1.0], [1.0, 1.0]]), 1.0)
    >>> found.slope.tolist(), found.residual_square
    ([0.5], 3.0)
    """
    p = len(total) - 1
    size = np.sqrt(np.diagonal(explained)[:p])
    if not (size > 0).all():
        return None
    matrix = explained - (kappa - 1) * (total - explained)
    inside = matrix[:p, :p] / (size[:, None] * size)
    if np.linalg.eigvalsh(inside)[0] < 1e-10:
        return None
    bread = np.linalg.inv(inside) / (size[:, None] * size)
    slope = np.linalg.solve(inside, matrix[:p, p] / size) / size
    contrast = np.append(-slope, 1.0)
    return KClass(slope, bread, max(float(contrast @ total @ contrast), 0.0))
