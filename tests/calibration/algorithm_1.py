"""Size, power and coverage of the default model on Fu's (2023) simulated designs, Algorithm 1.

    python -m tests.calibration.algorithm_1 [--replicates 1000] [--out FILE]

Truth: gamma ~ N(2, 1), theta ~ N(4, 1), beta_k = theta_k + slope * gamma_k, standard errors
Gamma(1, 1). One row per number of sites and slope: how often the 95 % interval excludes 0
(rejects), covers the truth, and the root mean squared error of the posterior mean. Exact engine.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from bayesmed.core import provenance
from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteSlope
from bayesmed.inference import exact_posterior

STORED = Path(__file__).with_name("algorithm_1.json")
SITES = (5, 10, 30)
SLOPES = (0.0, 2.0)
SEED = 20231111


def simulate(n_sites: int, slope: float, rng: np.random.Generator) -> SiteEstimates:
    """Draw one data set of Algorithm 1 (Fu 2023, section 6.1)."""
    mediator_effect = rng.normal(2.0, 1.0, n_sites)
    total_effect = 4.0 + slope * mediator_effect + rng.normal(0.0, 1.0, n_sites)
    se = rng.gamma(1.0, 1.0, (n_sites, 2))
    error = rng.normal(size=(n_sites, 2)) * se
    return SiteEstimates.from_arrays(
        mediator_effect=mediator_effect + error[:, 0],
        total_effect=total_effect + error[:, 1],
        cov=se[:, :, None] ** 2 * np.eye(2),
    )


def replicate(task: tuple[int, float, int]) -> tuple[float, float, float]:
    """Return the posterior mean and the ends of the 95 % interval of one replicate."""
    n_sites, slope, number = task
    seed = np.random.SeedSequence(SEED, spawn_key=(n_sites, int(slope * 100), number))
    data = simulate(n_sites, slope, np.random.default_rng(seed))
    found = exact_posterior(SiteSlope(), data, tolerance=3e-3).summary("slope")
    return found.mean, found.quantiles[0], found.quantiles[-1]


def study(replicates: int, processes: int) -> list[dict[str, float]]:
    """Run every cell."""
    rows = []
    with ProcessPoolExecutor(processes) as pool:
        for n_sites in SITES:
            for slope in SLOPES:
                tasks = [(n_sites, slope, i) for i in range(replicates)]
                found = np.array(list(pool.map(replicate, tasks, chunksize=10)))
                mean, low, high = found.T
                row = {
                    "sites": n_sites,
                    "slope": slope,
                    "replicates": replicates,
                    "rejects": float(np.mean((low > 0) | (high < 0))),
                    "covers": float(np.mean((low <= slope) & (slope <= high))),
                    "rmse": float(np.sqrt(np.mean((mean - slope) ** 2))),
                    "median_width": float(np.median(high - low)),
                }
                rows.append(row)
                print(json.dumps(row), file=sys.stderr, flush=True)
    return rows


def main() -> None:
    """Run the study and store its table with versions and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=STORED)
    given = parser.parse_args()
    record = {
        "design": "Fu (2023), Algorithm 1",
        "seed": SEED,
        "versions": provenance.versions(),
        "rows": study(given.replicates, given.processes),
    }
    given.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
