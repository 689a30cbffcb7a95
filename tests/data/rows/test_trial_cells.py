"""Cells counted in the engine equal pandas' groups; what cells cannot hold is refused."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayesmed.data import DataError, DataWarning, PersonRows, RowColumns, TrialCells, TrialMoments
from bayesmed.data.rows import reduce_rows, scanning

TABLES = Path(__file__).parents[1] / "tables"
ROLES: dict[str, Any] = {
    "treatment": "d",
    "mediators": ("m",),
    "outcome": "y",
    "mediator_instrument": "z",
}


def people(n: int = 600, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.integers(0, 2, (n, 3)), columns=["d", "z", "m"])
    frame["y"] = 1e3 + 2 * frame.m + rng.normal(size=n)
    frame["town"] = rng.choice(["Rome", "Oslo"], n)
    frame["age"] = rng.integers(20, 60, n)
    frame["event"] = rng.integers(0, 2, n)
    return frame


def counted(frame: Any, *, strict: bool = False, **changed: Any) -> TrialCells:
    return TrialCells.from_rows(
        PersonRows.from_frame(frame, RowColumns(**{**ROLES, **changed})), strict=strict
    )


def require_groups(cells: TrialCells, frame: pd.DataFrame, stratum: Any, outcome: str) -> None:
    """Require every cell to be what pandas makes of its persons."""
    assert set(stratum) == set(cells.stratum)
    for s, name in enumerate(cells.stratum):
        for d, z, m in np.ndindex(2, 2, 2):
            mine = frame[(stratum == name) & (frame.d == d) & (frame.z == z) & (frame.m == m)]
            at = (s, d, z, m)
            assert cells.n[at] == len(mine)
            if len(mine):
                y = mine[outcome].astype(float)
                assert cells.mean[at] == pytest.approx(y.mean(), rel=1e-12)
                squares = ((y - y.mean()) ** 2).sum()
                assert cells.squares[at] == pytest.approx(squares, rel=1e-9, abs=1e-9)


class TestCounts:
    def test_one_stratum(self) -> None:
        frame = people()
        cells = counted(frame)
        require_groups(cells, frame, pd.Series("all", frame.index), "y")
        assert not cells.binary_outcome
        assert cells.derivation == (
            "From 600 rows of persons, 600 of them complete: counts, means and sums of squares "
            "of y by d, z, m."
        )
        assert cells.notes == ()

    def test_strata_of_several_columns(self) -> None:
        frame = people()
        cells = counted(frame, site=("town", "age"), cuts={"age": (40,)}, outcome="event")
        old = np.where(frame.age < 40, "age < 40", "age ≥ 40")
        require_groups(cells, frame, "town=" + frame.town + ", " + old, "event")
        assert cells.binary_outcome
        assert "in strata of town, age" in cells.derivation

    def test_pooling_strata_is_not_naming_them(self) -> None:
        frame = people()
        pooled, plain = counted(frame, site="town").pooled(), counted(frame)
        np.testing.assert_array_equal(pooled.n, plain.n)
        np.testing.assert_allclose(pooled.mean, plain.mean, rtol=1e-13)
        np.testing.assert_allclose(pooled.squares, plain.squares, rtol=1e-9)

    @pytest.mark.parametrize(
        "code",
        [
            lambda x: x.astype(bool),
            lambda x: x.astype(float),
            lambda x: x.map({0: "0", 1: "1.0"}),
            lambda x: x.map({0: " false", 1: "True"}),
        ],
    )
    def test_any_spelling_of_0_and_1(self, code: Callable[[pd.Series], pd.Series]) -> None:
        frame = people()
        cells = counted(frame.assign(z=code(frame.z), m=code(frame.m)))
        np.testing.assert_array_equal(cells.n, counted(frame).n)

    def test_named_arms(self) -> None:
        frame = people()
        named = frame.assign(d=frame.d.map({0: "none", 1: "letter"}))
        cells = counted(named, reference="none")
        assert cells.names.arms == ("none", "letter")
        np.testing.assert_array_equal(cells.n, counted(frame).n)
        turned = counted(named, reference="letter")
        np.testing.assert_array_equal(turned.n, cells.n[:, ::-1])

    def test_labels_and_conditions(self) -> None:
        frame = people()
        cells = counted(frame, labels={"m": "school", "y": "score"}, where={"town": "Oslo"})
        assert (cells.names.mediator, cells.names.outcome) == ("school", "score")
        assert (cells.names.treatment, cells.instrument) == ("d", "z")
        assert cells.n_persons == (frame.town == "Oslo").sum()

    def test_files(self, tmp_path: Path) -> None:
        frame = people()
        frame.to_csv(tmp_path / "p.csv", index=False)
        frame.iloc[:250].to_parquet(tmp_path / "a.parquet")
        frame.iloc[250:].to_parquet(tmp_path / "b.parquet")
        columns, wanted = RowColumns(**ROLES), counted(frame)
        for files in (tmp_path / "p.csv", [tmp_path / "a.parquet", tmp_path / "b.parquet"]):
            cells = TrialCells.from_rows(PersonRows.read(files, columns))
            np.testing.assert_array_equal(cells.n, wanted.n)
            np.testing.assert_allclose(cells.squares, wanted.squares, rtol=1e-9)

    def test_order_of_rows_does_not_matter(self) -> None:
        frame = people()
        again = counted(frame.sample(frac=1, random_state=1))
        np.testing.assert_allclose(again.mean, counted(frame).mean, rtol=1e-14)

    def test_persons_stay_in_the_engine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever the mediator holds, a handful of groups comes here."""
        fetched: list[int] = []
        plain = scanning.fetch

        def counting(*given: Any) -> pd.DataFrame:
            found = plain(*given)
            fetched.append(len(found))
            return found

        monkeypatch.setattr(scanning, "fetch", counting)
        frame = people(5000)
        counted(frame)
        assert fetched == [8]
        with pytest.raises(DataError, match="neither 0 nor 1"):
            counted(frame.assign(m=frame.y))
        assert fetched == [8, 4]


