"""Priors and the parameters that follow from others, without a graph."""

import numpy as np
import pytest
from scipy.stats import beta, kstest

from bayesmed.generative import SiteSlope
from bayesmed.generative.site_slope_parameters import entry_names
from bayesmed.priors import Prior
from tests.generative import variants

N_DRAWS = 4000
every_variant = pytest.mark.parametrize("name", variants.MODELS)


def prior_draws(name, n=N_DRAWS):
    model, data = variants.MODELS[name], variants.data(name)
    return model, data, model.prior_draws(data, n, np.random.default_rng(1))


def curve(draws, gamma):
    """Height of the curve at mediator effects (P,), by its definition; shape (n,)."""
    zero = np.zeros_like(draws["slope"])
    linear, quadratic = draws.get("slope_linear", zero), draws.get("slope_quadratic", zero)
    return ((draws["slope"] + linear * gamma + quadratic * gamma**2) * gamma).sum(axis=1)


@every_variant
def test_prior_draws_have_the_priors(name):
    model, data, draws = prior_draws(name)
    log_prior = model.log_prior(draws, data)
    priors = model.priors_for(data)
    assert list(log_prior) == list(model.parameters)
    columns = {}
    for parameter in model.parameters:
        value = draws[parameter]
        assert log_prior[parameter].shape == value.shape
        parts = value.T if value.ndim == 2 else [value]
        logs = log_prior[parameter].T if value.ndim == 2 else [log_prior[parameter]]
        names = data.mediators if parameter in model.by_mediator else model.covariates
        keys = entry_names(parameter, names if value.ndim == 2 else ())
        for key, own, log in zip(keys, parts, logs, strict=True):
            columns[key] = own
            np.testing.assert_allclose(log, priors[key].log_density(own))
    assert list(columns) == list(priors)
    for key, own in columns.items():
        distribution = priors[key].family.scipy(**priors[key].parameters)
        # Of a half distribution this is the whole one: fold it.
        probability = distribution.cdf(own)
        if priors[key].distribution == "HalfStudentT":
            probability = 2 * probability - 1
        assert kstest(probability, "uniform").pvalue > 1e-5, key


@every_variant
def test_what_follows_satisfies_its_definition(name):
    model, data, draws = prior_draws(name, 50)
    p = data.n_mediators
    assert set(draws) == {*model.parameters, *variants.derived(name)}
    if model.direct_effect:
        centre = np.array([model.scale(data, i).centre for i in range(p)])
        at_centre = draws["direct_effect_mean"] + curve(draws, centre)
        if model.correlated:
            rho = draws.get("correlation", model.correlation)
            tilt = rho * draws["direct_effect_sd"] / draws["mediator_effect_sd"][:, 0]
            at_centre = at_centre + tilt * (centre[0] - draws["mediator_effect_mean"][:, 0])
        np.testing.assert_allclose(draws["total_effect_at_centre"], at_centre, rtol=1e-9, atol=1e-9)
    if model.slope != "polynomial":
        return
    mean, square = draws["mediator_effect_mean"], draws["mediator_effect_sd"] ** 2
    linear, quadratic = draws["slope_linear"], draws["slope_quadratic"]
    average = draws["slope"] + linear * mean + quadratic * (mean**2 + square)
    np.testing.assert_allclose(draws["average_slope"], average, rtol=1e-12)
    if not model.direct_effect:
        return
    # First derivative and half the second one of the curve at the centre.
    first = draws["slope"] + 2 * linear * centre + 3 * quadratic * centre**2
    np.testing.assert_allclose(draws["slope_at_centre"], first, rtol=1e-9, atol=1e-9)
    second = linear + 3 * quadratic * centre
    np.testing.assert_allclose(draws["slope_linear_at_centre"], second, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["two mediators", "three mediators"])
def test_correlations_are_uniform_a_priori(name):
    _, data, draws = prior_draws(name)
    p = data.n_mediators
    matrix = draws["mediator_effect_corr"]
    assert matrix.shape == (N_DRAWS, p, p)
    np.testing.assert_allclose(np.diagonal(matrix, axis1=1, axis2=2), 1.0)
    np.testing.assert_array_equal(matrix, matrix.transpose(0, 2, 1))
    expected = beta(p / 2, p / 2, loc=-1, scale=2)
    for i, j in zip(*np.tril_indices(p, -1), strict=True):
        assert kstest(matrix[:, i, j], expected.cdf).pvalue > 1e-3


