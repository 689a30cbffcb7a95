"""The likelihood of persons' rows from their moments, against the rows themselves."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import pytest
from scipy.stats import multivariate_normal, wishart

from bayesmed.core.errors import DataError
from bayesmed.core.progress import Silent
from bayesmed.data import DataWarning, Estimation, PersonRows, RowColumns, SiteEstimates
from bayesmed.generative import MultiSiteIV
from bayesmed.inference import Sampler, fit, load_fit, save_fit
from bayesmed.inference.entries import entries
from bayesmed.inference.nuts import sample
from bayesmed.priors import Prior
from tests.generative import variants

SITES = 7
PRIORS = {
    "slope": Prior("Normal", mu=0, sigma=2),
    "slope_sd": Prior("HalfNormal", sigma=1),
    "mediator_effect_mean": Prior("Normal", mu=0, sigma=3),
    "mediator_effect_sd": Prior("HalfNormal", sigma=1),
}


def people(persons=12, sites=SITES, seed=4):
    """Rows of a confounded mediator; persons of the treated arm vary more."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"site": np.repeat(np.arange(sites), persons)})
    frame["t"] = np.tile(np.arange(persons) % 2, sites)
    gamma, slope = rng.normal(1.0, 0.5, sites), rng.normal(1.0, 0.3, sites)
    u = rng.normal(size=len(frame)) * (1 + 0.5 * frame["t"])
    frame["m"] = gamma[frame["site"]] * frame["t"] + u + frame["site"]
    noise = rng.normal(size=len(frame))
    frame["y"] = slope[frame["site"]] * frame["m"] + 0.5 * u + noise - 2 * frame["site"]
    return frame


def estimates(frame, how=None, **roles):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        columns = RowColumns("t", ("m",), "y", site="site", **roles)
        return SiteEstimates.from_rows(PersonRows.from_frame(frame, columns), how)


def test_moments_have_the_likelihood_of_the_rows():
    """Means of controls integrated over a flat prior; no constant but those of the data."""
    frame = people()
    data = estimates(frame)
    rng = np.random.default_rng(1)
    gaps = []
    for _ in range(5):
        gamma, beta = rng.normal(1, 0.5, (2, SITES))
        root = np.eye(2) + rng.normal(0, 0.2, (2, 2, 2))
        sigma = root @ root.transpose(0, 2, 1)
        of_rows = of_moments = 0.0
        for s, own in frame.groupby("site"):
            effect = np.array([gamma[s], beta[s]])
            w = own[["m", "y"]].to_numpy() - own["t"].to_numpy()[:, None] * effect
            precision = np.linalg.inv(sigma)[own["t"]]
            total = precision.sum(axis=0)
            centre = np.linalg.solve(total, np.einsum("nij,nj->i", precision, w))
            each = [
                multivariate_normal(centre, sigma[t]).logpdf(row)
                for t, row in zip(own["t"], w, strict=True)
            ]
            # A normal density integrated over its mean: the value at the best one, and a volume.
            of_rows += sum(each) - 0.5 * np.linalg.slogdet(total)[1]
            v = np.tensordot(data.persons.weight[s], sigma, axes=1)
            seen = [data.mediator_effect[s, 0], data.total_effect[s]]
            of_moments += multivariate_normal(effect, v).logpdf(seen)
        for a in range(2):
            of_moments += wishart(data.persons.df[a], sigma[a]).logpdf(data.persons.cross[a])
        gaps.append(of_rows - of_moments)
    np.testing.assert_allclose(gaps, gaps[0], atol=1e-8)


def row_model(frame):
    """A plain PyMC model of every row: site effects latent, means of controls flat."""
    site, t = frame["site"].to_numpy(), frame["t"].to_numpy()
    w = frame[["m", "y"]].to_numpy()
    with pm.Model() as made:
        slope = pm.Normal("slope", 0, 2)
        slope_sd = pm.HalfNormal("slope_sd", 1)
        mean = pm.Normal("mediator_effect_mean", 0, 3)
        sd = pm.HalfNormal("mediator_effect_sd", 1)
        z = pm.Normal("z", 0, 1, shape=(2, SITES))
        gamma = mean + sd * z[0]
        beta = (slope + slope_sd * z[1]) * gamma
        control = pm.Flat("control", shape=(SITES, 2))
        away = w - control[site] - t[:, None] * pt.stack([gamma, beta], axis=1)[site]
        for a in (0, 1):
            scale = pm.HalfFlat(f"scale_{a}", shape=2)
            corr = pm.Uniform(f"corr_{a}", -1, 1)
            own = away[t == a] / scale
            left = 1 - corr**2
            square = own[:, 0] ** 2 + (own[:, 1] - corr * own[:, 0]) ** 2 / left
            n = own.shape[0]
            pm.Potential(
                f"rows_{a}", -0.5 * square.sum() - n * pt.log(scale).sum() - n / 2 * pt.log(left)
            )
            # Jeffreys: |Σ|^{-3/2}, over two scales and a correlation.
            pm.Potential(f"jeffreys_{a}", -pt.log(scale).sum() - 1.5 * pt.log(left))
    return made


