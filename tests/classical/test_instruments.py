"""Pooled Wald ratios and bias-corrected instrumental variables."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bayesmed.classical import bces, bias_corrected_iv, pooled_wald
from bayesmed.core.errors import DataError, ModelError
from bayesmed.data import SiteEstimates
from tests.classical.tables import drawn, sites, uneven


@pytest.mark.parametrize("given", [True, False])
def test_bias_corrected_iv_is_corrected_least_squares_through_the_origin(given: bool) -> None:
    data = drawn(1, 40, uneven(2, 40), mean=1.0)
    w = np.random.default_rng(3).uniform(0.1, 2, 40) if given else 1 / data.cov[:, 0, 0]
    found = bias_corrected_iv(data, weights=w if given else None)
    oracle = bces(data, intercept=False, weights=w)
    assert found.slope[0] == pytest.approx(oracle.slope[0], rel=1e-12)
    assert found.slope_se[0] == pytest.approx(oracle.slope_se[0], rel=1e-12)
    assert math.isnan(found.intercept)


def test_bias_corrected_iv_finds_a_truth_that_two_stages_miss() -> None:
    cov = np.array([[0.8, 0.9], [0.9, 1.4]])
    data = drawn(4, 40_000, cov, mean=0.3, sd=0.8, direct=(0.0, 0.0))
    found = bias_corrected_iv(data)
    x, y = data.mediator_effect[:, 0], data.total_effect
    assert found.slope_se[0] < 0.02
    assert abs(found.slope[0] - 1) < 4.5 * found.slope_se[0]
    assert x @ y / (x @ x) == pytest.approx(1 + (0.9 / 0.8 - 1) * 0.8 / 1.53, abs=0.02)


def test_bias_corrected_iv_needs_effects_beyond_sampling_error() -> None:
    weak = sites([0.1, -0.2, 0.1], [1, 2, 3], np.eye(2))
    found = bias_corrected_iv(weak)
    assert not found.defined
    assert "F is 0.02, not above 1" in found.reason
    exact = sites([1, 2, 3], [1, 2, 3], [np.eye(2) / 9, np.diag([0, 1.0]), np.eye(2) / 9])
    assert "site '2' is 0" in bias_corrected_iv(exact).reason
    assert bias_corrected_iv(exact, weights=[1, 1, 1]).defined
    without = sites([1, 2], [2, 5], np.zeros((2, 2)))
    assert bias_corrected_iv(without, weights=[1, 1]).slope[0] == pytest.approx(12 / 5)
    one = sites([0, 1], [2, 5], np.zeros((2, 2)))
    assert "all 0" in bias_corrected_iv(one, weights=[1, 0]).reason
    only = bias_corrected_iv(one, weights=[0, 1])
    assert only.slope[0] == pytest.approx(5)
    assert math.isnan(only.slope_se[0])
    assert "no site is left over" in only.reason
    with pytest.raises(DataError, match="one mediator"):
        bias_corrected_iv(drawn(1, 10, np.eye(3), slope=[1, 2]))


def test_pooled_wald_is_the_ratio_of_weighted_means() -> None:
    data = drawn(5, 20, uneven(6, 20), mean=2.0)
    weight = np.random.default_rng(7).uniform(1, 5, 20)
    weighted = sites(data.mediator_effect[:, 0], data.total_effect, data.cov, weight=weight)
    precision = 1 / data.total_effect_se**2
    for found, w in (
        (pooled_wald(data), np.ones(20)),
        (pooled_wald(weighted), weight),
        (pooled_wald(data, weights="precision"), precision),
    ):
        ratio = (w @ data.total_effect) / (w @ data.mediator_effect[:, 0])
        c = np.array([-ratio, 1.0])
        variance = np.einsum("s,i,sij,j->", w**2, c, data.cov, c)
        assert found.slope[0] == pytest.approx(ratio)
        assert found.slope_se[0] == pytest.approx(
            math.sqrt(variance) / abs(w @ data.mediator_effect[:, 0])
        )


def test_pooled_wald_errors_count_shared_controls() -> None:
    shared = 0.1 * np.array([[1.0, 0.5], [0.5, 1.0]])
    data = SiteEstimates.from_arrays(
        mediator_effect=[1, 2],
        total_effect=[2, 5],
        cov=[2 * shared] * 2,
        cross_cov={(0, 1): shared},
        block=["a", "a"],
    )
    contrast = np.array([-7 / 3, 1, -7 / 3, 1]) / 3
    variance = contrast @ data.block_cov(0) @ contrast
    assert pooled_wald(data).slope_se[0] == pytest.approx(math.sqrt(variance))


def test_pooled_wald_errors_are_about_the_spread_of_estimates() -> None:
    rng = np.random.default_rng(8)
    mediator = rng.normal(1.0, 0.5, 30)
    cov = uneven(9, 30)
    root = np.linalg.cholesky(cov)
    slopes, errors = [], []
    for _ in range(400):
        noise = np.einsum("sij,sj->si", root, rng.standard_normal((30, 2)))
        found = pooled_wald(sites(mediator + noise[:, 0], 1.5 * mediator + noise[:, 1], cov))
        slopes.append(found.slope[0])
        errors.append(found.slope_se[0])
    assert abs(np.std(slopes) / np.mean(errors) - 1) < 4.5 / math.sqrt(800)
    assert abs(np.mean(slopes) - 1.5) < 4.5 * np.std(slopes) / 20 + 0.005


def test_pooled_wald_says_when_its_denominator_is_near_zero() -> None:
    near = sites([0.1, 0.0], [1, 2], np.eye(2))
    assert "only 0.1 standard errors from 0" in pooled_wald(near).notes[0]
    assert pooled_wald(sites([3.0, 4.0], [1, 2], 0.1 * np.eye(2))).notes == ()
    assert "mean mediator effect is 0" in pooled_wald(sites([1, -1], [1, 2], np.eye(2))).reason
    exact = sites([1, 2], [1, 2], np.diag([1.0, 0.0]))
    assert "infinite" in pooled_wald(exact, weights="precision").reason
    with pytest.raises(ModelError, match="weights"):
        pooled_wald(near, weights="equal")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="one mediator"):
        pooled_wald(drawn(1, 10, np.eye(3), slope=[1, 2]))
