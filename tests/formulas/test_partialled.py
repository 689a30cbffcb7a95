"""Regressions in cross-products against least squares on rows."""

import numpy as np
import pytest

from bayesmed.formulas.partialled import first_dependent, partialled


@pytest.mark.parametrize("first", [0, 1, 3, 4])
def test_it_is_least_squares_on_rows(first: int) -> None:
    rng = np.random.default_rng(first)
    rows = rng.normal(size=(40, 5)) @ rng.normal(size=(5, 5)) * [1e4, 1, 1e-5, 3, 20]
    found = partialled(rows.T @ rows, first)
    a, b = rows[:, :first], rows[:, first:]
    coefficients = np.linalg.lstsq(a, b, rcond=None)[0] if first else np.empty((0, 5))
    fitted = a @ coefficients
    size = np.sqrt((b**2).sum(axis=0))
    scale = np.outer(size, size)
    np.testing.assert_allclose(found.coefficients, coefficients, rtol=1e-9, atol=0)
    np.testing.assert_allclose(found.explained / scale, fitted.T @ fitted / scale, atol=1e-12)
    left = b - fitted
    np.testing.assert_allclose(found.left / scale, left.T @ left / scale, atol=1e-12)
    np.testing.assert_allclose(found.total / scale, b.T @ b / scale, atol=1e-12)
    own = np.sqrt((a**2).sum(axis=0))
    inverse = found.inverse * np.outer(own, own)
    np.testing.assert_allclose(inverse @ (a.T @ a / np.outer(own, own)), np.eye(first), atol=1e-9)


def test_what_is_left_of_a_variable_that_follows_is_nothing() -> None:
    rows = np.random.default_rng(1).normal(size=(30, 3))
    rows = np.column_stack([rows, rows[:, 0] - 2 * rows[:, 1], rows[:, 2] + 1e3])
    rows -= rows.mean(axis=0)
    products = rows.T @ rows
    assert first_dependent(products[:3, :3]) is None
    assert first_dependent(products) == 3
    found = partialled(products, 2)
    np.testing.assert_allclose(found.left[1], 0.0, atol=1e-12)
    np.testing.assert_allclose(found.left[0, 2], found.left[0, 0], rtol=1e-9)
    np.testing.assert_allclose(found.explained[1, 1], products[3, 3], rtol=1e-12)


def test_a_constant_follows_from_nothing() -> None:
    assert first_dependent(np.diag([0.0, 1.0])) == 0
    assert first_dependent(np.diag([1e-30, 1.0])) is None
