"""Every bad input is refused by its own message, which names the place and the remedy."""

from __future__ import annotations

import dataclasses
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayesmed.data import (
    DataError,
    MediatorColumns,
    MediatorCovariance,
    SiteColumns,
    SiteEstimates,
)

type Write = Callable[[str | bytes], Path]

# What replaces what in the plain table, and words that the message must hold.
EDITS: dict[str, tuple[str, str, list[str]]] = {
    "missing value": ("B,0.7,", "B,,", ["line 3", "'gamma'", "missing", "remove the row"]),
    "NA is missing": ("B,0.7,", "B,NA,", ["line 3", "'gamma'", "missing"]),
    "Stata's missing": ("0.3,0.1,0.2", "0.3,0.1,.", ["line 3", "'corr'", "missing"]),
    "infinite": ("C,0.4,", "C,-inf,", ["line 4", "'gamma'", "infinite", "finite number"]),
    "overflow": ("C,0.4,", "C,1e999,", ["line 4", "'gamma'", "infinite"]),
    "huge": ("C,0.4,", "C,1e200,", ["line 4", "'gamma'", "1e+200", "unit"]),
    "huge error": ("C,0.4,0.2", "C,0.4,1e200", ["line 4", "'gamma_se'", "another unit"]),
    "tiny error": ("C,0.4,0.2", "C,0.4,1e-200", ["line 4", "'gamma_se'", "another unit"]),
    "negative error": ("0.3,0.1,0.2", "0.3,-0.1,0.2", ["line 3", "'tau_se'", "negative (-0.1)"]),
    "correlation 1": ("0.1,0.3\nB", "0.1,1\nB", ["line 2", "'corr'", "between -1 and 1", "`cov`"]),
    "correlation -1.5": ("0.2,-0.1", "0.2,-1.5", ["line 4", "'corr'", "-1.5"]),
    "correlation of a known": (
        "A,0.5,0.1",
        "A,0.5,0",
        ["line 2", "'corr'", "standard error is 0", "set it to 0"],
    ),
    "duplicated site": ("B,0.7", "A,0.7", ["line 3", "'A'", "line 2", "arm column"]),
    "site missing": ("B,0.7", ",0.7", ["line 3", "'site'", "missing"]),
    "text": ("B,0.7", "B,about half", ["line 3", "'gamma'", "'about half'", "plain number"]),
    "decimal comma": ("B,0.7", 'B,"0,7"', ["line 3", "'gamma'", "'0,7'", "decimal point"]),
    "thousands": ("B,0.7", 'B,"1.234,5"', ["line 3", "'gamma'", "decimal point"]),
    "typographic minus": ("B,0.7", "B,−0.7", ["line 3", "typographic dash", "'-'"]),
    "percent": ("B,0.7", "B,70%", ["line 3", "'70%'", "percent sign"]),
    "stars": ("B,0.7", "B,0.7***", ["line 3", "'0.7***'", "stars"]),
    "underscore": ("B,0.7", "B,0_7", ["line 3", "'0_7'", "not a number"]),
    "truth value": ("B,0.7", "B,TRUE", ["line 3", "'TRUE'", "not a number"]),
    "too long": ("0.1,0.2\n", "0.1,0.2,9\n", ["line 3", "7 cells", "header 6"]),
    "too short": ("B,0.7,0.1,", "B,0.7,", ["line 3", "5 cells", "header 6", "Fill the row up"]),
    "column not found": ("gamma_se", "gama_se", ["no column 'gamma_se'", "mean 'gama_se'"]),
    "column twice": ("tau_se", "tau", ["header names 2 columns 'tau'", "Rename"]),
    "open quote": ("B,0.7", 'B,"0.7', ["line 3", "quotation mark"]),
    "blank lines count": ("A,0.5,0.1", "\n\nA,0.5,-1", ["line 4", "'gamma_se'", "negative"]),
    "row names of R": ("\n", "\n1,", ["line 2", "7 cells", "row.names = FALSE"]),
}