class TestMissing:
    def test_persons_complete_in_every_role_are_counted(self) -> None:
        rng = np.random.default_rng(3)
        frame = people(2000).astype(dict.fromkeys("dzm", float))
        for column in ("d", "z", "m", "y"):
            frame[column] = frame[column].where(rng.random(2000) > 0.05)
        cells = counted(frame)
        complete = frame[["d", "z", "m", "y"]].notna().all(axis=1)
        require_groups(cells, frame[complete], pd.Series("all", frame[complete].index), "y")
        found = cells.missingness
        assert found is not None
        assert (found.rows, found.complete) == (2000, complete.sum())
        for column in ("d", "z", "m", "y"):
            assert found.table[f"missing[{column}]"].sum() == frame[column].isna().sum()

    def test_a_difference_between_arms_is_told(self) -> None:
        frame = people(2000).astype({"y": float})
        gone = (frame.d == 1) & (np.random.default_rng(1).random(2000) < 0.2)
        with pytest.warns(DataWarning, match="More persons are complete in one arm") as told:
            cells = counted(frame.assign(y=frame.y.where(~gone)))
        (mine,) = (w for w in told if w.category is DataWarning)
        assert cells.notes == (str(mine.message),)
        assert mine.filename == __file__


class TestDropped:
    def frame(self) -> pd.DataFrame:
        frame = people()
        return frame[(frame.town == "Oslo") | (frame.d == 0) | (frame.z == 0)]

    def test_a_stratum_without_persons_at_some_value_is_dropped_by_name(self) -> None:
        with pytest.warns(DataWarning, match="Dropped, 1 of the rows' strata"):
            cells = counted(self.frame(), site="town")
        assert cells.stratum == ("Oslo",)
        assert "Rome (nobody complete with d = 1 and z = 1)" in cells.notes[0]

    def test_or_refused(self) -> None:
        with pytest.raises(DataError, match=r"Rome \(nobody complete with d = 1 and z = 1\)"):
            counted(self.frame(), site="town", strict=True)

    def test_without_strata_it_is_refused(self) -> None:
        frame = people()
        with pytest.raises(DataError, match=r"data frame: nobody complete with d = 1 and z = 0"):
            counted(frame[(frame.d == 0) | (frame.z == 1)])

    def test_persons_in_other_arms_are_left_out(self) -> None:
        frame = people()
        frame.loc[:49, "d"] = 2
        with pytest.warns(DataWarning, match="50 persons are in arms that are not compared"):
            cells = counted(frame, reference="0", arms=("1",))
        assert cells.n_persons == 550


