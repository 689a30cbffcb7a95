r"""Correlated random coefficients with variances that are sums of squares.

The likelihood of `bayesmed.formulas.random_coefficients`, from a root R of the covariance of
coefficients instead of the covariance. With :math:`\varepsilon\sim N(0, I_4)`, the mediator of a
person is :math:`b'\varepsilon` around its mean and the outcome, at a given mediator,
:math:`a'\varepsilon`. No variance is a difference then, and none turns negative by rounding. All
functions broadcast and take NumPy arrays or PyTensor variables.
"""

from __future__ import annotations

from collections.abc import Sequence

from bayesmed.core.types import ArrayLike
from bayesmed.formulas.correlation import root_of_correlations
from bayesmed.formulas.linear_gaussian import Matrix, Vector, dot, product
from bayesmed.formulas.random_coefficients import CoefficientMeans, Conditional

__all__ = [
    "mediator_from_root",
    "mediator_loading",
    "outcome_from_root",
    "outcome_loading",
    "scaled_root",
]


def scaled_root(sds: Sequence[ArrayLike], partial: Sequence[ArrayLike]) -> Matrix:
    """Return the lower triangular root of a covariance.

    Parameters
    ----------
    sds
        Standard deviations.
    partial
        As `root_of_correlations` takes them, in the same order.

    Examples
    --------
    >>> [[float(x) for x in row] for row in scaled_root([2.0, 5.0], [0.6])]
    [[2.0, 0.0], [3.0, 4.0]]
    """
    unit = root_of_correlations(partial, len(sds))
    return [[product(sd, x) for x in row] for sd, row in zip(sds, unit, strict=True)]


def mediator_loading(
    treatment: ArrayLike, level: Sequence[ArrayLike], compliance: Sequence[ArrayLike]
) -> Vector:
    r"""Return b, the loading of :math:`m_0 + \Gamma t`: :math:`b_k = R_{m_0k} + tR_{\Gamma k}`.

    Parameters
    ----------
    treatment
        t of each person.
    level, compliance
        Rows of R.

    Examples
    --------
    >>> mediator_loading(2.0, [1.0, 0.0], [0.5, 3.0])
    [2.0, 6.0]
    """
    return [dot([1.0, treatment], pair) for pair in zip(level, compliance, strict=True)]


def outcome_loading(
    mediator: ArrayLike, level: Sequence[ArrayLike], slope: Sequence[ArrayLike]
) -> Vector:
    r"""Return a, the loading of :math:`y_0 + \Delta m`: :math:`a_k = R_{y_0k} + mR_{\Delta k}`.

    Parameters
    ----------
    mediator
        m of each person.
    level, slope
        Rows of R.
    """
    return mediator_loading(mediator, level, slope)


def mediator_from_root(
    treatment: ArrayLike, means: CoefficientMeans, of_mediator: Sequence[ArrayLike]
) -> Conditional:
    r"""Return mean and variance of M given T = t: :math:`\mu_m+\mu_\Gamma t` and :math:`v=|b|^2`.

    Parameters
    ----------
    treatment
        t of each person.
    means
        Means of the coefficients.
    of_mediator
        b; entries that are the number 0 cost nothing.

    Examples
    --------
    >>> mediator_from_root(1.0, CoefficientMeans(0.0, 1.0, 3.0, 0.5), [1.0, 2.0, 0.0, 0.0])
    Conditional(mean=1.0, variance=5.0)
    """
    return Conditional(means.mediator + means.compliance * treatment, dot(of_mediator, of_mediator))


def outcome_from_root(
    mediator: ArrayLike,
    treatment: ArrayLike,
    means: CoefficientMeans,
    of_mediator: Sequence[ArrayLike],
    of_outcome: Sequence[ArrayLike],
) -> Conditional:
    r"""Return mean and variance of Y given M = m and T = t.

    .. math::

        E(Y\mid m,t) &= \mu_y+\theta t+\mu_\Delta m + a'b\,(m-\mu_m-\mu_\Gamma t)/v \\
        \mathrm{Var}(Y\mid m,t) &= \sum_{k:\,b_k=0}a_k^2 + \sum_{i<j}(a_ib_j-a_jb_i)^2/v

    the last sum over the other entries. By Lagrange's identity the variance is
    :math:`|a|^2-(a'b)^2/|b|^2`, the difference that `outcome_given_mediator` writes down.

    Parameters
    ----------
    mediator, treatment
        m and t of each person.
    means
        Means of the coefficients, and the direct effect.
    of_mediator, of_outcome
        b and a; the variance of the mediator positive.

    Examples
    --------
    >>> means, a = CoefficientMeans(0.0, 1.0, 3.0, 0.5), [0.0, 0.0, 1.0, 2.0]
    >>> outcome_from_root(2.0, 1.0, means, [1.0, 1.0, 0.0, 0.0], a)
    Conditional(mean=4.0, variance=5.0)
    """
    b, a = of_mediator, of_outcome
    given = mediator_from_root(treatment, means, b)
    along = product(dot(a, b), (mediator - given.mean) / given.variance)
    line = means.outcome + means.direct_effect * treatment + means.slope * mediator
    shared = [k for k, x in enumerate(b) if not (isinstance(x, float) and x == 0)]
    own = [x for k, x in enumerate(a) if k not in shared]
    pairs = [(i, j) for j in shared for i in shared if i < j]
    across = [dot([a[i], product(-1.0, a[j])], [b[j], b[i]]) for i, j in pairs]
    return Conditional(line + along, dot(own, own) + dot(across, across) / given.variance)
