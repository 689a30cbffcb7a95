"""Fits to report: one that is plain, one whose every name is hostile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from bayesmed.generative import MultiSiteIV
from bayesmed.inference import Fit, Sampler, fit
from tests.report.fits import HOSTILE, HOSTILE_MEDIATOR, HOSTILE_OUTCOME, fitted, simulated
from tests.variants import VARIANTS, table


@pytest.fixture(scope="session")
def plain_fit() -> Fit:
    return fitted(simulated(8, site=list("ABCDEFGH"), mediators=["effort"], outcome="score"))


@pytest.fixture(scope="session")
def hostile_fit() -> Fit:
    data = simulated(
        len(HOSTILE),
        site=HOSTILE,
        mediators=[HOSTILE_MEDIATOR],
        outcome=HOSTILE_OUTCOME,
        outcome_scale="a|b\n# c",
        source="<b>source</b>",
    )
    return fitted(data)


@pytest.fixture(scope="session")
def sampled_fit(plain_fit: Fit) -> Fit:
    """The plain fit as the other engine would return it: chains to judge, no quadrature."""
    shape = tuple(plain_fit.tree["posterior"].sizes[d] for d in ("chain", "draw"))
    energy = np.random.default_rng(2).normal(size=shape)
    stats = {
        "diverging": (("chain", "draw"), np.zeros(shape, dtype=bool)),
        "energy": (("chain", "draw"), energy),
    }
    coords = {"chain": np.arange(shape[0]), "draw": np.arange(shape[1])}
    groups = {k: node.to_dataset() for k, node in plain_fit.tree.children.items()}
    del groups["quadrature"]
    tree = xr.DataTree.from_dict(groups | {"sample_stats": xr.Dataset(stats, coords=coords)})
    tree.attrs = plain_fit.tree.attrs
    return replace(plain_fit, tree=tree, sampler=Sampler(draws=shape[1]))


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "report.html"


@pytest.fixture(scope="session")
def iv_fit() -> Fit:
    """Two mediators at twelve sites, sampled shortly. Compiles: about 10 seconds."""
    sampler = Sampler(chains=2, draws=200, tune=400)
    return fit(MultiSiteIV(), table(VARIANTS["multi-site IV, kappa"], 12), sampler=sampler, seed=4)
