"""Sites found in rows are the same on DuckDB and on Spark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayesmed.data import DataError, PersonRows, RowColumns
from bayesmed.subgroups import CausalTree, CompliancePropensity, find_sites
from tests.subgroups.people import NAMES, SITE, trial

pytestmark = [
    pytest.mark.spark,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    # Ibis 12 and PySpark 4.0 use pandas in ways that are going away.
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]


@pytest.mark.parametrize(
    ("how", "cluster"),
    [
        (CompliancePropensity(groups=3, categorical=NAMES, person="id"), None),
        (CausalTree(leaves=4, categorical=NAMES), "school"),
    ],
)
def test_equal(spark: Any, tmp_path: Path, how: Any, cluster: str | None) -> None:
    if isinstance(how, CausalTree):
        pytest.importorskip("econml")
    file = tmp_path / "people.parquet"
    trial(n=1500).assign(id=range(1500)).to_parquet(file)
    columns = RowColumns("t", ("m",), "y", site=SITE, cluster=cluster)
    here = find_sites(PersonRows.read(file, columns), how, seed=3)
    there = find_sites(PersonRows(spark.read_parquet(str(file)), columns, file.name), how, seed=3)
    pd.testing.assert_frame_equal(here.splits, there.splits, rtol=1e-9)
    assert here.estimates.site == there.estimates.site
    assert here.estimates.derivation == there.estimates.derivation
    np.testing.assert_allclose(here.estimates.cov, there.estimates.cov, rtol=1e-9)
    np.testing.assert_allclose(here.estimates.total_effect, there.estimates.total_effect, rtol=1e-9)


def test_rows_without_order_need_a_column_that_tells_persons_apart(
    spark: Any, tmp_path: Path
) -> None:
    file = tmp_path / "people.parquet"
    trial(n=100).to_parquet(file)
    columns = RowColumns("t", ("m",), "y", site=("age",))
    rows = PersonRows(spark.read_parquet(str(file)), columns, file.name)
    with pytest.raises(DataError, match="Name a column that does as `person`"):
        find_sites(rows, CompliancePropensity(), seed=1)
