"""Replicated persons of correlated random coefficients, and what they are compared with."""

import numpy as np
import pytest
from scipy.stats import skew

from bayesmed.data import TrialPersons
from bayesmed.formulas.random_coefficients import (
    CoefficientCovariance,
    CoefficientMeans,
    mediator_variance,
    moments_given_treatment,
    slope_mediator_covariance,
)
from bayesmed.generative.random_coefficients_statistics import groups, statistics
from tests.generative.random_coefficients import MODELS, compiled, covariance, means, persons


def test_statistics_are_those_of_regressions():
    rng = np.random.default_rng(2)
    m, y = 3 + 2 * rng.standard_normal((2, 3, 80))
    y = y + 0.5 * m - 0.2 * m**2
    group = np.arange(80) % 2
    found = statistics(m, y, group, 2, curvature=True)
    for k in range(2):
        for draw in range(3):
            one, two = m[draw, group == k], y[draw, group == k]
            fitted = np.polynomial.polynomial.polyfit(one, two, 2)
            residual = two - np.polynomial.polynomial.polyval(one, fitted)
            of_square = np.polynomial.polynomial.polyfit(one, residual**2, 2)
            cov = np.cov(one, two, ddof=0)
            expected = {
                "mediator_mean": one.mean(),
                "outcome_mean": two.mean(),
                "mediator_variance": cov[0, 0],
                "outcome_variance": cov[1, 1],
                "mediator_outcome_covariance": cov[0, 1],
                "mediator_skewness": skew(one),
                "outcome_skewness": skew(two),
                "outcome_curvature": fitted[2],
                "outcome_variance_curvature": of_square[2],
            }
            assert set(expected) == set(found)
            for name, value in expected.items():
                assert found[name][draw, k] == pytest.approx(value, rel=1e-8, abs=1e-10), name


def test_groups_are_arms_amounts_or_thirds():
    def of(treatment, continuous=True):
        n = len(treatment)
        data = TrialPersons.from_arrays(
            treatment=treatment, mediator=np.arange(n), outcome=np.arange(n), continuous=continuous
        )
        return groups(data)

    assert of([0, 1, 1], continuous=False)[0] == ("0", "1")
    assert of([0, 2.5, 10, 0])[0] == ("0", "2.5", "10")
    labels, which = of(np.arange(9.0))
    assert labels == ("lowest third", "middle third", "highest third")
    assert np.bincount(which).tolist() == [3, 3, 3]
    # Most have nothing: two groups are left.
    labels, which = of([0.0] * 8 + [1, 2, 3])
    assert np.bincount(which).tolist() == [8, 3]
    assert len(labels) == 2


@pytest.mark.parametrize("name", ["two arms, direct", "amount, direct"])
def test_replicates_have_the_moments_of_the_model(name):
    found, n = compiled(name), 600
    # One treatment for each group of persons, so that moments are known.
    t = np.repeat([0.0, 1.0] if name.startswith("two") else [0.5, 1.0, 3.0], n)
    data = persons(name, t.size)
    data = TrialPersons.from_arrays(
        treatment=t,
        mediator=data.mediator,
        outcome=data.outcome,
        continuous=data.names.arms is None,
    )
    one = found.model.unstandardised(
        found.variables(found.point(1)), data, np.random.default_rng(0)
    )
    draws = {k: np.repeat(v, 400, axis=0) for k, v in one.items()}
    replicated = found.model.replicated(draws, data, np.random.default_rng(7))
    omega = CoefficientCovariance.of(covariance(one))
    level, outcome, effect, slope = means(one)
    centred = CoefficientMeans(
        level - data.mediator.mean(), effect, outcome, slope, one["direct_effect"][0]
    )
    amounts = np.unique(t) - t.mean()
    exact = moments_given_treatment(amounts, centred, omega)
    v = mediator_variance(amounts, omega)
    along = slope_mediator_covariance(amounts, omega)
    # Variances of n persons are (n - 1) / n of those of the population.
    small = 1.0 - 1.0 / n
    expected = {
        "mediator_mean": exact.mediator_mean + data.mediator.mean(),
        "outcome_mean": exact.outcome_mean,
        "mediator_variance": exact.mediator_variance * small,
        "outcome_variance": exact.outcome_variance * small,
        "mediator_outcome_covariance": exact.covariance * small,
        "mediator_skewness": np.zeros_like(v),
        "outcome_curvature": along / v,
    }
    for key, value in expected.items():
        average, error = replicated[key].mean(axis=0), replicated[key].std(axis=0) / 20
        assert (np.abs(average - value) < 4.5 * error).all(), key
    curve = replicated["outcome_variance_curvature"].mean(axis=0)
    np.testing.assert_allclose(curve, omega.slope - along**2 / v, rtol=0.1)


def test_replicates_of_cells():
    found = compiled("binary")
    one = found.parameters(found.point(1))
    draws = {k: np.repeat(v, 2000, axis=0) for k, v in one.items()}
    replicated = found.model.replicated(draws, found.data, np.random.default_rng(7))
    share, cell = one["mediator_share"][0], one["cell_mean"][0]
    outcome = (1 - share) * cell[:, 0] + share * cell[:, 1]
    for name, value in (("mediator_mean", share), ("outcome_mean", outcome)):
        error = replicated[name].std(axis=0) / np.sqrt(2000)
        assert (np.abs(replicated[name].mean(axis=0) - value) < 4.5 * error).all()
    assert "outcome_curvature" not in replicated


@pytest.mark.parametrize("name", MODELS)
def test_predictions_have_the_shape_of_what_is_observed(name):
    found, rng = MODELS[name], np.random.default_rng(1)
    data = persons(name)
    prior = found.prior_draws(data, 7, rng)
    replicated, observed = found.replicated(prior, data, rng), found.observed(data)
    assert list(replicated) == list(observed)
    for key, (dims, values) in observed.items():
        assert values.shape == tuple(len(found.coords(data)[dim]) for dim in dims)
        assert replicated[key].shape == (7, *values.shape)
        assert np.isfinite(replicated[key]).all()
