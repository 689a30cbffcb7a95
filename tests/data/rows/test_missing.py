"""What is counted, averaged and told of missing cells equals pandas and numpy, cell by cell."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from bayesmed.data import DataWarning, Moments, PersonRows
from bayesmed.data.rows.missingness import Missingness
from tests.data.rows.people import people, reduced, roles


def holed(seed: int = 4, arms: int = 2, share: float = 0.05) -> pd.DataFrame:
    """Persons of whom some cells are missing, by chance."""
    rng = np.random.default_rng(seed)
    frame = people(persons=120, arms=arms).astype({"arm": float, "block": float})
    for column in ("site", "arm", "m1", "m2", "y", "w", "x1"):
        frame[column] = frame[column].where(rng.random(len(frame)) > share)
    return frame


def missingness(frame: pd.DataFrame, **changed: Any) -> Missingness:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return reduced(frame, **changed).missingness


CHANGED: dict[str, Any] = {"mediators": ("m1", "m2"), "weights": "w", "covariates": "x1"}
COLUMNS = ["site", "arm", "m1", "m2", "y", "w", "x1"]


class TestCounts:
    def test_by_site_and_arm(self) -> None:
        frame = holed()
        found = missingness(frame, **CHANGED)
        assert set(found.columns) == set(COLUMNS)
        used = frame[COLUMNS].notna().all(axis=1)
        site = frame.site.fillna("")
        arm = frame.arm.map({0.0: "0", 1.0: "1"}).fillna("")
        for row in found.table.to_dict("records"):
            mine = (site == row["site"]) & (arm == row["arm"])
            assert row["rows"] == mine.sum()
            assert row["complete"] == (mine & used).sum()
            for column in COLUMNS:
                assert row[f"missing[{column}]"] == frame.loc[mine, column].isna().sum()
        assert found.table["rows"].sum() == found.rows == len(frame)
        assert found.complete == used.sum()
        assert not found.table.duplicated(["site", "arm"]).any()

    def test_by_arm(self) -> None:
        frame = holed()
        table = missingness(frame, **CHANGED).by_arm()
        assert list(table.columns[:4]) == ["arm", "rows", "complete", "share_complete"]
        for row in table.to_dict("records"):
            mine = frame[frame.arm.isna() if row["arm"] == "" else frame.arm == float(row["arm"])]
            assert row["rows"] == len(mine)
            assert row["complete"] == len(mine[COLUMNS].dropna())
            assert row["share_complete"] == row["complete"] / row["rows"]
            assert row["missing[m2]"] == mine.m2.isna().sum()

    def test_amounts_have_no_arms(self) -> None:
        found = missingness(holed(), treatment="dose", continuous=True)
        assert set(found.table["arm"]) == {"all"}
        assert found.by_arm()["rows"].tolist() == [found.rows]

    def test_strata_are_called_as_sites_are(self) -> None:
        frame = holed().astype({"arm": "Int64"})
        changed = {"site": ("site", "x2"), "cuts": {"x2": (100,)}}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            found = reduced(frame, **changed)
        assert set(found.moments.site) == set(found.missingness.table["site"]) - {""}

    def test_weights_of_0_are_not_used(self) -> None:
        frame = people(persons=40)
        found = missingness(frame.assign(w=frame.w.where(frame.index % 10 > 0, 0)), weights="w")
        assert found.complete == (frame.index % 10 > 0).sum()
        assert found.table["missing[w]"].sum() == 0

    def test_the_column_missing_most(self) -> None:
        frame = holed()
        frame["y"] = frame.y.where(frame.index % 3 > 0)
        wanted = f"Column 'y' is missing in {frame.y.isna().sum()} of {len(frame)} rows."
        assert missingness(frame).most_missing() == wanted


def cmh(frame: pd.DataFrame, arm: float, reference: float) -> float:
    """The Cochran–Mantel–Haenszel test, from its definition (Agresti 2013, section 6.4.2)."""
    above, variance = 0.0, 0.0
    for _, inside in frame[frame.arm.isin([arm, reference])].groupby("site"):
        used = inside[["m1", "y"]].notna().all(axis=1)
        treated = inside.arm == arm
        n, n1, m1 = len(inside), treated.sum(), used.sum()
        if n < 2:
            continue
        above += (used & treated).sum() - n1 * m1 / n
        variance += n1 * (n - n1) * m1 * (n - m1) / (n**2 * (n - 1))
    return float(chi2.sf(above**2 / variance, 1))


class TestDifference:
    """Whether completeness differs between arms."""

    def test_probability(self) -> None:
        frame = holed(arms=3)
        found = missingness(frame, reference="0")
        for arm in (1, 2):
            assert found.difference(str(arm), "0") == pytest.approx(cmh(frame, arm, 0), rel=1e-10)
        assert found.difference("1", "7") == 1.0

    def test_warned_of(self) -> None:
        frame = people(persons=120)
        rng = np.random.default_rng(1)
        gone = rng.random(len(frame)) < np.where(frame.arm == 1, 0.3, 0.05)
        frame["y"] = frame.y.where(~gone)
        with pytest.warns(DataWarning, match="More persons are complete in one arm") as caught:
            found = reduced(frame)
        (note,) = found.estimates.notes
        assert note in [str(warning.message) for warning in caught]
        for arm in (0, 1):
            assert f"{1 - gone[frame.arm == arm].mean():.1%} in arm '{arm}'" in note
        assert f"p = {cmh(frame, 1, 0):.2g}" in note

    def test_not_warned_of(self) -> None:
        """Missing by chance, everywhere, or nowhere."""
        for frame in (holed(), people(persons=120)):
            assert reduced(frame).estimates.notes == ()
        assert missingness(people()).difference("1", "0") == 1.0

    def test_sites_are_compared_within(self) -> None:
        """Sites that differ in arms and in what is missing are no difference between arms."""
        rng = np.random.default_rng(2)
        frame = people(persons=400, sites=2)
        second = frame.site == "s1"
        frame["arm"] = (rng.random(len(frame)) < np.where(second, 0.8, 0.2)).astype(int)
        frame["y"] = frame.y.where(~(second & (rng.random(len(frame)) < 0.5)))
        pooled = frame.assign(site="all")
        assert cmh(pooled, 1, 0) < 1e-6
        assert missingness(frame).difference("1", "0") > 0.01


VARIABLES = ("x1", "m1", "m2", "y")


def moments(frame: pd.DataFrame, **changed: Any) -> Moments:
    columns = roles(covariates="x1", mediators=("m1", "m2"), fixed_effect="block", **changed)
    return PersonRows.from_frame(frame, columns).moments()


class TestMoments:
    def test_of_cells(self) -> None:
        frame = holed()
        found = moments(frame, site_covariates=("x2", "x1"))
        assert found.variables == (*VARIABLES, "x2")
        used = frame.dropna(subset=["site", "arm", "block", *VARIABLES])
        cells = used.groupby(["site", "block", "arm"])
        assert len(found.n) == cells.ngroups
        assert found.block is not None
        assert found.arm is not None
        for c, (name, cell) in enumerate(cells):
            site, block, arm = name
            assert (found.site[c], found.block[c], found.arm[c]) == (site, f"{block:g}", f"{arm:g}")
            assert found.n[c] == found.weight[c] == len(cell)
            values = cell[list(VARIABLES)].to_numpy()
            np.testing.assert_allclose(found.mean[c, :-1], values.mean(axis=0), rtol=1e-13)
            assert found.mean[c, -1] == pytest.approx(cell.x2.mean(), rel=1e-13)
            apart = values - values.mean(axis=0)
            np.testing.assert_allclose(found.cross[c], apart.T @ apart, rtol=1e-9, atol=1e-9)

    def test_with_weights(self) -> None:
        frame = holed()
        found = moments(frame, weights="w")
        used = frame.dropna(subset=["site", "arm", "block", "w", *VARIABLES])
        for c, (_, cell) in enumerate(used.groupby(["site", "block", "arm"])):
            w, values = cell.w.to_numpy(), cell[list(VARIABLES)].to_numpy()
            assert found.n[c] == len(cell)
            assert found.weight[c] == pytest.approx(w.sum(), rel=1e-13)
            mean = np.average(values, axis=0, weights=w)
            np.testing.assert_allclose(found.mean[c], mean, rtol=1e-13)
            apart = values - mean
            np.testing.assert_allclose(found.cross[c], apart.T @ (w[:, None] * apart), rtol=1e-9)

    def test_of_one_person(self) -> None:
        frame = people(persons=30)
        alone = frame[(frame.site == "s0")].drop_duplicates("arm")
        found = moments(pd.concat([alone, frame[frame.site != "s0"]]))
        one = found.n == 1
        assert one.any()
        assert (found.cross[one] == 0).all()

    def test_as_a_frame(self) -> None:
        found = moments(holed())
        frame = found.to_frame()
        assert list(frame.columns[:5]) == ["site", "block", "arm", "n", "weight"]
        assert len(frame) == len(found.n)
        for i, x in enumerate(VARIABLES):
            assert frame[f"mean[{x}]"].tolist() == found.mean[:, i].tolist()
            for j in range(i, len(VARIABLES)):
                pair = frame[f"cross[{x}, {VARIABLES[j]}]"]
                assert pair.tolist() == found.cross[:, i, j].tolist()
        assert len(frame.columns) == 5 + 4 + 10

    def test_without_arms(self) -> None:
        columns = roles(treatment="dose", continuous=True)
        frame = PersonRows.from_frame(people(), columns).moments().to_frame()
        assert list(frame.columns[:4]) == ["site", "n", "weight", "mean[dose]"]
