"""Equations of the covariate-IV model: simulated persons, SciPy, inverses of each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import log_ndtr
from scipy.stats import multivariate_normal, norm

from bayesmed.formulas.covariate_iv import (
    ErrorRegression,
    Errors,
    error_log_jacobian,
    error_regression,
    errors_behind,
    indirect_effect,
    outcome_variance,
    probit_log_density,
)

SLOPE, MEDIATOR_SD, ERRORS = 1.3, 0.7, Errors(2.1, -0.45)


def test_least_squares_sees_the_regression_of_simulated_errors() -> None:
    rng = np.random.default_rng(2)
    sd, psi = ERRORS
    cov = [[MEDIATOR_SD**2, psi * sd * MEDIATOR_SD], [psi * sd * MEDIATOR_SD, sd**2]]
    n = 10**6
    v, e = rng.multivariate_normal([0, 0], cov, n).T
    w = SLOPE * v + e
    found = error_regression(SLOPE, MEDIATOR_SD, ERRORS)
    slope = v @ w / (v @ v)
    se = found.residual_sd / np.sqrt(v @ v)
    assert abs(slope - found.slope) < 4 * se
    left = (w - slope * v).std()
    assert abs(left / found.residual_sd - 1) < 4 / np.sqrt(2 * n)


def test_errors_come_back() -> None:
    seen = error_regression(SLOPE, MEDIATOR_SD, ERRORS)
    np.testing.assert_allclose(errors_behind(SLOPE, MEDIATOR_SD, seen), ERRORS, rtol=1e-14)


def test_jacobian_is_that_of_differences() -> None:
    seen = np.array(error_regression(SLOPE, MEDIATOR_SD, ERRORS))
    step = 1e-6
    columns = [
        np.subtract(
            errors_behind(SLOPE, MEDIATOR_SD, ErrorRegression(*(seen + d))),
            errors_behind(SLOPE, MEDIATOR_SD, ErrorRegression(*(seen - d))),
        )
        / (2 * step)
        for d in step * np.eye(2)
    ]
    expected = np.linalg.slogdet(np.array(columns))[1]
    found = error_log_jacobian(MEDIATOR_SD, seen[1], ERRORS.outcome_sd)
    assert found == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(("treatment", "mediator"), [(0, 3.0), (1, -1.5), (1, 0.0)])
def test_variance_is_a_quadratic_form(treatment: float, mediator: float) -> None:
    cov = np.array([[0.9, 0.3], [0.3, 0.4]])
    loading = np.array([treatment, mediator])
    expected = 1.7 + loading @ cov @ loading
    found = outcome_variance(1.7, treatment, mediator, (0.9, 0.4, 0.3))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("extra", [0.0, 1.1])
@pytest.mark.parametrize("taken", [0.0, 1.0])
def test_probit_density_is_an_integral_over_the_latent_error(extra: float, taken: float) -> None:
    index, residual, (sd, psi) = 0.4, -1.2, ERRORS
    variance = sd**2 + extra
    joint = multivariate_normal(cov=[[1.0, psi * sd], [psi * sd, variance]])
    ends = (-index, 12.0) if taken else (-12.0, -index)
    expected = np.log(quad(lambda v: joint.pdf([v, residual]), *ends, epsabs=1e-13)[0])
    found = probit_log_density(residual, taken, index, variance, ERRORS, log_ndtr)
    assert found == pytest.approx(expected, abs=1e-9)


def test_probit_densities_of_both_values_add_to_the_outcomes() -> None:
    residual = np.linspace(-8, 8, 9)
    both = [np.exp(probit_log_density(residual, m, 0.3, 5.0, ERRORS, log_ndtr)) for m in (0.0, 1.0)]
    np.testing.assert_allclose(sum(both), norm.pdf(residual, scale=np.sqrt(5.0)), rtol=1e-12)


def test_indirect_effect_is_an_average_over_persons() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(500, 2)) @ np.array([[1.0, 0.4], [0.0, 2.0]])
    x -= x.mean(axis=0)
    tau, d, slope, c = np.array([0.3, -0.2]), np.array([0.5, 0.1]), 1.1, 0.7
    expected = ((slope + x @ tau) * (c + x @ d)).mean()
    together = tau @ (x.T @ x / 500) @ d
    assert indirect_effect(slope, c, together) == pytest.approx(expected, rel=1e-12)