def test_posterior_is_that_of_a_model_of_the_rows():
    import nutpie

    frame = people()
    data = estimates(frame)
    settings = Sampler(draws=1500, tune=1000, chains=2, target_accept=0.95)
    draws, _ = sample(MultiSiteIV(priors=PRIORS), data, settings, 1, Silent())
    trace = nutpie.sample(
        nutpie.compile_pymc_model(row_model(frame)),
        draws=1500,
        tune=1000,
        chains=2,
        seed=2,
        target_accept=0.95,
        progress_bar=False,
    )
    rows = trace.posterior
    sigma = draws["person_covariance"]
    mine = {
        "slope": draws["slope"][..., 0],
        "slope_sd": draws["slope_sd"][..., 0],
        "mediator_effect_mean": draws["mediator_effect_mean"][..., 0],
        "mediator_effect_sd": draws["mediator_effect_sd"][..., 0],
        "scale_0": np.sqrt(sigma[:, :, 0, 0, 0]),
        "scale_1": np.sqrt(sigma[:, :, 1, 1, 1]),
        "corr_1": sigma[:, :, 1, 0, 1] / np.sqrt(sigma[:, :, 1, 0, 0] * sigma[:, :, 1, 1, 1]),
    }
    for name, values in mine.items():
        other = rows[name].to_numpy()
        other = other[..., int(name[-1])] if name.startswith("scale") else other
        close(values, other, name)


def close(a, b, name):
    """Means and spreads agree within five standard errors of both."""
    import arviz_stats as azs

    def errors(x):
        error = x.std() / np.sqrt(float(azs.ess(x)))
        square = (x - x.mean()) ** 2
        return error, square.std() / np.sqrt(float(azs.ess(square)))

    (ea, va), (eb, vb) = errors(a), errors(b)
    assert abs(a.mean() - b.mean()) < 5 * np.hypot(ea, eb), name
    assert abs(a.var() - b.var()) < 5 * np.hypot(va, vb), name


def test_many_persons_know_the_covariance():
    """Then the likelihood is that of site estimates with the covariance pooled over sites."""
    few = estimates(people(40), Estimation("pooled"))
    persons = dataclasses.replace(
        few.persons, cross=few.persons.estimate * 1e10, df=np.array([1e10, 1e10])
    )
    many = dataclasses.replace(few, persons=persons)
    draws = MultiSiteIV().prior_draws(many, 50, np.random.default_rng(2))
    known = MultiSiteIV(sampling_covariance="known")
    np.testing.assert_allclose(
        MultiSiteIV().log_likelihood(draws, many), known.log_likelihood(draws, few), rtol=1e-3
    )
    sigma = draws["person_covariance"]
    np.testing.assert_allclose(sigma / persons.estimate, 1, rtol=1e-3)


def test_size_of_the_graph_does_not_depend_on_rows():
    model = MultiSiteIV()
    small, large = (estimates(people(n)) for n in (12, 400))
    assert model.structure(small) == model.structure(large)
    for name, value in model.graph_data(small).items():
        assert value.shape == model.graph_data(large)[name].shape


def test_which_sampling_covariance():
    """By arm from rows of persons, known from a table, from clusters or where asked for."""
    frame = people().assign(x=np.arange(84.0) % 5, c=np.arange(84) // 2 % 6)
    rows, table = estimates(frame), variants.table(1)
    adjusted, clustered = estimates(frame, covariates=("x",)), estimates(frame, cluster="c")
    auto = MultiSiteIV()
    assert auto.persons(rows).groups == ("0", "1")
    assert MultiSiteIV(sampling_covariance="common").persons(rows).groups == ("all persons",)
    assert auto.persons(adjusted).groups == ("all persons",)
    assert auto.persons(table) is None is auto.persons(clustered)
    assert MultiSiteIV(sampling_covariance="known").persons(rows) is None
    by_arm, common = (MultiSiteIV(sampling_covariance=x) for x in ("by_arm", "common"))
    for model, data, words in (
        (by_arm, table, "no rows of independent persons"),
        (by_arm, clustered, "persons come in clusters"),
        (by_arm, adjusted, "one covariance for all persons"),
        (common, clustered, "persons come in clusters"),
    ):
        with pytest.raises(DataError, match=words):
            model.check_data(data)
    common.check_data(adjusted)
    by_arm.check_data(rows)


def test_a_fit_holds_the_covariances_and_comes_back(tmp_path):
    data = estimates(people())
    made = fit(MultiSiteIV(), data, sampler=Sampler(draws=200, tune=300, chains=2), seed=1)
    posterior = made.tree["posterior"].to_dataset()
    values = posterior["person_covariance"]
    assert values.dims[2:] == ("person_group", "estimate", "other_estimate")
    assert values["person_group"].to_numpy().tolist() == ["0", "1"]
    assert values["estimate"].to_numpy().tolist() == ["m", "total_effect"]
    assert "person_covariance" in made.tree["prior"]
    # Six numbers to be diagnosed, none to be asked about.
    more = {e.key for e in entries(posterior, persons=True)} - {e.key for e in entries(posterior)}
    assert len(more) == 6
    assert "person_covariance[0, m, total_effect]" in more
    again = load_fit(save_fit(made, tmp_path / "fit.nc"))
    assert again.data.fingerprint == data.fingerprint
    np.testing.assert_array_equal(again.tree["posterior"]["person_covariance"], values)
