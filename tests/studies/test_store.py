"""The file of a study: killed at any moment it is whole, and it serves one study only."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import numpy as np
import pytest
from pandas.testing import assert_frame_equal

from bayesmed.core.errors import StorageError
from bayesmed.studies import StudyResult, run_study
from bayesmed.studies import store as store_module
from bayesmed.studies.task import Outcome
from tests.studies.killed import SEED, tasks
from tests.studies.tasks import Noise, executed

ROOT = Path(__file__).parents[2]


def study(path: Path, *numbers: int, seed: int = 1) -> StudyResult:
    with ThreadPoolExecutor(1) as own:
        return run_study([Noise(i) for i in numbers], seed=seed, store=path, executor=own)


def test_killed_at_random_moments_it_loses_and_doubles_nothing(tmp_path: Path) -> None:
    store, log, number, pause = tmp_path / "s.duckdb", tmp_path / "log", 150, 0.02
    log.mkdir()
    command = [sys.executable, "-m", "tests.studies.killed", store, log, number, pause]
    moments = np.random.default_rng(8).uniform(0.0, 0.5, 4)
    for moment in moments:
        before = len(executed(log))
        with _started(command) as running:
            _wait_until(lambda before=before: len(executed(log)) > before)
            time.sleep(moment)
            running.kill()
        _wait_for_the_end_of_workers(log)
    with _started(command) as running:
        assert running.wait(60) == 0
    with ThreadPoolExecutor(1) as own:
        kept = run_study(tasks(number, log, pause), seed=SEED, store=store, executor=own)
        ran = executed(log)
        expected = run_study(tasks(number, None, 0.0), seed=SEED, executor=own)
    assert_frame_equal(kept.table(), expected.table(), check_exact=True)
    # Nothing was left to do; at each end only what was under way had to be done again.
    assert set(ran) == {f"noise {i}" for i in range(number)}
    assert number < len(ran) <= number + len(moments) * 12
    assert not list(tmp_path.glob("*.wal"))


def _wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _started(command: list[object]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([str(word) for word in command], cwd=ROOT)


def _wait_for_the_end_of_workers(log: Path) -> None:
    """Wait until the workers of a killed study have ended, as they must by themselves."""
    deadline = time.monotonic() + 10
    while any(_lives(int(file.name)) for file in log.iterdir()):
        assert time.monotonic() < deadline, "workers outlive their study"
        time.sleep(0.02)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # One that has ended and waits to be seen off is dead enough.
    return " Z " not in Path(f"/proc/{process}/stat").read_text()


def test_ctrl_c_ends_workers_at_once(tmp_path: Path) -> None:
    store, log = tmp_path / "s.duckdb", tmp_path / "log"
    log.mkdir()
    command = [sys.executable, "-m", "tests.studies.killed", store, log, 40, 30.0]
    running = subprocess.Popen(
        [str(word) for word in command], cwd=ROOT, start_new_session=True, stderr=subprocess.PIPE
    )
    _wait_until(lambda: len(list(log.iterdir())) == 2)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does
    _, said = running.communicate(timeout=10)
    assert said.decode().strip().endswith("KeyboardInterrupt")
    assert said.decode().count("Traceback") == 1, "workers say nothing"
    _wait_for_the_end_of_workers(log)


def test_a_file_in_use_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    study(path, 1)
    hold = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print('open', flush=True); "
    with subprocess.Popen(
        [sys.executable, "-c", hold + "sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(StorageError, match="in use by another process"):
            study(path, 1, 2)
        other.kill()
    assert len(study(path, 1, 2).outcomes) == 2


def test_two_studies_of_one_process_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    with store_module.opened(path, 1, {}), pytest.raises(StorageError, match="of this process"):
        study(tmp_path / ".." / tmp_path.name / "s.duckdb", 1)
    assert len(study(path, 1).outcomes) == 1


def test_another_study_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    before = study(path, 1, 2, 3)
    with pytest.raises(StorageError, match="seed 1, not 2"):
        study(path, 1, 2, 3, seed=2)
    with pytest.raises(StorageError, match="'noise 3', but this study has none of that name"):
        study(path, 1, 2)
    with pytest.raises(StorageError, match="'noise 1', but it is another one"):
        run_study([Noise(i, seconds=0.001) for i in (1, 2, 3)], seed=1, store=path)
    assert_frame_equal(study(path, 1, 2, 3).table(), before.table(), check_exact=True)


def test_other_files_are_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    path.write_text("site,gamma_hat\nOslo,1\n" * 400)
    _refused(path, "cannot be used as the file of a study")
    path.unlink()
    with sqlite3.connect(path) as light:
        light.execute("CREATE TABLE study (format VARCHAR)")
    light.close()
    _refused(path, "file of a study")
    path.unlink()
    with duckdb.connect(path) as other:
        other.execute("CREATE TABLE mine AS SELECT 42 AS answer")
    _refused(path, "no file of a study")
    path.unlink()
    path.touch()
    _refused(path, "cannot be used as the file of a study")


def _refused(path: Path, message: str) -> None:
    before = path.read_bytes()
    with pytest.raises(StorageError, match=message):
        study(path, 1)
    assert path.read_bytes() == before


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    study(path, *range(50))
    whole = path.read_bytes()
    for size in (100, 5000, len(whole) // 2):
        path.write_bytes(whole[:size])
        with pytest.raises(StorageError, match=r"s\.duckdb"):
            study(path, *range(50))
    # One letter of one result.
    path.write_bytes(whole.replace(b"noise 7", b"noise 6", 1))
    with pytest.raises(StorageError, match=r"s\.duckdb cannot be used.*checksum"):
        study(path, *range(50))


def test_ctrl_c_in_the_middle_of_a_statement_is_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = store_module.Store.keep

    def interrupted(store: store_module.Store, outcomes: Iterable[Outcome]) -> None:
        keep(store, outcomes)
        store._connection.execute("BEGIN")
        raise RuntimeError("Query interrupted")

    path = tmp_path / "s.duckdb"
    for place in (None, path):
        monkeypatch.setattr(store_module.Store, "keep", interrupted)
        with pytest.raises(KeyboardInterrupt), ThreadPoolExecutor(1) as own:
            run_study([Noise(1)], seed=1, store=place, executor=own)
    monkeypatch.undo()
    assert len(study(path, 1).table()) == 1


def test_the_seed_of_a_file_can_be_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    assert store_module.stored_seed(path) is None
    study(path, 1, seed=2**32 - 1)
    assert store_module.stored_seed(path) == 2**32 - 1
    path.write_text("something else")
    with pytest.raises(StorageError, match="cannot be used"):
        store_module.stored_seed(path)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    study(path, 1)
    with duckdb.connect(path) as file:
        file.execute("UPDATE study SET format_version = 99")
    with pytest.raises(StorageError, match=r"format version 99.*newer bayesmed"):
        study(path, 1)


@pytest.mark.parametrize("name", ["missing/s.duckdb", ""])
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StorageError):
        study(tmp_path / name, 1)


def test_the_file_says_what_made_it(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    study(path, 1)
    with duckdb.connect(path, read_only=True) as file:
        (row,) = file.execute("SELECT format, format_version, seed, versions FROM study").fetchall()
    assert row[:3] == ("bayesmed-study", 1, 1)
    assert '"bayesmed"' in row[3]
    assert list(tmp_path.iterdir()) == [path]
