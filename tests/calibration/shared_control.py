"""What ignoring the covariance of arms that share a control group does, and what using it does.

    python -m tests.calibration.shared_control [--replicates 200] [--out FILE]

Two arms at each site are compared with the same small control group, so that most of the sampling
error of both arms is that of the control group's means. Each data set is fitted with the full
covariance of each site's four estimates, and with each row's own covariance only. Truth: the slope
is 0; errors of a row correlate .9. One row per number of sites and analysis: mean of the posterior
mean with its Monte Carlo error (the truth is 0), coverage of the 95 % interval with its error, and
the least-squares slope of the same estimates.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from bayesmed.core import provenance
from bayesmed.core.progress import Silent
from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteSlope
from bayesmed.inference import Sampler
from bayesmed.inference.nuts import sample

STORED = Path(__file__).with_name("shared_control.json")
SITES = (4, 8, 30)
SEED = 20261122
SAMPLER = Sampler(draws=500, tune=500, chains=2, cores=1, target_accept=0.95)
CORRELATION, CONTROL_SHARE, ERROR_SD = 0.9, 0.9, 0.7


def simulate(sites: int, rng: np.random.Generator) -> tuple[SiteEstimates, SiteEstimates]:
    """Draw one data set, with the covariance of arms and without.

    Mediator effects of arms are N(1, 1), direct effects N(0.5, 0.5²), independent.
    """
    rows = 2 * sites
    effects = np.column_stack([rng.normal(1.0, 1.0, rows), rng.normal(0.5, 0.5, rows)])
    cov = ERROR_SD**2 * np.array([[1.0, CORRELATION], [CORRELATION, 1.0]])
    root = np.linalg.cholesky(cov)
    own = rng.standard_normal((rows, 2)) @ root.T * np.sqrt(1.0 - CONTROL_SHARE)
    control = rng.standard_normal((sites, 2)) @ root.T * np.sqrt(CONTROL_SHARE)
    observed = effects + own - np.repeat(control, 2, axis=0)
    together: dict[str, Any] = {
        "mediator_effect": observed[:, 0],
        "total_effect": observed[:, 1],
        "cov": np.tile(cov, (rows, 1, 1)),
    }
    pairs = {(2 * s, 2 * s + 1): CONTROL_SHARE * cov for s in range(sites)}
    block = np.repeat(np.arange(sites), 2)
    return (
        SiteEstimates.from_arrays(**together, block=block, cross_cov=pairs),
        SiteEstimates.from_arrays(**together),
    )


def replicate(task: tuple[int, int]) -> dict[str, tuple[float, float, float]]:
    """Return posterior mean and interval of the slope under each analysis of one data set."""
    sites, number = task
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(sites, number)))
    used, ignored = simulate(sites, rng)
    found = {}
    for name, data in (("used", used), ("ignored", ignored)):
        draws, _ = sample(SiteSlope(), data, SAMPLER, int(rng.integers(2**32)), Silent())
        slope = draws["slope"].ravel()
        found[name] = (float(slope.mean()), *np.quantile(slope, [0.025, 0.975]).tolist())
    ols = float(np.polyfit(used.mediator_effect[:, 0], used.total_effect, 1)[0])
    return {**found, "ols": (ols, ols, ols)}


def main() -> None:
    """Run the study and store its table with versions and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=STORED)
    given = parser.parse_args()
    rows = []
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        for sites in SITES:
            tasks = [(sites, i) for i in range(given.replicates)]
            results = list(pool.map(replicate, tasks, chunksize=5))
            for name in ("used", "ignored", "ols"):
                mean, low, high = np.array([r[name] for r in results]).T
                row: dict[str, Any] = {"sites": sites, "covariance": name}
                row |= {"replicates": len(mean), "mean": float(mean.mean())}
                row["mean_error"] = float(mean.std() / np.sqrt(len(mean)))
                if name != "ols":
                    covers = float(np.mean((low <= 0) & (high >= 0)))
                    row["covers"] = covers
                    row["covers_error"] = float(np.sqrt(covers * (1 - covers) / len(mean)))
                    row["median_width"] = float(np.median(high - low))
                rows.append(row)
                print(json.dumps(row), file=sys.stderr, flush=True)
    record = {"seed": SEED, "versions": provenance.versions(), "rows": rows}
    given.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