def with_text(column: str, text: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def edit(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.astype({column: str})
        frame.loc[0, column] = text
        return frame

    return edit


def same(frame: pd.DataFrame) -> pd.DataFrame:
    return frame


REFUSED: dict[str, tuple[Callable[[pd.DataFrame], Any], dict[str, Any], list[str]]] = {
    "no instrument": (same, {"mediator_instrument": None}, ["No column is named as mediator_ins"]),
    "encouragement": (
        same,
        {"mediator_instrument": None, "instrument": "z"},
        ["'z' is named as instrument", "`mediator_instrument` instead"],
    ),
    "both instruments": (
        same,
        {"instrument": "event"},
        ["Both an `instrument` and a `mediator_instrument`", "encourages treatment"],
    ),
    "instrument twice": (same, {"mediator_instrument": "m"}, ["'m' is given two roles"]),
    "no such column": (same, {"mediator_instrument": "zz"}, ["no column 'zz'", "Did you mean 'z'"]),
    "mediator of three values": (
        lambda f: f.assign(m=f.m + (f.index < 7) * f.m),
        {},
        ["data frame, column 'm': ", "values are neither 0 nor 1", "binary mediator"],
    ),
    "instrument of other values": (
        lambda f: f.assign(z=f.z + 1),
        {},
        ["column 'z'", "neither 0 nor 1", "binary instrument"],
    ),
    "instrument of words": (with_text("z", "yes"), {}, ["column 'z': 'yes' is not a number"]),
    "outcome of words": (with_text("y", "1,5"), {}, ["column 'y': '1,5' is not", "decimal"]),
    "dates": (
        lambda f: f.assign(z=pd.Timestamp("2020-01-01")),
        {},
        ["column 'z' is of type", "not a number"],
    ),
    "amount of treatment": (same, {"continuous": True}, ["treatment is an amount", "two arms"]),
    "two treatments": (same, {"treatment": ("d", "event")}, ["treatment is an amount"]),
    "three arms": (
        lambda f: f.assign(d=f.d + (f.index < 9)),
        {"reference": "0"},
        ["2 arms are compared with '0' (1, 2)", "as `arms`"],
    ),
    "one arm": (lambda f: f.assign(d=1), {}, ["everybody is in arm '1'"]),
    "two mediators": (same, {"mediators": ("m", "event")}, ["2 columns are named as mediator"]),
    "covariates": (same, {"covariates": "age"}, ["'age' is named as covariates", "strata"]),
    "clusters": (same, {"cluster": "town"}, ["'town' is named as cluster", "too small"]),
    "weights": (same, {"weights": "age"}, ["'age' is named as weights", "Leave them out"]),
    "blocks": (same, {"fixed_effect": "town"}, ["named as fixed_effect", "name it as `site`"]),
    "log odds": (same, {"log_odds": "m"}, ["'m' is named as log_odds", "numbers here"]),
    "constant mediator": (lambda f: f.assign(m=0), {}, ["'m' is 0 for everybody"]),
    "constant outcome": (lambda f: f.assign(y=2), {}, ["'y' is 2 for everybody"]),
    "nobody complete": (lambda f: f.assign(z=np.nan), {}, ["no person is complete", "'z' is miss"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    edit, roles, words = REFUSED[case]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        with pytest.raises(DataError) as caught:
            counted(edit(people()), **roles)
    for word in words:
        assert word in str(caught.value)


def test_estimates_of_sites_take_no_instrument_of_the_mediator() -> None:
    rows = PersonRows.from_frame(people(), RowColumns(**ROLES, site="town"))
    with pytest.raises(DataError, match="An instrument for the mediator is named"):
        reduce_rows(rows)


def test_moments_of_a_trial_take_no_instrument_of_the_mediator() -> None:
    rows = PersonRows.from_frame(people(), RowColumns(**ROLES))
    with pytest.raises(DataError, match="'z' is named as mediator_instrument, which one trial"):
        TrialMoments.from_rows(rows)


def test_moments_by_arm_are_not_split() -> None:
    """Moments know the role as one in which persons are complete, no more."""
    frame = people().astype({"z": float})
    frame.loc[:9, "z"] = np.nan
    moments = PersonRows.from_frame(frame, RowColumns(**ROLES, site="town")).moments()
    assert len(moments.n) == 4
    assert moments.n.sum() == 590
    assert moments.variables == ("m", "y")


def test_a_sample_of_mothers() -> None:
    columns = RowColumns("girl1", ("morekids",), "weeks_worked", mediator_instrument="same_sex")
    cells = TrialCells.from_rows(PersonRows.read(TABLES / "fertility_rows.csv", columns))
    frame = pd.read_csv(TABLES / "fertility_rows.csv")
    renamed = frame.rename(columns={"girl1": "d", "same_sex": "z", "morekids": "m"})
    require_groups(cells, renamed, pd.Series("all", frame.index), "weeks_worked")
    assert cells.n_persons == 2000
