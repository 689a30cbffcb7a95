"""Least squares against closed forms and its own large-sample limit."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmed.classical import expected_ols_slopes, ols, wls
from bayesmed.classical.least_squares import no_least_squares
from bayesmed.data import SiteEstimates
from tests.classical.tables import drawn, uneven


def sites(mediator, total, mediator_var=0.01, total_var=0.04) -> SiteEstimates:
    mediator, total = np.asarray(mediator, float), np.asarray(total, float)
    cov = np.zeros((mediator.size, 2, 2))
    cov[:, 0, 0], cov[:, 1, 1] = mediator_var, total_var
    return SiteEstimates.from_arrays(mediator_effect=mediator, total_effect=total, cov=cov)


def noisy(n: int = 12) -> SiteEstimates:
    rng = np.random.default_rng(5)
    mediator = rng.normal(0.3, 1, n)
    return sites(
        mediator, 0.2 + 1.5 * mediator + rng.normal(0, 0.3, n), total_var=rng.uniform(0.01, 0.5, n)
    )


def closed_form(data: SiteEstimates, weight: np.ndarray) -> tuple[float, float, float, float]:
    x = np.column_stack([data.mediator_effect[:, 0], np.ones(data.n_rows)])
    inverse = np.linalg.inv(x.T @ (weight[:, None] * x))
    beta = inverse @ (x.T @ (weight * data.total_effect))
    residual = data.total_effect - x @ beta
    variance = float(weight @ residual**2) / (data.n_rows - 2)
    se = np.sqrt(np.diag(inverse) * variance)
    return beta[0], se[0], beta[1], se[1]


@pytest.mark.parametrize("estimator", [ols, wls])
def test_slopes_intercepts_and_errors_are_those_of_the_normal_equations(estimator) -> None:
    data = noisy()
    weight = np.ones(data.n_rows) if estimator is ols else 1 / data.total_effect_se**2
    found = estimator(data)
    values = (found.slope[0], found.slope_se[0], found.intercept, found.intercept_se)
    np.testing.assert_allclose(values, closed_form(data, weight), rtol=1e-10)
    assert found.defined
    assert found.reason == ""


def test_a_line_through_the_origin_has_no_intercept() -> None:
    data = noisy()
    x, y = data.mediator_effect[:, 0], data.total_effect
    found = ols(data, intercept=False)
    assert found.slope[0] == pytest.approx(float(x @ y / (x @ x)))
    assert math.isnan(found.intercept)


@settings(max_examples=30, deadline=None)
@given(st.floats(-6, 6), st.floats(-6, 6))
def test_units_change_estimates_as_units(mediator_power: float, outcome_power: float) -> None:
    data = noisy()
    factors = 10**mediator_power, 10**outcome_power
    plain, scaled = wls(data), wls(data.rescaled([factors[0]], factors[1]))
    assert scaled.slope[0] == pytest.approx(plain.slope[0] * factors[1] / factors[0], rel=1e-8)
    assert scaled.intercept_se == pytest.approx(plain.intercept_se * factors[1], rel=1e-8)


def test_two_sites_have_a_slope_and_no_standard_error() -> None:
    found = ols(sites([0, 1], [0, 3]))
    assert found.slope[0] == pytest.approx(3.0)
    assert math.isnan(found.slope_se[0])
    assert math.isnan(found.interval_low[0])
    assert "no site is left over" in found.reason


def test_an_exact_total_effect_leaves_wls_undefined() -> None:
    found = wls(sites([0, 1, 2], [0, 3, 5], total_var=np.array([0.1, 0.0, 0.1])))
    assert not found.defined
    assert "site '2'" in found.reason
    assert math.isnan(found.slope[0])


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("estimator", [ols, wls])
def test_several_mediators_are_those_of_statsmodels(estimator, intercept: bool) -> None:
    data = drawn(3, 20, uneven(4, 20, 2), slope=[1.0, -2.0])
    x = data.mediator_effect
    x = sm.add_constant(x, prepend=False) if intercept else x
    weights = np.ones(20) if estimator is ols else 1 / data.total_effect_se**2
    oracle = sm.WLS(data.total_effect, x, weights=weights).fit()
    found = estimator(data, intercept=intercept)
    np.testing.assert_allclose(found.slope, oracle.params[:2], rtol=1e-9)
    np.testing.assert_allclose(found.slope_se, oracle.bse[:2], rtol=1e-9)
    ends = np.column_stack([found.interval_low, found.interval_high])
    np.testing.assert_allclose(ends, oracle.conf_int()[:2], rtol=1e-9)
    assert math.isnan(found.intercept) is not intercept
    assert not found.covariance_used


def test_effects_that_determine_no_line_leave_it_undefined() -> None:
    assert "all 0" in no_least_squares(np.zeros((3, 1)), intercept=False)
    x = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [5.0, 10.0]])
    flat = np.zeros((4, 3, 3))
    collinear = SiteEstimates.from_arrays(mediator_effect=x, total_effect=x[:, 0], cov=flat)
    assert "collinear" in ols(collinear).reason
    assert "2 sites cannot determine 3" in ols(collinear.take([0, 1])).reason


@pytest.mark.parametrize("through_origin", [False, True])
def test_the_expected_slope_is_the_limit_of_least_squares(through_origin: bool) -> None:
    rng = np.random.default_rng(11)
    n, slope, mean, sd = 40_000, 1.7, 0.4, 0.8
    cov = np.array([[0.5, 0.3], [0.3, 0.6]])
    mediator = rng.normal(mean, sd, n)
    direct = 0.0 if through_origin else rng.normal(0.2, 0.3, n)
    noise = rng.multivariate_normal([0, 0], cov, n)
    data = SiteEstimates.from_arrays(
        mediator_effect=mediator + noise[:, 0],
        total_effect=slope * mediator + direct + noise[:, 1],
        cov=np.broadcast_to(cov, (n, 2, 2)),
    )
    found = ols(data, intercept=not through_origin)
    square = sd**2 + mean**2 if through_origin else sd**2
    matrices = np.full((1, 1, 1), square), cov[:1, :1], cov[0, 1:]
    (expected,) = expected_ols_slopes(np.array([[slope]]), *matrices)[0]
    assert abs(found.slope[0] - expected) < 4.5 * found.slope_se[0]