def test_default_priors_in_data_units():
    data = variants.data("constant")
    gamma, total = data.mediator_effect[:, 0], data.total_effect
    scale = SiteSlope().scale(data)
    priors = SiteSlope().priors_for(data)
    assert priors["slope"] == Prior("Normal", mu=0, sigma=2.5 * scale.slope_scale)
    assert priors["mediator_effect_sd"] == Prior("HalfNormal", sigma=np.std(gamma, ddof=1))
    expected = Prior("Normal", mu=total.mean(), sigma=2.5 * np.std(total, ddof=1))
    assert priors["total_effect_at_centre"] == expected
    assert "direct_effect_mean" not in priors
    curved = SiteSlope(slope="polynomial").priors_for(data)
    # One raw spread away from the centre, curvature moves total effects by half a spread or less.
    spread, height = np.std(gamma, ddof=1), np.std(total, ddof=1)
    assert curved["slope_linear_at_centre"] == Prior("Normal", mu=0, sigma=0.5 * height / spread**2)
    assert curved["slope_quadratic"] == Prior("Normal", mu=0, sigma=0.25 * height / spread**3)
    shifted = SiteSlope(covariates=("age",)).priors_for(data)["covariate_effect[age]"]
    per_age = np.std(total, ddof=1) / np.std(data.covariates["age"], ddof=1)
    assert shifted == Prior("Normal", mu=0, sigma=2.5 * per_age)


def test_each_mediator_has_its_own_scale_and_prior():
    name = "two mediators, own priors"
    model, data = variants.MODELS[name], variants.data(name)
    priors = model.priors_for(data)
    assert priors["slope[a]"] == Prior("Normal", mu=0.2, sigma=1)
    assert priors["slope[b]"] == Prior("StudentT", nu=3, mu=0, sigma=1)
    assert priors["mediator_effect_sd[a]"] == Prior("Exponential", lam=1)
    spread = np.std(data.mediator_effect[:, 1], ddof=1)
    assert priors["mediator_effect_sd[b]"] == Prior("HalfNormal", sigma=spread)


def test_a_prior_on_the_direct_effect_replaces_the_centred_one():
    data = variants.data("constant")
    model = SiteSlope(priors={"direct_effect_mean": Prior("Normal", mu=0, sigma=5)})
    assert model.intercept == "direct_effect_mean"
    assert "total_effect_at_centre" not in model.priors_for(data)
    draws = model.prior_draws(data, 20_000, np.random.default_rng(0))
    # Four standard errors of a standard deviation.
    assert draws["direct_effect_mean"].std() == pytest.approx(5, abs=4 * 5 / np.sqrt(40_000))


def test_raw_and_centred_coefficients_are_one_model_but_for_the_prior():
    """The same coefficients have the same likelihood, and effects, under either name."""
    data = variants.data("polynomial")
    centred = variants.MODELS["polynomial"]
    raw = variants.MODELS["polynomial, raw priors"]
    assert {"slope", "slope_linear", "direct_effect_mean"} <= set(raw.parameters)
    assert {"slope_at_centre", "slope_linear_at_centre"} <= set(centred.parameters)
    assert {*raw.parameters, *raw.derived} == {*centred.parameters, *centred.derived}
    draws = centred.prior_draws(data, 20, np.random.default_rng(3))
    one, other = (model.log_likelihood(draws, data) for model in (centred, raw))
    np.testing.assert_array_equal(one, other)
    # And a raw prior is a prior on the raw coefficient.
    log_prior = raw.log_prior(draws, data)["slope"]
    expected = Prior("Normal", mu=1, sigma=2).log_density(draws["slope"])
    np.testing.assert_allclose(log_prior, expected)


def test_covariates_are_centred_over_the_rows():
    model, data = variants.MODELS["covariates"], variants.data("covariates")
    values = model.covariate_values(data)
    assert values.shape == (data.n_rows, 2)
    np.testing.assert_allclose(values.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(values[:, 0], data.covariates["age"] - data.covariates["age"].mean())
