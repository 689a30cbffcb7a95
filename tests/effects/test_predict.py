"""Predictions for new sites against closed forms, coverage, and every refusal."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from bayesmed.core.errors import DataError, InputError, ModelError
from bayesmed.effects import NewSites, effects, predict
from tests.variants import BASE, VARIANTS, made, variant_fit

# Draws of fixed parameters: predictions then have closed forms.
SHAPE = (4, 5000)
N = SHAPE[0] * SHAPE[1]


def fixed(name):
    return made(VARIANTS[name], shape=SHAPE, spread=0.0)


def close(draws, mean, variance):
    """Mean and variance of independent normal draws, within 4.5 Monte-Carlo errors."""
    draws = np.ravel(draws)
    assert abs(draws.mean() - mean) < 4.5 * np.sqrt(variance / N)
    assert abs(draws.var() - variance) < 4.5 * variance * np.sqrt(2 / N)


@pytest.mark.parametrize(("estimate", "se"), [(0.9, 0.2), (-1.0, 1.5), (0.9, 1e-3)])
def test_an_estimated_site_is_normal_conditioning(estimate, se):
    new = NewSites(["Oslo"], mediator_effect=[estimate], mediator_effect_se=[se])
    found = predict(fixed("constant"), new).draws
    mu, var = BASE["mediator_effect_mean"], BASE["mediator_effect_sd"] ** 2
    gain = var / (var + se**2)
    mean, left = mu + gain * (estimate - mu), var * (1 - gain)
    slope, spread = BASE["slope"], BASE["direct_effect_sd"] ** 2
    close(found["mediator_effect"], mean, left)
    close(found["indirect_effect"], slope * mean, slope**2 * left)
    close(found["direct_effect"], BASE["direct_effect_mean"], spread)
    total = BASE["direct_effect_mean"] + slope * mean
    close(found["total_effect"], total, slope**2 * left + spread)


def test_what_is_known_exactly_stays_as_it_is():
    new = NewSites(["a", "b"], mediator_effect=[0.2, -3.0], mediator_effect_se=[0, 0])
    found = predict(variant_fit("constant"), new).draws["mediator_effect"]
    assert_allclose(found.sel(site="a"), 0.2)
    assert_allclose(found.sel(site="b"), -3.0)


def test_several_mediators_are_conditioned_on_jointly():
    fit = fixed("two mediators")
    cov = np.array([[0.09, 0.05], [0.05, 0.16]])
    estimate = np.array([1.2, -0.4])
    new = NewSites(["Oslo"], mediator_effect=[estimate], mediator_effect_cov=[cov])
    found = predict(fit, new).draws["mediator_effect"].values.reshape(N, 2)
    true = VARIANTS["two mediators"].true()
    omega = true["mediator_effect_corr"][0] * np.outer(*[true["mediator_effect_sd"][0]] * 2)
    gain = omega @ np.linalg.inv(omega + cov)
    mu = true["mediator_effect_mean"][0]
    mean, left = mu + gain @ (estimate - mu), omega - gain @ omega
    root = np.linalg.inv(np.linalg.cholesky(left))
    white = (found - mean) @ root.T
    for i in range(2):
        close(white[:, i], 0.0, 1.0)
    assert abs(np.mean(white[:, 0] * white[:, 1])) < 4.5 / np.sqrt(N)
    diagonal = NewSites(["x"], mediator_effect=[estimate], mediator_effect_cov=[np.diag([1, 4])])
    errors = NewSites(["x"], mediator_effect=[estimate], mediator_effect_se=[[1, 2]])
    assert_allclose(predict(fit, diagonal).draws["acme"], predict(fit, errors).draws["acme"])


def test_a_correlation_tilts_direct_effects():
    new = NewSites(["Oslo"], mediator_effect=[1.3], mediator_effect_se=[0.3])
    found = predict(fixed("correlation"), new).draws
    rho, sd, spread = -0.4, BASE["mediator_effect_sd"], BASE["direct_effect_sd"]
    gain = sd**2 / (sd**2 + 0.09)
    mean, left = gain * (1.3 - BASE["mediator_effect_mean"]), sd**2 * (1 - gain)
    tilt = rho * spread / sd
    close(
        found["direct_effect"],
        BASE["direct_effect_mean"] + tilt * mean,
        tilt**2 * left + spread**2 * (1 - rho**2),
    )


def test_slopes_of_new_sites_vary_as_the_model_says():
    close(predict(fixed("random"), NewSites(["x"])).draws["slope_of_site"], 1.5, 0.4**2)
    found = predict(variant_fit("polynomial"), NewSites(["x"])).draws
    given = variant_fit("polynomial").tree["posterior"]
    gamma = found["mediator_effect"].sel(site="x")
    curve = given["slope"] + given["slope_linear"] * gamma + given["slope_quadratic"] * gamma**2
    assert_allclose(found["slope_of_site"].sel(site="x"), curve, rtol=1e-10)
    two = predict(variant_fit("two mediators, random"), NewSites(["x"], {"urban": 0.5}))
    assert two.draws["slope_of_site"].dims == ("chain", "draw", "site", "mediator")


def test_student_t_direct_effects_have_their_tails():
    found = np.ravel(predict(fixed("student_t"), NewSites(["x"])).draws["direct_effect"])
    standard = (found - BASE["direct_effect_mean"]) / BASE["direct_effect_sd"]
    assert stats.kstest(standard, stats.t(4).cdf).pvalue > 1e-4
    assert stats.kstest(standard, "norm").pvalue < 1e-6


def test_intervals_of_estimated_sites_hold_the_truth():
    """600 sites drawn from the truth and estimated with error: 95 % of intervals cover."""
    variant, n = VARIANTS["random"], 600
    rng = np.random.default_rng(12)
    sites = variant.model.new_site_effects(variant.true(), np.zeros((n, 0)), rng)
    se = rng.uniform(0.05, 0.8, n)
    estimate = sites["mediator_effect"][0, :, 0] + se * rng.normal(size=n)
    names = [str(i) for i in range(n)]
    fit = made(variant, shape=(2, 500), spread=0.0)
    new = NewSites(names, mediator_effect=estimate, mediator_effect_se=se)
    found = predict(fit, new).draws
    for name, truth in (
        ("mediator_effect", sites["mediator_effect"][0, :, 0]),
        ("indirect_effect", sites["indirect_effect"][0, :, 0]),
        ("total_effect", sites["total_effect"][0]),
    ):
        draws = found[name].stack(all=("chain", "draw")).values.reshape(n, -1)
        low, high = np.quantile(draws, [0.025, 0.975], axis=1)
        covered = np.mean((low < truth) & (truth < high))
        assert abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / n), name


def test_covariates_shift_direct_effects_and_their_population():
    fit = variant_fit("covariates")
    posterior, data = fit.tree["posterior"], fit.data
    new = NewSites(["a", "b"], {"urban": [0.9, 0.1], "year": 2030})
    found = predict(fit, new, weights=[3, 1]).draws
    away = np.array([0.7, 2030.0]) - [data.covariates[n].mean() for n in ("urban", "year")]
    shift = (posterior["covariate_effect"] * away).sum("covariate")
    expected = posterior["direct_effect_mean"] + shift
    assert_allclose(found["superpopulation_direct_effect"], expected, rtol=1e-9)
    total = found["superpopulation_direct_effect"] + found["superpopulation_acme"].sum("mediator")
    assert_allclose(found["superpopulation_total_effect"], total)
    direct = found["direct_effect"]
    gap = posterior["covariate_effect"].sel(covariate="urban") * 0.8
    error = (direct.sel(site="a") - direct.sel(site="b") - gap).values
    sd = np.sqrt(2) * posterior["direct_effect_sd"].values
    assert abs(np.mean(error / sd)) < 4.5 / np.sqrt(error.size)


def test_weights_make_a_target_population_of_the_sites():
    fit = variant_fit("covariates")
    weight = np.zeros(24)
    weight[[0, 5]] = 2.0, 6.0
    for weights in (weight, {"site 1": 1, "site 6": 3}):
        found = predict(fit, weights=weights).draws
        own = effects(fit).draws["indirect_effect"]
        expected = 0.25 * own.sel(site="site 1") + 0.75 * own.sel(site="site 6")
        assert_allclose(found["acme"], expected)
        means = [0.25 * x[0] + 0.75 * x[5] - x.mean() for x in fit.data.covariates.values()]
        shift = (fit.tree["posterior"]["covariate_effect"] * means).sum("covariate")
        expected = fit.tree["posterior"]["direct_effect_mean"] + shift
        assert_allclose(found["superpopulation_direct_effect"], expected, rtol=1e-9)
    same = predict(fit, weights=np.ones(24)).draws
    for name in same.data_vars:
        assert_allclose(same[name], effects(fit).draws[name], rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_predicts_new_sites(name):
    fit = variant_fit(name)
    covariates = dict.fromkeys(fit.model.covariates, 1.0)
    found = predict(fit, NewSites(["a", "b"], covariates))
    wanted = set(effects(fit).draws.data_vars) - {"reliability", "reliability_of_site"}
    assert set(found.draws.data_vars) == wanted == set(found.labels)
    assert np.isfinite(found.table()["q50"]).all()


def test_one_seed_gives_the_same_draws():
    fit = variant_fit("constant")
    new = NewSites(["a"])
    first = predict(fit, new).draws
    assert first.identical(predict(fit, new, seed=fit.seed).draws)
    assert not first.identical(predict(fit, new, seed=5).draws)
    with pytest.raises(ModelError, match="seed"):
        predict(fit, new, seed=-1)


def test_many_sites_are_predicted_from_fewer_draws(monkeypatch):
    # The verb hides the module of its name.
    monkeypatch.setattr(sys.modules[predict.__module__], "SITE_VALUES", 1000)
    fit = variant_fit("constant")
    found = predict(fit, NewSites([str(i) for i in range(5)])).draws
    assert found["draw"].values.tolist() == list(range(0, 250, 5))
    kept = fit.tree["posterior"]["slope"].sel(draw=found["draw"])
    slope = (found["indirect_effect"] / found["mediator_effect"]).sel(site="3")
    assert_allclose(slope, kept)


BAD = [
    (lambda: NewSites([]), r"names is \[\].*list of names"),
    (lambda: NewSites("Oslo"), r"names is 'Oslo'"),
    (lambda: NewSites([1]), r"names is \[1\]"),
    (lambda: NewSites(["a", "b", "a"]), r"'a' is named twice"),
    (lambda: NewSites(["a"], {"urban": [1, 2]}), r"'urban' has 2 numbers for 1 sites"),
    (lambda: NewSites(["a"], {"urban": ["much"]}), r"'urban' does not hold numbers"),
    (lambda: NewSites(["a"], {"urban": np.nan}), r"'urban' holds a number that is missing"),
    (lambda: NewSites(["a"], mediator_effect=[1]), r"need their standard errors, once"),
    (lambda: NewSites(["a"], mediator_effect_se=[1]), r"without mediator effects"),
    (
        lambda: NewSites(
            ["a"], mediator_effect=[1], mediator_effect_se=[1], mediator_effect_cov=[[[1]]]
        ),
        r"one of the two",
    ),
    (
        lambda: NewSites(["a"], mediator_effect=[1, 2], mediator_effect_se=[1, 1]),
        r"mediator_effect has shape \(2,\) for 1 sites",
    ),
    (
        lambda: NewSites(["a"], mediator_effect=[1], mediator_effect_se=[-1]),
        r"one standard error for each.*0 or more",
    ),
    (
        lambda: NewSites(["a"], mediator_effect=[[1, 2]], mediator_effect_se=[1]),
        r"one standard error for each",
    ),
    (
        lambda: NewSites(["a"], mediator_effect=[np.inf], mediator_effect_se=[1]),
        r"missing or not finite.*call of their own",
    ),
    (
        lambda: NewSites(["a"], mediator_effect=[[1, 2]], mediator_effect_cov=[[1, 2]]),
        r"has shape \(1, 2\), not \(1, 2, 2\)",
    ),
    (
        lambda: NewSites(
            ["a", "b"],
            mediator_effect=np.ones((2, 2)),
            mediator_effect_cov=[np.eye(2), [[1, 2], [2, 1]]],
        ),
        r"of 'b' is no covariance",
    ),
    (
        lambda: NewSites(
            ["a"], mediator_effect=[[1, 2]], mediator_effect_cov=[[[1, 0.5], [0.1, 1]]]
        ),
        r"of 'a' is no covariance",
    ),
]


@pytest.mark.parametrize(("make", "message"), BAD)
def test_impossible_sites_are_refused(make, message):
    with pytest.raises(InputError, match=message) as caught:
        make()
    assert caught.value.remedy


def test_what_does_not_fit_the_fit_is_refused():
    plain, other = variant_fit("constant"), variant_fit("covariates")
    for call, message in (
        (lambda: predict(plain), r"nothing to predict"),
        (lambda: predict(plain, NewSites(["a"], {"urban": 1})), r"no covariate 'urban'"),
        (lambda: predict(other, NewSites(["a"], {"urban": 1})), r"'year' of the new sites is miss"),
        (
            lambda: predict(
                plain, NewSites(["a"], mediator_effect=[[1, 2]], mediator_effect_se=[[1, 1]])
            ),
            r"2 columns and the data 1 mediators: effort",
        ),
        (lambda: predict(plain, weights={"site 99": 1}), r"no site 'site 99'.*'site 9'"),
        (lambda: predict(plain, weights=[1, 2]), r"shape \(2,\) for 24 sites"),
        (lambda: predict(plain, weights="equal"), r"not numbers"),
        (lambda: predict(plain, weights=np.zeros(24)), r"or all are 0"),
        (lambda: predict(plain, weights=[-1, *[1] * 23]), r"0 or more"),
        (lambda: predict(plain, weights=[np.nan, *[1] * 23]), r"0 or more"),
    ):
        with pytest.raises(DataError, match=message) as caught:
            call()
        assert caught.value.remedy
