"""Two-stage least squares and the multi-site IV posterior on simulated trials of 50 sites.

    python -m tests.calibration.multi_site_iv [--replicates 500] [--only ROW ...] [--out FILE]

Persons: M = γ_s T + u, Y = β_s M + 0.5 u + e, with u, e standard normal and treatment balanced; the
average slope is 1. Site estimates come from the persons' moments, with the covariance of persons
pooled over sites: with covariances of their own, sites with steeper slopes have more variable
outcomes, count less, and pull the average slope down (200 replicates of the first two designs:
.951 and .951). One row per design and estimator: two-stage least squares with site-by-treatment
instruments (here the regression through the origin: its weights n p(1 − p) are equal), the
posterior of `MultiSiteIV()`, and that with ``compliance_correlation`` where slopes go with mediator
effects. Sampler: 2 chains of 500 draws after 500.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bayesmed.core import provenance
from bayesmed.core.progress import Silent
from bayesmed.data import DataWarning, SiteEstimates
from bayesmed.generative import MultiSiteIV
from bayesmed.inference import Sampler
from bayesmed.inference.nuts import sample

STORED = Path(__file__).with_name("multi_site_iv.json")
SITES = 50
SEED = 20261122
SAMPLER = Sampler(draws=500, tune=500, chains=2, cores=1, target_accept=0.95)


class Design(NamedTuple):
    """A row of the table; ``two_stage`` is the mean of 2SLS that was published for it."""

    persons: int
    mean: float
    sd: float
    slope_sd: float
    correlation: float
    two_stage: float


DESIGNS = {
    "200, corr +.5": Design(200, 0.6, 0.3, 0.5, 0.5, 1.21),
    "200, corr -.5": Design(200, 0.6, 0.3, 0.5, -0.5, 0.83),
    "200": Design(200, 0.6, 0.3, 0.5, 0.0, 1.02),
    "60": Design(60, 0.3, 0.15, 0.0, 0.0, 1.19),
    "20": Design(20, 0.3, 0.15, 0.0, 0.0, 1.33),
}
MODELS = {
    "posterior": MultiSiteIV(),
    "posterior, compliance correlation": MultiSiteIV(compliance_correlation=True),
}


def simulate(design: Design, rng: np.random.Generator) -> SiteEstimates:
    """Differences in means at every site with their pooled covariance, from persons."""
    half = design.persons // 2
    shared = rng.standard_normal(SITES)
    gamma = design.mean + design.sd * shared
    own = np.sqrt(1 - design.correlation**2) * rng.standard_normal(SITES)
    beta = 1.0 + design.slope_sd * (design.correlation * shared + own)
    u, e = rng.standard_normal((2, 2, SITES, half))
    treated = np.array([0.0, 1.0])[:, None, None]
    m = gamma[:, None] * treated + u
    y = beta[:, None] * m + 0.5 * u + e
    both = np.stack([m, y], axis=-1)
    mean = both.mean(axis=2)
    away = both - mean[:, :, None]
    pooled = np.einsum("tsik,tsil->tkl", away, away) / (SITES * (half - 1))
    effect = mean[1] - mean[0]
    cov = np.broadcast_to(pooled.sum(axis=0) / half, (SITES, 2, 2))
    return SiteEstimates.from_arrays(
        mediator_effect=effect[:, 0], total_effect=effect[:, 1], cov=cov
    )


def replicate(task: tuple[str, int]) -> dict[str, Any]:
    """Return the estimates of one trial."""
    warnings.simplefilter("ignore", DataWarning)
    name, number = task
    design = DESIGNS[name]
    key = (list(DESIGNS).index(name), number)
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=key))
    data = simulate(design, rng)
    x, y = data.mediator_effect[:, 0], data.total_effect
    found: dict[str, Any] = {"two-stage least squares": (float(x @ y / (x @ x)), None, None, False)}
    for called, model in MODELS.items():
        if model.compliance_correlation and design.correlation == 0:
            continue
        draws, stats = sample(model, data, SAMPLER, int(rng.integers(2**32)), Silent())
        slope = draws["slope"].ravel()
        low, high = np.quantile(slope, [0.025, 0.975])
        diverging = bool(np.asarray(stats["diverging"]).any())
        found[called] = (float(slope.mean()), float(low), float(high), diverging)
    return found


def rows_of(name: str, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Summarise the replicates of one design."""
    rows = []
    for called in results[0]:
        mean, low, high, diverging = zip(*(r[called] for r in results), strict=True)
        values = np.array(mean)
        row: dict[str, Any] = {
            "design": name,
            "estimator": called,
            "replicates": len(results),
            "mean": float(values.mean()),
            "mean_error": float(values.std() / np.sqrt(len(values))),
            "rmse": float(np.sqrt(np.mean((values - 1.0) ** 2))),
        }
        if low[0] is not None:
            covers = float(np.mean([a <= 1.0 <= b for a, b in zip(low, high, strict=True)]))
            row["covers"] = covers
            row["covers_error"] = float(np.sqrt(covers * (1 - covers) / len(results)))
            row["median_width"] = float(np.median(np.array(high) - np.array(low)))
            row["fits_with_divergences"] = int(sum(diverging))
        rows.append(row)
    return rows


def main() -> None:
    """Run the study and store its table with versions and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", choices=list(DESIGNS), nargs="+")
    parser.add_argument("--out", type=Path, default=STORED)
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    if given.only and given.out.exists():
        kept = json.loads(given.out.read_text())["rows"]
        rows = [row for row in kept if row["design"] not in given.only]
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        for name in given.only or DESIGNS:
            tasks = [(name, i) for i in range(given.replicates)]
            rows += rows_of(name, list(pool.map(replicate, tasks, chunksize=5)))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
            rows.sort(key=lambda row: list(DESIGNS).index(row["design"]))
            record = {"seed": SEED, "versions": provenance.versions(), "rows": rows}
            given.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
