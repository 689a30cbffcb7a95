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
    "k_class",
    "liml_kappa",
    "many_instruments_kappa",
    "whitened_by_design",
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


def whitened_by_design(values: Floats, design: Floats) -> Floats:
    r"""Return values of the rows of blocks in units of their design: (..., R, N).

    .. math:: L^{-1}W,\qquad LL' = G = (\tilde T'\tilde T)^{-1}

    with :math:`\tilde T` what intercepts and covariates leave of persons' treatment, J columns for
    the J rows of a site. Since estimated effects are :math:`\hat\pi = G\tilde T'W`, sums of
    products of the whitened effects, over all sites, are Z,

    .. math:: Z = \sum_s\tilde W'\tilde T G\tilde T'\tilde W = \sum_s\hat\pi_s'G_s^{-1}\hat\pi_s .

    For a binary treatment without covariates G is :math:`1/\{n_sp_s(1-p_s)\}`: hence two-stage
    least squares is the regression through the origin of :math:`\hat\beta_s` on
    :math:`\hat\gamma_s` with weights :math:`n_sp_s(1-p_s)`.

    Parameters
    ----------
    values
        (..., R, N) columns to whiten: effects, or indicators of arms.
    design
        (..., R, R), positive definite.

    Examples
    --------
    >>> whitened_by_design(np.array([[4.0]]), np.array([[0.25]])).tolist()
    [[8.0]]
    """
    size = np.sqrt(np.diagonal(design, axis1=-2, axis2=-1))
    root = np.linalg.cholesky(design / (size[..., :, None] * size[..., None, :]))
    return np.linalg.solve(root, values / size[..., None])


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
