"""Cross-products of treatment and variables from moments by arm, against all rows at once."""

import numpy as np
import pytest

from bayesmed.formulas.treatment_products import treatment_products


@pytest.mark.parametrize("far", [0.0, 1e6])
def test_two_arms_hold_every_product(far: float) -> None:
    rng = np.random.default_rng(2)
    r = (np.arange(50) % 3 == 0).astype(float)
    v = rng.normal(size=(50, 3)) * [1.0, 10.0, 0.1] + r[:, None] + far
    centre = v.mean(axis=0)
    arms = [v[r == arm] - centre for arm in (0, 1)]
    n = np.array([len(arm) for arm in arms], dtype=float)
    mean = np.stack([arm.mean(axis=0) for arm in arms])
    cross = np.stack([(arm - arm.mean(axis=0)).T @ (arm - arm.mean(axis=0)) for arm in arms])
    rows = np.column_stack([r, v - centre, r[:, None] * (v - centre)])
    rows = rows - rows.mean(axis=0)
    found = treatment_products(n, mean, cross)
    scale = np.sqrt(np.diagonal(found))
    np.testing.assert_allclose(
        found / np.outer(scale, scale), rows.T @ rows / np.outer(scale, scale), atol=1e-12
    )
