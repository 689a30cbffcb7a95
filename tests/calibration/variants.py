"""Recovery of every variant of the site-slope model over simulated data sets.

    python -m tests.calibration.variants [--replicates 200] [--only NAME] [--out FILE]

Each variant is fitted with its default priors to data drawn from its own population (one variant
to data that break its assumption). One row per variant, number of sites and estimand (the average
slope of each mediator, the superpopulation ACME): how often the 95 % interval covers the truth with
its Monte Carlo error, bias and root mean squared error of the posterior mean, median width, and in
how many fits there was a divergent transition. Sampler: 2 chains of 500 draws after 500.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from bayesmed.core import provenance
from bayesmed.core.progress import Silent
from bayesmed.data import SiteEstimates
from bayesmed.formulas.mediation import average_slope, superpopulation_acme
from bayesmed.generative import SiteSlope
from bayesmed.inference import Sampler
from bayesmed.inference.nuts import sample
from bayesmed.priors import Prior

STORED = Path(__file__).with_name("variants.json")
SITES = (8, 30)
SEED = 20261121
SAMPLER = Sampler(draws=500, tune=500, chains=2, cores=1, target_accept=0.95)


@dataclass(frozen=True)
class Design:
    """A population of sites, and the model fitted to data from it."""

    model: SiteSlope
    slope: tuple[float, ...] = (1.0,)
    slope_sd: float = 0.0
    linear: float = 0.0
    quadratic: float = 0.0
    direct_mean: float = 0.5
    direct_sd: float = 0.5
    dof: float = np.inf
    correlation: float | tuple[float, float] = 0.0
    covariate: float = 0.0
    arms: int = 1


ANY_CORRELATION = Prior("Uniform", lower=-0.6, upper=0.6)
DESIGNS = {
    "constant": Design(SiteSlope()),
    "random": Design(SiteSlope(slope="random"), slope_sd=0.5),
    "random, no direct effect": Design(
        SiteSlope(slope="random", direct_effect=False), slope_sd=0.5, direct_mean=0.0, direct_sd=0.0
    ),
    "polynomial": Design(SiteSlope(slope="polynomial"), linear=0.3, quadratic=-0.1),
    "correlation known": Design(SiteSlope(correlation=0.4), correlation=0.4),
    "correlation with a prior": Design(
        SiteSlope(correlation=ANY_CORRELATION), correlation=(-0.6, 0.6)
    ),
    "correlation ignored": Design(SiteSlope(), correlation=0.4),
    "student_t": Design(SiteSlope(direct_effect_distribution="student_t"), dof=3.0),
    "covariate": Design(SiteSlope(covariates=("x",)), covariate=0.8),
    "two mediators": Design(SiteSlope(), slope=(1.0, -0.5)),
    "two mediators, random": Design(SiteSlope(slope="random"), slope=(1.0, -0.5), slope_sd=0.5),
    "shared control": Design(SiteSlope(), arms=2),
    "shared control, random": Design(SiteSlope(slope="random"), slope_sd=0.5, arms=2),
}


def simulate(
    design: Design, rows: int, rng: np.random.Generator
) -> tuple[SiteEstimates, dict[str, float]]:
    """Draw one data set, and return it with the truth.

    Mediator effects are N(1, 1), those of two mediators correlated .5. Standard errors vary around
    .5 (mediators) and .4 (outcome), errors of a row correlate .4; where arms share a control group
    half of each variance is the control group's.
    """
    p = len(design.slope)
    rho = design.correlation
    rho = rng.uniform(*rho) if isinstance(rho, tuple) else rho
    corr = np.full((p, p), 0.5) + 0.5 * np.eye(p)
    gamma = 1.0 + rng.multivariate_normal(np.zeros(p), corr, rows)
    unit = rng.standard_normal(rows)
    if np.isfinite(design.dof):
        unit = unit * np.sqrt(design.dof / rng.chisquare(design.dof, rows))
    unit = rho * (gamma[:, 0] - 1.0) + np.sqrt(1.0 - rho**2) * unit
    x = rng.standard_normal(rows)
    direct = design.direct_mean + design.direct_sd * unit + design.covariate * (x - x.mean())
    slopes = np.asarray(design.slope) + design.slope_sd * rng.standard_normal((rows, p))
    slopes = slopes + design.linear * gamma + design.quadratic * gamma**2
    effects = np.column_stack([gamma, direct + (slopes * gamma).sum(axis=1)])
    data = _observed(effects, x, design.arms, rng)
    names = ("average_slope", "acme")
    given = (design.linear, design.quadratic)
    truth = {}
    for i, slope in enumerate(design.slope):
        values = (
            average_slope(slope, *given, 1.0, 1.0),
            superpopulation_acme(
                slope, 1.0, mediator_effect_sd=1.0, slope_linear=given[0], slope_quadratic=given[1]
            ),
        )
        truth |= {f"{name} {i + 1}": float(v) for name, v in zip(names, values, strict=True)}
    return data, truth


def _observed(
    effects: np.ndarray, x: np.ndarray, arms: int, rng: np.random.Generator
) -> SiteEstimates:
    rows, width = effects.shape
    blocks = rows // arms
    corr = np.full((width, width), 0.4) + 0.6 * np.eye(width)
    se = rng.gamma(8.0, 1.0 / 8.0, (blocks, width)) * np.array([0.5] * (width - 1) + [0.4])
    cov = np.repeat(se[:, :, None] * se[:, None, :] * corr, arms, axis=0)
    shared = 0.5 * cov if arms > 1 else 0.0 * cov
    root = np.linalg.cholesky(corr)
    size = np.repeat(se, arms, axis=0)
    own = size * (rng.standard_normal((rows, width)) @ root.T)
    common = np.repeat(rng.standard_normal((blocks, width)) @ root.T, arms, axis=0) * size
    weight = np.sqrt(0.5) if arms > 1 else 0.0
    observed = effects + np.sqrt(1.0 - weight**2) * own + weight * common
    block = np.repeat(np.arange(blocks), arms)
    pairs = [(i, j) for i in range(rows) for j in range(i + 1, rows) if block[i] == block[j]]
    return SiteEstimates.from_arrays(
        mediator_effect=observed[:, :-1],
        total_effect=observed[:, -1],
        cov=cov,
        cross_cov={(i, j): shared[i] for i, j in pairs},
        block=block,
        covariates={"x": x},
    )


def estimands(draws: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return draws of the average slope and the superpopulation ACME of each mediator."""
    zero = np.zeros_like(draws["slope"])
    linear, quadratic = draws.get("slope_linear", zero), draws.get("slope_quadratic", zero)
    mean, sd = draws["mediator_effect_mean"], draws["mediator_effect_sd"]
    found = {}
    slope = average_slope(draws["slope"], linear, quadratic, mean, sd)
    acme = superpopulation_acme(
        draws["slope"],
        mean,
        mediator_effect_sd=sd,
        slope_linear=linear,
        slope_quadratic=quadratic,
    )
    for i in range(mean.shape[-1]):
        found[f"average_slope {i + 1}"] = slope[..., i].ravel()
        found[f"acme {i + 1}"] = acme[..., i].ravel()
    return found


