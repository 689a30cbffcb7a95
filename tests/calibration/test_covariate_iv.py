"""The stored study of the covariate-IV posterior is honest, and can be repeated."""

import json

import numpy as np

from tests.calibration import covariate_iv


def stored():
    rows = json.loads(covariate_iv.STORED.read_text())["rows"]
    return {(r["model"], r["strength"], r["estimator"]): r for r in rows}


def error(rate, n):
    """Monte-Carlo standard error of a rate."""
    return np.sqrt(max(rate * (1 - rate), 1 / n) / n)


def test_it_is_whole():
    estimators = ("posterior", "2SLS", "least squares")
    cells = {(m, s, e) for m, s in covariate_iv.CELLS for e in estimators}
    assert set(stored()) == cells


def test_intervals_cover_where_instruments_are_not_weak():
    for (model, strength, estimator), row in stored().items():
        if estimator != "posterior" or row["partial_f"] < 5:
            continue
        n = row["replicates"]
        assert abs(row["coverage"] - 0.95) < 3 * error(0.95, n), (model, strength)
        if model != "probit":
            assert abs(row["mean"] - covariate_iv.TRUTH) < 0.06
        assert stored()[model, strength, "least squares"]["coverage"] < 0.1


def test_weak_instruments_leave_the_posterior_between_truth_and_least_squares():
    for model in ("by_arm", "common"):
        posterior = stored()[model, 0.2, "posterior"]
        assert posterior["partial_f"] < 3
        least_squares = stored()[model, 0.2, "least squares"]["mean"]
        assert covariate_iv.TRUTH < posterior["mean"] < least_squares
        assert posterior["coverage"] > 0.8


def test_a_refit_is_quick():
    assert all(r["refit_seconds"] < 2 for r in stored().values() if r["model"] != "probit")
