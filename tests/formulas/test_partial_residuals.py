"""Partial residuals and their sampling errors."""

from __future__ import annotations

import numpy as np

from bayesmed.formulas.partial_residuals import partial_residuals

RNG = np.random.default_rng(3)
ROOT = RNG.normal(0, 0.2, (4, 3, 3)) + 0.2 * np.eye(3)
COV = ROOT @ ROOT.transpose(0, 2, 1)
SLOPES = np.array([0.0, -0.7])  # the first mediator stays


def test_their_errors_are_those_of_simulated_estimates():
    """Residuals of many estimates of four sites: means, variances and covariances."""
    gamma, total, n = RNG.normal(size=(4, 2)), RNG.normal(size=4), 200_000
    errors = np.einsum("sij,nsj->nsi", ROOT, RNG.standard_normal((n, 4, 3)))
    seen, outcome = gamma + errors[..., :2], total + errors[..., 2]
    drawn = outcome - seen @ SLOPES
    gradient = np.broadcast_to(SLOPES, (4, 2))
    found = partial_residuals(total, gamma @ SLOPES, gradient, COV)
    np.testing.assert_allclose(found.estimate, total - gamma @ SLOPES, rtol=1e-14)
    np.testing.assert_allclose(found.variance, drawn.var(axis=0), rtol=0.02)
    for i in range(2):
        cov = ((drawn - drawn.mean(axis=0)) * errors[..., i]).mean(axis=0)
        np.testing.assert_allclose(found.cov[:, i], cov, atol=0.01 * COV.max())


def test_with_one_mediator_they_are_total_effects():
    total = RNG.normal(size=4)
    found = partial_residuals(total, np.zeros(4), np.zeros((4, 2)), COV)
    np.testing.assert_array_equal(found.estimate, total)
    np.testing.assert_array_equal(found.variance, COV[:, -1, -1])
    np.testing.assert_array_equal(found.cov, COV[:, -1])


def test_the_variance_of_a_residual_about_a_line_is_that_of_methods():
    """V_ββ − 2δV_γβ + δ²V_γγ, with one mediator taken off (methods, section 3)."""
    cov, slope = COV[:, 1:, 1:], 1.3
    found = partial_residuals(np.ones(4), np.zeros(4), np.full((4, 1), slope), cov)
    expected = cov[:, 1, 1] - 2 * slope * cov[:, 0, 1] + slope**2 * cov[:, 0, 0]
    np.testing.assert_allclose(found.variance, expected, rtol=1e-12)
