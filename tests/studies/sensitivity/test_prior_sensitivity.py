"""Refits agree with fits made by hand, and conclusions are judged as the tables say."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import arviz_stats as azs
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from pandas.testing import assert_frame_equal

from bayesmed.core.errors import ModelError
from bayesmed.data import SiteEstimates
from bayesmed.effects import effects, parameters
from bayesmed.generative import CovariateIV, PrincipalStrata, SiteSlope
from bayesmed.generative.replaced_priors import with_priors
from bayesmed.inference import Fit, Sampler, exact_posterior, fit
from bayesmed.inference.sampler import Sampler as Settings
from bayesmed.priors import Prior
from bayesmed.studies.sensitivity import (
    PriorSensitivity,
    PriorSet,
    power_scaling,
    prior_sensitivity,
)
from bayesmed.studies.sensitivity.conclusions import changes, compared
from bayesmed.studies.sensitivity.refit import Refit, rows_of_fit
from bayesmed.studies.study import run_study
from tests.generative.covariate_ivs import data_for
from tests.generative.random_coefficients import MODELS, persons
from tests.generative.test_principal_strata import binary_cells, cells, with_outcomes
from tests.trial_fits import made

ENDS = ["q2.5", "q50", "q97.5"]
SCEPTICAL = {"slope": Prior("Normal", mu=0, sigma=0.1)}
STEEP = {
    "slope": Prior("Normal", mu=-4, sigma=0.5),
    "direct_effect_sd": Prior("HalfNormal", sigma=9),
}


@pytest.fixture(scope="module")
def own() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture(scope="module")
def found(exact_fit: Fit, own: Executor) -> PriorSensitivity:
    return prior_sensitivity(
        exact_fit,
        alternatives={"sceptical": SCEPTICAL, "steep": STEEP},
        parameters=("slope", "direct_effect_sd"),
        factors=(0.5, 2),
        executor=own,
    )


def of(table: pd.DataFrame, prior: str, quantity: str) -> pd.Series:
    (row,) = table[(table["prior"] == prior) & (table["quantity"] == quantity)].to_dict("records")
    return pd.Series(row)


def test_the_fit_itself_is_as_its_own_tables_say(exact_fit: Fit, found: PriorSensitivity) -> None:
    table = found.table().query("prior == 'as fitted'")
    for row in parameters(exact_fit).to_dict("records"):
        mine = of(table, "as fitted", row["name"])
        np.testing.assert_allclose(mine[["mean", "sd", *ENDS]].astype(float), [
            row[name] for name in ("mean", "sd", *ENDS)
        ], rtol=1e-12)  # fmt: skip
    averages = effects(exact_fit).table().query("site == ''").set_index("effect")
    for name in ("acme", "average_direct_effect", "superpopulation_share_mediated"):
        columns = ["mean", "sd", *ENDS, "p_positive"]
        mine = of(table, "as fitted", name)
        np.testing.assert_allclose(
            mine[columns].astype(float), averages.loc[name, columns].astype(float), rtol=1e-12
        )
    assert (table["shift"].abs() < 1e-12).all()
    assert (table["width_ratio"] == 1).all()
    assert not table[["sign_changed", "interval_changed", "moved"]].any(axis=None)


def test_refits_are_the_fits_one_would_make_by_hand(
    exact_fit: Fit, found: PriorSensitivity
) -> None:
    table = found.table()
    for name, priors in {"sceptical": SCEPTICAL, "steep": STEEP}.items():
        model = with_priors(exact_fit.model, priors)
        expected = exact_posterior(model, exact_fit.data).summary("slope")
        mine = of(table, name, "slope")
        assert mine["mean"] == pytest.approx(expected.mean, abs=2e-3 * expected.sd)
        assert mine["sd"] == pytest.approx(expected.sd, rel=5e-3)
        assert mine["engine"] == "exact"
        drawn = fit(model, exact_fit.data, sampler=exact_fit.sampler, seed=5)
        acme = effects(drawn).table().query("effect == 'acme'").iloc[0]
        mine = of(table, name, "acme")
        noise = np.hypot(mine["mc_error"], acme["sd"] / np.sqrt(6000))
        assert abs(mine["mean"] - acme["mean"]) < 4 * noise
    own = exact_fit.model.priors_for(exact_fit.data)["slope"]
    wider = replace(exact_fit.model, priors={"slope": own.moved(0, 2)})
    expected = exact_posterior(wider, exact_fit.data).summary("slope")
    mine = of(table, "slope × 2", "slope")
    assert mine["mean"] == pytest.approx(expected.mean, abs=2e-3 * expected.sd)


def test_shifts_are_in_sds_of_the_fit(found: PriorSensitivity) -> None:
    table = found.table()
    before, after = of(table, "as fitted", "slope"), of(table, "steep", "slope")
    assert after["shift"] == pytest.approx((after["mean"] - before["mean"]) / before["sd"])
    widths = [row["q97.5"] - row["q2.5"] for row in (before, after)]
    assert after["width_ratio"] == pytest.approx(widths[1] / widths[0])


def test_conclusions_that_change_are_told(found: PriorSensitivity) -> None:
    told = found.changes()
    assert set(told["quantity"]) <= {
        "slope",
        "acme",
        "average_direct_effect",
        "average_total_effect",
    }
    steep = told.query("prior == 'steep' and quantity == 'slope'").set_index("conclusion")
    assert set(steep.index) == {"sign", "interval", "moved"}
    assert steep.loc["sign", ["before", "after"]].tolist() == ["positive", "negative"]
    assert steep.loc["interval", "before"].endswith("includes 0")
    assert steep.loc["interval", "after"].endswith("below 0")
    assert steep["clear"].all()
    table = found.table()
    flags = table[["sign_changed", "interval_changed", "moved"]].sum(axis=1)
    about = table["quantity"].isin(set(told["quantity"]))
    assert flags[about].sum() == len(told)


def test_priors_are_listed_as_they_were_used(found: PriorSensitivity, exact_fit: Fit) -> None:
    listed = found.priors()
    assert listed["prior"].unique().tolist() == [
        "as fitted", "sceptical", "steep", "slope × 0.5", "slope × 2", "direct_effect_sd × 0.5",
        "direct_effect_sd × 2",
    ]  # fmt: skip
    assert listed["prior"].unique().tolist() == found.table()["prior"].unique().tolist()
    wider = listed.query("prior == 'direct_effect_sd × 2'").iloc[0]
    own = exact_fit.model.priors_for(exact_fit.data)["direct_effect_sd"]
    assert wider["distribution"] == str(own.moved(0, 2))
    assert wider["factor"] == 2
    assert listed.query("prior == 'sceptical'")["factor"].isna().all()


def test_factors_are_those_of_the_entry_or_of_all(exact_fit: Fit) -> None:
    own = exact_fit.model.priors_for(exact_fit.data)["slope"]
    sets = (
        PriorSet("one", {"slope[PD]": own}, {"slope[PD]": 2.0}),
        PriorSet("all", {"slope[PD]": own}, {"slope": 3.0}),
    )
    none = pd.DataFrame()
    listed = PriorSensitivity(exact_fit, sets, none, none, none).priors()
    assert listed.set_index("prior").loc[["one", "all"], "factor"].tolist() == [2.0, 3.0]


def test_units_do_not_matter(sites: SiteEstimates, own: Executor, found: PriorSensitivity) -> None:
    k, c = 37.0, 0.02
    data = replace(
        sites,
        mediator_effect=k * sites.mediator_effect,
        total_effect=c * sites.total_effect,
        cov=sites.cov * np.outer([k, c], [k, c]),
    )
    other = fit(SiteSlope(), data, sampler=Sampler(engine="exact"), seed=11)
    again = prior_sensitivity(
        other, parameters=("slope", "direct_effect_sd"), factors=(0.5, 2), executor=own
    )
    mine, theirs = again.table(), found.table()
    for prior in ("slope × 0.5", "direct_effect_sd × 2"):
        for quantity in ("slope", "direct_effect_sd", "mediator_effect_sd"):
            here, there = of(mine, prior, quantity), of(theirs, prior, quantity)
            assert here["shift"] == pytest.approx(there["shift"], abs=3e-3)
            assert here["width_ratio"] == pytest.approx(there["width_ratio"], abs=5e-3)


def test_a_prior_without_data_to_speak_of_is_what_is_found(own: Executor) -> None:
    # Standard errors so large that the estimates say nothing: posteriors are the priors.
    rng = np.random.default_rng(2)
    data = SiteEstimates.from_arrays(
        mediator_effect=rng.normal(size=4),
        total_effect=rng.normal(size=4),
        cov=np.tile(1e8 * np.eye(2), (4, 1, 1)),
    )
    priors = {
        "slope": Prior("Normal", mu=1, sigma=1),
        "mediator_effect_sd": Prior("HalfNormal", sigma=1),
        "direct_effect_sd": Prior("HalfNormal", sigma=1),
        "mediator_effect_mean": Prior("Normal", sigma=1),
        "total_effect_at_centre": Prior("Normal", sigma=1),
    }
    fitted = fit(SiteSlope(priors=priors), data, sampler=Sampler(engine="exact"), seed=1)
    mirrored = {"mirrored": {"slope": Prior("Normal", mu=-1, sigma=1)}}
    table = prior_sensitivity(
        fitted, alternatives=mirrored, parameters=("slope",), factors=(3,), executor=own
    ).table()
    np.testing.assert_allclose(of(table, "mirrored", "slope")["shift"], -2, atol=2e-3)
    np.testing.assert_allclose(of(table, "slope × 3", "slope")["width_ratio"], 3, rtol=2e-3)
    np.testing.assert_allclose(of(table, "slope × 3", "direct_effect_sd")["shift"], 0, atol=2e-3)


def test_what_cannot_be_integrated_is_sampled(
    exact_fit: Fit, nuts_fit: Fit, own: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # `nuts_fit` has compiled the structure of this one.
    assert nuts_fit.model.structure(nuts_fit.data) == exact_fit.model.structure(exact_fit.data)
    monkeypatch.setattr("bayesmed.inference.quadrature.MAX_NODES", 10)
    own_priors = exact_fit.model.priors_for(exact_fit.data)
    same = {"same": {"slope": own_priors["slope"]}}
    table = prior_sensitivity(exact_fit, alternatives=same, factors=(), executor=own).table()
    sampled, before = of(table, "same", "slope"), of(table, "as fitted", "slope")
    assert sampled["engine"] == "nuts"
    assert sampled["converged"]
    assert sampled["ess_bulk"] > 400
    assert abs(sampled["mean"] - before["mean"]) < 5 * sampled["mc_error"]
    assert sampled["mc_error"] == pytest.approx(sampled["sd"] / sampled["ess_bulk"] ** 0.5)
    # A prior that leaves no closed form goes the same way.
    heavy = with_priors(exact_fit.model, {"total_effect_at_centre": Prior("Cauchy", beta=1)})
    with pytest.raises(ModelError, match="exact engine"):
        exact_posterior(heavy, exact_fit.data)


def test_a_refit_that_fails_is_kept_apart(
    exact_fit: Fit, own: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Refit.run

    def fails(task: Refit, seed: int) -> object:
        if task.name == "slope × 2":
            raise ArithmeticError("no such luck")
        return run(task, seed)

    monkeypatch.setattr(Refit, "run", fails)
    found = prior_sensitivity(exact_fit, parameters=("slope",), factors=(0.5, 2), executor=own)
    assert found.failures().to_numpy().tolist() == [["slope × 2", "ArithmeticError: no such luck"]]
    assert found.table()["prior"].unique().tolist() == ["as fitted", "slope × 0.5"]


def test_a_study_in_a_file_goes_on(exact_fit: Fit, own: Executor, tmp_path: Path) -> None:
    store = tmp_path / "study.duckdb"
    options = {"parameters": ("slope",), "store": store, "executor": own}
    few = prior_sensitivity(exact_fit, factors=(0.5,), **options)  # type: ignore[arg-type]
    more = prior_sensitivity(exact_fit, factors=(0.5, 2), **options)  # type: ignore[arg-type]
    assert_frame_equal(more.table()[: len(few.table())], few.table(), check_exact=True)
    again = prior_sensitivity(exact_fit, factors=(0.5, 2), **options)  # type: ignore[arg-type]
    assert_frame_equal(again.table(), more.table(), check_exact=True)


def test_no_priors_to_try_leave_power_scaling(exact_fit: Fit) -> None:
    found = prior_sensitivity(exact_fit, factors=())
    assert found.table()["prior"].unique().tolist() == ["as fitted"]
    assert found.changes().empty
    assert not found.power_scaling().empty


def test_what_is_no_fit_is_refused() -> None:
    with pytest.raises(ModelError, match="SiteSlope is no fit"):
        prior_sensitivity(SiteSlope())  # type: ignore[arg-type]


def table_of(*rows: tuple[str, float, float, float]) -> pd.DataFrame:
    """Return estimates of the slope: prior, q2.5, q50, q97.5; an sd of 1, Monte Carlo error .01."""
    return pd.DataFrame(
        {
            "prior": prior, "quantity": "slope", "mediator": "m", "mean": middle, "sd": 1.0,
            "q2.5": low, "q50": middle, "q97.5": high, "p_positive": 0.5, "mc_error": 0.01,
            "engine": "nuts", "converged": True, "divergences": 0, "r_hat": 1.0, "ess_bulk": 1e4,
            "ess_tail": 1e4,
        }
        for prior, low, middle, high in rows
    )  # fmt: skip


@pytest.mark.parametrize(
    ("low", "middle", "high", "expected"),
    [
        (0.1, 1.0, 2.0, {}),
        (0.1, 1.49, 2.0, {}),
        (0.1, 1.51, 2.0, {"moved": False}),
        (0.1, 1.70, 2.0, {"moved": True}),
        (0.1, 0.30, 2.0, {"moved": True}),
        (-0.01, 1.0, 2.0, {"interval": False}),
        (-0.3, 1.0, 2.0, {"interval": True}),
        (-3.0, -1.0, -0.1, {"sign": True, "interval": True, "moved": True}),
        (-0.1, 0.0, 0.1, {"sign": True, "interval": True, "moved": True}),
    ],
)
def test_conclusions_are_judged_one_by_one(
    low: float, middle: float, high: float, expected: dict[str, bool]
) -> None:
    table = compared(table_of(("fit", 0.08, 1.0, 2.0), ("other", low, middle, high)), "fit")
    told = changes(table, "fit")
    assert dict(zip(told["conclusion"], told["clear"], strict=True)) == expected
    assert (told["prior"] == "other").all()


def test_a_quantity_only_other_priors_have_is_shown_and_not_judged() -> None:
    estimates = table_of(("fit", 0.1, 1.0, 2.0), ("other", 0.1, 1.0, 2.0), ("other", -1, 0, 1))
    estimates.loc[2, "quantity"] = "correlation"
    table = compared(estimates, "fit")
    assert table["shift"].isna().tolist() == [False, False, True]
    assert not table[["sign_changed", "interval_changed", "moved"]].any(axis=None)


def test_ratios_move_by_their_medians(found: PriorSensitivity) -> None:
    table = found.table()
    before, after = (of(table, p, "average_share_mediated") for p in ("as fitted", "sceptical"))
    assert np.isnan(before["mean"])
    unit = (before["q97.5"] - before["q2.5"]) / 3.92
    assert after["shift"] == pytest.approx((after["q50"] - before["q50"]) / unit)


def test_power_scaling_is_that_of_arviz(exact_fit: Fit, caplog: pytest.LogCaptureFixture) -> None:
    mine = power_scaling(exact_fit).set_index(["quantity", "component"])["sensitivity"]
    with caplog.at_level(logging.CRITICAL):
        theirs = azs.psense_summary(
            exact_fit.tree, var_names=["slope", "direct_effect_sd"], round_to=9
        )
    for name, row in theirs.iterrows():
        key = str(name).split("[")[0]
        assert mine[key, "all priors"] == pytest.approx(row["prior"], abs=1e-8)
        assert mine[key, "likelihood"] == pytest.approx(row["likelihood"], abs=1e-8)
    alone = azs.psense(exact_fit.tree, var_names=["slope"], group_var_names=["slope"])
    assert mine["slope", "slope"] == pytest.approx(float(alone["slope"].squeeze()), abs=1e-12)
    assert {"acme", "average_direct_effect"} <= set(mine.index.get_level_values("quantity"))
    assert "average_share_mediated" not in mine.index.get_level_values("quantity")


def test_a_prior_at_odds_with_the_data_is_diagnosed(sites: SiteEstimates) -> None:
    many = replace(sites, cov=sites.cov / 100)
    against = SiteSlope(priors={"mediator_effect_mean": Prior("Normal", mu=0.9, sigma=0.05)})
    for model, diagnosis in ((SiteSlope(), ""), (against, "prior-data conflict")):
        fitted = fit(model, many, sampler=Settings(engine="exact"), seed=1)
        table = power_scaling(fitted).query("quantity == 'mediator_effect_mean'")
        assert table["diagnosis"].unique().tolist() == [diagnosis]
        own = table.set_index("component")["sensitivity"]
        assert (own["mediator_effect_mean"] > 0.05) == bool(diagnosis)
        assert own["slope"] < 0.05


def test_power_scaling_takes_thinned_draws_together(exact_fit: Fit) -> None:
    thinned = exact_fit.tree.copy()
    kept = exact_fit.tree["posterior"].draw[::3]
    for group in ("site_effects", "log_likelihood"):
        thinned[group] = xr.DataTree(exact_fit.tree[group].to_dataset().sel(draw=kept))
    mine = power_scaling(replace(exact_fit, tree=thinned))
    whole = exact_fit.tree.copy().sel(draw=kept)
    assert_frame_equal(mine, power_scaling(replace(exact_fit, tree=whole)), check_exact=True)


def test_a_refit_names_its_quantities_as_the_fit_does(nuts_fit: Fit) -> None:
    task = Refit("again", nuts_fit.model, nuts_fit.data, replace(nuts_fit.sampler, draws=200))
    rows, own = task.run(3), rows_of_fit(nuts_fit)
    assert [(r["quantity"], r["mediator"]) for r in rows] == [
        (r["quantity"], r["mediator"]) for r in own
    ]
    with ThreadPoolExecutor(1) as one:
        study = run_study([task], seed=1, executor=one)
    assert study.failures().empty
    same = [row | {"task": "again"} for row in task.run(3)]
    assert same == [row | {"task": "again"} for row in rows]


def test_power_scaling_of_one_trial() -> None:
    one = made(CovariateIV(), data_for("default"), shape=(4, 1000))  # draws of the prior
    table = power_scaling(one)
    mine = table.query("quantity == 'slope'").set_index("component")["sensitivity"]
    theirs = azs.psense(one.tree, var_names=["slope"], group_var_names=["slope"])
    assert mine["slope"] == pytest.approx(float(theirs["slope"].squeeze()), abs=1e-12)
    whole = azs.psense(one.tree, var_names=["slope"], group="likelihood")
    assert mine["likelihood"] == pytest.approx(float(whole["slope"].squeeze()), abs=1e-12)
    # A doubled power halves the variance of a normal distribution, and leaves all others.
    assert mine["slope"] > max(0.05, 10 * mine["mediator_sd"])
    assert mine["error_correlation"] == 0  # uniform
    assert {"total_effect", "indirect_effect"} <= set(table["quantity"])


def test_power_scaling_of_one_trial_takes_thinned_draws_together() -> None:
    one = made(CovariateIV(), data_for("default"), shape=(2, 300))
    kept = one.tree["posterior"].draw[::3]
    some = {
        name: one.tree[name].to_dataset().sel(draw=kept)
        for name in ("posterior", "log_prior", "log_likelihood")
    }
    thinned = one.tree.copy()
    thinned["log_likelihood"] = xr.DataTree(some["log_likelihood"])
    mine = power_scaling(replace(one, tree=thinned))
    whole = power_scaling(replace(one, tree=xr.DataTree.from_dict(some)))
    assert_frame_equal(mine, whole, check_exact=True)


TRIALS: dict[str, Callable[[], Fit[Any, Any]]] = {
    **{
        name: lambda name=name: made(MODELS[name], persons(name), shape=(2, 250))
        for name in ("two arms", "amount, direct", "binary")
    },
    "types, moments": lambda: made(
        PrincipalStrata(monotone_in="both", outcome_likelihood="moments", defiers=0.2),
        cells(),
        shape=(2, 250),
    ),
    "types, counts": lambda: made(PrincipalStrata(), binary_cells(), shape=(2, 250)),
    "types, mixture": lambda: made(
        PrincipalStrata(outcome_likelihood="mixture"), with_outcomes(cells()), shape=(2, 250)
    ),
    "types without heterogeneity": lambda: made(
        PrincipalStrata(heterogeneity=0.0), cells(), shape=(2, 250)
    ),
    "cells": lambda: made(PrincipalStrata(saturated=True), cells(), shape=(2, 250)),
}


@pytest.mark.parametrize("name", TRIALS)
def test_every_model_of_one_trial_is_scaled(name: str) -> None:
    table = power_scaling(TRIALS[name]())
    assert len(table)
    assert table["sensitivity"].notna().all()
    assert (table["sensitivity"] >= 0).all()


def test_uniform_priors_stay_what_they_are_to_any_power() -> None:
    one = made(PrincipalStrata(saturated=True), binary_cells(), shape=(2, 250))
    assert all(np.ptp(v.values) == 0 for v in one.tree["log_prior"].to_dataset().data_vars.values())
    table = power_scaling(one).set_index("component")
    assert (table.loc[table.index != "likelihood", "sensitivity"] == 0).all()
    assert (table.loc["likelihood", "sensitivity"] > 0).all()
    assert (table["diagnosis"] == "").all()
