"""Ranks, their simultaneous band and p-value."""

import numpy as np
import pytest
from arviz_stats.ecdf_utils import ecdf_pit
from scipy import stats

from bayesmed.formulas.ranks import (
    rank_among,
    ranks_statistic,
    simultaneous_band,
    uniformity_p_value,
)


def test_ranks_count_draws_below() -> None:
    rng = np.random.default_rng(1)
    draws = rng.normal(size=(50, 3))
    found = rank_among(np.array([-9.0, 0.1, 9.0]), draws, rng)
    assert found.tolist() == [0, int((draws[:, 1] < 0.1).sum()), 50]


def test_ties_are_settled_evenly() -> None:
    rng = np.random.default_rng(2)
    found = rank_among(np.zeros(20_000), np.zeros((4, 20_000)), rng)
    counts = np.bincount(found, minlength=5)
    assert stats.chisquare(counts).pvalue > 1e-3


def test_statistic_is_the_least_binomial_tail() -> None:
    counts = np.array([[3, 1, 0, 6], [2, 3, 3, 2]])
    expected = []
    for own in counts:
        tails = []
        for i, below in enumerate(np.cumsum(own)[:-1], start=1):
            b = stats.binom(10, i / 4)
            tails += [b.cdf(below), b.sf(below - 1)]
        expected.append(2 * min(tails))
    assert ranks_statistic(counts) == pytest.approx(expected, rel=1e-12)


def test_no_rank_below_is_no_surprise_from_above() -> None:
    # All ranks are the highest: nothing lies below any value, which only the lower tail minds.
    counts = np.array([0, 0, 0, 5])
    assert ranks_statistic(counts) == pytest.approx(2 * stats.binom(5, 0.75).cdf(0))


def test_p_values_of_uniform_ranks_are_uniform() -> None:
    rng = np.random.default_rng(3)
    found = [
        float(uniformity_p_value(rng.multinomial(200, np.full(21, 1 / 21)))) for _ in range(2000)
    ]
    for level in (0.05, 0.2, 0.5):
        share = np.mean(np.array(found) <= level)
        assert abs(share - level) < 4 * np.sqrt(level * (1 - level) / 2000) + 0.01


@pytest.mark.parametrize(("shift", "scale"), [(0.3, 1.0), (0.0, 1.3), (0.0, 0.75)])
def test_what_is_not_calibrated_is_found(shift: float, scale: float) -> None:
    rng = np.random.default_rng(4)
    truth, draws = rng.normal(shift, scale, 1000), rng.normal(size=(100, 1000))
    counts = np.bincount(rank_among(truth, draws, rng), minlength=101)
    assert float(uniformity_p_value(counts)) < 1e-3
    low, high = simultaneous_band(1000, 101)
    below = np.cumsum(counts)[:-1] / 1000
    assert ((below < low) | (below > high)).any()


def test_band_holds_all_of_uniform_ranks_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    counts = rng.multinomial(300, np.full(51, 1 / 51), size=4000)
    below = np.cumsum(counts, axis=1)[:, :-1] / 300
    low, high = simultaneous_band(300, 51)
    inside = ((below >= low) & (below <= high)).all(axis=1).mean()
    assert abs(inside - 0.95) < 0.02


def test_band_and_p_value_agree() -> None:
    rng = np.random.default_rng(6)
    low, high = simultaneous_band(300, 51)
    differ = 0
    for _ in range(500):
        shape = rng.dirichlet(np.full(51, 40.0))
        counts = rng.multinomial(300, shape)
        below = np.cumsum(counts)[:-1] / 300
        inside = bool(((below >= low) & (below <= high)).all())
        differ += inside != (float(uniformity_p_value(counts)) > 0.05)
    assert differ <= 10  # at the edge, where the statistic is discrete


def test_band_is_as_wide_as_that_of_arviz() -> None:
    # Theirs is evaluated at as many points as there are ranks, and is a little wider.
    uniform = (np.arange(400) + 0.5) / 400
    at, _, low, high = ecdf_pit(uniform, 0.95, 2000)
    own = simultaneous_band(400, 101)
    middle = np.argmin(np.abs(at - 50 / 101))
    assert own[1, 49] - own[0, 49] == pytest.approx(high[middle] - low[middle], rel=0.12)
