"""Averages over standard normal variables."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp

from bayesmed.formulas.averaging import PER_AXIS, log_sum_exp, normal_nodes

MOMENTS = {0: 1.0, 1: 0.0, 2: 1.0, 3: 0.0, 4: 3.0, 6: 15.0, 8: 105.0}


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_nodes_have_the_moments_of_the_normal(axes):
    """Gauss-Hermite is exact for polynomials."""
    nodes, log_weights = normal_nodes(axes)
    assert nodes.shape == (axes, PER_AXIS[axes] ** axes)
    weights = np.exp(log_weights)
    for powers in product(MOMENTS, repeat=axes):
        terms = np.prod([z**k for z, k in zip(nodes, powers, strict=True)], axis=0)
        expected = np.prod([MOMENTS[k] for k in powers])
        # Odd moments vanish by cancelling terms of this size.
        size = float(weights @ np.abs(terms))
        assert weights @ terms == pytest.approx(expected, abs=1e-10 * max(size, 1.0))


def test_spread_points_are_near_the_normal():
    """512 Sobol points: the error of a mean is far below that of as many random ones."""
    nodes, log_weights = normal_nodes(4)
    weights = np.exp(log_weights)
    assert weights.sum() == pytest.approx(1.0)
    random_error = 1 / np.sqrt(weights.size)
    assert np.abs(nodes @ weights).max() < 0.2 * random_error
    assert np.abs(nodes**2 @ weights - 1).max() < np.sqrt(2) * random_error
    products = (nodes * weights) @ nodes.T
    assert np.abs(products - np.diag(np.diag(products))).max() < random_error


def test_nodes_do_not_depend_on_a_seed():
    np.random.default_rng(3).normal()
    for axes in (1, 4):
        np.testing.assert_array_equal(normal_nodes(axes)[0], normal_nodes(axes)[0])


def test_log_sum_exp_is_that_of_scipy():
    terms = np.random.default_rng(0).normal(0, 300, (7, 3))
    np.testing.assert_allclose(log_sum_exp(terms), logsumexp(terms, axis=0), rtol=1e-13)
