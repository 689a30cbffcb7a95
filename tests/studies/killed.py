"""A study to be killed: ``python -m tests.studies.killed FILE LOG TASKS SECONDS``."""

from __future__ import annotations

import sys
from pathlib import Path

from bayesmed.studies import run_study
from tests.studies.tasks import Noise

SEED = 5


def tasks(number: int, log: Path | None, seconds: float) -> list[Noise]:
    """Return the tasks of the study."""
    return [Noise(i, log=log, seconds=seconds) for i in range(number)]


if __name__ == "__main__":
    store, log, number, seconds = sys.argv[1:]
    run_study(tasks(int(number), Path(log), float(seconds)), seed=SEED, store=store, workers=2)
