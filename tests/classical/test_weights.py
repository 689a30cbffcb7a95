"""Least squares through the origin: other weights, and what it tends to where assumptions fail."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm

from bayesmed.classical import ols, random_effects_weights, random_effects_wls, wls
from bayesmed.core.errors import DataError, ModelError
from bayesmed.data import SiteEstimates
from bayesmed.formulas.expected_slopes import expected_slopes
from bayesmed.formulas.random_effects import coefficient_variances, common_variance
from tests.classical.tables import drawn, lipids, sites, uneven

FORMS = ("common", "slopes")


def test_the_published_line_of_lipids_on_blood_pressure() -> None:
    found = wls(lipids(), intercept=False)
    np.testing.assert_allclose(found.slope, [-0.0218, 0.0037, 0.0256], atol=5e-5)
    np.testing.assert_allclose(found.slope_se, [0.0142, 0.0103, 0.0160], atol=5e-5)


def test_given_weights_are_those_of_statsmodels_and_zeros_take_no_part() -> None:
    data = drawn(1, 12, uneven(2, 12, 2), slope=[1.0, -1.0])
    weight = np.random.default_rng(3).uniform(1, 9, 12)
    oracle = sm.WLS(data.total_effect, data.mediator_effect, weights=weight).fit()
    found = wls(data, intercept=False, weights=weight)
    np.testing.assert_allclose(found.slope, oracle.params, rtol=1e-10)
    np.testing.assert_allclose(found.slope_se, oracle.bse, rtol=1e-10)
    weight[:2] = 0
    part, whole = wls(data.take(range(2, 12)), weights=weight[2:]), wls(data, weights=weight)
    np.testing.assert_allclose(whole.slope_se, part.slope_se, rtol=1e-10)
    np.testing.assert_allclose(whole.interval_low, part.interval_low, rtol=1e-10)
    with pytest.raises(DataError, match="weights"):
        wls(data, weights=[1.0])
    exact = sites([1, 2, 3], [1, 2, 4], np.diag([1.0, 0.0]))
    assert wls(exact, weights=[1, 1, 1]).slope[0] == pytest.approx(ols(exact).slope[0])


@pytest.mark.parametrize("estimator", [ols, wls])
@pytest.mark.parametrize(("omega", "kappa"), [(0.0, 0.0), (0.15, 0.0), (0.0, 0.3), (-0.1, 0.2)])
@pytest.mark.parametrize("noisy", [False, True])
def test_lines_through_the_origin_tend_to_their_limits(
    estimator, omega: float, kappa: float, noisy: bool
) -> None:
    rng, n = np.random.default_rng(5), 40_000
    mean, sd, slope, slope_sd = 0.6, 0.5, 1.2, 0.4
    pair = rng.multivariate_normal([mean, slope], [[sd**2, omega], [omega, slope_sd**2]], n)
    within = rng.normal(kappa, 0.2, n)
    cov = np.array([[0.2, 0.1], [0.1, 0.3]]) * (1.0 if noisy else 1e-8)
    scale = rng.uniform(0.5, 1.5, n)
    noise = np.sqrt(scale)[:, None] * rng.multivariate_normal([0, 0], cov, n)
    data = SiteEstimates.from_arrays(
        mediator_effect=pair[:, 0] + noise[:, 0],
        total_effect=pair.prod(axis=1) + within + noise[:, 1],
        cov=scale[:, None, None] * cov,
    )
    weight = np.ones(n) if estimator is ols else 1 / scale
    share = weight @ scale / weight.sum()
    (expected,) = expected_slopes(
        np.array([slope]),
        np.array([mean]),
        np.array([[sd**2]]),
        slope_effect_cov=omega,
        constant=kappa,
        noise=share * cov[0, 0],
        noise_covariance=share * cov[0, 1],
    )
    found = estimator(data, intercept=False)
    if not noisy:
        bias = (2 * mean * omega + mean * kappa) / (mean**2 + sd**2)
        assert expected == pytest.approx(slope + bias, abs=1e-6)
    # Residual variance grows with the mediator effect: robust errors.
    x, r = data.mediator_effect[:, 0], data.total_effect - data.mediator_effect @ found.slope
    error = math.sqrt(float(weight**2 @ (x * r) ** 2)) / float(weight @ x**2)
    assert error < 0.012
    assert abs(found.slope[0] - expected) < 4.5 * error


def test_one_variance_is_that_of_dersimonian_and_laird() -> None:
    from bayesmed.classical.heterogeneity import dersimonian_laird

    rng = np.random.default_rng(1)
    y, v = rng.normal(0, 2, 15), rng.uniform(0.2, 2, 15)
    oracle = dersimonian_laird(y, v).variance
    assert common_variance(np.ones((15, 1)), y, v) == pytest.approx(oracle, rel=1e-10)
    assert common_variance(np.ones((15, 1)), np.ones(15), v) == 0.0


def test_variances_of_coefficients_are_those_of_their_moment_equations() -> None:
    """Expected squared residuals from whole matrices, solved without a sign restriction."""
    rng = np.random.default_rng(2)
    n, true = 400, np.array([2.0, 0.5])
    x, v = rng.normal(1, 1, (n, 2)), rng.uniform(0.1, 0.4, n)
    slopes = np.array([1.0, -1.0]) + rng.normal(0, np.sqrt(true), (n, 2))
    y = (x * slopes).sum(axis=1) + rng.normal(0, np.sqrt(v))
    root = 1 / np.sqrt(v)
    a = root[:, None] * x
    maker = np.eye(n) - a @ np.linalg.solve(a.T @ a, a.T)
    square = (maker @ (root * y)) ** 2 - np.diag(maker)
    oracle = np.linalg.lstsq(maker**2 @ (root[:, None] ** 2 * x**2), square, rcond=None)[0]
    found = coefficient_variances(x, y, v)
    np.testing.assert_allclose(found, oracle, rtol=1e-8)
    np.testing.assert_allclose(found, true, rtol=0.35)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("intercept", [True, False])
def test_random_effects_weights_are_what_the_line_is_fitted_with(form, intercept: bool) -> None:
    data = drawn(1, 30, uneven(2, 30, 2), slope=[1.0, -0.5], mean=1.0, direct=(0.3, 1.5))
    found = random_effects_wls(data, intercept=intercept, scatter=form)
    weight = random_effects_weights(data, intercept=intercept, scatter=form)
    again = wls(data, intercept=intercept, weights=weight)
    np.testing.assert_allclose(found.slope, again.slope, rtol=1e-10)
    np.testing.assert_allclose(found.slope_se, again.slope_se, rtol=1e-10)
    x = data.mediator_effect
    x = np.column_stack([x, np.ones(30)]) if intercept else x
    v = data.total_effect_se**2
    more = (
        np.full(30, common_variance(x, data.total_effect, v))
        if form == "common"
        else x**2 @ coefficient_variances(x, data.total_effect, v)
    )
    assert more.max() > 0.5
    np.testing.assert_allclose(weight / weight[0], (v[0] + more[0]) / (v + more), rtol=1e-8)


def test_random_slopes_have_errors_that_random_effects_weights_tell() -> None:
    """Two-stage least squares' own are too small where slopes differ (Reardon)."""
    rng, runs, n = np.random.default_rng(4), 300, 60
    found, errors, fixed = [], [], []
    for _ in range(runs):
        x, v = rng.normal(1, 0.7, n), rng.uniform(0.01, 0.5, n)
        y = rng.normal(1.5, 0.6, n) * x + rng.normal(0, np.sqrt(v))
        cov = np.zeros((n, 2, 2))
        cov[:, 1, 1] = v
        data = sites(x, y, cov)
        line = random_effects_wls(data, intercept=False, scatter="slopes")
        found.append(line.slope[0])
        errors.append(line.slope_se[0])
        fixed.append(1 / math.sqrt(float(np.sum(x**2 / v))))
    spread = np.std(found)
    assert abs(np.mean(found) - 1.5) < 4.5 * spread / math.sqrt(runs)
    assert abs(spread / np.mean(errors) - 1.02) < 4.5 / math.sqrt(2 * runs)
    assert np.mean(fixed) < 0.6 * spread


@pytest.mark.parametrize("form", FORMS)
def test_random_effects_weights_of_what_has_none(form) -> None:
    line = sites([1, 2, 3, 5], [2, 4, 6, 10], np.diag([0.0, 0.1]))
    found = random_effects_wls(line, scatter=form)
    assert "this is WLS" in found.notes[0]
    assert found.slope[0] == pytest.approx(2.0)
    two = random_effects_wls(line.take([0, 1]), scatter=form)
    assert math.isnan(two.slope_se[0])
    assert "no site is left over" in two.reason
    exact = sites([1, 2, 3], [1, 2, 4], np.diag([1.0, 0.0]))
    assert "infinite" in random_effects_wls(exact, scatter=form).reason
    with pytest.raises(DataError, match="no weights: the standard error"):
        random_effects_weights(exact, scatter=form)
    with pytest.raises(ModelError, match="scatter"):
        random_effects_wls(line, scatter="all")  # type: ignore[arg-type]
