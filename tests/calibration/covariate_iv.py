"""Simulated trials with a confounded mediator: is the covariate-IV posterior honest?

    python -m tests.calibration.covariate_iv [--replicates 60] [--out FILE]

For each strength of the instruments and kind of mediator: mean estimates, their standard errors and
the coverage of 95 % intervals, of the posterior, two-stage least squares and least squares. Stored
with the mean partial F, beside which published advice is to ask for 12.83 with three instruments.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from bayesmed.classical import baron_kenny, covariate_iv, trial_strength
from bayesmed.core import provenance
from bayesmed.core.progress import Silent
from bayesmed.data import TrialPersons
from bayesmed.generative.covariate_iv import CovariateIV
from bayesmed.inference.drawing import draw_trial_posterior
from bayesmed.inference.sampler import Sampler
from tests.generative.covariate_ivs import trial

STORED = Path(__file__).with_name("covariate_iv.json")
TRUTH = 1.5
PERSONS = 400
# Persons' errors have a correlation of .6; the spread of treatment's effect on the mediator.
STRENGTHS = (1.5, 0.6, 0.2)
MODELS = {
    "by_arm": CovariateIV(),
    "common": CovariateIV(errors="common"),
    "probit": CovariateIV(mediator="probit"),
}
CELLS = [(name, strength) for name in MODELS for strength in STRENGTHS]
SAMPLER = Sampler(draws=500, tune=500, chains=2, target_accept=0.9)


def posterior(model: CovariateIV, data: TrialPersons, seed: int) -> tuple[float, float, float]:
    """Mean of the slope, and ends of its interval."""
    draws = draw_trial_posterior(model, data, SAMPLER, seed, Silent()).draws["slope"]
    return float(draws.mean()), *np.quantile(draws, [0.025, 0.975]).tolist()


def study(replicates: int) -> list[dict[str, float | str]]:
    """Fit every replicate and keep means, standard errors and coverage."""
    rows = []
    for name, model in MODELS.items():
        for strength in STRENGTHS:
            found: dict[str, list[tuple[float, float, float]]] = {}
            strong, seconds = [], []
            for seed in range(replicates):
                binary = model.mediator == "probit"
                data = trial(1000 + seed, PERSONS, binary=binary, strength=strength)
                started = time.perf_counter()
                found.setdefault("posterior", []).append(posterior(model, data, seed))
                seconds.append(time.perf_counter() - started)
                for key, one in (
                    ("2SLS", covariate_iv(data)),
                    ("least squares", baron_kenny(data)),
                ):
                    found.setdefault(key, []).append((one.slope, one.slope_low, one.slope_high))
                strong.append(trial_strength(data).partial_f)
            for key, values in found.items():
                at, low, high = np.array(values).T
                rows.append(
                    {
                        "model": name,
                        "strength": strength,
                        "partial_f": round(float(np.mean(strong)), 2),
                        "estimator": key,
                        "replicates": replicates,
                        "mean": round(float(at.mean()), 4),
                        "median": round(float(np.median(at)), 4),
                        "mean_se": round(float(at.std(ddof=1) / np.sqrt(replicates)), 4),
                        "width": round(float(np.median(high - low)), 4),
                        "coverage": float(((low < TRUTH) & (high > TRUTH)).mean()),
                        "refit_seconds": round(float(np.median(seconds)), 3),
                    }
                )
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return rows


def main() -> None:
    """Run the study and store its table with versions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=60)
    parser.add_argument("--out", type=Path, default=STORED)
    given = parser.parse_args()
    record = {"versions": provenance.versions(), "rows": study(given.replicates)}
    given.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
