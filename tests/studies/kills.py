"""Two studies, each killed (signal 9) at random moments until it has been killed 20 times.

    python -m tests.studies.kills [--kills 20] [--out FILE]

One writes without pause, so that it is killed while it writes; one samples refits under other
priors. Each is then left to end, and its table put beside that of a study nobody killed, with
another number of workers, and of one on a Dask cluster with two worker processes.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from bayesmed.core import provenance
from bayesmed.generative import SiteSlope
from bayesmed.generative.replaced_priors import with_priors
from bayesmed.inference import Sampler
from bayesmed.studies import Task, run_study
from bayesmed.studies.sensitivity.prior_sets import prior_sets
from bayesmed.studies.sensitivity.refit import Refit
from tests.benchmarks.tables import tables
from tests.studies.tasks import Noise

STORED = Path(__file__).with_name("kills.json")
SEED, WORKERS = 9, 2
# Longest time, in seconds, from the first result of a process to its end.
LATEST = {"quick": 2.0, "refits": 5.0}
# Every so many kills come before there is a result, at most so many seconds after the start.
EARLY, EARLIEST = 4, 2.0


def quick() -> list[Noise]:
    """Return tasks that take no time."""
    return [Noise(i) for i in range(20_000)]


def refits() -> list[Refit]:
    """Return refits of 30 sites, sampled."""
    model, (data,) = SiteSlope(), tables(30, 1)
    factors = np.geomspace(0.1, 10, 60).tolist()
    sets = prior_sets(model, data, alternatives={}, parameters=(), factors=factors, together=False)
    sampler = Sampler(draws=500, tune=500, target_accept=0.95)
    return [Refit(one.name, with_priors(model, one.priors), data, sampler) for one in sets]


STUDIES = {"quick": quick, "refits": refits}


def killed(name: str, store: Path, kills: int) -> list[int]:
    """Kill a study again and again; return how many tasks its file held after each kill."""
    rng = np.random.default_rng([SEED, *name.encode()])
    done = []
    for number, moment in enumerate(rng.uniform(0.0, 1.0, kills)):
        started = _start(name, store)
        early = number % EARLY == 0
        if not early:
            _wait_for_a_result(started, store)
        time.sleep(moment * (EARLIEST if early else LATEST[name]))
        started.send_signal(signal.SIGKILL)
        assert started.wait() == -signal.SIGKILL, "the study had ended: give it more tasks"
        done.append(_held(store))
        print(name, done[-1], flush=True)
    assert _start(name, store).wait() == 0
    return done


def _start(name: str, store: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.studies.kills", "--run", name, str(store)]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2])


def _wait_for_a_result(started: subprocess.Popen[bytes], store: Path) -> None:
    """Wait until something has been written since the file was last closed."""
    log = store.with_name(f"{store.name}.wal")
    while not (log.exists() and log.stat().st_size):
        assert started.poll() is None, "the study had ended: give it more tasks"
        time.sleep(0.005)


def _held(store: Path) -> int:
    """Return how many tasks a file holds; 0 where there is none yet."""
    if not store.exists():
        return 0
    with duckdb.connect(store) as file:
        (found,) = file.execute("SELECT count(*) FROM tasks").fetchall()
    return int(found[0])


def study(kills: int) -> list[dict[str, Any]]:
    """Run both studies."""
    rows = []
    for name, make in STUDIES.items():
        tasks = make()
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder) / "study.duckdb"
            done = killed(name, store, kills)
            resumed = run_study(tasks, store=store, seed=SEED).table()
        whole = run_study(tasks, seed=SEED, workers=1).table()
        rows.append(
            {
                "study": name,
                "tasks": len(tasks),
                "kills": kills,
                "done_after_each": done,
                "rows": len(whole),
                "rows_after_kills": len(resumed),
                "same_table": _same(resumed, whole),
                "same_table_on_dask": _same(_on_dask(tasks), whole),
            }
        )
        print(json.dumps(rows[-1]), flush=True)
    return rows


def _same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    return one.equals(other)


def _on_dask(tasks: Sequence[Task]) -> pd.DataFrame:
    import distributed

    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
        client.get_executor(pure=False) as executor,
    ):
        return _table(tasks, executor)


def _table(tasks: Sequence[Task], executor: Executor) -> pd.DataFrame:
    return run_study(tasks, seed=SEED, executor=executor, workers=WORKERS).table()


def main() -> None:
    """Run the studies and store what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--out", type=Path, default=STORED)
    parser.add_argument("--run", nargs=2, metavar=("STUDY", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        name, store = given.run
        run_study(STUDIES[name](), store=store, seed=SEED, workers=WORKERS)
        return
    record = {
        "seed": SEED,
        "workers": WORKERS,
        "versions": provenance.versions(),
        "studies": study(given.kills),
    }
    given.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
