"""One model in every split: each fit as alone, answers put together by medians."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayesmed.core.errors import DataError, ModelError
from bayesmed.generative import SiteSlope
from bayesmed.inference import Sampler, fit
from bayesmed.studies.sensitivity import SplitSensitivity, split_sensitivity
from bayesmed.subgroups import CausalTree, RepeatedSites, repeat_sites
from tests.subgroups.people import NAMES, rows, trial

SAMPLER = Sampler(engine="exact", draws=500)


@pytest.fixture(scope="module")
def repeated() -> RepeatedSites:
    how = CausalTree(leaves=5, categorical=NAMES)
    return repeat_sites(rows(trial(n=3000)), how, splits=4, seed=3)


@pytest.fixture(scope="module")
def found(repeated: RepeatedSites) -> SplitSensitivity:
    with ThreadPoolExecutor(1) as own:
        return split_sensitivity(repeated, sampler=SAMPLER, seed=1, executor=own)


def test_every_split_has_the_posterior_of_its_sites_alone(
    found: SplitSensitivity, repeated: RepeatedSites
) -> None:
    table = found.table()
    assert sorted(set(table["split"])) == [1, 2, 3, 4]
    for b, one in enumerate(repeated.found, 1):
        row = table[(table["split"] == b) & (table["quantity"] == "slope")].iloc[0]
        assert (row["split_seed"], row["sites"]) == (one.seed, one.estimates.n_rows)
        alone = fit(SiteSlope(), one.estimates, sampler=SAMPLER, seed=2)
        exact = alone.tree["quadrature"]["mean"].sel(parameter="slope").item()
        sd = alone.tree["quadrature"]["sd"].sel(parameter="slope").item()
        assert row["mean"] == pytest.approx(exact, abs=0.01 * sd)
        assert row["sd"] == pytest.approx(sd, rel=0.01)
    assert table.loc[table["quantity"] == "slope", "q50"].nunique() == 4


def test_answers_are_medians_over_splits(found: SplitSensitivity) -> None:
    slope = found.table().query("quantity == 'slope'")
    row = found.combined().query("quantity == 'slope'").iloc[0]
    assert row["q50"] == np.median(slope["q50"])
    # Of four, the second lower end and the third upper one.
    assert row["q2.5"] == sorted(slope["q2.5"])[1]
    assert row["q97.5"] == sorted(slope["q97.5"])[2]
    assert (row["lowest"], row["highest"]) == (slope["q50"].min(), slope["q50"].max())
    assert row["share_positive"] == (slope["q50"] > 0).mean()
    outside = (slope["q2.5"] > 0) | (slope["q97.5"] < 0)
    assert row["share_excluding_0"] == outside.mean()
    assert row["splits"] == 4


def test_fits_that_did_not_converge_are_left_out(found: SplitSensitivity) -> None:
    table = found.table()
    table["converged"] = table["split"] != 2
    row = replace(found, estimates=table).combined().iloc[0]
    kept = table.query("quantity == 'slope' and split != 2")
    assert row["splits"] == 3
    assert row["q50"] == np.median(kept["q50"])
    nothing = replace(found, estimates=table.assign(converged=False))
    for none in (nothing, replace(found, estimates=pd.DataFrame())):
        assert not none.answered
        with pytest.raises(DataError, match="No split has an answer"):
            none.combined()
        assert "No split has an answer" in str(none)
        assert repr(none) == repr(found)


def test_splits_without_sites_are_told(repeated: RepeatedSites) -> None:
    two = replace(repeated, found=repeated.found[:2], without={77: "All are in one leaf."})
    with ThreadPoolExecutor(1) as own:
        found = split_sensitivity(two, sampler=SAMPLER, seed=1, executor=own)
    expected = pd.DataFrame({"split_seed": [77], "error": ["All are in one leaf."]})
    pd.testing.assert_frame_equal(found.failures(), expected)


def test_the_store_goes_on_where_it_was(repeated: RepeatedSites, tmp_path: object) -> None:
    store = f"{tmp_path}/splits.duckdb"
    first = replace(repeated, found=repeated.found[:2])
    tables = []
    with ThreadPoolExecutor(1) as own:
        for some in (first, repeated):
            done = split_sensitivity(some, sampler=SAMPLER, seed=1, store=store, executor=own)
            tables.append(done.table())
    both = tables[1][tables[1]["split"] <= 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(tables[0], both)


def test_what_is_no_set_of_splits_is_refused(repeated: RepeatedSites) -> None:
    with pytest.raises(ModelError, match="no set of splits"):
        split_sensitivity(repeated.found[0])  # type: ignore[arg-type]
    with pytest.raises((ModelError, DataError)):
        split_sensitivity(repeated, SiteSlope(covariates=("urban",)), seed=1)
