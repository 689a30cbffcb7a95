"""Means of cells given types, against simulated types and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from bayesmed.formulas.principal_strata import cell_means, cell_shares
from bayesmed.formulas.principal_types import MONOTONE, principal_types
from bayesmed.formulas.strata_likelihood import (
    CELLS_OF_ARM,
    PAIRS_OF_CELLS,
    cell_weights,
    covariance_of_cell_means,
    intercept_bounds,
    joint_log_density,
    truncated_slopes,
)


def test_weights_are_shares_of_cells() -> None:
    types = principal_types("none")
    share = np.random.default_rng(1).dirichlet(np.ones(16))
    weight = cell_weights(share, types)
    np.testing.assert_allclose(weight.sum(axis=0), 1.0)
    np.testing.assert_allclose(
        weight * cell_shares(share, types), share[:, None, None, None] * (weight > 0), atol=1e-15
    )


@pytest.mark.parametrize("monotone", MONOTONE)
def test_covariance_is_that_of_drawn_types(monotone) -> None:
    """Types drawn many times give cells the covariance of the formula."""
    rng = np.random.default_rng(2)
    types = principal_types(monotone)
    share = rng.dirichlet(np.ones(len(types)))
    sd_a, sd_b, draws = 1.5, 0.7, 200_000
    a = sd_a * rng.standard_normal((draws, len(types), 2))
    b = sd_b * rng.standard_normal((draws, len(types), 2))
    means = cell_means(share, a, b, types)
    expected = covariance_of_cell_means(share, types, sd_a, sd_b).reshape(-1, 2)
    for d in range(2):
        seen = np.cov(np.stack([means[:, d, z, m] for z, m in CELLS_OF_ARM]))
        whole = np.zeros((4, 4))
        for value, (i, j) in zip(expected[:, d], PAIRS_OF_CELLS, strict=True):
            whole[i, j] = whole[j, i] = value
        # Four Monte Carlo standard errors of a covariance.
        error = np.sqrt((whole**2 + np.outer(np.diag(whole), np.diag(whole))) / draws)
        assert (np.abs(seen - whole) < 4.5 * error + 1e-12).all()


def test_joint_density_is_scipys() -> None:
    rng = np.random.default_rng(3)
    root = rng.standard_normal((4, 4))
    cov, r = root @ root.T + 0.1 * np.eye(4), rng.standard_normal(4)
    found = joint_log_density(list(r), [cov[pair] for pair in PAIRS_OF_CELLS])
    assert float(found) == pytest.approx(stats.multivariate_normal(np.zeros(4), cov).logpdf(r))


def test_nobody_in_a_cell_is_no_covariance() -> None:
    types = principal_types("both")
    found = covariance_of_cell_means(np.eye(6)[5], types, 1.0, 0.5)  # always with the mediator
    one = {(z, m): 1.0 + 0.25 * m if m else 0.0 for z, m in CELLS_OF_ARM}
    for pair, value in zip(PAIRS_OF_CELLS, found.reshape(-1, 2), strict=True):
        expected = one[CELLS_OF_ARM[pair[0]]] if all(CELLS_OF_ARM[i][1] for i in pair) else 0.0
        np.testing.assert_allclose(value, expected)


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 0.1), (0.8, 0.5), (-0.3, 2.0), (0.95, 0.02)])
def test_slopes_have_the_truncated_normal_distribution(mean, sd) -> None:
    """Quantile by quantile that of SciPy, so that risk differences stay possible."""
    u = np.linspace(0.001, 0.999, 201)
    found = truncated_slopes(mean, sd, stats.norm.ppf(u), special.ndtr, special.ndtri)
    exact = stats.truncnorm((-1 - mean) / sd, (1 - mean) / sd, mean, sd)
    np.testing.assert_allclose(found, exact.ppf(u), atol=1e-10)
    low, high = intercept_bounds(found)
    assert (low >= 0).all()
    assert (high + np.maximum(found, 0) <= 1 + 1e-12).all()
    np.testing.assert_allclose(high - low, 1 - np.abs(found), atol=1e-12)


def test_slopes_without_heterogeneity_are_one() -> None:
    found = truncated_slopes(0.4, 0.0, np.array([-3.0, 0.0, 3.0]), special.ndtr, special.ndtri)
    assert found.tolist() == [0.4] * 3
