"""Measure speed: print medians, keep them in a file, assert nothing.

    python -m tests.benchmarks [--only NAME] [--out FILE]

Each benchmark prints one line per figure: median (lowest to highest) of its repetitions, beside
the target where there is one. The file keeps the last run of every benchmark.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bayesmed.core import provenance
from tests.benchmarks.figure import Figure

STORED = Path(__file__).with_name("results.json")
# The cold start comes first: a small parent keeps the peak memory of its children honest.
BENCHMARKS = (
    "cold_start",
    "variants",
    "multi_site_iv",
    "trials",
    "rows",
    "exact",
    "refit",
    "latent",
    "studies",
)


def run(name: str) -> dict[str, Any]:
    """Run one benchmark, print its figures as they come, return what to keep."""
    print(f"\n{name}", flush=True)
    measure: Callable[[], Iterator[Figure]] = importlib.import_module(
        f"tests.benchmarks.{name}"
    ).figures
    load = os.getloadavg()[0]
    found = []
    for figure in measure():
        print(f"  {figure}", flush=True)
        found.append(figure.record())
    return {
        "date": provenance.now(),
        "cores": os.cpu_count(),
        "load_before": round(load, 1),
        "versions": provenance.versions(),
        "figures": found,
    }


def main() -> None:
    """Run all benchmarks, or one, and store their figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=BENCHMARKS)
    parser.add_argument("--out", type=Path, default=STORED)
    given = parser.parse_args()
    for name in (given.only,) if given.only else BENCHMARKS:
        result = run(name)
        # Read again each time: another benchmark may have been stored in between.
        record = json.loads(given.out.read_text("utf-8")) if given.out.exists() else {}
        record[name] = result
        given.out.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
