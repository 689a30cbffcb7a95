"""Estimates change as they must, or not at all, when rows are written in another way."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmed.data import DataWarning, Estimation, PersonRows, SiteEstimates, reduce_rows
from tests.data.rows.people import close, people, reduced, roles

PLAIN = people(persons=30)
EVERYTHING: dict[str, Any] = {
    "mediators": ("m1", "m2"),
    "covariates": ("x1", "x2"),
    "fixed_effect": "block",
    "weights": "w",
    "cluster": "cluster",
}
DESIGNS: dict[str, dict[str, Any]] = {"plain": {}, "everything": EVERYTHING}


def estimates(frame: Any, **changed: Any) -> SiteEstimates:
    """Reduce without warnings of few clusters and dropped sites."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return reduced(frame, **changed).estimates


def read(path: Path, **changed: Any) -> SiteEstimates:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return reduce_rows(PersonRows.read(path, roles(**changed))).estimates


def effects(data: SiteEstimates) -> np.ndarray[Any, Any]:
    """(R, K) effects on the mediators, then on the outcome."""
    return np.column_stack([data.mediator_effect, data.total_effect])


def equal(got: SiteEstimates, wanted: SiteEstimates, tolerance: float = 1e-12) -> None:
    """Require the same sites and numbers, beside the largest."""
    assert (got.site, got.arm) == (wanted.site, wanted.arm)
    close(effects(got), effects(wanted), tolerance)
    close(got.cov, wanted.cov, tolerance)
    assert got.cross_cov.keys() == wanted.cross_cov.keys()
    for pair, matrix in wanted.cross_cov.items():
        close(got.cross_cov[pair], matrix, tolerance)


@pytest.mark.parametrize("design", DESIGNS)
class TestOrder:
    def test_of_rows(self, design: str) -> None:
        changed = DESIGNS[design]
        shuffled = PLAIN.sample(frac=1, random_state=3)
        equal(estimates(shuffled, **changed), estimates(PLAIN, **changed), 1e-11)

    def test_of_mediators(self, design: str) -> None:
        changed = {**DESIGNS[design], "mediators": ("m1", "m2")}
        wanted = estimates(PLAIN, **changed)
        got = estimates(PLAIN, **{**changed, "mediators": ("m2", "m1")})
        assert got.mediators == ("m2", "m1")
        close(effects(got), effects(wanted)[:, [1, 0, 2]], 1e-12)
        close(got.cov, wanted.cov[:, [1, 0, 2]][:, :, [1, 0, 2]], 1e-12)

    def test_of_pieces(self, design: str, tmp_path: Path) -> None:
        changed = DESIGNS[design]
        for i, rows in enumerate((slice(0, 50), slice(50, 51), slice(51, None))):
            PLAIN[rows].to_csv(tmp_path / f"part-{i}.csv", index=False)
        equal(read(tmp_path, **changed), estimates(PLAIN, **changed), 1e-11)


@given(
    st.floats(1e-6, 1e6),
    st.floats(-1e4, 1e4),
    st.floats(1e-6, 1e6),
    st.floats(-1e4, 1e4),
    st.sampled_from(sorted(DESIGNS)),
)
@settings(max_examples=8, deadline=None)
def test_units(a: float, b: float, c: float, d: float, design: str) -> None:
    """Effects and covariances scale with the units of mediator and outcome."""
    changed = DESIGNS[design]
    wanted = estimates(PLAIN, **changed)
    got = estimates(PLAIN.assign(m1=a * (PLAIN.m1 + b), y=c * (PLAIN.y - d)), **changed)
    factor = np.ones(effects(wanted).shape[1])
    factor[[0, -1]] = a, c
    for k in range(len(factor)):
        close(effects(got)[:, k], effects(wanted)[:, k] * factor[k], 1e-8)
        for m in range(len(factor)):
            close(got.cov[:, k, m], wanted.cov[:, k, m] * factor[k] * factor[m], 1e-8)


@pytest.mark.parametrize("design", DESIGNS)
def test_swapped_arms(design: str) -> None:
    changed = DESIGNS[design]
    wanted = estimates(PLAIN, **changed)
    swapped = estimates(PLAIN.assign(arm=1 - PLAIN.arm), **changed)
    close(effects(swapped), -effects(wanted), 1e-11)
    close(swapped.cov, wanted.cov, 1e-11)
    reference = estimates(PLAIN, **changed, reference="1")
    close(effects(reference), -effects(wanted), 1e-11)


