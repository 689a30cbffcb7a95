"""Square-root updates against textbook conditioning with dense matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from bayesmed.formulas.linear_gaussian import Known, dot, identity, measure, product, unit_lower


def dense(known):
    root = np.array(known.root, dtype=float)
    return np.array(known.mean, dtype=float), root @ root.T


@given(seed=st.integers(0, 10**6), n=st.integers(1, 4), noise=st.sampled_from([0.0, 1e-6, 0.7]))
def test_a_measurement_is_normal_conditioning(seed, n, noise):
    rng = np.random.default_rng(seed)
    mean, root = rng.normal(size=n), np.tril(rng.normal(size=(n, n)))
    loading, value = rng.normal(size=n), rng.normal()
    cov = root @ root.T
    variance = loading @ cov @ loading + noise**2
    gain = cov @ loading / variance
    found = measure(Known(mean.tolist(), root.tolist()), value, loading.tolist(), noise)
    after_mean, after_cov = dense(found.known)
    size = 1 + np.abs(gain).max() * abs(value - loading @ mean)
    np.testing.assert_allclose(
        after_mean, mean + gain * (value - loading @ mean), atol=1e-10 * size
    )
    np.testing.assert_allclose(
        after_cov, cov - np.outer(gain, gain) * variance, atol=1e-10 * (1 + np.abs(cov).max())
    )
    assert found.variance == pytest.approx(variance, rel=1e-12)
    expected = norm(loading @ mean, np.sqrt(variance)).logpdf(value)
    assert found.log_density == pytest.approx(expected, rel=1e-9, abs=1e-9)
    shrinkage = noise / np.sqrt(variance)
    before, after = np.linalg.det(root), np.linalg.det(np.array(found.known.root, dtype=float))
    assert after == pytest.approx(before * shrinkage, rel=1e-6, abs=1e-9 * (1 + abs(before)))


def test_what_is_measured_exactly_is_known():
    known = Known([0.3, -1.0], [[2.0, 0.0], [0.5, 1.0]])
    for loading, value in (([1.0, 0.0], 4.0), ([1.0, 2.0], -3.0)):
        known = measure(known, value, loading, 0.0).known
    mean, cov = dense(known)
    np.testing.assert_allclose(mean, [4.0, -3.5], atol=1e-12)
    np.testing.assert_allclose(cov, 0.0, atol=1e-12)


def test_nothing_is_lost_beside_a_sharp_measurement():
    """The covariance form p - k s k' leaves 0 or noise here; the root keeps all digits."""
    found = measure(Known([0.0], [[1e3]]), 1.0, [1.0], 1e-7).known
    assert found.root[0][0] ** 2 == pytest.approx(1e-14 / (1 + 1e-20), rel=1e-9)


@pytest.mark.parametrize("n", [1, 2, 4])
def test_measurements_broadcast_over_sites_and_keep_zeros(n):
    rng = np.random.default_rng(n)
    values, noise = rng.normal(size=(n, 5)), rng.uniform(0.1, 1, (n, 5))
    state = Known([0.0] * n, identity(n))
    for i in range(n):
        loading = [1.0 if i == j else 0.0 for j in range(n)]
        state = measure(state, values[i], loading, noise[i]).known
        for a in range(n):
            for b in range(n):
                if a != b:
                    assert state.root[a][b] == 0.0
    for i in range(n):
        np.testing.assert_allclose(state.mean[i], values[i] / (1 + noise[i] ** 2))


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_unit_lower_takes_a_covariance_apart(n):
    rng = np.random.default_rng(n)
    root = rng.normal(size=(n, n))
    cov = root @ root.T
    inverse, variance = (np.array(x, dtype=float) for x in unit_lower(cov.tolist()))
    np.testing.assert_array_equal(np.diag(inverse), 1.0)
    np.testing.assert_array_equal(np.triu(inverse, 1), 0.0)
    np.testing.assert_allclose(inverse @ cov @ inverse.T, np.diag(variance), atol=1e-10)
    cholesky = np.linalg.cholesky(cov)
    np.testing.assert_allclose(variance, np.diag(cholesky) ** 2, rtol=1e-9)
    np.testing.assert_allclose(
        inverse, np.linalg.inv(cholesky / np.diag(cholesky)), rtol=1e-8, atol=1e-10
    )


def test_unit_lower_reads_the_lower_triangle_and_takes_sites_without_variance():
    lower = [[np.array([4.0, 0.0]), np.nan], [np.array([2.0, 0.0]), np.array([3.0, 3.0])]]
    inverse, variance = unit_lower(lower)
    np.testing.assert_allclose(inverse[1][0], [-0.5, 0.0])
    np.testing.assert_allclose(variance[1], [2.0, 3.0])


def test_products_with_the_number_zero_cost_nothing():
    assert product(0.0, np.ones(3)) == 0.0
    assert dot([0.0, 0.0], [np.ones(3), 2.0]) == 0.0
    np.testing.assert_array_equal(dot([0.0, 2.0], [np.ones(3), np.ones(3)]), 2 * np.ones(3))
