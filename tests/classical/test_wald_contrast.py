"""The pooled Wald ratio against the regression: the size of the test, what it finds, its error."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bayesmed.classical import bias_corrected_iv, pooled_wald
from bayesmed.classical.wald_contrast import WaldContrast, wald_contrast
from bayesmed.core.errors import DataError
from bayesmed.data import SiteEstimates
from tests.classical.tables import drawn, sites, uneven


def contrast(rng: np.random.Generator, n: int, *, rho: float = 0.0, kappa: float = 0.0):
    """Draw sites whose slopes differ, and go with mediator effects or have a constant beside."""
    cov = uneven(1, n) * 0.05
    z = rng.standard_normal((n, 2))
    effect = 0.6 + 0.3 * z[:, 0]
    slope = 1 + 0.5 * (rho * z[:, 0] + math.sqrt(1 - rho**2) * z[:, 1])
    root = np.linalg.cholesky(cov + 1e-15 * np.eye(2))
    noise = np.einsum("sij,sj->si", root, rng.standard_normal((n, 2)))
    total = slope * effect + kappa
    return wald_contrast(sites(effect + noise[:, 0], total + noise[:, 1], cov))


def test_it_is_the_difference_of_the_two_and_its_jackknife() -> None:
    data = drawn(1, 12, uneven(2, 12) / 4, mean=2.0, direct=(0.0, 0.2))
    found = wald_contrast(data)
    assert found.wald == pytest.approx(pooled_wald(data).slope[0])
    assert found.regression == pytest.approx(bias_corrected_iv(data).slope[0])
    assert found.difference == pytest.approx(found.wald - found.regression)
    each = []
    for s in range(12):
        rest = data.take([r for r in range(12) if r != s])
        each.append(pooled_wald(rest).slope[0] - bias_corrected_iv(rest).slope[0])
    spread = np.sum((np.array(each) - np.mean(each)) ** 2)
    assert found.error == pytest.approx(math.sqrt(11 / 12 * spread))
    assert found.errors == pytest.approx(found.difference / found.error)


@pytest.mark.parametrize("n", [10, 40])
def test_slopes_that_differ_are_no_difference(n: int) -> None:
    rng, runs = np.random.default_rng(3), 400
    found = [contrast(rng, n) for _ in range(runs)]
    apart = np.mean([abs(f.errors) > f.critical for f in found])
    assert abs(apart - 0.05) < 4 * math.sqrt(0.05 * 0.95 / runs)


def test_slopes_that_go_with_mediator_effects_set_them_apart() -> None:
    rng, n, runs = np.random.default_rng(4), 200, 100
    found = [contrast(rng, n, rho=0.8) for _ in range(runs)]
    omega, square = 0.8 * 0.5 * 0.3, 0.6**2 + 0.3**2
    expected = omega / 0.6 - 2 * 0.6 * omega / square
    mean = np.mean([f.difference for f in found])
    error = np.std([f.difference for f in found]) / math.sqrt(runs)
    assert abs(mean - expected) < 4.5 * error
    assert np.mean([abs(f.errors) > f.critical for f in found]) > 0.4
    with_kappa = [contrast(rng, n, kappa=0.3) for _ in range(runs)]
    expected = 0.3 / 0.6 - 0.6 * 0.3 / square
    mean = np.mean([f.difference for f in with_kappa])
    error = np.std([f.difference for f in with_kappa]) / math.sqrt(runs)
    assert abs(mean - expected) < 4.5 * error


def test_it_depends_on_no_unit_order_or_sign() -> None:
    data = drawn(1, 14, uneven(2, 14) / 4, mean=2.0)
    moved = data.rescaled([-1e5], -0.2).take(np.random.default_rng(3).permutation(14).tolist())
    plain, again = wald_contrast(data), wald_contrast(moved)
    assert again.difference == pytest.approx(plain.difference * -0.2 / -1e5)
    assert again.error == pytest.approx(plain.error * 0.2 / 1e5)


def test_blocks_are_left_out_whole() -> None:
    data = drawn(1, 12, uneven(2, 12) / 4, mean=2.0)
    arrays = {"mediator_effect": data.mediator_effect, "total_effect": data.total_effect}
    site = [f"s{i // 2}" for i in range(12)]
    pairs = {(i, i + 1): np.zeros((2, 2)) for i in range(0, 12, 2)}
    labels = {"site": site, "arm": ["a", "b"] * 6, "block": site}
    shared = SiteEstimates.from_arrays(**arrays, cov=data.cov, cross_cov=pairs, **labels)
    found = wald_contrast(shared)
    assert found.difference == pytest.approx(wald_contrast(data).difference)
    assert found.error != pytest.approx(wald_contrast(data).error, rel=0.01)
    assert found.critical == pytest.approx(2.5706, abs=1e-3)


def undefined(found: WaldContrast) -> str:
    assert math.isnan(found.difference)
    assert math.isnan(found.errors)
    return found.reason


def test_what_is_not_defined_says_why() -> None:
    weak = sites([0.1, -0.1, 0.2, 0.05], [1, 2, 3, 4], np.eye(2))
    assert "Bias-corrected IV is not defined: F is" in undefined(wald_contrast(weak))
    lone = sites([5.0, 0.1, -0.1, 0.2], [1, 2, 3, 4], np.eye(2))
    assert "without one site" in undefined(wald_contrast(lone))
    two = sites([5.0, 6.0], [1, 2], np.eye(2))
    assert "2 sites are too few" in undefined(wald_contrast(two))
    with pytest.raises(DataError, match="one mediator"):
        wald_contrast(drawn(1, 9, np.eye(3), slope=[1.0, 1.0]))
