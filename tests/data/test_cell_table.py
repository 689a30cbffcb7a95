"""A table of eight cells: what is read, and the message of everything that is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesmed.core.errors import DataError
from bayesmed.data import TrialCells
from bayesmed.data.cell_table import CellColumns, cells_from_table
from bayesmed.data.reading import read_parquet_table, table_from_csv_text
from bayesmed.data.table import table_from_frame

COUNTED = CellColumns(events="died")
MEASURED = CellColumns(mean="mean", sd="sd")
N = np.array([[[30, 10], [20, 20]], [[30, 10], [0, 40]]])
DIED = np.array([[[9, 5], [6, 10]], [[12, 6], [0, 21]]])


def frame(*, order: int = 0, arms: tuple[object, object] = (0, 1)) -> pd.DataFrame:
    """Eight rows in an order of choice."""
    rows = [
        {
            "treatment": arms[d],
            "instrument": z,
            "mediator": m,
            "n": N[d, z, m],
            "died": DIED[d, z, m],
            "mean": 1.5 + d + 2 * m,
            "sd": 0.5 + z,
        }
        for d in (0, 1)
        for z in (0, 1)
        for m in (0, 1)
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=order, ignore_index=True)


def read(data: pd.DataFrame, columns: CellColumns = COUNTED) -> TrialCells:
    return cells_from_table(table_from_csv_text(data.to_csv(index=False), "cells.csv"), columns)


@pytest.mark.parametrize("order", range(3))
def test_cells_stand_where_they_belong_whatever_the_order(order: int) -> None:
    found = read(frame(order=order))
    expected = TrialCells.from_arrays(n=N, events=DIED)
    assert found.fingerprint == expected.fingerprint
    assert found.source == "cells.csv"
    assert found.binary_outcome


def test_standard_deviations_and_sums_of_squares_are_the_same() -> None:
    data = frame()
    data["ss"] = (data["n"] - 1).clip(lower=0) * data["sd"] ** 2
    by_sd = read(data, MEASURED)
    by_squares = read(data, CellColumns(mean="mean", squares="ss"))
    assert by_sd.fingerprint == by_squares.fingerprint
    assert by_sd.squares[0, 0, 1, 0] == 19 * 1.5**2
    assert by_sd.mean[0, 1, 0, 1] == 4.5


def test_an_empty_cell_needs_no_numbers_and_one_person_no_spread() -> None:
    data = frame().astype({"died": object, "sd": object, "mean": object})
    data.loc[data["n"] == 0, ["died", "mean", "sd"]] = ""
    assert read(data).n.min() == 0
    data.loc[data["n"] == 40, ["n", "sd"]] = [1, "NA"]
    assert read(data, MEASURED).squares[0, 1, 1, 1] == 0


def test_missing_cells_of_parquet_are_missing(tmp_path: Path) -> None:
    data = frame().astype({"died": float})
    data.loc[data["n"] == 0, "died"] = np.nan
    data.to_parquet(tmp_path / "cells.parquet")
    table = read_parquet_table(tmp_path / "cells.parquet")
    assert cells_from_table(table, COUNTED).n_persons == N.sum()
    assert cells_from_table(table_from_frame(data, "df"), COUNTED).n_persons == N.sum()


@pytest.mark.parametrize(
    ("arms", "reference", "expected"),
    [
        ((0, 1), None, ("0", "1")),
        ((0, 1), "1", ("1", "0")),
        ((0, -1), None, ("0", "-1")),
        (("usual care", "active"), "usual care", ("usual care", "active")),
        (("b", "a"), "a", ("a", "b")),
        (("<b>", "\u202eevil"), "<b>", ("<b>", "\u202eevil")),
    ],
)
def test_the_reference_comes_first(
    arms: tuple[object, object], reference: str | None, expected: tuple[str, str]
) -> None:
    found = read(frame(arms=arms), CellColumns(events="died", reference=reference))
    assert found.names.arms == expected
    swapped = expected[0] != str(arms[0])
    np.testing.assert_array_equal(found.n[0], N[::-1] if swapped else N)


def test_arms_that_do_not_tell_the_reference_are_not_guessed() -> None:
    with pytest.raises(DataError, match=r"'active' and 'placebo' do not tell.*reference = "):
        read(frame(arms=("placebo", "active")))


def test_strata_and_names_are_taken_from_the_columns() -> None:
    both = pd.concat([frame().assign(town=t) for t in ("Rome", "NA")])
    names = {"treatment": "drug", "instrument": "lottery", "mediator": "visit", "n": "persons"}
    columns = CellColumns(**names, events="died", stratum="town", outcome="death")
    found = read(both.rename(columns=names), columns)
    assert found.stratum == ("Rome", "NA")
    assert (found.names.treatment, found.names.mediator) == ("drug", "visit")
    assert (found.names.outcome, found.instrument) == ("death", "lottery")
    np.testing.assert_array_equal(found.n, [N, N])


BAD_CELLS = [
    ("treatment", 2, r"cells\.csv, column 'treatment': there are 3 arms\. Give the cells of two"),
    ("treatment", "", r"line 2, column 'treatment': the name is missing"),
    ("instrument", 2, r"line 2, column 'instrument': 2 is neither 0 nor 1\. Code it as 0 and 1"),
    ("instrument", "", r"line 2, column 'instrument': the value is missing"),
    ("mediator", "yes", r"line 2, column 'mediator': 'yes' is not a number"),
    ("mediator", 0.5, r"line 2, column 'mediator': 0\.5 is neither"),
    ("n", "", r"line 2, column 'n': the value is missing"),
    ("n", "1,5", r"line 2, column 'n': .*decimal comma"),
    ("n", -3, r"of -3 persons|n is -3"),
    ("n", "inf", r"line 2, column 'n': the number is infinite"),
    ("n", "__import__('os')", r"line 2, column 'n': .*is not a number"),
    ("died", "", r"line 2, column 'died': the value is missing\. Fill it in"),
    ("died", 2.5, r"line 2, column 'died': 2\.5 of \d+ persons have.*whole number from 0 to n"),
    ("died", -1, r"line 2, column 'died': -1 of"),
    ("died", 99, r"line 2, column 'died': 99 of"),
]


@pytest.mark.parametrize(("column", "value", "message"), BAD_CELLS)
def test_a_bad_value_is_refused_with_its_place(column: str, value: object, message: str) -> None:
    data = frame().astype({column: object}).sort_values("n", ascending=False)
    data.iloc[0, data.columns.get_loc(column)] = value  # type: ignore[index]
    with pytest.raises(DataError, match=message):
        read(data)


def test_outcomes_where_nobody_is_are_refused() -> None:
    data = frame()
    data.loc[data["n"] == 0, "died"] = 2
    with pytest.raises(DataError, match=r"column 'died': 2 of 0 persons"):
        read(data)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("sd", -1, r"column 'sd': -1 is negative\. A spread is 0 or positive"),
        ("sd", "", r"column 'sd': the value is missing"),
        ("sd", 1e300, r"squares is inf"),
        ("mean", "", r"column 'mean': the value is missing"),
        ("mean", 1e200, r"mean is 1e\+200"),
    ],
)
def test_bad_means_and_spreads_are_refused(column: str, value: object, message: str) -> None:
    data = frame().astype({column: object}).sort_values("n", ascending=False)
    data.iloc[0, data.columns.get_loc(column)] = value  # type: ignore[index]
    with pytest.raises(DataError, match=message):
        read(data, MEASURED)


def test_cells_are_given_once() -> None:
    missing = r"the cell treatment = 1, instrument = 1, mediator = 0 is missing\. Give every cell"
    with pytest.raises(DataError, match=missing):
        read(frame().query("n > 0"))
    twice = pd.concat([frame(), frame().query("n == 40")])
    with pytest.raises(DataError, match=r"treatment = 1, instrument = 1, mediator = 1 is there 2"):
        read(twice)
    strata = pd.concat([frame().assign(town="a"), frame().assign(town="b").query("n > 0")])
    with pytest.raises(DataError, match=r"the cell town = b, treatment = 1, .* is missing"):
        read(strata, CellColumns(events="died", stratum="town"))


def test_columns_that_are_not_there_are_named() -> None:
    with pytest.raises(DataError, match=r"no column 'dead'.*'died'"):
        read(frame(), CellColumns(events="dead"))
    with pytest.raises(DataError, match=r"no arm 'contrl'.*'control'"):
        read(frame(arms=("control", "x")), CellColumns(events="died", reference="contrl"))


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"events": "y", "mean": "m", "sd": "s"},
        {"events": "y", "sd": "s"},
        {"mean": "m"},
        {"sd": "s"},
        {"mean": "m", "sd": "s", "squares": "q"},
    ],
)
def test_the_outcome_is_given_in_one_way(named: dict[str, str]) -> None:
    with pytest.raises(DataError, match=r"not given, or in two ways\. Name `events`"):
        CellColumns(**named)


def test_a_column_has_one_role() -> None:
    with pytest.raises(DataError, match=r"Column 'n' has two roles"):
        CellColumns(events="n")
    with pytest.raises(DataError, match=r"called 'mediator'"):
        read(frame(), CellColumns(events="died", outcome="mediator"))