@pytest.mark.parametrize("design", DESIGNS)
def test_large_means(design: str) -> None:
    """What is far from 0 loses the digits its numbers have lost, no more."""
    changed = DESIGNS[design]
    wanted = estimates(PLAIN, **changed)
    moved = PLAIN.assign(m1=PLAIN.m1 + 1e8, y=PLAIN.y - 1e8, x1=PLAIN.x1 + 1e8)
    got = estimates(moved, **changed)
    close(effects(got), effects(wanted), 1e-6)
    close(got.cov, wanted.cov, 1e-6)


@pytest.mark.parametrize("design", DESIGNS)
def test_sources(design: str, tmp_path: Path) -> None:
    """Files, data frames and Arrow tables say the same, and so do other columns beside."""
    changed = DESIGNS[design]
    wanted = estimates(PLAIN, **changed)
    PLAIN.to_csv(tmp_path / "p.csv", index=False)
    PLAIN.to_parquet(tmp_path / "p.parquet")
    equal(read(tmp_path / "p.csv", **changed), wanted)
    equal(read(tmp_path / "p.parquet", **changed), wanted)
    equal(estimates(pl.from_pandas(PLAIN), **changed), wanted)
    equal(estimates(pa.Table.from_pandas(PLAIN), **changed), wanted)
    equal(estimates(PLAIN.assign(arm_2="x", z=np.nan), **changed), wanted)


# Other types for columns that mean the same.
TYPES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "truth values": lambda f: f.assign(arm=f.arm == 1, b1=f.b1 == 1),
    "truth as text": lambda f: f.assign(arm=np.where(f.arm == 1, "TRUE", "FALSE"), b1=f.b1 == 1),
    "fractions": lambda f: f.assign(arm=f.arm * 1.0, b1=f.b1 * 1.0),
    "text": lambda f: f.astype(str),
    "text with blanks": lambda f: f.astype(str).map(lambda cell: f" {cell} "),
    "Decimal": lambda f: f.assign(
        arm=f.arm.map(lambda x: Decimal(int(x))), b1=[Decimal(f"{x}.0") for x in f.b1]
    ),
    "nullable": lambda f: f.convert_dtypes(),
    "Arrow": lambda f: f.convert_dtypes(dtype_backend="pyarrow"),
    "categories": lambda f: f.astype({"arm": "category", "site": "category", "b1": "category"}),
    "categories of text": lambda f: f.astype({"arm": str}).astype({"arm": "category"}),
    "small integers": lambda f: f.astype({"arm": "uint8", "b1": "int8"}),
    "polars categories": lambda f: pl.from_pandas(f).with_columns(
        pl.col("site").cast(pl.Categorical), pl.col("arm").cast(pl.UInt64)
    ),
}


@pytest.mark.parametrize("kind", TYPES)
def test_types(kind: str) -> None:
    changed = {"mediators": ("b1",)}
    equal(estimates(TYPES[kind](PLAIN), **changed), estimates(PLAIN, **changed))


def test_weights_of_2_are_repeated_rows() -> None:
    double = np.arange(len(PLAIN)) % 3 == 0
    repeated = pd.concat([PLAIN, PLAIN[double]])
    weighted = PLAIN.assign(w=np.where(double, 2, 1))
    for changed in ({}, {"covariates": "x1", "fixed_effect": "block"}):
        got = effects(estimates(weighted, **changed, weights="w"))
        close(got, effects(estimates(repeated, **changed)), 1e-11)


@given(st.floats(1e-5, 1e5))
@settings(max_examples=3, deadline=None)
def test_only_relative_weights_matter(factor: float) -> None:
    scaled = PLAIN.assign(w=factor * PLAIN.w)
    equal(estimates(scaled, weights="w"), estimates(PLAIN, weights="w"), 1e-10)


