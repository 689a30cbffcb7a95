r"""How strongly instruments move one mediator of persons: partial F, effective F, critical values.

With what included exogenous variables leave of n persons' instruments Z (k of them) and mediator M:
:math:`\hat\pi` the coefficients of M on Z, L included columns, intercept among them.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from bayesmed.core.types import Floats

__all__ = [
    "STOCK_YOGO",
    "effective_df",
    "effective_f",
    "effective_f_critical",
    "partial_f",
]

STOCK_YOGO = MappingProxyType({1: 8.96, 2: 11.59, 3: 12.83, 5: 15.09, 10: 20.88, 15: 26.80})
"""Partial F above which, by number of instruments, a test of nominal level .05 of the mediator's
effect has an actual level of at most .15; the F exceeds it by chance with probability .05 where it
has not (Stock, Wright and Yogo 2002, as cited by Small 2012, section 5). For homoskedastic
errors."""


def partial_f(explained: float, error: float, instruments: int, df: float) -> float:
    r"""F of the instruments in the first stage.

    .. math:: F = \frac{\hat\pi'Z'Z\hat\pi/k}{\hat v'\hat v/(n-L-k)}

    Parameters
    ----------
    explained, error
        Sums of squares of the mediator that the instruments predict, and that nothing does.
    instruments, df
        k and n - L - k.

    Examples
    --------
    >>> partial_f(8.0, 100.0, 2, 50.0)
    2.0
    """
    return explained / instruments / (error / df)


def effective_f(coefficients: Floats, products: Floats, cov: Floats) -> float:
    r"""Effective F of Montiel Olea and Pflueger (2013).

    .. math:: F_{eff} = \frac{\hat\pi'Z'Z\hat\pi}{\mathrm{tr}(\hat\Sigma_\pi Z'Z)}

    with :math:`\hat\Sigma_\pi` a covariance of :math:`\hat\pi` that is right where persons vary
    unequally (the form of Andrews, Stock and Sun 2019). The partial F where
    :math:`\hat\Sigma_\pi=s^2(Z'Z)^{-1}`, the squared robust t where there is one instrument.

    Parameters
    ----------
    coefficients
        (k,) :math:`\hat\pi`.
    products
        (k, k) Z'Z.
    cov
        (k, k) :math:`\hat\Sigma_\pi`.

    Examples
    --------
    >>> effective_f(np.array([2.0]), np.array([[10.0]]), np.array([[0.5]]))
    8.0
    """
    return float(coefficients @ products @ coefficients / np.trace(cov @ products))


def effective_df(products: Floats, cov: Floats, bias: float = 0.1) -> float:
    r"""Degrees of freedom of the effective F.

    .. math::

        K_{eff} = \frac{(\mathrm{tr}\,W)^2(1+2x)}
                       {\mathrm{tr}(W^2)+2x\,\mathrm{tr}(W)\lambda_{max}(W)},\qquad
        W = (Z'Z)^{1/2}\hat\Sigma_\pi(Z'Z)^{1/2},\quad x = 1/\tau

    (Montiel Olea and Pflueger 2013, theorem 1 with the simplified bound); k where W is a multiple
    of the identity.

    Parameters
    ----------
    products, cov
        As in `effective_f`.
    bias
        :math:`\tau`, the largest bias of two-stage least squares that is allowed, as a share of a
        worst case.

    Examples
    --------
    >>> effective_df(np.eye(3), 2.0 * np.eye(3))
    3.0
    """
    root = np.linalg.cholesky(products)
    values = np.linalg.eigvalsh(root.T @ cov @ root)
    total, x = values.sum(), 1.0 / bias
    return float(total**2 * (1 + 2 * x) / ((values**2).sum() + 2 * x * total * values[-1]))


def effective_f_critical(df: float, bias: float = 0.1) -> float:
    r"""Return the value the effective F exceeds by chance in 5 of 100 samples.

    .. math:: \chi^2_{.95}(K_{eff};\,xK_{eff})/K_{eff},\qquad x = 1/\tau

    the quantile of the noncentral chi-squared distribution where the bias is :math:`\tau` of the
    worst case (Montiel Olea and Pflueger 2013, section 3): 23.1 for one instrument.

    Parameters
    ----------
    df
        :math:`K_{eff}` of `effective_df`.
    bias
        :math:`\tau`.

    Examples
    --------
    >>> round(effective_f_critical(1.0), 2)
    23.11
    """
    from scipy.special import chndtrix

    return float(chndtrix(0.95, df, df / bias) / df)
