"""Trees of splits: bounds, and how they are cut back."""

from __future__ import annotations

import math

import numpy as np

from bayesmed.subgroups.splits import (
    Leaf,
    Node,
    Split,
    Summary,
    bounds_of,
    leaves_of,
    merged,
    splits_of,
    with_most_leaves,
)


def leaf(effect: float, n: int) -> Leaf:
    return Leaf(Summary(n, n // 2, np.array([[effect]]), np.array([[1 / np.sqrt(n)]])))


def split(feature: int, edge: float, below: Node, above: Node) -> Split:
    n = below.summary.n + above.summary.n
    sides = (below.summary, above.summary)
    effect = sum(s.n * s.effect for s in sides) / n
    return Split(
        feature, edge, below, above, Summary(n, n // 2, effect, np.array([[1 / np.sqrt(n)]]))
    )


A, B, C, D = leaf(0.0, 100), leaf(0.1, 100), leaf(2.0, 40), leaf(5.0, 100)
LEFT, RIGHT = split(1, 10.0, A, B), split(0, 7.0, C, D)
ROOT = split(0, 3.0, LEFT, RIGHT)


def test_bounds_of_leaves_follow_the_way_to_them() -> None:
    bounds = bounds_of(ROOT)
    assert bounds[A] == {0: (-math.inf, 3.0), 1: (-math.inf, 10.0)}
    assert bounds[C] == {0: (3.0, 7.0)}
    assert bounds[D] == {0: (7.0, math.inf)}
    assert leaves_of(ROOT) == [A, B, C, D]
    assert splits_of(ROOT) == [ROOT, LEFT, RIGHT]


def test_contrast_is_the_squared_difference_in_its_standard_errors() -> None:
    assert np.isclose(LEFT.contrast, 0.1**2 / (1 / 100 + 1 / 100))


def test_small_leaves_are_merged_from_below() -> None:
    root = merged(ROOT, lambda x: x.summary.n < 50)
    assert [x.summary.n for x in leaves_of(root)] == [100, 100, 140]
    deep = split(0, 1.0, C, LEFT)
    assert leaves_of(merged(deep, lambda x: x.summary.n < 50)) == [A, B]
    assert leaves_of(merged(split(0, 1.0, LEFT, C), lambda x: x.summary.n < 50)) == [A, B]
    everybody = merged(ROOT, lambda x: x.summary.n < 1000)
    assert isinstance(everybody, Leaf)
    assert everybody.summary is ROOT.summary
    assert leaves_of(merged(ROOT, lambda x: x.summary.n < 1)) == [A, B, C, D]


def test_the_splits_that_tell_least_go_first() -> None:
    assert [x.summary.n for x in leaves_of(with_most_leaves(ROOT, 3))] == [200, 40, 100]
    assert leaves_of(with_most_leaves(ROOT, 4)) == [A, B, C, D]
    assert isinstance(with_most_leaves(ROOT, 1), Leaf)
