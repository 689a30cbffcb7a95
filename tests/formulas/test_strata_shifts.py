"""Whom instrument and treatment move: known answers, and both ways to every effect."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmed.formulas import principal_strata as strata
from bayesmed.formulas.binary_iv import iv_effects
from bayesmed.formulas.principal_types import MONOTONE, principal_types
from bayesmed.formulas.strata_shifts import (
    indirect_effect_gap,
    indirect_effects_from_shifts,
    indirect_effects_iv_from_shifts,
    shifted_by_instrument,
    shifted_by_treatment,
    slopes_from_shifts,
)
from tests.formulas.strata import Population, persons, population


def seen(p: Population):
    """What instrumental variables make of the means these types imply."""
    return iv_effects(
        strata.mediator_means(p.share, p.types),
        strata.outcome_means(p.share, p.intercept, p.slope, p.types),
        p.instrument_share,
    )


def test_the_example_of_angrist_and_imbens():
    """Q1 = 2/3, Q2 = 1/3, effects α and 2α: slope and indirect effect are 0, nobody's effect is."""
    alpha = 1.7
    types = principal_types("treatment")
    up = [np.array_equal(t, [[0, 1], [1, 1]]) for t in types]
    down = [np.array_equal(t, [[1, 0], [1, 1]]) for t in types]
    assert sum(up) == sum(down) == 1
    share = np.array(up) * 2 / 3 + np.array(down) / 3
    slope = np.outer(alpha * (np.array(up) + 2.0 * np.array(down)), [1.0, 1.0])
    shifts = shifted_by_instrument(share, slope, types)
    assert shifts.share_up[0] == pytest.approx(2 / 3)
    assert shifts.share_down[0] == pytest.approx(1 / 3)
    assert shifts.effect_up[0] == pytest.approx(alpha)
    assert shifts.effect_down[0] == pytest.approx(2 * alpha)
    assert slopes_from_shifts(shifts)[0] == pytest.approx(0.0, abs=1e-15)
    intercept = np.random.default_rng(0).normal(size=(len(types), 2))
    steps = [
        np.diff(means[0])[0]
        for means in (
            strata.outcome_means(share, intercept, slope, types),
            strata.mediator_means(share, types),
        )
    ]
    assert steps[0] == pytest.approx(0.0, abs=1e-15)
    assert steps[1] == pytest.approx(1 / 3)
    z = np.array([0.4, 0.6])
    nie = strata.natural_indirect_effects(share, slope, types, z)
    assert nie[0] == pytest.approx(2 / 3 * alpha)
    assert indirect_effect_gap(share, slope, types, z)[0] == pytest.approx(-2 / 3 * alpha)


@pytest.mark.parametrize("monotone_in", MONOTONE)
@pytest.mark.parametrize("seed", range(4))
def test_lemma_1_is_the_slope_of_the_arm(seed, monotone_in):
    """Also equations 20, 21, 23, 24 and 26: shifts give what sums over types and cells give."""
    p = population(seed, monotone_in)
    by_z = shifted_by_instrument(p.share, p.slope, p.types)
    by_d = shifted_by_treatment(p.share, p.slope, p.types)
    found = seen(p)
    np.testing.assert_allclose(slopes_from_shifts(by_z), found.slope, rtol=1e-8)
    nie_iv = indirect_effects_iv_from_shifts(by_z, by_d, p.instrument_share)
    np.testing.assert_allclose(nie_iv, found.nie, rtol=1e-8)
    nie = strata.natural_indirect_effects(p.share, p.slope, p.types, p.instrument_share)
    by_shift = indirect_effects_from_shifts(by_d, p.instrument_share)
    np.testing.assert_allclose(by_shift, nie, rtol=0, atol=1e-14)
    gap = indirect_effect_gap(p.share, p.slope, p.types, p.instrument_share)
    np.testing.assert_allclose(gap, found.nie - nie, rtol=1e-8, atol=1e-12)


