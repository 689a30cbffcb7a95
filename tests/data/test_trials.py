"""One trial without sites: persons and moments, from arrays and by the engine."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pandas as pd
import pytest

from bayesmed.core.errors import DataError
from bayesmed.data import (
    DataWarning,
    PersonRows,
    RowColumns,
    TrialMoments,
    TrialNames,
    TrialPersons,
    reduce_rows,
)

ROLES = {"covariates": ("x", "age"), "post_baseline": ("c",)}


def people(seed: int = 1, n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    t = rng.integers(0, 2, n)
    x, age = rng.normal(size=n), 1e6 + rng.integers(20, 60, n)
    m = 50 + t * (1 + x) + rng.normal(size=n)
    frame = pd.DataFrame({"t": t, "x": x, "age": age, "m": m, "y": m + t + rng.normal(size=n)})
    return frame.assign(c=rng.normal(size=n) + t, where=np.where(x > 0, "north", "south"))


def rows_of(frame: pd.DataFrame, treatment: str = "t", **roles) -> PersonRows:
    return PersonRows.from_frame(frame, RowColumns(treatment, ("m",), "y", **{**ROLES, **roles}))


def persons_of(frame: pd.DataFrame, **changed) -> TrialPersons:
    given = {"treatment": frame["t"], "mediator": frame["m"], "outcome": frame["y"]}
    given["covariates"] = {name: frame[name] for name in ROLES["covariates"]}
    given["post_baseline"] = {"c": frame["c"]}
    return TrialPersons.from_arrays(**{**given, **changed})


def close(found: TrialMoments, wanted: TrialMoments, rtol: float = 1e-9) -> None:
    np.testing.assert_array_equal(found.n, wanted.n)
    np.testing.assert_allclose(found.mean, wanted.mean, rtol=rtol, atol=1e-9)
    scale = np.sqrt(np.diagonal(wanted.cross, axis1=1, axis2=2))
    scale = scale[:, :, None] * scale[:, None, :]
    np.testing.assert_allclose(found.cross / scale, wanted.cross / scale, atol=rtol)


def test_moments_are_those_of_the_arms() -> None:
    frame = people()
    found = TrialMoments.from_persons(persons_of(frame))
    assert found.variables == (
        *("x", "age", "c", "mediator", "outcome"),
        *("mediator × x", "mediator × age"),
    )
    columns = frame[["x", "age", "c", "m", "y"]]
    apart = columns - columns.mean()
    columns = columns.assign(mx=apart["m"] * apart["x"], ma=apart["m"] * apart["age"])
    for arm in (0, 1):
        inside = columns[frame["t"] == arm]
        assert found.n[arm] == len(inside)
        np.testing.assert_allclose(found.mean[arm], inside.mean(), rtol=1e-12)
        expected = inside.cov().to_numpy() * (len(inside) - 1)
        scale = np.sqrt(np.outer(np.diagonal(expected), np.diagonal(expected)))
        np.testing.assert_allclose(found.cross[arm] / scale, expected / scale, atol=1e-12)
    np.testing.assert_allclose(found.overall, frame[["x", "age", "c", "m", "y"]].mean())


@pytest.mark.parametrize("covariates", [(), ("x",), ("x", "age")])
def test_the_engine_finds_the_moments_of_the_persons(covariates: tuple[str, ...]) -> None:
    rows = rows_of(people(), covariates=covariates)
    found = TrialMoments.from_rows(rows)
    persons = TrialPersons.from_rows(rows)
    assert persons.names == found.names
    assert found.names == TrialNames("t", "m", "y", covariates, ("c",))
    close(found, TrialMoments.from_persons(persons))
    assert found.source == persons.source == "data frame"


def test_persons_come_as_they_stand() -> None:
    frame = people()
    found, wanted = TrialPersons.from_rows(rows_of(frame)), persons_of(frame)
    for name in ("treatment", "covariates", "post_baseline", "mediator", "outcome"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
    assert found.n == 200


def test_incomplete_persons_and_other_arms_take_no_part() -> None:
    frame = people()
    moved = frame.assign(arm=frame["t"].map({0: "usual", 1: "new"}))
    moved.loc[3, "m"], moved.loc[5, "c"], moved.loc[8, "arm"] = np.nan, np.nan, None
    moved.loc[10:30, "arm"] = "third"
    kept = frame.drop(index=[3, 5, 8, *range(10, 31)])
    options = {"treatment": "arm", "reference": "usual", "arms": ("new",)}
    found = TrialMoments.from_rows(rows_of(moved, **options))
    assert found.names.arms == ("usual", "new")
    close(found, TrialMoments.from_persons(persons_of(kept)))
    persons = TrialPersons.from_rows(rows_of(moved, **options))
    np.testing.assert_array_equal(persons.treatment, kept["t"])
    np.testing.assert_array_equal(persons.outcome, kept["y"])
    with pytest.raises(DataError, match=r"2 arms are compared with 'usual' \(new, third\)"):
        TrialMoments.from_rows(rows_of(moved, treatment="arm", reference="usual"))


def test_completeness_that_differs_between_arms_is_warned_of() -> None:
    frame = people()
    frame.loc[(frame["t"] == 1) & (frame.index % 3 == 0), "y"] = np.nan
    for kind in (TrialMoments, TrialPersons):
        with pytest.warns(DataWarning, match=r"More persons are complete.*p = [0-9.e-]+\)"):
            found = kind.from_rows(rows_of(frame))
        assert "by site" not in found.notes[0]
    assert TrialMoments.from_persons(found).notes == found.notes


def test_amounts_of_treatment_have_persons_and_no_moments_by_arm() -> None:
    frame = people().assign(dose=lambda f: f["t"] * 2.5 + f["x"] ** 2)
    persons = TrialPersons.from_rows(rows_of(frame, treatment="dose", continuous=True))
    np.testing.assert_array_equal(persons.treatment, frame["dose"])
    np.testing.assert_array_equal(persons.covariates, frame[["x", "age"]])
    assert persons.names.arms is None
    with pytest.raises(DataError, match="amount"):
        TrialMoments.from_persons(persons)
    with pytest.raises(DataError, match="amount"):
        TrialMoments.from_rows(rows_of(frame, treatment="dose", continuous=True))
    given = persons_of(frame, treatment=frame["dose"], continuous=True)
    np.testing.assert_array_equal(given.treatment, persons.treatment)


def test_conditions_and_labels_and_files_hold(tmp_path) -> None:
    frame = people()
    file = tmp_path / "trial.csv"
    frame.to_csv(file, index=False)
    columns = RowColumns("t", ("m",), "y", **ROLES, where={"where": "north"}, labels={"m": "mood"})
    rows = PersonRows.read(file, columns)
    assert repr(rows) == "PersonRows(treatment 't', mediator 'm', outcome 'y', from trial.csv)"
    found = TrialMoments.from_rows(rows)
    assert found.names.mediator == "mood"
    close(found, TrialMoments.from_persons(persons_of(frame[frame["where"] == "north"])))
    assert rows.moments().site == ("all", "all")


REFUSED = {
    "site": ({"site": "where"}, "'where' is named as site"),
    "weights": ({"weights": "x", "covariates": ()}, "'x' is named as weights"),
    "cluster": ({"cluster": "where"}, "'where' is named as cluster"),
    "blocks": ({"fixed_effect": "where"}, "'where' is named as fixed_effect"),
    "instrument": ({"instrument": "c", "post_baseline": ()}, "'c' is named as instrument"),
    "log odds": ({"log_odds": "y", "covariates": ()}, "`log_odds` is for estimates of sites"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("kind", [TrialMoments, TrialPersons])
def test_roles_that_a_trial_does_not_know_are_refused(case: str, kind) -> None:
    roles, words = REFUSED[case]
    with pytest.raises(DataError, match=words):
        kind.from_rows(rows_of(people(), **roles))


def test_several_mediators_are_refused() -> None:
    columns = RowColumns("t", ("m", "c"), "y")
    with pytest.raises(DataError, match="2 columns are named as mediator"):
        TrialPersons.from_rows(PersonRows.from_frame(people(), columns))
    with pytest.raises(DataError, match=r"'c'.*two roles"):
        RowColumns("t", ("m",), "y", covariates=("c",), post_baseline=("c",))


def test_site_estimates_need_sites_and_take_nothing_after_baseline() -> None:
    with pytest.raises(DataError, match="No column is named as site"):
        reduce_rows(rows_of(people(), post_baseline=()))
    with pytest.raises(DataError, match="Post-baseline confounders are named"):
        reduce_rows(rows_of(people(), site="where"))


def test_cells_that_are_no_numbers_are_refused_without_a_site() -> None:
    frame = people().astype({"x": object})
    frame.loc[7, "x"] = "n.a."
    with pytest.raises(DataError) as caught:
        TrialPersons.from_rows(rows_of(frame.astype({"x": str})))
    assert "column 'x': 'n.a.' is not a number" in str(caught.value)


BAD = {
    "short": ({"mediator": [1.0, 2.0]}, "mediator has the shape"),
    "not finite": ({"covariates": {"x": [1, 2, np.nan, 4]}}, "'x': the value of person 3 is nan"),
    "short covariate": ({"covariates": {"x": [1, 2]}}, "'x' has the shape"),
    "three arms": ({"treatment": [0, 1, 2, 1]}, "2 is neither 0 nor 1"),
    "one arm": ({"treatment": [1, 1, 1, 1]}, "everybody has the same value"),
    "one name twice": ({"covariates": {"mediator": [1, 2, 3, 4]}}, "called 'mediator'"),
    "no name": ({"covariates": {" ": [1, 2, 3, 4]}}, "called ' '"),
}


@pytest.mark.parametrize("case", BAD)
def test_arrays_that_cannot_be_are_refused(case: str) -> None:
    given = {"treatment": [0, 0, 1, 1], "mediator": [1, 2, 3, 4], "outcome": [2, 2, 3, 3]}
    changed, words = BAD[case]
    with pytest.raises(DataError, match=words):
        TrialPersons.from_arrays(**{**given, **changed})


def test_an_arm_of_one_has_no_moments() -> None:
    persons = TrialPersons.from_arrays(
        treatment=[0, 1, 1], mediator=[1, 2, 3], outcome=[2, 2, 3], source="trial.csv"
    )
    with pytest.raises(DataError, match=r"trial\.csv: 1 complete persons are in arm '0'"):
        TrialMoments.from_persons(persons)


def test_nothing_changes_afterwards() -> None:
    frame = people()
    persons = persons_of(frame)
    moments = TrialMoments.from_persons(persons)
    with pytest.raises(FrozenInstanceError):
        moments.n = np.ones(2)
    for array in (persons.mediator, moments.cross):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0
    with pytest.raises(DataError, match="cross has the shape"):
        replace(moments, cross=moments.cross[:, :2])
    with pytest.raises(DataError, match="negative"):
        replace(moments, cross=-moments.cross)
    assert repr(moments).startswith("TrialMoments(")
