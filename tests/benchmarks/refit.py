"""Fitting a compiled structure to other data with the default sampler."""

from __future__ import annotations

from collections.abc import Iterator

from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteSlope
from bayesmed.inference import Fit, Sampler, fit
from bayesmed.inference.convergence import diagnose
from tests.benchmarks.figure import Figure, each, timed
from tests.benchmarks.tables import tables

# Number of sites: repetitions, target of sampling and diagnostics.
SIZES = {30: (25, "≤ 0.2 s"), 100: (15, ""), 1000: (7, ""), 10_000: (3, "")}
TARGETS_OF_SAMPLING = {10_000: "≤ 8 s"}
SEED = 1


def figures() -> Iterator[Figure]:
    """Time sampling, diagnostics, and the whole fit with site effects and predictions."""
    elapsed, _ = timed(_fit, tables(20, 1)[0])
    yield Figure("first fit, compile included, caches as found", "s", (elapsed,))
    for n_sites, (repetitions, target) in SIZES.items():
        whole, fits = zip(*(timed(_fit, t) for t in tables(n_sites, repetitions)), strict=True)
        trees = [found.tree for found in fits]
        sampling = tuple(float(tree.attrs["seconds_engine"]) for tree in trees)
        judging = each(diagnose, trees)
        both = tuple(a + b for a, b in zip(sampling, judging, strict=True))
        steps = tuple(float(tree["sample_stats"]["n_steps"].mean()) for tree in trees)
        size = f"{n_sites:,} sites, "
        yield Figure(size + "sampling and diagnostics", "s", both, target)
        yield Figure(size + "sampling", "s", sampling, TARGETS_OF_SAMPLING.get(n_sites, ""))
        yield Figure(size + "diagnostics", "s", judging)
        yield Figure(size + "whole fit", "s", whole, note=_settings(n_sites))
        yield Figure(size + "gradients per draw", "", steps)


def _fit(data: SiteEstimates) -> Fit:
    return fit(SiteSlope(), data, seed=SEED)


def _settings(sites: int) -> str:
    s = Sampler().for_sites(sites)
    return f"{s.chains} x ({s.tune} + {s.draws}) draws, target acceptance {s.target_accept}"
