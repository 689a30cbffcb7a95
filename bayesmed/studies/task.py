"""One piece of a study: a frozen description, a seed, and the rows that come of it."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bayesmed.core.errors import ModelError

type Cell = str | int | float | bool | None
type Row = Mapping[str, Cell]


class Task(Protocol):
    """A frozen, picklable description of one piece of a study.

    Any frozen dataclass with these two members is one; nothing has to be inherited. It must be
    defined in a module that worker processes can import, and its fields must be values that say
    what they are: numbers, texts, arrays, other frozen dataclasses, and collections of them.
    """

    @property
    def key(self) -> str:
        """Name of the piece: unique within the study, and the same every time."""

    def run(self, seed: int) -> list[Row]:
        """Do the work; ``seed`` is a whole number from 0 to 2**32-1, and the only randomness.

        Samplers are run with ``cores=1``: the study itself uses the others.
        """


@dataclass(frozen=True)
class Outcome:
    """What came of a task: rows, or the text of the error that stopped it."""

    key: str
    rows: tuple[Row, ...] = ()
    error: str = ""
    seconds: float = 0.0


def perform(task: Task, seed: int) -> Outcome:
    """Run a task where it has been sent; its own failure is a result like any other."""
    began = time.perf_counter()
    try:
        rows = tuple(_plain_row(row) for row in task.run(seed))
    except Exception as error:  # whatever a task raises must not end the others
        text = f"{type(error).__name__}: {error}"
        return Outcome(task.key, error=text, seconds=time.perf_counter() - began)
    return Outcome(task.key, rows, seconds=time.perf_counter() - began)


def task_seed(seed: int, key: str) -> int:
    """Return the seed of one task: it depends on the study's seed and the task's key alone.

    Examples
    --------
    >>> task_seed(1, "a") == task_seed(1, "a"), task_seed(1, "a") == task_seed(1, "b")
    (True, False)
    """
    # All 128 bits: among a million keys, short hashes would meet.
    words = np.frombuffer(hashlib.blake2b(key.encode(), digest_size=16).digest(), dtype="<u4")
    child = np.random.SeedSequence(seed, spawn_key=tuple(int(word) for word in words))
    return int(child.generate_state(1)[0])


def _plain_row(row: Row) -> Row:
    return {str(name): _plain(name, value) for name, value in row.items()}


def _plain(name: str, value: object) -> Cell:
    """Return a value as the plain one that tables and files keep exactly."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return math.nan if math.isnan(value) else float(value)
    raise ModelError(
        f"A task gave a {type(value).__name__} as {name!r}.",
        "Rows hold texts, numbers, true or false, or None.",
    )
