"""Metrics: by hand, against long-run errors, with what is not defined."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bayesmed.studies.simulation.metrics import METRICS, metrics

NAN, INF = math.nan, math.inf


def test_a_case_by_hand():
    estimate = np.array([1.0, 3.0, -1.0, NAN, 2.0])
    low = np.array([0.5, 2.5, -2.0, NAN, NAN])
    high = np.array([1.5, 6.0, -0.5, NAN, NAN])
    found = metrics(estimate, low, high, 2.0)
    assert (found["replicates"], found["undefined"], found["without_interval"]) == (5, 1, 1)
    away = np.array([-1.0, 1.0, -3.0, 0.0])
    assert found["bias"] == pytest.approx(away.mean())
    assert found["bias_error"] == pytest.approx(away.std(ddof=1) / 2)
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean(away**2)))
    assert found["rejects"] == pytest.approx(3 / 5)  # of all five
    assert found["covers"] == pytest.approx(0.0)  # of three intervals
    assert found["median_width"] == pytest.approx(1.5)
    assert found["wrong_sign"] == pytest.approx(1 / 4)  # of four estimates
    assert found["type_s"] == pytest.approx(1 / 3)  # of three rejections


def test_a_truth_of_zero_has_no_sign_and_a_negative_one_has():
    x = np.array([1.0, -1.0])
    none = metrics(x, x - 0.5, x + 0.5, 0.0)
    assert math.isnan(none["wrong_sign"])
    assert math.isnan(none["type_s"])
    assert none["rejects"] == 1.0
    negative = metrics(x, x - 0.5, x + 0.5, -1.0)
    assert negative["wrong_sign"] == negative["type_s"] == 0.5


def test_where_nothing_is_defined_only_counts_are():
    nothing = np.full(3, NAN)
    found = metrics(nothing, nothing, nothing, 1.0)
    assert (found["replicates"], found["undefined"], found["rejects"]) == (3, 3, 0.0)
    assert all(math.isnan(found[name]) for name in METRICS if name != "rejects")


def test_an_infinite_interval_covers_and_has_an_infinite_width():
    low, high = np.array([-INF, 0.0, 1.0]), np.array([INF, INF, 2.0])
    found = metrics(np.full(3, 1.5), low, high, 1.5)
    assert found["covers"] == 1.0
    assert found["median_width"] == INF
    assert found["median_width_error"] == INF
    assert found["rejects"] == pytest.approx(1 / 3)


def test_the_monte_carlo_errors_are_those_of_repeated_studies():
    rng = np.random.default_rng(1)
    n, studies = 400, 400
    found = []
    for _ in range(studies):
        estimate = rng.normal(0.5, 1.0, n)
        half = rng.gamma(4.0, 0.5, n)
        found.append(metrics(estimate, estimate - half, estimate + half, 0.4))
    for name in METRICS:
        values = np.array([f[name] for f in found])
        errors = np.array([f[f"{name}_error"] for f in found])
        # The error of a standard deviation from 400 studies is about 4 %.
        assert np.median(errors) == pytest.approx(values.std(), rel=0.2), name


def test_a_share_of_none_or_all_still_has_an_error():
    x = np.full(1000, 1.0)
    found = metrics(x, x - 0.5, x + 0.5, 1.0)
    assert found["rejects"] == found["covers"] == 1.0
    assert 0 < found["covers_error"] < 0.002
