r"""What types of persons imply: the cells that are seen, and the effects that are meant.

Persons of type t (`bayesmed.formulas.principal_types`) make up the share :math:`p_t` and have the
mean potential outcomes

.. math:: E[Y_{dm}\mid t] = a_{td}+b_{td}\,m,

so that :math:`b_{td}` is the mediator's effect on the outcome for them under treatment d. All
effects are sums over types. Which of them the eight cells (d, z, m) determine is another matter.

Shapes: ``share`` (..., T); ``intercept`` and ``slope``, a and b, (..., T, 2) with d last;
``types`` (T, 2, 2), which is an array of numbers; ``instrument_share`` (..., 2). Functions take
NumPy arrays and variables of a graph, with any axes (draws, strata) in front; the sum over types
is one operation on an axis.
"""

from __future__ import annotations

import numpy as np

from bayesmed.core.types import ArrayLike, Floats

__all__ = [
    "average_slopes",
    "cell_means",
    "cell_shares",
    "controlled_direct_effects",
    "mediator_means",
    "natural_direct_effects",
    "natural_indirect_effects",
    "outcome_means",
    "total_effect",
]

_LEVELS = np.array([0.0, 1.0])


def cell_shares(share: ArrayLike, types: Floats) -> ArrayLike:
    r"""Share of each mediator value in the cells of treatment and instrument, (..., 2, 2, 2).

    .. math:: P(M=m\mid d,z)=\sum_t p_t\,1\{M_{dz}(t)=m\}

    with axes d, z, m (methods, section 6b; D and Z are independent of type).

    Examples
    --------
    >>> types = np.array([[[0, 0], [0, 0]], [[0, 1], [0, 1]]])
    >>> cell_shares(np.array([0.25, 0.75]), types)[:, :, 1].tolist()
    [[0.0, 0.75], [0.0, 0.75]]
    """
    return (share[..., :, None, None, None] * _members(types)).sum(axis=-4)


def cell_means(
    share: ArrayLike, intercept: ArrayLike, slope: ArrayLike, types: Floats
) -> ArrayLike:
    r"""Mean outcome of the eight cells, (..., 2, 2, 2).

    .. math::

        E[Y\mid d,z,m]=\frac{\sum_t p_t\,1\{M_{dz}(t)=m\}(a_{td}+b_{td}m)}{P(M=m\mid d,z)}

    with axes d, z, m (methods, section 6b). NaN in a cell where nobody is.

    Examples
    --------
    >>> types = np.array([[[0, 0], [0, 0]], [[1, 1], [1, 1]], [[0, 1], [0, 1]]])
    >>> a, b = np.array([[1.0] * 2, [2.0] * 2, [4.0] * 2]), np.full((3, 2), 6.0)
    >>> cell_means(np.array([0.25, 0.25, 0.5]), a, b, types)[0].tolist()
    [[3.0, 8.0], [1.0, 9.333333333333334]]
    """
    outcome = intercept[..., :, :, None, None] + slope[..., :, :, None, None] * _LEVELS
    members = share[..., :, None, None, None] * _members(types)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (members * outcome).sum(axis=-4) / members.sum(axis=-4)


def mediator_means(share: ArrayLike, types: Floats) -> ArrayLike:
    r"""Share of persons with the mediator, by treatment and instrument, (..., 2, 2).

    .. math:: \bar m_d(z)=\sum_t p_t\,M_{dz}(t)

    Examples
    --------
    >>> types = np.array([[[0, 0], [0, 0]], [[0, 1], [1, 1]]])
    >>> mediator_means(np.array([0.25, 0.75]), types).tolist()
    [[0.0, 0.75], [0.75, 0.75]]
    """
    return (share[..., :, None, None] * types).sum(axis=-3)


def outcome_means(
    share: ArrayLike, intercept: ArrayLike, slope: ArrayLike, types: Floats
) -> ArrayLike:
    r"""Mean outcome by treatment and instrument, (..., 2, 2).

    .. math:: \bar y_d(z)=\sum_t p_t\,(a_{td}+b_{td}M_{dz}(t))

    With `mediator_means` it is what instrumental variables see (`bayesmed.formulas.binary_iv`).

    Examples
    --------
    >>> types = np.array([[[0, 0], [0, 0]], [[0, 1], [1, 1]]])
    >>> a, b = np.zeros((2, 2)), np.full((2, 2), 4.0)
    >>> outcome_means(np.array([0.25, 0.75]), a, b, types).tolist()
    [[0.0, 3.0], [3.0, 3.0]]
    """
    outcome = intercept[..., :, :, None] + slope[..., :, :, None] * types
    return (share[..., :, None, None] * outcome).sum(axis=-3)


