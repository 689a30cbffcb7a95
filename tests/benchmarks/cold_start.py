"""The whole of ``bayesmed fit`` in a new process whose compile caches are empty."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.figure import Figure

ROOT = Path(__file__).parents[2]
CARD = ROOT / "models" / "mechte_example.toml"
TARGETS = {"nuts": "≤ 20 s", "exact": "≤ 6 s"}
REPETITIONS = 5


def figures() -> Iterator[Figure]:
    """Time both engines from the command to the report, and their peak memory."""
    for engine, target in TARGETS.items():
        times, peaks = zip(*(_fit(engine) for _ in range(REPETITIONS)), strict=True)
        yield Figure(f"engine {engine}, 100 sites, report included", "s", times, target)
        yield Figure(f"engine {engine}, peak resident memory", "MB", peaks, "≤ 1,000 MB")


def _fit(engine: str) -> tuple[float, float]:
    """Return seconds and peak resident memory in MB of one run."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        environment = os.environ | {
            "PYTENSOR_FLAGS": f"base_compiledir={place / 'pytensor'}",
            "NUMBA_CACHE_DIR": str(place / "numba"),
            "MPLCONFIGDIR": str(place / "matplotlib"),
        }
        command = [sys.executable, "-m", "bayesmed", "fit", str(CARD), "--engine", engine]
        command += ["--seed", "1", "--out", str(place / "results")]
        began = time.perf_counter()
        with (place / "log").open("w+b") as log:
            running = subprocess.Popen(
                command, env=environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
            )
            # wait4 tells the memory of this child alone.
            _, status, usage = os.wait4(running.pid, 0)
            running.returncode = os.waitstatus_to_exitcode(status)
            elapsed = time.perf_counter() - began
            if running.returncode not in (0, 1) or not (place / "results/report.html").exists():
                log.seek(0)
                raise RuntimeError(log.read().decode())
        return elapsed, usage.ru_maxrss / 1024
