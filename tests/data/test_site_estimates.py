"""What goes in comes out: every way of giving the same estimates makes the same table."""

from __future__ import annotations

import dataclasses
import pickle
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from bayesmed.data import (
    DataError,
    DataWarning,
    MediatorColumns,
    MediatorCovariance,
    SiteColumns,
    SiteEstimates,
)

type Write = Callable[[str | bytes], Path]


def test_csv_fields(plain: str, columns: SiteColumns, write: Write) -> None:
    data = SiteEstimates.read_csv(write(plain), columns)
    assert data.site == data.labels == ("A", "B", "C")
    assert (data.mediators, data.outcome, data.source) == (("effort",), "outcome", "sites.csv")
    assert (data.arm, data.n, data.notes) == (None, None, ())
    assert data.covariance_given
    assert data.n_blocks == data.n_rows == 3
    assert_array_equal(data.mediator_effect, [[0.5], [0.7], [0.4]])
    assert_allclose(data.mediator_se[:, 0], [0.1, 0.1, 0.2], rtol=1e-15)
    assert_allclose(data.total_effect_se, [0.1, 0.1, 0.2], rtol=1e-15)
    assert_allclose(data.cov[:, 0, 1], [0.003, 0.002, -0.004], rtol=1e-15)
    assert_array_equal(data.weight, np.full(3, 1 / 3))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace(",", " , "),
        lambda text: text.rstrip("\n"),
        lambda text: text + ",,,,,\n\n,,,,,\n",
        lambda text: text.replace("\n", ",\n"),
        lambda text: "".join(f"{i}," * (i > 0) + "," * (i == 0) + line
                             for i, line in enumerate(text.splitlines(keepends=True))),
        lambda text: "\n".join(",".join(f'"{c}"' for c in line.split(","))
                               for line in text.splitlines()),
    ],
    ids=["BOM", "CRLF", "CR", "spaces", "no end", "empty rows", "comma", "numbered", "quoted"],
)  # fmt: skip
def test_harmless_differences_between_files(
    change: Callable[[str], str], plain: str, columns: SiteColumns, write: Write
) -> None:
    expected = SiteEstimates.read_csv(write(plain), columns).fingerprint
    assert SiteEstimates.read_csv(write(change(plain)), columns).fingerprint == expected


def test_lines_are_counted_through_quoted_line_breaks(
    plain: str, columns: SiteColumns, write: Write
) -> None:
    text = plain.replace("A,", '"A\nfirst",').replace("C,0.4", "C,x")
    with pytest.raises(DataError, match="line 5, column 'gamma'"):
        SiteEstimates.read_csv(write(text), columns)


def test_names_that_look_missing_are_names(plain: str, columns: SiteColumns, write: Write) -> None:
    file = write(plain.replace("B,", "NA,").replace("C,", "null,"))
    assert SiteEstimates.read_csv(file, columns).site == ("A", "NA", "null")
    frame = pd.read_csv(file, keep_default_na=False)
    assert SiteEstimates.from_frame(frame, columns).site == ("A", "NA", "null")


def test_csv_parquet_and_frames_agree(
    plain: str, columns: SiteColumns, write: Write, tmp_path: Path
) -> None:
    file = write(plain)
    data = SiteEstimates.read_csv(file, columns)
    frame = pd.read_csv(file)
    frame.set_index("site", drop=False).to_parquet(tmp_path / "sites.parquet")
    again = SiteEstimates.read_parquet(tmp_path / "sites.parquet", columns)
    assert again.fingerprint == data.fingerprint
    assert again.source == "sites.parquet"
    for kind in ("float32", "Float64", "object", "string"):
        cast = frame.astype({"tau_se": kind, "site": "category"})
        made = SiteEstimates.from_frame(cast, columns)
        assert_allclose(made.cov, data.cov, rtol=1e-6)
    frame.loc[1, "gamma"] = np.nan
    frame.to_parquet(tmp_path / "hole.parquet")
    with pytest.raises(DataError, match=r"hole.parquet, row 2, column 'gamma': .* missing"):
        SiteEstimates.read_parquet(tmp_path / "hole.parquet", columns)
    frame.iloc[:0].to_parquet(tmp_path / "none.parquet")
    with pytest.raises(DataError, match=r"none.parquet has a header but no rows"):
        SiteEstimates.read_parquet(tmp_path / "none.parquet", columns)


def test_where_compares_text_and_keeps_lines(
    plain: str, columns: SiteColumns, write: Write
) -> None:
    lines = plain.splitlines()
    text = "\n".join(f"{a},{b}" for a, b in zip(lines, ["year", "1", "2", "2"], strict=True))
    columns = dataclasses.replace(columns, where={"year": "2"})
    assert SiteEstimates.read_csv(write(text), columns).site == ("B", "C")
    frame = pd.read_csv(write(text)).astype({"year": float})
    assert SiteEstimates.from_frame(frame, columns).site == ("B", "C")


