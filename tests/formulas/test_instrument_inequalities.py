"""Instrumental inequalities: closed forms, types of persons that make them, and extremes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import linprog

from bayesmed.formulas.instrument_inequalities import (
    kitagawa_differences,
    neighbouring_sets,
    parts_and_wholes,
    pearl_sums,
    split_sums,
    standardised_violations,
)

EVERY = list(itertools.product((0, 1), repeat=2))


def of_types(share: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """P(y, m | z), (z, m, y), of types (M_0, M_1) with P(Y = 1 | type, m), (4, 2)."""
    found = np.zeros((2, 2, 2))
    for z, (t, moved) in itertools.product(range(2), enumerate(EVERY)):
        m = moved[z]
        found[z, m] += share[t] * np.array([1 - outcome[t, m], outcome[t, m]])
    return found


def with_sets(probability: np.ndarray) -> np.ndarray:
    return probability @ neighbouring_sets(probability.shape[-1]).T


@pytest.mark.parametrize("values", [1, 2, 3, 8])
def test_sets_are_all_the_intervals(values: int) -> None:
    sets = neighbouring_sets(values)
    assert len(np.unique(sets, axis=0)) == len(sets) == values * (values + 1) // 2
    assert (np.abs(np.diff(sets, axis=1)).sum(axis=1) + sets[:, 0] + sets[:, -1] <= 2).all()
    assert sets[:values].tolist() == np.eye(values).tolist()
    assert sets[-1].all()


def test_differences_are_the_compliers_where_nobody_defies() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        share, outcome = rng.dirichlet(np.ones(4)), rng.random((4, 2))
        share[EVERY.index((1, 0))] = 0.0
        compliers = EVERY.index((0, 1))
        found = kitagawa_differences(with_sets(of_types(share, outcome)))
        has = outcome[compliers]
        expected = share[compliers] * np.stack([1 - has, has, np.ones(2)], axis=1)
        np.testing.assert_allclose(found, expected, atol=1e-15)


def test_random_instruments_keep_to_pearl_whatever_the_types() -> None:
    rng = np.random.default_rng(2)
    share, outcome = rng.dirichlet(np.full(4, 0.3), 500), rng.random((500, 4, 2)) ** 4
    every = np.array([of_types(*one) for one in zip(share, outcome, strict=True)])
    assert pearl_sums(every).max() <= 1 + 1e-12
    assert kitagawa_differences(with_sets(every)).min() < -0.1
    assert pearl_sums(rng.dirichlet(np.full(4, 0.3), (500, 2)).reshape(-1, 2, 2, 2)).max() > 1.2


def test_types_can_make_a_table_just_where_pearl_allows_it() -> None:
    """Sixteen types (M_0, M_1, Y_0, Y_1), by linear programming: sharp (Bonet 2001)."""
    rng, kinds = np.random.default_rng(3), list(itertools.product((0, 1), repeat=4))
    agree = []
    for table in rng.dirichlet(np.full(4, 0.5), (60, 2)).reshape(-1, 2, 2, 2):
        made = np.zeros((2, 2, 2, len(kinds)))
        for k, kind in enumerate(kinds):
            for z in range(2):
                made[z, kind[z], kind[2 + kind[z]], k] = 1
        exists = linprog(np.zeros(16), A_eq=made.reshape(8, -1), b_eq=table.ravel()).status == 0
        agree.append((exists, bool(pearl_sums(table).max() <= 1)))
    assert {one for one, _ in agree} == {True, False}
    assert all(one == other for one, other in agree)


@pytest.mark.parametrize("values", [2, 3, 5])
def test_pearls_sum_is_the_largest_split(values: int) -> None:
    p = (
        np.random.default_rng(4)
        .dirichlet(np.ones(2 * values), (7, 2, 2))
        .reshape(7, 2, 2, 2, values)
    )
    split = split_sums(p)
    assert split.shape == (7, 2, 2, 2**values - 2)
    whole = p.sum(axis=-1).max(axis=-2)  # all values from one z: at most 1 anyway
    np.testing.assert_allclose(np.maximum(split.max(axis=-1), whole), pearl_sums(p))


def test_violations_are_those_of_a_comparison_of_two_shares() -> None:
    rng = np.random.default_rng(5)
    count = rng.integers(1, 60, (3, 2, 2, 2, 2)).astype(float)
    persons = count.sum(axis=(-1, -2))
    found = standardised_violations(with_sets(count), persons)
    table = [count[1, 0, 1, 1, 0], persons[1, 0, 1], count[1, 0, 0, 1, 0], persons[1, 0, 0]]
    x1, n1, x0, n0 = table
    chi2 = stats.chi2_contingency([[x1, n1 - x1], [x0, n0 - x0]], correction=False).statistic
    assert found[1, 0, 1, 0] == pytest.approx(np.sign(x0 / n0 - x1 / n1) * np.sqrt(chi2))
    # With and without the mediator are the same statement for any outcome.
    np.testing.assert_allclose(found[..., 0, -1], found[..., 1, -1], atol=1e-12)
    swapped = standardised_violations(with_sets(count[..., ::-1]), persons)
    np.testing.assert_allclose(swapped, found[..., [1, 0, 2]], atol=1e-12)
    # Other values of instrument and mediator are the same trial.
    turned = standardised_violations(with_sets(count[:, :, ::-1, ::-1]), persons[..., ::-1])
    np.testing.assert_allclose(turned, found[..., ::-1, :], atol=1e-12)


def test_sets_of_nobody_violate_nothing_and_values_of_nobody_are_unknown() -> None:
    count = np.array([[[5.0, 0.0], [5.0, 0.0]], [[7.0, 0.0], [3.0, 0.0]]])
    found = standardised_violations(count, np.array([10.0, 10.0]))
    assert found[:, 1].tolist() == [0.0, 0.0]
    assert found[1, 0] > 0
    assert np.isnan(
        standardised_violations(count * [[[1.0]], [[0.0]]], np.array([10.0, 0.0]))
    ).all()


def test_parts_belong_to_wholes() -> None:
    cells = np.arange(16.0).reshape(2, 2, 2, 2)
    part, whole = parts_and_wholes(cells)
    assert part[1, 0].tolist() == [cells[1, 0, 1, 0], cells[1, 0, 0, 1]]
    assert whole[1, 0].tolist() == [cells[1, 0, 0, 0], cells[1, 0, 1, 1]]
