"""Between-site variances against statsmodels, and the slope they correct against known truths."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.meta_analysis import combine_effects

from bayesmed.classical import bces_formula, ols, reliability_corrected
from bayesmed.classical.heterogeneity import ESTIMATORS, dersimonian_laird, paule_mandel
from bayesmed.core.errors import DataError, ModelError
from tests.classical.tables import drawn, mechte, sites, uneven

NAMES = tuple(ESTIMATORS)


@pytest.mark.parametrize("seed", range(5))
def test_variances_are_those_of_statsmodels(seed: int) -> None:
    data = drawn(seed, 30, uneven(seed + 50, 30))
    x, v = data.mediator_effect[:, 0], data.cov[:, 0, 0]
    assert dersimonian_laird(x, v).variance == pytest.approx(
        combine_effects(x, v, method_re="dl").tau2, rel=1e-9
    )
    # Not closer: statsmodels answers 0 where its last step ends below the root by rounding.
    oracle = combine_effects(x, v, method_re="pm", atol=1e-6, maxiter=500).tau2
    assert paule_mandel(x, v).variance == pytest.approx(oracle, rel=1e-5)


def test_paule_mandel_takes_errors_of_zero_and_very_uneven_ones() -> None:
    x = np.random.default_rng(1).normal(0, 1, 20)
    v = np.concatenate([np.zeros(2), np.geomspace(1e-6, 1e2, 18)])
    root = paule_mandel(x, v).variance
    weight = 1 / (v + root)
    mean = weight @ x / weight.sum()
    assert weight @ (x - mean) ** 2 == pytest.approx(19, rel=1e-8)
    assert paule_mandel(np.ones(4), np.zeros(4)).variance == 0
    assert paule_mandel(np.array([1.0, 1.1, 0.9]), np.ones(3)).variance == 0


@pytest.mark.parametrize("name", NAMES)
def test_influences_are_what_leaving_a_site_out_does(name: str) -> None:
    data = drawn(2, 500, uneven(3, 500))
    x, v = data.mediator_effect[:, 0], data.cov[:, 0, 0]
    found = ESTIMATORS[name](x, v)
    for s in (0, 17, 333):
        kept = np.delete(np.arange(500), s)
        moved = found.variance - ESTIMATORS[name](x[kept], v[kept]).variance
        size = np.abs(found.influence).mean()
        assert moved == pytest.approx(found.influence[s], rel=0.03, abs=0.03 * size)


@pytest.mark.parametrize("name", NAMES)
def test_it_finds_a_truth_that_leaving_the_covariance_out_misses(name: str) -> None:
    data = drawn(4, 40_000, [[0.8, 0.6], [0.6, 1.0]])
    found = reliability_corrected(data, variance=name)
    assert found.slope_se[0] < 0.025
    assert abs(found.slope[0] - 1) < 4.5 * found.slope_se[0]
    assert found.covariance_used
    without = reliability_corrected(data, variance=name, covariance=False)
    assert abs(without.slope[0] - 1.6) < 4.5 * without.slope_se[0]
    assert not without.covariance_used
    assert "no covariance" in without.name


def test_moments_are_bces_with_the_covariance_less_one_site() -> None:
    data = drawn(5, 30, uneven(6, 30))
    cov = data.cov * 29 / 30
    slope, intercept = bces_formula(
        data.mediator_effect, data.total_effect, cov[:, :1, :1], cov[:, :1, 1]
    )
    found = reliability_corrected(data, variance="moments")
    assert found.slope[0] == pytest.approx(slope[0], rel=1e-10)
    assert found.intercept == pytest.approx(intercept, rel=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_the_standard_error_is_that_of_the_jackknife(name: str) -> None:
    data = drawn(7, 250, uneven(8, 250))
    left_out = np.array(
        [
            (f.slope[0], f.intercept)
            for s in range(250)
            for f in [reliability_corrected(data.take(np.delete(range(250), s)), variance=name)]
        ]
    )
    jackknife = np.sqrt(249 / 250 * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
    found = reliability_corrected(data, variance=name)
    assert found.slope_se[0] == pytest.approx(jackknife[0], rel=0.05)
    assert found.intercept_se == pytest.approx(jackknife[1], rel=0.05)


def test_the_example_has_an_answer_where_the_variance_has_one() -> None:
    data = mechte()
    slope = ols(data).slope[0]
    mandel = reliability_corrected(data, variance="paule_mandel")
    assert slope / mandel.slope[0] == pytest.approx(0.22, abs=0.005)  # the reliability
    between = dersimonian_laird(data.mediator_effect[:, 0], data.cov[:, 0, 0]).variance
    assert between == pytest.approx(0.42, abs=0.005)
    found = reliability_corrected(data, variance="moments")
    assert not found.defined
    assert "variance of true mediator effects is 0" in found.reason


def test_what_cannot_be_is_undefined_or_refused() -> None:
    exact = np.tile(0.1 * np.eye(2), (4, 1, 1))
    exact[2, 0, 0] = 0
    data = sites([1, 2, 3, 5], [1, 2, 3, 4], exact)
    assert "site '3' is 0" in reliability_corrected(data).reason
    assert reliability_corrected(data, variance="paule_mandel").defined
    pair = reliability_corrected(sites([0, 1], [0, 3], 0.01 * np.eye(2)))
    assert math.isnan(pair.slope_se[0])
    assert pair.reason
    with pytest.raises(DataError, match="one mediator"):
        reliability_corrected(drawn(1, 10, np.eye(3), slope=[1, 2]))
    with pytest.raises(ModelError, match="estimator"):
        reliability_corrected(data, variance="reml")  # type: ignore[arg-type]
