"""Correlation matrices from partial correlations, and slopes under correlated direct effects."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import beta, kstest, multivariate_normal

from bayesmed.formulas.correlation import (
    correlations,
    root_of_correlations,
    slope_under_correlation,
    tipping_correlation,
    uniform_exponent,
)
from bayesmed.formulas.mediation import average_slope, superpopulation_acme


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_root_belongs_to_a_correlation_matrix(n):
    rng = np.random.default_rng(n)
    partial = rng.uniform(-0.95, 0.95, n * (n - 1) // 2)
    root = np.array(root_of_correlations(partial.tolist(), n), dtype=float)
    np.testing.assert_array_equal(np.triu(root, 1), 0.0)
    assert (np.diag(root) > 0).all()
    matrix = np.array(correlations(root.tolist()), dtype=float)
    np.testing.assert_allclose(matrix, root @ root.T, atol=1e-14)
    np.testing.assert_allclose(np.diag(matrix), 1.0, atol=1e-14)
    # What the numbers are: correlations of i and j given those before j.
    taken = iter(partial)
    for i in range(n):
        for j in range(i):
            kept = [*range(j), j, i]
            precision = np.linalg.inv(matrix[np.ix_(kept, kept)])
            given = -precision[-1, -2] / np.sqrt(precision[-1, -1] * precision[-2, -2])
            assert given == pytest.approx(next(taken), abs=1e-10)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_correlations_are_uniform_over_matrices(n):
    """Then every correlation has a Beta(n/2, n/2) distribution (LKJ with eta = 1)."""
    rng = np.random.default_rng(7)
    draws = 40_000
    partial = []
    for i in range(n):
        for j in range(i):
            b = uniform_exponent(i, j, n)
            partial.append(2 * rng.beta(b, b, draws) - 1)
    matrix = correlations(root_of_correlations(partial, n))
    expected = beta(n / 2, n / 2, loc=-1, scale=2)
    for i in range(n):
        for j in range(i):
            assert kstest(matrix[i][j], expected.cdf).pvalue > 1e-3
    # Uniform over matrices, not only in each correlation: the share inside a smaller box.
    if n == 3:
        inside = np.all([np.abs(matrix[i][j]) < 0.5 for i in range(3) for j in range(i)], axis=0)
        # Every matrix of this box is positive definite: its volume over that of all of them.
        share = 1.0 / (np.pi**2 / 2)
        assert inside.mean() == pytest.approx(share, abs=4 * np.sqrt(share / draws))


@pytest.mark.parametrize("rho", [-0.6, 0.0, 0.3, 0.8])
def test_slope_under_correlation_is_the_likelihoods_maximum(rho):
    """Noise-free effects: maximise the latent model's likelihood at a fixed correlation."""
    rng = np.random.default_rng(2)
    gamma = rng.normal(0.5, 0.8, 40)
    total = 0.3 + 1.2 * gamma + rng.normal(0, 0.5, 40)
    pairs = np.column_stack([gamma, total])

    def negative(x):
        mean, log_sd, intercept, log_theta, slope = x
        sd, theta = np.exp([log_sd, log_theta])
        take = np.array([[1.0, 0.0], [slope, 1.0]])
        cov = np.array([[sd**2, rho * sd * theta], [rho * sd * theta, theta**2]])
        centre = [mean, intercept + slope * mean]
        return -multivariate_normal(centre, take @ cov @ take.T).logpdf(pairs).mean()

    best = minimize(negative, [0.5, 0, 0.3, 0, 1], method="BFGS", options={"gtol": 1e-8})
    b, a = np.polyfit(gamma, total, 1)
    residual_sd = np.std(total - a - b * gamma)
    expected = slope_under_correlation(b, residual_sd, np.std(gamma), rho)
    assert best.x[4] == pytest.approx(expected, abs=2e-4)
    tipping = tipping_correlation(b, residual_sd, np.std(gamma))
    assert tipping == pytest.approx(np.corrcoef(gamma, total)[0, 1], rel=1e-10)
    at_tipping = slope_under_correlation(b, residual_sd, np.std(gamma), tipping)
    assert at_tipping == pytest.approx(0.0, abs=1e-10)


def test_averages_in_the_population_are_those_simulated():
    rng = np.random.default_rng(6)
    n, mean, sd = 400_000, 0.7, 0.5
    coefficients = {"slope": 1.2, "slope_linear": -0.8, "slope_quadratic": 0.6}
    gamma = rng.normal(mean, sd, n)
    slopes = 1.2 - 0.8 * gamma + 0.6 * gamma**2
    found = average_slope(*coefficients.values(), mean, sd)
    assert found == pytest.approx(slopes.mean(), abs=4 * slopes.std() / np.sqrt(n))
    indirect = slopes * gamma
    found = superpopulation_acme(
        coefficients["slope"],
        mean,
        mediator_effect_sd=sd,
        slope_linear=coefficients["slope_linear"],
        slope_quadratic=coefficients["slope_quadratic"],
    )
    assert found == pytest.approx(indirect.mean(), abs=4 * indirect.std() / np.sqrt(n))
    # A random slope unrelated to the mediator effect adds nothing.
    away = rng.normal(0, 0.9, n) * gamma + 1.2 * gamma
    plain = superpopulation_acme(1.2, mean)
    assert plain == pytest.approx(away.mean(), abs=4 * away.std() / np.sqrt(n))
