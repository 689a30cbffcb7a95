r"""How strongly sites, as instruments, move the mediators: F, rank, reliability, implied bias.

All compare spread of estimated mediator effects :math:`\hat\gamma_s` (P of them) with what
sampling error alone would give. With an intercept the spread is that about the (weighted) mean,

.. math::

    G = \sum w_s(\hat\gamma_s-\bar\gamma)(\hat\gamma_s-\bar\gamma)',\qquad
    N = \sum w_s(1-w_s/\textstyle\sum w)V_{\gamma\gamma,s},

N being the expectation of G where all true effects are the same; without one
:math:`\bar\gamma=0` and :math:`N=\sum w_sV_{\gamma\gamma,s}`. Sites are taken as independent.
"""

from __future__ import annotations

import numpy as np

from bayesmed.core.types import Floats
from bayesmed.formulas.residual_scatter import residual_q

__all__ = [
    "conditional_f",
    "first_stage_f",
    "precision_weight",
    "relative_bias",
    "reliability",
    "spread_and_noise",
    "whitened_singular_values",
]


def spread_and_noise(
    effect: Floats, cov: Floats, weight: Floats, intercept: bool
) -> tuple[Floats, Floats]:
    """Return G and N of the module's equations, (P, P) each.

    Parameters
    ----------
    effect, cov
        (S, P) estimates and (S, P, P) sampling covariances.
    weight
        (S,), none negative.
    intercept
        Whether spread is about the mean.

    Examples
    --------
    >>> g, n = spread_and_noise(np.array([[1.0], [3.0]]), np.ones((2, 1, 1)), np.ones(2), True)
    >>> g.tolist(), n.tolist()
    ([[2.0]], [[1.0]])
    """
    total = weight.sum()
    share = weight * (1 - weight / total) if intercept else weight
    centred = effect - weight @ effect / total if intercept else effect
    spread = (weight[:, None] * centred).T @ centred
    return spread, np.einsum("s,sij->ij", share, cov)


def precision_weight(cov: Floats) -> Floats:
    r"""Weights that fall with sampling error, whatever the units: (S,).

    .. math:: w_s = P / \mathrm{tr}(\overline V^{-1}V_s)

    so that :math:`w_s\propto 1/V_s` for one mediator, and :math:`w_sV_s` is the same at all sites
    where covariances are proportional. Not changed by invertible maps of the mediators.

    Parameters
    ----------
    cov
        (S, P, P), none of them 0, positive definite on average.

    Examples
    --------
    >>> precision_weight(np.array([[[1.0]], [[3.0]]])).round(4).tolist()
    [2.0, 0.6667]
    """
    relative = np.linalg.solve(cov.mean(axis=0), cov)
    return np.asarray(cov.shape[1] / np.trace(relative, axis1=1, axis2=2))


def first_stage_f(effect: Floats, cov: Floats, weight: Floats, intercept: bool) -> Floats:
    r"""First-stage F of each mediator: (P,).

    .. math:: F_p = G_{pp}/N_{pp}

    In the weights of two-stage least squares, :math:`n_sp_s(1-p_s)`, it is the F of the
    regression of persons' mediator on site-by-treatment instruments (Reardon, Unlu, Zhu and Bloom
    2014); in the weights :math:`1/V_{pp,s}` of a site table, without an intercept,
    :math:`\sum\hat\gamma_{ps}^2/V_{pp,s}/S`. About 1 where no site has an effect.

    Parameters
    ----------
    effect, cov
        As in `spread_and_noise`.
    weight
        (S,), or (S, P) for weights of each mediator.
    intercept
        Whether the treatment itself is a regressor, so that only the spread about the mean is
        an instrument.

    Examples
    --------
    >>> first_stage_f(np.array([[2.0], [4.0]]), np.ones((2, 1, 1)), np.ones(2), False)
    array([10.])
    """
    p = effect.shape[1]
    weights = np.broadcast_to(weight.reshape(len(weight), -1), effect.shape)
    found = np.empty(p)
    for i in range(p):
        one = slice(i, i + 1)
        g, n = spread_and_noise(effect[:, one], cov[:, one, one], weights[:, i], intercept)
        found[i] = g[0, 0] / n[0, 0]
    return found