def test_standard_error_of_zero_is_known(write: Write, columns: SiteColumns) -> None:
    text = "site,gamma,gamma_se,tau,tau_se,corr\nA,1,0,1,0.1,0\nB,2,0,2,0.1,0\nC,3,0,1,0,0\n"
    data = SiteEstimates.read_csv(write(text), columns)
    assert_array_equal(data.mediator_se, 0)
    assert_array_equal(data.cov[2], np.zeros((2, 2)))


def test_absent_covariance_is_zero_and_said(plain: str, columns: SiteColumns, write: Write) -> None:
    effort = MediatorColumns("effort", "gamma", "gamma_se")
    columns = dataclasses.replace(columns, mediators=(effort,), site=None)
    data = SiteEstimates.read_csv(write(plain), columns)
    assert not data.covariance_given
    assert_array_equal(data.cov[:, 0, 1], 0)
    assert data.site == ("1", "2", "3")


def test_lopsided_intervals_warn(write: Write) -> None:
    columns = SiteColumns((MediatorColumns("m", "g", interval=("l", "u")),), "t", "ts")
    odds = "g,l,u,t,ts\n1.5,0.9,2.5,1,1\n2,1.2,3.4,2,1\n"
    with pytest.warns(DataWarning, match=r"'g' does not lie in the middle.*logarithms") as caught:
        data = SiteEstimates.read_csv(write(odds), columns)
    assert [str(w.message) for w in caught] == list(data.notes)
    assert caught[0].filename == __file__


SHARED = np.array([[0.004, 0.001], [0.001, 0.005]])


def arms(**changes: Any) -> SiteEstimates:
    arrays: dict[str, Any] = {
        "mediator_effect": [0.5, 0.7, 0.1],
        "total_effect": [0.1, 0.2, 0.3],
        "cov": np.stack([2 * SHARED, 3 * SHARED, SHARED]),
        "cross_cov": {(0, 2): SHARED * [[1, 0.5], [0.2, 1]]},
        "site": ["Rome", "Oslo", "Rome"],
        "arm": ["letter", "call", "call"],
        "block": ["R", "O", "R"],
        "n": [10, 20, 30],
        "weight": [1, 1, 2],
        "covariates": {"north": [0, 1, 0]},
    }
    return SiteEstimates.from_arrays(**(arrays | changes))


def test_blocks() -> None:
    data = arms()
    assert_array_equal(data.block, [0, 1, 0])
    assert data.n_blocks == 2
    assert_array_equal(data.block_rows(0), [0, 2])
    whole = data.block_cov(0)
    assert_array_equal(whole, whole.T)
    assert_array_equal(whole[:2, :2], data.cov[0])
    assert_array_equal(whole[2:, 2:], data.cov[2])
    assert_array_equal(whole[:2, 2:], data.cross_cov[0, 2])
    turned = data.take([2, 0, 1])
    assert turned.labels == ("Rome / call", "Rome / letter", "Oslo / call")
    assert_array_equal(turned.cross_cov[0, 1], data.cross_cov[0, 2].T)
    assert_array_equal(turned.block, [0, 0, 1])
    assert_array_equal(turned.weight, [0.5, 0.25, 0.25])
    assert turned.take([1, 2, 0]).fingerprint == data.fingerprint
    other_units = data.rescaled([10], 0.1)
    assert_allclose(other_units.cross_cov[0, 2], data.cross_cov[0, 2] * [[100, 1], [1, 0.01]])
    assert data.take([1, 2]).cross_cov == {}
    with pytest.raises(DataError, match="stands already"):
        data.take([1, 1])
    with pytest.raises(DataError, match="no such rows"):
        data.take([0, 3])
    with pytest.raises(DataError, match="1 row is left"):
        data.take([0])
    with pytest.raises(DataError, match="1 factors for the mediators"):
        data.rescaled([1.0, 2.0], 1.0)
    with pytest.raises(DataError, match="none 0"):
        data.rescaled([0.0], 1.0)


def test_rows_that_may_share_a_control_group_warn() -> None:
    with pytest.warns(DataWarning, match="rows share a block, but no covariance"):
        assert len(arms(cross_cov=None).notes) == 1
    with pytest.warns(DataWarning, match="arms of site 'Rome' are taken as independent"):
        assert len(arms(cross_cov=None, block=None).notes) == 1


