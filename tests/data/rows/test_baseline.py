"""Baseline columns as features, and persons in random parts."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayesmed.core.progress import Silent
from bayesmed.data import DataError, PersonRows, RowColumns
from bayesmed.data.rows.assigning import Region, with_regions
from bayesmed.data.rows.baseline import PART, baseline
from bayesmed.data.rows.engine import backend_of, fetch
from bayesmed.data.rows.features import Feature


def people(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"t": rng.integers(0, 2, n), "m": rng.normal(size=n)})
    frame["y"], frame["age"] = frame.m + rng.normal(size=n), rng.integers(20, 60, n)
    frame["town"] = rng.choice(["a", "A", " b", "b"], n)
    frame["school"] = rng.integers(0, 40, n)
    return frame


def prepared(frame: Any, edges: tuple[float, ...] = (0.2, 0.6), **changed: Any) -> Any:
    roles = {"treatment": "t", "mediators": ("m",), "outcome": "y", "site": ("age", "town")}
    rows = PersonRows.from_frame(frame, RowColumns(**{**roles, **changed}))
    return baseline(rows, ("town",), edges, None, 5, Silent())


def read(base: Any, table: Any = None) -> pd.DataFrame:
    return fetch(base.backend, base.table if table is None else table, Silent(), "people")


def test_parts_follow_the_digest_of_seed_and_row() -> None:
    got = read(prepared(people()))[PART].to_numpy()
    digest = [hashlib.md5(f"5/{i}".encode()).hexdigest() for i in range(400)]
    share = np.array([int(text[:8], 16) for text in digest]) / 2**32
    np.testing.assert_array_equal(got, np.searchsorted([0.2, 0.6], share, side="right"))
    assert np.abs(np.bincount(got) / 400 - [0.2, 0.4, 0.4]).max() < 4 * math.sqrt(0.25 / 400)


def test_clusters_are_drawn_as_one() -> None:
    table = read(prepared(people(), cluster="school"))
    assert len(table[["school", PART]].drop_duplicates()) == table["school"].nunique()
    assert table[PART].nunique() == 3


def test_names_become_features_and_numbers_stay() -> None:
    base = prepared(people())
    assert [str(f) for f in base.features] == ["age", "town=A", "town=a", "town=b"]
    persons = base.persons(None, Silent())
    frame = people()
    np.testing.assert_array_equal(persons.features[:, 0], frame.age)
    np.testing.assert_array_equal(persons.features[:, 3], frame.town.str.strip() == "b")
    np.testing.assert_array_equal(persons.treatment[:, 0], frame.t)
    np.testing.assert_array_equal(persons.mediators[:, 0], frame.m)
    assert persons.weight is None


def test_only_complete_persons_of_the_part_are_read() -> None:
    frame = people()
    frame.loc[:30, "m"] = np.nan
    frame.loc[31:50, "town"] = "NA"
    base = prepared(frame)
    part = read(base)[PART].to_numpy()
    for k in range(3):
        kept = (part == k) & (np.arange(400) > 50)
        got = base.persons(k, Silent())
        np.testing.assert_array_equal(got.features[:, 0], frame.age[kept])


def test_regions_are_sites_of_those_who_have_their_features() -> None:
    frame = people()
    frame["age"] = frame.age.where(frame.index % 10 != 0)
    base = prepared(frame)
    x = base.features[0].name
    regions = [Region("young", {x: (-math.inf, 40)}), Region("old", {x: (40, math.inf)})]
    rows = with_regions(base, regions, None)
    site = read(base, rows.table)["subgroup"]
    assert rows.columns.site == "subgroup"
    wanted = np.where(frame.age < 40, "young", "old")
    np.testing.assert_array_equal(site[frame.age.notna()], wanted[frame.age.notna()])
    assert site[frame.age.isna()].isna().all()


@pytest.mark.parametrize(
    ("feature", "within", "text"),
    [
        (Feature("x", "sex", "woman", "man"), (-math.inf, 0.5), "sex=man"),
        (Feature("x", "town", "b"), (-math.inf, 0.5), "town≠b"),
        (Feature("x", "age"), (30.0, math.inf), "age ≥ 30"),
        (Feature("x", "born"), (19900115.0, 19900116.0), "19900115 ≤ born < 19900116"),
        (Feature("x", "share"), (-math.inf, 1 / 3), "share < 0.333333"),
    ],
)
def test_features_say_what_they_are_within(feature: Feature, within: Any, text: str) -> None:
    assert feature.within(*within) == text


def test_columns_that_tell_nobody_apart_are_refused() -> None:
    with pytest.raises(DataError, match="everybody has the value 'a'"):
        prepared(people().assign(town="a"))
    with pytest.raises(DataError, match="more than 30 names"):
        prepared(people().assign(town=[str(i) for i in range(400)]))


def test_a_column_of_the_same_name_is_in_no_way() -> None:
    frame = people().assign(subgroup=1.0)
    base = prepared(frame, covariates=("subgroup",))
    x = base.features[0].name
    rows = with_regions(base, [Region("all", {x: (0, 100)})], None)
    assert rows.columns.site == "subgroup_"


def test_rows_that_may_come_in_another_order_are_refused() -> None:
    columns = RowColumns("t", ("m",), "y", site=("age",))
    plain = PersonRows.from_frame(people(), columns).table
    for table in (plain.filter(plain.t >= 0), plain.order_by("y")):
        rows = PersonRows(table, columns)
        with pytest.raises(DataError, match="as `person`, or a `cluster`"):
            baseline(rows, (), (0.5,), None, 1, Silent())
        assert baseline(rows, (), (0.5,), "age", 1, Silent()).unit == "persons"
    backend = backend_of(plain)
    backend.con.cursor().execute("SET preserve_insertion_order = false")
    with pytest.raises(DataError, match="as `person`"):
        baseline(PersonRows(plain, columns), (), (0.5,), None, 1, Silent())