def conditional_f(effect: Floats, cov: Floats, intercept: bool) -> Floats:
    r"""Sanderson-Windmeijer F of each mediator, given the others: (P,).

    .. math::

        F_p = \frac{Q_p}{S-P+1},\qquad
        Q_p = \sum_s\frac{(\hat\gamma_{ps}-\hat\gamma_{-p,s}'c)^2}{a'V_{\gamma\gamma,s}a},

    c the coefficients of unweighted least squares of :math:`\hat\gamma_p` on the other mediators'
    effects, a = 1 at p and -c elsewhere (Sanderson, Spiller and Bowden 2021, after Sanderson and
    Windmeijer 2016). With an intercept, both the regression has one and the degrees
    of freedom are S - P. One mediator without intercept: :math:`\sum\hat\gamma^2/V/S`. The R
    package MVMR divides by S.

    Parameters
    ----------
    effect, cov, intercept
        As in `spread_and_noise`; more sites than mediators (and intercept), not collinear.

    Examples
    --------
    >>> conditional_f(np.array([[2.0], [4.0]]), np.ones((2, 1, 1)), False)
    array([10.])
    """
    sites, p = effect.shape
    used = effect - effect.mean(axis=0) if intercept else effect
    found = np.empty(p)
    for i in range(p):
        others = [j for j in range(p) if j != i]
        size = np.sqrt((used[:, others] ** 2).sum(axis=0))
        c = np.linalg.lstsq(used[:, others] / size, used[:, i], rcond=None)[0] / size
        contrast = np.zeros(p)
        contrast[i], contrast[others] = 1.0, -c
        variance = np.einsum("i,sij,j->s", contrast, cov, contrast)
        found[i] = residual_q(used @ contrast, variance) / (sites - p + 1 - intercept)
    return found


def whitened_singular_values(spread: Floats, noise: Floats, freedom: float) -> Floats:
    r"""Singular values of the mediator effects in units of sampling error, largest first: (P,).

    .. math:: \sqrt{\nu\,\lambda_j},\qquad \det(G-\lambda_jN)=0

    with :math:`\nu` = S, or S - 1 with an intercept. Where :math:`V_{\gamma\gamma,s}` is the same
    at all sites these are the singular values of the (S, P) matrix with rows
    :math:`V_{\gamma\gamma}^{-1/2}\hat\gamma_s`, and where they differ, rank is kept, which it would
    not be if each row had its own root. A direction without true effects has one near
    :math:`\sqrt\nu` (between :math:`\sqrt\nu\pm\sqrt P`; Marchenko and Pastur 1967).
    :math:`\lambda_P` is Cragg and Donald's (1993) statistic in the weights of two-stage least
    squares.

    Parameters
    ----------
    spread, noise
        (P, P), of `spread_and_noise`; the noise positive definite.
    freedom
        :math:`\nu`.

    Examples
    --------
    >>> whitened_singular_values(np.diag([8.0, 2.0]), 2.0 * np.eye(2), 2.0).round(4).tolist()
    [2.8284, 1.4142]
    """
    from scipy.linalg import eigh

    size = np.sqrt(np.diagonal(noise))
    scale = size[:, None] * size
    values = eigh(spread / scale, noise / scale, eigvals_only=True)[::-1]
    return np.sqrt(freedom * np.maximum(values, 0.0))


def relative_bias(spread: Floats, noise: Floats) -> Floats:
    r"""Share of the bias of least squares on persons that two-stage least squares keeps: (P,).

    .. math:: E\,b_{2SLS}-\delta \approx G^{-1}N\,(b_{OLS}-\delta)

    whose diagonal is returned; 1/F for one mediator (methods of Reardon, Unlu, Zhu and Bloom 2014,
    in matrices ours). :math:`b_{OLS}=N^{-1}\sum w_sV_{\gamma\beta,s}` is the slope within site and
    arm. In the weights of two-stage least squares.

    Parameters
    ----------
    spread, noise
        As in `whitened_singular_values`; the spread positive definite.

    Examples
    --------
    >>> relative_bias(np.array([[10.0]]), np.array([[2.0]]))
    array([0.2])
    """
    size = np.sqrt(np.diagonal(spread))
    scale = size[:, None] * size
    return np.asarray(np.diagonal(np.linalg.solve(spread / scale, noise / scale)))


def reliability(spread: Floats, noise: Floats) -> Floats:
    r"""Share of the spread of estimated mediator effects that is true, at least 0: (P,).

    .. math:: \lambda_p = \max(0, 1 - N_{pp}/G_{pp})

    In equal weights about the mean it is :math:`\sigma_\gamma^2/(\sigma_\gamma^2+\overline V)` with
    the moment estimator of :math:`\sigma_\gamma^2`, what ordinary least squares keeps of a slope;
    about 0, :math:`1-\sum V/\sum\hat\gamma^2`. In the weights :math:`1/V` it would be I², which
    says little where standard errors differ.

    Parameters
    ----------
    spread, noise
        (P, P), the diagonal of the spread positive.

    Examples
    --------
    >>> reliability(np.array([[10.0]]), np.array([[2.0]]))
    array([0.8])
    """
    share = np.diagonal(noise) / np.diagonal(spread)
    return np.asarray(np.maximum(0.0, 1 - share))
