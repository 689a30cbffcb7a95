"""What types imply, against persons drawn one by one, loops over types, and identities."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bayesmed.formulas import principal_strata as strata
from bayesmed.formulas.binary_iv import iv_effects
from bayesmed.formulas.principal_types import MONOTONE
from tests.formulas.strata import Population, persons, population

SEEDS = range(4)


def cells_of(p: Population):
    return strata.cell_means(p.share, p.intercept, p.slope, p.types)


def effects_of(p: Population):
    """NIE, NDE, ATE of a population."""
    z = p.instrument_share
    return (
        strata.natural_indirect_effects(p.share, p.slope, p.types, z),
        strata.natural_direct_effects(p.share, p.intercept, p.slope, p.types, z),
        strata.total_effect(p.share, p.intercept, p.slope, p.types, z),
    )


@pytest.mark.parametrize("monotone_in", MONOTONE)
@pytest.mark.parametrize("seed", SEEDS)
def test_both_decompositions_add_up_to_the_total(seed, monotone_in):
    nie, nde, ate = effects_of(population(seed, monotone_in))
    np.testing.assert_allclose([nie[1] + nde[0], nie[0] + nde[1]], ate, rtol=0, atol=1e-13)


@pytest.mark.parametrize("monotone_in", MONOTONE)
def test_persons_drawn_one_by_one_agree(monotone_in):
    """Cells that are seen, and effects from outcomes that nobody sees, of 200,000 persons."""
    p = population(11, monotone_in)
    people = persons(p, 200_000)
    n = len(people.d)

    def close(sample, wanted):
        error = np.std(sample) / np.sqrt(len(sample))
        assert abs(np.mean(sample) - wanted) < 4.5 * error + 1e-12

    i = np.arange(n)
    m = people.mediator[i, people.d, people.z].astype(int)
    y = people.outcome[i, people.d, m]
    shares, means = strata.cell_shares(p.share, p.types), cells_of(p)
    for d in range(2):
        for z in range(2):
            here = (people.d == d) & (people.z == z)
            for value in range(2):
                close((m == value)[here].astype(float), shares[d, z, value])
                close(y[here & (m == value)], means[d, z, value])
    nie, nde, ate = effects_of(p)
    slopes = strata.average_slopes(p.share, p.slope)
    controlled = strata.controlled_direct_effects(p.share, p.intercept, p.slope)
    for d in range(2):
        close(people.outcome_under(d, 1) - people.outcome_under(d, 0), nie[d])
        close(people.outcome_under(1, d) - people.outcome_under(0, d), nde[d])
        close(people.outcome[:, d, 1] - people.outcome[:, d, 0], slopes[d])
        close(people.outcome[:, 1, d] - people.outcome[:, 0, d], controlled[d])
    close(people.outcome_under(1, 1) - people.outcome_under(0, 0), ate)


@pytest.mark.parametrize("seed", SEEDS)
def test_sums_over_types_one_by_one(seed):
    """Kim's equations 15 to 18 with loops."""
    p = population(seed)
    nie, nde, _ = effects_of(p)
    for d in range(2):
        indirect = direct = 0.0
        for t, share in enumerate(p.share):
            a, b, m = p.intercept[t], p.slope[t], p.types[t]
            for z, weight in enumerate(p.instrument_share):
                indirect += weight * share * b[d] * (m[1, z] - m[0, z])
                direct += weight * share * (a[1] - a[0] + (b[1] - b[0]) * m[d, z])
        assert nie[d] == pytest.approx(indirect, abs=1e-13)
        assert nde[d] == pytest.approx(direct, abs=1e-13)


@pytest.mark.parametrize("seed", SEEDS)
def test_cells_add_up_to_the_means_by_instrument(seed):
    p = population(seed)
    shares, means = strata.cell_shares(p.share, p.types), cells_of(p)
    np.testing.assert_allclose(shares.sum(axis=-1), 1.0, rtol=1e-14)
    np.testing.assert_allclose(shares[..., 1], strata.mediator_means(p.share, p.types), rtol=1e-14)
    by_instrument = strata.outcome_means(p.share, p.intercept, p.slope, p.types)
    np.testing.assert_allclose((shares * means).sum(axis=-1), by_instrument, rtol=1e-12)


