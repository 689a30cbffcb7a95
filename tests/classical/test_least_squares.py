"""Least squares against closed forms and its own large-sample limit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmed.classical import expected_ols_slope, ols, wls
from bayesmed.core.errors import DataError
from bayesmed.data import SiteEstimates


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
    values = (found.slope, found.slope_se, found.intercept, found.intercept_se)
    np.testing.assert_allclose(values, closed_form(data, weight), rtol=1e-10)
    assert found.defined
    assert found.reason == ""


def test_a_line_through_the_origin_has_no_intercept() -> None:
    data = noisy()
    x, y = data.mediator_effect[:, 0], data.total_effect
    found = ols(data, intercept=False)
    assert found.slope == pytest.approx(float(x @ y / (x @ x)))
    assert math.isnan(found.intercept)


@settings(max_examples=30, deadline=None)
@given(st.floats(-6, 6), st.floats(-6, 6))
def test_units_change_estimates_as_units(mediator_power: float, outcome_power: float) -> None:
    data = noisy()
    factors = 10**mediator_power, 10**outcome_power
    plain, scaled = wls(data), wls(data.rescaled([factors[0]], factors[1]))
    assert scaled.slope == pytest.approx(plain.slope * factors[1] / factors[0], rel=1e-8)
    assert scaled.intercept_se == pytest.approx(plain.intercept_se * factors[1], rel=1e-8)


def test_two_sites_have_a_slope_and_no_standard_error() -> None:
    found = ols(sites([0, 1], [0, 3]))
    assert found.slope == pytest.approx(3.0)
    assert math.isnan(found.slope_se)
    assert "no site is left over" in found.reason


def test_an_exact_total_effect_leaves_wls_undefined() -> None:
    found = wls(sites([0, 1, 2], [0, 3, 5], total_var=np.array([0.1, 0.0, 0.1])))
    assert not found.defined
    assert "site '2'" in found.reason
    assert math.isnan(found.slope)


def test_several_mediators_are_refused() -> None:
    data = SiteEstimates.from_arrays(
        mediator_effect=[[0, 1], [1, 2], [2, 4]], total_effect=[1, 2, 3], cov=np.zeros((3, 3, 3))
    )
    with pytest.raises(DataError, match="one mediator"):
        ols(data)


@pytest.mark.parametrize("through_origin", [False, True])
def test_the_expected_slope_is_the_limit_of_least_squares(through_origin: bool) -> None:
    rng = np.random.default_rng(11)
    n, slope, mean, sd = 200_000, 1.7, 0.4, 0.8
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
    expected = expected_ols_slope(slope, square, cov[0, 0], cov[0, 1])
    assert abs(found.slope - expected) < 4.5 * found.slope_se
