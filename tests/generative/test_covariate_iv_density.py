"""Density of the covariate-IV model: persons one by one in SciPy, priors, Jacobian, gradient."""

from __future__ import annotations

import numpy as np
import pytest
from pytensor.graph.traversal import ancestors
from scipy.stats import multivariate_normal, norm

from tests.generative.covariate_ivs import MODELS, compiled, data_for, log_jacobian, moments


def one(draws):
    return {name: values[0] for name, values in draws.items()}


def modifier(model, p, which, drawn, name):
    values = dict(getattr(model, which))
    if name in drawn:
        return p[which][drawn.index(name)]
    return values.get(name, 0.0)


def person_by_person(model, data, p):
    """The model as written, person by person, errors and effects as one normal vector."""
    names = data.names.covariates
    x = data.covariates - data.covariates.mean(axis=0)
    labels = model.coords(data)
    mean_m = data.mediator.mean()
    found = []
    for i in range(data.n):
        r, m, y, z = data.treatment[i], data.mediator[i], data.outcome[i], x[i]
        own = {
            k: p[k] if np.ndim(p[k]) == 0 else p[k][int(r)]
            for k in ("mediator_sd", "outcome_sd", "error_correlation")
            if k in p
        }
        index = p["mediator_intercept"] + p["mediator_coefficient"] @ z + p["mediator_effect"] * r
        for name, d in zip(labels["interacted_covariate"], p["mediator_modification"], strict=True):
            index += d * r * z[names.index(name)]
        mean = p["outcome_intercept"] + p["outcome_coefficient"] @ z + p["direct_effect"] * r
        for name, d in zip(labels["control"], p.get("direct_modification", ()), strict=True):
            mean += d * r * z[names.index(name)]
        mean += p["slope"] * (m - mean_m)
        for j, name in enumerate(names):
            mean += r * z[j] * modifier(model, p, "direct_modifier", model.uncertain_direct, name)
            mean += m * z[j] * modifier(model, p, "slope_modifier", (), name)
        sv, se, psi = own.get("mediator_sd", 1.0), own["outcome_sd"], own["error_correlation"]
        extra = 0.0
        if model.person_effects == "random":
            a, b = p["direct_effect_sd"], p["slope_sd"]
            rho = p["direct_effect_slope_corr"]
            loading = np.array([r, m])
            extra = loading @ np.array([[a**2, rho * a * b], [rho * a * b, b**2]]) @ loading
        cov = np.array([[sv**2, psi * sv * se], [psi * sv * se, se**2 + extra]])
        if model.mediator == "probit":
            s = np.sqrt(cov[1, 1])
            along = cov[0, 1] / cov[1, 1] * (y - mean)
            left = np.sqrt(1 - cov[0, 1] ** 2 / cov[1, 1])
            taken = norm.logcdf((1 if m else -1) * (index + along) / left)
            found.append(norm.logpdf(y, mean, s) + taken)
        else:
            found.append(multivariate_normal.logpdf([m - index, y - mean], cov=cov))
    return np.array(found)


def point_draws(name, seed=3):
    found = compiled(name)
    plain, _, _, variables = found.evaluate(found.point(seed))
    draws = found.draws({k: np.asarray(v)[None] for k, v in variables.items()})
    return found, plain, variables, draws


@pytest.mark.parametrize("name", MODELS)
def test_likelihood_is_that_of_persons_one_by_one(name):
    model, data = MODELS[name], data_for(name)
    _, _, _, draws = point_draws(name)
    axis, found = model.log_likelihood(draws, data)
    assert axis == "person"
    np.testing.assert_allclose(found[0], person_by_person(model, data, one(draws)), rtol=1e-9)


@pytest.mark.parametrize("name", [k for k, v in MODELS.items() if not v.by_person])
def test_moments_hold_all_of_it(name):
    model = MODELS[name]
    _, _, _, draws = point_draws(name)
    axis, by_arm = model.log_likelihood(draws, moments(name))
    _, by_person = model.log_likelihood(draws, data_for(name))
    treated = data_for(name).treatment == 1
    expected = [by_person[0, ~treated].sum(), by_person[0, treated].sum()]
    assert axis == "arm"
    np.testing.assert_allclose(by_arm[0], expected, rtol=1e-10)


@pytest.mark.parametrize("name", MODELS)
def test_every_data_node_is_read(name):
    found = compiled(name)
    read = {v.name for v in ancestors([found.graph.logp()])}
    # Samplers refuse new values of nodes they do not know.
    assert set(found.model.graph_data(found.data)) <= read


@pytest.mark.parametrize("name", MODELS)
def test_graph_is_prior_likelihood_and_jacobian(name):
    found = compiled(name)
    apart = []
    for seed in range(3, 7):
        _, plain, variables, draws = point_draws(name, seed)
        prior = sum(v.sum() for v in found.model.log_prior(draws, found.data).values())
        likelihood = found.model.log_likelihood(draws, found.data)[1].sum()
        apart.append(plain - prior - likelihood - log_jacobian(found, variables))
    # But for units, which are the same everywhere.
    np.testing.assert_allclose(apart, apart[0], rtol=1e-7, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_gradient_is_that_of_differences(name):
    found = compiled(name)
    start = found.point(4, 0.3)
    _, value, gradient, _ = found.evaluate(start)
    rng = np.random.default_rng(6)
    names = [v.name for v in found.graph.value_vars]
    for _ in range(4):
        way = {name: rng.normal(size=np.shape(start[name])) for name in names}
        along = np.concatenate([np.ravel(way[name]) for name in names])
        ends = [
            found.evaluate({name: start[name] + step * way[name] for name in names})[1]
            for step in (1e-5, -1e-5)
        ]
        # A sum over all entries with other weights each time: none can be wrong alone.
        expected = (ends[0] - ends[1]) / 2e-5
        size = np.abs(gradient * along).sum() + abs(value)
        assert gradient @ along == pytest.approx(expected, rel=1e-6, abs=1e-8 * size)
