"""The stored record of two studies killed 20 times each: nothing lost, nothing doubled."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from tests.studies.kills import STORED, STUDIES


@pytest.mark.parametrize("name", STUDIES)
def test_killed_twenty_times_a_study_gives_the_same_table(name: str) -> None:
    (row,) = [r for r in json.loads(STORED.read_text())["studies"] if r["study"] == name]
    assert row["kills"] == len(row["done_after_each"]) == 20
    assert row["same_table"]
    assert row["same_table_on_dask"]
    assert row["rows"] == row["rows_after_kills"] > 0
    done = [0, *row["done_after_each"], row["tasks"]]
    # What was done stayed done, and work was going on at nearly every kill.
    assert all(after >= before for before, after in pairwise(done))
    assert len(set(done)) >= 12
    assert row["tasks"] == len(STUDIES[name]())
