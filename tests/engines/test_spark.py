"""The same questions asked of DuckDB and of Spark have the same answers."""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayesmed.data import DataError, DataWarning, PersonRows, RowColumns, reduce_rows
from bayesmed.data.rows.reduction import Reduction
from tests.data.rows.people import people

pytestmark = [
    pytest.mark.spark,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    # Ibis 12 and PySpark 4.0 use pandas in ways that are going away.
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]

BASE: dict[str, Any] = {
    "treatment": "arm",
    "mediators": ("m1", "m2"),
    "outcome": "y",
    "site": "site",
}
DESIGNS: dict[str, dict[str, Any]] = {
    "two arms": {},
    "three arms": {"reference": "0"},
    "an arm left out": {"reference": "0", "arms": ("2",)},
    "covariates": {"covariates": ("x1", "x2")},
    "blocks": {"fixed_effect": "block"},
    "weights": {"weights": "w"},
    "clusters": {"cluster": "cluster"},
    "everything": {
        "covariates": ("x1", "x2"),
        "fixed_effect": "block",
        "weights": "w",
        "cluster": "cluster",
    },
    "amount": {"treatment": "dose", "continuous": True},
    "several treatments": {"treatment": ("dose", "offer")},
    "encouragement": {"treatment": "dose", "instrument": "offer"},
    "log odds": {"mediators": ("b1",), "outcome": "event", "log_odds": ("b1", "event")},
    "strata": {"site": ("site", "block"), "where": {"offer": "1"}},
    "groups": {"site": ("x1", "offer"), "cuts": {"x1": (2.0, 8.0)}},
    "quantiles": {"site": "x1", "quantiles": {"x1": 3}},
    "site covariates": {"site_covariates": ("x2",)},
}


def persons(name: str) -> pd.DataFrame:
    frame = people(arms=3 if "arm" in name and name != "two arms" else 2)
    frame["m1"] = frame["m1"].where(frame.index % 17 != 0)
    return frame


def compare(duckdb: Reduction, spark: Reduction) -> None:
    """Require equal names and counts, and numbers equal to 1e-10 of their size."""
    one, other = duckdb.estimates, spark.estimates
    assert (one.site, one.arm, one.mediators) == (other.site, other.arm, other.mediators)
    assert duckdb.dropped == spark.dropped
    assert one.notes == other.notes
    assert duckdb.derivation == spark.derivation
    pd.testing.assert_frame_equal(
        duckdb.missingness.table, spark.missingness.table, check_dtype=False
    )
    for part in ("mediator_effect", "total_effect", "cov", "weight", "n"):
        got, wanted = getattr(other, part), getattr(one, part)
        np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-10 * np.abs(wanted).max())
    for name in one.covariates:
        np.testing.assert_allclose(other.covariates[name], one.covariates[name], rtol=1e-10)
    assert one.cross_cov.keys() == other.cross_cov.keys()
    for pair, wanted in one.cross_cov.items():
        np.testing.assert_allclose(
            other.cross_cov[pair], wanted, rtol=1e-10, atol=1e-10 * np.abs(wanted).max()
        )


@pytest.mark.parametrize("name", DESIGNS)
def test_equal(spark: Any, tmp_path: Path, name: str) -> None:
    file = tmp_path / "people.parquet"
    persons(name).to_parquet(file)
    columns = RowColumns(**{**BASE, **DESIGNS[name]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        here = reduce_rows(PersonRows.read(file, columns))
        there = reduce_rows(PersonRows(spark.read_parquet(str(file)), columns, file.name))
    compare(here, there)


def test_text(spark: Any, tmp_path: Path) -> None:
    """Columns of text are read as numbers alike, and missing where they say so."""
    frame = persons("two arms").astype(str).replace("nan", "NA")
    file = tmp_path / "people.parquet"
    frame.to_parquet(file)
    columns = RowColumns(**BASE)
    here = reduce_rows(PersonRows.read(file, columns))
    compare(here, reduce_rows(PersonRows(spark.read_parquet(str(file)), columns, file.name)))


def test_bad_cell(spark: Any, tmp_path: Path) -> None:
    frame = people().astype({"y": str})
    frame.loc[3, "y"] = "1,5"
    file = tmp_path / "people.parquet"
    frame.to_parquet(file)
    rows = PersonRows(spark.read_parquet(str(file)), RowColumns(**BASE), "cluster table")
    with pytest.raises(DataError, match=r"cluster table, column 'y', site s0: '1,5' is not"):
        reduce_rows(rows)


def test_rows_stay_in_the_engine(spark: Any, tmp_path: Path) -> None:
    """Only one row per cell or site comes back."""
    file = tmp_path / "people.parquet"
    people(persons=500).to_parquet(file)
    columns = RowColumns(**{**BASE, **DESIGNS["everything"], "fixed_effect": None})
    fetched: list[int] = []

    class Counting:
        def to_pyarrow(self, query: Any) -> Any:
            found = spark.to_pyarrow(query)
            fetched.append(found.num_rows)
            return found

    from bayesmed.data.rows import scanning

    rows = PersonRows(spark.read_parquet(str(file)), columns)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanning, "backend_of", lambda table: Counting())
        reduce_rows(rows)
    assert len(fetched) == 3
    assert max(fetched) <= 2 * 4


def test_designs_name_roles() -> None:
    known = {field.name for field in dataclasses.fields(RowColumns)}
    assert all(known >= design.keys() for design in DESIGNS.values())
