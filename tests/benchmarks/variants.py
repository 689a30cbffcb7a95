"""Every variant of the site slope: cold, from the command to the report, and fitted again."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteSlope
from bayesmed.inference import Fit, fit
from bayesmed.inference.convergence import diagnose
from tests.benchmarks.figure import Figure, each, timed
from tests.calibration.variants import DESIGNS, simulate

ROOT = Path(__file__).parents[2]
N_SITES = 100
# What a card says in [model] and [data] beyond the columns of one mediator.
VARIANTS = {
    "random": ("random", 'slope = "random"', ""),
    "polynomial": ("polynomial", 'slope = "polynomial"', ""),
    "correlation": ("correlation known", "correlation = 0.4", ""),
    "student_t": ("student_t", 'direct_effect_distribution = "student_t"', ""),
    "covariate": ("covariate", 'covariates = ["x"]', 'covariates = ["x"]'),
    "two mediators": ("two mediators", "", ""),
    "two mediators, random": ("two mediators, random", 'slope = "random"', ""),
}
REPETITIONS = 3
REFITS = 9
SEED = 1


def figures() -> Iterator[Figure]:
    """Time refits of the random slope, then every variant cold.

    Shared control groups come from arrays only, so they are timed from Python, compile included.
    """
    yield from _refits()
    for name, (design, model, data) in VARIANTS.items():
        times = tuple(_cold(design, model, data) for _ in range(REPETITIONS))
        yield Figure(f"{name}, cold, {N_SITES} sites, report included", "s", times, "≤ 25 s")
    for name in ("shared control", "shared control, random"):
        times = tuple(_cold_arrays(name) for _ in range(REPETITIONS))
        yield Figure(f"{name}, cold, {N_SITES} rows, from Python", "s", times, "≤ 25 s")


def _table(design: str, number: int) -> SiteEstimates:
    return simulate(DESIGNS[design], N_SITES, np.random.default_rng([SEED, number]))[0]


def _fit(data: SiteEstimates) -> Fit:
    return fit(SiteSlope(slope="random"), data, seed=SEED)


def _refits() -> Iterator[Figure]:
    tables = [_table("random", i) for i in range(REFITS + 1)]
    _fit(tables[0])
    whole, fits = zip(*(timed(_fit, t) for t in tables[1:]), strict=True)
    sampling = tuple(float(f.tree.attrs["seconds_engine"]) for f in fits)
    judging = each(diagnose, [f.tree for f in fits])
    both = tuple(a + b for a, b in zip(sampling, judging, strict=True))
    size = f"random slope, {N_SITES} sites, "
    yield Figure(size + "sampling and diagnostics", "s", both, "≤ 1.5 s")
    yield Figure(size + "whole fit", "s", whole)


def _cold(design: str, model: str, data: str) -> float:
    """Return the seconds of ``bayesmed fit`` in a new process whose compile caches are empty."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "card.toml").write_text(_card(_table(design, 0), place, model, data), "utf-8")
        command = ["-m", "bayesmed", "fit", str(place / "card.toml")]
        return _timed(place, [*command, "--seed", "1", "--out", str(place / "results")])


def _cold_arrays(design: str) -> float:
    """Return the seconds of a first fit from Python in a new process, caches empty."""
    with tempfile.TemporaryDirectory() as folder:
        lines = (
            "from tests.benchmarks.variants import _table",
            "from tests.calibration.variants import DESIGNS",
            "from bayesmed.inference import fit",
            f"fit(DESIGNS[{design!r}].model, _table({design!r}, 0), seed=1)",
        )
        return _timed(Path(folder), ["-W", "ignore", "-c", "\n".join(lines)])


def _timed(place: Path, arguments: list[str]) -> float:
    environment = os.environ | {
        "PYTENSOR_FLAGS": f"base_compiledir={place / 'pytensor'}",
        "NUMBA_CACHE_DIR": str(place / "numba"),
        "MPLCONFIGDIR": str(place / "matplotlib"),
    }
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=ROOT, capture_output=True, check=False
    )
    elapsed = time.perf_counter() - began
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr.decode())
    return elapsed


def _card(table: SiteEstimates, place: Path, model: str, data: str) -> str:
    """Write the table as CSV, and return a card for it."""
    frame = table.to_frame()
    p = table.n_mediators
    names = [f"c{i}" for i in range(frame.shape[1])]
    column = dict(zip(frame.columns, names, strict=True))
    column |= {"covariate[x]": "x"}
    frame.rename(columns=column).to_csv(place / "sites.csv", index=False)
    lines = ["[model]", 'type = "site_slope"', model, "[data]", 'file = "sites.csv"', data]
    lines += [f'total_effect = "{column["total_effect"]}"']
    lines += [f'total_effect_se = "{column["total_effect_se"]}"']
    for name in table.mediators:
        lines += ["[[data.mediators]]", f'name = "{name}"']
        lines += [f'effect = "{column[f"mediator_effect[{name}]"]}"']
        lines += [f'se = "{column[f"mediator_effect_se[{name}]"]}"']
        lines += [f'cov = "{column[f"cov[{name}, total_effect]"]}"']
    if p > 1:
        first, second = table.mediators[:2]
        lines += ["[[data.covariances]]", f'first = "{first}"', f'second = "{second}"']
        lines += [f'cov = "{column[f"cov[{first}, {second}]"]}"']
    return "\n".join(lines) + "\n"
