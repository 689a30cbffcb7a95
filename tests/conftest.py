"""Fixtures shared by the rooms: one table, its fits, and fits made of chosen draws."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pytest
import xarray as xr

from bayesmed.data import MediatorColumns, SiteColumns, SiteEstimates, load_dataset
from bayesmed.generative import SiteSlope
from bayesmed.inference import Fit, Sampler, fit
from bayesmed.inference.tree import assemble

BERKEY = SiteColumns(
    (MediatorColumns("PD", "gamma_hat", se="gamma_se", cov="cov"),),
    total_effect="tau_hat",
    total_effect_se="tau_se",
    site="site",
    outcome="AL",
)

type MadeFit = Callable[..., Fit]


@pytest.fixture
def interrupts() -> Iterator[None]:
    """Let an interrupt raise KeyboardInterrupt, which workers of pytest-xdist ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def sites() -> SiteEstimates:
    """Five trials of periodontal surgery (berkey1998), covariances given."""
    return SiteEstimates.from_frame(load_dataset("berkey1998"), BERKEY, source="berkey1998")


@pytest.fixture(scope="session")
def exact_fit(sites: SiteEstimates) -> Fit:
    """Fit ``sites`` with the default model and the exact engine."""
    return fit(SiteSlope(), sites, sampler=Sampler(engine="exact"), seed=11)


@pytest.fixture(scope="session")
def nuts_fit(sites: SiteEstimates) -> Fit:
    """Fit ``sites`` with the default model and sampler. Compiles: about 7 seconds."""
    return fit(SiteSlope(), sites, sampler=Sampler(), seed=11)


@pytest.fixture(scope="session")
def indirect_fit(sites: SiteEstimates) -> Fit:
    """Fit ``sites`` without a direct effect, exact engine, 4 x 500 draws."""
    model = SiteSlope(direct_effect=False)
    return fit(model, sites, sampler=Sampler(engine="exact", draws=500), seed=12)


@pytest.fixture(scope="session")
def made_fit(sites: SiteEstimates) -> MadeFit:
    """Return a function that makes a fit of chosen parameter draws, each of shape (chain, draw).

    Parameters that are not given are independent draws around plausible values, so that every
    convergence check passes; so do the sampler statistics, unless they are given.
    """

    def make(
        draws: Mapping[str, np.ndarray] | None = None,
        stats: Mapping[str, np.ndarray] | None = None,
        shape: tuple[int, int] = (4, 1000),
        data: SiteEstimates = sites,
    ) -> Fit:
        rng = np.random.default_rng(5)
        given = {
            "slope": rng.normal(1.0, 0.5, shape),
            "total_effect_at_centre": rng.normal(-0.3, 0.1, shape),
            "direct_effect_sd": np.abs(rng.normal(0.15, 0.05, shape)),
            "mediator_effect_mean": rng.normal(0.35, 0.05, shape),
            "mediator_effect_sd": np.abs(rng.normal(0.1, 0.02, shape)),
            "direct_effect_mean": rng.normal(-0.6, 0.1, shape),
        } | dict(draws or {})
        model = SiteSlope()
        # One mediator: a last axis of length one.
        for name in model.by_mediator:
            if name in given:
                given[name] = np.reshape(given[name], (*shape, 1))
        energy = {"diverging": np.zeros(shape, dtype=bool), "energy": rng.normal(5.0, 1.0, shape)}
        kept = {k: (("chain", "draw"), v) for k, v in (energy | dict(stats or {})).items()}
        tree = assemble(model, data, given, xr.Dataset(kept), seed=1)
        return Fit(model, data, Sampler(chains=shape[0], draws=shape[1]), 1, tree)

    return make
