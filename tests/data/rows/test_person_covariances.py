"""How persons vary within sites, against least squares of statsmodels on the rows."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

from bayesmed.data import DataError, DataWarning, Estimation, PersonCovariance, SiteEstimates
from bayesmed.data.rows.person_covariances import ALL
from tests.data.rows.people import people, reduced

MEDIATORS = ("m1", "m2")
OUTCOMES = [*MEDIATORS, "y"]


def persons_of(data: SiteEstimates) -> PersonCovariance:
    assert data.persons is not None
    return data.persons


@pytest.mark.parametrize("arms", [2, 3])
def test_arms_have_the_products_within_their_cells(arms: int) -> None:
    frame = people(arms=arms)
    found = reduced(frame, Estimation("pooled"), mediators=MEDIATORS, reference="0").estimates
    persons = persons_of(found)
    assert persons.groups == tuple(map(str, range(arms)))
    for a in range(arms):
        own = frame[frame["arm"] == a]
        away = own[OUTCOMES] - own.groupby("site")[OUTCOMES].transform("mean")
        assert_allclose(persons.cross[a], away.T @ away, rtol=1e-9)
        assert persons.df[a] == len(own) - 4
    # The same numbers by the way of sandwiches: the pooled covariance of the estimates.
    assert_allclose(persons.estimated_cov, found.cov, rtol=1e-9)
    assert len(persons.cross_weight) == len(found.cross_cov) == 4 * (arms - 1) * (arms - 2) / 2
    for pair, weight in persons.cross_weight.items():
        assert_allclose(np.tensordot(weight, persons.estimate, 1), found.cross_cov[pair], rtol=1e-9)


@pytest.mark.parametrize(
    ("role", "columns"),
    [
        ({"covariates": ("x1", "x2")}, ["arm", "x1", "x2"]),
        ({"fixed_effect": "block"}, ["arm", "block"]),
        ({"treatment": "dose", "continuous": True}, ["dose"]),
    ],
    ids=["covariates", "blocks", "amount"],
)
def test_regressions_have_the_products_of_their_residuals(
    role: dict[str, Any], columns: list[str]
) -> None:
    frame = people()
    persons = persons_of(reduced(frame, mediators=MEDIATORS, **role).estimates)
    cross, df, bread = np.zeros((3, 3)), 0.0, []
    for _, own in frame.groupby("site"):
        x = own[columns].astype(float)
        if "block" in columns:
            x = pd.concat([x[["arm"]], pd.get_dummies(own["block"], dtype=float)], axis=1)
        else:
            x = sm.add_constant(x, prepend=False)
        fits = [sm.OLS(own[name], x).fit() for name in OUTCOMES]
        residual = np.column_stack([f.resid for f in fits])
        cross += residual.T @ residual
        df += fits[0].df_resid
        bread.append(fits[0].normalized_cov_params.iloc[0, 0])
    assert persons.groups == (ALL,)
    assert_allclose(persons.cross[0], cross, rtol=1e-8)
    assert persons.df.tolist() == [df]
    assert_allclose(persons.weight[:, 0], bread, rtol=1e-8)


def test_pooling_arms_adds_products_and_weights() -> None:
    persons = persons_of(reduced(people(arms=3), reference="0").estimates)
    pooled = persons.pooled()
    assert_allclose(pooled.cross[0], persons.cross.sum(axis=0))
    assert pooled.df[0] == persons.df.sum()
    assert_allclose(pooled.weight[:, 0], persons.weight.sum(axis=1))
    assert all(w == persons.cross_weight[p].sum() for p, w in pooled.cross_weight.items())


def test_rows_and_units_change_with_the_estimates() -> None:
    data = reduced(people(arms=3), Estimation("pooled"), reference="0").estimates
    turned = data.take([5, 0, 4]).rescaled([2.0], -3.0)
    assert_allclose(persons_of(turned).estimated_cov, turned.cov, rtol=1e-9)
    assert set(persons_of(turned).cross_weight) == set(turned.cross_cov) == {(0, 2)}


def test_persons_with_weights_or_odds_have_none_and_clusters_are_named() -> None:
    frame = people()
    assert reduced(frame, weights="w").estimates.persons is None
    assert reduced(frame, outcome="event", log_odds=("event",)).estimates.persons is None
    clustered = persons_of(reduced(frame, cluster="cluster").estimates)
    assert clustered.problem == "persons come in clusters"
    assert persons_of(reduced(frame).estimates).problem == ""


def test_what_cannot_be_estimated_is_said() -> None:
    frame = people().assign(m1=lambda f: f["site"].str[1:].astype(float) * f["arm"])
    with pytest.warns(DataWarning, match="does not vary"):
        found = reduced(frame).estimates
    assert "do not vary" in persons_of(found).problem
    few = PersonCovariance(("0",), np.eye(2)[None], np.array([2.0]), np.ones((3, 1)))
    assert "2 persons beyond its means" in few.problem


@pytest.mark.parametrize(
    "changed",
    [
        {"df": np.array([0.0])},
        {"cross": np.eye(2)},
        {"weight": np.array([[np.nan]])},
        {"weight": np.array([[-1.0], [1.0]])},
    ],
)
def test_impossible_products_are_refused(changed: dict[str, Any]) -> None:
    good = PersonCovariance(("0",), np.eye(2)[None], np.array([9.0]), np.ones((2, 1)))
    with pytest.raises(DataError, match="persons"):
        dataclasses.replace(good, **changed)


def test_products_of_other_rows_are_refused() -> None:
    data = reduced(people()).estimates
    persons = persons_of(data)
    with pytest.raises(DataError, match="not those of these 4 rows"):
        dataclasses.replace(data, persons=persons.take([0, 1]))
    pairs = {(0, 1): np.array([1.0, 0.0])}
    with pytest.raises(DataError, match="of one block"):
        dataclasses.replace(data, persons=dataclasses.replace(persons, cross_weight=pairs))
