"""Leaves of a causal tree as sites: who is in which, and what honesty means."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayesmed.data import DataError, PersonRows, RowColumns
from bayesmed.subgroups import CausalTree, FoundSites, find_sites
from tests.subgroups.people import NAMES, SITE, effects, rows, shares, trial

pytest.importorskip("econml")

TREE = CausalTree(leaves=4, categorical=NAMES)


def found(people: Any, how: CausalTree = TREE, seed: int = 3, **changed: Any) -> FoundSites:
    return find_sites(rows(people, **changed), how, seed=seed)


def same(a: FoundSites, b: FoundSites) -> None:
    assert a.estimates.site == b.estimates.site
    np.testing.assert_allclose(a.estimates.cov, b.estimates.cov, rtol=1e-9)
    np.testing.assert_allclose(a.estimates.total_effect, b.estimates.total_effect, rtol=1e-9)


def test_leaves_are_where_effects_differ() -> None:
    sites = found(trial()).estimates.site
    assert set(sites) == {
        f"{age}, {region}"
        for age in ("age < 40", "age ≥ 40")
        for region in ("region=North", "region≠North")
    }


def test_edges_that_look_alike_are_told_apart() -> None:
    people = trial(differs=False)
    people["age"] = 1.0 + 1e-9 * np.arange(len(people)) / len(people)
    people["m"] += people.t * np.floor(4e9 * (people.age - 1))
    sites = found(people, CausalTree(leaves=4), site="age").estimates
    assert len(set(sites.site)) == 4
    assert sites.n is not None
    assert sites.n.sum() == (shares(range(len(people)), 3) >= 0.5).sum()


def test_a_mediator_that_does_not_vary_splits_nobody() -> None:
    from bayesmed.data.rows.baseline import PartOfPersons
    from bayesmed.subgroups.growing import adjusted

    rng = np.random.default_rng(1)
    x = rng.normal(size=(500, 3))
    m = np.column_stack([np.full(500, 0.1), 0.1 + 2 * x[:, 0], rng.normal(size=500)])
    left = adjusted(PartOfPersons(x, np.ones((500, 1)), m)).mediators
    assert (left[:, :2] == 0).all()
    assert left[:, 2].std() > 0.9


def test_estimates_are_those_of_the_other_part_by_hand() -> None:
    people = trial()
    got = found(people).estimates
    other = people[shares(range(len(people)), 3) >= 0.5]
    for i, name in enumerate(got.site):
        inside = np.ones(len(other), dtype=bool)
        for part in name.split(", "):
            column, value = part.split(" " if "age" in part else part[6], 1)
            if column == "age":
                young = (other.age < 40).to_numpy()
                inside &= young if value.startswith("<") else ~young
            else:
                north = (other.region == "North").to_numpy()
                inside &= north if "=" in part else ~north
        wanted = effects(other[inside])
        assert got.n is not None
        assert got.n[i] == inside.sum()
        np.testing.assert_allclose([got.mediator_effect[i, 0], got.total_effect[i]], wanted)
    assert got.n is not None
    assert got.n.sum() == len(other)


def test_what_the_growing_part_says_does_not_reach_the_estimates_nor_back() -> None:
    people = trial()
    growing = shares(range(len(people)), 3) < 0.5
    plain = found(people)
    moved = people.copy()
    moved.loc[growing, "y"] += 100 * moved.t[growing] + moved.age[growing]
    same(plain, found(moved))
    moved = people.copy()
    moved.loc[~growing, ["m", "y"]] *= -3.0
    other = found(moved)
    pd.testing.assert_frame_equal(plain.splits, other.splits)
    np.testing.assert_allclose(other.estimates.total_effect, -3 * plain.estimates.total_effect)


def test_one_mediator_gives_the_tree_of_econml() -> None:
    from econml.grf import CausalForest

    from bayesmed.data.rows.baseline import PartOfPersons
    from bayesmed.subgroups.growing import grown
    from bayesmed.subgroups.splits import splits_of

    rng = np.random.default_rng(5)
    x = rng.integers(0, 30, size=(3000, 4)).astype(float)
    t = rng.permutation(np.arange(3000) % 2).astype(float)
    m = t * (np.where(x[:, 0] < 11, 2.0, 0.0) + (x[:, 1] >= 20)) + rng.normal(size=3000)
    ours = splits_of(grown(PartOfPersons(x, t[:, None], m[:, None]), 3, 50, 1))
    forest = CausalForest(
        n_estimators=1, subforest_size=1, inference=False, honest=False, max_samples=1.0,
        max_depth=3, min_samples_leaf=100, min_samples_split=200, random_state=1, n_jobs=1,
    ).fit(x, t, m)  # fmt: skip
    tree = forest.estimators_[0].tree_
    inner = tree.children_left >= 0
    theirs = [(f, np.ceil(e)) for f, e in zip(tree.feature[inner], tree.threshold[inner])]  # noqa: B905
    assert [(s.feature, s.edge) for s in ours] == theirs
    assert len(ours) > 3


def test_units_of_mediators_and_features_change_nothing() -> None:
    people = trial()
    plain = found(people, mediators=("m", "k"))
    moved = people.assign(m=1e4 * people.m - 7, income=np.log(people.income), age=people.age / 10)
    other = found(moved, mediators=("m", "k"))
    np.testing.assert_allclose(other.estimates.total_effect, plain.estimates.total_effect)
    np.testing.assert_allclose(
        other.estimates.mediator_effect, plain.estimates.mediator_effect * [1e4, 1], rtol=1e-9
    )


def test_several_mediators_share_one_tree() -> None:
    one, both = found(trial()), found(trial(), CausalTree(categorical=NAMES), mediators=("m", "k"))
    assert "sex" not in set(one.splits["column"])
    assert {"sex", "age", "region"} <= set(both.splits["column"])
    assert both.estimates.n_mediators == 2


def test_clusters_stay_together() -> None:
    people = trial()
    got = found(people, cluster="school")
    inside = people[shares(people.school, 3) >= 0.5]
    assert got.estimates.n is not None
    assert got.estimates.n.sum() == len(inside)
    assert "clusters of school" in got.estimates.derivation


def test_files_frames_and_persons_in_any_order_give_the_same(tmp_path: Path) -> None:
    people = trial(n=2000).assign(id=range(2000))
    plain = found(people)
    people.to_csv(tmp_path / "people.csv", index=False)
    people.to_parquet(tmp_path / "people.parquet")
    columns = RowColumns("t", ("m",), "y", site=SITE)
    for name in ("people.csv", "people.parquet"):
        same(plain, find_sites(PersonRows.read(tmp_path / name, columns), TREE, seed=3))
    people.sample(frac=1.0, random_state=1).to_parquet(tmp_path / "shuffled.parquet")
    by_id = CausalTree(leaves=4, categorical=NAMES, person="id")
    shuffled = PersonRows.read(tmp_path / "shuffled.parquet", columns)
    assert find_sites(shuffled, by_id, seed=3).estimates.site == plain.estimates.site
    same(plain, find_sites(shuffled, by_id, seed=3))


def test_equal_weights_change_nothing() -> None:
    people = trial().assign(w=0.25)
    plain, weighted = found(people), found(people, weights="w")
    pd.testing.assert_frame_equal(plain.splits, weighted.splits, rtol=1e-9)
    np.testing.assert_allclose(weighted.estimates.total_effect, plain.estimates.total_effect)


def test_persons_without_a_needed_column_are_counted_and_left_out() -> None:
    people = trial()
    people.loc[:99, "age"] = np.nan
    people.loc[100:199, "income"] = np.nan
    got = found(people)
    table = got.reduction.missingness.table
    other = people[shares(range(len(people)), 3) >= 0.5]
    assert int(table["missing[subgroup]"].sum()) == int(other.age.isna().sum())
    assert "income" not in set(got.splits["column"])


def test_every_leaf_has_enough_persons_of_each_arm_in_both_parts() -> None:
    people = trial(n=1500)
    got = found(people, CausalTree(leaves=50, least_in_leaf=60, categorical=NAMES))
    persons = got.reduction.moments
    assert persons.n.min() >= 60
    assert (got.splits[["n_below", "n_above"]] >= 120).all(axis=None)
    assert len(found(people, CausalTree(leaves=3, categorical=NAMES)).estimates.site) == 3


def test_amounts_arms_and_encouragement() -> None:
    people = trial().assign(dose=lambda d: d.t + 0.3 * (d.age % 3), offer=lambda d: d.t)
    people["arm"] = np.where(people.t == 1, np.where(people.school % 2, "call", "letter"), "none")
    amounts = found(people, treatment="dose", continuous=True)
    assert amounts.estimates.n_rows >= 2
    arms = found(people, treatment="arm", reference="none")
    assert arms.estimates.arm is not None
    assert set(arms.estimates.arm) == {"call", "letter"}
    offered = found(people.assign(d=people.t * (people.school % 3 > 0)), treatment="d",
                    instrument="offer")  # fmt: skip
    assert offered.estimates.mediators == ("d", "m")


def test_without_differences_honest_sites_differ_by_chance_only() -> None:
    by_chance: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(8):
        people = trial(seed, n=1200, differs=False)
        for honest, ratios in by_chance.items():
            how = CausalTree(leaves=6, least_in_leaf=20, honest=honest, categorical=NAMES)
            sites = found(people, how, seed).estimates
            gap = sites.mediator_effect[:, 0] - np.average(
                sites.mediator_effect[:, 0], weights=1 / sites.cov[:, 0, 0]
            )
            ratios.append(float((gap**2 / sites.cov[:, 0, 0]).sum()) / (sites.n_rows - 1))
    error = np.std(by_chance[True], ddof=1) / np.sqrt(8)
    assert abs(np.mean(by_chance[True]) - 1) < 4 * error
    assert np.mean(by_chance[False]) > 2


def test_what_was_done_is_said() -> None:
    honest, twice = found(trial()), found(trial(), CausalTree(honest=False, categorical=NAMES))
    assert "seed 3" in honest.estimates.derivation
    assert "estimated on the others" in honest.reduction.derivation
    assert any("found in the data" in note for note in honest.estimates.notes)
    assert any("standard errors too small" in note for note in twice.estimates.notes)
    assert honest.table()["site"].tolist() == list(honest.estimates.site)


@pytest.mark.parametrize(
    ("changed", "how", "message"),
    [
        ({"site": ()}, TREE, "no column is named as site"),
        ({"site": ("age",)}, TREE, "no column 'region'"),
        ({"site": ("age",), "cuts": {"age": (30,)}}, CausalTree(), "`cuts` cuts 'age'"),
        ({"site": ("age", "region")}, CausalTree(), "'North' is not a number.*categorical"),
        ({"site": ("age",)}, CausalTree(least_in_leaf=10_000), "too few to split"),
        ({"site": ("age",)}, CausalTree(least_in_leaf=257, depth=1), "all are in one leaf"),
        ({"site": ("age",)}, CausalTree(person="id"), "no column 'id'"),
        ({"fixed_effect": "school"}, TREE, "fixed_effect"),
    ],
)
def test_what_cannot_be_used_is_refused(changed: Any, how: CausalTree, message: str) -> None:
    with pytest.raises(DataError, match=message):
        found(trial(n=2100), how, **changed)


@pytest.mark.parametrize(
    "wrong", [{"leaves": 1}, {"least_in_leaf": 1}, {"depth": 0}, {"share": 1.0}, {"leaves": 2.0}]
)
def test_choices_that_do_not_exist_are_refused(wrong: Any) -> None:
    with pytest.raises(DataError, match="Give a"):
        CausalTree(**wrong)


def test_without_econml_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "econml.grf._base_grftree", None)
    with pytest.raises(DataError, match=r"bayesmed\[subgroups\]"):
        found(trial(n=500))


def test_roles_of_the_estimation_go_on_to_the_sites() -> None:
    people = trial(n=3000).assign(
        won=lambda d: (d.y > d.y.median()).astype(int), w=lambda d: 1 + d.age % 3, wave=1
    )
    people = pd.concat([people, people.assign(wave=2, m=0.0)], ignore_index=True)
    plain = find_sites(
        rows(people, covariates=("age",), where={"wave": "1"}, site_covariates=("income",)),
        TREE,
        seed=3,
    )
    sites = plain.estimates
    assert "adjusted for age" in sites.derivation
    assert sites.n is not None
    assert sites.n.sum() == (shares(range(6000), 3)[:3000] >= 0.5).sum()
    assert set(sites.covariates) == {"income"}
    odds = found(people[people.wave == 1], outcome="won", log_odds=("won",), labels={"won": "wins"})
    assert odds.estimates.outcome_scale == "log odds ratio"
    assert odds.estimates.outcome == "wins"
    weighted = found(people[people.wave == 1], weights="w", cluster="school")
    assert "weighted by w" in weighted.estimates.derivation
    assert weighted.estimates.persons is None


def test_splits_lead_to_splits_and_sites() -> None:
    found = find_sites(rows(trial()), CausalTree(leaves=6, categorical=NAMES), seed=1)
    table = found.splits
    assert table["split"].tolist() == list(range(1, len(table) + 1))
    led = [*table["below_split"], *table["above_split"]]
    assert sorted(k for k in led if k) == table["split"].tolist()[1:]
    for side in ("below", "above"):
        ends = table[f"{side}_split"] == 0
        assert ((table[f"{side}_site"] != "") == ends).all()
    sites = [s for s in (*table["below_site"], *table["above_site"]) if s]
    assert sorted(sites) == sorted(found.estimates.site)


def test_columns_of_0_and_1_are_named_by_what_they_are() -> None:
    people = trial().assign(north=lambda d: (d.region == "North").astype(int))
    found = find_sites(rows(people, site=("north",)), CausalTree(leaves=2), seed=1)
    assert found.estimates.site == ("north=0", "north=1")


@pytest.mark.parametrize("how", [CausalTree, "tree", None])
def test_what_is_no_way_of_finding_sites_is_refused(how: Any) -> None:
    with pytest.raises(DataError, match="no way of finding sites"):
        find_sites(rows(trial(n=200)), how)


def test_a_table_without_roles_is_refused() -> None:
    with pytest.raises(DataError, match="does not say what its columns are"):
        find_sites(trial(n=200), CausalTree())  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"share": "half"}, {"categorical": None}, {"categorical": 5}])
def test_choices_of_another_kind_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        CausalTree(**wrong)
