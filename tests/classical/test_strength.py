"""Strength and rank: published numbers, oracles, laws under no strength, invariances."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bayesmed.classical import bias_corrected_iv, strength, wls
from bayesmed.core.errors import DataError
from bayesmed.data import SiteEstimates
from tests.classical.tables import drawn, lipids, mechte, sites, uneven


def test_the_published_conditional_f_of_lipids() -> None:
    data = lipids()
    found = strength(data, intercept=False)
    np.testing.assert_allclose(found.conditional_f, [46.98, 68.75, 39.34], atol=0.006)
    # The published package divides by the 145 variants.
    by_rows = found.conditional_f * 143 / 145
    np.testing.assert_allclose(by_rows, [46.3, 67.8, 38.8], atol=0.05)
    alone = np.mean((data.mediator_effect / data.mediator_se) ** 2, axis=0)
    np.testing.assert_allclose(found.first_stage_f, alone, rtol=1e-10)
    assert (found.conditional_f < found.first_stage_f).all()
    assert found.noise_level == pytest.approx(math.sqrt(145))
    assert (found.singular_values > 5 * found.noise_level).all()


@pytest.mark.parametrize("intercept", [True, False])
def test_f_bias_and_singular_value_of_one_mediator_are_one_number(intercept: bool) -> None:
    data = drawn(1, 12, uneven(2, 12) / 3, mean=1.0)
    found = strength(data, intercept=intercept)
    f = found.first_stage_f[0]
    assert found.relative_bias[0] == pytest.approx(1 / f)
    assert found.singular_values[0] == pytest.approx(math.sqrt(f * (12 - intercept)))
    x, v = data.mediator_effect[:, 0], data.cov[:, 0, 0]
    if not intercept:
        assert f == pytest.approx(np.mean(x**2 / v))
        assert found.conditional_f[0] == pytest.approx(f)
        assert found.reliability[0] == pytest.approx(1 - v.sum() / (x @ x))
        return
    mean = np.average(x, weights=1 / v)
    assert f == pytest.approx(np.sum((x - mean) ** 2 / v) / 11)
    spread = np.var(x, ddof=1)
    assert found.reliability[0] == pytest.approx(1 - v.mean() / spread)


def test_given_weights_are_those_of_two_stage_least_squares() -> None:
    data = drawn(4, 25, uneven(5, 25), mean=0.8, direct=(0.0, 0.0))
    weight = np.random.default_rng(6).uniform(1, 5, 25)
    found = strength(data, intercept=False, weights=weight)
    x, cov = data.mediator_effect[:, 0], data.cov
    f = (weight @ x**2) / (weight @ cov[:, 0, 0])
    assert found.first_stage_f[0] == pytest.approx(f)
    assert found.reliability[0] == pytest.approx(1 - 1 / f)
    # The corrected estimator takes off exactly the bias that is told.
    two_stage = wls(data, intercept=False, weights=weight).slope[0]
    within = (weight @ cov[:, 0, 1]) / (weight @ cov[:, 0, 0])
    corrected = bias_corrected_iv(data, weights=weight).slope[0]
    share = found.relative_bias[0]
    assert two_stage == pytest.approx(corrected + share * (within - corrected))


def test_the_bias_told_is_the_bias_that_two_stages_have() -> None:
    rng, n = np.random.default_rng(7), 40_000
    cov = np.array([[0.5, 0.1, 0.3], [0.1, 0.4, -0.1], [0.3, -0.1, 0.9]])
    truth = np.array([1.0, -0.5])
    data = drawn(rng, n, cov, slope=truth, mean=0.5, sd=0.6, direct=(0.0, 0.0))
    found = strength(data, intercept=False, weights=np.ones(n))
    line = wls(data, intercept=False, weights=np.ones(n))
    within = np.linalg.solve(cov[:2, :2], cov[:2, 2])
    x = data.mediator_effect
    matrix = np.linalg.solve(x.T @ x, n * cov[:2, :2])
    np.testing.assert_allclose(found.relative_bias, np.diag(matrix), rtol=1e-8)
    moved = matrix @ (within - truth)
    assert (np.abs(line.slope - truth - moved) < 4.5 * line.slope_se).all()
    assert (np.abs(moved) > 20 * line.slope_se).any()


@pytest.mark.parametrize("intercept", [True, False])
def test_sites_without_effects_have_f_near_1_and_no_rank(intercept: bool) -> None:
    cov, runs = uneven(8, 40, 3), 200
    rng, sums = np.random.default_rng(9), []
    for _ in range(runs):
        data = drawn(rng, 40, cov, slope=[1.0, 1.0, 1.0], sd=0.0)
        found = strength(data, intercept=intercept)
        values = found.singular_values / found.noise_level
        sums.append([found.first_stage_f.mean(), (values**2).mean(), found.conditional_f.mean()])
    mean, error = np.mean(sums, axis=0), np.std(sums, axis=0) / math.sqrt(runs)
    assert (np.abs(mean[:2] - 1) < 4.5 * error[:2]).all()
    # Least squares is not the combination of least Q: a little above 1.
    assert 1 - 4.5 * error[2] < mean[2] < 1.3


def test_a_direction_without_effects_is_at_the_level_of_noise() -> None:
    rng, n = np.random.default_rng(10), 400
    along = rng.normal(1, 1, (n, 1)) * np.array([1.0, 2.0])
    cov = uneven(11, n, 2) * 0.3
    noise = np.einsum("sij,sj->si", np.linalg.cholesky(cov), rng.standard_normal((n, 3)))
    data = sites(along + noise[:, :2], noise[:, 2], cov)
    found = strength(data, intercept=False)
    assert (found.first_stage_f > 3).all()  # each alone looks strong
    assert (found.conditional_f < 1.4).all()
    assert found.singular_values[0] > 2 * found.noise_level
    assert found.singular_values[1] == pytest.approx(found.noise_level, rel=0.15)
    assert found.rank == 1
    assert found.untold == ("mediator_1", "mediator_2")
    # γ_2 = 2 γ_1: slopes along (1, -1/2) are not told.
    assert found.combination[0] / found.combination[1] == pytest.approx(-2, rel=0.1)
    assert 1.0 in found.combination
    assert found.rank_p_value > 0.001


def test_only_the_mediators_without_a_direction_of_their_own_are_named() -> None:
    rng, n = np.random.default_rng(10), 100
    noise = rng.normal(0, 0.3, (n, 4))
    strong = rng.normal(1, 1, n)
    cov = 0.09 * np.eye(5)
    apart = np.column_stack([strong, rng.normal(1, 1, n), np.zeros(n), np.zeros(n)]) + noise
    found = strength(sites(apart, noise[:, 0], cov), intercept=False)
    assert found.rank == 2
    assert found.untold == ("mediator_3", "mediator_4")
    assert found.combination == ()  # there are two
    doubled = np.column_stack([strong, rng.normal(1, 1, n), 3 * strong]) + noise[:, :3]
    found = strength(sites(doubled, noise[:, 3], np.eye(4) * 0.09), intercept=False)
    assert (found.rank, found.untold) == (2, ("mediator_1", "mediator_3"))
    first, third = found.combination
    assert first / third == pytest.approx(-3, rel=0.1)
    nothing = np.column_stack([strong, np.zeros(n)]) + noise[:, :2]
    found = strength(sites(nothing, noise[:, 3], np.eye(3) * 0.09), intercept=False)
    assert (found.untold, found.combination) == (("mediator_2",), (1.0,))
    full = strength(lipids(), intercept=False)
    assert (full.rank, full.untold, full.combination) == (3, (), ())
    assert full.rank_p_value < 1e-10
    assert strength(drawn(1, 12, np.eye(2) / 9, mean=2.0), intercept=False).rank == 1


def test_whitening_with_one_covariance_is_the_singular_value_decomposition() -> None:
    cov = np.array([[0.3, 0.1, 0.0], [0.1, 0.2, 0.0], [0.0, 0.0, 1.0]])
    data = drawn(12, 9, cov, slope=[1.0, 1.0], mean=1.0)
    root = np.linalg.cholesky(np.linalg.inv(cov[:2, :2]))
    oracle = np.linalg.svd(data.mediator_effect @ root, compute_uv=False)
    found = strength(data, intercept=False)
    np.testing.assert_allclose(found.singular_values, oracle, rtol=1e-9)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("intercept", [True, False])
def test_strength_depends_on_no_unit_order_or_sign(intercept: bool, weighted: bool) -> None:
    data = drawn(1, 20, uneven(2, 20, 2), slope=[1.0, -0.7], mean=0.8)
    weight = np.random.default_rng(4).uniform(1, 3, 20) if weighted else None
    order = np.random.default_rng(3).permutation(20)
    moved = data.rescaled([-1e5, 1e-3], -0.2).take(order.tolist())
    swapped = SiteEstimates.from_arrays(
        mediator_effect=data.mediator_effect[:, ::-1],
        total_effect=data.total_effect,
        cov=data.cov[:, [1, 0, 2]][:, :, [1, 0, 2]],
    )
    plain = strength(data, intercept=intercept, weights=weight)
    again = strength(moved, intercept=intercept, weights=None if weight is None else weight[order])
    mirror = strength(swapped, intercept=intercept, weights=weight)
    for name in ("first_stage_f", "conditional_f", "relative_bias", "reliability"):
        np.testing.assert_allclose(getattr(again, name), getattr(plain, name), rtol=1e-8)
        np.testing.assert_allclose(getattr(mirror, name)[::-1], getattr(plain, name), rtol=1e-8)
    for other in (again, mirror):
        np.testing.assert_allclose(other.singular_values, plain.singular_values, rtol=1e-8)
        assert other.rank == plain.rank
        assert other.rank_p_value == pytest.approx(plain.rank_p_value, rel=1e-6)


def test_a_lost_combination_is_the_same_in_any_units() -> None:
    rng = np.random.default_rng(2)
    strong, noise = rng.normal(1, 1, 60), rng.normal(0, 0.3, (60, 3))
    effect = np.column_stack([strong, 3 * strong]) + noise[:, :2]
    data = sites(effect, noise[:, 2], np.eye(3) * 0.09)
    plain = strength(data, intercept=False).combination
    order = np.random.default_rng(3).permutation(60).tolist()
    moved = strength(data.rescaled([-1e5, 1e-3], -0.2).take(order), intercept=False).combination
    ratio = plain[0] / plain[1]
    assert moved[0] / moved[1] == pytest.approx(ratio * 1e-3 / -1e5, rel=1e-6)


def test_reliability_is_0_where_noise_exceeds_spread() -> None:
    assert strength(mechte()).reliability[0] == 0.0
    assert not strength(mechte()).reliability.flags.writeable


def test_strength_that_is_not_defined_says_why() -> None:
    flat = sites([1, 1, 3], [1, 2, 3], np.eye(2))
    assert "all the same" in strength(flat, weights=[1, 1, 0]).reason
    assert strength(flat, intercept=False, weights=[1, 1, 0]).defined
    few = drawn(1, 2, np.eye(3), slope=[1.0, 1.0])
    assert "2 sites are too few" in strength(few).reason
    exact = sites([3, 1, 2], [1, 2, 3], [np.eye(2), np.diag([0.0, 1.0]), np.eye(2)])
    found = strength(exact)
    assert "of site '2' is 0" in found.reason
    assert not found.defined
    assert found.exact
    assert not strength(few).exact
    assert math.isnan(found.conditional_f[0])
    assert math.isnan(found.rank_p_value)
    assert strength(exact, weights=[1, 0, 1]).defined
    adding = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    cov = np.eye(4)
    cov[:3, :3] = adding @ adding.T
    with_sum = sites(np.random.default_rng(1).normal(size=(6, 3)), np.arange(6.0), cov)
    assert "no sampling error at some site" in strength(with_sum).reason
    with pytest.raises(DataError, match="weights"):
        strength(flat, weights=[1])
