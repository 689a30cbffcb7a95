"""Recovery of correlated random coefficients, with two arms and with amounts of treatment.

    python -m tests.calibration.random_coefficients [--replicates 200] [--only NAME] [--out FILE]

Persons' coefficients are drawn from fixed populations: compliance and benefit go together
(correlation .5), or they do not. One row per design and estimand: how often the 95 % interval
covers the truth with its Monte Carlo error, bias and root mean squared error of the posterior
median, median width, and in how many fits there was a divergent transition. Beside the average
effect stand the Wald ratio and least squares of outcome on mediator, for what they would give.
Sampler: 2 chains of 500 draws after 500, compiled once.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bayesmed.core import provenance
from bayesmed.core.progress import Silent
from bayesmed.data import TrialPersons
from bayesmed.effects.trials.random_coefficients import random_coefficients_effects
from bayesmed.formulas.compliance_effects import compliance_weighted_effect, intention_to_treat
from bayesmed.generative.random_coefficients import RandomCoefficients
from bayesmed.inference import Sampler
from bayesmed.inference.drawing import draw_trial_posterior

STORED = Path(__file__).with_name("random_coefficients.json")
SEED = 20261122
PERSONS = 1000
SAMPLER = Sampler(draws=500, tune=500, chains=2, cores=1, target_accept=0.9)
MODEL = RandomCoefficients(mediator="normal")
# Level of mediator and outcome, compliance, benefit; confounded: levels are correlated .4.
MEANS = np.array([1.0, 2.0, 1.0, 0.5])
SDS = np.array([1.0, 1.0, 0.6, 0.4])
ESTIMANDS = ("average_treatment_effect", "cwate", "intention_to_treat")


@dataclass(frozen=True)
class Design:
    """A population of persons and how they are treated."""

    amount: bool
    correlation: float

    @property
    def covariance(self) -> float:
        """Of compliance and benefit."""
        return float(self.correlation * SDS[2] * SDS[3])


DESIGNS = {
    f"{treated}, correlation {rho:g}": Design(treated == "amount", rho)
    for treated in ("two arms", "amount")
    for rho in (0.5, 0.0)
}


def truth(design: Design) -> dict[str, float]:
    """Return the estimands of a population."""
    _, _, compliance, slope = MEANS
    together = np.array(design.covariance)
    values = (
        slope,
        compliance_weighted_effect(slope, compliance, together),
        intention_to_treat(slope, compliance, together),
    )
    return {name: float(v) for name, v in zip(ESTIMANDS, values, strict=True)}


def simulate(design: Design, n: int, rng: np.random.Generator) -> TrialPersons:
    """Draw persons; amounts of treatment are Gamma with mean 1.5, arms are of equal size."""
    corr = np.array(
        [
            [1.0, 0.4, 0.2, -0.1],
            [0.4, 1.0, 0.1, 0.2],
            [0.2, 0.1, 1.0, design.correlation],
            [-0.1, 0.2, design.correlation, 1.0],
        ]
    )
    root = SDS[:, None] * np.linalg.cholesky(corr)
    m0, y0, compliance, slope = MEANS[:, None] + root @ rng.standard_normal((4, n))
    arms = rng.permutation(np.arange(n) % 2)
    treatment = rng.gamma(2.0, 0.75, n) if design.amount else arms.astype(float)
    mediator = m0 + compliance * treatment
    return TrialPersons.from_arrays(
        treatment=treatment,
        mediator=mediator,
        outcome=y0 + slope * mediator,
        continuous=design.amount,
    )


def data_of(name: str, number: int) -> tuple[TrialPersons, np.random.Generator]:
    """Return one data set of the study, and the generator as it left it."""
    key = (list(DESIGNS).index(name), number)
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=key))
    return simulate(DESIGNS[name], PERSONS, rng), rng


def replicate(name: str, number: int) -> dict[str, Any]:
    """Return median and interval of every estimand in one data set, and two other estimators."""
    data, rng = data_of(name, number)
    drawn = draw_trial_posterior(MODEL, data, SAMPLER, int(rng.integers(2**32)), Silent())
    assert drawn.sample_stats is not None
    flat = {k: v.reshape(-1, *v.shape[2:]) for k, v in drawn.draws.items()}
    values = random_coefficients_effects(MODEL, flat, data).draws
    found = {k: np.quantile(values[k], [0.5, 0.025, 0.975]).tolist() for k in ESTIMANDS}
    t, m, y = (x - x.mean() for x in (data.treatment, data.mediator, data.outcome))
    others = {"Wald ratio": float(t @ y / (t @ m)), "least squares": float(m @ y / (m @ m))}
    diverging = bool(np.asarray(drawn.sample_stats["diverging"]).any())
    return {"found": found, "others": others, "diverging": diverging}


def rows_of(name: str, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Summarise the replicates of one design."""
    exact, n, rows = truth(DESIGNS[name]), len(results), []
    for estimand in ESTIMANDS:
        median, low, high = np.array([r["found"][estimand] for r in results]).T
        away = median - exact[estimand]
        covers = float(np.mean((low <= exact[estimand]) & (exact[estimand] <= high)))
        rows.append(
            {
                "design": name,
                "estimand": estimand,
                "replicates": n,
                "truth": exact[estimand],
                "covers": covers,
                "covers_error": float(np.sqrt(covers * (1 - covers) / n)),
                "bias": float(away.mean()),
                "bias_error": float(away.std() / np.sqrt(n)),
                "rmse": float(np.sqrt(np.mean(away**2))),
                "median_width": float(np.median(high - low)),
                "fits_with_divergences": sum(r["diverging"] for r in results),
            }
        )
    for key in results[0]["others"]:
        away = np.array([r["others"][key] for r in results]) - exact[ESTIMANDS[0]]
        rows[0] |= {
            f"bias_of_{key.replace(' ', '_').lower()}": float(away.mean()),
            f"error_of_{key.replace(' ', '_').lower()}": float(away.std() / np.sqrt(n)),
        }
    return rows


def main() -> None:
    """Run the study and store its table with versions and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--only", choices=list(DESIGNS))
    parser.add_argument("--out", type=Path, default=STORED)
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for name in [given.only] if given.only else DESIGNS:
        started = time.process_time()
        rows += rows_of(name, [replicate(name, i) for i in range(given.replicates)])
        print(round(time.process_time() - started), json.dumps(rows[-3]), file=sys.stderr)
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
