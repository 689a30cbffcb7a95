"""Derivatives by the complex step against closed forms and differences."""

from __future__ import annotations

import numpy as np

from bayesmed.formulas.binary_iv import iv_effects
from bayesmed.formulas.derivatives import jacobian


def test_a_quotient_of_products_in_any_unit():
    for unit in (1e-30, 1.0, 1e30):
        x = np.array([3.0, -2.0, 5.0]) * np.array([unit, 1.0, 1.0])
        found = jacobian(lambda v: (v[..., 0] * v[..., 1] / v[..., 2])[..., None], x)
        wanted = [x[1] / x[2], x[0] / x[2], -x[0] * x[1] / x[2] ** 2]
        np.testing.assert_allclose(found[0], wanted, rtol=1e-14)


def test_axes_in_front_and_central_differences():
    rng = np.random.default_rng(2)
    mediator = rng.uniform(0.1, 0.3, (3, 4, 2, 2)) + np.array([0.0, 0.4])
    at = np.concatenate([mediator.reshape(3, 4, 4), rng.normal(size=(3, 4, 4))], axis=-1)
    share = np.array([0.4, 0.6])

    def nde(v):
        shape = (*v.shape[:-1], 2, 2)
        return iv_effects(v[..., :4].reshape(shape), v[..., 4:].reshape(shape), share).nde

    found = jacobian(nde, at)
    assert found.shape == (3, 4, 2, 8)
    step = 1e-6
    for p in range(8):
        apart = step * np.eye(8)[p]
        wanted = (nde(at + apart) - nde(at - apart)) / (2 * step)
        np.testing.assert_allclose(found[..., p], wanted, rtol=1e-5, atol=1e-8)