def test_monotone_mediators_have_nobody_who_falls():
    both = population(3, "both")
    assert (shifted_by_instrument(both.share, both.slope, both.types).share_down == 0).all()
    assert (shifted_by_treatment(both.share, both.slope, both.types).share_down == 0).all()
    only = population(3, "instrument")
    assert (shifted_by_instrument(only.share, only.slope, only.types).share_down == 0).all()
    assert (shifted_by_treatment(only.share, only.slope, only.types).share_down > 0).all()
    # Equation 26: the slope is then the average effect among those the instrument moves.
    shifts = shifted_by_instrument(both.share, both.slope, both.types)
    np.testing.assert_allclose(slopes_from_shifts(shifts), shifts.effect_up, rtol=1e-14)
    assert np.isnan(shifts.effect_down).all()


@pytest.mark.parametrize("seed", range(4))
def test_the_gap_of_the_direct_effect_is_the_negative_of_the_other_arms(seed):
    p = population(seed)
    gap = indirect_effect_gap(p.share, p.slope, p.types, p.instrument_share)
    nde = strata.natural_direct_effects(p.share, p.intercept, p.slope, p.types, p.instrument_share)
    np.testing.assert_allclose(seen(p).nde - nde, -gap[::-1], rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("monotone_in", MONOTONE)
def test_no_heterogeneity_no_gap(monotone_in):
    p = population(8, monotone_in, same_slope=True)
    gap = indirect_effect_gap(p.share, p.slope, p.types, p.instrument_share)
    np.testing.assert_allclose(gap, 0.0, atol=1e-12)


def test_shares_and_effects_of_persons_drawn_one_by_one():
    p = population(6)
    people = persons(p, 200_000)
    effect = people.outcome[..., 1] - people.outcome[..., 0]
    by_z = shifted_by_instrument(p.share, p.slope, p.types)
    by_d = shifted_by_treatment(p.share, p.slope, p.types)
    m = people.mediator
    checked = [(m[:, d, 1] - m[:, d, 0], by_z, d, (d,), (d,)) for d in range(2)]
    checked += [
        (m[:, 1, z] - m[:, 0, z], by_d, d, (0, z), (d, z)) for d in range(2) for z in range(2)
    ]
    for moved, shifts, d, of_share, of_effect in checked:
        for sign, share, mean in (
            (1, shifts.share_up[of_share], shifts.effect_up[of_effect]),
            (-1, shifts.share_down[of_share], shifts.effect_down[of_effect]),
        ):
            who = moved == sign
            assert abs(who.mean() - share) < 4.5 * np.sqrt(share * (1 - share) / len(who))
            among = effect[who, d]
            assert abs(among.mean() - mean) < 4.5 * among.std() / np.sqrt(len(among))


def test_draws_in_front_are_each_draw_alone():
    each = [population(seed) for seed in range(5)]
    share, slope, z = (
        np.stack([getattr(p, n) for p in each]) for n in ("share", "slope", "instrument_share")
    )
    gap = indirect_effect_gap(share, slope, each[0].types, z)
    for i, p in enumerate(each):
        alone = indirect_effect_gap(p.share, p.slope, p.types, p.instrument_share)
        np.testing.assert_allclose(gap[i], alone, rtol=1e-12)


def test_variables_of_a_graph_give_the_same_numbers():
    import pytensor
    import pytensor.tensor as pt

    p = population(2, "both")
    given = [pt.as_tensor_variable(x) for x in (p.share, p.slope)]
    z = pt.as_tensor_variable(p.instrument_share)
    means = [pt.as_tensor_variable(strata.mediator_means(p.share, p.types))]
    means.append(
        pt.as_tensor_variable(strata.outcome_means(p.share, p.intercept, p.slope, p.types))
    )
    arms = iv_effects(*means, z)
    graphs = [indirect_effect_gap(*given, p.types, z), arms.nie, arms.nde, arms.ate]
    found = pytensor.function([], graphs, mode="FAST_COMPILE")()
    wanted = seen(p)
    gap = indirect_effect_gap(p.share, p.slope, p.types, p.instrument_share)
    for value, expected in zip(found, (gap, wanted.nie, wanted.nde, wanted.ate), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-10)
