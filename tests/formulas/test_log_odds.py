"""Log odds, their slope and the half counts equal their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit

from bayesmed.formulas.log_odds import log_odds, log_odds_slope, with_half_counts


@given(st.floats(1e-12, 1 - 1e-12))
def test_log_odds(share):
    p = np.array([share])
    np.testing.assert_allclose(log_odds(p), logit(p), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(log_odds(1 - p), -logit(1 - (1 - p)), rtol=1e-3, atol=1e-12)


@given(st.floats(0.001, 0.999))
def test_slope_is_the_derivative(share):
    p, h = np.array([share]), 1e-4 * min(share, 1 - share)
    difference = (log_odds(p + h) - log_odds(p - h)) / (2 * h)
    np.testing.assert_allclose(log_odds_slope(p), difference, rtol=1e-6)


@pytest.mark.parametrize(("events", "n"), [(1, 9), (4, 5), (30, 70)])
def test_woolf(events, n):
    """The delta method on a share gives 1/a + 1/b."""
    p = np.array([events / n])
    variance = log_odds_slope(p) ** 2 * p * (1 - p) / n
    np.testing.assert_allclose(variance, 1 / events + 1 / (n - events))


@pytest.mark.parametrize(("events", "n"), [(0, 9), (9, 9), (0, 1), (3, 9)])
def test_half_counts(events, n):
    share = with_half_counts(np.array([float(n)]), np.array([events / n]))
    assert log_odds(share)[0] == pytest.approx(np.log((events + 0.5) / (n - events + 0.5)))
    # Information of the corrected counts.
    a, b = events + 0.5, n - events + 0.5
    assert 1 / ((n + 1) * share[0] * (1 - share[0])) == pytest.approx(1 / a + 1 / b)


def test_large_counts():
    """Half a count is nothing beside a billion."""
    n = np.array([1e9])
    assert with_half_counts(n, np.array([0.3]))[0] == pytest.approx(0.3, rel=1e-8)
    assert with_half_counts(n, np.array([0.0]))[0] == pytest.approx(5e-10, rel=1e-8)
