"""Effects of the sites of the data: draws at fixed parameters against the latent form."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm, t

from bayesmed.generative.site_slope_draws import SITE_COORDINATES
from tests.generative import latent, variants

DRAWS = 40_000
# The largest of some hundred standardised deviations: passed by 99.9 % of seeds.
LARGEST = 4.5
# Draws along a line come from a density taken as straight between points 2/15 apart, which makes
# variances 1/6 (2/15)**2 too large: 0.3 %, and standard errors of a variance are 0.7 % here.
LINE_ERROR = 0.003
AT = {
    "slope": [1.3, -0.6, 0.4],
    "slope_sd": [0.5, 0.3],
    "slope_linear": [0.35, -0.1],
    "slope_quadratic": [-0.12, 0.05],
    "mediator_effect_mean": [0.9, 1.1, 0.7],
    "mediator_effect_sd": [0.6, 0.5, 0.7],
    "direct_effect_mean": 0.3,
    "direct_effect_sd": 0.4,
    "direct_effect_dof": 4.0,
    "correlation": 0.5,
    "covariate_effect": [0.02, 0.3],
}
CORRELATION = np.array([[1.0, 0.4, -0.2], [0.4, 1.0, 0.3], [-0.2, 0.3, 1.0]])


def at(name):
    """Chosen parameters of a variant."""
    model, data = variants.MODELS[name], variants.data(name)
    p, found = data.n_mediators, {}
    for key in (*model.parameters, *model.derived):
        if key == "mediator_effect_corr" and p > 1:
            found[key] = CORRELATION[:p, :p]
        elif key == "covariate_effect":
            found[key] = np.array(AT[key][: len(model.covariates)])
        elif key == "person_covariance" and model.persons(data) is not None:
            found[key] = model.persons(data).estimate
        elif key in AT:
            found[key] = np.array(AT[key][:p] if key in model.by_mediator else AT[key])
    return found


def effects(name, n=DRAWS, **more):
    """Draws of site effects, all at the same parameters."""
    model, data = variants.MODELS[name], variants.data(name)
    draws = {k: np.broadcast_to(v, (n, *v.shape)) for k, v in at(name).items()} | more
    return model.site_effects(draws, data, np.random.default_rng(17))


def assert_moments(draws, mean, cov, slack=0.0):
    """Mean and covariance of independent draws (n, D), errors of variances from the draws."""
    n = len(draws)
    sd = np.sqrt(np.diag(cov))
    assert np.abs((draws.mean(axis=0) - mean) / sd).max() < LARGEST / np.sqrt(n)
    away = (draws - mean) / sd
    products = away[:, :, None] * away[:, None, :]
    error = products.std(axis=0) / np.sqrt(n)
    gap = np.abs(products.mean(axis=0) - cov / np.outer(sd, sd))
    assert (gap < LARGEST * error + slack).all()


def whole(name):
    model, data = variants.MODELS[name], variants.data(name)
    return latent.Population(model, data, at(name)), latent.seen(model, data, at(name))


@pytest.mark.parametrize(
    "name",
    [
        "constant",
        "correlation",
        "covariates",
        "two mediators",
        "three mediators",
        "blocks",
        "blocks, two mediators, covariates",
    ],
)
def test_normal_effects_are_dense_conditioning(name):
    population, data = whole(name)
    found = effects(name)
    for rows in latent.blocks(data):
        observed, mean, cov, mean_of, cov_of, cross = latent.jointly_normal(population, data, rows)
        gain = np.linalg.solve(cov, cross.T).T
        gamma = found["mediator_effect"][:, rows].reshape(DRAWS, -1)
        draws = np.concatenate([gamma, found["direct_effect"][:, rows]], axis=1)
        assert_moments(draws, mean_of + gain @ (observed - mean), cov_of - gain @ cross.T)
    indirect = found["mediator_effect"] * at(name)["slope"]
    np.testing.assert_allclose(found["indirect_effect"], indirect, rtol=1e-12)
    total = found["direct_effect"] + found["indirect_effect"].sum(axis=-1)
    np.testing.assert_allclose(found["total_effect"], total, rtol=1e-12)
    assert "slope_of_site" not in found


def grid_moments(log_density, *axes):
    """Mean and covariance of quantities (D, ...) under a log-density on a grid."""
    weight = np.exp(log_density - logsumexp(log_density))
    values = np.stack([np.broadcast_to(a, weight.shape).ravel() for a in axes])
    mean = values @ weight.ravel()
    away = values - mean[:, None]
    return mean, (away * weight.ravel()) @ away.T


@pytest.mark.parametrize(
    "name",
    [
        "random",
        "random, no direct effect",
        "random, covariates, correlation",
        "multi-site iv, persons",
    ],
)
def test_random_slopes_are_the_latent_form_integrated(name):
    """(gamma, delta) on a grid; the direct effect given both is normal."""
    population, data = whole(name)
    found = effects(name)
    delta_axis = population.slope[0] + 7 * population.slope_sd[0] * np.linspace(-1, 1, 301)
    for row in range(data.n_rows):
        se = data.mediator_se[row, 0]
        gamma = data.mediator_effect[row, 0] + 8 * se * np.linspace(-1, 1, 401)[:, None]
        delta = delta_axis[None]
        observed, v = latent.estimates(data, [row])
        theta = population.theta_given(row, gamma[..., None])
        line = theta + delta * gamma
        means = np.stack(np.broadcast_arrays(gamma, line), axis=-1)
        spread = v + np.diag([0.0, population.left**2])
        log_density = (
            norm(population.mean[0], population.sd[0]).logpdf(gamma)
            + norm(population.slope[0], population.slope_sd[0]).logpdf(delta)
            + latent.normal_log_density(observed, means, spread)
        )
        # Of theta: its mean given both, and what is left of its variance.
        error = v[1, 1] - v[0, 1] ** 2 / v[0, 0]
        residual = observed[1] - line - v[0, 1] / v[0, 0] * (observed[0] - gamma)
        kept = population.left**2 / (population.left**2 + error)
        mean, cov = grid_moments(log_density, gamma, delta, theta + kept * residual)
        draws = np.column_stack(
            [found[k][:, row].ravel() for k in ("mediator_effect", "slope_of_site")]
            + [found["direct_effect"][:, row]]
        )
        if not variants.MODELS[name].direct_effect:
            assert (draws[:, 2] == 0).all()
            draws, mean, cov = draws[:, :2], mean[:2], cov[:2, :2]
        else:
            cov[2, 2] += kept * error
        assert_moments(draws, mean, cov, slack=LINE_ERROR)
    indirect = found["mediator_effect"] * found["slope_of_site"]
    np.testing.assert_allclose(found["indirect_effect"], indirect, rtol=1e-12)
    total = found["direct_effect"] + found["indirect_effect"].sum(axis=-1)
    np.testing.assert_allclose(found["total_effect"], total, rtol=1e-12)


@pytest.mark.parametrize("name", ["polynomial", "polynomial, no direct effect"])
def test_polynomial_slopes_are_the_latent_form_integrated(name):
    population, data = whole(name)
    found = effects(name)
    for row in range(data.n_rows):
        gamma, log_density = latent.on_a_line(population, data, row)
        slope = population.site_slope(gamma[:, None])[:, 0]
        mean, cov = grid_moments(log_density, gamma, slope)
        draws = [found[k][:, row].ravel() for k in ("mediator_effect", "slope_of_site")]
        assert_moments(np.column_stack(draws), mean, cov, slack=LINE_ERROR)


@pytest.mark.parametrize("name", ["student_t", "student_t, correlation"])
def test_student_t_effects_are_the_latent_form_integrated(name):
    """(gamma, theta) on a grid, the t density in it as SciPy has it."""
    population, data = whole(name)
    found = effects(name)
    for row in range(data.n_rows):
        observed, v = latent.estimates(data, [row])
        se = np.sqrt(np.diag(v))
        gamma = observed[0] + 8 * se[0] * np.linspace(-1, 1, 401)[:, None]
        reach = 8 * (se[1] + abs(population.slope[0]) * se[0])
        middle = observed[1] - population.slope[0] * observed[0]
        theta = middle + reach * np.linspace(-1, 1, 1201)[None]
        away = theta - population.theta_given(row, gamma[..., None])
        means = np.broadcast_arrays(gamma, theta + population.slope[0] * gamma)
        log_density = (
            norm(population.mean[0], population.sd[0]).logpdf(gamma)
            + t(population.dof, scale=population.left).logpdf(away)
            + latent.normal_log_density(observed, np.stack(means, axis=-1), v)
        )
        mean, cov = grid_moments(log_density, gamma, theta)
        draws = np.column_stack(
            [found["mediator_effect"][:, row, 0], found["direct_effect"][:, row]]
        )
        assert_moments(draws, mean, cov, slack=LINE_ERROR)


@pytest.mark.parametrize("name", ["random, two mediators", "random, blocks"])
def test_given_sampled_mediator_effects_the_rest_is_dense_conditioning(name):
    """Deviations of slopes and direct effects of a block are jointly normal given gamma."""
    population, data = whole(name)
    p, size = data.n_mediators, max(len(r) for r in latent.blocks(data))
    z = np.random.default_rng(2).normal(size=(size * p, data.n_blocks))
    found = effects(name, **{SITE_COORDINATES: np.broadcast_to(z, (DRAWS, *z.shape))})
    gammas = found["mediator_effect"][0]
    assert (found["mediator_effect"] == gammas).all()
    for rows in latent.blocks(data):
        k, gamma = len(rows), gammas[rows]
        # Latent: slopes of all rows, then direct effects.
        mean_of = np.concatenate([np.tile(population.slope, k), population.theta_mean[rows]])
        variance = [*np.tile(population.slope_sd**2, k), *[population.left**2] * k]
        cov_of = np.diag(variance)
        take = np.hstack([np.zeros((k, k * p)), np.eye(k)])
        for r in range(k):
            take[r, r * p : (r + 1) * p] = gamma[r]
        observed, v = latent.estimates(data, rows)
        totals = np.arange(k) * (p + 1) + p
        others = np.setdiff1d(np.arange(k * (p + 1)), totals)
        gain = np.linalg.solve(v[np.ix_(others, others)], v[np.ix_(others, totals)]).T
        noise = v[np.ix_(totals, totals)] - gain @ v[np.ix_(others, totals)]
        seen = observed[totals] - gain @ (observed[others] - gamma.ravel())
        step = np.linalg.solve(take @ cov_of @ take.T + noise, take @ cov_of).T
        slopes = found["slope_of_site"][:, rows].reshape(DRAWS, -1)
        draws = np.concatenate([slopes, found["direct_effect"][:, rows]], axis=1)
        cov = cov_of - step @ take @ cov_of
        assert_moments(draws, mean_of + step @ (seen - take @ mean_of), cov)
