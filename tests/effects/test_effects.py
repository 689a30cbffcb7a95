"""Estimands: identities draw by draw, the table's form, and nothing but units in other units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from bayesmed.data import SiteEstimates
from bayesmed.effects import effects, parameters
from bayesmed.generative import SiteSlope
from bayesmed.inference import Sampler, fit, tree

COLUMNS = ["effect", "site", "mediator", "mean", "sd", "q2.5", "q50", "q97.5", "p_positive"]
BY_SITE = {
    "mediator_effect",
    "indirect_effect",
    "direct_effect",
    "total_effect",
    "share_mediated",
    "reliability_of_site",
}
AVERAGES = {
    "acme",
    "average_direct_effect",
    "average_total_effect",
    "average_share_mediated",
    "superpopulation_acme",
    "superpopulation_direct_effect",
    "superpopulation_total_effect",
    "superpopulation_share_mediated",
    "reliability",
}
SHARES = {"share_mediated", "average_share_mediated", "superpopulation_share_mediated"}
EXACT = Sampler(engine="exact", draws=1000)


@pytest.fixture(scope="module")
def weighted():
    """Six sites of unequal weight whose total effects are well away from zero."""
    rng = np.random.default_rng(8)
    effect = rng.normal(0.6, 0.3, 6)
    return SiteEstimates.from_arrays(
        mediator_effect=effect + rng.normal(0, 0.1, 6),
        total_effect=1.0 + 1.5 * effect + rng.normal(0, 0.2, 6),
        cov=np.tile([[0.01, 0.004], [0.004, 0.02]], (6, 1, 1)),
        site=list("abcdef"),
        mediators=["effort"],
        weight=[1, 2, 3, 4, 5, 60],
    )


@pytest.fixture(scope="module")
def weighted_fit(weighted):
    return fit(SiteSlope(), weighted, sampler=EXACT, seed=21)


def test_every_estimand_follows_from_draws(weighted, weighted_fit):
    found = effects(weighted_fit).draws
    assert set(found.data_vars) == BY_SITE | AVERAGES
    sites = weighted_fit.tree["site_effects"].to_dataset()
    posterior = weighted_fit.tree["posterior"].to_dataset()
    for name in ("mediator_effect", "indirect_effect", "direct_effect", "total_effect"):
        assert found[name].identical(sites[name])
    assert_allclose(
        found["indirect_effect"], sites["mediator_effect"] * posterior["slope"], rtol=1e-12
    )
    total = found["direct_effect"] + found["indirect_effect"].sum("mediator")
    assert_allclose(found["total_effect"], total, rtol=1e-12, atol=1e-12)
    share = found["indirect_effect"] / found["total_effect"]
    assert_allclose(found["share_mediated"], share, rtol=1e-12)

    weight = np.array([1, 2, 3, 4, 5, 60]) / 75
    for name, of in (
        ("acme", "indirect_effect"),
        ("average_direct_effect", "direct_effect"),
        ("average_total_effect", "total_effect"),
    ):
        by_hand = sum(w * found[of].isel(site=s, drop=True) for s, w in enumerate(weight))
        assert_allclose(found[name], by_hand, rtol=1e-10)
    assert_allclose(
        found["average_share_mediated"],
        found["acme"] / found["average_total_effect"],
        rtol=1e-12,
    )

    acme = posterior["slope"] * posterior["mediator_effect_mean"]
    assert_allclose(found["superpopulation_acme"], acme, rtol=1e-12)
    assert_allclose(
        found["superpopulation_direct_effect"], posterior["direct_effect_mean"], rtol=1e-12
    )
    whole = posterior["direct_effect_mean"] + acme.sum("mediator")
    assert_allclose(found["superpopulation_total_effect"], whole, rtol=1e-12, atol=1e-12)
    assert_allclose(found["superpopulation_share_mediated"], acme / whole, rtol=1e-10)

    variance = posterior["mediator_effect_sd"] ** 2
    assert_allclose(found["reliability"], variance / (variance + 0.01), rtol=1e-12)
    assert_allclose(
        found["reliability_of_site"].isel(site=2), variance / (variance + 0.01), rtol=1e-12
    )


def test_dims_and_labels(weighted_fit):
    found = effects(weighted_fit).draws
    for name, values in found.data_vars.items():
        assert {"chain", "draw"} <= set(values.dims)
        assert ("site" in values.dims) == (name in BY_SITE)
        whole = name in ("direct_effect", "total_effect") or name.startswith(
            ("average_direct", "average_total", "superpopulation_direct", "superpopulation_total")
        )
        assert ("mediator" in values.dims) == (not whole), name
    assert found["site"].to_numpy().tolist() == list("abcdef")
    assert found["mediator"].to_numpy().tolist() == ["effort"]


def test_table_has_its_form_and_its_numbers(weighted_fit):
    found = effects(weighted_fit)
    table = found.table()
    assert list(table.columns) == COLUMNS
    assert set(table["effect"]) == BY_SITE | AVERAGES
    assert len(table) == 6 * len(BY_SITE) + len(AVERAGES)
    assert not table.duplicated(["effect", "site", "mediator"]).any()
    assert set(table.loc[table["effect"].isin(AVERAGES), "site"]) == {""}
    for row in table.itertuples(index=False):
        values = found.draws[row.effect]
        if row.site:
            values = values.sel(site=row.site)
        if row.mediator:
            values = values.sel(mediator=row.mediator)
        draws = np.ravel(values)
        assert draws.size == 4000
        quantiles = np.quantile(draws, [0.025, 0.5, 0.975])
        assert_allclose([row[5], row.q50, row[7]], quantiles, rtol=1e-12)
        if row.effect in SHARES:
            # The mean of a ratio whose denominator may be 0 does not exist.
            assert np.isnan(row.mean)
            assert np.isnan(row.sd)
        else:
            assert_allclose([row.mean, row.sd], [draws.mean(), draws.std(ddof=1)], rtol=1e-10)
        if row.effect.startswith("reliability"):
            assert np.isnan(row.p_positive)
        else:
            assert row.p_positive == np.mean(draws > 0)


def test_without_direct_effect_there_are_no_shares(indirect_fit):
    found = effects(indirect_fit)
    direct = {"direct_effect", "average_direct_effect", "superpopulation_direct_effect"}
    left = (BY_SITE | AVERAGES) - SHARES - direct
    assert set(found.draws.data_vars) == left
    assert set(found.table()["effect"]) == left
    assert_allclose(
        found.draws["total_effect"], found.draws["indirect_effect"].isel(mediator=0), rtol=1e-12
    )
    assert_allclose(
        found.draws["superpopulation_total_effect"],
        found.draws["superpopulation_acme"].isel(mediator=0),
        rtol=1e-12,
    )


def test_equal_weights_by_default(exact_fit):
    found = effects(exact_fit).draws
    assert_allclose(found["acme"], found["indirect_effect"].mean("site"), rtol=1e-12)


def test_a_site_whose_total_effect_is_known_to_be_zero(made_fit):
    """Its share does not exist; everything else does, and nothing warns."""
    data = SiteEstimates.from_arrays(
        mediator_effect=[0.0, 0.4, 0.8],
        total_effect=[0.0, 0.5, 0.9],
        cov=[np.zeros((2, 2)), np.diag([0.01, 0.01]), np.diag([0.01, 0.01])],
    )
    table = effects(made_fit(data=data)).table().set_index(["effect", "site"])
    assert table.loc[("total_effect", "1"), "mean"] == pytest.approx(0, abs=1e-9)
    assert np.isfinite(table.loc[("share_mediated", "2"), "q50"])


def test_thinned_sites_go_with_their_own_parameters(sites, monkeypatch):
    monkeypatch.setattr(tree, "SITE_VALUES", 4 * 50 * sites.n_rows / 2.5)
    sampler = Sampler(engine="exact", draws=50)
    found = effects(fit(SiteSlope(), sites, sampler=sampler, seed=3)).draws
    assert found["draw"].to_numpy().tolist() == list(range(0, 50, 3))
    slope = found["indirect_effect"] / found["mediator_effect"]
    assert_allclose(slope, slope.isel(site=0, drop=True).expand_dims(site=5, axis=2), rtol=1e-9)
    assert_allclose(found["acme"], found["indirect_effect"].mean("site"), rtol=1e-12)


# Powers of the two factors that each summary scales with.
POWERS = {
    "slope": (-1, 1),
    "mediator_effect_mean": (1, 0),
    "mediator_effect_sd": (1, 0),
    "total_effect_at_centre": (0, 1),
    "direct_effect_mean": (0, 1),
    "direct_effect_sd": (0, 1),
}
SUMMARIES = ["mean", "sd", "q2.5", "q25", "q50", "q75", "q97.5"]


@pytest.mark.parametrize(("mediator", "outcome"), [(1000.0, 0.001), (0.37, 55.0)])
def test_other_units_change_nothing_but_units(weighted, weighted_fit, mediator, outcome):
    moved = fit(SiteSlope(), weighted.rescaled([mediator], outcome), sampler=EXACT, seed=21)
    before, after = (parameters(f).set_index("name") for f in (weighted_fit, moved))
    assert set(before.index) == set(POWERS)
    for name, (a, b) in POWERS.items():
        scale = mediator**a * outcome**b
        # Against the posterior's width: a quantile near 0 has no relative error to speak of.
        error = after.loc[name, SUMMARIES] - scale * before.loc[name, SUMMARIES]
        assert (error.abs() < 1e-6 * scale * before.loc[name, "sd"]).all(), name
    old, new = effects(weighted_fit).draws, effects(moved).draws
    for name in BY_SITE | AVERAGES:
        scale = outcome
        if name in SHARES or name.startswith("reliability"):
            scale = 1.0
        elif name == "mediator_effect":
            scale = mediator
        assert_allclose(new[name], scale * old[name], rtol=1e-6, err_msg=name)


def test_mirrored_units_mirror_the_slope(weighted, weighted_fit):
    moved = fit(SiteSlope(), weighted.rescaled([-1.0], 1.0), sampler=EXACT, seed=21)
    before, after = (parameters(f).set_index("name") for f in (weighted_fit, moved))
    sd = before.loc["slope", "sd"]
    assert after.loc["slope", "mean"] == pytest.approx(-before.loc["slope", "mean"], abs=1e-6 * sd)
    assert after.loc["slope", "q2.5"] == pytest.approx(-before.loc["slope", "q97.5"], abs=1e-5 * sd)
    for name in ("direct_effect_mean", "direct_effect_sd", "mediator_effect_sd"):
        assert_allclose(
            after.loc[name, SUMMARIES].astype(float),
            before.loc[name, SUMMARIES].astype(float),
            atol=1e-5 * before.loc[name, "sd"],
        )


def test_order_of_sites_does_not_matter(weighted, weighted_fit):
    order = [3, 0, 5, 1, 4, 2]
    moved = fit(SiteSlope(), weighted.take(order), sampler=EXACT, seed=22)
    before, after = (parameters(f).set_index("name") for f in (weighted_fit, moved))
    for name in POWERS:
        error = after.loc[name, SUMMARIES] - before.loc[name, SUMMARIES]
        assert (error.abs() < 1e-6 * before.loc[name, "sd"]).all(), name
    old, new = (
        effects(f).table().set_index(["effect", "site", "mediator"]) for f in (weighted_fit, moved)
    )
    assert set(old.index) == set(new.index)
    new = new.loc[old.index]
    # 4,000 independent draws each: means within 4.5 combined Monte-Carlo errors.
    error = (new["mean"] - old["mean"]).abs()
    bound = 4.5 * np.sqrt((old["sd"] ** 2 + new["sd"] ** 2) / 4000)
    kept = old["mean"].notna()
    assert (error[kept] < bound[kept]).all()


def test_weights_move_the_average_only(weighted, weighted_fit):
    equal = replace(weighted, weight=np.ones(6))
    other = fit(SiteSlope(), equal, sampler=EXACT, seed=21)
    first, second = effects(weighted_fit).draws, effects(other).draws
    assert first["total_effect"].identical(second["total_effect"])
    assert not np.isclose(first["acme"], second["acme"]).any()


def test_parameters_of_the_exact_engine_come_from_quadrature(exact_fit):
    table = parameters(exact_fit)
    assert list(table.columns) == [
        "name", "mediator", "mean", "sd", "q2.5", "q25", "q50", "q75", "q97.5",
        "ess_bulk", "ess_tail", "r_hat",
    ]  # fmt: skip
    quadrature = exact_fit.tree["quadrature"].to_dataset()
    for row in table.itertuples(index=False):
        exact = quadrature.sel(parameter=row.name)
        assert row.mean == float(exact["mean"])
        assert row.q50 == float(exact["quantile"].sel(probability=0.5))
        draws = np.ravel(exact_fit.tree["posterior"][row.name])
        # Draws and quadrature agree within four Monte-Carlo errors.
        assert abs(draws.mean() - row.mean) < 4 * row.sd / np.sqrt(draws.size)
        assert (row.mediator == "PD") == (row.name in ("slope", *MEDIATOR_PARAMETERS))


MEDIATOR_PARAMETERS = ("mediator_effect_mean", "mediator_effect_sd")


def test_parameters_of_nuts_come_from_draws(nuts_fit):
    table = parameters(nuts_fit).set_index("name")
    for name, row in table.iterrows():
        draws = np.ravel(nuts_fit.tree["posterior"][name])
        quantiles = np.quantile(draws, [0.025, 0.25, 0.5, 0.75, 0.975])
        assert_allclose(row[["q2.5", "q25", "q50", "q75", "q97.5"]].astype(float), quantiles)
        assert_allclose([row["mean"], row["sd"]], [draws.mean(), draws.std(ddof=1)])
    assert (table["r_hat"] < 1.01).all()
    assert (table[["ess_bulk", "ess_tail"]] > 400).all(axis=None)


def test_tables_go_through_csv(weighted_fit, tmp_path):
    """What users write and read again keeps its numbers and empty cells."""
    table = effects(weighted_fit).table()
    table.to_csv(tmp_path / "effects.csv", index=False)
    again = pd.read_csv(tmp_path / "effects.csv", keep_default_na=False, na_values={
        c: [""] for c in COLUMNS[3:]
    })  # fmt: skip
    pd.testing.assert_frame_equal(again, table, check_dtype=False)
    assert isinstance(effects(weighted_fit).draws, xr.Dataset)
