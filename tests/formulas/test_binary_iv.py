"""Instrumental variables in each arm: least squares by hand, identities, published equations."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmed.formulas.binary_iv import (
    IVEffects,
    arm_slopes,
    average_over_instrument,
    direct_effects_iv,
    first_stage,
    indirect_effects_iv,
    iv_effects,
)

RNG = np.random.default_rng(3)
MEDIATOR = RNG.uniform(0.1, 0.4, (50, 2, 2)) + np.array([0.0, 0.4])
OUTCOME = RNG.normal(5, 2, (50, 2, 2))
SHARE = RNG.dirichlet([3, 4], 50)
DRAWS = iv_effects(MEDIATOR, OUTCOME, SHARE)


def test_both_decompositions_add_up_to_the_total_in_every_draw():
    np.testing.assert_allclose(DRAWS.nie[:, 1] + DRAWS.nde[:, 0], DRAWS.ate, rtol=0, atol=1e-13)
    np.testing.assert_allclose(DRAWS.nie[:, 0] + DRAWS.nde[:, 1], DRAWS.ate, rtol=0, atol=1e-13)


def test_equations_7_to_14_with_letters_for_arms():
    """Kim's regressions, with π of equation 6 in the control arm and τ in the treated one."""
    for i in range(5):
        p = SHARE[i, 1]
        (m00, m01), (m10, m11) = MEDIATOR[i]
        (y00, y01), (y10, y11) = OUTCOME[i]
        pi_1, pi_0 = m01 - m00, m00
        tau_1, tau_0 = m11 - m10, m10
        beta_1, alpha_1 = (y01 - y00) / pi_1, (y11 - y10) / tau_1
        beta_0, alpha_0 = y00 - beta_1 * m00, y10 - alpha_1 * m10
        of_m0, of_m1 = pi_0 + pi_1 * p, tau_0 + tau_1 * p
        moved = tau_0 - pi_0 + (tau_1 - pi_1) * p
        apart, steeper = alpha_0 - beta_0, alpha_1 - beta_1
        np.testing.assert_allclose(DRAWS.nie[i], [beta_1 * moved, alpha_1 * moved])
        nde = [apart + steeper * of_m0, apart + steeper * of_m1]
        np.testing.assert_allclose(DRAWS.nde[i], nde, rtol=1e-9)
        np.testing.assert_allclose(DRAWS.intercept[i], [beta_0, alpha_0], rtol=1e-9)


def test_shares_are_pooled_over_arms():
    """An arm's own mean is another number where treatment and instrument go together."""
    mean = np.array([[1.0, 3.0], [1.0, 3.0]])
    pooled = average_over_instrument(mean, np.array([0.5, 0.5]))
    assert pooled.tolist() == [2.0, 2.0]
    n = np.array([[30, 10], [10, 30]])
    assert ((mean * n).sum(axis=1) / n.sum(axis=1)).tolist() == [1.5, 2.5]


def test_axes_in_front_do_not_matter():
    stacked = iv_effects(
        MEDIATOR.reshape(5, 10, 2, 2), OUTCOME.reshape(5, 10, 2, 2), SHARE.reshape(5, 10, 2)
    )
    one = iv_effects(MEDIATOR[7], OUTCOME[7], SHARE[7])
    for name in IVEffects.__dataclass_fields__:
        whole = getattr(DRAWS, name)
        again = getattr(stacked, name)
        np.testing.assert_array_equal(again.reshape(whole.shape), whole)
        np.testing.assert_array_equal(getattr(one, name), whole[7])


@pytest.mark.parametrize("factor", [1e-6, -3.0, 1e6])
def test_units_and_origin_of_the_outcome(factor):
    found = iv_effects(MEDIATOR, 100 + factor * OUTCOME, SHARE)
    for name in ("slope", "nie", "nde", "ate"):
        np.testing.assert_allclose(getattr(found, name), factor * getattr(DRAWS, name), rtol=1e-6)


def test_exchanging_the_values_of_the_instrument_changes_nothing():
    found = iv_effects(MEDIATOR[..., ::-1], OUTCOME[..., ::-1], SHARE[..., ::-1])
    for name in IVEffects.__dataclass_fields__:
        np.testing.assert_allclose(getattr(found, name), getattr(DRAWS, name), rtol=1e-12)


def test_exchanging_the_arms_turns_effects_round():
    found = iv_effects(MEDIATOR[:, ::-1], OUTCOME[:, ::-1], SHARE)
    for name in ("nie", "nde"):
        np.testing.assert_allclose(getattr(found, name), -getattr(DRAWS, name)[:, ::-1], rtol=1e-9)
    np.testing.assert_allclose(found.ate, -DRAWS.ate, rtol=1e-12)


def test_renaming_the_mediator_keeps_effects():
    """With 1 − M in the place of M slopes change sign, and effects do not."""
    found = iv_effects(1 - MEDIATOR, OUTCOME, SHARE)
    np.testing.assert_allclose(found.slope, -DRAWS.slope, rtol=1e-9)
    for name in ("nie", "nde", "ate"):
        np.testing.assert_allclose(getattr(found, name), getattr(DRAWS, name), rtol=1e-9)


def test_no_first_stage_is_not_finite_and_does_not_warn():
    mediator = np.array([[0.5, 0.5], [0.2, 0.4]])
    assert first_stage(mediator)[0] == 0
    assert np.isinf(arm_slopes(mediator, np.array([[1.0, 2.0], [1.0, 2.0]]))[0])
    assert np.isnan(arm_slopes(mediator, np.array([[1.0, 1.0], [1.0, 2.0]]))[0])


def test_equal_slopes_make_one_direct_effect():
    slope, mediator = np.array([2.0, 2.0]), np.array([0.3, 0.9])
    nde = direct_effects_iv(slope, np.array([1.0, 1.7]), mediator)
    np.testing.assert_allclose(nde, 0.7)
    nie = indirect_effects_iv(slope, mediator)
    assert nie[0] == nie[1] == pytest.approx(1.2)
