"""Coverage of what cells identify, with types of persons that are monotone in the instrument.

    python -m tests.calibration.principal_strata [--replicates 500] [--only NAME] [--out FILE]

Persons of nine types, whose levels and effects differ, are counted into cells; the outcome is an
amount (likelihood of moments) or 0 and 1 (of counts). One row per design and identified quantity:
how often the 95 % interval of the model of types covers the truth with its Monte Carlo error, bias
and root mean squared error of the posterior median, median width, coverage of the classical
interval, and in how many fits there was a divergent transition. Sampler: 2 chains of 500 draws
after 500, compiled once.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from bayesmed.classical import binary_iv
from bayesmed.core import provenance
from bayesmed.core.names import ARM_SLOPE, ATE, MEDIATOR_MEAN, NDE, NIE
from bayesmed.core.progress import Silent
from bayesmed.core.types import Floats
from bayesmed.data import TrialCells
from bayesmed.effects.trials.principal_strata import NDE_IV, NIE_IV, principal_strata_effects
from bayesmed.formulas.binary_iv import iv_effects
from bayesmed.formulas.principal_strata import mediator_means, outcome_means
from bayesmed.formulas.principal_types import principal_types
from bayesmed.generative import PrincipalStrata
from bayesmed.inference import Sampler
from bayesmed.inference.drawing import draw_trial_posterior

STORED = Path(__file__).with_name("principal_strata.json")
SEED = 20261123
PERSONS = 4000
SAMPLER = Sampler(draws=500, tune=500, chains=2, cores=1)
MODEL = PrincipalStrata(monotone_in="instrument")
DESIGNS = ("amount", "binary")
# Each quantity with the name classical estimates have it under.
QUANTITIES = {
    ATE: ATE,
    ARM_SLOPE: ARM_SLOPE,
    NIE_IV: NIE,
    NDE_IV: NDE,
    MEDIATOR_MEAN: MEDIATOR_MEAN,
}
TYPES = principal_types("instrument")
SHARE = np.array([0.22, 0.05, 0.05, 0.05, 0.25, 0.10, 0.03, 0.05, 0.20])
# By type, without and with treatment.
LEVEL = np.array(
    [
        [-0.8, -0.5],
        [0.2, 0.1],
        [0.5, 0.9],
        [-0.2, 0.4],
        [0.0, 0.3],
        [0.3, 0.8],
        [0.6, 0.2],
        [0.9, 0.7],
        [1.0, 1.2],
    ]
)
EFFECT = np.array(
    [
        [1.6, 0.9],
        [1.2, 1.4],
        [0.2, 0.6],
        [0.9, 0.3],
        [1.0, 0.7],
        [0.5, 1.1],
        [0.4, 0.9],
        [0.8, 0.2],
        [0.3, 0.5],
    ]
)


def population(name: str) -> tuple[Floats, Floats]:
    """Return levels and effects (T, 2) of a design's types."""
    if name == "amount":
        return LEVEL, EFFECT
    # Probabilities: moderate ones, and risk differences of a tenth or two.
    return 0.35 + 0.15 * LEVEL, 0.15 * EFFECT


def truth(name: str) -> dict[str, Floats]:
    """Return the identified quantities of a population, by arm where they have arms."""
    a, b = population(name)
    half = np.array([0.5, 0.5])
    found = iv_effects(mediator_means(SHARE, TYPES), outcome_means(SHARE, a, b, TYPES), half)
    values = (found.ate, found.slope, found.nie, found.nde, found.mediator_mean)
    return {key: np.atleast_1d(v) for key, v in zip(QUANTITIES, values, strict=True)}


def simulate(name: str, n: int, rng: np.random.Generator) -> TrialCells:
    """Draw persons and count them into cells; treatment and instrument are coins."""
    a, b = population(name)
    d, z = rng.integers(0, 2, n), rng.integers(0, 2, n)
    kind = rng.choice(len(SHARE), size=n, p=SHARE)
    m = TYPES[kind, d, z].astype(int)
    mean = a[kind, d] + b[kind, d] * m
    y = rng.normal(mean) if name == "amount" else (rng.uniform(size=n) < mean).astype(float)
    code = 4 * d + 2 * z + m
    count = np.bincount(code, minlength=8)
    average = np.bincount(code, y, minlength=8) / count
    squares = np.bincount(code, (y - average[code]) ** 2, minlength=8)
    shape = (2, 2, 2)
    return TrialCells.from_arrays(
        n=count.reshape(shape), mean=average.reshape(shape), squares=squares.reshape(shape)
    )


def data_of(name: str, number: int) -> tuple[TrialCells, np.random.Generator]:
    """Return one data set of the study, and the generator as it left it."""
    key = (DESIGNS.index(name), number)
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=key))
    return simulate(name, PERSONS, rng), rng


def replicate(name: str, number: int) -> dict[str, Any]:
    """Return median and interval of every quantity in one data set, classical ends beside them."""
    data, rng = data_of(name, number)
    sampler = SAMPLER.for_trial(MODEL.target_accept(data))
    drawn = draw_trial_posterior(MODEL, data, sampler, int(rng.integers(2**32)), Silent())
    assert drawn.sample_stats is not None
    flat = {k: v.reshape(-1, *v.shape[2:]) for k, v in drawn.draws.items()}
    values = principal_strata_effects(MODEL, flat, data).draws
    ends = {
        k: np.quantile(values[k].reshape(len(values[k]), -1), [0.5, 0.025, 0.975], axis=0)
        for k in QUANTITIES
    }
    classical = binary_iv(data)
    others = {
        k: np.stack(
            [np.atleast_1d(e[own]) for e in (classical.interval_low, classical.interval_high)]
        )
        for k, own in QUANTITIES.items()
    }
    diverging = bool(np.asarray(drawn.sample_stats["diverging"]).any())
    return {"ends": ends, "others": others, "diverging": diverging}


def rows_of(name: str, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Summarise the replicates of one design."""
    n, rows = len(results), []
    for quantity, exact in truth(name).items():
        for arm, value in enumerate(exact.tolist()):
            median, low, high = np.array([r["ends"][quantity][:, arm] for r in results]).T
            first, last = np.array([r["others"][quantity][:, arm] for r in results]).T
            away = median - value
            covers = float(np.mean((low <= value) & (value <= high)))
            rows.append(
                {
                    "design": name,
                    "quantity": quantity,
                    "arm": arm if exact.size > 1 else "",
                    "replicates": n,
                    "truth": value,
                    "covers": covers,
                    "covers_error": float(np.sqrt(covers * (1 - covers) / n)),
                    "covers_classical": float(np.mean((first <= value) & (value <= last))),
                    "bias": float(away.mean()),
                    "bias_error": float(away.std() / np.sqrt(n)),
                    "rmse": float(np.sqrt(np.mean(away**2))),
                    "median_width": float(np.median(high - low)),
                    "median_width_classical": float(np.median(last - first)),
                    "fits_with_divergences": sum(r["diverging"] for r in results),
                }
            )
    return rows


def main() -> None:
    """Run the study and store its table with versions and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--only", choices=DESIGNS)
    parser.add_argument("--out", type=Path, default=STORED)
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for name in [given.only] if given.only else DESIGNS:
        started = time.process_time()
        rows += rows_of(name, [replicate(name, i) for i in range(given.replicates)])
        print(name, round(time.process_time() - started), file=sys.stderr, flush=True)
        record = {
            "seed": SEED,
            "persons": PERSONS,
            "processor_seconds": round(time.process_time()),
            "versions": provenance.versions(),
            "rows": rows,
        }
        given.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
