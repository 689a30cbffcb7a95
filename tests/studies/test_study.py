"""The engine: one table whatever does the work, results that stay, failures that are kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from bayesmed.core.errors import ModelError
from bayesmed.studies import StudyError, run_study
from bayesmed.studies.task import task_seed
from tests.studies.tasks import Deadly, Gives, Needs, Noise, executed

TASKS = [Noise(i) for i in range(12)]


class Serial(Executor):
    """Does what it is given at once, and remembers how much waited at most."""

    def __init__(self, delay: int = 0) -> None:
        self.most, self._delay, self._waiting = 0, delay, []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._waiting.append((future, fn, args))
        self.most = max(self.most, len(self._waiting))
        if len(self._waiting) > self._delay:
            # The last one first: the order of completion must not matter.
            future_, fn_, args_ = self._waiting.pop()
            future_.set_result(fn_(*args_))
        return future


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """The table of ``TASKS``, done one after the other."""
    return run_study(TASKS, seed=3, executor=Serial()).table()


def test_rows_come_in_the_order_of_tasks(table: pd.DataFrame) -> None:
    assert table.columns.tolist() == ["task", "row", "value", "text", "odd"]
    expected = [(f"noise {i}", j) for i in range(12) for j in range(i % 4)]
    assert list(zip(table["task"], table["row"], strict=True)) == expected
    assert table["value"].nunique() == len(table) == 18
    values = [np.random.default_rng(task_seed(3, "noise 7")).normal()]
    assert table.loc[table["task"] == "noise 7", "value"].head(1).tolist() == values


@pytest.mark.parametrize("workers", [1, 2])
def test_processes_give_the_same_table(table: pd.DataFrame, workers: int) -> None:
    assert_frame_equal(run_study(TASKS, seed=3, workers=workers).table(), table, check_exact=True)


def test_threads_in_any_order_give_the_same_table(table: pd.DataFrame) -> None:
    with ThreadPoolExecutor(4) as own:
        found = run_study(TASKS[::-1], seed=3, executor=own).table()
    back = found.set_index("task").loc[table["task"].unique()].reset_index()
    assert_frame_equal(back, table, check_exact=True)


def test_other_tasks_and_the_file_do_not_matter(table: pd.DataFrame, tmp_path: Path) -> None:
    store = tmp_path / "study.duckdb"
    few = run_study(TASKS[5:8], seed=3, executor=Serial(), store=store).table()
    expected = table[table["task"].isin(["noise 5", "noise 6", "noise 7"])].reset_index(drop=True)
    assert_frame_equal(few, expected, check_exact=True)
    # A study may be given more tasks later.
    more = run_study(TASKS, seed=3, executor=Serial(), store=store).table()
    assert_frame_equal(more, table, check_exact=True)


def test_another_seed_gives_other_numbers(table: pd.DataFrame) -> None:
    other = run_study(TASKS, seed=4, executor=Serial()).table()
    assert not np.isin(other["value"], table["value"]).any()


def test_only_what_is_missing_is_done_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    tasks = [Noise(i, log=log) for i in range(8)]
    for _ in range(2):
        run_study(tasks[:5], seed=1, executor=Serial(), store=tmp_path / "s.duckdb")
    found = run_study(tasks, seed=1, workers=2, store=tmp_path / "s.duckdb")
    assert executed(log) == sorted(task.key for task in tasks)
    assert set(found.table()["task"]) == {task.key for task in tasks if task.number % 4}


def test_a_failure_is_kept_and_tried_again(tmp_path: Path) -> None:
    needed, log = tmp_path / "needed.txt", tmp_path / "log"
    log.mkdir()
    tasks = [Noise(1, log=log), Needs(needed), Noise(2, log=log)]
    found = run_study(tasks, seed=1, executor=Serial(), store=tmp_path / "s.duckdb")
    assert found.table()["task"].unique().tolist() == ["noise 1", "noise 2"]
    (failure,) = found.failures().to_dict("records")
    assert failure["task"] == "needs a file"
    assert failure["error"].startswith("FileNotFoundError: ")
    assert str(needed) in failure["error"]
    needed.write_text("here")
    again = run_study(tasks, seed=1, executor=Serial(), store=tmp_path / "s.duckdb")
    assert again.failures().empty
    assert again.table()["text"].tolist() == ["ü1", "here", "ü2", "ü2"]
    assert executed(log) == ["noise 1", "noise 2"]


def test_a_killed_worker_ends_the_study_and_keeps_what_was_done(tmp_path: Path) -> None:
    mercy = tmp_path / "mercy"
    tasks = [*(Noise(i) for i in range(1, 4)), Deadly(mercy), *(Noise(i) for i in range(5, 8))]
    store = tmp_path / "s.duckdb"
    with pytest.raises(StudyError, match=r"broke down.*goes on from there"):
        run_study(tasks, seed=1, workers=1, store=store)
    mercy.touch()
    log: list[str] = []
    found = run_study(tasks, seed=1, executor=Serial(), store=store, progress=_Told(log))
    assert log[0].startswith("Running ")
    missing = int(log[0].split()[1])
    # One worker: all before the deadly task were done, and kept.
    assert missing <= 4, log[0]
    expected = run_study(tasks, seed=1, executor=Serial()).table()
    assert_frame_equal(found.table(), expected, check_exact=True)


def test_cancelled_work_ends_the_study() -> None:
    class Cancels(Serial):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    with pytest.raises(StudyError, match="broke down") as caught:
        run_study(TASKS, seed=1, executor=Cancels())
    assert isinstance(caught.value.__cause__, CancelledError)


def test_an_interruption_keeps_what_was_done(tmp_path: Path) -> None:
    class Interrupted(_Told):
        def advance(self, done: float, detail: str = "") -> None:
            super().advance(done, detail)
            if len(self.log) == 3:
                raise KeyboardInterrupt

    store, tasks = tmp_path / "s.duckdb", [Noise(i) for i in range(60)]
    with pytest.raises(KeyboardInterrupt):
        run_study(tasks, seed=3, workers=2, store=store, progress=Interrupted([]))
    told: list[str] = []
    found = run_study(tasks, seed=3, executor=Serial(), store=store, progress=_Told(told))
    # At least two had come, and hardly more than were handed out.
    assert 60 - 2 * 8 <= int(told[0].split()[1]) <= 60 - 2
    assert told[0].endswith(" of 60")
    expected = run_study(tasks, seed=3, executor=Serial()).table()
    assert_frame_equal(found.table(), expected, check_exact=True)


def test_few_tasks_wait_at_a_time() -> None:
    own = Serial(delay=7)

    with pytest.raises(_Enough):
        run_study([Noise(i) for i in range(300)], seed=1, executor=own, workers=2, progress=_Stop())
    assert own.most == 8
    with ThreadPoolExecutor(1) as one:
        assert len(run_study(TASKS, seed=1, executor=one, workers=1).outcomes) == len(TASKS)


def test_progress_tells_how_long_the_rest_takes() -> None:
    log: list[str] = []
    run_study(TASKS, seed=1, executor=Serial(delay=0), workers=1, progress=_Told(log))
    assert log[0] == "Running 12 tasks"
    assert log[-1] == "1.00 12 of 12, 0 s left"
    assert [line.split()[1] for line in log[1:]] == ["4", "8", "12"]


@pytest.mark.parametrize("value", [math.inf, -math.inf, 2**70, "", "a\0b", None, True, 1e-310])
def test_values_come_back_as_they_were(tmp_path: Path, value: object) -> None:
    for store in (None, tmp_path / "s.duckdb"):
        found = run_study([Gives(value)], seed=1, executor=Serial(), store=store)
        (row,) = found.outcomes[0].rows
        assert row["value"] == value
        assert type(row["value"]) is type(value)


def test_numbers_of_numpy_become_plain() -> None:
    for value in (np.float64(0.1), np.int64(3), np.bool_(True), np.float32(0.1)):
        (row,) = run_study([Gives(value)], seed=1, executor=Serial()).outcomes[0].rows
        assert row["value"] == value.item()
        assert type(row["value"]) is type(value.item())
    nan = run_study([Gives(math.nan)], seed=1, executor=Serial()).table()["value"]
    assert nan.isna().all()


def test_a_row_of_something_else_is_a_failure() -> None:
    found = run_study([Gives((1, 2))], seed=1, executor=Serial())
    assert "gave a tuple as 'value'" in found.failures()["error"].item()
    assert found.table().columns.tolist() == ["task"]


@pytest.mark.parametrize(
    ("tasks", "options", "message"),
    [
        ([], {}, "no tasks"),
        ([Noise(1), Noise(1, seconds=1.0)], {}, "the key 'noise 1'"),
        ([Noise(1)], {"workers": 0}, "workers is 0"),
        ([Noise(1)], {"workers": 1.5}, "workers is 1.5"),
        ([Noise(1)], {"seed": -1}, "out of range"),
        ([Gives(object())], {}, "holds a object"),
    ],
)
def test_bad_input_is_refused(tasks: list[Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        run_study(tasks, **({"seed": 1} | options))


class _Told:
    """Remembers what it is told."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def phase(self, text: str) -> None:
        self.log.append(text)

    def advance(self, done: float, detail: str = "") -> None:
        self.log.append(f"{done:.2f} {detail}")


class _Enough(Exception):  # noqa: N818
    pass


class _Stop(_Told):
    """Ends the study after a while."""

    def __init__(self) -> None:
        super().__init__([])

    def advance(self, done: float, detail: str = "") -> None:
        super().advance(done, detail)
        if len(self.log) > 50:
            raise _Enough
