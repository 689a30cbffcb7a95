"""Lines with varying slopes: closed forms, a grid, units."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from bayesmed.formulas.varying_line import varying_line


def sites(n: int = 40, mediators: int = 1, seed: int = 1) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    gamma = rng.normal(0.8, 0.5, (n, mediators))
    slopes = rng.normal(1.0, 0.4, (n, mediators))
    variance = rng.gamma(4, 0.01, n)
    return gamma, (gamma * slopes).sum(axis=1) + rng.normal(0, np.sqrt(variance)), variance


def test_without_spread_it_is_weighted_least_squares() -> None:
    gamma, total, variance = sites(mediators=2)
    found = varying_line(gamma, total, variance, np.zeros(2))
    root = 1 / np.sqrt(variance)
    line = np.linalg.lstsq(gamma * root[:, None], total * root, rcond=None)[0]
    np.testing.assert_allclose(found.slope, line)
    assert (found.slope_sd == 0).all()


def test_it_is_where_the_likelihood_is_largest() -> None:
    gamma, total, variance = sites()
    found = varying_line(gamma, total, variance, np.array([0.1]))

    def likelihood(slope: np.ndarray, spread: np.ndarray) -> np.ndarray:
        sd = np.sqrt(variance + (spread[..., None] * gamma[:, 0]) ** 2)
        return norm.logpdf(total, slope[..., None] * gamma[:, 0], sd).sum(axis=-1)

    slope, spread = np.meshgrid(np.linspace(0.5, 1.5, 401), np.linspace(0.05, 1.0, 401))
    grid = likelihood(slope, spread)
    here = likelihood(found.slope, found.slope_sd)[0]
    assert here >= grid.max() - 1e-9
    assert here == pytest.approx(grid.max(), abs=1e-3)


@pytest.mark.parametrize("mediators", [1, 3])
def test_it_does_not_depend_on_where_it_begins_nor_on_units(mediators: int) -> None:
    gamma, total, variance = sites(200, mediators)
    start = np.full(mediators, 0.5)
    found = varying_line(gamma, total, variance, start)
    other = varying_line(gamma, total, variance, 3 * start)
    np.testing.assert_allclose(other.slope, found.slope, rtol=1e-3)
    np.testing.assert_allclose(other.slope_sd, found.slope_sd, rtol=0.02)
    units = varying_line(10 * gamma, 3 * total, 9 * variance, 0.3 * start)
    np.testing.assert_allclose(units.slope, 0.3 * found.slope, rtol=1e-6)
    np.testing.assert_allclose(units.cov, 0.09 * found.cov, rtol=1e-5)
