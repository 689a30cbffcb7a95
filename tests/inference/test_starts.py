"""Where chains start, which decides whether they find the posterior."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmed.core.progress import Silent
from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteSlope
from bayesmed.inference import nuts
from bayesmed.priors import Prior


def through_origin() -> SiteEstimates:
    """Sites on a line of slope 1 that are known well."""
    rng = np.random.default_rng(1)
    gamma = 1.0 + rng.standard_normal(30)
    return SiteEstimates.from_arrays(
        mediator_effect=gamma,
        total_effect=gamma + 0.05 * rng.standard_normal(30),
        cov=np.tile(np.diag([0.0025, 0.0025]), (30, 1, 1)),
    )


def test_slopes_through_the_origin_start_at_what_the_data_say() -> None:
    """From the prior's centre, twenty posterior sds away, one chain in twenty is lost."""
    ready = nuts.compiled(SiteSlope(direct_effect=False), through_origin(), Silent())
    starts = np.array([ready.initial_point_func(seed) for seed in range(20)])
    assert starts.shape == (20, 3)  # spread and mean of mediator effects, slope
    at = starts[:, -1]
    assert np.abs(at).max() <= 1.0
    assert at.std() > 0.2


@pytest.mark.parametrize(
    "prior", [Prior("HalfNormal", sigma=2), Prior("Uniform", lower=1.2, upper=3)]
)
def test_slopes_that_cannot_be_what_the_data_say_start_where_they_can(prior: Prior) -> None:
    model = SiteSlope(direct_effect=False, priors={"slope": prior})
    graph = model.build(through_origin())
    assert np.isfinite(list(graph.initial_point().values())).all()
    assert np.isfinite(graph.compile_logp(mode="FAST_COMPILE")(graph.initial_point()))
