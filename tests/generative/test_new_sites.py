"""Effects at new sites: their moments, and averages in the population they come from."""

import numpy as np
import pytest

from bayesmed.formulas.mediation import superpopulation_acme
from bayesmed.generative.site_slope_new_sites import MediatorEstimates, new_site_effects
from tests.generative import latent, variants
from tests.generative.test_site_effects import LARGEST, assert_moments, at

DRAWS = 100_000
EVERY = [
    "constant",
    "random",
    "polynomial",
    "correlation",
    "student_t",
    "covariates",
    "two mediators",
    "three mediators",
    "random, two mediators",
    "polynomial, two mediators",
    "random, covariates, correlation",
    "no direct effect",
]


def new_effects(name):
    model, data = variants.MODELS[name], variants.data(name)
    draws = {k: np.broadcast_to(v, (DRAWS, *v.shape)) for k, v in at(name).items()}
    covariates = model.covariate_values(data)[:2]
    return model.new_site_effects(draws, covariates, np.random.default_rng(5))


@pytest.mark.parametrize("name", EVERY)
def test_new_sites_are_drawn_from_the_population(name):
    model, data = variants.MODELS[name], variants.data(name)
    population = latent.Population(model, data, at(name))
    found = new_effects(name)
    n = 2
    assert found["mediator_effect"].shape == (DRAWS, n, data.n_mediators)
    assert found["direct_effect"].shape == found["total_effect"].shape == (DRAWS, n)
    for row in range(n):
        gamma = found["mediator_effect"][:, row]
        assert_moments(gamma, population.mean, population.omega)
        away = found["direct_effect"][:, row] - population.theta_given(row, gamma)
        spread = population.left
        if population.dof is not None:
            # The median of |t| instead of its variance, whose error has no bound.
            inside = np.mean(np.abs(away) < 0.7407 * spread)
            assert inside == pytest.approx(0.5, abs=LARGEST * 0.5 / np.sqrt(DRAWS))
            away, spread = np.clip(away, -spread, spread), None
        if spread == 0.0:
            assert (found["direct_effect"] == 0).all()
            continue
        mean_error = LARGEST * away.std() / np.sqrt(DRAWS)
        assert away.mean() == pytest.approx(0.0, abs=mean_error)
        if spread is not None:
            assert away.std() == pytest.approx(spread, rel=LARGEST / np.sqrt(2 * DRAWS))
            # What is left of direct effects has nothing to do with mediator effects.
            for column in gamma.T:
                assert abs(np.corrcoef(column, away)[0, 1]) < LARGEST / np.sqrt(DRAWS)
    total = found["direct_effect"] + found["indirect_effect"].sum(axis=-1)
    np.testing.assert_allclose(found["total_effect"], total, rtol=1e-12)


@pytest.mark.parametrize("name", EVERY)
def test_average_indirect_effect_is_that_of_the_population(name):
    indirect = new_effects(name)["indirect_effect"]
    here = at(name)
    zero = np.zeros(indirect.shape[-1])
    expected = superpopulation_acme(
        here["slope"],
        here["mediator_effect_mean"],
        mediator_effect_sd=here["mediator_effect_sd"],
        slope_linear=here.get("slope_linear", zero),
        slope_quadratic=here.get("slope_quadratic", zero),
    )
    error = indirect.std(axis=0) / np.sqrt(DRAWS)
    assert (np.abs(indirect.mean(axis=0) - expected) < LARGEST * error).all()


@pytest.mark.parametrize("name", ["random", "random, two mediators"])
def test_slopes_of_new_sites_have_their_spread_and_are_unrelated_to_the_mediator(name):
    found, here = new_effects(name), at(name)
    slopes = found["slope_of_site"][:, 0]
    assert_moments(slopes, here["slope"], np.diag(here["slope_sd"] ** 2))
    for gamma, slope in zip(found["mediator_effect"][:, 0].T, slopes.T, strict=True):
        assert abs(np.corrcoef(gamma, slope)[0, 1]) < LARGEST / np.sqrt(DRAWS)


@pytest.mark.parametrize(
    "name", ["blocks, two mediators, covariates", "multi-site iv, blocks, persons"]
)
def test_estimates_scatter_with_the_covariance_of_their_block(name):
    """Also across the rows of a block, and not across blocks."""
    model, data = variants.MODELS[name], variants.data(name)
    size = data.n_mediators + 1
    zero = {
        "mediator_effect": np.zeros((DRAWS, data.n_rows, data.n_mediators)),
        "total_effect": np.zeros((DRAWS, data.n_rows)),
    }
    draws = {k: np.broadcast_to(v, (DRAWS, *v.shape)) for k, v in at(name).items()}
    found = model.estimates(zero, draws, data, np.random.default_rng(3))
    data = latent.seen(model, data, at(name))
    pairs = np.concatenate(
        [found["mediator_effect_estimate"], found["total_effect_estimate"][..., None]], axis=-1
    )
    expected = np.zeros((data.n_rows * size,) * 2)
    for rows in latent.blocks(data):
        index = (rows[:, None] * size + np.arange(size)).ravel()
        expected[np.ix_(index, index)] = latent.estimates(data, rows)[1]
    assert_moments(pairs.reshape(DRAWS, -1), np.zeros(len(expected)), expected)


@pytest.mark.parametrize("name", ["random", "three mediators", "correlation"])
def test_estimated_mediator_effects_are_learned_from(name):
    """Then mediator effects follow their conditional, and direct effects follow them."""
    model, data = variants.MODELS[name], variants.data(name)
    population = latent.Population(model, data, at(name))
    p = data.n_mediators
    known = MediatorEstimates(data.mediator_effect[:2], data.cov[:2, :p, :p])
    draws = {k: np.broadcast_to(v, (DRAWS, *v.shape)) for k, v in at(name).items()}
    covariates = model.covariate_values(data)[:2]
    rng = np.random.default_rng(6)
    found = new_site_effects(model, draws, covariates, rng, known)
    for row in range(2):
        gain = np.linalg.solve(population.omega + known.cov[row], population.omega).T
        mean = population.mean + gain @ (known.effect[row] - population.mean)
        gamma = found["mediator_effect"][:, row]
        assert_moments(gamma, mean, population.omega - gain @ population.omega)
        away = found["direct_effect"][:, row] - population.theta_given(row, gamma)
        spread = population.left
        assert away.mean() == pytest.approx(0.0, abs=LARGEST * spread / np.sqrt(DRAWS))
        assert away.std() == pytest.approx(spread, rel=LARGEST / np.sqrt(2 * DRAWS))
