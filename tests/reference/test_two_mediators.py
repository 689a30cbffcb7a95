"""Two mediators against a model with latent effects, made by two_mediators.py."""

import json
from pathlib import Path

import arviz_stats as azs
import numpy as np
import pandas as pd
import pytest

from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteSlope
from bayesmed.inference import Sampler, fit
from bayesmed.priors import Prior
from tests.reference.two_mediators import PRIORS, TABLE, estimates

STORED = json.loads((Path(__file__).parent / "two_mediators.json").read_text())


@pytest.fixture(scope="module")
def fitted():
    observed, cov = estimates(pd.read_csv(TABLE))
    data = SiteEstimates.from_arrays(
        mediator_effect=observed[:, :2],
        total_effect=observed[:, 2],
        cov=cov,
        mediators=STORED["mediators"],
    )
    priors = {name: Prior(kind, **values) for name, (kind, values) in PRIORS.items()}
    return fit(SiteSlope(priors=priors), data, sampler=Sampler(draws=10_000), seed=22)


def test_stored_numbers_have_the_priors_and_are_precise():
    stored = {
        name: (p["distribution"], {k: v for k, v in p.items() if k != "distribution"})
        for name, p in STORED["priors"].items()
    }
    assert stored == PRIORS
    assert STORED["largest_mcse_over_sd"] < 0.02
    # A few of 200,000, where correlations are near 1: see README.md.
    assert STORED["divergences"] < 200


def draws_of(fitted, name):
    """Draws of every entry, shape (entries, chain, draw)."""
    group = "site_effects" if name in ("mediator_effect", "direct_effect") else "posterior"
    values = np.asarray(fitted.tree[group][name])
    values = values.reshape(*values.shape[:2], -1)
    # Of a 2 by 2 correlation matrix the one entry off the diagonal.
    return np.moveaxis(values[..., [1]] if name == "mediator_effect_corr" else values, -1, 0)


@pytest.mark.parametrize("name", STORED["parameters"])
def test_posterior_is_that_of_the_latent_model(fitted, name):
    assert not fitted.tree["sample_stats"]["diverging"].any()
    rows, found = STORED["parameters"][name], draws_of(fitted, name)
    for row, draws in zip(rows, found, strict=True):
        for moment, value in (("mean", draws.mean()), ("sd", draws.std())):
            error = np.hypot(azs.mcse(draws, method=moment), row[f"mcse_{moment}"])
            assert abs(value - row[moment]) < 4 * error, (name, moment)
