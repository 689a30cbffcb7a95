"""Estimators on persons, from what site estimates carry: linearmodels on rows, identities."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayesmed.classical import bces_formula, bias_corrected_iv, person_level_iv, strength, wls
from bayesmed.classical.person_iv import NAMES
from bayesmed.classical.person_products import whitened_noise
from bayesmed.core.errors import ModelError
from bayesmed.data import DataWarning, Estimation, SiteEstimates
from bayesmed.formulas.k_class import many_instruments_kappa
from tests.classical.people import by_linearmodels, persons, rows_of

ESTIMATORS = ("2sls", "liml", "k_class")


def estimated(frame: pd.DataFrame, mediators=("m1",), **options):
    roles = {k: options.pop(k) for k in tuple(options) if k not in ("estimator", "direct_effect")}
    return person_level_iv(SiteEstimates.from_rows(rows_of(frame, mediators, **roles)), **options)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("mediators", [("m1",), ("m1", "m2")])
@pytest.mark.parametrize("direct_effect", [True, False])
@pytest.mark.parametrize("more", ["plain", "covariate", "blocks", "arms"])
def test_site_estimates_give_what_linearmodels_gives_from_rows(
    estimator: str, mediators: tuple[str, ...], direct_effect: bool, more: str
) -> None:
    # Sites with a handful of persons in an arm are dropped.
    each = (40, 60) if more == "arms" else (12, 40)
    frame = persons(1, each=each, arms=3 if more == "arms" else 2, direct=0.3)
    roles = {
        "covariate": {"covariates": ("x",)},
        "blocks": {"fixed_effect": "block"},
        "arms": {"reference": "0"},
    }
    found = estimated(
        frame,
        mediators,
        estimator=estimator,
        direct_effect=direct_effect,
        **roles.get(more, {}),
    )
    kappa = estimator
    arms = 2 if more == "arms" else 1
    if estimator == "k_class":
        exogenous = 8 * (1 if more in ("plain", "arms") else 2) + arms * direct_effect
        kappa = many_instruments_kappa(len(frame), exogenous, (8 - direct_effect) * arms)
    oracle = by_linearmodels(
        frame,
        mediators,
        kappa,
        direct_effect=direct_effect,
        covariate=more == "covariate",
        blocks=more == "blocks",
    )
    names = list(mediators)
    np.testing.assert_allclose(found.slope, oracle.params[names], rtol=1e-8)
    np.testing.assert_allclose(found.slope_se, oracle.std_errors[names], rtol=1e-8)
    ends = oracle.conf_int().loc[names]
    np.testing.assert_allclose(found.interval_low, ends["lower"], rtol=1e-7)
    np.testing.assert_allclose(found.interval_high, ends["upper"], rtol=1e-7)
    if direct_effect and more != "arms":
        assert found.intercept == pytest.approx(oracle.params["arm 1"], rel=1e-8)
        assert found.intercept_se == pytest.approx(oracle.std_errors["arm 1"], rel=1e-8)
    else:
        assert math.isnan(found.intercept)


def test_two_stage_least_squares_is_a_regression_of_site_estimates() -> None:
    frame = persons(2, sites=12)
    data = SiteEstimates.from_rows(rows_of(frame, ("m1", "m2")))
    p = frame.groupby("site", sort=False)["t"].mean()
    n = frame.groupby("site", sort=False).size()
    assert p.std() > 0.05
    weight = (n * p * (1 - p)).loc[list(data.site)]
    line = wls(data, intercept=False, weights=weight)
    found = person_level_iv(data)
    np.testing.assert_allclose(found.slope, line.slope, rtol=1e-8)
    # Weights 1/se² are near, not the same.
    assert (np.abs(wls(data, intercept=False).slope - found.slope) > 1e-4).all()


def alike(frame: pd.DataFrame) -> tuple[SiteEstimates, np.ndarray]:
    """Site estimates with the covariance of persons who vary alike everywhere, and n p (1 - p)."""
    data = SiteEstimates.from_rows(rows_of(frame))
    by = frame.groupby(["site", "t"], sort=False)[["m1", "y"]]
    within = (frame[["m1", "y"]] - by.transform("mean")).to_numpy()
    pooled = within.T @ within / (len(frame) - 2 * data.n_rows)
    groups = frame.groupby("site", sort=False)["t"]
    weight = (groups.size() * groups.mean() * (1 - groups.mean())).loc[list(data.site)].to_numpy()
    cov = pooled / weight[:, None, None]
    arrays = {"mediator_effect": data.mediator_effect, "total_effect": data.total_effect}
    return SiteEstimates.from_arrays(**arrays, cov=cov), weight


def test_k_class_is_the_bias_corrected_estimator_of_persons_who_vary_alike() -> None:
    frame = persons(3)
    data, weight = alike(frame)
    found = estimated(frame, estimator="k_class")
    corrected = bias_corrected_iv(data, weights=weight)
    assert found.slope[0] == pytest.approx(corrected.slope[0], rel=1e-8)
    # What it takes off is the F told.
    f = strength(data, intercept=False, weights=weight).first_stage_f[0]
    two_stage = estimated(frame).slope[0]
    within = data.cov[0, 0, 1] / data.cov[0, 0, 0]
    assert two_stage - found.slope[0] == pytest.approx((within - found.slope[0]) / f)


def test_with_a_direct_effect_k_class_is_bces_less_one_site_of_noise() -> None:
    parts = []
    for s in range(10):
        part = persons(s + 20, 1, (30, 31)).assign(site=f"s{s}")
        part["t"] = np.arange(30) % 2
        part["m1"] += 2 * part["t"] * np.random.default_rng(s).normal()
        parts.append(part)
    frame = pd.concat(parts, ignore_index=True)
    data, _ = alike(frame)
    share = 9 / 10
    found = estimated(frame, estimator="k_class", direct_effect=True)
    slope, intercept = bces_formula(
        data.mediator_effect,
        data.total_effect,
        share * data.cov[:, :1, :1],
        share * data.cov[:, :1, 1],
    )
    assert found.slope[0] == pytest.approx(slope[0], rel=1e-8)
    assert found.intercept == pytest.approx(intercept, rel=1e-8)


def test_only_k_class_finds_the_truth_where_sites_are_many_and_direct_effects_differ() -> None:
    rng, sites, each = np.random.default_rng(4), 6000, 20
    n = sites * each
    site, t = np.repeat(np.arange(sites), each), np.tile(np.arange(each) % 2, sites)
    u = rng.normal(size=n)
    m = rng.normal(0.3, 0.5, sites)[site] * t + u
    y = 1.0 * m + rng.normal(0.2, 0.6, sites)[site] * t + u + rng.normal(size=n)
    frame = pd.DataFrame({"site": site, "t": t, "m1": m, "y": y})
    found = {e: estimated(frame, estimator=e, direct_effect=True) for e in ESTIMATORS}
    error = 0.04  # direct effects that differ are not in the errors of persons
    assert abs(found["k_class"].slope[0] - 1) < 4.5 * error
    assert found["2sls"].slope[0] > 1.35
    assert abs(found["liml"].slope[0] - 1) > 0.3
    assert estimated(frame, estimator="k_class").slope[0] > 1.2


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("direct_effect", [True, False])
def test_units_order_and_signs_change_nothing_else(estimator: str, direct_effect: bool) -> None:
    frame = persons(5)
    options = {"estimator": estimator, "direct_effect": direct_effect}
    plain = estimated(frame, ("m1", "m2"), **options)
    moved = frame.sample(frac=1, random_state=1)
    moved = moved.assign(m1=-1e4 * moved["m1"], m2=0.03 * moved["m2"] + 5, y=-0.2 * moved["y"])
    again = estimated(moved, ("m2", "m1"), **options)
    unit = -0.2 / np.array([-1e4, 0.03])
    np.testing.assert_allclose(again.slope[::-1], plain.slope * unit, rtol=1e-7)
    np.testing.assert_allclose(again.slope_se[::-1], plain.slope_se * np.abs(unit), rtol=1e-7)
    np.testing.assert_allclose(again.intercept, plain.intercept * -0.2, rtol=1e-7)
    turned = estimated(frame.assign(t=1 - frame["t"]), ("m1", "m2"), **options)
    np.testing.assert_allclose(turned.slope, plain.slope, rtol=1e-7)
    np.testing.assert_allclose(turned.intercept, -plain.intercept, rtol=1e-7)


def test_an_instrument_makes_treatment_the_first_mediator() -> None:
    frame = persons(6).rename(columns={"t": "z"})
    rng = np.random.default_rng(7)
    frame["t"] = (rng.random(len(frame)) < 0.2 + 0.5 * frame["z"]).astype(float)
    found = estimated(frame, ("m1",), instrument="z")
    assert found.mediators == ("t", "m1")
    oracle = by_linearmodels(
        frame.rename(columns={"t": "taken", "z": "t"}), ("taken", "m1"), "2sls"
    )
    np.testing.assert_allclose(found.slope, oracle.params[["taken", "m1"]], rtol=1e-8)


def test_sites_without_both_arms_take_no_part() -> None:
    frame = persons(8)
    lone = persons(9, 1).assign(site="lone", t=1)
    with pytest.warns(DataWarning, match="lone"):
        found = estimated(pd.concat([frame, lone], ignore_index=True))
    plain = estimated(frame)
    assert found.slope[0] == pytest.approx(plain.slope[0], rel=1e-12)
    assert found.slope_se[0] == pytest.approx(plain.slope_se[0], rel=1e-12)


def test_some_of_the_sites_keep_how_all_persons_vary() -> None:
    data = SiteEstimates.from_rows(rows_of(persons(8)))
    few = data.take([1, 4, 6])
    plain = wls(few, intercept=False, weights=1 / data.persons.weight[[1, 4, 6]].sum(axis=1))
    found = person_level_iv(few)
    assert found.slope[0] == pytest.approx(plain.slope[0], rel=1e-10)
    bread = np.sum(few.mediator_effect[:, 0] ** 2 / few.persons.weight.sum(axis=1))
    within = few.persons.cross.sum(axis=0)
    residual = np.array([-found.slope[0], 1.0]) @ within @ np.array([-found.slope[0], 1.0])
    sites = few.total_effect - found.slope[0] * few.mediator_effect[:, 0]
    residual += np.sum(sites**2 / few.persons.weight.sum(axis=1))
    spare = few.persons.df.sum() + 3 - 1
    assert found.slope_se[0] == pytest.approx(math.sqrt(residual / spare / bread), rel=1e-10)


def test_amounts_of_treatment_have_one_instrument_at_each_site() -> None:
    frame = persons(10)
    frame["t"] = frame["t"] + 1.5 * frame["block"]
    found = estimated(frame, continuous=True)
    dummies = pd.get_dummies(frame["site"], dtype=float)
    from linearmodels.iv import IV2SLS

    oracle = IV2SLS(
        frame["y"], dummies, frame[["m1"]], dummies.mul(frame["t"], axis=0).add_prefix("t ")
    )
    assert found.slope[0] == pytest.approx(oracle.fit().params["m1"], rel=1e-8)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_what_is_not_defined_says_why(estimator: str) -> None:
    frame = persons(12)
    both = SiteEstimates.from_rows(rows_of(frame, ("m1", "m2")))
    few = person_level_iv(both.take([0, 1]), estimator=estimator, direct_effect=True)
    assert few.reason == "1 instrument cannot determine 2 slopes"
    assert (few.name, few.mediators) == (NAMES[estimator], ("m1", "m2"))
    # The effects on m2 are twice those on m1, m2 itself is not twice m1.
    effect = both.mediator_effect[:, :1] * [1.0, 2.0]
    copied = person_level_iv(replace(both, mediator_effect=effect), estimator=estimator)
    assert "collinear" in copied.reason
    one = SiteEstimates.from_rows(rows_of(frame))
    arms = SiteEstimates.from_rows(rows_of(persons(1, each=(40, 60), arms=3), reference="0"))
    by_arm = 1e6 + (np.array(arms.arm) == "1")[:, None]
    same = replace(arms, mediator_effect=by_arm)
    flat = person_level_iv(same, estimator=estimator, direct_effect=True)
    assert "the same at all sites" in flat.reason
    assert person_level_iv(same, estimator=estimator).defined
    table = person_level_iv(replace(one, persons=None, derivation=""), estimator=estimator)
    assert table.reason == "the data are site estimates, not rows of persons"
    assert not table.defined


def test_liml_needs_variables_that_vary_on_their_own() -> None:
    data = SiteEstimates.from_rows(rows_of(persons(12)))
    cross = np.ones((2, 2)) * data.persons.cross[:, :1, :1]
    data = replace(data, persons=replace(data.persons, cross=cross))
    assert "on their own" in person_level_iv(data, estimator="liml").reason
    assert person_level_iv(data).defined


def test_weak_instruments_leave_k_class_undefined() -> None:
    frame = persons(24, 20, strength=0.0)
    frame["m1"] -= 0.5 * frame["t"]
    found = estimated(frame, estimator="k_class", direct_effect=True)
    assert "chance explains all" in found.reason
    assert estimated(frame, direct_effect=True).defined


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_clusters_leave_the_answer_without_errors(estimator: str) -> None:
    frame = persons(14, each=(60, 80))
    frame["school"] = np.arange(len(frame)) % 20
    clustered = estimated(frame, cluster="school", estimator=estimator)
    assert clustered.slope[0] == pytest.approx(estimated(frame, estimator=estimator).slope[0])
    assert math.isnan(clustered.slope_se[0])
    assert "clustered" in clustered.reason
    assert clustered.defined


def test_weights_and_log_odds_are_not_what_these_take() -> None:
    frame = persons(14)
    for roles in ({"weights": "w"}, {"log_odds": ("b",), "mediators": ("b",)}):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            found = estimated(frame, **{"mediators": ("m1",), **roles})
        assert not found.defined
        assert "weights, log odds" in found.reason
    with pytest.raises(ModelError, match="estimator"):
        estimated(frame, estimator="gmm")


@pytest.mark.parametrize("arms", [2, 3])
def test_the_noise_of_the_products_is_that_of_the_blocks(arms: int) -> None:
    frame = persons(16, each=(40, 60), arms=arms)
    roles = {"reference": "0"} if arms == 3 else {}
    data = SiteEstimates.from_rows(rows_of(frame, ("m1", "m2"), **roles), Estimation("pooled"))
    expected = np.zeros((3, 3))
    for block in range(data.n_blocks):
        rows = data.block_rows(block)
        weight = np.diag(data.persons.weight[rows].sum(axis=1))
        if len(rows) == 2:
            weight[0, 1] = weight[1, 0] = data.persons.cross_weight[tuple(rows.tolist())].sum()
        cov = data.block_cov(block).reshape(len(rows), 3, len(rows), 3)
        expected += np.einsum("rs,risj->ij", np.linalg.inv(weight), cov)
    np.testing.assert_allclose(whitened_noise(data), expected, rtol=1e-9)
    pooled = replace(data, persons=data.persons.pooled())
    alike = data.n_rows * data.persons.pooled().estimate[0]
    np.testing.assert_allclose(whitened_noise(pooled), alike, rtol=1e-9)
    assert whitened_noise(replace(data, persons=None)) is None
