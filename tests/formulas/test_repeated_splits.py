"""One answer from many splits: medians, and how they behave."""

from __future__ import annotations

import numpy as np

from bayesmed.formulas.repeated_splits import median_interval, median_over_splits


def test_one_split_is_its_own_answer() -> None:
    estimate, se = median_over_splits(np.array([[1.5, -2.0]]), np.array([[0.3, 0.1]]))
    np.testing.assert_array_equal(estimate, [1.5, -2.0])
    np.testing.assert_allclose(se, [0.3, 0.1])


def test_more_splits_do_not_add_precision_and_disagreement_costs_it() -> None:
    rng = np.random.default_rng(1)
    estimate, own = rng.normal(size=(51, 3)), np.full((51, 3), 0.2)
    middle, se = median_over_splits(estimate, own)
    assert (se > 0.2).all()
    same = median_over_splits(np.ones((51, 3)), own)[1]
    np.testing.assert_allclose(same, 0.2)
    order = rng.permutation(51)
    moved = median_over_splits(10 - 3 * estimate[order], 3 * own)
    np.testing.assert_allclose(moved, (10 - 3 * middle, 3 * se))


def test_one_wild_split_hardly_moves_the_answer() -> None:
    estimate = np.linspace(-0.1, 0.1, 11)[:, None]
    wild = estimate.copy()
    wild[-1] = 1e9
    own = np.full((11, 1), 1.0)
    for got, wanted in zip(
        median_over_splits(wild, own), median_over_splits(estimate, own), strict=True
    ):
        np.testing.assert_allclose(got, wanted, atol=0.03)


def test_an_interval_of_medians_covers_what_half_of_the_intervals_cover() -> None:
    rng = np.random.default_rng(2)
    middle = rng.normal(size=(20, 500))
    low, high = median_interval(middle - 1.0, middle + 1.0)
    assert low.shape == (500,)
    # Whatever at least half of the intervals hold lies inside, as the guarantee needs.
    for point in np.linspace(-3, 3, 61):
        half = ((middle - 1.0 <= point) & (point <= middle + 1.0)).sum(axis=0) > 10
        assert ((low <= point) & (point <= high))[half].all()
    own = median_interval(middle[:1] - 1.0, middle[:1] + 1.0)
    np.testing.assert_array_equal(own, (middle[0] - 1.0, middle[0] + 1.0))
    turned = median_interval(-(middle + 1.0), -(middle - 1.0))
    np.testing.assert_allclose(turned, (-high, -low))