@pytest.mark.parametrize("case", EDITS)
def test_bad_cells_name_line_column_and_remedy(
    case: str, plain: str, columns: SiteColumns, write: Write
) -> None:
    old, new, words = EDITS[case]
    assert old in plain
    edited = plain.replace(old, new)
    if case == "row names of R":
        edited = edited.removesuffix("1,")
    with pytest.raises(DataError) as caught:
        SiteEstimates.read_csv(write(edited), columns)
    message = str(caught.value)
    assert message.startswith("sites.csv")
    for word in words:
        assert word in message
    assert caught.value.remedy.strip()


CONTENTS: dict[str, tuple[str | bytes, list[str]]] = {
    "empty": ("", ["is empty", "header line"]),
    "blank": ("\n\n", ["is empty"]),
    "header only": ("site,gamma,gamma_se,tau,tau_se,corr\n", ["no rows", "two rows"]),
    "nothing but commas": ("site,gamma,gamma_se,tau,tau_se,corr\n,,,,,\n", ["no rows"]),
    "one row": ("site,gamma,gamma_se,tau,tau_se,corr\nA,1,1,1,1,0\n", ["1 row", "two sites"]),
    "constant": (
        "site,gamma,gamma_se,tau,tau_se,corr\nA,.5,1,1,1,0\nB,0.5,1,2,1,0\n",
        ["'gamma'", "'effort' is 0.5 in all rows", "differences between sites"],
    ),
    "semicolons": (
        "site;gamma;gamma_se;tau;tau_se;corr\nA;0,5;0,1;0,2;0,1;0,3\n",
        ["semicolons", "decimal"],
    ),
    "tabs": ("site\tgamma\tgamma_se\nA\t1\t2\n", ["tabs", "commas between"]),
    "binary": (b"site,gamma\nA,\x00\x01\x02\n", ["line 2", "binary"]),
    "Latin 1": ("site,gamma\nA,1\nKöln,2\n".encode("latin-1"), ["line 3", "UTF-8"]),
    "UTF-16": ("site,gamma\nA,1\n".encode("utf-16"), ["UTF-16", "UTF-8"]),
    "Excel": (b"PK\x03\x04rest", ["Excel", "comma-separated"]),
    "Parquet": (b"PAR1rest", ["Parquet"]),
    "gzip": (gzip.compress(b"site,gamma\n"), ["gzip"]),
    "random": (bytes(range(128, 256)), ["line 1", "not text"]),
}


@pytest.mark.parametrize("case", CONTENTS)
def test_bad_files_say_what_they_are(case: str, columns: SiteColumns, write: Write) -> None:
    content, words = CONTENTS[case]
    with pytest.raises(DataError) as caught:
        SiteEstimates.read_csv(write(content), columns)
    for word in ["sites.csv", *words]:
        assert word in str(caught.value)


def test_paths_that_are_no_file(tmp_path: Path, columns: SiteColumns, write: Write) -> None:
    write("a")
    with pytest.raises(DataError, match=r"no file .*site\.csv\. Did you mean 'sites.csv'"):
        SiteEstimates.read_csv(tmp_path / "site.csv", columns)
    with pytest.raises(DataError, match=r"no file .* Check the path"):
        SiteEstimates.read_csv(tmp_path / "no" / "where.csv", columns)
    with pytest.raises(DataError, match="is a folder"):
        SiteEstimates.read_csv(tmp_path, columns)
    with pytest.raises(DataError, match=r"cannot be opened|no file"):
        SiteEstimates.read_csv("a\0b", columns)
    with pytest.raises(DataError, match="not a regular file"):
        SiteEstimates.read_csv("/dev/null", columns)
    with pytest.raises(DataError, match=r"cannot be opened|no file"):
        SiteEstimates.read_csv("x" * 5000, columns)
    with pytest.raises(DataError, match="not a readable Parquet file"):
        SiteEstimates.read_parquet(tmp_path / "sites.csv", columns)