class TestSites:
    def test_numbers_are_sorted_by_size(self) -> None:
        numbers = PLAIN.site.map({"s0": 10, "s1": 9, "s2": -1, "s3": 100})
        wanted = estimates(PLAIN)
        for sites in (numbers, numbers.astype(float), numbers.astype(str)):
            got = estimates(PLAIN.assign(site=sites))
            assert got.site == ("-1", "9", "10", "100")
            close(effects(got), effects(wanted)[[2, 1, 0, 3]], 1e-12)
            close(got.cov, wanted.cov[[2, 1, 0, 3]], 1e-12)

    def test_blanks_around_names(self) -> None:
        blanks = PLAIN.site + np.where(PLAIN.index % 2, " ", "")
        equal(estimates(PLAIN.assign(site=blanks)), estimates(PLAIN))
        other = PLAIN.site + np.where(PLAIN.index % 2, "\u00a0", "")
        equal(estimates(PLAIN.assign(site=other)), estimates(PLAIN))

    def test_strata(self) -> None:
        """Sites of several columns, cut or not, are those of one column made beforehand."""
        frame = people(persons=120)
        old = np.where(frame.x2 < 99.5, "x2 < 99.5", "99.5 ≤ x2 < 101")
        old = np.where(frame.x2 >= 101, "x2 ≥ 101", old)
        one = "site=" + frame.site + ", " + old
        got = estimates(frame, site=("site", "x2"), cuts={"x2": (99.5, 101)})
        wanted = estimates(frame.assign(one=one), site="one")
        assert sorted(got.site) == sorted(wanted.site)
        order = [wanted.site.index(name) for name in got.site]
        close(effects(got), effects(wanted)[order], 1e-12)
        close(got.cov, wanted.cov[order], 1e-12)

    def test_quantiles(self) -> None:
        frame = people(persons=60)
        edges = np.quantile(frame.x2, [0.25, 0.5, 0.75])
        got = estimates(frame, site="x2", quantiles={"x2": 4})
        wanted = estimates(frame.assign(one=np.searchsorted(edges, frame.x2, "right")), site="one")
        close(effects(got), effects(wanted), 1e-12)
        close(got.cov, wanted.cov, 1e-12)

    def test_one_block_per_site_is_no_block(self) -> None:
        equal(estimates(PLAIN.assign(one="b"), fixed_effect="one"), estimates(PLAIN))


@pytest.mark.parametrize("design", DESIGNS)
def test_incomplete_rows_are_rows_left_out(design: str) -> None:
    changed = DESIGNS[design]
    frame = PLAIN.copy()
    for i, column in enumerate(("m1", "y", *(c for c in ("x1", "w") if design == "everything"))):
        frame.loc[frame.index % 29 == i, column] = np.nan
    used = frame.dropna()
    assert len(used) < len(frame) - 10
    equal(estimates(frame, **changed), estimates(used, **changed))


def test_conditions_are_rows_left_out() -> None:
    got = estimates(PLAIN, where={"offer": "1", "b1": "0"})
    equal(got, estimates(PLAIN[(PLAIN.offer == 1) & (PLAIN.b1 == 0)]))


def test_several_arms_are_pairs_of_arms() -> None:
    """Without covariates, every arm is compared with the reference as if alone."""
    frame = people(persons=60, arms=4)
    data = estimates(frame, mediators=("m1", "m2"), reference="0")
    for arm in (1, 2, 3):
        mine = np.array([a == str(arm) for a in data.arm or ()])
        pair = frame[frame.arm.isin([0, arm])]
        alone = estimates(pair, mediators=("m1", "m2"), reference="0")
        close(effects(data)[mine], effects(alone), 1e-11)
        close(effects(estimates(frame, mediators=("m1", "m2"), arms=str(arm))), effects(alone))
        hc2 = Estimation(covariance="HC2")
        both = [
            reduced(f, hc2, mediators=("m1", "m2"), reference="0").estimates for f in (frame, pair)
        ]
        # HC2 takes nothing from other arms.
        close(both[0].cov[mine], both[1].cov, 1e-11)


def test_an_instrument_is_the_treatment_with_treatment_as_mediator() -> None:
    got = estimates(PLAIN, treatment="dose", instrument="offer")
    wanted = estimates(PLAIN, treatment="offer", mediators=("dose", "m1"))
    assert got.mediators == wanted.mediators
    equal(got, wanted, 0)


def test_an_amount_of_0_and_1_is_two_arms() -> None:
    for changed in ({}, {"covariates": "x1"}, {"cluster": "cluster"}):
        got = estimates(PLAIN, continuous=True, **changed)
        equal(got, estimates(PLAIN, **changed), 1e-10)


def test_covariates_that_predict_nothing_are_centred_away() -> None:
    """Moving a covariate changes nothing, whatever the design."""
    moved = PLAIN.assign(x1=7 - 3 * PLAIN.x1 + 2 * PLAIN.x2)
    changed = {"covariates": ("x1", "x2"), "cluster": "cluster"}
    equal(estimates(moved, **changed), estimates(PLAIN, **changed), 1e-9)
