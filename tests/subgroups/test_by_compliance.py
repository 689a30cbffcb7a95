"""Strata of the propensity to comply: the regressions, cross-fitting, and who is in which."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from bayesmed.data import DataError
from bayesmed.subgroups import CompliancePropensity, FoundSites, find_sites
from tests.subgroups.people import NAMES, effects, rows, shares, trial

HOW = CompliancePropensity(groups=3, folds=4, categorical=NAMES)


def found(people: Any, how: CompliancePropensity = HOW, **changed: Any) -> FoundSites:
    return find_sites(rows(people, **changed), how, seed=3)


def design(people: pd.DataFrame) -> NDArray[Any]:
    """The features, with a reference region, as statsmodels wants them."""
    columns = [people.age, people.income, people.region == "North", people.region == "South"]
    return sm.add_constant(np.column_stack([*columns, people.sex == "woman"]).astype(float))


def propensities(people: pd.DataFrame, mediator: str, fold: NDArray[Any]) -> NDArray[Any]:
    """Predicted effects by least squares in each arm, each fold's from the others."""
    x, score = design(people), np.zeros(len(people))
    for k in np.unique(fold):
        for arm, sign in ((1, 1.0), (0, -1.0)):
            other = (fold != k) & (people.t == arm).to_numpy()
            fit = sm.OLS(people[mediator].to_numpy()[other], x[other]).fit()
            score[fold == k] += sign * fit.predict(x[fold == k])
    return score


def test_strata_are_those_of_least_squares_by_hand() -> None:
    people = trial()
    fold = np.floor(shares(range(len(people)), 3) * 4)
    score = propensities(people, "m", fold)
    group = np.searchsorted(np.quantile(score, [1 / 3, 2 / 3]), score, side="right")
    got = found(people).estimates
    for g in range(3):
        wanted = effects(people[group == g])
        np.testing.assert_allclose([got.mediator_effect[g, 0], got.total_effect[g]], wanted)
    assert got.site[0].startswith("compliance with m < ")
    assert (np.diff(got.mediator_effect[:, 0]) > 0.3).all()


def test_several_mediators_make_combinations_of_groups() -> None:
    people = trial()
    fold = np.floor(shares(range(len(people)), 3) * 4)
    got = found(people, mediators=("m", "k")).estimates
    code = np.zeros(len(people), dtype=int)
    for name in ("m", "k"):
        score = propensities(people, name, fold)
        edges = np.quantile(score, [1 / 3, 2 / 3])
        code = 3 * code + np.searchsorted(edges, score, side="right")
    for i, g in enumerate(np.unique(code)):
        wanted = effects(people[code == g], ("m", "k", "y"))
        np.testing.assert_allclose([*got.mediator_effect[i], got.total_effect[i]], wanted)
    assert got.n_rows == 9


def test_nobodys_propensity_hangs_on_their_own_mediator() -> None:
    people = trial()
    fold = np.floor(shares(range(len(people)), 3) * 4)
    plain, moved = found(people).splits, people.copy()
    moved.loc[fold == 1, "m"] *= -5
    other = found(moved).splits
    own = plain["fold"] == 2
    np.testing.assert_allclose(other.coefficient[own], plain.coefficient[own], rtol=1e-9)
    assert not np.isclose(other.coefficient[~own], plain.coefficient[~own]).any()


def test_weights_count_persons() -> None:
    people = trial(n=2000).assign(w=lambda d: 1 + (d.age % 2))
    twice = pd.concat([people, people[people.w == 2]], ignore_index=True)
    # Whoever is there twice is so in one fold.
    got = find_sites(rows(people, weights="w", cluster="school"), HOW, seed=3).splits
    wanted = find_sites(rows(twice, cluster="school"), HOW, seed=3).splits
    np.testing.assert_allclose(got.coefficient, wanted.coefficient, rtol=1e-8)


def test_what_was_done_is_said() -> None:
    got = found(trial()).estimates
    assert "cross-fitted in 4 random folds of the rows (seed 3)" in got.derivation
    assert any("drawn repeatedly" in note for note in got.notes)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"treatment": "income", "site": ("age",), "continuous": True},
            "one arm beside a reference",
        ),
        ({"treatment": "region", "reference": "West", "site": ("age",)}, "one arm beside"),
    ],
)
def test_other_treatments_are_refused(changed: Any, message: str) -> None:
    how = CompliancePropensity()
    with pytest.raises(DataError, match=message):
        found(trial(n=300), how, **changed)


def test_too_few_persons_for_the_features_are_refused() -> None:
    with pytest.raises(DataError, match="are left to predict effects from 6 features"):
        found(trial(n=30))