def replicate(task: tuple[str, int, int]) -> dict[str, Any]:
    """Return truth, posterior mean and interval of every estimand in one data set."""
    name, n_sites, number = task
    design = DESIGNS[name]
    key = (list(DESIGNS).index(name), n_sites, number)
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=key))
    data, truth = simulate(design, n_sites * design.arms, rng)
    draws, stats = sample(design.model, data, SAMPLER, int(rng.integers(2**32)), Silent())
    found = {
        key: (truth[key], values.mean(), *np.quantile(values, [0.025, 0.975]))
        for key, values in estimands(draws).items()
    }
    return {"found": found, "diverging": bool(np.asarray(stats["diverging"]).any())}


def rows_of(name: str, n_sites: int, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Summarise the replicates of one variant and number of sites."""
    rows = []
    for estimand in results[0]["found"]:
        truth, mean, low, high = np.array([r["found"][estimand] for r in results]).T
        covers = float(np.mean((low <= truth) & (truth <= high)))
        rows.append(
            {
                "variant": name,
                "sites": n_sites,
                "estimand": estimand,
                "replicates": len(results),
                "covers": covers,
                "covers_error": float(np.sqrt(covers * (1 - covers) / len(results))),
                "bias": float(np.mean(mean - truth)),
                "bias_error": float(np.std(mean - truth) / np.sqrt(len(results))),
                "rmse": float(np.sqrt(np.mean((mean - truth) ** 2))),
                "median_width": float(np.median(high - low)),
                "fits_with_divergences": sum(r["diverging"] for r in results),
            }
        )
    return rows


def main() -> None:
    """Run the study and store its table with versions and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", choices=list(DESIGNS))
    parser.add_argument("--out", type=Path, default=STORED)
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        for name in [given.only] if given.only else DESIGNS:
            for n_sites in SITES:
                tasks = [(name, n_sites, i) for i in range(given.replicates)]
                rows += rows_of(name, n_sites, list(pool.map(replicate, tasks, chunksize=5)))
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
                record = {"seed": SEED, "versions": provenance.versions(), "rows": rows}
                given.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
