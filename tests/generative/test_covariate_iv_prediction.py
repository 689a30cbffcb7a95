"""New data of the covariate-IV model: by moments and person by person, and SciPy's regressions."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmed.data import TrialMoments
from bayesmed.generative import covariate_iv_prediction as prediction
from bayesmed.generative.covariate_iv_rows import person_rows
from tests.generative.covariate_ivs import MODELS, data_for, trial

REPEATED = 3000


def one_draw(name, data):
    """A draw of moderate size, many times."""
    model = MODELS[name]
    one = model.prior_draws(data, 1, np.random.default_rng(8))
    one["mediator_intercept"] = one["mediator_intercept"] * 0 + data.mediator.mean()
    return {k: np.repeat(v, REPEATED, axis=0) for k, v in one.items()}


@pytest.mark.parametrize("name", ["default", "common errors", "a control", "no interactions"])
def test_drawn_by_moments_or_by_persons_statistics_are_distributed_alike(name):
    model, data = MODELS[name], data_for(name)
    draws = one_draw(name, data)
    by_moments = model.replicated(draws, data, np.random.default_rng(1))
    by_person = prediction._by_persons(model, draws, person_rows(data), np.random.default_rng(2))
    for key, a in by_moments.items():
        b = by_person[key]
        assert a.shape == b.shape
        se = np.sqrt((a.var(axis=0) + b.var(axis=0)) / REPEATED)
        assert (np.abs(a.mean(axis=0) - b.mean(axis=0)) < 4.5 * se).all(), key
        ratio = a.std(axis=0) / b.std(axis=0)
        assert (np.abs(ratio - 1) < 0.12).all(), key


def test_observed_statistics_are_those_of_numpy():
    data = trial()
    found = MODELS["default"].observed(data)
    for arm in (0, 1):
        own = data.treatment == arm
        both = np.stack([data.mediator[own], data.outcome[own]])
        np.testing.assert_allclose(found["arm_mean"][1][arm], both.mean(axis=1))
        np.testing.assert_allclose(found["arm_covariance"][1][arm], np.cov(both))
        x = np.column_stack([np.ones(own.sum()), data.covariates[own]])
        slopes = np.linalg.lstsq(x, both.T, rcond=None)[0][1:].T
        np.testing.assert_allclose(found["covariate_slope"][1][arm], slopes, rtol=1e-8)


def test_moments_with_a_modified_slope_tell_of_the_mediator_alone():
    model, few = MODELS["modifiers"], TrialMoments.from_persons(trial())
    draws = model.prior_draws(few, 5, np.random.default_rng(1))
    found = model.replicated(draws, few, np.random.default_rng(1))
    for name, (_, values) in model.observed(few).items():
        assert found[name].shape == (5, *values.shape)
        assert values.shape[1] == 1


@pytest.mark.parametrize("name", ["random", "probit, random"])
def test_persons_effects_spread_outcomes_as_drawn_one_by_one(name):
    model, data = MODELS[name], data_for(name)
    draws = {k: v[:1] for k, v in one_draw(name, data).items()}
    n = 4000
    many = {k: np.repeat(v, n, axis=0) for k, v in draws.items()}
    rows = person_rows(data)
    outcome = prediction.simulated_persons(model, many, rows, np.random.default_rng(3))
    rng = np.random.default_rng(4)
    a, b = draws["direct_effect_sd"][0], draws["slope_sd"][0]
    both = draws["direct_effect_slope_corr"][0] * a * b
    effects = rng.multivariate_normal([0, 0], [[a**2, both], [both, b**2]], (n, data.n))
    constant = {
        k: np.zeros_like(v) if k in ("direct_effect_sd", "slope_sd") else v for k, v in many.items()
    }
    plain = prediction.simulated_persons(model, constant, rows, rng)
    own = plain[:, 1] + effects[..., 0] * data.treatment + effects[..., 1] * plain[:, 0]
    for x, y in ((outcome[:, 1], own), (outcome[:, 0], plain[:, 0])):
        se = np.sqrt((x.var(axis=0) + y.var(axis=0)) / n)
        assert (np.abs(x.mean(axis=0) - y.mean(axis=0)) <= 4.5 * se).all()
    np.testing.assert_allclose(outcome[:, 1].std(axis=0), own.std(axis=0), rtol=0.1)
