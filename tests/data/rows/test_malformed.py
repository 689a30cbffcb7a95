"""Rows that cannot be used are refused by name, with the remedy; what is left out is counted."""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bayesmed.data import DataError, DataWarning, Estimation, PersonRows, RowColumns, reduce_rows
from bayesmed.data.rows import Reduction
from tests.data.rows.people import people, reduced, roles

type Edit = Callable[[pd.DataFrame], pd.DataFrame]
PLAIN = people(persons=30)


def first(column: str, value: object, rows: int = 2) -> Edit:
    """Put a value into the first rows of a column."""

    def edit(frame: pd.DataFrame) -> pd.DataFrame:
        kind: Any = frame[column].dtype if isinstance(value, float) else object
        changed = frame[column].astype(kind).copy()
        changed.iloc[:rows] = value
        return frame.assign(**{column: changed})

    return edit


def same(column: str, value: object) -> Edit:
    """Put a value into all rows of a column."""
    return lambda frame: frame.assign(**{column: [value] * len(frame)})


def at_first_site(column: str, values: Callable[[pd.DataFrame], Any]) -> Edit:
    """Replace a column at site s0."""
    return lambda frame: frame.assign(
        **{column: np.where(frame.site == "s0", values(frame), frame[column])}
    )


def renamed(old: str, new: str) -> Edit:
    return lambda frame: frame.rename(columns={old: new})


