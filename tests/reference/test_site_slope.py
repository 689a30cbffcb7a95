"""Both engines against reference posteriors and against each other."""

import json
from pathlib import Path

import arviz_stats as azs
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from bayesmed.data import MediatorColumns, SiteColumns, SiteEstimates, load_dataset
from bayesmed.generative import SiteSlope
from bayesmed.inference import Sampler, exact_posterior, fit
from bayesmed.inference.exact import PROBABILITIES
from bayesmed.priors import Prior

HERE = Path(__file__).parent
# Data that do not ship lie beside the numbers.
RANDOM = "random_star"
DATASETS = {"mechte": "mechte_example", "berkey": "berkey1998"}
# 4 x 25,000 draws at NUTS's efficiency here: see the least effective size below.
MIN_ESS = 20_000


def reference(name):
    found = json.loads((HERE / f"site_slope_{name}.json").read_text())
    c = found["columns"]
    columns = SiteColumns(
        (MediatorColumns("m", c["mediator_effect"], se=c["mediator_effect_se"], cov=c["cov"]),),
        total_effect=c["total_effect"],
        total_effect_se=c["total_effect_se"],
    )
    if name == RANDOM:
        frame = pd.read_csv(HERE / f"site_slope_{name}.csv")
    else:
        frame = load_dataset(DATASETS[name])
    data = SiteEstimates.from_frame(frame, columns)
    priors = {
        key: Prior(p["distribution"], **{k: p[k] for k in ("mu", "sigma") if p[k] is not None})
        for key, p in found["priors"].items()
    }
    model = SiteSlope(slope="random" if name == RANDOM else "constant", priors=priors)
    return model, data, found["parameters"]


def draws_of(sampled, name):
    """Posterior draws of a parameter, shape (chain, draw)."""
    posterior = sampled.tree["posterior"]
    return np.asarray(posterior[name]).reshape(posterior.sizes["chain"], -1)


def monte_carlo_errors(sd, ess):
    """Standard errors of mean, sd and quantiles from draws of an about normal quantity.

    Skewed and heavy-tailed quantities have larger ones, so this errs on the strict side.
    """
    p = np.array(PROBABILITIES)
    quantile = np.sqrt(p * (1 - p)) / norm.pdf(norm.ppf(p))
    return sd / np.sqrt(ess) * np.concatenate([[1.0, np.sqrt(0.5)], quantile])


def reference_numbers(row):
    quantiles = [row[f"q{100 * p:g}"] for p in PROBABILITIES]
    numbers = np.array([row["mean"], row["sd"], *quantiles])
    return numbers, monte_carlo_errors(row["sd"], (row["sd"] / row["mcse_mean"]) ** 2)


def exact_numbers(summary):
    return np.array([summary.mean, summary.sd, *summary.quantiles])


@pytest.mark.parametrize("name", DATASETS)
def test_exact_engine_agrees_with_the_reference(name):
    model, data, parameters = reference(name)
    found = exact_posterior(model, data).summaries()
    for key, row in parameters.items():
        expected, error = reference_numbers(row)
        distance = np.abs(exact_numbers(found[key]) - expected) / error
        assert distance.max() < 4, (key, distance)


@pytest.mark.parametrize("name", DATASETS)
def test_nuts_agrees_with_the_reference_and_with_quadrature(name):
    model, data, parameters = reference(name)
    sampler = Sampler(draws=30_000 if name == "berkey" else 20_000)
    sampled = fit(model, data, sampler=sampler, seed=22)
    exact = exact_posterior(model, data).summaries()
    assert not sampled.tree["sample_stats"]["diverging"].any()
    for key, row in parameters.items():
        draws = draws_of(sampled, key)
        ess = min(float(azs.ess(draws, method=m)) for m in ("bulk", "mean"))
        assert ess > MIN_ESS, (key, ess)
        quantiles = np.quantile(draws, PROBABILITIES)
        numbers = np.array([draws.mean(), draws.std(), *quantiles])
        own = np.array(
            [azs.mcse(draws, method="mean"), azs.mcse(draws, method="sd")]
            + [azs.mcse(draws, method="quantile", prob=p) for p in PROBABILITIES],
            dtype=float,
        )
        expected, error = reference_numbers(row)
        assert (np.abs(numbers - expected) / np.hypot(own, error)).max() < 4, key
        assert (np.abs(numbers - exact_numbers(exact[key])) / own).max() < 4, key


def test_random_slope_agrees_with_the_reference():
    model, data, parameters = reference(RANDOM)
    sampled = fit(model, data, sampler=Sampler(draws=10_000), seed=22)
    assert not sampled.tree["sample_stats"]["diverging"].any()
    assert set(parameters) == set(model.parameters)
    for key, row in parameters.items():
        draws = draws_of(sampled, key)
        quantiles = np.quantile(draws, PROBABILITIES)
        numbers = np.array([draws.mean(), draws.std(), *quantiles])
        own = np.array(
            [azs.mcse(draws, method="mean"), azs.mcse(draws, method="sd")]
            + [azs.mcse(draws, method="quantile", prob=p) for p in PROBABILITIES],
            dtype=float,
        )
        expected, error = reference_numbers(row)
        assert (np.abs(numbers - expected) / np.hypot(own, error)).max() < 4, key
