"""A real Dask scheduler with two worker processes gives the table that processes give."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

from bayesmed.studies import run_study
from tests.studies.tasks import Needs, Noise

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def dask() -> Iterator[Executor]:
    """Start a scheduler and two workers on the loopback."""
    with (
        distributed.LocalCluster(
            n_workers=2,
            processes=True,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
        ) as cluster,
        distributed.Client(cluster) as client,
        client.get_executor(pure=False) as executor,
    ):
        yield executor


def test_the_table_is_that_of_processes(dask: Executor, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    tasks = [Noise(i, log=log, seconds=0.01) for i in range(40)]
    found = run_study(tasks, seed=3, executor=dask, store=tmp_path / "s.duckdb")
    assert str(os.getpid()) not in {file.name for file in log.iterdir()}
    assert len(list(log.iterdir())) == 2
    expected = run_study(tasks, seed=3, workers=2)
    assert_frame_equal(found.table(), expected.table(), check_exact=True)


def test_a_study_begun_by_processes_goes_on_there(dask: Executor, tmp_path: Path) -> None:
    store, tasks = tmp_path / "s.duckdb", [Noise(i) for i in range(20)]
    run_study(tasks[:9], seed=3, workers=1, store=store)
    found = run_study([*tasks, Needs(tmp_path / "none")], seed=3, executor=dask, store=store)
    assert found.failures()["task"].tolist() == ["needs a file"]
    expected = run_study(tasks, seed=3, workers=1)
    assert_frame_equal(found.table(), expected.table(), check_exact=True)
