r"""Effects through a binary mediator by instrument, arm by arm, from means of cells.

Treatment D, instrument Z and mediator M are binary; :math:`\bar m_d(z)=E[M\mid D=d,Z=z]`,
:math:`\bar y_d(z)` likewise, and :math:`\pi_z=P(Z=z)`, the same in both arms because Z is
independent of D (Kim 2022, assumption 2). Everywhere the axis before the last is d and the last
is z, and what is left after z is averaged out or differenced has d last. Arms are told by d: the
paper gives the treated arm the letter π in its equation 6 and the letter τ in its Lemma 1.

Functions take NumPy arrays and variables of a graph, with any axes (draws, strata) in front.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmed.core.types import ArrayLike

__all__ = [
    "IVEffects",
    "arm_intercepts",
    "arm_slopes",
    "average_over_instrument",
    "direct_effects_iv",
    "first_stage",
    "indirect_effects_iv",
    "iv_effects",
    "total_effect_iv",
]


@dataclass(frozen=True)
class IVEffects:
    """What instrumental variables identify in the two arms; see the functions of this module.

    Parameters
    ----------
    slope
        (..., 2) effect of the mediator on the outcome in each arm, outcome units.
    mediator_mean
        (..., 2) share of persons with the mediator under each treatment.
    outcome_mean
        (..., 2) mean outcome under each treatment.
    intercept
        (..., 2) of each arm's line, outcome units.
    nie, nde
        (..., 2) natural indirect and direct effects as instrumental variables have them.
    ate
        (...) average treatment effect.
    """

    slope: ArrayLike
    mediator_mean: ArrayLike
    outcome_mean: ArrayLike
    intercept: ArrayLike
    nie: ArrayLike
    nde: ArrayLike
    ate: ArrayLike


def first_stage(mediator_mean: ArrayLike) -> ArrayLike:
    r"""Effect of the instrument on the mediator in each arm, (..., 2).

    .. math:: \bar m_d(1)-\bar m_d(0)

    Kim (2022), equation 6. Relevance is that it is not 0, in either arm.

    Parameters
    ----------
    mediator_mean
        (..., 2, 2) :math:`\bar m_d(z)`.

    Examples
    --------
    >>> first_stage(np.array([[0.25, 0.5], [0.25, 0.75]])).tolist()
    [0.25, 0.5]
    """
    return mediator_mean[..., 1] - mediator_mean[..., 0]


def arm_slopes(mediator_mean: ArrayLike, outcome_mean: ArrayLike) -> ArrayLike:
    r"""Instrumental-variable slope of outcome on mediator in each arm, (..., 2).

    .. math:: slope_d = \frac{\bar y_d(1)-\bar y_d(0)}{\bar m_d(1)-\bar m_d(0)}

    Kim (2022), appendix A: :math:`\beta_1` for d = 0, :math:`\alpha_1` for d = 1. Not finite where
    the instrument does not move the mediator.

    Parameters
    ----------
    mediator_mean, outcome_mean
        (..., 2, 2) :math:`\bar m_d(z)` and :math:`\bar y_d(z)`.

    Examples
    --------
    >>> m = np.array([[0.25, 0.5], [0.25, 0.75]])
    >>> arm_slopes(m, np.array([[1.0, 1.5], [2.0, 4.0]])).tolist()
    [2.0, 4.0]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return (outcome_mean[..., 1] - outcome_mean[..., 0]) / first_stage(mediator_mean)


def average_over_instrument(cell_mean: ArrayLike, instrument_share: ArrayLike) -> ArrayLike:
    r"""Mean of mediator or outcome under each treatment, (..., 2).

    .. math:: E[M_d]=\sum_z\pi_z\bar m_d(z),\qquad E[Y_d]=\sum_z\pi_z\bar y_d(z)

    Kim (2022), section 3, with shares pooled over arms: the mean of an arm is another number
    where treatment and instrument happen to go together.

    Parameters
    ----------
    cell_mean
        (..., 2, 2) :math:`\bar m_d(z)` or :math:`\bar y_d(z)`.
    instrument_share
        (..., 2) :math:`\pi_0,\pi_1`.

    Examples
    --------
    >>> average_over_instrument(np.array([[1.0, 3.0], [2.0, 6.0]]), np.array([0.5, 0.5])).tolist()
    [2.0, 4.0]
    """
    return (cell_mean * instrument_share[..., None, :]).sum(axis=-1)