def refuse(call: Callable[[], object], *words: str) -> None:
    """Require a DataError with words in its message, and a remedy that is a sentence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        with pytest.raises(DataError) as caught:
            call()
    message = str(caught.value)
    for word in words:
        assert word in message, message
    assert caught.value.remedy.endswith((".", "?")), message
    assert "Error" not in message, message
    assert "\n" not in message, message


def line(number: int, change: Callable[[str], str]) -> Callable[[str], str]:
    """Change one line of a text; lines count from 1."""

    def edit(text: str) -> str:
        lines = text.split("\n")
        lines[number - 1] = change(lines[number - 1])
        return "\n".join(lines)

    return edit


# What is done to a data frame, which roles are changed, and words of the message.
FRAMES: dict[str, tuple[Edit, dict[str, Any], list[str]]] = {
    "column not found": (renamed("m1", "m_1"), {}, ["frame has no column 'm1'", "mean 'm_1'"]),
    "letter case": (lambda f: f, {"outcome": "Y"}, ["data frame has no column 'Y'"]),
    "mixed types": (first("m1", "abc"), {}, ["frame, column 'm1' mixes", "float, str", "Convert"]),
    "all text": (same("m1", "abc"), {}, ["column 'm1', site s", "'abc' is not", "161 more"]),
    "infinite": (first("m1", np.inf), {}, ["frame, column 'm1', site s0", "infinite", "finite"]),
    "huge": (first("y", 1e200), {}, ["column 'y', site s0: 1e+200 is too large", "and 1 more"]),
    "huge covariate": (first("x1", -1e60), {"covariates": "x1"}, ["'x1'", "-1e+60"]),
    "infinite covariate of sites": (
        first("x1", np.inf),
        {"site_covariates": "x1"},
        ["'x1'", "infinite"],
    ),
    "only NaN": (
        same("m1", np.nan),
        {},
        ["no person is complete", "'m1' is missing in 162 of 162"],
    ),
    "only None": (same("m1", None), {}, ["no person is complete", "'m1' is missing in 162 of 162"]),
    "no treatment": (same("arm", None), {}, ["no person is complete", "'arm' is missing in 162"]),
    "no site": (same("site", None), {}, ["no person is complete", "'site' is missing in 162"]),
    "dates": (same("m1", pd.Timestamp("2020-01-01")), {}, ["frame, column 'm1'", "timestamp"]),
    "durations": (same("m1", pd.Timedelta("1D")), {}, ["frame, column 'm1'", "not a number"]),
    "lists": (same("m1", [1, 2]), {}, ["data frame, column 'm1'", "array", "not a number"]),
    "lists as sites": (same("site", [1, 2]), {}, ["data frame, column 'site'", "names nothing"]),
    "intervals": (
        lambda f: f.assign(site=pd.cut(f.x2, 4)),
        {},
        ["data frame, column 'site' holds values of type category", "neither numbers nor names"],
    ),
    "complex": (lambda f: f.assign(y=f.y.astype(complex)), {}, ["column 'y'", "complex128"]),
    "one arm": (same("arm", 1), {}, ["frame, column 'arm': everybody is in arm '1'", "`where`"]),
    "three numbers": (
        lambda f: f.assign(arm=np.arange(len(f)) % 3),
        {},
        ["column 'arm' has the values ['0', '1', '2']", "`reference`", "`continuous`"],
    ),
    "many numbers": (
        lambda f: f.assign(arm=np.arange(len(f)) / 3),
        {},
        ["column 'arm' has 162 values", "`continuous`"],
    ),
    "no arm 0": (lambda f: f.assign(arm=f.arm + 1), {}, ["the arms '1', '2'", "`reference`"]),
    "names of arms": (
        lambda f: f.assign(arm=np.where(f.arm == 1, "call", "none")),
        {},
        ["column 'arm' has the arms 'call', 'none'", "`reference`"],
    ),
    "numbers and names": (
        lambda f: f.assign(arm=f.arm.astype(str).where(f.index % 5 > 0, "None")),
        {},
        ["column 'arm' has the arms '0', '1', 'None'", "`arms`"],
    ),
    "reference not found": (
        lambda f: f.assign(arm=np.where(f.arm == 1, "call", "none")),
        {"reference": "nonne"},
        ["column 'arm'", "no arm 'nonne'", "Did you mean 'none'?"],
    ),
    "arm not found": (lambda f: f, {"arms": "2"}, ["no arm '2' to compare", "There are: '1'"]),
    "arm twice": (lambda f: f, {"arms": ("1", "1.0")}, ["arm '1' is to be compared twice"]),
    "reference compared": (lambda f: f, {"reference": "0", "arms": ("0.0",)}, ["no arm '0' to"]),
    "two spellings": (
        lambda f: f.assign(arm=f.arm.astype(str) + np.where(f.index % 3, "", ".0")),
        {},
        ["column 'arm'", "two ways", "'1.0'", "Spell every arm"],
    ),
    "upper and lower case": (
        lambda f: f.assign(arm=np.where(f.arm == 1, "Call", np.where(f.index % 3, "no", "No"))),
        {"reference": "no"},
        ["column 'arm'", "two ways", "'No', 'no'"],
    ),
    "site in two spellings": (
        lambda f: f.assign(site=np.where(f.index % 2, "3", np.where(f.site == "s0", "3.0", "7"))),
        {},
        ["data frame, column 'site': '3' and '3.0'", "Spell"],
    ),
    "negative weight": (first("w", -1.0), {"weights": "w"}, ["'w': a weight is negative (-1)"]),
    "weights 0": (same("w", 0), {"weights": "w"}, ["column 'w': all weights are 0", "positive"]),
    "no weights": (same("w", np.nan), {"weights": "w"}, ["'w' is missing in 162 of 162 rows"]),
    "infinite weight": (first("w", np.inf), {"weights": "w"}, ["'w', site s0", "infinite"]),
    "huge weight": (first("w", 1e200), {"weights": "w"}, ["'w', site s0", "too large"]),
    "one site": (lambda f: f[f.site == "s1"], {}, ["1 site is left", "at least two"]),
    "too few everywhere": (
        lambda f: f.groupby(["site", "arm"]).head(2),
        {},
        ["no site can be used", "s0 (2 complete in arm '0')", "larger sites"],
    ),
    "too few but at one": (
        lambda f: pd.concat([f[f.site == "s0"], f.groupby(["site", "arm"]).head(2)]),
        {},
        ["1 site is left", "s1 (2 complete in arm '0')"],
    ),
    "constant outcome": (same("y", 3.1), {}, ["no site is left", "the outcome does not vary"]),
    "constant mediator": (same("m1", 0.1), {}, ["effect of treatment on 'm1' is 0 in all rows"]),
    "mediator is treatment": (
        lambda f: f.assign(m1=2.0 * f.arm),
        {},
        ["effect of treatment on 'm1' is 2 in all rows"],
    ),
    "mediator is outcome": (
        lambda f: f.assign(m1=f.y),
        {},
        ["s0 (two of its estimates have a sampling correlation of 1)"],
    ),
    "log odds of a number": (
        lambda f: f,
        {"log_odds": "y"},
        ["frame, column 'y': 162 values are neither 0 nor 1", "`log_odds`"],
    ),
    "no events": (
        same("event", 0),
        {"outcome": "event", "log_odds": "event"},
        ["no site can be used", "nobody or everybody has 'event' in an arm"],
    ),
    "no rows": (lambda f: f[:0], {}, ["data frame has no rows", "every person"]),
    "no rows nor types": (lambda f: pd.DataFrame(columns=f.columns), {}, ["has no rows"]),
    "two columns of a name": (renamed("m2", "m1"), {}, ["header names 2 columns 'm1'", "Rename"]),
    "columns but for case": (renamed("m2", "M1"), {}, ["'m1' and 'M1' differ only in", "Rename"]),
    "condition met by nobody": (
        lambda f: f,
        {"where": {"site": "s9"}},
        ["no row has site = 's9'", "There are: 's0', 's1'"],
    ),
    "conditions met by nobody": (
        lambda f: f,
        {"where": {"site": "s1", "b1": "7"}},
        ["no row has site = 's1' and b1 = '7'", "one by one"],
    ),
    "condition on no column": (lambda f: f, {"where": {"sit": "1"}}, ["no column 'sit'", "'site'"]),
    "text for a number": (
        lambda f: f,
        {"where": {"b1": "yes"}},
        ["frame, column 'b1' holds numbers", "`where` asks for 'yes'"],
    ),
    "text for a truth value": (
        same("k", True),
        {"where": {"k": "banana"}},
        ["frame, column 'k' is true or false", "'banana'"],
    ),
    "condition on lists": (same("k", [1]), {"where": {"k": "1"}}, ["column 'k' is of type array"]),
    "cuts of text": (
        lambda f: f,
        {"site": ("site", "b1"), "cuts": {"site": (1,)}},
        ["frame, column 'site': 's0' is not a number", "161 more"],
    ),
    "cuts of a little text": (
        lambda f: first("x2", "old")(f.assign(x2=f.x2.astype(str))),
        {"site": ("site", "x2"), "cuts": {"x2": (100,)}},
        ["frame, column 'x2': 'old' is not a number and 1 more"],
    ),
    "cuts of nothing": (
        same("x2", np.nan),
        {"site": ("site", "x2"), "cuts": {"x2": (100,)}},
        ["no person is complete", "'x2' is missing in 162"],
    ),
    "cuts of dates": (
        same("x2", pd.Timestamp("2020-01-01")),
        {"site": "x2", "cuts": {"x2": (1,)}},
        ["column 'x2'", "timestamp", "not a number"],
    ),
    "quantiles of text": (
        lambda f: f,
        {"quantiles": {"site": 2}},
        ["frame, column 'site': there are no numbers to cut", "`quantiles`"],
    ),
    "quantiles of nothing": (
        same("x2", np.nan),
        {"site": "x2", "quantiles": {"x2": 2}},
        ["column 'x2': there are no numbers to cut"],
    ),
    "quantiles of infinity": (
        first("x2", np.inf, 80),
        {"site": "x2", "quantiles": {"x2": 2}},
        ["column 'x2': the number is infinite and 79 more"],
    ),
}


@pytest.mark.parametrize("case", FRAMES)
def test_frames(case: str) -> None:
    edit, changed, words = FRAMES[case]
    refuse(lambda: reduce_rows(PersonRows.from_frame(edit(PLAIN), roles(**changed))), *words)


# Texts in place of the first number of column m1, and words of the message.
CELLS = {
    "text": ("about half", ["'about half' is not a number", "plain number"]),
    "decimal comma": ('"0,7"', ["'0,7' is not a number", "decimal point"]),
    "thousands": ('"1.234,5"', ["decimal point"]),
    "percent": ("70%", ["'70%' is not a number", "percent sign"]),
    "stars": ("0.7**", ["stars"]),
    "dash": ("−0.7", ["typographic dash"]),
    "yes": ("yes", ["'yes' is not a number"]),
    "hexadecimal": ("0x10", ["'0x10' is not a number"]),
    "infinite": ("-inf", ["infinite"]),
    "overflow": ("1e999", ["infinite"]),
    "huge": ("1e200", ["1e+200 is too large"]),
}


@pytest.mark.parametrize("case", CELLS)
def test_cells_of_text(case: str, tmp_path: Path) -> None:
    cell, words = CELLS[case]
    text = PLAIN.assign(m1=["@", *PLAIN.m1[1:]]).to_csv(index=False).replace("@", cell)
    file = written(tmp_path, "p.csv", text)
    refuse(
        lambda: reduce_rows(PersonRows.read(file, roles())), "p.csv, column 'm1', site s0", *words
    )


def written(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


# What is done to the text of a CSV file, and words of the message.
TEXTS: dict[str, tuple[Callable[[str], str | bytes], list[str]]] = {
    "empty": (lambda t: "", ["p.csv is empty", "header line"]),
    "blank": (lambda t: "\n\n", ["p.csv is empty"]),
    "blank line first": (lambda t: "\n" + t, ["p.csv, line 1", "empty", "Begin with the header"]),
    "header only": (lambda t: t.split("\n")[0] + "\n", ["p.csv has no rows"]),
    "column twice": (lambda t: t.replace(",m2,", ",m1,"), ["p.csv", "2 columns 'm1'", "Rename"]),
    "but for case": (lambda t: t.replace(",m2,", ",M1,"), ["p.csv", "'m1' and 'M1'", "Rename"]),
    "too long": (line(5, lambda s: s + ",9"), ["p.csv, line 5", "15 cells, the header 14", "Fill"]),
    "too short": (line(5, lambda s: s[: s.rindex(",")]), ["p.csv, line 5", "13 cells"]),
    "too long, at the end": (lambda t: t + "1,2\n", ["p.csv, line 164", "2 cells"]),
    "open quote": (line(5, lambda s: '"' + s), ["p.csv, line 5", "not closed", "quotation mark"]),
    "ends of lines": (line(5, lambda s: s + "\r"), ["p.csv", "lines end in different ways"]),
    "long line": (lambda t: t + "x" * 3_000_000, ["p.csv, line 164", "too long"]),
    "Latin 1": (lambda t: t.replace("s3", "Köln").encode("latin-1"), ["p.csv, line", "UTF-8"]),
    "Latin 1, far down": (
        lambda t: (t + t.split("\n", 1)[1] * 80 + "Köln,1,1\n").encode("latin-1"),
        ["p.csv, line 13124", "UTF-8"],
    ),
    "UTF-16": (lambda t: t.encode("utf-16"), ["UTF-16", "UTF-8"]),
    "semicolons": (lambda t: t.replace(",", ";"), ["p.csv", "semicolons", "commas"]),
    "tabs": (lambda t: t.replace(",", "\t"), ["p.csv", "tabs"]),
    "gzip": (lambda t: gzip.compress(t.encode()), ["p.csv is a gzip archive"]),
    "Excel": (lambda t: b"PK\x03\x04rest", ["p.csv is a ZIP archive or an Excel workbook"]),
    "Parquet": (lambda t: b"PAR1rest", ["p.csv is a Parquet file"]),
    "binary": (line(3, lambda s: s + "\0"), ["p.csv, line 3", "binary"]),
}


@pytest.mark.parametrize("case", TEXTS)
def test_csv_files(case: str, tmp_path: Path) -> None:
    edit, words = TEXTS[case]
    file = written(tmp_path, "p.csv", edit(PLAIN.to_csv(index=False)))
    refuse(lambda: reduce_rows(PersonRows.read(file, roles())), *words)


class TestFiles:
    def test_pieces_with_other_columns(self, tmp_path: Path) -> None:
        pieces = {
            "no column 'x1', unlike a.csv": PLAIN.drop(columns="x1"),
            "the column 'z', unlike a.csv": PLAIN.assign(z=1),
            "its columns in another order than a.csv": PLAIN[PLAIN.columns[::-1]],
        }
        PLAIN.to_csv(tmp_path / "a.csv", index=False)
        for words, piece in pieces.items():
            piece.to_csv(tmp_path / "b.csv", index=False)
            refuse(lambda: PersonRows.read(tmp_path, roles()), f"b.csv has {words}", "same header")

    def test_pieces_of_other_types(self, tmp_path: Path) -> None:
        PLAIN.to_parquet(tmp_path / "a.parquet")
        PLAIN.astype({"arm": float}).to_parquet(tmp_path / "b.parquet")
        words = ["'arm'", "double in b.parquet", "int64 in a.parquet"]
        refuse(lambda: PersonRows.read(tmp_path, roles()), *words)
        PLAIN.drop(columns="x1").to_parquet(tmp_path / "b.parquet")
        refuse(lambda: PersonRows.read(tmp_path, roles()), "'x1' is missing in b.parquet")

    def test_a_bad_line_names_its_piece(self, tmp_path: Path) -> None:
        text = PLAIN.to_csv(index=False)
        written(tmp_path, "a.csv", text)
        written(tmp_path, "b.csv", text + "s9,1\n")
        rows = PersonRows.read(tmp_path, roles())
        refuse(lambda: reduce_rows(rows), "b.csv, line 164", "2 cells, the header 14")

    def test_an_empty_piece(self, tmp_path: Path) -> None:
        written(tmp_path, "a.csv", PLAIN.to_csv(index=False))
        written(tmp_path, "b.csv", "")
        refuse(lambda: PersonRows.read(tmp_path, roles()), "b.csv is empty")

    def test_both_kinds(self, tmp_path: Path) -> None:
        PLAIN.to_parquet(tmp_path / "a.parquet")
        PLAIN.to_csv(tmp_path / "b.csv", index=False)
        refuse(lambda: PersonRows.read(tmp_path, roles()), "a.parquet", "b.csv is not", "one kind")

    def test_folder_without_data(self, tmp_path: Path) -> None:
        written(tmp_path, "readme.md", "hello")
        refuse(lambda: PersonRows.read(tmp_path, roles()), str(tmp_path), "no file that ends in")

    def test_no_such_file(self, tmp_path: Path) -> None:
        written(tmp_path, "people.csv", "x")
        file = tmp_path / "poeple.csv"
        refuse(lambda: PersonRows.read(file, roles()), "no file", "Did you mean 'people.csv'?")
        refuse(lambda: PersonRows.read([], roles()), "No file of persons is named")
        refuse(lambda: PersonRows.read("p" * 5000, roles()), "cannot be opened")

    def test_not_parquet(self, tmp_path: Path) -> None:
        file = written(tmp_path, "p.parquet", PLAIN.to_csv(index=False))
        refuse(lambda: PersonRows.read(file, roles()), "p.parquet is not a readable Parquet file")
        PLAIN.to_parquet(file)
        file.write_bytes(file.read_bytes()[:-100])
        refuse(lambda: PersonRows.read(file, roles()), "p.parquet is not a readable Parquet file")

    def test_parquet_headers(self, tmp_path: Path) -> None:
        table = pa.Table.from_pandas(PLAIN, preserve_index=False)
        for name, words in (("m1", "2 columns 'm1'"), ("M1", "'m1' and 'M1' differ only")):
            names = [name if c == "m2" else c for c in table.column_names]
            pq.write_table(table.rename_columns(names), tmp_path / "p.parquet")
            refuse(lambda: PersonRows.read(tmp_path, roles()), "p.parquet", words)

    def test_no_rows(self, tmp_path: Path) -> None:
        PLAIN[:0].to_parquet(tmp_path / "p.parquet")
        rows = PersonRows.read(tmp_path, roles())
        refuse(lambda: reduce_rows(rows), "p.parquet has no rows")


# Things that are no data frame, by what messages call them.
THINGS: dict[str, Any] = {
    "lazy polars frame": pl.from_pandas(PLAIN).lazy(),
    "dict": PLAIN.to_dict("list"),
    "list": PLAIN.to_dict("records"),
    "Series": PLAIN.m1,
    "ndarray": PLAIN[["y"]].to_numpy(),
    "str": "people.csv",
    "NoneType": None,
}


@pytest.mark.parametrize("kind", THINGS)
def test_no_frames(kind: str) -> None:
    refuse(lambda: PersonRows.from_frame(THINGS[kind], roles()), kind)


def test_polars_series_and_frames_that_are_no_ibis_tables() -> None:
    refuse(lambda: PersonRows.from_frame(pl.Series([1.0]), roles()), "not a Series")
    for frame in (PLAIN, pl.from_pandas(PLAIN)):
        refuse(lambda f=frame: PersonRows(f, roles()), "not a DataFrame", "PersonRows.from_frame")


# Roles that contradict each other.
ROLES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "two roles": ({"mediators": "y"}, ["'y'", "two roles (mediators and outcome)"]),
    "treatment as covariate": ({"covariates": "arm"}, ["'arm'", "treatment and covariates"]),
    "mediator twice": ({"mediators": ("m1", "m1")}, ["'m1'", "two roles"]),
    "no mediator": ({"mediators": ()}, ["No column is named as mediators"]),
    "no name": ({"outcome": " "}, ["name of a column (outcome) is empty"]),
    "reference of an amount": ({"continuous": True, "reference": "0"}, ["an amount", "Leave"]),
    "compared with itself": ({"reference": "0", "arms": "0"}, ["'0' is compared with itself"]),
    "falling cuts": ({"cuts": {"site": (3, 1)}}, ["cuts of 'site'", "rising"]),
    "one quantile": ({"quantiles": {"site": 1}}, ["'site'", "1 groups", "from 2"]),
    "cuts of no site": ({"cuts": {"sit": (1,)}}, ["'sit'", "Did you mean 'site'?"]),
    "both": ({"cuts": {"site": (1,)}, "quantiles": {"site": 2}}, ["'site' has both"]),
    "log odds of a covariate": ({"log_odds": "x1"}, ["'x1'", "neither mediator nor outcome"]),
    "log odds and covariates": (
        {"outcome": "event", "log_odds": "event", "covariates": "x1"},
        ["Log odds ratios with covariates", "logistic"],
    ),
    "label of nothing": ({"labels": {"x": "hours"}}, ["`labels` names 'x'"]),
}


@pytest.mark.parametrize("case", ROLES)
def test_roles(case: str) -> None:
    changed, words = ROLES[case]
    refuse(lambda: roles(**changed), *words)


# What makes site s0 unusable, the roles, and why it is dropped.
DROPPED: dict[str, tuple[Edit, dict[str, Any], str]] = {
    "too few": (
        lambda f: f[(f.site != "s0") | (f.arm == 0) | ~f.duplicated(["site", "arm"])],
        {},
        "1 complete in arm '1'",
    ),
    "nobody treated": (lambda f: f[(f.site != "s0") | (f.arm == 0)], {}, "nobody in arm '1'"),
    "no control": (lambda f: f[(f.site != "s0") | (f.arm == 1)], {}, "nobody in arm '0'"),
    "nobody complete": (at_first_site("m1", lambda f: np.nan), {}, "no complete person"),
    "mediator is outcome": (
        at_first_site("m1", lambda f: f.y),
        {},
        "two of its estimates have a sampling correlation of 1",
    ),
    "mediator is minus the outcome": (
        at_first_site("m1", lambda f: 3 - f.y),
        {},
        "two of its estimates have a sampling correlation of 1",
    ),
    "outcome is a sum": (
        at_first_site("y", lambda f: f.m1 + f.m2),
        {"mediators": ("m1", "m2")},
        "one of its estimates follows from the others",
    ),
    "constant outcome": (
        at_first_site("y", lambda f: 3.1),
        {},
        "the outcome does not vary within arms",
    ),
    "constant covariate": (
        at_first_site("x1", lambda f: 0.3),
        {"covariates": ("x1", "x2")},
        "covariates do not vary, or are collinear",
    ),
    "collinear covariates": (
        at_first_site("x1", lambda f: 1e6 + 2 * f.x2),
        {"covariates": ("x1", "x2")},
        "covariates do not vary, or are collinear",
    ),
    "covariate is treatment": (
        at_first_site("x1", lambda f: f.arm),
        {"covariates": "x1"},
        "covariates do not vary, or are collinear",
    ),
    "more covariates than persons": (
        lambda f: pd.concat([f[f.site != "s0"], f[f.site == "s0"].groupby("arm").head(3)]).assign(
            x3=f.x1**2, x4=f.x2**2, x5=f.x1 * f.x2
        ),
        {"covariates": ("x1", "x2", "x3", "x4", "x5")},
        "6 persons for 7 coefficients",
    ),
    "treatment by block": (
        at_first_site("block", lambda f: f.arm),
        {"fixed_effect": "block"},
        "treatment does not vary within blocks",
    ),
    "one cluster per arm": (
        at_first_site("cluster", lambda f: f.arm),
        {"cluster": "cluster"},
        "fewer than two clusters in arm '0'",
    ),
    "one treated cluster": (
        at_first_site("cluster", lambda f: np.where(f.arm == 1, 0, f.cluster)),
        {"cluster": "cluster"},
        "fewer than two clusters in arm '1'",
    ),
    "fewer clusters than estimates": (
        at_first_site("cluster", lambda f: 2 * f.arm + np.arange(len(f)) % 2),
        {"cluster": "cluster", "mediators": ("m1", "m2")},
        "one of its estimates follows from the others",
    ),
    "no events in an arm": (
        at_first_site("event", lambda f: np.where(f.arm == 1, 0, f.event)),
        {"outcome": "event", "log_odds": "event"},
        "nobody or everybody has 'event' in an arm",
    ),
}


@pytest.mark.parametrize("case", DROPPED)
def test_sites_dropped_by_name(case: str) -> None:
    edit, changed, why = DROPPED[case]
    rows = PersonRows.from_frame(edit(PLAIN), roles(**changed))
    with pytest.warns(DataWarning, match="Dropped, 1 of"):
        found = reduce_rows(rows)
    assert [d.site for d in found.dropped] == ["s0"]
    assert found.dropped[0].reason.startswith(why)
    assert found.estimates.site == ("s1", "s2", "s3")
    # The sites that are left are as they are without the site.
    alone = reduced(edit(PLAIN[PLAIN.site != "s0"]), **changed).estimates
    np.testing.assert_allclose(found.estimates.cov, alone.cov, rtol=1e-12)
    refuse(lambda: reduce_rows(rows, Estimation(strict=True)), "data frame", f"s0 ({why}", "strict")


def test_arms_dropped_by_name() -> None:
    frame = people(persons=60, arms=3)
    frame = frame[(frame.site != "s0") | (frame.arm < 2)]
    with pytest.warns(DataWarning, match=r"s0 / 2 \(nobody in arm '2'\)"):
        found = reduced(frame, reference="0")
    assert ("s0", "2") not in zip(found.estimates.site, found.estimates.arm or (), strict=True)
    assert len(found.estimates.site) == 7


class TestKnown:
    """What does not vary at a site is known there, if that is asked for or is a mediator."""

    def test_outcome(self) -> None:
        frame = at_first_site("y", lambda f: 3.1 + f.arm)(PLAIN)
        with pytest.warns(DataWarning, match="does not vary within arms at s0: .* known"):
            found = reduced(frame, Estimation(constant_outcome="known"))
        assert found.estimates.total_effect[0] == pytest.approx(1, rel=1e-12)
        assert found.estimates.cov[0, 1].tolist() == [0, 0]

    def test_mediator(self) -> None:
        frame = at_first_site("m1", lambda f: 0.1)(PLAIN)
        with pytest.warns(DataWarning, match="does not vary within arms at s0: .* known"):
            found = reduced(frame)
        assert found.estimates.mediator_effect[0, 0] == 0
        assert found.estimates.cov[0, 0].tolist() == [0, 0]
        assert found.estimates.cov[0, 1, 1] > 0


# Cells that are missing, in a column and its role.
MISSING = ["site", "arm", "cluster", "w", "block", "x1", "m1", "y"]


ALL_ROLES = {"cluster": "cluster", "weights": "w", "fixed_effect": "block", "covariates": "x1"}


@cache
def without_the_first(rows: int) -> Reduction:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return reduced(PLAIN[rows:], **ALL_ROLES)


@pytest.mark.parametrize("column", MISSING)
@pytest.mark.parametrize("mark", [None, "NA", ""])
def test_missing_cells_are_counted_and_not_used(column: str, mark: str | None) -> None:
    frame = PLAIN if mark is None else PLAIN.astype({column: str})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        found = reduced(first(column, mark, 5)(frame), **ALL_ROLES)
    table = found.missingness.table
    assert table[f"missing[{column}]"].sum() == 5
    assert sum(table[f"missing[{c}]"].sum() for c in found.missingness.columns) == 5
    assert (found.missingness.rows, found.missingness.complete) == (len(PLAIN), len(PLAIN) - 5)
    equal(found, without_the_first(5))


def equal(found: Reduction, wanted: Reduction) -> None:
    assert found.estimates.site == wanted.estimates.site
    np.testing.assert_allclose(
        found.estimates.mediator_effect, wanted.estimates.mediator_effect, rtol=1e-12
    )
    np.testing.assert_allclose(found.estimates.cov, wanted.estimates.cov, rtol=1e-11)


def test_names_that_look_missing_but_are_not() -> None:
    """Nan is a province; "none" may be an arm."""
    frame = PLAIN.assign(
        site=PLAIN.site.replace("s0", "Nan"), arm=np.where(PLAIN.arm == 1, "call", "none")
    )
    found = reduced(frame, reference="none")
    assert found.missingness.complete == len(PLAIN)
    assert "Nan" in found.estimates.site


def test_names_of_many_digits() -> None:
    """Whole numbers beside missing ones are not rounded."""
    number = 2**53 + PLAIN.site.str[1:].astype(int)
    site = pd.array(number.where(PLAIN.index % 11 > 0, 0), dtype="Int64")
    found = reduced(PLAIN.assign(site=pd.Series(site).where(site != 0)))
    assert found.estimates.site == tuple(str(2**53 + i) for i in range(4))


def test_conditions_equal_numbers_however_written(tmp_path: Path) -> None:
    frame = PLAIN.assign(wave=np.where(PLAIN.index % 4 > 0, 2.0, 1.0))
    file = written(tmp_path, "p.csv", frame.to_csv(index=False))
    for value in ("2", "2.0", " 2 ", 2):
        columns = roles(where={"wave": value})
        for rows in (PersonRows.from_frame(frame, columns), PersonRows.read(file, columns)):
            assert rows.moments().n.sum() == (frame.wave == 2).sum()


def test_other_columns_do_no_harm() -> None:
    """Whatever a column without a role holds."""
    frame = PLAIN.assign(a=pd.cut(PLAIN.x1, 3), b=[object()] * len(PLAIN), c=1j)
    equal(reduced(frame), reduced(PLAIN))


def test_a_column_of_any_name() -> None:
    names = {"m1": 'a "b".c', "y": "sel'ect; --", "site": "ok", "arm": "rows"}
    columns = RowColumns("rows", ('a "b".c',), "sel'ect; --", site="ok")
    equal(reduce_rows(PersonRows.from_frame(PLAIN.rename(columns=names), columns)), reduced(PLAIN))
