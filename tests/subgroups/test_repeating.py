"""Sites found repeatedly: each split as alone, answers combined by their formula."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmed.classical import wls
from bayesmed.data import DataError, SiteEstimates
from bayesmed.subgroups import (
    CompliancePropensity,
    SplitAnswers,
    find_sites,
    repeat_sites,
    repeating,
)
from tests.subgroups.people import NAMES, rows, trial

HOW = CompliancePropensity(groups=4, categorical=NAMES)


def slope(sites: SiteEstimates) -> tuple[object, object]:
    line = wls(sites)
    return line.slope, line.slope_se


def test_every_split_is_what_its_seed_finds_alone() -> None:
    persons = rows(trial(n=1500))
    repeated = repeat_sites(persons, HOW, splits=3, seed=7)
    seeds = [f.seed for f in repeated.found]
    assert len(set(seeds)) == 3
    assert seeds == [f.seed for f in repeat_sites(persons, HOW, splits=4, seed=7).found[:3]]
    alone = find_sites(persons, HOW, seed=seeds[1]).estimates
    assert alone.fingerprint == repeated.found[1].estimates.fingerprint
    assert alone.fingerprint != repeated.found[0].estimates.fingerprint
    answers = repeated.answers(slope)
    np.testing.assert_allclose(answers.estimate[1], wls(alone).slope)


def test_answers_are_combined_by_medians_and_show_their_spread() -> None:
    estimate = np.array([[1.0], [2.0], [np.nan], [4.0]])
    answers = SplitAnswers((1, 2, 3, 4), estimate, np.full((4, 1), 0.5))
    row = answers.combined().iloc[0]
    assert row["estimate"] == 2.0
    assert row["se"] == pytest.approx(np.sqrt(0.25 + 1.0))
    assert (row["lowest"], row["highest"], row["answered"]) == (1.0, 4.0, 3)
    assert row["sd_between"] == pytest.approx(np.std([1, 2, 4], ddof=1))
    nowhere = SplitAnswers((1,), np.array([[np.nan]]), np.array([[1.0]]))
    with pytest.raises(DataError, match="No split has an answer"):
        nowhere.combined()


def test_splits_without_sites_are_kept_with_their_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []

    def second_fails(*given: object, seed: int) -> int:
        seeds.append(seed)
        if len(seeds) == 2:
            raise DataError("All are in one leaf.", "Try another seed.")
        return seed

    monkeypatch.setattr(repeating, "find_sites", second_fails)
    repeated = repeat_sites(rows(trial(n=30)), HOW, splits=3, seed=1)
    assert repeated.found == (seeds[0], seeds[2])
    assert repeated.without == {seeds[1]: "All are in one leaf. Try another seed."}


def test_no_split_with_sites_is_refused() -> None:
    with pytest.raises(DataError, match="none of 2 splits gives sites"):
        repeat_sites(rows(trial(n=30)), HOW, splits=2, seed=1)


def test_trees_tell_which_columns_they_use() -> None:
    pytest.importorskip("econml")
    from bayesmed.subgroups import CausalTree

    how = CausalTree(leaves=3, categorical=NAMES)
    repeated = repeat_sites(rows(trial(n=3000)), how, splits=3, seed=1)
    used = repeated.columns_used()
    assert used["age"] == 1.0
    assert repeated.without == {}


def test_what_is_wrong_with_the_rows_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def always_fails(*given: object, seed: int) -> int:
        tried.append(seed)
        raise DataError("There is no column 'nobody'.", "Name one.")

    monkeypatch.setattr(repeating, "find_sites", always_fails)
    with pytest.raises(DataError, match="There is no column 'nobody'"):
        repeat_sites(rows(trial(n=200)), HOW, splits=20, seed=1)
    assert len(tried) == 2
