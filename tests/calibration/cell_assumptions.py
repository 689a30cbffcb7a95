"""What checks of the eight cells say, and instrumental variables do, as assumptions hold and fail.

    python -m tests.calibration.cell_assumptions [--replicates 200] [--out FILE]

Persons of principal types, with an outcome that is an amount, treatment and instrument as good as
coins; the mediator's effect is the same for all but defiers, whom it does nothing, so that without
violations instrumental variables hit the natural indirect effect. One row per assumption and
strength: in which share of data sets each check is doubtful (false alarms at strength 0, power
elsewhere), and median bias, median absolute error and coverage of the natural indirect effect under
treatment. The page is written by ``tests.calibration.assumptions --table``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from bayesmed.checks.trials import trial_checks
from bayesmed.classical import binary_iv
from bayesmed.core import provenance
from bayesmed.core.names import NIE
from bayesmed.data import TrialCells
from bayesmed.formulas.principal_strata import natural_indirect_effects
from bayesmed.formulas.principal_types import principal_types
from bayesmed.generative import PrincipalStrata
from bayesmed.inference import Fit, Sampler

STORED = Path(__file__).with_name("cell_assumptions.json")
SEED, PERSONS = 20261130, 2000
CHECKS = (
    "instrument_strength",
    "instrument_balance",
    "monotone_in_instrument",
    "monotone_in_treatment",
    "exclusion",
)
SLOPE = 1.0
TYPES = principal_types("none")
LEVEL = {True: 2.0, False: 0.0}
"""Of persons who always have the mediator and of the others: what confounds it."""


def _type(*mediator: int) -> int:
    """Return the number of a type by its mediator at (d, z) = 00, 01, 10, 11."""
    at = np.array(mediator).reshape(2, 2)
    return int(np.flatnonzero((at == TYPES).all(axis=(1, 2)))[0])


NEVER, ALWAYS = _type(0, 0, 0, 0), _type(1, 1, 1, 1)
COMPLIER, DEFIER = _type(0, 1, 0, 1), _type(1, 0, 1, 0)
HELPED, HARMED = _type(0, 0, 1, 1), _type(1, 1, 0, 0)
BASE = {NEVER: 0.3, ALWAYS: 0.2, COMPLIER: 0.3, HELPED: 0.2}


@dataclass(frozen=True)
class Population:
    """Shares of types, and how they and the trial depart from the assumptions.

    Attributes
    ----------
    shares
        By type.
    defier_level
        Mean outcome of defiers less that of the others without the mediator.
    direct
        What the instrument adds to the outcome past the mediator.
    dependence
        How much more of the treated than of the others have the instrument.
    """

    shares: tuple[tuple[int, float], ...] = tuple(BASE.items())
    defier_level: float = 0.0
    direct: float = 0.0
    dependence: float = 0.0


def moved(share: float, source: int, target: int, level: float = 0.0) -> Population:
    """Let persons of one type be of another."""
    shares = dict(BASE)
    shares[source] -= share
    shares[target] = shares.get(target, 0.0) + share
    return Population(tuple(shares.items()), defier_level=level)


@dataclass(frozen=True)
class Assumption:
    """An assumption in words, and populations that break it ever more."""

    words: str
    at: Any
    strengths: tuple[float, ...]


ASSUMPTIONS = {
    "defiers like compliers": Assumption(
        "monotone in the instrument (Kim A4): share of defiers, whom the mediator does nothing",
        partial(moved, source=COMPLIER, target=DEFIER),
        (0.05, 0.1, 0.15),
    ),
    "defiers who stand out": Assumption(
        "the same, their outcomes 4 sd above",
        partial(moved, source=COMPLIER, target=DEFIER, level=4.0),
        (0.05, 0.1, 0.15),
    ),
    "direct effect of the instrument": Assumption(
        "exclusion of the instrument (Kim A2): its direct effect in sd",
        lambda x: replace(Population(), direct=x),
        (0.25, 0.5, 1.0),
    ),
    "harmed by treatment": Assumption(
        "monotone in treatment (Kim A3): share whose mediator falls with it",
        partial(moved, source=HELPED, target=HARMED),
        (0.05, 0.1, 0.15),
    ),
    "dependent instrument": Assumption(
        "treatment and instrument independent: difference in shares with the instrument",
        lambda x: replace(Population(), dependence=x),
        (0.05, 0.1, 0.2),
    ),
    "weak instrument": Assumption(
        "relevance: share of compliers who are never-takers instead",
        partial(moved, source=COMPLIER, target=NEVER),
        (0.15, 0.25, 0.29),
    ),
}


def simulate(population: Population, n: int, rng: np.random.Generator) -> TrialCells:
    """Draw persons and count them, their outcomes kept."""
    kinds, shares = zip(*population.shares, strict=True)
    d = rng.integers(0, 2, n)
    z = (rng.random(n) < 0.5 + population.dependence * (d - 0.5)).astype(int)
    kind = rng.choice(kinds, size=n, p=np.array(shares) / sum(shares))
    m = TYPES[kind, d, z].astype(int)
    level = np.where(kind == ALWAYS, LEVEL[True], LEVEL[False])
    level = level + population.defier_level * (kind == DEFIER)
    y = level + 0.5 * d + SLOPE * (kind != DEFIER) * m + population.direct * z + rng.normal(size=n)
    cell = 4 * d + 2 * z + m
    count = np.bincount(cell, minlength=8)
    mean = np.bincount(cell, y, minlength=8) / np.maximum(count, 1)
    squares = np.bincount(cell, (y - mean[cell]) ** 2, minlength=8)
    arrays = {"n": count, "mean": mean, "squares": squares}
    cells = TrialCells.from_arrays(**{k: v.reshape(2, 2, 2) for k, v in arrays.items()})
    return replace(cells, outcomes=(y, cell.astype(float)))


def truth(population: Population) -> float:
    """Return the natural indirect effect under treatment."""
    share = np.zeros(len(TYPES))
    for kind, own in population.shares:
        share[kind] = own
    slope = np.full((len(TYPES), 2), SLOPE)
    slope[DEFIER] = 0.0
    found = natural_indirect_effects(share, slope, TYPES, np.array([0.5, 0.5]))
    return float(np.asarray(found)[..., 1])


def replicate(name: str, strength: float, number: int) -> dict[str, Any]:
    """Return which checks are doubtful, and the estimate less the truth."""
    assumption = ASSUMPTIONS[name]
    key = (list(ASSUMPTIONS).index(name), int(1000 * strength), number)
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=key))
    population = assumption.at(strength)
    cells = simulate(population, PERSONS, rng)
    # These checks read the data alone.
    model = PrincipalStrata(monotone_in="treatment")
    fit: Any = Fit(model, cells, Sampler(), int(rng.integers(2**31)), xr.DataTree())
    looked = trial_checks(fit)
    found, true = binary_iv(cells), truth(population)
    low, high = (x[NIE][..., 1].item() for x in (found.interval_low, found.interval_high))
    return {
        "away": float(found.estimate[NIE][..., 1].item()) - true,
        "covers": low <= true <= high,
        "doubtful": [r.code for r in looked if r.status == "doubtful"],
    }


def cell(given: tuple[str, float, int]) -> list[dict[str, Any]]:
    """Return all replicates at one strength."""
    name, strength, replicates = given
    return [replicate(name, strength, i) for i in range(replicates)]


def rows_of(name: str, replicates: int, workers: Executor) -> Iterator[dict[str, Any]]:
    """Summarise an assumption at every strength."""
    strengths = (0.0, *ASSUMPTIONS[name].strengths)
    cells = workers.map(cell, [(name, strength, replicates) for strength in strengths])
    for strength, found in zip(strengths, cells, strict=True):
        away = np.array([one["away"] for one in found])
        away = away[np.isfinite(away)]
        yield {
            "name": name,
            "assumption": ASSUMPTIONS[name].words,
            "strength": strength,
            "persons": PERSONS,
            "replicates": replicates,
            "doubtful": {
                code: float(np.mean([code in one["doubtful"] for one in found])) for code in CHECKS
            },
            # Ratios have no mean.
            "median_bias": float(np.median(away)),
            "median_error": float(np.median(np.abs(away))),
            "covers": float(np.mean([one["covers"] for one in found])),
        }


def main() -> None:
    """Run the study and store its table with versions and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--out", type=Path, default=STORED)
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as workers:
        for name in ASSUMPTIONS:
            started = time.perf_counter()
            rows += rows_of(name, given.replicates, workers)
            print(name, round(time.perf_counter() - started), file=sys.stderr, flush=True)
            record = {"seed": SEED, "versions": provenance.versions(), "rows": rows}
            given.out.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
