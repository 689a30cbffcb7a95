"""Models of one trial: first fits in a process of their own, refits, and numbers of persons."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bayesmed.data import TrialCells, TrialMoments, TrialPersons
from bayesmed.generative import CovariateIV, PrincipalStrata, RandomCoefficients
from bayesmed.inference import Sampler, TrialFit, fit
from tests.benchmarks.figure import Figure, timed
from tests.calibration import principal_strata, random_coefficients

ROOT = Path(__file__).parents[2]
REPETITIONS, PAIRS, SEED = 3, 5, 1
FEW, MANY = 2_000, 2_000_000
FASTER = Sampler(draws=1000, tune=500, chains=4)


def cells(n: int, seed: int) -> TrialCells:
    """Persons of nine types, counted."""
    return principal_strata.simulate("amount", n, np.random.default_rng(seed))


def counted(n: int, seed: int) -> TrialCells:
    """The same with an outcome of 0 and 1."""
    return principal_strata.simulate("binary", n, np.random.default_rng(seed))


def persons(n: int, seed: int) -> TrialPersons:
    """Persons whose compliance and benefit go together, in two arms."""
    design = random_coefficients.DESIGNS["two arms, correlation 0.5"]
    return random_coefficients.simulate(design, n, np.random.default_rng(seed))


def moments(n: int, seed: int) -> TrialMoments:
    """Persons with three covariates that change how treatment moves the mediator."""
    rng = np.random.default_rng(seed)
    x, r = rng.standard_normal((n, 3)), np.arange(n) % 2
    u = rng.standard_normal(n)
    m = x @ [0.3, 0.2, 0.1] + r * (0.5 + x @ [0.5, 0.3, 0.2]) + u
    y = x @ [0.2, 0.1, 0.3] + 0.4 * r + 0.8 * m + 0.7 * u + rng.standard_normal(n)
    found = TrialPersons.from_arrays(
        treatment=r, mediator=m, outcome=y, covariates={k: x[:, i] for i, k in enumerate("abc")}
    )
    return TrialMoments.from_persons(found)


@dataclass(frozen=True)
class Case:
    """A model and where its data come from."""

    model: Any
    data: Callable[[int, int], Any]
    n: int = FEW


CASES = {
    "covariate instruments, moments": Case(CovariateIV(), moments),
    "covariate instruments, common errors": Case(CovariateIV(errors="common"), moments),
    "random coefficients, 1,000 persons": Case(RandomCoefficients(), persons, 1000),
    "principal strata, moments": Case(PrincipalStrata(), cells),
    "principal strata, counts": Case(PrincipalStrata(), counted),
    "principal strata, saturated": Case(PrincipalStrata(saturated=True), cells),
}


def figures() -> Iterator[Figure]:
    """Time cold fits, refits, and many persons beside few."""
    for name in CASES:
        cold = tuple(_cold(name) for _ in range(REPETITIONS))
        yield Figure(f"{name}, cold", "s", cold, "≤ 30 s")
    for name, case in CASES.items():
        _fit(case, case.data(case.n, 0))
        others = [case.data(case.n, i + 1) for i in range(PAIRS)]
        for label, sampler in (("default sampler", Sampler()), ("4 x (500 + 1000)", FASTER)):
            took = tuple(_seconds(case, data, sampler) for data in others)
            yield Figure(f"{name}, refit", "s", took, "≤ 2 s", label)
    for name in ("covariate instruments, moments", "principal strata, moments"):
        case, ratios = CASES[name], []
        for i in range(PAIRS):
            few, many = (_seconds(case, case.data(n, i + 1)) for n in (FEW, MANY))
            ratios.append(many / few)
        yield Figure(f"{name}, {MANY:,} persons over {FEW:,}", "", tuple(ratios), ".8 to 1.2")


def _seconds(case: Case, data: Any, sampler: Sampler | None = None) -> float:
    return timed(lambda given: _fit(case, given, sampler), data)[0]


def _fit(case: Case, data: Any, sampler: Sampler | None = None) -> TrialFit:
    found: TrialFit = fit(case.model, data, sampler=sampler, seed=SEED)
    return found


def _cold(name: str) -> float:
    """Seconds of a whole first fit in a process of its own, whose compile caches are empty."""
    lines = [
        "from tests.benchmarks.trials import CASES, _fit",
        f"case = CASES[{name!r}]",
        "_fit(case, case.data(case.n, 0))",
    ]
    with tempfile.TemporaryDirectory() as folder:
        caches = {
            "PYTENSOR_FLAGS": f"base_compiledir={Path(folder) / 'pytensor'}",
            "NUMBA_CACHE_DIR": str(Path(folder) / "numba"),
        }
        command = [sys.executable, "-W", "ignore", "-c", "\n".join(lines)]
        began = time.perf_counter()
        subprocess.run(command, env=os.environ | caches, cwd=ROOT, check=True)
        return time.perf_counter() - began
