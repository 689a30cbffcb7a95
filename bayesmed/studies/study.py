"""Many tasks through an executor, each with a seed of its own, their results kept as they come."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from bayesmed.core.errors import BayesmedError, ModelError
from bayesmed.core.progress import Progress, Silent
from bayesmed.core.seeds import checked_seed
from bayesmed.studies.identity import digest
from bayesmed.studies.pace import Pace
from bayesmed.studies.processes import spawned
from bayesmed.studies.store import Store, opened
from bayesmed.studies.task import Outcome, Task, perform, task_seed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["StudyError", "StudyResult", "run_study"]

AHEAD = 4
"""Tasks handed out for each that can run at once: enough that no worker waits for the next."""
UNKNOWN = 1000
"""Tasks handed out to an executor of which nothing is known."""


class StudyError(BayesmedError):
    """A study could not be ended; what has been done is kept.

    Examples
    --------
    >>> issubclass(StudyError, BayesmedError)
    True
    """

    aftermath = ""


@dataclass(frozen=True, eq=False)
class StudyResult:
    """What came of every task, in their order.

    Attributes
    ----------
    outcomes
        Rows or error of each task, in the order the tasks were given in.

    Examples
    --------
    >>> from bayesmed.studies.task import Outcome
    >>> done = StudyResult((Outcome("a", rows=({"mean": 0.5},)), Outcome("b", error="No sites.")))
    >>> done.table()
      task  mean
    0    a   0.5
    >>> done.failures()
      task      error
    0    b  No sites.
    """

    outcomes: tuple[Outcome, ...]

    def table(self) -> pd.DataFrame:
        """Return all rows: column ``task`` with the key, then the columns of the rows."""
        import pandas as pd

        rows = [{"task": o.key, **row} for o in self.outcomes for row in o.rows]
        return pd.DataFrame(rows) if rows else pd.DataFrame({"task": pd.Series(dtype=str)})

    def failures(self) -> pd.DataFrame:
        """Return the tasks that failed: columns ``task`` and ``error``."""
        import pandas as pd

        failed = [(o.key, o.error) for o in self.outcomes if o.error]
        return pd.DataFrame(failed, columns=["task", "error"], dtype=str)


def run_study(
    tasks: Sequence[Task],
    *,
    store: str | os.PathLike[str] | None = None,
    seed: int,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> StudyResult:
    """Do all tasks, or those a file of the study does not have yet.

    The seed of each task comes from the study's seed and the task's key alone, so the table does
    not depend on executor, order, number of workers, or on which other tasks there are. Workers
    live as long as the study and keep what they compile: put tasks of one model beside each other.

    Parameters
    ----------
    tasks
        What to do; keys are unique.
    store
        A DuckDB file that keeps results as they come, each task whole or not at all. If it is
        there, only what is missing is done: tasks that failed are tried once more. More tasks
        than it was begun with may be given. Without a file results are kept in memory.
    seed
        Whole number from 0 to 2**32-1.
    executor
        Any ``concurrent.futures.Executor``, such as ``Client.get_executor(pure=False)`` of Dask;
        it is left open. By default, processes started afresh ("spawn"), one on each core.
    workers
        Number of processes; with an executor of your own, how many tasks it runs at once, which
        decides how many are handed to it ahead (1,000 where left out).
    progress
        Shows how many are done and how long the others will take.

    Returns
    -------
    StudyResult
        Rows of all tasks, and the errors of those that failed.

    Raises
    ------
    ModelError
        If two tasks have one key, there are none, or the seed or number of workers is not valid.
    StorageError
        If the file belongs to another study, is damaged, in use, or cannot be written.
    StudyError
        If the executor breaks: a worker was killed, for example for want of memory. What has been
        done is in the file, and the same call goes on from there.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> import numpy as np
    >>> @dataclass(frozen=True)
    ... class Coin:
    ...     tosses: int
    ...     @property
    ...     def key(self):
    ...         return f"{self.tosses} tosses"
    ...     def run(self, seed):
    ...         heads = np.random.default_rng(seed).binomial(self.tosses, 0.5)
    ...         return [{"tosses": self.tosses, "share": heads / self.tosses}]
    >>> with ThreadPoolExecutor(1) as own:  # leave the executor out to use processes
    ...     found = run_study([Coin(10), Coin(100_000)], seed=1, executor=own)
    >>> found.table().round(1).values.tolist()
    [['10 tosses', 10, 0.5], ['100000 tosses', 100000, 0.5]]
    """
    seed = checked_seed(seed)
    named = _by_key(tasks)
    _check_workers(workers)
    digests = {key: digest(task) for key, task in named.items()}
    shown = progress or Silent()
    with (
        opened(None if store is None else Path(store), seed, digests) as kept,
        ExitStack() as stack,
    ):
        done = {key for key, outcome in kept.outcomes().items() if not outcome.error}
        todo = [(task, task_seed(seed, key)) for key, task in named.items() if key not in done]
        if todo:
            shown.phase(f"Running {len(todo):,} tasks" + (f" of {len(named):,}" if done else ""))
            ahead = UNKNOWN if workers is None else AHEAD * workers
            if executor is None:
                processes = min(workers or cores(), len(todo))
                executor, ahead = stack.enter_context(spawned(processes)), AHEAD * processes
            _do(todo, executor, ahead, kept, Pace(len(named), len(todo), shown))
        outcomes = kept.outcomes()
    return StudyResult(tuple(outcomes[key] for key in named))


def _do(
    todo: Iterable[tuple[Task, int]], executor: Executor, ahead: int, kept: Store, pace: Pace
) -> None:
    """Hand out tasks, a bounded number ahead, and keep what comes back as it comes."""
    waiting = iter(todo)
    running: dict[Future[Outcome], str] = {}
    try:
        while True:
            for task, seed in islice(waiting, ahead - len(running)):
                running[executor.submit(perform, task, seed)] = task.key
            if not running:
                return
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            _keep(finished, running, kept, pace)
    except (BrokenExecutor, CancelledError) as error:
        _keep([f for f in running if f.done()], running, kept, pace, broken=True)
        raise StudyError(
            f"The workers of the study broke down ({type(error).__name__}: {error}). What was done "
            "is kept in the study's file, if it has one, and the same call goes on from there; "
            "with less memory in use if it is given fewer workers. A script that starts a study "
            'does so under `if __name__ == "__main__":`, and takes its tasks from a module.'
        ) from error
    finally:
        for future in running:
            future.cancel()


def _keep(
    finished: Iterable[Future[Outcome]],
    running: dict[Future[Outcome], str],
    kept: Store,
    pace: Pace,
    broken: bool = False,
) -> None:
    """Write what has come back; of broken workers, only what they had ended before."""
    outcomes, cause = [], None
    for future in finished:
        key = running.pop(future)
        try:
            outcomes.append(future.result())
        except (BrokenExecutor, CancelledError) as error:
            cause = error
        except Exception as error:  # it could not be sent, or its worker was lost
            outcomes.append(Outcome(key, error=f"{type(error).__name__}: {error}"))
    if outcomes:
        kept.keep(outcomes)
        pace.advance(len(outcomes))
    if cause is not None and not broken:
        raise cause


def cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _by_key(tasks: Sequence[Task]) -> dict[str, Task]:
    named: dict[str, Task] = {}
    for task in tasks:
        if task.key in named:
            raise ModelError(
                f"Two tasks of the study have the key {task.key!r}.", "Give each its own."
            )
        named[task.key] = task
    if not named:
        raise ModelError("The study has no tasks.", "Give at least one.")
    return named


def _check_workers(workers: int | None) -> None:
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int)):
        raise ModelError(f"workers is {workers!r}.", "Give a whole number.")
    if workers is not None and workers < 1:
        raise ModelError(f"workers is {workers}.", "Give 1 or more.")
