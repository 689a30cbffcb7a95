"""From 100 million rows in Parquet to site estimates, beside DuckDB's own query on the same files.

    BAYESMED_BENCH_ROWS=10000000 python -m tests.benchmarks --only rows

Rows are made in pieces of two million, of 1,000 sites and two arms (1.7 GB for 100 million). Each
repetition times DuckDB's query and the package's reduction one after the other, in one process
that has both libraries loaded and the files in the system's cache.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np

from tests.benchmarks.figure import Figure

ROOT = Path(__file__).parents[2]
ROWS = int(os.environ.get("BAYESMED_BENCH_ROWS", "100000000"))
PIECE = 2_000_000
REPETITIONS = 5

QUERY = """
    SELECT site, t, count(*), avg(m), avg(y), var_samp(m), var_samp(y), covar_samp(m, y)
    FROM read_parquet('{files}') GROUP BY site, t
"""
ROLES = {
    "differences in means": {},
    "one covariate": {"covariates": ("x",)},
    "weights": {"weights": "w"},
    "clusters": {"cluster": "c"},
}


def figures() -> Iterator[Figure]:
    """Compare rates, for every kind of estimate, and take the peak memory of a process."""
    with tempfile.TemporaryDirectory() as folder:
        _make(Path(folder))
        millions = f"{ROWS / 1e6:,.0f} million rows"
        for name in ROLES:
            times = _timed(folder, name)
            ratios = tuple(query / ours for query, ours in times)
            target = "≥ 0.6" if name == "differences in means" else ""
            seconds = f"{median(ours for _, ours in times):.1f} s"
            beside = f"{median(query for query, _ in times):.1f} s"
            note = f"{seconds} beside {beside} of DuckDB's query for differences in means"
            yield Figure(f"{millions}, {name}: rate beside DuckDB's", "×", ratios, target, note)
        for name in ROLES:
            peak = _peak(folder, name)
            target = "≤ 2,000 MB" if name == "differences in means" else ""
            yield Figure(f"{millions}, {name}: peak resident memory", "MB", (peak,), target)


def _make(folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for piece in range(max(ROWS // PIECE, 1)):
        rng = np.random.default_rng(piece)
        n = min(PIECE, ROWS)
        t = rng.integers(0, 2, n).astype(np.int8)
        u, x = rng.normal(size=n), rng.normal(size=n)
        m = 100 + 0.5 * t + u + x + rng.normal(size=n)
        y = 1000 + 0.2 * t + 0.4 * m + u + rng.normal(size=n)
        columns = {
            "site": rng.integers(0, 1000, n, dtype=np.int32),
            "t": t,
            "m": m,
            "y": y,
            "x": x.astype(np.float32),
            "w": rng.uniform(0.5, 2, n).astype(np.float32),
            "c": rng.integers(0, 50, n, dtype=np.int16),
        }
        pq.write_table(pa.table(columns), folder / f"{piece:03d}.parquet")


def _timed(folder: str, name: str) -> list[tuple[float, float]]:
    """Return the seconds of DuckDB's query and of the reduction, pair by pair."""
    return [tuple(pair) for pair in json.loads(_child("pairs", folder, name))]


def _peak(folder: str, name: str) -> float:
    return float(_child("peak", folder, name))


def _child(what: str, folder: str, name: str) -> str:
    command = [sys.executable, "-m", "tests.benchmarks.rows", what, folder, name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def main() -> None:
    """Measure in a process of its own."""
    import resource
    import warnings

    from bayesmed.data import DataWarning, PersonRows, RowColumns, reduce_rows

    warnings.simplefilter("ignore", DataWarning)
    what, folder, name = sys.argv[1:]
    columns = RowColumns("t", ("m",), "y", site="site", **ROLES[name])
    if what == "peak":
        reduce_rows(PersonRows.read(folder, columns))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    import duckdb

    query = QUERY.format(files=f"{folder}/*.parquet")
    pairs = []
    for _ in range(REPETITIONS + 1):
        began = time.perf_counter()
        duckdb.connect().execute(query).fetchall()
        between = time.perf_counter()
        reduce_rows(PersonRows.read(folder, columns))
        pairs.append((between - began, time.perf_counter() - between))
    # The first pair loads libraries and fills the system's cache.
    print(json.dumps(pairs[1:]))


if __name__ == "__main__":
    main()
