"""Slopes under a correlation nobody sees: densities that do not change, and brute force."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmed.formulas.unseen_correlation import (
    correlation_without_slope,
    own_spread,
    slope_at_correlation,
)


def covariance(slope: float, direct: float, mediator: float, rho: float) -> np.ndarray:
    """Covariance of (γ, β) by the rules for sums."""
    lift = np.array([[1.0, 0.0], [slope, 1.0]])
    cross = rho * direct * mediator
    return lift @ np.array([[mediator**2, cross], [cross, direct**2]]) @ lift.T


@pytest.mark.parametrize("assumed", [0.0, 0.3, -0.7])
@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.45])
def test_sites_scatter_alike_at_every_correlation(assumed: float, rho: float) -> None:
    slope, direct, mediator = 1.2, 0.5, 0.8
    other = float(slope_at_correlation(slope, direct, mediator, rho, assumed))
    spread = direct * np.sqrt((1 - assumed**2) / (1 - rho**2))
    np.testing.assert_allclose(
        covariance(other, spread, mediator, rho), covariance(slope, direct, mediator, assumed)
    )


@pytest.mark.parametrize("assumed", [0.0, 0.3, -0.7])
def test_without_a_slope_the_correlation_is_that_of_total_effects(assumed: float) -> None:
    rng = np.random.default_rng(1)
    slope, direct, mediator = rng.normal(size=20), rng.uniform(0.1, 2, 20), rng.uniform(0.1, 2, 20)
    found = correlation_without_slope(slope, direct, mediator, assumed)
    at = slope_at_correlation(slope, direct, mediator, found, assumed)
    np.testing.assert_allclose(at, 0, atol=1e-9)
    for i in range(20):
        total = covariance(slope[i], direct[i], mediator[i], assumed)
        corr = total[0, 1] / np.sqrt(total[0, 0] * total[1, 1])
        assert found[i] == pytest.approx(corr)


def test_quantiles_of_it_bound_where_the_interval_has_zero() -> None:
    """The shortcut the ledger takes, against intervals at many correlations."""
    rng = np.random.default_rng(2)
    slope = rng.normal(0.8, 0.2, 4001)
    direct, mediator = rng.gamma(20, 0.02, (2, 4001))
    low, high = np.quantile(correlation_without_slope(slope, direct, mediator), [0.025, 0.975])
    rhos = np.linspace(-0.95, 0.99, 400)
    ends = np.quantile(
        slope_at_correlation(slope[:, None], direct[:, None], mediator[:, None], rhos),
        [0.025, 0.975],
        axis=0,
    )
    inside = (ends[0] <= 0) & (ends[1] >= 0)
    assert 0 < inside.sum() < 400
    np.testing.assert_array_equal(inside, (rhos >= low) & (rhos <= high))


def test_units_do_not_matter() -> None:
    one = correlation_without_slope(np.array(0.7), np.array(0.3), np.array(0.5), 0.2)
    other = correlation_without_slope(np.array(0.7 * 60), np.array(0.3 * 6), np.array(0.05), 0.2)
    assert float(one) == pytest.approx(float(other))


def test_the_smallest_multiple_correlation_shifts_one_slope() -> None:
    rng = np.random.default_rng(3)
    root = rng.normal(size=(3, 5))
    omega = root @ root.T
    sd = np.sqrt(np.diag(omega))
    spread = own_spread(sd, omega / np.outer(sd, sd))
    # Directions of Cov(γ, θ), each long enough to shift the second slope by 1.
    c = rng.normal(size=(200_000, 3))
    shift = np.linalg.solve(omega, c.T).T
    c, shift = c / shift[:, 1:2], shift / shift[:, 1:2]
    multiple = np.sqrt((c * shift).sum(axis=1))
    assert multiple.min() >= spread[1] - 1e-12
    assert multiple.min() == pytest.approx(spread[1], rel=0.01)
    assert own_spread(np.array([2.5]), np.eye(1))[0] == 2.5
