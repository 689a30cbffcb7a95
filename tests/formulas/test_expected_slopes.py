"""Limits of lines where assumptions fail: closed forms, and moments of many drawn sites."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmed.formulas.expected_slopes import expected_slopes


def test_one_mediator_has_the_published_biases() -> None:
    slope, mean, cov = np.array([1.3]), np.array([0.6]), np.array([[0.09]])
    square = 0.6**2 + 0.09
    found = expected_slopes(slope, mean, cov, slope_effect_cov=0.12, constant=0.2)
    assert found[0] == pytest.approx(1.3 + (2 * 0.6 * 0.12 + 0.6 * 0.2) / square)
    noisy = expected_slopes(slope, mean, cov, noise=0.05, noise_covariance=0.04)
    assert noisy[0] == pytest.approx((1.3 * square + 0.04) / (square + 0.05))
    beside = expected_slopes(slope, mean, cov, slope_effect_cov=0.12, constant=9.0, intercept=True)
    assert beside[0] == pytest.approx(1.3 + 0.6 * 0.12 / 0.09)
    assert expected_slopes(slope, mean, cov)[0] == 1.3


@pytest.mark.parametrize("intercept", [True, False])
def test_two_mediators_have_the_moments_of_many_sites(intercept: bool) -> None:
    rng, n = np.random.default_rng(1), 400_000
    factor = rng.normal(0, 0.5, (4, 6))
    joint = factor @ factor.T
    mean, slope = np.array([0.8, -0.4]), np.array([1.0, 0.5])
    drawn = rng.multivariate_normal([*mean, *slope], joint, n)
    gamma, delta = drawn[:, :2], drawn[:, 2:]
    noise = np.array([[0.3, 0.1, 0.2], [0.1, 0.2, -0.1], [0.2, -0.1, 0.4]])
    error = rng.multivariate_normal(np.zeros(3), noise, n)
    x = gamma + error[:, :2]
    y = np.sum(gamma * delta, axis=1) + rng.normal(0.3, 0.1, n) + error[:, 2]
    design = np.column_stack([x, np.ones(n)])[:, : 2 + intercept]
    line = np.linalg.lstsq(design, y, rcond=None)[0]
    found = expected_slopes(
        slope,
        mean,
        joint[:2, :2],
        slope_effect_cov=joint[:2, 2:],
        constant=0.3,
        noise=noise[:2, :2],
        noise_covariance=noise[:2, 2],
        intercept=intercept,
    )
    bread = np.linalg.inv(design.T @ design)
    score = design * (y - design @ line)[:, None]
    errors = np.sqrt(np.diag(bread @ (score.T @ score) @ bread))[:2]
    assert (np.abs(line[:2] - found) < 4.5 * errors).all()
    assert (np.abs(found - slope) > 20 * errors).all()


def test_draws_are_taken_one_by_one() -> None:
    rng = np.random.default_rng(2)
    slope, mean = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))
    factor = rng.normal(size=(5, 2, 4))
    cov, omega = factor @ np.swapaxes(factor, 1, 2), rng.normal(size=(5, 2, 2))
    constant = rng.normal(size=5)
    whole = expected_slopes(slope, mean, cov, slope_effect_cov=omega, constant=constant)
    for i in range(5):
        one = expected_slopes(
            slope[i], mean[i], cov[i], slope_effect_cov=omega[i], constant=constant[i]
        )
        np.testing.assert_allclose(whole[i], one, rtol=1e-10)
