"""Where chains start, which decides whether they find the posterior."""

from __future__ import annotations

import numpy as np

from bayesmed.core.progress import Silent
from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteSlope
from bayesmed.inference import nuts


def test_slopes_through_the_origin_start_at_what_the_data_say() -> None:
    """From the prior's centre, twenty posterior sds away, one chain in twenty is lost."""
    rng = np.random.default_rng(1)
    gamma = 1.0 + rng.standard_normal(30)
    data = SiteEstimates.from_arrays(
        mediator_effect=gamma,
        total_effect=gamma + 0.05 * rng.standard_normal(30),
        cov=np.tile(np.diag([0.0025, 0.0025]), (30, 1, 1)),
    )
    ready = nuts.compiled(SiteSlope(direct_effect=False), data, Silent())
    starts = np.array([ready.initial_point_func(seed) for seed in range(20)])
    assert starts.shape == (20, 3)  # spread and mean of mediator effects, slope
    at = starts[:, -1]
    assert np.abs(at).max() <= 1.0
    assert at.std() > 0.2
