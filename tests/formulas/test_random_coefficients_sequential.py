"""Sums of squares are the differences they replace, whatever the order of the root."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmed.formulas.correlation import root_of_correlations
from bayesmed.formulas.random_coefficients import (
    CoefficientCovariance,
    CoefficientMeans,
    mediator_given_treatment,
    outcome_given_mediator,
)
from bayesmed.formulas.random_coefficients_sequential import (
    mediator_from_root,
    mediator_loading,
    outcome_from_root,
    outcome_loading,
    scaled_root,
)

MEANS = CoefficientMeans(0.4, 0.7, 1.0, 0.8, 0.3)


def entries(root):
    return [[float(x) for x in row] for row in root]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 1, 3), (1, 3, 0, 2), (3, 2, 1, 0)])
@pytest.mark.parametrize("seed", range(5))
def test_sums_of_squares_are_the_differences(order, seed):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((4, 4))
    omega = a @ a.T
    root = np.empty((4, 4))
    root[list(order)] = np.linalg.cholesky(omega[np.ix_(order, order)])
    t, m = rng.normal(size=50), rng.normal(size=50)
    level, outcome, compliance, slope = root.tolist()
    b, a = mediator_loading(t, level, compliance), outcome_loading(m, outcome, slope)
    if not root[0, 2:].any() and not root[2, 2:].any():
        # The number 0, as a graph has it, costs nothing and changes nothing.
        b = [*b[:2], 0.0, 0.0]
    found = mediator_from_root(t, MEANS, b), outcome_from_root(m, t, MEANS, b, a)
    cov = CoefficientCovariance.of(omega)
    first, second = (
        mediator_given_treatment(t, MEANS, cov),
        outcome_given_mediator(m, t, MEANS, cov),
    )
    for mine, theirs in zip(found, (first, second), strict=True):
        np.testing.assert_allclose(mine.mean, theirs.mean, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(mine.variance, theirs.variance, rtol=1e-8, atol=1e-10)


def test_no_variance_is_lost_where_coefficients_are_all_but_one():
    sds = [1.0, 1e-3, 1.0, 1e-3]
    root = entries(scaled_root(sds, [0.0, 1.0 - 1e-15, 0.0, 0.0, 0.0, 0.0]))
    # The outcome's level is the mediator's, but for a part of 1e-15 whose variance is known.
    m = np.linspace(-3, 3, 101)
    b, a = mediator_loading(0.0, root[0], root[1]), outcome_loading(m, root[2], root[3])
    found = outcome_from_root(m, 0.0, MEANS, b, a).variance
    left = 1.0 - (1.0 - 1e-15) ** 2
    np.testing.assert_allclose(found, left + 1e-6 * m**2, rtol=1e-9)
    assert found.min() > 0


def test_a_scaled_root_is_that_of_the_covariance():
    rng = np.random.default_rng(1)
    sds, partial = rng.gamma(2.0, size=4), rng.uniform(-0.9, 0.9, 6).tolist()
    unit = np.array(entries(root_of_correlations(partial, 4)))
    root = np.array(entries(scaled_root(sds, partial)))
    np.testing.assert_allclose(root @ root.T, (unit @ unit.T) * sds[:, None] * sds, rtol=1e-12)
    np.testing.assert_array_equal(root, np.tril(root))
