r"""How many directions of mediator effects stand out of sampling error, and which do not.

G and N are spread and noise of :mod:`bayesmed.formulas.strength`, :math:`\lambda_1\ge\dots
\ge\lambda_P` the roots of :math:`\det(G-\lambda N)=0`, and :math:`\nu` the degrees of freedom of
the spread: S sites, S - 1 with an intercept. Sites are taken as independent.
"""

from __future__ import annotations

import numpy as np

from bayesmed.core.types import Floats

__all__ = ["rank_p_values", "weakest_combination"]


def rank_p_values(singular_values: Floats, freedom: float) -> Floats:
    r"""Probabilities of as much spread if effects had rank 0, 1, ..., P - 1: (P,).

    .. math::

        T_r = \nu\sum_{j>r}\lambda_j \sim \chi^2\{(\nu-r)(P-r)\}

    where effects have rank r and sampling covariances are known and proportional (Cragg and
    Donald 1997; Robin and Smith 2000). Where they are not, it is an approximation.

    Parameters
    ----------
    singular_values
        (P,) :math:`\sqrt{\nu\lambda_j}`, largest first
        (`bayesmed.formulas.strength.whitened_singular_values`).
    freedom
        :math:`\nu`, at least P.

    Examples
    --------
    >>> rank_p_values(np.array([9.0, 2.0]), 6.0).round(3).tolist()
    [0.0, 0.549]
    """
    from scipy.special import chdtrc

    p = singular_values.size
    left = np.arange(p)
    beyond = np.cumsum(singular_values[::-1] ** 2)[::-1]
    return np.asarray(chdtrc((freedom - left) * (p - left), beyond))


def weakest_combination(spread: Floats, noise: Floats) -> Floats:
    r"""Return the combination of mediator effects that stands out of noise the least: (P,).

    .. math:: v = \arg\min_v \frac{v'Gv}{v'Nv}

    scaled so that the effects with the largest part :math:`|v_p|\sqrt{G_{pp}}` in it have the
    coefficient 1. Where its ratio is about 1, :math:`v'\gamma_s` is 0 at all sites but for
    sampling error (the same, with an intercept): slopes :math:`\delta` and :math:`\delta+cv` then
    give the same total effects.

    Parameters
    ----------
    spread, noise
        (P, P), both positive definite.

    Examples
    --------
    >>> spread = np.array([[4.0, 8.0], [8.0, 16.1]])
    >>> weakest_combination(spread, 0.1 * np.eye(2)).round(3).tolist()
    [1.0, -0.498]
    """
    from scipy.linalg import eigh

    size = np.sqrt(np.diagonal(noise))
    scale = size[:, None] * size
    vector = eigh(spread / scale, noise / scale)[1][:, 0] / size
    part = np.abs(vector) * np.sqrt(np.diagonal(spread))
    return np.asarray(vector / vector[np.argmax(part)])
