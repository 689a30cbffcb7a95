"""Coordinates of the shares of types: bounds, margins, and the density they give."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayesmed.formulas.principal_strata import mediator_means
from bayesmed.formulas.principal_types import MONOTONE, principal_types
from bayesmed.formulas.type_shares import means_at, shares_of_types


def drawn(monotone, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Shares at uniform coordinates, and their density there up to a constant."""
    position = rng.uniform(size=(n, len(principal_types(monotone)) - 1))
    told = means_at(monotone, list(position.T))
    found = shares_of_types(monotone, told.mean, told.rest)
    return np.stack(found.share, axis=-1), np.broadcast_to(told.width * found.width, n)


@pytest.mark.parametrize("monotone", MONOTONE)
def test_shares_are_shares_and_have_the_means(monotone) -> None:
    rng = np.random.default_rng(1)
    share, width = drawn(monotone, 2000, rng)
    assert (share > -1e-11).all()
    assert (width >= 0).all()
    np.testing.assert_allclose(share.sum(axis=1), 1.0, atol=1e-10)
    types = principal_types(monotone)
    for p in rng.dirichlet(np.ones(len(types)), size=50):
        mean = mediator_means(p, types)
        rest = rng.uniform(size=len(types) - 5)
        found = np.array(shares_of_types(monotone, mean.tolist(), rest.tolist()).share)
        np.testing.assert_allclose(mediator_means(found, types), mean, atol=1e-10)


@pytest.mark.parametrize("monotone", MONOTONE)
def test_the_density_makes_shares_uniform(monotone) -> None:
    """Weighted by the widths, shares have the first two moments of a flat Dirichlet."""
    n = 400_000 if monotone != "none" else 3_000_000
    share, width = drawn(monotone, n, np.random.default_rng(2))
    count = share.shape[1]
    weight = width / width.sum()
    effective = 1.0 / np.square(weight).sum()
    assert effective > 300
    flat = stats.dirichlet(np.ones(count))
    mean, variance = 1.0 / count, float(flat.var()[0])
    # Importance sampling: five standard errors at the effective size.
    assert np.abs(weight @ share - mean).max() < 5 * np.sqrt(variance / effective)
    spread = weight @ (share - mean) ** 2
    assert np.abs(spread / variance - 1).max() < 5 * np.sqrt(8 / effective)