def arm_intercepts(slope: ArrayLike, mediator: ArrayLike, outcome: ArrayLike) -> ArrayLike:
    r"""Intercept of each arm's line, (..., 2).

    .. math:: icpt_d = E[Y_d]-slope_d\,E[M_d]

    Kim (2022), Lemma 1: :math:`\beta_0` for d = 0, :math:`\alpha_0` for d = 1.

    Parameters
    ----------
    slope, mediator, outcome
        (..., 2) :math:`slope_d`, :math:`E[M_d]` and :math:`E[Y_d]`.

    Examples
    --------
    >>> arm_intercepts(np.array([2.0, 4.0]), np.array([0.5, 0.25]), np.array([3.0, 3.0])).tolist()
    [2.0, 2.0]
    """
    return outcome - slope * mediator


def indirect_effects_iv(slope: ArrayLike, mediator: ArrayLike) -> ArrayLike:
    r"""Natural indirect effects as instrumental variables have them, (..., 2).

    .. math:: NIE^{IV}_d = slope_d\,(E[M_1]-E[M_0])

    Kim (2022), equations 11 and 12. They are the natural indirect effects where the mediator's
    effect on the outcome does not vary between types of persons
    (`bayesmed.formulas.principal_strata`).

    Parameters
    ----------
    slope, mediator
        (..., 2) :math:`slope_d` and :math:`E[M_d]`.

    Examples
    --------
    >>> indirect_effects_iv(np.array([2.0, 4.0]), np.array([0.25, 0.75])).tolist()
    [1.0, 2.0]
    """
    return slope * (mediator[..., 1] - mediator[..., 0])[..., None]


def direct_effects_iv(slope: ArrayLike, intercept: ArrayLike, mediator: ArrayLike) -> ArrayLike:
    r"""Natural direct effects as instrumental variables have them, (..., 2).

    .. math:: NDE^{IV}_d = icpt_1-icpt_0+(slope_1-slope_0)\,E[M_d]

    Kim (2022), equations 13 and 14.

    Parameters
    ----------
    slope, intercept, mediator
        (..., 2) :math:`slope_d`, :math:`icpt_d` and :math:`E[M_d]`.

    Examples
    --------
    >>> mediator = np.array([0.25, 0.75])
    >>> direct_effects_iv(np.array([2.0, 4.0]), np.array([1.0, 1.5]), mediator).tolist()
    [1.0, 2.0]
    """
    steeper = (slope[..., 1] - slope[..., 0])[..., None]
    return (intercept[..., 1] - intercept[..., 0])[..., None] + steeper * mediator


def total_effect_iv(outcome: ArrayLike) -> ArrayLike:
    r"""Average treatment effect, (...).

    .. math:: ATE = E[Y_1]-E[Y_0] = NIE^{IV}_1+NDE^{IV}_0 = NIE^{IV}_0+NDE^{IV}_1

    Parameters
    ----------
    outcome
        (..., 2) :math:`E[Y_d]`.

    Examples
    --------
    >>> float(total_effect_iv(np.array([1.0, 3.5])))
    2.5
    """
    return outcome[..., 1] - outcome[..., 0]


def iv_effects(
    mediator_mean: ArrayLike, outcome_mean: ArrayLike, instrument_share: ArrayLike
) -> IVEffects:
    """Return everything of this module from the means of the four cells (d, z).

    Parameters
    ----------
    mediator_mean, outcome_mean
        (..., 2, 2) means of mediator and outcome by treatment and instrument.
    instrument_share
        (..., 2) shares of persons at each value of the instrument.

    Examples
    --------
    >>> m = np.array([[0.25, 0.5], [0.25, 0.75]])
    >>> found = iv_effects(m, np.array([[1.0, 1.5], [2.0, 4.0]]), np.array([0.5, 0.5]))
    >>> found.nie.tolist(), found.nde.tolist(), float(found.ate)
    ([0.25, 0.5], [1.25, 1.5], 1.75)
    """
    slope = arm_slopes(mediator_mean, outcome_mean)
    mediator = average_over_instrument(mediator_mean, instrument_share)
    outcome = average_over_instrument(outcome_mean, instrument_share)
    intercept = arm_intercepts(slope, mediator, outcome)
    return IVEffects(
        slope=slope,
        mediator_mean=mediator,
        outcome_mean=outcome,
        intercept=intercept,
        nie=indirect_effects_iv(slope, mediator),
        nde=direct_effects_iv(slope, intercept, mediator),
        ate=total_effect_iv(outcome),
    )
