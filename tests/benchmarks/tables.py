"""Simulated tables with fixed seeds."""

from __future__ import annotations

import warnings

import numpy as np

from bayesmed.data import DataWarning, SiteEstimates
from tests.calibration.algorithm_1 import simulate

SEED = 7001
SLOPE = 2.0


def tables(n_sites: int, count: int) -> list[SiteEstimates]:
    """Draw tables of Fu's Algorithm 1, the same ones every time."""
    with warnings.catch_warnings():
        # Standard errors of this design may well look like variances.
        warnings.simplefilter("ignore", DataWarning)
        return [
            simulate(n_sites, SLOPE, np.random.default_rng([SEED, n_sites, i]))
            for i in range(count)
        ]
