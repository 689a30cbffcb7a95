"""The exact engine: one posterior by quadrature."""

from __future__ import annotations

from collections.abc import Iterator

from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteSlope
from bayesmed.inference import exact_posterior
from bayesmed.inference.quadrature import LINE_TOLERANCE
from tests.benchmarks.figure import Figure, each
from tests.benchmarks.tables import tables

SITES = (5, 30, 100, 1000)
LOOSE = 3e-3
REPETITIONS = 15


def figures() -> Iterator[Figure]:
    """Time the quadrature (without summaries and draws) at both tolerances."""
    for n_sites in SITES:
        data = tables(n_sites, REPETITIONS)
        for tolerance in (LINE_TOLERANCE, LOOSE):

            def work(table: SiteEstimates, tolerance: float = tolerance) -> object:
                return exact_posterior(SiteSlope(), table, tolerance=tolerance)

            work(data[0])
            times = tuple(1000.0 * t for t in each(work, data))
            yield Figure(f"{n_sites:,} sites, tolerance {tolerance:g}", "ms", times)