def test_two_mediators_name_the_covariances_they_lack(write: Write) -> None:
    text = "a,a_se,b,b_se,t,t_se,ab\n1,.1,2,.2,1,.1,.5\n2,.1,1,.2,2,.1,.5\n"
    mediators = (MediatorColumns("a", "a", "a_se"), MediatorColumns("b", "b", "b_se"))
    columns = SiteColumns(mediators, "t", "t_se")
    with pytest.warns(DataWarning, match=r"taken as 0: cov\[a, b\]"):
        SiteEstimates.read_csv(write(text), columns)
    columns = dataclasses.replace(columns, covariances=(MediatorCovariance("b", "a", corr="ab"),))
    data = SiteEstimates.read_csv(write(text), columns)
    assert data.notes == ()
    assert_allclose(data.cov[:, 0, 1], 0.01)
    assert_allclose(data.cov[:, 1, 0], 0.01)


def test_tidy_frame_can_be_read_again(write: Write) -> None:
    frame = arms().to_frame()
    assert list(frame) == [
        "site", "arm", "block", "n", "mediator_effect[mediator]", "mediator_effect_se[mediator]",
        "total_effect", "total_effect_se", "cov[mediator, total_effect]",
        "cov[mediator, mediator @ letter]", "cov[mediator, total_effect @ letter]",
        "cov[total_effect, mediator @ letter]", "cov[total_effect, total_effect @ letter]",
        "weight", "covariate[north]",
    ]  # fmt: skip
    columns = SiteColumns(
        (
            MediatorColumns(
                "mediator",
                "mediator_effect[mediator]",
                "mediator_effect_se[mediator]",
                cov="cov[mediator, total_effect]",
            ),
        ),
        "total_effect",
        "total_effect_se",
        site="site",
        arm="arm",
        block="block",
        n="n",
        weight="weight",
        covariates=("covariate[north]",),
    )
    file = write(frame.to_csv(index=False))
    with pytest.warns(DataWarning, match="share a block"):
        again = SiteEstimates.read_csv(file, columns)
    assert_allclose(again.cov, arms().cov, rtol=1e-14)
    assert again.labels == arms().labels
    assert_array_equal(again.covariates["covariate[north]"], [0, 1, 0])


def test_fingerprint_sees_content_only() -> None:
    data = arms()
    assert len(data.fingerprint) == 64
    assert arms(source="elsewhere").fingerprint == data.fingerprint
    assert arms(weight=[3, 3, 6]).fingerprint == data.fingerprint
    for change in (
        {"total_effect": [0.1, 0.2, 0.3000001]},
        {"site": ["Rome", "Oslo", "Roma"]},
        {"cross_cov": {(0, 2): SHARED}},
        {"n": None},
        {"outcome": "turnout"},
        {"covariates": {"south": [0, 1, 0]}},
        {"block": ["R", "R", "R"]},
        {"covariance_given": False},
        {"weight": [1, 1, 3]},
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            assert arms(**change).fingerprint != data.fingerprint
    assert pickle.loads(pickle.dumps(data)).fingerprint == data.fingerprint


def test_arrays_are_read_only_copies() -> None:
    effect = np.array([0.5, 0.7, 0.1])
    data = arms(mediator_effect=effect)
    effect[0] = 9
    assert data.mediator_effect[0, 0] == 0.5
    for array in (data.mediator_effect, data.cov, data.weight, data.block, data.cross_cov[0, 2]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.site = ("a", "b", "c")  # type: ignore[misc]


def test_columns_are_values() -> None:
    def columns(where: dict[str, str]) -> SiteColumns:
        return SiteColumns((MediatorColumns("m", "g", "s"),), "t", "ts", where=where)

    assert columns({"a": "1"}) == columns({"a": "1"})
    assert columns({"a": "1"}) != columns({"a": "2"})
    assert hash(columns({"a": "1"})) == hash(columns({"a": "1"}))


def test_ten_thousand_rows_take_a_moment(columns: SiteColumns, write: Write) -> None:
    rng = np.random.default_rng(0)
    rows = 10_000
    frame = pd.DataFrame(
        {
            "site": [f"s{i}" for i in range(rows)],
            "gamma": rng.normal(size=rows),
            "gamma_se": rng.uniform(0.1, 0.3, rows),
            "tau": rng.normal(size=rows),
            "tau_se": rng.uniform(0.1, 0.3, rows),
            "corr": rng.uniform(-0.5, 0.5, rows),
        }
    )
    file = write(frame.to_csv(index=False))
    times = []
    for _ in range(5):
        start = time.perf_counter()
        SiteEstimates.read_csv(file, columns)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.3


@pytest.mark.parametrize("name", ["A\0", "B\ud800"])
@pytest.mark.parametrize("role", ["site", "mediators", "outcome"])
def test_names_that_no_file_can_hold_are_refused(name, role):
    value = {"site": [name, "C"], "mediators": [name], "outcome": name}[role]
    with pytest.raises(DataError, match="cannot be stored"):
        SiteEstimates.from_arrays(
            mediator_effect=[0.1, 0.4],
            total_effect=[1.0, 2.0],
            cov=[[[0.1, 0.0], [0.0, 0.1]]] * 2,
            **{role: value},
        )
