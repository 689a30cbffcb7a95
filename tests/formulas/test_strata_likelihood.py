"""Means of cells given types, against simulated types and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayesmed.formulas.principal_strata import cell_means, cell_shares
from bayesmed.formulas.principal_types import MONOTONE, principal_types
from bayesmed.formulas.strata_likelihood import (
    CELLS_OF_ARM,
    cell_weights,
    covariance_of_cell_means,
    folded,
    intercept_bounds,
    joint_log_density,
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
    expected = covariance_of_cell_means(cell_weights(share, types), sd_a, sd_b)
    for d in range(2):
        seen = np.cov(np.stack([means[:, d, z, m] for z, m in CELLS_OF_ARM]))
        whole = np.array([[np.broadcast_to(x, 2)[d] for x in row] for row in expected])
        # Four Monte Carlo standard errors of a covariance.
        error = np.sqrt((whole**2 + np.outer(np.diag(whole), np.diag(whole))) / draws)
        assert (np.abs(seen - whole) < 4.5 * error + 1e-12).all()


def test_joint_density_is_scipys() -> None:
    rng = np.random.default_rng(3)
    root = rng.standard_normal((4, 4))
    cov, r = root @ root.T + 0.1 * np.eye(4), rng.standard_normal(4)
    found = joint_log_density(list(r), [list(row) for row in cov])
    assert float(found) == pytest.approx(stats.multivariate_normal(np.zeros(4), cov).logpdf(r))


def test_folding_keeps_risk_differences_possible() -> None:
    x = np.linspace(-7, 7, 1001)
    found = folded(x)
    assert (np.abs(found) <= 1 + 1e-12).all()
    inside = np.abs(x) <= 1
    np.testing.assert_allclose(found[inside], x[inside], atol=1e-12)
    np.testing.assert_allclose(folded(2 - x), found, atol=1e-12)
    low, high = intercept_bounds(found)
    assert (low >= -1e-12).all()
    assert (high + np.maximum(found, 0) <= 1 + 1e-12).all()
    np.testing.assert_allclose(high - low, 1 - np.abs(found), atol=1e-12)
