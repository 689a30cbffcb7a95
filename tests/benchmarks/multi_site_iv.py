"""Multi-site IV with three mediators at 16 sites: cold, fitted again, and beside other ways.

The latent model is what one would write first: the same likelihood and priors, mediator effects
and slopes of every site as variables, nutpie at its default target acceptance. What counts is the
ratio within a pair, on the same table. Moments of 10,000 and of 100,000,000 persons are drawn from
the laws they follow, for no rows take part in a fit.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import arviz_stats as azs
import numpy as np
import nutpie
import pymc as pm
import pytensor.tensor as pt
from scipy.stats import wishart

from bayesmed.classical import person_level_iv
from bayesmed.core.progress import Silent
from bayesmed.data import PersonCovariance, SiteEstimates
from bayesmed.generative import MultiSiteIV
from bayesmed.inference import Fit, Sampler, fit, nuts
from tests.benchmarks.figure import Figure, timed

ROOT = Path(__file__).parents[2]
SITES, MEDIATORS = 16, 3
PERSONS = 3_200
REPETITIONS, PAIRS = 3, 5
SEED = 1
KNOWN = MultiSiteIV(sampling_covariance="known")
BY_ARM = MultiSiteIV(sampling_covariance="by_arm")


def table(persons: int, number: int, sites: int = SITES) -> SiteEstimates:
    """Draw site estimates and persons' products of a trial in which mediators are confounded."""
    rng = np.random.default_rng([7002, number])
    gamma = 0.6 + 0.3 * rng.standard_normal((sites, MEDIATORS))
    slope = np.array([1.0, 0.5, -0.5]) + 0.3 * rng.standard_normal((sites, MEDIATORS))
    effect = np.column_stack([gamma, (slope * gamma).sum(axis=1)])
    sigma = np.eye(MEDIATORS + 1)
    sigma[-1, :-1] = sigma[:-1, -1] = (1.2, 0.5, -0.5)
    sigma[-1, -1] = 3.5
    n = persons / sites / 2
    df = sites * (n - 1)
    cross = [np.asarray(wishart(df, sigma).rvs(random_state=rng)) for _ in range(2)]
    error = rng.multivariate_normal(np.zeros(MEDIATORS + 1), 2 * sigma / n, sites)
    found = PersonCovariance(
        ("control", "treated"), np.array(cross), np.full(2, df), np.full((sites, 2), 1 / n)
    )
    return SiteEstimates.from_arrays(
        mediator_effect=(effect + error)[:, :-1],
        total_effect=(effect + error)[:, -1],
        cov=found.estimated_cov,
        persons=found,
    )


def figures() -> Iterator[Figure]:
    """Refits, rows, then other ways, then cold: compiling in this process disturbs no child."""
    yield from _refits()
    yield from _rows()
    yield from _beside()
    size = f"{SITES} sites x {MEDIATORS} mediators, cold, from Python, "
    for name, model in (("site estimates", "KNOWN"), ("persons' moments", "BY_ARM")):
        target = "≤ 25 s" if model == "KNOWN" else ""
        yield Figure(size + name, "s", tuple(_cold(model) for _ in range(REPETITIONS)), target)


def _fit(data: SiteEstimates, model: MultiSiteIV, sampler: Sampler | None = None) -> Fit:
    return fit(model, data, sampler=sampler, seed=SEED)


def _refits() -> Iterator[Figure]:
    tables = [table(PERSONS, i) for i in range(PAIRS + 1)]
    short = Sampler(draws=1000, tune=1000, target_accept=0.9)
    for name, model in (("site estimates", KNOWN), ("persons' moments", BY_ARM)):
        _fit(tables[0], model)
        for sampler, note in ((None, "default sampler"), (short, "4 x (1000 + 1000), .9")):
            found = [_fit(t, model, sampler) for t in tables[1:]]
            seconds = tuple(float(f.tree.attrs["seconds_engine"]) for f in found)
            target = "≤ 1 s" if model is KNOWN else ""
            yield Figure(f"{SITES} sites, refit, {name}", "s", seconds, target, note=note)
            stats = [f.tree["sample_stats"].to_dataset() for f in found]
            diverging = tuple(float(s["diverging"].sum()) for s in stats)
            yield Figure(f"{SITES} sites, refit, {name}, divergences", "", diverging, note=note)


def _rows() -> Iterator[Figure]:
    """Sampling from the moments of few and of many persons, by turns.

    Also for each gradient, as more rows make another posterior.
    """
    ratios, by_gradient = [], []
    sampler = Sampler(draws=500, tune=500, target_accept=0.9)
    for number in range(PAIRS):
        seconds, gradients = [], []
        for persons in (10_000, 100_000_000):
            data = table(persons, number)
            nuts.compiled(BY_ARM, data, Silent())
            elapsed, (_, stats) = timed(
                lambda d: nuts.sample(BY_ARM, d, sampler, SEED, Silent()), data
            )
            seconds.append(elapsed)
            gradients.append(float(stats["n_steps"].mean()))
        ratios.append(seconds[1] / seconds[0])
        by_gradient.append(ratios[-1] * gradients[0] / gradients[1])
    yield Figure("sampling, 1e8 persons over 1e4", "", tuple(ratios), ".8 to 1.2")
    yield Figure("the same for each gradient", "", tuple(by_gradient))


