"""The set of effects the Anderson–Rubin test does not reject, against the test itself."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesmed.formulas.anderson_rubin import anderson_rubin_f, anderson_rubin_set

CRITICAL, K, DF = 2.5, 2, 40.0


def products(seed: int, strength: float):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, 2)), rng.normal(size=(6, 2))
    return strength * first.T @ first, second.T @ second


@given(seed=st.integers(0, 10**6), strength=st.sampled_from([0.01, 0.3, 1.0, 3.0, 100.0]))
def test_the_set_is_where_the_test_does_not_reject(seed: int, strength: float) -> None:
    explained, error = products(seed, strength)
    pieces = anderson_rubin_set(explained, error, K, DF, CRITICAL)
    ends = [end for piece in pieces for end in piece if math.isfinite(end)]
    for end in ends:
        assert anderson_rubin_f(end, explained, error, K, DF) == pytest.approx(CRITICAL, rel=1e-5)
    for slope in np.tan(np.linspace(-1.57, 1.57, 101)):
        if any(abs(slope - end) < 1e-6 * (1 + abs(end)) for end in ends):
            continue
        f = anderson_rubin_f(slope, explained, error, K, DF)
        inside = any(low <= slope <= high for low, high in pieces)
        assert inside == (f <= CRITICAL) or f == pytest.approx(CRITICAL, rel=1e-9)


def test_every_shape_occurs() -> None:
    shapes = set()
    for seed in range(40):
        for strength in (0.01, 0.3, 1.0, 3.0, 100.0):
            pieces = anderson_rubin_set(*products(seed, strength), K, DF, CRITICAL)
            shapes.add((len(pieces), any(math.isinf(x) for piece in pieces for x in piece)))
    assert shapes == {(0, False), (1, False), (1, True), (2, True)}


def test_units_and_signs_move_the_ends() -> None:
    explained, error = products(3, 30.0)
    ((low, high),) = anderson_rubin_set(explained, error, K, DF, CRITICAL)
    scale = np.outer([-1e3, 10.0], [-1e3, 10.0])
    ((moved_low, moved_high),) = anderson_rubin_set(
        explained * scale, error * scale, K, DF, CRITICAL
    )
    assert (moved_low, moved_high) == pytest.approx((-0.01 * high, -0.01 * low), rel=1e-9)


def test_the_edges() -> None:
    # D = Z - E here.
    def of(matrix):
        return anderson_rubin_set(np.array(matrix) + np.eye(2), np.eye(2), 1, 1.0, 1.0)

    everything = ((-math.inf, math.inf),)
    assert of([[0.0, 0.0], [0.0, 0.0]]) == everything
    assert of([[0.0, 0.0], [0.0, 1.0]]) == ()
    assert of([[0.0, 0.0], [0.0, -0.5]]) == everything
    ((low, high),) = of([[0.0, 1.0], [1.0, 1.0]])
    assert (low, high) == (pytest.approx(0.5), math.inf)
    ((low, high),) = of([[0.0, -1.0], [-1.0, 1.0]])
    assert (low, high) == (-math.inf, pytest.approx(-0.5))
    assert of([[1.0, 0.0], [0.0, 0.0]]) == ((0.0, 0.0),)
    assert of([[-0.5, 0.0], [0.0, -0.5]]) == everything