@pytest.mark.parametrize("monotone_in", MONOTONE)
@pytest.mark.parametrize("seed", SEEDS)
def test_no_heterogeneity_of_slopes_makes_instruments_right(seed, monotone_in):
    """Whatever the intercepts of types are: weaker than Kim's Proposition 1."""
    p = population(seed, monotone_in, same_slope=True)
    found = iv_effects(
        strata.mediator_means(p.share, p.types),
        strata.outcome_means(p.share, p.intercept, p.slope, p.types),
        p.instrument_share,
    )
    nie, nde, ate = effects_of(p)
    np.testing.assert_allclose(found.slope, p.slope[0], rtol=1e-9)
    np.testing.assert_allclose(found.nie, nie, rtol=0, atol=1e-11)
    np.testing.assert_allclose(found.nde, nde, rtol=0, atol=1e-11)
    assert found.ate == pytest.approx(ate, abs=1e-12)


def test_slopes_that_differ_make_instruments_wrong_but_not_the_total():
    p = population(1, "both")
    found = iv_effects(
        strata.mediator_means(p.share, p.types),
        strata.outcome_means(p.share, p.intercept, p.slope, p.types),
        p.instrument_share,
    )
    nie, _, ate = effects_of(p)
    assert (np.abs(found.nie - nie) > 0.02).all()
    assert found.ate == pytest.approx(ate, abs=1e-12)


def test_controlled_effects_differ_by_the_difference_of_slopes():
    p = population(5)
    controlled = strata.controlled_direct_effects(p.share, p.intercept, p.slope)
    slopes = strata.average_slopes(p.share, p.slope)
    assert controlled[1] - controlled[0] == pytest.approx(slopes[1] - slopes[0], abs=1e-13)


def test_a_cell_where_nobody_is_has_no_mean_and_does_not_warn():
    types = np.array([[[0, 0], [0, 0]], [[0, 1], [1, 1]]])
    found = strata.cell_means(np.array([0.0, 1.0]), np.zeros((2, 2)), np.ones((2, 2)), types)
    assert np.isnan(found[0, 0, 1])
    assert found[0, 1, 1] == 1.0


def arguments(p: Population):
    """Arguments of every function."""
    share, a, b, z = p.share, p.intercept, p.slope, p.instrument_share
    return {
        strata.cell_shares: (share, p.types),
        strata.cell_means: (share, a, b, p.types),
        strata.mediator_means: (share, p.types),
        strata.outcome_means: (share, a, b, p.types),
        strata.natural_indirect_effects: (share, b, p.types, z),
        strata.natural_direct_effects: (share, a, b, p.types, z),
        strata.total_effect: (share, a, b, p.types, z),
        strata.controlled_direct_effects: (share, a, b),
        strata.average_slopes: (share, b),
    }


def test_every_function_is_among_the_arguments():
    assert {f.__name__ for f in arguments(population(0))} == set(strata.__all__)


def test_draws_in_front_are_each_draw_alone():
    each = [population(seed, "both") for seed in range(6)]
    names = [f.name for f in dataclasses.fields(Population) if f.name != "types"]
    stacked = {name: np.stack([getattr(p, name) for p in each]) for name in names}
    together = arguments(dataclasses.replace(each[0], **stacked))
    for function, given in together.items():
        found = function(*given)
        for i, p in enumerate(each):
            np.testing.assert_allclose(found[i], function(*arguments(p)[function]), rtol=1e-13)


def test_variables_of_a_graph_give_the_same_numbers():
    import pytensor
    import pytensor.tensor as pt

    p = population(2, "both")
    constant = {
        n: pt.as_tensor_variable(getattr(p, n))
        for n in ("share", "intercept", "slope", "instrument_share")
    }
    asked = arguments(dataclasses.replace(p, **constant))
    graphs = [function(*given) for function, given in asked.items()]
    found = pytensor.function([], graphs, mode="FAST_COMPILE")()
    for value, (function, given) in zip(found, arguments(p).items(), strict=True):
        np.testing.assert_allclose(value, function(*given), rtol=1e-12, err_msg=function.__name__)
