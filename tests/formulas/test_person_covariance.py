"""The covariance of persons at its coordinates, against scipy's inverse Wishart."""

import numpy as np
import pytest
from scipy.stats import chi2, invwishart, norm

from bayesmed.formulas.linear_gaussian import eliminated
from bayesmed.formulas.person_covariance import (
    coordinate_log_constant,
    coordinate_log_ratio,
    covariance_of_persons,
    n_coordinates,
    sampling_covariance,
)

ROOT = np.array([[2.0, 0.0, 0.0], [0.7, 1.5, 0.0], [-0.4, 0.3, 3.0]])


def matrix(z, k, df):
    return np.array(covariance_of_persons(list(z), ROOT[:k, :k].tolist(), df))


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("df", [4.5, 40.0])
def test_coordinates_have_the_density_of_the_inverse_wishart(k, df):
    """With the Jacobian by differences, at random points."""
    rng = np.random.default_rng(k)
    cross = ROOT[:k, :k] @ ROOT[:k, :k].T
    i, j = np.tril_indices(k)
    for _ in range(3):
        z = rng.normal(size=n_coordinates(k))
        step = 1e-6 * np.eye(z.size)
        columns = [(matrix(z + d, k, df) - matrix(z - d, k, df))[i, j] / 2e-6 for d in step]
        jacobian = np.linalg.slogdet(np.array(columns))[1]
        ratio = sum(
            coordinate_log_ratio(z[a], df, a) + coordinate_log_constant(df, a) for a in range(k)
        )
        expected = invwishart(df, cross).logpdf(matrix(z, k, df)) + jacobian
        assert norm.logpdf(z).sum() + ratio == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("df", [3.0, 50.0, 3e4, 1e9])
def test_a_coordinate_of_the_diagonal_is_that_of_a_chi_square(df):
    z = np.linspace(-3, 3, 7)
    k = df - 1
    x = k * np.exp(z * np.sqrt(2 / k))
    ratio = coordinate_log_ratio(z, df, 1) + coordinate_log_constant(df, 1)
    if df < 1e5:
        expected = chi2(k).logpdf(x) + np.log(x * np.sqrt(2 / k)) - norm.logpdf(z)
        np.testing.assert_allclose(ratio, expected, atol=1e-9)
    # Nearly standard normal for many persons, without losing digits.
    assert np.abs(ratio[2:5]).max() < 2 / np.sqrt(k)


def test_units_and_order_of_variables_do_not_matter():
    """Jeffreys' prior: the law of D Σ D' is that of D S D', for any D. Means and spreads here."""
    rng = np.random.default_rng(5)
    turn = np.array([[0.0, 3.0], [-0.5, 0.0]])
    z = rng.normal(size=(3, 200_000))
    freedom = 9.0 - np.arange(2)
    z[:2] = np.log(rng.chisquare(freedom[:, None], (2, 200_000)) / freedom[:, None])
    z[:2] *= np.sqrt(freedom / 2)[:, None]
    plain = np.array(covariance_of_persons(list(z), ROOT[:2, :2].tolist(), 9.0))
    cross = turn @ ROOT[:2, :2] @ ROOT[:2, :2].T @ turn.T
    other = covariance_of_persons(list(z), np.linalg.cholesky(cross).tolist(), 9.0)
    moved = np.einsum("ij,jkn,lk->iln", turn, plain, turn)
    for a in (0, 1):
        quantiles = (0.1, 0.5, 0.9)
        np.testing.assert_allclose(
            np.quantile(moved[a, a], quantiles), np.quantile(other[a][a], quantiles), rtol=0.02
        )
    mean = np.array(other).mean(axis=-1)
    np.testing.assert_allclose(mean, cross / (9.0 - 2 - 1), rtol=0.02)


def test_weights_add_up_covariances():
    a, b = ROOT @ ROOT.T, np.eye(3)
    found = np.array(sampling_covariance([0.2, 0.5], [a.tolist(), b.tolist()]))
    np.testing.assert_allclose(found, np.tril(0.2 * a + 0.5 * b))


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_elimination_is_conditioning(steps):
    cov = ROOT @ ROOT.T
    inverse, variance, left = eliminated(cov.tolist(), steps)
    whole = np.array(inverse) @ cov @ np.array(inverse).T
    np.testing.assert_allclose(np.diag(whole)[:steps], variance)
    np.testing.assert_allclose(whole[:steps, steps:], 0, atol=1e-12)
    if steps < 3:
        first, rest = cov[:steps, :steps], cov[steps:, steps:]
        across = cov[steps:, :steps]
        expected = rest - (across @ np.linalg.solve(first, across.T) if steps else 0)
        np.testing.assert_allclose(np.tril(left), np.tril(expected))
        np.testing.assert_allclose(whole[steps:, steps:], expected)