def test_covariance_column_larger_than_the_errors_allow(
    plain: str, columns: SiteColumns, write: Write
) -> None:
    effort = MediatorColumns("effort", "gamma", se="gamma_se", cov="corr")
    columns = dataclasses.replace(columns, mediators=(effort,))
    with pytest.raises(
        DataError, match=r"line 2, column 'corr': the covariance 0\.3 implies a correlation of 30,"
    ):
        SiteEstimates.read_csv(write(plain), columns)
    known = "site,gamma,gamma_se,tau,tau_se,corr\nA,1,1,1,1,0\nB,2,0,2,1,0.1\n"
    with pytest.raises(DataError, match=r"line 3, column 'corr'.*standard error is 0"):
        SiteEstimates.read_csv(write(known), columns)


INTERVALS = {
    "outside": ("0.5,0.6,0.9", ["line 2", "'gamma'", "outside its interval [0.6, 0.9]"]),
    "exchanged": ("0.5,0.9,0.1", ["line 2", "'low'", "above the upper end", "Exchange"]),
    "missing": ("0.5,,0.9", ["line 2", "'low'", "missing"]),
}


@pytest.mark.parametrize("case", INTERVALS)
def test_bad_intervals(case: str, write: Write) -> None:
    row, words = INTERVALS[case]
    columns = SiteColumns(
        (MediatorColumns("effort", "gamma", interval=("low", "high")),), "tau", "tau_se"
    )
    with pytest.raises(DataError) as caught:
        SiteEstimates.read_csv(
            write(f"gamma,low,high,tau,tau_se\n{row},1,1\n0.7,0.6,0.8,2,1\n"), columns
        )
    for word in words:
        assert word in str(caught.value)


OPTIONAL = {
    "negative weight": ("weight", "x", "-1,2,3", ["line 2", "'x'", "weight is negative (-1)"]),
    "no weight": ("weight", "x", "0,0,0", ["'x'", "all weights are 0", "leave the weights out"]),
    "no persons": ("n", "x", "5,0,5", ["line 3", "'x'", "sample size is 0"]),
    "persons missing": ("n", "x", "5,,5", ["line 3", "'x'", "missing"]),
    "covariate missing": ("covariates", ("x",), "5,,5", ["line 3", "'x'", "missing"]),
    "covariate unknown": ("covariates", ("xx",), "5,6,5", ["no column 'xx'"]),
    "covariate text": ("covariates", ("x",), "5,six,5", ["line 3", "'six' is not a number"]),
    "no such value": ("where", {"x": "bog"}, "Bog,Bog,Jam", ["'bog' in column 'x'", "'Bog'"]),
    "no such column": ("where", {"y": "1"}, "1,1,1", ["no column 'y'", "'x'"]),
    "one row kept": ("where", {"x": "Jam"}, "Bog,Bog,Jam", ["1 row"]),
    "line after where": ("where", {"x": "1"}, "2,1,1", ["line 4", "negative"]),
}


@pytest.mark.parametrize("case", OPTIONAL)
def test_bad_optional_columns(case: str, plain: str, columns: SiteColumns, write: Write) -> None:
    role, value, cells, words = OPTIONAL[case]
    if case == "line after where":
        plain = plain.replace("C,0.4,0.2", "C,0.4,-0.2")
    lines = plain.splitlines()
    text = "\n".join(f"{line},{x}" for line, x in zip(lines, ["x", *cells.split(",")], strict=True))
    changes: dict[str, Any] = {role: value}
    with pytest.raises(DataError) as caught:
        SiteEstimates.read_csv(write(text), dataclasses.replace(columns, **changes))
    for word in words:
        assert word in str(caught.value)


