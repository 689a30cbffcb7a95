"""Joined moments equal numpy's on the persons themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmed.formulas.cell_moments import joined, recentred


def of_cells(values, weight, cell, cells):
    """Weights, means and cross-products of every cell, from its persons."""
    total, mean, cross = [], [], []
    for c in range(cells):
        v, w = values[cell == c], weight[cell == c]
        m = np.average(v, axis=0, weights=w)
        total.append(w.sum())
        mean.append(m)
        cross.append((v - m).T @ (w[:, None] * (v - m)))
    return np.array(total), np.array(mean), np.array(cross)


# Persons per cell; every cell's group.
SIZES = [[3, 5], [1, 1, 1], [1], [2, 1, 40, 7], [1, 9, 1, 1, 30]]
GROUPS = [[0, 0], [1, 0, 0], [0], [0, 1, 0, 1], [2, 0, 1, 2, 0]]


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e9])
@pytest.mark.parametrize(("sizes", "groups"), list(zip(SIZES, GROUPS, strict=True)))
@pytest.mark.parametrize("weighted", [False, True])
def test_joined(sizes, groups, offset, weighted):
    rng = np.random.default_rng(len(sizes))
    cell = np.repeat(np.arange(len(sizes)), sizes)
    values = rng.normal(size=(len(cell), 3)) + cell[:, None] + offset
    # The number of binary digits behind the point that survive at 1e9.
    values = np.round(values * 2**20) / 2**20
    weight = rng.uniform(0.1, 5, len(cell)) if weighted else np.ones(len(cell))
    group = np.array(groups)
    count = max(groups) + 1
    found = joined(*of_cells(values, weight, cell, len(sizes)), group, count)
    # About the offset, where numpy loses nothing.
    wanted = of_cells(values - offset, weight, group[cell], count)
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-14)
    digits = 4 * np.spacing(offset + 1)
    np.testing.assert_allclose(found[1] - offset, wanted[1], rtol=0, atol=1e-13 + digits)
    scale = np.abs(wanted[2]).max()
    np.testing.assert_allclose(found[2], wanted[2], rtol=0, atol=(1e-13 + 10 * digits) * scale)


def test_order_of_cells_does_not_matter():
    rng = np.random.default_rng(0)
    weight, mean = rng.uniform(1, 9, 6), rng.normal(size=(6, 2))
    cross = np.einsum("cij,ckj->cik", *[rng.normal(size=(6, 2, 2))] * 2)
    group = np.array([0, 1, 0, 2, 1, 0])
    order = np.array([4, 2, 0, 5, 1, 3])
    one = joined(weight, mean, cross, group, 3)
    other = joined(weight[order], mean[order], cross[order], group[order], 3)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=12), st.floats(-100, 100))
@settings(max_examples=50, deadline=None)
def test_recentred(values, point):
    x = np.array(values)
    cross = np.array([[[((x - x.mean()) ** 2).sum()]]])
    found = recentred(np.array([len(x)]), np.array([[x.mean() - point]]), cross)
    assert found[0, 0, 0] == pytest.approx(((x - point) ** 2).sum(), rel=1e-9, abs=1e-9)


def test_joining_by_steps_is_joining_at_once():
    rng = np.random.default_rng(5)
    values, cell = rng.normal(size=(30, 2)), np.arange(30) % 6
    cells = of_cells(values, np.ones(30), cell, 6)
    pairs = joined(*cells, np.arange(6) // 2, 3)
    for a, b in zip(
        joined(*pairs, np.zeros(3, dtype=int), 1),
        joined(*cells, np.zeros(6, dtype=int), 1),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)
