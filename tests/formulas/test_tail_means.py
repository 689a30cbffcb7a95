"""Means of tails and their bounds: reached, never passed, with the errors of samples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayesmed.formulas.tail_means import (
    distance_variance,
    share_excess,
    tail_mean_shift,
    tail_means,
)


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_the_shift_is_reached_by_two_values_and_passed_by_none(q: float) -> None:
    rng = np.random.default_rng(6)
    n = 1000
    two = np.repeat([5.0, 2.0], [round(q * n), n - round(q * n)])
    shift = tail_mean_shift(np.array(two.std()), np.array(q))
    assert two.mean() + shift == pytest.approx(5.0)
    found = tail_means(two, q)
    assert found.high == pytest.approx(5.0)
    for values in (
        rng.normal(size=n),
        rng.exponential(size=n),
        rng.integers(0, 2, n).astype(float),
    ):
        own = tail_means(values, q)
        wide = tail_mean_shift(np.array(values.std()), np.array(q))
        assert own.low <= values.mean() <= own.high
        assert own.high - values.mean() <= wide + 1e-12
        assert values.mean() - own.low <= wide + 1e-12
        rest = (values.mean() - q * own.high) / (1 - q)
        assert rest == pytest.approx(tail_means(values, 1 - q).low)


def test_tails_of_a_normal_outcome_are_known() -> None:
    values = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    for q in (0.2, 0.7):
        found = tail_means(values, q)
        assert found.high == pytest.approx(stats.norm.pdf(stats.norm.ppf(q)) / q, abs=1e-3)
        assert found.high_from == pytest.approx(-stats.norm.ppf(q), abs=1e-3)
        assert (found.low, found.low_from) == pytest.approx((-found.high, -found.high_from))
    whole = tail_means(values, 1.0)
    assert whole.low == pytest.approx(whole.high, abs=1e-12)


@pytest.mark.parametrize(("two", "q"), [(False, 0.5), (False, 0.8), (True, 0.2), (True, 0.3)])
def test_errors_are_those_of_samples(two: bool, q: float) -> None:
    """A part exactly at the bound: on average no excess, and one standard error of it."""
    rng, n, runs, noise = np.random.default_rng(7), 2000, 4000, 0.03
    r = np.sqrt((1 - q) / q)
    at = r if not two else 1 / np.sqrt(q * (1 - q)) - np.sqrt(q / (1 - q))
    assert at == pytest.approx(r)
    size = (runs, n)
    values = (rng.random(size) < q) / np.sqrt(q * (1 - q)) if two else rng.normal(size=size)
    top = 1 / np.sqrt(q * (1 - q)) if two else r
    distance = (top + noise * rng.normal(size=runs) - values.mean(axis=1)) / values.std(axis=1)
    expected = distance_variance(*map(np.array, (r, noise**2, float(n))))
    # Monte Carlo error of a variance, and what the delta method leaves out.
    assert distance.var() == pytest.approx(float(expected), rel=4 * np.sqrt(2 / runs) + 0.03)
    share = q * np.exp(noise * rng.normal(size=runs))
    found = share_excess(share, distance, np.array(noise**2), expected)
    assert found.mean() == pytest.approx(0.0, abs=4 / np.sqrt(runs) + 0.03)
    assert found.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * runs) + 0.03)


def test_the_excess_begins_at_the_bound() -> None:
    q = np.array([0.1, 0.4, 0.9])
    shift = tail_mean_shift(np.ones(3), q)
    small = np.array(1e-4)
    for factor, sign in ((0.99, -1), (1.01, 1)):
        for side in (-1, 1):
            found = share_excess(q, side * factor * shift, small, small)
            assert np.sign(found).tolist() == [sign] * 3
    np.testing.assert_allclose(share_excess(q, shift, small, small), 0, atol=1e-12)
