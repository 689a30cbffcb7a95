"""Covariances between arms of one block: read from columns, refused by name, written as columns."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from bayesmed.data import (
    ArmCovariance,
    DataError,
    DataWarning,
    MediatorColumns,
    MediatorCovariance,
    SiteColumns,
    SiteEstimates,
)

type Write = Callable[[str | bytes], Path]

# Rome has three arms, Oslo lacks "letter", Bonn stands alone. Rome's covariances of "visit" are
# given in the row of "visit"; that of "letter" with "call" in the row of "letter".
TABLE = """town,arm,g,gs,t,ts,gt,gg_c,gt_c,tg_c,tt_c,gg_l,gt_l,tg_l,tt_l
Rome,call,0.5,0.1,0.2,0.2,0.002,,,,,,,,
Rome,letter,0.7,0.1,0.3,0.2,0.002,0.004,0.001,0.003,0.008,,,,
Oslo,call,0.4,0.2,0.1,0.3,0.003,,,,,,,,
Rome,visit,0.9,0.1,0.4,0.2,0.002,0.005,0.001,0.002,0.009,0.003,0,0.001,-0.007
Oslo,visit,0.6,0.2,0.2,0.3,0.003,0.01,0.002,-0.001,0.02,NA,NA,NA,NA
Bonn,call,0.1,0.1,0.1,0.2,0.001,,,,,,,,
"""
CALL = ArmCovariance("call", (("gg_c", "gt_c"), ("tg_c", "tt_c")))
LETTER = ArmCovariance("letter", (("gg_l", "gt_l"), ("tg_l", "tt_l")))
COLUMNS = SiteColumns(
    (MediatorColumns("effort", "g", "gs", cov="gt"),),
    "t",
    "ts",
    site="town",
    arm="arm",
    block="town",
    arm_covariances=(CALL, LETTER),
)


def read(write: Write, *edits: tuple[str, str], **changes: Any) -> SiteEstimates:
    text = TABLE
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return SiteEstimates.read_csv(write(text), dataclasses.replace(COLUMNS, **changes))


def test_columns_give_what_arrays_give(write: Write) -> None:
    data = read(write)
    assert data.notes == ()
    arrays = SiteEstimates.from_arrays(
        mediator_effect=data.mediator_effect,
        total_effect=data.total_effect,
        cov=data.cov,
        cross_cov={
            # Row i's estimates down, row j's across: the table has them the other way round.
            (0, 1): [[0.004, 0.003], [0.001, 0.008]],
            (0, 3): [[0.005, 0.002], [0.001, 0.009]],
            (1, 3): [[0.003, 0.001], [0, -0.007]],
            (2, 4): [[0.01, -0.001], [0.002, 0.02]],
        },
        site=["Rome", "Rome", "Oslo", "Rome", "Oslo", "Bonn"],
        arm=["call", "letter", "call", "visit", "visit", "call"],
        block=["Rome", "Rome", "Oslo", "Rome", "Oslo", "Bonn"],
        mediators=["effort"],
    )
    assert data.fingerprint == arrays.fingerprint
    assert_array_equal(data.block_cov(0), arrays.block_cov(0))


def test_the_order_of_rows_and_records_does_not_matter(write: Write) -> None:
    data = read(write)
    header, *lines = TABLE.splitlines()
    order = [5, 3, 2, 1, 4, 0]
    text = "\n".join([header, *(lines[i] for i in order)])
    turned = SiteEstimates.read_csv(
        write(text), dataclasses.replace(COLUMNS, arm_covariances=(LETTER, CALL))
    )
    assert turned.fingerprint == data.take(order).fingerprint


def test_a_pair_may_be_given_in_both_rows_alike(write: Write) -> None:
    both = ("0.2,0.2,0.002,,,,,,,,", "0.2,0.2,0.002,,,,,0.004,0.003,0.00100000001,0.008")
    assert read(write, both).fingerprint == read(write).fingerprint
    other = (both[0], both[1].replace("0.003", "0.0031"))
    with pytest.raises(DataError) as caught:
        read(write, other)
    assert str(caught.value).startswith(
        "sites.csv, line 3, column 'tg_c': the covariance is 0.003, but 0.0031 in line 2, column "
        "'gt_l'."
    )
    assert "correct one of them" in caught.value.remedy


def test_pairs_that_are_not_given_are_zero_and_said(write: Write) -> None:
    cell = "0.01,0.002,-0.001,0.02,NA,NA,NA,NA"
    with pytest.warns(DataWarning, match=r"share a block.*`arm_covariances` of SiteColumns"):
        data = read(write, (cell, ",,,,,,,"))
    assert set(data.cross_cov) == {(0, 1), (0, 3), (1, 3)}


def test_where_leaves_out_rows_and_their_covariances(write: Write) -> None:
    lines = TABLE.splitlines()
    wave = ["wave", "1", "2", "1", "1", "1", "1"]
    text = "\n".join(f"{a},{b}" for a, b in zip(lines, wave, strict=True))
    columns = dataclasses.replace(COLUMNS, where={"wave": "1"})
    # The row of "visit" in Rome still holds its covariances with "letter", of wave 2.
    data = SiteEstimates.read_csv(write(text), columns)
    assert data.fingerprint == read(write).take([0, 2, 3, 4, 5]).fingerprint
    stacked = "\n".join([lines[0] + ",out", *(f"{a},{o}" for o in "xy" for a in lines[1:])])
    columns = dataclasses.replace(COLUMNS, where={"out": "y"})
    again = SiteEstimates.read_csv(write(stacked), columns)
    assert again.fingerprint == read(write).fingerprint
    with pytest.raises(DataError, match=r"block 'Rome' has several rows of arm 'call' \(line 2 an"):
        SiteEstimates.read_csv(write(stacked), COLUMNS)


VISIT = "Rome,visit,0.9,0.1,0.4,0.2,0.002,0.005,0.001,0.002,0.009,"
CELLS: dict[str, tuple[str, str, list[str]]] = {
    "in part": (
        "0.004,0.001,0.003,0.008",
        "0.004,0.001,,0.008",
        ["line 3, column 'tg_c': the value is missing", "arm 'call'", "leave all 4 cells empty"],
    ),
    "own row": (
        "0.1,0.1,0.2,0.001,,,,",
        "0.1,0.1,0.2,0.001,,,,0",
        ["line 7, column 'tt_c': the row is of arm 'call' itself", "empty in its own rows"],
    ),
    "arm not in the block": (
        "NA,NA,NA,NA",
        "0,0,0,0",
        ["line 6, column 'gg_l'", "arm 'letter', of which block 'Oslo' has no row", "same block"],
    ),
    "a correlation": (
        VISIT,
        VISIT.replace("0.009", "0.9"),
        ["line 5, column 'tt_c'", "0.9 with arm 'call' (line 2) implies a correlation of 22.5"],
    ),
    "huge": (VISIT, VISIT.replace("0.009", "1e300"), ["line 5, column 'tt_c'", "correlation of"]),
    "infinite": (VISIT, VISIT.replace("0.009", "1e999"), ["line 5, column 'tt_c'", "infinite"]),
    "text": (VISIT, VISIT.replace("0.009", "0.9*"), ["line 5, column 'tt_c'", "stars"]),
    "of a known estimate": (
        VISIT,
        VISIT.replace("0.4,0.2,0.002", "0.4,0,0"),
        ["line 5, column 'tg_c': the covariance is 0.002 although a standard error is 0"],
    ),
    "impossible block": (
        "-0.007",
        "-0.039",
        ["block of line 2, line 3, line 5 is not positive", "size of columns 'gg_c', 'gt_c', "],
    ),
}


@pytest.mark.parametrize("case", CELLS)
def test_bad_cells_name_line_column_and_remedy(case: str, write: Write) -> None:
    old, new, words = CELLS[case]
    with pytest.raises(DataError) as caught:
        read(write, (old, new))
    message = str(caught.value)
    assert message.startswith("sites.csv")
    for word in words:
        assert word in message
    assert caught.value.remedy.strip()


def test_an_arm_that_is_not_there_is_refused_with_the_nearest(write: Write) -> None:
    lettr = dataclasses.replace(LETTER, arm="lettr")
    with pytest.raises(DataError, match=r"arm 'lettr' .* column 'arm'. Did you mean 'letter'\?"):
        read(write, arm_covariances=(CALL, lettr))
    with pytest.raises(DataError, match="no column 'gg_x'"):
        read(write, arm_covariances=(ArmCovariance("call", (("gg_x", "a"), ("b", "c"))),))


ROLES: dict[str, tuple[dict[str, Any], str]] = {
    "no arm": ({"arm": None}, "no column for `arm`.*column of blocks"),
    "no block": ({"block": None}, "no column for `block`"),
    "arm twice": ({"arm_covariances": (CALL, CALL)}, "arm 'call' are named twice"),
    "too few": (
        {"arm_covariances": (ArmCovariance("call", (("a",),)),)},
        r"arm 'call' are not 2 × 2 columns \(1 are named\).*mediators in order",
    ),
    "ragged": (
        {"arm_covariances": (ArmCovariance("call", (("a", "b"), ("c",))),)},
        r"not 2 × 2 columns \(2 \+ 1 are named\)",
    ),
    "column twice": (
        {"arm_covariances": (ArmCovariance("call", (("a", "b"), ("b", "c"))),)},
        "'b' is given two roles",
    ),
    "column of two arms": (
        {"arm_covariances": (CALL, dataclasses.replace(CALL, arm="letter"))},
        "'gg_c' is given two roles",
    ),
    "column of an effect": (
        {"arm_covariances": (ArmCovariance("call", (("a", "b"), ("c", "gs"))),)},
        "'gs' is given two roles",
    ),
    "column of a weight": ({"weight": "tt_c"}, "'tt_c' is given two roles"),
    "covariate": ({"covariates": ("x", "gg_l")}, "'gg_l' is given two roles"),
}


@pytest.mark.parametrize("case", ROLES)
def test_roles_that_do_not_fit(case: str) -> None:
    changes, words = ROLES[case]
    with pytest.raises(DataError, match=words):
        dataclasses.replace(COLUMNS, **changes)


def test_a_record_needs_an_arm_and_rows_of_names() -> None:
    with pytest.raises(DataError, match="name of an arm is empty"):
        ArmCovariance(" ", (("a",),))
    for grid in ("ab", ("ab", "cd"), [["a", 1]], None):
        with pytest.raises(DataError, match="'call' are not rows of column names"):
            ArmCovariance("call", grid)  # type: ignore[arg-type]
    made = ArmCovariance("call", [["a", "b"], ["c", "d"]])  # type: ignore[arg-type,list-item]
    assert made == ArmCovariance("call", (("a", "b"), ("c", "d")))
    assert hash(made)


EFFECTS = ("hope", "trust", "total_effect")


def two_mediators() -> SiteEstimates:
    """Three arms in Rome, two of them in Oslo (no letter), one in Bonn; rows interleaved."""
    rng = np.random.default_rng(5)
    site = ["Rome", "Oslo", "Rome", "Bonn", "Oslo", "Rome"]
    se = rng.uniform(0.1, 0.4, (6, 3))
    own = [[1, 0.2, -0.1], [0.2, 1, 0.3], [-0.1, 0.3, 1]]
    pairs = [(0, 2), (0, 5), (2, 5), (1, 4)]
    return SiteEstimates.from_arrays(
        mediator_effect=rng.normal(size=(6, 2)),
        total_effect=rng.normal(size=6),
        cov=np.array(own) * se[:, :, None] * se[:, None, :],
        cross_cov={
            (i, j): rng.uniform(-0.15, 0.15, (3, 3)) * se[i][:, None] * se[j][None, :]
            for i, j in pairs
        },
        site=site,
        arm=["call", "visit", "letter", "call", "call", "visit"],
        block=site,
        mediators=["hope", "trust"],
        weight=[1, 2, 1, 1, 2, 1],
        n=[10, 20, 30, 40, 50, 60],
    )


def columns_of_tidy(arms: list[str], **changes: Any) -> SiteColumns:
    def mediator(name: str) -> MediatorColumns:
        effect, se = f"mediator_effect[{name}]", f"mediator_effect_se[{name}]"
        return MediatorColumns(name, effect, se, cov=f"cov[{name}, total_effect]")

    columns = SiteColumns(
        (mediator("hope"), mediator("trust")),
        "total_effect",
        "total_effect_se",
        site="site",
        arm="arm",
        block="block",
        weight="weight",
        n="n",
        covariances=(MediatorCovariance("hope", "trust", cov="cov[hope, trust]"),),
        arm_covariances=tuple(
            ArmCovariance(
                arm, tuple(tuple(f"cov[{a}, {b} @ {arm}]" for b in EFFECTS) for a in EFFECTS)
            )
            for arm in arms
        ),
    )
    return dataclasses.replace(columns, **changes)


def test_the_tidy_frame_holds_everything(write: Write) -> None:
    data = two_mediators()
    # Standard errors are the roots of variances: one round makes these squares of doubles.
    columns = columns_of_tidy(["call", "letter", "visit"])
    data = SiteEstimates.from_frame(data.to_frame(), columns)
    assert_allclose(data.cov, two_mediators().cov, rtol=1e-15)
    for pair, matrix in two_mediators().cross_cov.items():
        assert_array_equal(data.cross_cov[pair], matrix)
        assert not np.array_equal(matrix, matrix.T)
    frame = data.to_frame()
    between = [name for name in frame if "@" in name]
    assert len(between) == 3 * 9
    # Each pair once, in the later row: 4 pairs of 9 numbers.
    assert frame[between].notna().sum().sum() == 4 * 9
    assert frame["cov[hope, total_effect @ letter]"].notna().tolist() == [False] * 5 + [True]
    assert frame["cov[hope, total_effect @ letter]"][5] == data.cross_cov[2, 5][2, 0]
    again = SiteEstimates.from_frame(frame, columns)
    assert again.fingerprint == data.fingerprint
    csv = SiteEstimates.read_csv(write(frame.to_csv(index=False)), columns)
    assert csv.fingerprint == data.fingerprint
    turned = data.take([5, 4, 3, 2, 1, 0]).rescaled([-2, 0.5], 4)
    again = SiteEstimates.from_frame(
        turned.to_frame(), columns_of_tidy(["visit", "call", "letter"])
    )
    assert again.fingerprint == turned.fingerprint


def test_zeros_that_are_given_stay_given() -> None:
    data = two_mediators()
    zeros = dataclasses.replace(data, cross_cov={(1, 4): np.zeros((3, 3))})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        again = SiteEstimates.from_frame(zeros.to_frame(), columns_of_tidy(["visit"]))
    assert set(again.cross_cov) == {(1, 4)}


def test_rows_are_numbered_where_arms_do_not_tell_them_apart() -> None:
    data = two_mediators()
    frame = data.to_frame()
    for arm in (None, ("call",) * 5 + ("visit",)):
        labels = tuple("abcdef")
        same = dataclasses.replace(data, site=labels, arm=arm)
        tidy = same.to_frame().assign(row=["1", "1", "2", "1", "2", "3"])
        assert_array_equal(tidy["cov[hope, trust @ 2]"], frame["cov[hope, trust @ letter]"])
        again = SiteEstimates.from_frame(tidy, columns_of_tidy(["1", "2"], arm="row"))
        assert_array_equal(again.block_cov(0)[3:, :3], data.block_cov(0)[3:, :3])
        assert set(again.cross_cov) == set(data.cross_cov)


def test_no_columns_between_arms_where_nothing_is_given() -> None:
    data = dataclasses.replace(two_mediators(), cross_cov={})
    assert not [name for name in data.to_frame() if "@" in name]
