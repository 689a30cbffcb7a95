"""Strength beside the estimates, estimators on persons, and why lines through the origin differ.

Reasons claim numbers: where an estimator tends. They are held against the estimator itself at very
many sites drawn from a population that the posterior of a made fit knows.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayesmed.classical import cochran_q, person_level_iv, strength, wls
from bayesmed.data import PersonCovariance, SiteEstimates
from bayesmed.effects import Comparison, compare
from bayesmed.effects.person_differences import least_scatter
from bayesmed.effects.reference import Setting
from bayesmed.formulas.k_class import liml_kappa
from bayesmed.generative import MultiSiteIV, SiteSlope
from bayesmed.generative.site_model import SiteModel
from bayesmed.inference import Fit, Sampler
from bayesmed.priors import Prior
from tests.classical.people import persons, rows_of
from tests.classical.tables import drawn, lipids, sites, uneven, with_persons
from tests.effects.test_compare import codes, reason, slopes

ON_PERSONS = ("2SLS on persons", "LIML on persons", "k-class on persons")
DIMS = ("mediator", "other_mediator")
TINY = 0.01


def known(model: SiteModel, data: SiteEstimates, **values: object) -> Fit:
    """Make a fit whose posterior is next to certain of these values."""
    rng = np.random.default_rng(1)
    posterior = {}
    for name, value in values.items():
        array = np.asarray(value, dtype=float)
        noise = TINY * rng.normal(size=(4, 250, *array.shape)) * (array.ndim < 2)
        posterior[name] = (("chain", "draw", *DIMS[: array.ndim]), array + noise)
    coords = {dim: list(data.mediators) for dim in DIMS}
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(posterior, coords=coords)})
    return Fit(model, data, Sampler(draws=250), 1, tree)


def of_iv(data: SiteEstimates, model: SiteModel | None = None, **values: object) -> Comparison:
    """Compare a fit of one mediator: slope 1, effects of mean .6 and sd .3."""
    plain = {"slope": [1.0], "slope_sd": [0.05]}
    effects = {"mediator_effect_mean": [0.6], "mediator_effect_sd": [0.3]}
    return compare(known(model or MultiSiteIV(), data, **{**plain, **effects, **values}))


def trial(
    seed: int, n: int = 3000, each: int = 20, *, arms: int = 2, slope_sd: float = 0.0
) -> SiteEstimates:
    """Sites whose persons confound the mediator, in rows; the average slope is 1."""
    rng = np.random.default_rng(seed)
    site, t = np.repeat(np.arange(n), each), np.tile(np.arange(each) % arms, n)
    u = rng.normal(size=n * each)
    effect = rng.normal(0.6, 0.3, (n, arms)) * (np.arange(arms) > 0)
    m = effect[site, t] + u
    y = rng.normal(1.0, slope_sd, n)[site] * m + u + rng.normal(size=n * each)
    return SiteEstimates.from_rows(
        rows_of(pd.DataFrame({"site": site, "t": t, "m1": m, "y": y}), reference="0")
    )


@pytest.fixture(scope="module")
def weak() -> SiteEstimates:
    return trial(1)


def test_lipids_have_the_published_numbers() -> None:
    data = lipids()
    found = compare(data, intercept=False)
    line = found.table().query("estimator == 'WLS'").set_index("mediator")["slope"]
    np.testing.assert_allclose(line, [-0.0218, 0.0037, 0.0256], atol=5e-5)
    table = found.strength_table()
    assert list(table.columns) == ["quantity", "mediator", "value"]
    by_name = table.set_index(["quantity", "mediator"])["value"]
    f = by_name["conditional_f"][["LDL", "HDL", "Trg"]]
    np.testing.assert_allclose(f, [46.98, 68.75, 39.34], atol=0.006)
    assert by_name["cochran_q", ""] == pytest.approx(683.1, abs=0.05)
    assert by_name["cochran_q_df", ""] == 142
    assert by_name["rank", ""] == 3
    assert by_name["noise_level", ""] == pytest.approx(math.sqrt(145))
    values = table.query("quantity == 'singular_value'")["value"]
    np.testing.assert_allclose(values, strength(data, intercept=False).singular_values)


@pytest.mark.parametrize("intercept", [True, False])
def test_strength_and_scatter_are_those_of_the_lines_compared(intercept: bool) -> None:
    data = drawn(3, 40, uneven(1, 40, 2), slope=[1.0, 0.5], mean=1.0)
    found = compare(data, intercept=intercept)
    expected = strength(data, intercept=intercept)
    np.testing.assert_array_equal(found.strength.first_stage_f, expected.first_stage_f)
    assert found.strength.intercept == intercept
    assert found.overidentification == cochran_q(data, wls(data, intercept=intercept))
    exact = sites([1, 2, 4, 3], [1, 2, 4, 4], np.diag([0.0, 0.0]))
    nothing = compare(exact, intercept=intercept)
    assert nothing.overidentification.estimator == "OLS"
    table = nothing.strength_table().set_index("quantity")["value"]
    assert table.drop("cochran_q_df").isna().all()


@pytest.mark.parametrize("intercept", [True, False])
def test_estimators_on_persons_stand_in_the_table_of_data_from_rows(intercept: bool) -> None:
    data = SiteEstimates.from_rows(rows_of(persons(2, 12), ("m1", "m2")))
    table = compare(data, intercept=intercept).table().set_index(["estimator", "mediator"])
    for name, estimator in zip(ON_PERSONS, ("2sls", "liml", "k_class"), strict=True):
        expected = person_level_iv(data, estimator=estimator, direct_effect=intercept)
        np.testing.assert_array_equal(table.loc[name]["slope"], expected.slope)
        np.testing.assert_array_equal(table.loc[name]["slope_se"], expected.slope_se)


def test_without_rows_they_say_what_is_missing() -> None:
    found = compare(drawn(3, 20, uneven(1, 20)))
    for name in ON_PERSONS:
        told = reason(found, name, "not_defined")
        assert told["text"] == "Not defined: the data are site estimates, not rows of persons."
    assert not found.table().set_index("estimator")["defined"][list(ON_PERSONS)].any()


def looks_like(found: Comparison, estimator: str, code: str) -> float:
    return float(reason(found, estimator, code)["text"].rstrip(".").rsplit(" ", 1)[1])


@pytest.mark.parametrize("estimator", ["OLS", "WLS", "2SLS on persons"])
def test_weak_instruments_pull_as_far_as_they_are_said_to(
    weak: SiteEstimates, estimator: str
) -> None:
    found = of_iv(weak)
    told = reason(found, estimator, "weak_instruments")
    f = 1 / told["value"]
    assert 2 < f < 5
    assert f"1/F = {told['value']:.2g}" in told["text"]
    # At 3,000 sites chance moves a line by .01.
    assert slopes(found)[estimator] == pytest.approx(
        looks_like(found, estimator, "weak_instruments"), abs=0.05
    )
    assert slopes(found)[estimator] > 1.2
    assert not codes(found, estimator) & {"attenuation", "ignored_covariance"}
    if estimator == "2SLS on persons":
        weight = 1 / weak.persons.weight.sum(axis=1)
        own = strength(weak, intercept=False, weights=weight).first_stage_f[0]
        assert f == pytest.approx(own, rel=0.02)  # with covariances of each site's own


def test_arms_that_share_controls_are_weighed_together() -> None:
    data = trial(2, 800, each=30, arms=3)
    found = of_iv(data)
    told = looks_like(found, "2SLS on persons", "weak_instruments")
    assert slopes(found)["2SLS on persons"] == pytest.approx(told, abs=0.06)
    assert told > 1.2
    # With direct effects each arm has its own: that is no line through the origin.
    beside = compare(
        known(
            SiteSlope(),
            data,
            slope=[1.0],
            direct_effect_mean=0.0,
            direct_effect_sd=0.1,
            mediator_effect_mean=[0.6],
            mediator_effect_sd=[0.3],
        )
    )
    for name in ON_PERSONS:
        assert "different_target" not in codes(beside, name)


def test_several_mediators_are_pulled_together() -> None:
    rng, n = np.random.default_rng(7), 4000
    cov = np.array([[0.5, 0.1, 0.3], [0.1, 0.4, -0.1], [0.3, -0.1, 0.9]])
    data = drawn(rng, n, cov, slope=[1.0, -0.5], mean=0.5, sd=0.6, direct=(0.0, 0.0))
    corr = np.eye(2)
    found = compare(
        known(
            MultiSiteIV(),
            data,
            slope=[1.0, -0.5],
            slope_sd=[0.05, 0.05],
            mediator_effect_mean=[0.5, 0.5],
            mediator_effect_sd=[0.6, 0.6],
            mediator_effect_corr=corr,
            slope_corr=corr,
        )
    )
    line = found.table().query("estimator == 'OLS'").set_index("mediator")
    for mediator in data.mediators:
        told = reason(found, "OLS", "weak_instruments", mediator)
        seen = float(told["text"].rstrip(".").rsplit(" ", 1)[1])
        assert abs(line["slope"][mediator] - seen) < 4.5 * line["slope_se"][mediator] + 0.01
        assert f"slope of {mediator} within sites and arms" in told["text"]


def test_slopes_that_go_with_effects_move_lines_and_ratio_as_said() -> None:
    rng, n, omega = np.random.default_rng(5), 10_000, 0.8 * 0.3 * 0.5
    pair = rng.multivariate_normal([0.6, 1.0], [[0.09, omega], [omega, 0.25]], n)
    noise = rng.multivariate_normal([0, 0], 0.05 * np.eye(2), n)
    data = sites(pair[:, 0] + noise[:, 0], pair.prod(axis=1) + noise[:, 1], 0.05 * np.eye(2))
    found = of_iv(
        data,
        MultiSiteIV(compliance_correlation=True),
        slope_sd=[0.5],
        mediator_effect_slope_corr=[[0.8]],
        mediator_effect_corr=[[1.0]],
        slope_corr=[[1.0]],
    )
    noise_free = 2 * 0.6 * omega / (0.36 + 0.09)
    assert reason(found, "BCES", "compliance_correlation")["value"] == pytest.approx(
        noise_free, rel=0.02
    )
    told = reason(found, "OLS", "compliance_correlation")
    assert told["value"] == pytest.approx(2 * 0.6 * omega / (0.36 + 0.09 + 0.05), rel=0.02)
    assert "correlation 0.8" in told["text"]
    ratio = reason(found, "Pooled Wald", "compliance_correlation")
    assert ratio["value"] == pytest.approx(omega / 0.6, rel=0.02)
    for name in ("BCES", "Bias-corrected IV", "Pooled Wald"):
        # At 10,000 sites the estimates' own errors are near .01.
        assert slopes(found)[name] == pytest.approx(
            looks_like(found, name, "compliance_correlation"), abs=0.04
        )
    for name in ("BCES", "Pooled Wald"):
        assert "direct" not in reason(found, name, "compliance_correlation")["text"]


def test_with_an_intercept_they_move_a_line_too() -> None:
    rng, n, omega = np.random.default_rng(6), 10_000, 0.5 * 0.3 * 0.5
    pair = rng.multivariate_normal([0.6, 1.0], [[0.09, omega], [omega, 0.25]], n)
    noise = rng.multivariate_normal([0, 0], 1e-6 * np.eye(2), n)
    data = sites(pair[:, 0] + noise[:, 0], pair.prod(axis=1) + noise[:, 1], 1e-6 * np.eye(2))
    found = of_iv(
        data,
        MultiSiteIV(compliance_correlation=True, direct_effect=True),
        slope_sd=[0.5],
        mediator_effect_slope_corr=[[0.5]],
        mediator_effect_corr=[[1.0]],
        slope_corr=[[1.0]],
        direct_effect_mean=0.0,
        direct_effect_sd=0.01,
    )
    told = reason(found, "OLS", "compliance_correlation")
    assert told["value"] == pytest.approx(0.6 * omega / 0.09, rel=0.05)
    assert slopes(found)["OLS"] == pytest.approx(1 + told["value"], abs=0.05)


@pytest.mark.parametrize("kind", ["known", "drawn"])
def test_a_within_site_covariance_is_a_target_of_its_own(kind: str) -> None:
    rng, n, kappa = np.random.default_rng(8), 4000, 0.3
    effect = rng.normal(0.6, 0.3, n)
    noise = rng.multivariate_normal([0, 0], 0.01 * np.eye(2), n)
    data = sites(effect + noise[:, 0], effect + kappa + noise[:, 1], 0.01 * np.eye(2))
    if kind == "known":
        found = of_iv(data, MultiSiteIV(within_site_covariance=kappa))
    else:
        prior = Prior("Normal", sigma=1.0)
        model = MultiSiteIV(within_site_covariance=prior)
        found = of_iv(data, model, within_site_covariance=kappa)
    for name in ("OLS", "Bias-corrected IV", "Pooled Wald"):
        told = reason(found, name, "different_target")
        assert "mean within-site covariance to be 0. The posterior puts it at 0.3" in told["text"]
        assert slopes(found)[name] == pytest.approx(1 + told["value"], abs=0.03)
    assert not (found.reasons()["code"] == "excess_scatter").any()


def test_errors_that_leave_out_slopes_that_differ_are_named() -> None:
    data = trial(3, 200, 40, slope_sd=0.5)
    found = of_iv(data, slope_sd=[0.5])
    weight = 1 / data.persons.weight.sum(axis=1)
    share = weight * data.mediator_effect[:, 0] ** 2
    share /= share.sum()
    spread = 0.5 * np.sqrt(np.sum(share**2))
    for name in ("2SLS on persons", "k-class on persons"):
        told = reason(found, name, "random_slope")
        assert told["value"] == pytest.approx(spread, rel=0.03)
        assert told["text"].endswith("leaves out.")
    iterated = reason(found, "LIML on persons", "least_scatter")
    cross, df = data.persons.cross.sum(axis=0), data.persons.df.sum()
    both = np.column_stack([data.mediator_effect, data.total_effect])
    explained = (weight[:, None] * both).T @ both
    excess = liml_kappa(explained + cross, explained) - 1 - 199 / df
    assert iterated["value"] == pytest.approx(excess, rel=1e-6)
    assert "no average of them" in iterated["text"]
    scatter = found.reasons().query("code == 'excess_scatter'")
    assert set(scatter["estimator"]) == {"WLS", "Pooled Wald", *ON_PERSONS}
    assert "takes all of that for sampling error" not in " ".join(scatter["text"])


def test_chance_that_explains_all_is_told_with_how_much_less_there_is() -> None:
    data = drawn(4, 20, np.eye(2), mean=0.0, sd=0.0)
    data = with_persons(data)
    effect = 0.1 * data.mediator_effect
    data = replace(data, mediator_effect=effect)
    found = compare(data, intercept=False)
    told = reason(found, "k-class on persons", "undefined_denominator")
    weight = 1 / data.persons.weight.sum(axis=1)
    noise = data.persons.cross.sum(axis=0)[0, 0] / data.persons.df.sum()
    f = weight @ effect[:, 0] ** 2 / (20 * noise)
    assert f < 1
    assert told["value"] == pytest.approx(f - 1)


def test_a_slope_pulled_too_little_to_tell_is_not_mentioned() -> None:
    strong = drawn(3, 60, 1e-6 * np.eye(2), mean=2.0, direct=(0.0, 0.3))
    found = of_iv(strong)
    assert found.strength.relative_bias[0] < 1e-4
    assert "OLS" in set(found.reasons()["estimator"])
    assert not (found.reasons()["code"] == "weak_instruments").any()


def test_scatter_that_chance_makes_is_seldom_blamed_on_slopes() -> None:
    rng, runs, n, df = np.random.default_rng(9), 300, 20, 400.0
    root = np.linalg.cholesky(np.array([[1.0, 0.5], [0.5, 1.25]]))
    blamed = 0
    for _ in range(runs):
        weight = 1 / rng.uniform(5, 20, (n, 1))
        effect = rng.normal(0.6, 0.3, n)
        noise = np.sqrt(weight) * (rng.standard_normal((n, 2)) @ root.T)
        z = rng.standard_normal((int(df), 2)) @ root.T
        own = PersonCovariance(("all",), (z.T @ z)[None], np.array([df]), weight)
        data = SiteEstimates.from_arrays(
            mediator_effect=effect + noise[:, 0],
            total_effect=effect + noise[:, 1],
            cov=own.estimated_cov,
            persons=own,
        )
        setting = Setting(data, False, {}, None)
        line = person_level_iv(data, estimator="liml")
        blamed += len(list(least_scatter(setting, line)))
    assert abs(blamed / runs - 0.05) < 4 * math.sqrt(0.05 * 0.95 / runs)