def natural_indirect_effects(
    share: ArrayLike, slope: ArrayLike, types: Floats, instrument_share: ArrayLike
) -> ArrayLike:
    r"""Natural indirect effects under each treatment, (..., 2).

    .. math::

        NIE_d = E[Y_{d,M_1}-Y_{d,M_0}]
              = \sum_z\pi_z\sum_t p_t\,b_{td}\,(M_{1z}(t)-M_{0z}(t))

    Kim (2022), equations 15 and 16, and 21 with its two groups of types in one sum.

    Examples
    --------
    >>> types = np.array([[[0, 0], [0, 0]], [[0, 0], [1, 1]]])
    >>> slope, half = np.array([[9.0, 9.0], [2.0, 4.0]]), np.array([0.5, 0.5])
    >>> natural_indirect_effects(np.array([0.75, 0.25]), slope, types, half).tolist()
    [0.5, 1.0]
    """
    mediator = _mediators(types, instrument_share)
    moved = mediator[..., 1] - mediator[..., 0]
    return ((share * moved)[..., None] * slope).sum(axis=-2)


def natural_direct_effects(
    share: ArrayLike,
    intercept: ArrayLike,
    slope: ArrayLike,
    types: Floats,
    instrument_share: ArrayLike,
) -> ArrayLike:
    r"""Natural direct effects with the mediator as under each treatment, (..., 2).

    .. math::

        NDE_d = E[Y_{1,M_d}-Y_{0,M_d}]
              = \sum_z\pi_z\sum_t p_t\,[a_{t1}-a_{t0}+(b_{t1}-b_{t0})\,M_{dz}(t)]

    Kim (2022), equations 17 and 18.

    Examples
    --------
    >>> types = np.array([[[0, 0], [1, 1]]])
    >>> a, b = np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])
    >>> natural_direct_effects(np.array([1.0]), a, b, types, np.array([0.5, 0.5])).tolist()
    [1.0, 3.0]
    """
    mediator = _mediators(types, instrument_share)
    apart = (intercept[..., 1] - intercept[..., 0])[..., None]
    steeper = (slope[..., 1] - slope[..., 0])[..., None]
    return (share[..., None] * (apart + steeper * mediator)).sum(axis=-2)


def total_effect(
    share: ArrayLike,
    intercept: ArrayLike,
    slope: ArrayLike,
    types: Floats,
    instrument_share: ArrayLike,
) -> ArrayLike:
    r"""Average treatment effect, (...).

    .. math::

        ATE = E[Y_{1,M_1}-Y_{0,M_0}]
            = \sum_z\pi_z\sum_t p_t\,[a_{t1}+b_{t1}M_{1z}(t)-a_{t0}-b_{t0}M_{0z}(t)]

    Kim (2022), section 2.1; it is :math:`NIE_1+NDE_0` and :math:`NIE_0+NDE_1`.

    Examples
    --------
    >>> types = np.array([[[0, 0], [1, 1]]])
    >>> a, b = np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])
    >>> float(total_effect(np.array([1.0]), a, b, types, np.array([0.5, 0.5])))
    6.0
    """
    outcome = intercept + slope * _mediators(types, instrument_share)
    return (share * (outcome[..., 1] - outcome[..., 0])).sum(axis=-1)


def controlled_direct_effects(
    share: ArrayLike, intercept: ArrayLike, slope: ArrayLike
) -> ArrayLike:
    r"""Effect of treatment with everybody's mediator set to 0, and to 1, (..., 2), m last.

    .. math:: CDE_m = E[Y_{1m}-Y_{0m}] = \sum_t p_t\,[a_{t1}-a_{t0}+(b_{t1}-b_{t0})\,m]

    Kim (2022), section 2.1.

    Examples
    --------
    >>> a, b = np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])
    >>> controlled_direct_effects(np.array([1.0]), a, b).tolist()
    [1.0, 3.0]
    """
    apart = (share * (intercept[..., 1] - intercept[..., 0])).sum(axis=-1)[..., None]
    steeper = (share * (slope[..., 1] - slope[..., 0])).sum(axis=-1)[..., None]
    return apart + steeper * _LEVELS


def average_slopes(share: ArrayLike, slope: ArrayLike) -> ArrayLike:
    r"""Average effect of the mediator on the outcome under each treatment, (..., 2), d last.

    .. math:: E[Y_{d1}-Y_{d0}] = \sum_t p_t\,b_{td}

    Examples
    --------
    >>> average_slopes(np.array([0.25, 0.75]), np.array([[4.0, 8.0], [0.0, 4.0]])).tolist()
    [1.0, 5.0]
    """
    return (share[..., None] * slope).sum(axis=-2)


def _members(types: Floats) -> Floats:
    """(T, 2, 2, 2) whether a type has mediator m under d and z."""
    members: Floats = (types[..., None] == _LEVELS).astype(np.float64)
    return members


def _mediators(types: Floats, instrument_share: ArrayLike) -> ArrayLike:
    """(..., T, 2) average mediator of each type under each treatment."""
    return (types * instrument_share[..., None, None, :]).sum(axis=-1)
