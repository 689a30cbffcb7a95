"""Regression from moments equals numpy's least squares on the persons themselves."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmed.formulas.site_regression import (
    cluster_factor,
    hc1_factor,
    regressed,
    sandwich,
    score_products,
    smallest_tolerance,
)


def simulated(j, q, k, n, seed=1):
    """Treatments, covariates and outcomes of n persons."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, q)) @ rng.normal(size=(q, q)) if q else np.zeros((n, 0))
    t = rng.normal(size=(n, j)) + (0.5 * x[:, :1] if q else 0)
    w = t @ rng.normal(size=(j, k)) + x @ rng.normal(size=(q, k)) + rng.normal(size=(n, k))
    return t, x, w


def crossed(*parts):
    v = np.column_stack(parts)
    v = v - v.mean(axis=0)
    return v.T @ v


SHAPES = [(1, 0, 2), (1, 2, 2), (3, 0, 3), (3, 2, 3), (2, 1, 4)]


@pytest.mark.parametrize(("j", "q", "k"), SHAPES)
@pytest.mark.parametrize(("offset", "tolerance"), [(0.0, 1e-9), (1e9, 1e-5)])
def test_effects(j, q, k, offset, tolerance):
    """Several sites at once, in very different units; numpy sees no offset, and loses nothing."""
    cross, wanted = [], []
    for s, n in enumerate([j + q + 3, 40, 200]):
        t, x, w = simulated(j, q, k, n, seed=s)
        unit_x, unit_w = 10.0 ** (3 * s), 10.0 ** (-4 * s)
        design = np.column_stack([t, x * unit_x, np.ones(n)])
        wanted.append(np.linalg.lstsq(design, w * unit_w, rcond=None)[0])
        cross.append(crossed(t + offset, (x + offset) * unit_x, (w - offset) * unit_w))
    found = regressed(np.array(cross), j, q)
    assert found.effect.shape == (3, j, k)
    for s, coefficients in enumerate(wanted):
        parts = [(found.effect[s], coefficients[:j])]
        parts += [(found.covariate_effect[s], coefficients[j : j + q])] if q else []
        for got, want in parts:
            np.testing.assert_allclose(got, want, rtol=0, atol=tolerance * np.abs(want).max())


@pytest.mark.parametrize(("j", "q", "k"), SHAPES)
def test_what_covariates_leave(j, q, k):
    """A and H are those of the regression of treatment on covariates."""
    t, x, w = simulated(j, q, k, 60)
    found = regressed(crossed(t, x, w)[None], j, q)
    design = np.column_stack([x, np.ones(len(x))])
    a = np.linalg.lstsq(design, t, rcond=None)[0]
    left = t - design @ a
    np.testing.assert_allclose(found.treatment_on_covariates[0], a[:q], rtol=1e-9)
    np.testing.assert_allclose(found.bread[0], np.linalg.inv(left.T @ left), rtol=1e-9)


@pytest.mark.parametrize(("j", "q", "k"), SHAPES)
def test_sandwich(j, q, k):
    """White's covariance of all coefficients, put together by hand: treatments outside."""
    t, x, w = simulated(j, q, k, 50)
    design = np.column_stack([t, x, np.ones(50)])
    bread = np.linalg.inv(design.T @ design)
    e = w - design @ np.linalg.lstsq(design, w, rcond=None)[0]
    wanted = np.zeros((j, k, j, k))
    for a in range(k):
        for b in range(k):
            meat = design.T @ (design * (e[:, a] * e[:, b])[:, None])
            wanted[:, a, :, b] = (bread @ meat @ bread)[:j, :j]
    found = regressed(crossed(t, x, w)[None], j, q)
    left = t - t.mean(axis=0)
    left = left - (x - x.mean(axis=0)) @ found.treatment_on_covariates[0]
    scores = (left[:, :, None] * e[:, None, :]).reshape(50, j * k)
    cov = sandwich(found.bread, (scores.T @ scores)[None], np.array([1.0]))[0]
    np.testing.assert_allclose(cov, wanted.reshape(j * k, j * k), rtol=1e-8, atol=1e-12)
    np.testing.assert_array_equal(cov, cov.T)
    assert np.linalg.eigvalsh(cov)[0] > -1e-14 * np.trace(cov)


def test_sandwich_is_linear_in_its_factor_and_never_negative():
    rng = np.random.default_rng(3)
    for _ in range(20):
        j, k = rng.integers(1, 4, 2)
        h, scores = rng.normal(size=(j, j + 1)), rng.normal(size=(2, j * k))
        bread, products = (h @ h.T)[None], (scores.T @ scores)[None]
        cov = sandwich(bread, products, np.array([1.0]))[0]
        assert np.linalg.eigvalsh(cov)[0] > -1e-12 * max(np.trace(cov), 1)
        np.testing.assert_allclose(sandwich(bread, products, np.array([2.5]))[0], 2.5 * cov)
        np.testing.assert_allclose(
            cov, np.kron(bread[0], np.eye(k)) @ products[0] @ np.kron(bread[0], np.eye(k))
        )


@pytest.mark.parametrize("sizes", [[4, 6], [1, 30, 5], [1, 1, 1, 1]])
def test_scores_of_cells(sizes):
    """Where treatment does not vary in a cell, moments tell the products of scores."""
    rng = np.random.default_rng(len(sizes))
    cell = np.repeat(np.arange(len(sizes)), sizes)
    t, e = rng.normal(size=(len(sizes), 2)), rng.normal(size=(len(cell), 3))
    cross = np.array([e[cell == c].T @ e[cell == c] for c in range(len(sizes))])
    found = score_products(t, cross).sum(axis=0)
    scores = (t[cell][:, :, None] * e[:, None, :]).reshape(len(cell), 6)
    np.testing.assert_allclose(found, scores.T @ scores, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", ["constant", "equal", "sum", "nearly"])
def test_tolerance_of_collinear_regressors(kind):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(50, 3)) * [1, 1e6, 1e-6]
    x[:, 2] = {
        "constant": np.full(50, 7.0),
        "equal": 3 * x[:, 0] + 1,
        "sum": x[:, 0] + 1e-6 * x[:, 1],
        "nearly": x[:, 0] + 1e-3 * rng.normal(size=50),
    }[kind]
    found = smallest_tolerance(crossed(x)[None])[0]
    corr = np.corrcoef(x[:, :3].T) if kind != "constant" else np.zeros((1, 1))
    assert found == pytest.approx(max(np.linalg.eigvalsh(corr)[0], 0), abs=1e-13)
    assert (found < 1e-11) == (kind != "nearly")
    # Units do not matter.
    other = smallest_tolerance(crossed(x * [1e9, 1e-3, 7])[None])[0]
    assert other == pytest.approx(found, abs=1e-12)


def test_factors():
    n, k, g = np.array([20.0, 9.0]), np.array([3.0, 2.0]), np.array([4.0, 9.0])
    np.testing.assert_allclose(hc1_factor(n, k), [20 / 17, 9 / 7])
    np.testing.assert_allclose(cluster_factor(n, k, g), [4 / 3 * 19 / 17, 9 / 8 * 8 / 7])
    # Clusters of one person: the factors are the same but for (n − 1)/n.
    np.testing.assert_allclose(cluster_factor(n, k, n), hc1_factor(n, k))
