"""Least squares at each site, from moments: effects of treatment and their joint covariance.

At a site, W (K outcomes: mediators, then outcome) is regressed on J treatment columns T, q
covariates X and one intercept, or one for each block of persons. By Frisch, Waugh and Lovell the
effects of T are those of t̃ = T − A'X, what X leaves of T, all about their means:

    Θ = (Σ t̃ t̃')⁻¹ Σ t̃ W'.

With residuals e, the effects' joint covariance over outcomes and treatment columns is the sandwich

    Cov(Θ_jk, Θ_lm) = f Σ_ab H_ja H_lb M_(ak)(bm),   H = (Σ t̃ t̃')⁻¹,   M = Σ (t̃ e)(t̃ e)'

(White 1980), where sums run over persons, or over the sums of t̃ e in clusters (Liang & Zeger
1986). All estimates come from the same persons, hence the covariance between outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Regression",
    "cluster_factor",
    "hc1_factor",
    "regressed",
    "residual_products",
    "sandwich",
    "score_products",
    "smallest_tolerance",
]

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class Regression:
    """Least squares at S sites.

    Parameters
    ----------
    effect
        (S, J, K) effects Θ of treatment columns on outcomes.
    covariate_effect
        (S, q, K) coefficients B of the covariates.
    treatment_on_covariates
        (S, q, J) coefficients A.
    bread
        (S, J, J) inverse H of the cross-products of t̃.
    """

    effect: _Array
    covariate_effect: _Array
    treatment_on_covariates: _Array
    bread: _Array


def regressed(cross: _Array, treatments: int, covariates: int) -> Regression:
    """Regress outcomes on treatment and covariates; see the module's equations.

    Parameters
    ----------
    cross
        (S, V, V) cross-products about the means, in the order T, X, W.
    treatments, covariates
        Their numbers J and q; the other variables are outcomes.

    Examples
    --------
    Treatment 0, 0, 1, 1 and outcome 1, 3, 5, 7:

    >>> found = regressed(np.array([[[1.0, 4.0], [4.0, 20.0]]]), 1, 0)
    >>> found.effect
    array([[[4.]]])
    """
    j, q = treatments, covariates
    tt, tx, xx = cross[:, :j, :j], cross[:, :j, j : j + q], cross[:, j : j + q, j : j + q]
    tw, xw = cross[:, :j, j + q :], cross[:, j : j + q, j + q :]
    on_x = _solve(xx, np.concatenate([tx.transpose(0, 2, 1), xw], axis=2))
    a, xw_on_x = on_x[:, :, :j], on_x[:, :, j:]
    bread = _solve(tt - tx @ a, np.broadcast_to(np.eye(j), tt.shape))
    effect = bread @ (tw - a.transpose(0, 2, 1) @ xw)
    return Regression(effect, xw_on_x - a @ effect, a, bread)


def residual_products(cross: _Array, found: Regression) -> _Array:
    """Return Σ e e' = Σ W W' − Θ' Σ T W' − B' Σ X W', (S, K, K), of what `regressed` found.

    Examples
    --------
    >>> cross = np.array([[[1.0, 4.0], [4.0, 20.0]]])
    >>> residual_products(cross, regressed(cross, 1, 0))
    array([[[4.]]])
    """
    j, q = found.effect.shape[1], found.covariate_effect.shape[1]
    on = np.concatenate([found.effect, found.covariate_effect], axis=1)
    explained = on.transpose(0, 2, 1) @ cross[:, : j + q, j + q :]
    residual: _Array = cross[:, j + q :, j + q :] - explained
    return (residual + residual.transpose(0, 2, 1)) / 2


def smallest_tolerance(cross: _Array) -> _Array:
    """Say how far regressors are from being collinear: 1 where unrelated, 0 where collinear.

    The smallest eigenvalue of their correlation matrix, (S,); 0 where one does not vary.

    Examples
    --------
    >>> smallest_tolerance(np.array([[[2.0, 1.0], [1.0, 2.0]], [[1.0, 1.0], [1.0, 1.0]]])).round(9)
    array([0.5, 0. ])
    """
    size = np.sqrt(np.diagonal(cross, axis1=1, axis2=2))
    varies = (size > 0).all(axis=1)
    scale = np.where(size > 0, size, 1.0)
    corr = cross / (scale[:, :, None] * scale[:, None, :])
    smallest: _Array = np.where(varies, np.linalg.eigvalsh(corr).min(axis=1), 0.0)
    return np.maximum(smallest, 0.0)


def score_products(treatment: _Array, cross: _Array) -> _Array:
    """Sum (t̃ e)(t̃ e)' over the persons of cells in which t̃ does not vary.

    Parameters
    ----------
    treatment
        (C, J) value of t̃ in each cell.
    cross
        (C, K, K) sums of products of the residuals e.

    Returns
    -------
    NDArray
        (C, J K, J K), treatment columns outside, outcomes inside.

    Examples
    --------
    >>> score_products(np.array([[0.5]]), np.array([[[8.0]]]))
    array([[[2.]]])
    """
    c, j = treatment.shape
    k = cross.shape[1]
    products: _Array = np.einsum("cj,cl,ckm->cjklm", treatment, treatment, cross)
    return products.reshape(c, j * k, j * k)


def sandwich(bread: _Array, products: _Array, factor: _Array) -> _Array:
    """Joint covariance of the effects of all treatment columns on all outcomes.

    Parameters
    ----------
    bread
        (S, J, J).
    products
        (S, J K, J K) sums of products of scores, as `score_products` orders them.
    factor
        (S,) correction for the size of the sample.

    Returns
    -------
    NDArray
        (S, J K, J K), symmetric.
    """
    j = bread.shape[1]
    k = products.shape[1] // j
    wide = _kron_identity(bread, k)
    cov = factor[:, None, None] * (wide @ products @ wide)
    symmetric: _Array = (cov + cov.transpose(0, 2, 1)) / 2
    return symmetric


def hc1_factor(n: _Array, parameters: _Array) -> _Array:
    """Return n / (n − k) (MacKinnon & White 1985), k regressors with the intercepts.

    Examples
    --------
    >>> hc1_factor(np.array([10.0]), np.array([2.0]))
    array([1.25])
    """
    factor: _Array = n / (n - parameters)
    return factor


def cluster_factor(n: _Array, parameters: _Array, clusters: _Array) -> _Array:
    """Return G/(G − 1) · (n − 1)/(n − k), for G clusters.

    Examples
    --------
    >>> cluster_factor(np.array([11.0]), np.array([1.0]), np.array([5.0]))
    array([1.25])
    """
    factor: _Array = clusters / (clusters - 1) * (n - 1) / (n - parameters)
    return factor


def _kron_identity(matrix: _Array, k: int) -> _Array:
    s, j = matrix.shape[:2]
    wide: _Array = np.einsum("sab,km->sakbm", matrix, np.eye(k))
    return wide.reshape(s, j * k, j * k)


def _solve(matrix: _Array, right: _Array) -> _Array:
    """Solve symmetric systems on the scale of correlations, so that units do not matter."""
    if matrix.shape[1] == 0:
        return np.zeros((len(matrix), 0, right.shape[2]))
    scale = np.sqrt(np.diagonal(matrix, axis1=1, axis2=2))
    corr = matrix / (scale[:, :, None] * scale[:, None, :])
    solved: _Array = np.linalg.solve(corr, right / scale[:, :, None]) / scale[:, :, None]
    return solved
