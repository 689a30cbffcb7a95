r"""Whom the instrument moves and whom treatment moves: why instrumental variables can miss.

The slope of an arm averages the mediator's effect over persons whom the *instrument* moves; the
natural indirect effect over persons whom *treatment* moves (Kim 2022, section 3). Shapes and
symbols are those of `bayesmed.formulas.principal_strata`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmed.core.types import ArrayLike, Floats

__all__ = [
    "Shifts",
    "indirect_effect_gap",
    "indirect_effects_from_shifts",
    "indirect_effects_iv_from_shifts",
    "shifted_by_instrument",
    "shifted_by_treatment",
    "slopes_from_shifts",
]


@dataclass(frozen=True)
class Shifts:
    r"""Persons whose mediator rises from 0 to 1, and those whose mediator falls from 1 to 0.

    Parameters
    ----------
    share_up, share_down
        Shares of persons: for shifts by the instrument (..., 2) with d last, Kim's :math:`Q_1` and
        :math:`Q_2` for d = 0; for shifts by treatment (..., 1, 2) with z last.
    sum_up, sum_down
        Share times average effect of the mediator on the outcome among them: (..., 2) with d last,
        or (..., 2, 2) with d before z.
    """

    share_up: ArrayLike
    share_down: ArrayLike
    sum_up: ArrayLike
    sum_down: ArrayLike

    @property
    def effect_up(self) -> ArrayLike:
        """Average effect of the mediator among those who rise; NaN where nobody does."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.sum_up / self.share_up

    @property
    def effect_down(self) -> ArrayLike:
        """Average effect of the mediator among those who fall; NaN where nobody does."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.sum_down / self.share_down


def shifted_by_instrument(share: ArrayLike, slope: ArrayLike, types: Floats) -> Shifts:
    r"""Persons whom the instrument moves in each arm, with d last.

    .. math::

        Q_{1d}=P(M_{d1}>M_{d0}),\quad Q_{2d}=P(M_{d1}<M_{d0}),\quad
        E[Y_{d1}-Y_{d0}\mid M_{d1}>M_{d0}],\ \ldots

    Kim (2022), Lemma 1 and section 3.2. Monotone in the instrument, :math:`Q_2=0`.

    Examples
    --------
    >>> types = np.array([[[0, 1], [0, 0]], [[1, 0], [0, 0]]])
    >>> found = shifted_by_instrument(np.array([0.75, 0.25]), np.array([[2, 0], [8, 0]]), types)
    >>> found.share_up.tolist(), found.share_down.tolist(), found.effect_down[0].tolist()
    ([0.75, 0.0], [0.25, 0.0], 8.0)
    """
    up, down = (types[..., 1] > types[..., 0]) * 1.0, (types[..., 1] < types[..., 0]) * 1.0
    weight = share[..., None]
    return Shifts(
        share_up=(weight * up).sum(axis=-2),
        share_down=(weight * down).sum(axis=-2),
        sum_up=(weight * up * slope).sum(axis=-2),
        sum_down=(weight * down * slope).sum(axis=-2),
    )


def shifted_by_treatment(share: ArrayLike, slope: ArrayLike, types: Floats) -> Shifts:
    r"""Persons whom treatment moves at each value of the instrument, with z last.

    .. math::

        P_{1z}=P(M_{1z}>M_{0z}),\quad P(M_{1z}<M_{0z}),\quad
        E[Y_{d1}-Y_{d0}\mid M_{1z}>M_{0z}],\ \ldots

    Kim (2022), section 3.2. Monotone in treatment, nobody falls.

    Examples
    --------
    >>> types = np.array([[[0, 0], [1, 0]], [[0, 0], [0, 0]]])
    >>> found = shifted_by_treatment(np.array([0.25, 0.75]), np.array([[2, 4], [9, 9]]), types)
    >>> found.share_up.tolist(), found.sum_up.tolist()
    ([[0.25, 0.0]], [[0.5, 0.0], [1.0, 0.0]])
    """
    up, down = (types[:, 1] > types[:, 0]) * 1.0, (types[:, 1] < types[:, 0]) * 1.0
    # Axes: type, d, z.
    weight, effect = share[..., :, None, None], slope[..., :, :, None]
    up, down = up[:, None, :], down[:, None, :]
    return Shifts(
        share_up=(weight * up).sum(axis=-3),
        share_down=(weight * down).sum(axis=-3),
        sum_up=(weight * up * effect).sum(axis=-3),
        sum_down=(weight * down * effect).sum(axis=-3),
    )


def slopes_from_shifts(by_instrument: Shifts) -> ArrayLike:
    r"""Instrumental-variable slope of each arm, (..., 2).

    .. math::

        slope_d = \frac{E[Y_{d1}-Y_{d0}\mid M_{d1}>M_{d0}]\,Q_{1d}
                        -E[Y_{d1}-Y_{d0}\mid M_{d1}<M_{d0}]\,Q_{2d}}{Q_{1d}-Q_{2d}}

    Kim (2022), Lemma 1. Its weights are not convex: with :math:`Q_1=2/3`, :math:`Q_2=1/3` and
    effects α and 2α it is 0. Where :math:`Q_2=0` it is the average among those who rise.

    Parameters
    ----------
    by_instrument
        From `shifted_by_instrument`.

    Examples
    --------
    >>> q1, q2 = np.array([2 / 3] * 2), np.array([1 / 3] * 2)
    >>> slopes_from_shifts(Shifts(q1, q2, q1 * 5.0, q2 * 10.0)).tolist()
    [0.0, 0.0]
    """
    moved = by_instrument.share_up - by_instrument.share_down
    with np.errstate(divide="ignore", invalid="ignore"):
        return (by_instrument.sum_up - by_instrument.sum_down) / moved


def indirect_effects_from_shifts(by_treatment: Shifts, instrument_share: ArrayLike) -> ArrayLike:
    r"""Natural indirect effects under each treatment, (..., 2).

    .. math::

        NIE_d=\sum_z\pi_z\left(E[Y_{d1}-Y_{d0}\mid M_{1z}>M_{0z}]P(M_{1z}>M_{0z})
              -E[Y_{d1}-Y_{d0}\mid M_{1z}<M_{0z}]P(M_{1z}<M_{0z})\right)

    Kim (2022), equation 21; where nobody falls, 22 and 25.

    Parameters
    ----------
    by_treatment
        From `shifted_by_treatment`.
    instrument_share
        (..., 2) shares of the instrument's values.

    Examples
    --------
    >>> up = np.array([[0.25, 0.5]])
    >>> shifts = Shifts(up, 0 * up, np.array([[0.5, 1.0], [1.0, 2.0]]), np.zeros((2, 2)))
    >>> indirect_effects_from_shifts(shifts, np.array([0.5, 0.5])).tolist()
    [0.75, 1.5]
    """
    net = by_treatment.sum_up - by_treatment.sum_down
    return (net * instrument_share[..., None, :]).sum(axis=-1)


def indirect_effects_iv_from_shifts(
    by_instrument: Shifts, by_treatment: Shifts, instrument_share: ArrayLike
) -> ArrayLike:
    r"""Natural indirect effects as instrumental variables have them, (..., 2).

    .. math:: NIE^{IV}_d = slope_d\sum_z\pi_z\left(P(M_{1z}>M_{0z})-P(M_{1z}<M_{0z})\right)

    Kim (2022), equation 20; 23 and 24 where nobody falls under treatment; 26 where nobody falls
    under the instrument either. It equals `bayesmed.formulas.binary_iv.indirect_effects_iv` of the
    means these types imply.

    Parameters
    ----------
    by_instrument, by_treatment
        From `shifted_by_instrument` and `shifted_by_treatment`.
    instrument_share
        (..., 2) shares of the instrument's values.

    Examples
    --------
    >>> one, none = np.array([0.5, 0.5]), np.zeros(2)
    >>> by_z = Shifts(one, none, 3.0 * one, none)
    >>> by_d = Shifts(one[None], none[None], np.ones((2, 2)), np.zeros((2, 2)))
    >>> indirect_effects_iv_from_shifts(by_z, by_d, one).tolist()
    [1.5, 1.5]
    """
    net = by_treatment.share_up - by_treatment.share_down
    moved = (net * instrument_share[..., None, :]).sum(axis=-1)
    return slopes_from_shifts(by_instrument) * moved


def indirect_effect_gap(
    share: ArrayLike, slope: ArrayLike, types: Floats, instrument_share: ArrayLike
) -> ArrayLike:
    r"""How far instrumental variables are from the natural indirect effects, (..., 2).

    .. math:: NIE^{IV}_d - NIE_d

    0 where :math:`b_{td}` does not vary between types, whatever :math:`a_{td}` (weaker than Kim's
    Proposition 1, which asks for constant effects of treatment too). The gap of the direct effect
    under the other treatment, :math:`NDE^{IV}_{1-d}-NDE_{1-d}`, is its negative, because both add
    up to the average treatment effect.

    Examples
    --------
    >>> types = np.array([[[0, 1], [0, 1]], [[0, 0], [1, 1]]])
    >>> share, half = np.array([0.5, 0.5]), np.array([0.5, 0.5])
    >>> indirect_effect_gap(share, np.array([[1.0, 1.0], [3.0, 1.0]]), types, half).tolist()
    [-1.0, 0.0]
    """
    by_instrument = shifted_by_instrument(share, slope, types)
    by_treatment = shifted_by_treatment(share, slope, types)
    return indirect_effects_iv_from_shifts(
        by_instrument, by_treatment, instrument_share
    ) - indirect_effects_from_shifts(by_treatment, instrument_share)