def _beside() -> Iterator[Figure]:
    mine, theirs, r_hats, diverging, classical = [], [], [], [], []
    for number in range(PAIRS):
        data = table(PERSONS, number)
        nuts.compiled(KNOWN, data, Silent())
        elapsed, (draws, _) = timed(
            lambda d: nuts.sample(KNOWN, d, Sampler(), SEED, Silent()), data
        )
        mine.append(min(float(azs.ess(draws["slope"][..., p])) for p in range(3)) / elapsed)
        rate, r_hat, count = _latent(data)
        theirs.append(rate)
        r_hats.append(r_hat)
        diverging.append(float(count))
        classical.append(1000 * timed(person_level_iv, data)[0])
    note = "smallest of the three slopes"
    yield Figure("bayesmed", "ESS/s", tuple(mine), note=f"default sampler; {note}")
    yield Figure("latent", "ESS/s", tuple(theirs), note=f"4 x (1000 + 1000) draws; {note}")
    yield Figure("latent, largest R-hat of a slope", "", tuple(r_hats))
    yield Figure("latent, divergences", "", tuple(diverging))
    ratio = tuple(a / b for a, b in zip(mine, theirs, strict=True))
    yield Figure("ratio of ESS/s", "", ratio)
    yield Figure("two-stage least squares from the same moments", "ms", tuple(classical))


def latent_model(data: SiteEstimates) -> pm.Model:
    """Build the model with mediator effects and slopes of every site as variables."""
    priors = KNOWN.priors_for(data)

    def parameter(name: str) -> pt.TensorVariable:
        each = [priors[f"{name}[{m}]"] for m in data.mediators]
        made = [
            getattr(pm, p.distribution)(f"{name}_{i}", **p.parameters) for i, p in enumerate(each)
        ]
        return pt.stack(made)

    shape = (data.n_rows, MEDIATORS)
    with pm.Model() as graph:
        slope = pm.Deterministic("slope", parameter("slope"))
        mean, spread = parameter("mediator_effect_mean"), parameter("mediator_effect_sd")
        root, _, _ = pm.LKJCholeskyCov(
            "root", n=MEDIATORS, eta=1.0, sd_dist=pm.HalfNormal.dist(1.0), compute_corr=True
        )
        # The spreads of the default priors, the correlations of LKJ's.
        unit = root / pt.sqrt((root**2).sum(axis=1, keepdims=True))
        gamma = mean + (spread[:, None] * unit).dot(pm.Normal("z", shape=shape).T).T
        own = slope + parameter("slope_sd") * pm.Normal("d", shape=shape)
        effects = pt.concatenate([gamma, (own * gamma).sum(axis=1, keepdims=True)], axis=1)
        seen = np.column_stack([data.mediator_effect, data.total_effect])
        inverse = np.linalg.inv(np.linalg.cholesky(data.cov))
        left = (inverse * (seen - effects)[:, None, :]).sum(axis=2)
        pm.Potential("estimates", -0.5 * (left**2).sum())
    return graph


def _latent(data: SiteEstimates) -> tuple[float, float, int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ready = nutpie.compile_pymc_model(latent_model(data), var_names=["slope"])
        elapsed, trace = timed(
            lambda made: nutpie.sample(
                made, tune=1000, draws=1000, chains=4, seed=SEED, progress_bar=False
            ),
            ready,
        )
    slope = trace["posterior"]["slope"].to_numpy()
    sizes = [float(azs.ess(slope[..., p])) for p in range(MEDIATORS)]
    r_hat = max(float(azs.rhat(slope[..., p])) for p in range(MEDIATORS))
    return min(sizes) / elapsed, r_hat, int(trace["sample_stats"]["diverging"].sum())


def _cold(model: str) -> float:
    """Return the seconds of a first fit in a new process whose compile caches are empty."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        environment = os.environ | {
            "PYTENSOR_FLAGS": f"base_compiledir={place / 'pytensor'}",
            "NUMBA_CACHE_DIR": str(place / "numba"),
        }
        lines = (
            "from tests.benchmarks.multi_site_iv import BY_ARM, KNOWN, PERSONS, table, _fit",
            f"_fit(table(PERSONS, 0), {model})",
        )
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", "\n".join(lines)],
            env=environment,
            cwd=ROOT,
            check=True,
        )
        return time.perf_counter() - began