def make(**changes: Any) -> SiteEstimates:
    arrays: dict[str, Any] = {
        "mediator_effect": [0.5, 0.7, 0.4],
        "total_effect": [0.1, 0.2, 0.0],
        "cov": [[[0.01, 0.002], [0.002, 0.02]]] * 3,
        "site": ["A", "B", "C"],
    }
    return SiteEstimates.from_arrays(**(arrays | changes))


OFF_DIAGONAL = [[1, 0.9, 0.9], [0.9, 1, -0.9], [0.9, -0.9, 1]]
ARRAYS: dict[str, tuple[dict[str, Any], str]] = {
    "not semi-definite": (
        {"mediator_effect": [[1, 2], [2, 1], [3, 3]], "cov": [np.eye(3), OFF_DIAGONAL, np.eye(3)]},
        r"row 2 \(B\).*not positive semi-definite.*more digits",
    ),
    "correlation 1": ({"cov": [[[1, 1], [1, 1]]] * 3}, r"row 1 \(A\).*correlation of 1, which"),
    "not symmetric": ({"cov": [[[1, 0.1], [0.2, 1]]] * 3}, "not symmetric"),
    "negative variance": ({"cov": [[[1, 0], [0, -1]]] * 3}, r"row 1 \(A\).*variance is -1"),
    "nan": ({"total_effect": [0.1, np.nan, 0.3]}, r"row 2 \(B\), total_effect.*missing"),
    "infinite": ({"cov": np.full((3, 2, 2), np.inf)}, "infinite"),
    "text": ({"total_effect": ["0.1", "0.2", "0.3"]}, "total_effect: not an array of numbers"),
    "ragged": ({"cov": [[1, 2], [1]]}, "differ in length"),
    "shape": ({"cov": [[0.1, 0.1]] * 3}, r"shape is \(3, 2\), not \(3, 2, 2\)"),
    "rows": ({"total_effect": [0.1, 0.2]}, r"shape is \(2,\), not \(3,\)"),
    "no arm": ({"arm": ["a", "", "c"]}, "row 2: the name of the site or arm is empty"),
    "arm count": ({"arm": ["a", "b"]}, "`arm` has 2 entries for 3 rows"),
    "block count": ({"block": ["a", "b"]}, "`block` has 2 entries for 3 rows"),
    "same row": (
        {"site": ["A", "A", "A"], "arm": ["x", "y", "x"]},
        r"row 3 \(A / x\): site 'A' with arm 'x' stands already in row 1",
    ),
    "names": ({"mediators": ["a", "b"]}, r"shape is \(3, 1\), not \(3, 2\)"),
    "same names": (
        {"mediator_effect": np.eye(3)[:, :2], "cov": [np.eye(3)] * 3, "mediators": ["a", "a"]},
        "own name",
    ),
    "reserved name": ({"mediators": ["total_effect"]}, "own name other than total_effect"),
    "different blocks": ({"cross_cov": {(0, 1): np.zeros((2, 2))}}, "in different blocks"),
    "order": ({"block": "aab", "cross_cov": {(1, 0): np.zeros((2, 2))}}, "the transpose"),
    "outside": ({"block": "aab", "cross_cov": {(0, 9): np.zeros((2, 2))}}, "between 0 and 2"),
    "key": ({"block": "aab", "cross_cov": {"ab": np.zeros((2, 2))}}, "pairs of row numbers"),
    "cross shape": ({"block": "aab", "cross_cov": {(0, 1): [1.0, 2.0]}}, "not a 2 × 2 matrix"),
    "impossible block": (
        {"block": "aab", "cross_cov": {(0, 1): [[0.02, 0], [0, 0]]}},
        r"block of row 1 \(A\), row 2 \(B\) is not positive semi-definite",
    ),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_bad_arrays(case: str) -> None:
    changes, words = ARRAYS[case]
    make()
    with pytest.raises(DataError, match=words):
        make(**changes)


ROLES: dict[str, tuple[Callable[[], object], str]] = {
    "no precision": (lambda: MediatorColumns("m", "g"), "'m' has no standard error"),
    "both": (lambda: MediatorColumns("m", "g", "s", ("l", "u")), "both a standard error and an"),
    "one end": (lambda: MediatorColumns("m", "g", interval=("l",)), "two interval columns"),  # type: ignore[arg-type]
    "one text": (lambda: MediatorColumns("m", "g", interval="lu"), "two interval columns"),  # type: ignore[arg-type]
    "cov and corr": (lambda: MediatorColumns("m", "g", "s", cov="c", corr="r"), "`cov` and a `co"),
    "no name": (lambda: MediatorColumns(" ", "g", "s"), "name of a mediator is empty"),
    "reserved": (lambda: MediatorColumns("total_effect", "g", "s"), "another name"),
    "one mediator, not in a tuple": (
        lambda: SiteColumns(MediatorColumns("m", "g", "s"), "t", "ts"),  # type: ignore[arg-type]
        "in a tuple",
    ),
    "no mediator": (lambda: SiteColumns((), "t", "ts"), "at least one"),
    "no total precision": (
        lambda: SiteColumns((MediatorColumns("m", "g", "s"),), "t"),
        "The total effect has no standard error",
    ),
    "two mediators": (
        lambda: SiteColumns(
            (MediatorColumns("m", "g", "s"), MediatorColumns("m", "h", "u")), "t", "ts"
        ),
        "Two mediators are called 'm'",
    ),
    "column reused": (
        lambda: SiteColumns((MediatorColumns("m", "g", "s"),), "g", "ts"),
        "'g' is given two roles",
    ),
    "covariate reused": (
        lambda: SiteColumns((MediatorColumns("m", "g", "s"),), "t", "ts", covariates=("x", "x")),
        "'x' is named twice",
    ),
    "unknown mediator": (
        lambda: SiteColumns(
            (MediatorColumns("effort", "g", "s"),),
            "t",
            "ts",
            covariances=(MediatorCovariance("effort", "efort", cov="c"),),
        ),
        "'efort', which is not a mediator. Did you mean 'effort'",
    ),
    "covariance alone": (lambda: MediatorCovariance("a", "b"), "names no column"),
    "covariance with itself": (lambda: MediatorCovariance("a", "a", cov="c"), "same mediator"),
}


@pytest.mark.parametrize("case", ROLES)
def test_roles_that_contradict_each_other(case: str) -> None:
    build, words = ROLES[case]
    with pytest.raises(DataError, match=words):
        build()


def test_data_frames_are_checked_alike(columns: SiteColumns) -> None:
    frame = pd.DataFrame(
        {
            "site": ["A", "B"],
            "gamma": [0.5, None],
            "gamma_se": 0.1,
            "tau": 1,
            "tau_se": 0.1,
            "corr": 0,
        },
        index=["first", "second"],
    )
    with pytest.raises(DataError, match=r"data frame, row 2 \(index 'second'\), column 'gamma'"):
        SiteEstimates.from_frame(frame, columns)
    with pytest.raises(DataError, match=r"'site': the name is missing.*keep_default_na"):
        SiteEstimates.from_frame(frame.assign(gamma=[0.5, 0.6], site=["A", float("nan")]), columns)
    with pytest.raises(DataError, match="True is not a number"):
        SiteEstimates.from_frame(frame.assign(gamma=[True, False]), columns)
    with pytest.raises(DataError, match="not a number"):
        SiteEstimates.from_frame(frame.assign(gamma=pd.Timestamp("2020-01-01")), columns)
    with pytest.raises(DataError, match="2 columns 'tau'"):
        SiteEstimates.from_frame(pd.concat([frame, frame[["tau"]]], axis=1), columns)
    with pytest.raises(DataError, match="pandas data frame is needed, not a dict"):
        SiteEstimates.from_frame({"site": ["A"]}, columns)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no rows"):
        SiteEstimates.from_frame(frame.iloc[:0], columns)
