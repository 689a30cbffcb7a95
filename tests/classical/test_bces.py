"""BCES against an independent program, sandwich errors, resampling by hand and known truths."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from bces.bces import bces as pypi_bces

from bayesmed.classical import bces, bces_formula, bces_published
from bayesmed.classical.bces_bootstrap import _tails
from bayesmed.classical.moments import corrected_moments
from bayesmed.core.errors import DataError, ModelError
from bayesmed.data import SiteEstimates
from tests.classical.tables import drawn, mechte, sites, star, uneven


def moments_of(data: SiteEstimates):
    cov = data.cov
    return corrected_moments(
        data.mediator_effect, data.total_effect, cov[:, :-1, :-1], cov[:, :-1, -1]
    )


def without_covariance(data: SiteEstimates) -> SiteEstimates:
    return sites(data.mediator_effect, data.total_effect, data.cov * np.eye(2))


@pytest.mark.parametrize("correlated", [False, True])
def test_one_mediator_is_that_of_the_program_bces(correlated: bool) -> None:
    data = drawn(1, 40, uneven(2, 40))
    data = data if correlated else without_covariance(data)
    se, cov = np.sqrt(data.cov[:, 0, 0]), data.cov[:, 0, 1]
    a, b, a_se, b_se, _ = pypi_bces(
        data.mediator_effect[:, 0], se, data.total_effect, data.total_effect_se, cov
    )
    found = bces(data)
    assert found.slope[0] == pytest.approx(a[0], rel=1e-10)
    assert found.intercept == pytest.approx(b[0], rel=1e-10)
    if not correlated:  # the program leaves Cov(γ̂, β̂) out of its standard errors
        assert found.slope_se[0] == pytest.approx(a_se[0], rel=1e-10)
        assert found.intercept_se == pytest.approx(b_se[0], rel=1e-10)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_without_error_it_is_least_squares_with_sandwich_errors(
    intercept: bool, weighted: bool
) -> None:
    data = drawn(3, 25, np.zeros((3, 3)), slope=[1.0, -0.5], mean=1.0)
    weights = np.random.default_rng(9).uniform(0.2, 3, 25) if weighted else np.ones(25)
    x = data.mediator_effect
    x = sm.add_constant(x, prepend=False) if intercept else x
    oracle = sm.WLS(data.total_effect, x, weights=weights).fit(cov_type="HC0")
    found = bces(data, intercept=intercept, weights=weights)
    np.testing.assert_allclose(found.slope, oracle.params[:2], rtol=1e-9)
    np.testing.assert_allclose(found.slope_se, oracle.bse[:2], rtol=1e-9)
    if intercept:
        assert found.intercept == pytest.approx(oracle.params[2], rel=1e-9)
        assert found.intercept_se == pytest.approx(oracle.bse[2], rel=1e-9)


def test_several_mediators_solve_the_matrix_form() -> None:
    data = drawn(4, 30, uneven(5, 30, 2), slope=[1.0, -0.5])
    x, y = data.mediator_effect, data.total_effect
    s = np.cov(np.column_stack([x, y]), rowvar=False, ddof=0) * 30 - data.cov.sum(axis=0)
    found = bces(data)
    np.testing.assert_allclose(found.slope, np.linalg.solve(s[:2, :2], s[:2, 2]), rtol=1e-9)
    assert found.intercept == pytest.approx(y.mean() - x.mean(axis=0) @ found.slope)
    assert found.covariance_used


def test_weighted_lines_through_the_origin_are_the_ratio_of_corrected_sums() -> None:
    data = drawn(6, 30, uneven(7, 30), mean=1.0)
    w = np.random.default_rng(8).uniform(0.1, 2, 30)
    x, y, v = data.mediator_effect[:, 0], data.total_effect, data.cov
    ratio = (w @ (x * y) - w @ v[:, 0, 1]) / (w @ x**2 - w @ v[:, 0, 0])
    found = bces(data, intercept=False, weights=w)
    assert found.slope[0] == pytest.approx(ratio, rel=1e-10)
    assert math.isnan(found.intercept)


def test_it_finds_a_truth_that_least_squares_misses() -> None:
    cov = np.array([[0.8, 0.6], [0.6, 1.0]])
    found = bces(drawn(10, 40_000, cov))
    assert abs(found.slope[0] - 1) < 4.5 * found.slope_se[0]
    assert abs(found.intercept - 0.2) < 4.5 * found.intercept_se
    assert found.slope_se[0] < 0.02
    several = uneven(11, 40_000, 2) * 4
    found = bces(drawn(12, 40_000, several, slope=[1.0, -0.5]))
    assert (np.abs(found.slope - [1.0, -0.5]) < 4.5 * found.slope_se).all()


def test_a_large_mean_costs_no_digits() -> None:
    data = drawn(13, 20, uneven(14, 20))
    far = sites(data.mediator_effect + 1e6, data.total_effect, data.cov)
    assert bces(far).slope[0] == pytest.approx(bces(data).slope[0], rel=1e-8)


@pytest.mark.parametrize("inference", ["asymptotic", "pairs_bootstrap", "wild_bootstrap"])
def test_sampling_error_that_explains_all_spread_leaves_it_undefined(inference) -> None:
    data = mechte()
    slope, _ = bces_formula(data.mediator_effect, data.total_effect, data.cov[:, :1, :1])
    assert slope[0] == pytest.approx(-5.68, abs=0.005)
    found = bces(data, inference=inference, seed=1)
    assert not found.defined
    assert "sampling variance is 1.12 times the variance" in found.reason
    assert "-5.68" in bces_published(data).reason


def test_an_indefinite_matrix_leaves_several_mediators_undefined() -> None:
    rng = np.random.default_rng(15)
    common = rng.normal(0, 1, 30)
    x = np.column_stack([common, common]) + rng.normal(0, 0.1, (30, 2))
    found = bces(sites(x, common, np.diag([0.1, 0.1, 0.1])))
    assert "not positive definite" in found.reason


def test_two_sites_have_no_standard_error() -> None:
    found = bces(sites([0, 1], [0, 3], 0.01 * np.eye(2)))
    assert found.defined
    assert math.isnan(found.slope_se[0])
    assert "no site is left over" in found.reason


def test_options_that_do_not_exist_are_refused() -> None:
    data = drawn(1, 10, 0.01 * np.eye(2))
    with pytest.raises(ModelError, match="inference"):
        bces(data, inference="bayesian")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="too few"):
        bces(data, replicates=9)
    for weights in ([1.0], [-1.0] * 10, [np.inf] * 10):
        with pytest.raises(DataError, match="weights"):
            bces(data, weights=weights)
    with pytest.raises(DataError, match="all weights are 0"):
        bces(data, weights=[0.0] * 10)


def test_the_published_standard_error_is_that_of_the_r_package() -> None:
    data = star()
    x, y, v = data.mediator_effect[:, 0], data.total_effect, data.cov[:, 0, 0]
    slope = ((x - x.mean()) @ y) / ((x - x.mean()) @ x - v.sum())
    level = y.mean() - slope * x.mean()
    xi = [
        ((x[s] - x.mean()) * (y[s] - slope * x[s] - level) + slope * v[s]) / (v[s] - v.mean())
        for s in range(x.size)
    ]
    found = bces_published(data)
    assert found.slope[0] == pytest.approx(slope)
    assert found.slope_se[0] == pytest.approx(np.std(xi) / math.sqrt(x.size))
    assert found.slope_se[0] > 10 * bces(data).slope_se[0]
    assert not found.covariance_used


def test_the_published_form_misses_the_truth_by_the_covariance() -> None:
    found = bces_published(drawn(16, 40_000, [[0.8, 0.6], [0.6, 1.0]]))
    assert found.slope[0] == pytest.approx(1.6, abs=0.06)
    assert "all mediator errors are equally large" in found.reason
    assert math.isnan(found.slope_se[0])


def by_hand(data: SiteEstimates, slope: float, cov=None) -> float:
    """The t statistic of one resampled table, by the public estimator."""
    found = bces(data)
    return (found.slope[0] - slope) / found.slope_se[0]


def test_pairs_bootstrap_intervals_are_those_of_resampled_tables() -> None:
    data = drawn(17, 25, uneven(18, 25))
    order = np.lexsort([*np.diagonal(data.cov, axis1=1, axis2=2).T])  # any fixed order will do
    data = data.take(order.tolist())
    estimate = bces(data)
    rng, t = np.random.default_rng(19), []
    for _ in range(800):
        rows = rng.integers(0, 25, 25)
        again = sites(data.mediator_effect[rows], data.total_effect[rows], data.cov[rows])
        t.append(by_hand(again, estimate.slope[0]))
    low, high = estimate.slope[0] - estimate.slope_se[0] * np.quantile(t, [0.975, 0.025])
    found = bces(data, inference="pairs_bootstrap", replicates=20_000, seed=3)
    # A quantile of 800 draws: its standard error where the density is about that of N(0, 1).
    error = estimate.slope_se[0] * math.sqrt(0.025 * 0.975 / 800) / 0.0584
    assert abs(found.interval_low[0] - low) < 4.5 * error
    assert abs(found.interval_high[0] - high) < 4.5 * error


def test_the_wild_bootstrap_of_no_slope_resamples_restricted_residuals() -> None:
    data = without_covariance(drawn(20, 15, uneven(21, 15), slope=0.4))
    moments, estimate = moments_of(data), bces(data)
    signs = np.random.default_rng(22).choice([-1.0, 1.0], (200, 15))
    residual = data.total_effect - data.total_effect.mean()
    t = [by_hand(sites(data.mediator_effect, residual * v, data.cov), 0.0) for v in signs]
    observed = estimate.slope[0] / estimate.slope_se[0]
    upper, lower = _tails(moments, signs, 0, estimate.slope[0], estimate.slope_se[0])(0.0)
    assert upper == pytest.approx(np.mean(np.array(t) >= observed - 1e-9))
    assert lower == pytest.approx(np.mean(np.array(t) <= observed + 1e-9))


@pytest.mark.parametrize("inference", ["pairs_bootstrap", "wild_bootstrap"])
def test_bootstrap_intervals_cover_the_truth(inference) -> None:
    rng, covered, runs = np.random.default_rng(23), 0, 150
    for _ in range(runs):
        found = bces(
            drawn(rng, 30, [[0.2, 0.1], [0.1, 0.2]]), inference=inference, replicates=299, seed=5
        )
        covered += bool(found.interval_low[0] <= 1 <= found.interval_high[0])
    assert abs(covered / runs - 0.95) < 4.5 * math.sqrt(0.05 * 0.95 / runs)


def test_wild_intervals_of_several_mediators_hold_their_slopes() -> None:
    data = drawn(24, 30, uneven(25, 30, 2) / 4, slope=[1.0, -0.5])
    found = bces(data, inference="wild_bootstrap", seed=1)
    assert (found.interval_low < found.slope).all()
    assert (found.slope < found.interval_high).all()


def test_few_sites_can_leave_an_end_open_and_resamples_undefined() -> None:
    few = drawn(26, 3, 0.05 * np.eye(2))
    found = bces(few, inference="wild_bootstrap", replicates=999, seed=1)
    assert found.interval_high[0] > found.slope[0] + 2 * found.slope_se[0]
    found = bces(few, inference="pairs_bootstrap", seed=1)
    assert math.isnan(found.interval_low[0])
    assert "bootstrap replicates" in found.reason
    assert found.defined
