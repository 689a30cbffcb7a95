"""The density PyMC sees is that of the latent form, in every variant, without sampling."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from bayesmed.generative import site_slope_draws
from bayesmed.generative.site_slope_draws import SITE_COORDINATES
from bayesmed.generative.site_slope_graph import padded_size, treatment
from tests.generative import latent, variants
from tests.generative.graphs import (
    compiled,
    draws_of,
    log_jacobian,
    mediator_effects,
    present,
    single,
)
from tests.generative.test_site_effects import at

every_variant = pytest.mark.parametrize("name", variants.MODELS)


def test_variants_cover_every_treatment():
    for names, expected in (
        (variants.CLOSED, "closed"),
        (variants.AVERAGED, "averaged"),
        (variants.SAMPLED, "sampled"),
    ):
        found = {treatment(variants.MODELS[n], variants.data(n)) for n in names}
        assert found == {expected}


def written_out(model, data, draws):
    """Log posterior density, of mediator effects too where they are sampled, from SciPy alone."""
    at = single(draws)
    prior = latent.log_prior(model, data, at)
    if SITE_COORDINATES not in draws:
        return prior + latent.marginal(model, data, at).sum()
    gamma = mediator_effects(model, data, draws)[0]
    whole, data = latent.Population(model, data, at), latent.seen(model, data, at)
    return prior + sum(latent.joint(whole, data, r, gamma[r]) for r in latent.blocks(data))


@every_variant
def test_graph_is_the_latent_form(name, monkeypatch):
    found = compiled(name)
    model, data = found.model, found.data
    for seed in range(3):
        point = found.point(seed)
        plain, standard, _, estimates = found.evaluate(point)
        draws = draws_of(model, data, standard)
        expected = written_out(model, data, draws) + log_jacobian(model, data, standard)
        if name in variants.AVERAGED:
            # How well a few nodes do is another question: here many take their place.
            monkeypatch.setattr(site_slope_draws, "normal_nodes", many_nodes)
            plain += model.log_likelihood(draws, data).sum() - estimates
        if SITE_COORDINATES in standard:
            plain += padding_integrated(found, point, plain)
        # The rule for the t distribution is good to about 1e-6 (see its tests).
        assert plain == pytest.approx(expected, rel=1e-7, abs=1e-5)


def many_nodes(n_axes):
    assert n_axes == 1
    z = np.linspace(-10.0, 10.0, 2001)
    return z[None], norm.logpdf(z) + np.log(z[1] - z[0])


def padding_integrated(found, point, base):
    """Change of the log-density when the coordinates of rows that are not there are integrated."""
    z = np.linspace(-10.0, 10.0, 101)
    shape = point[SITE_COORDINATES].shape
    padding = ~present(found.data, point).reshape(shape)
    total = 0.0
    for i, b in np.argwhere(padding[:, : found.data.n_blocks]):
        values = []
        for value in z:
            moved = point[SITE_COORDINATES].copy()
            moved[i, b] = value
            values.append(found.evaluate(point | {SITE_COORDINATES: moved})[0])
        total += logsumexp(np.array(values) - base) + np.log(z[1] - z[0])
    # Whole blocks of padding are standard normal: see below.
    return total - norm.logpdf(point[SITE_COORDINATES][:, found.data.n_blocks :]).sum()


@every_variant
def test_parameters_follow_from_the_standardised_ones(name):
    """The NumPy transformation after sampling is the one in the graph."""
    found = compiled(name)
    _, standard, named, _ = found.evaluate(found.point(6))
    draws = draws_of(found.model, found.data, standard)
    for key, value in named.items():
        np.testing.assert_allclose(draws[key][0], value, rtol=1e-10, atol=1e-12)
    expected = {*found.model.parameters, *variants.derived(name)}
    assert set(named) == expected
    assert set(draws) - {SITE_COORDINATES} == expected


@pytest.mark.parametrize("name", variants.CLOSED + variants.AVERAGED)
def test_log_likelihood_is_that_of_the_graph(name):
    found = compiled(name)
    _, standard, _, estimates = found.evaluate(found.point(7))
    draws = draws_of(found.model, found.data, standard)
    each = found.model.log_likelihood(draws, found.data)
    assert each.shape == (1, found.data.n_blocks)
    assert each.sum() == pytest.approx(estimates, rel=1e-9)


@pytest.mark.parametrize("name", variants.SAMPLED)
def test_padding_adds_nothing(name):
    found = compiled(name)
    size = padded_size(found.data.n_blocks)
    point = found.point(8)
    base = found.evaluate(point)[0]
    z = point[SITE_COORDINATES]
    assert z.shape[1] == size > found.data.n_blocks
    more = z.copy()
    more[:, found.data.n_blocks :] = 1.7
    moved = found.evaluate(point | {SITE_COORDINATES: more})[0]
    change = norm.logpdf(more).sum() - norm.logpdf(z).sum()
    assert moved - base == pytest.approx(change, abs=1e-9)


@pytest.mark.parametrize("name", [*variants.AVERAGED, "polynomial, no direct effect"])
def test_few_nodes_are_near_the_integral_at_plausible_parameters(name):
    model, data, here = variants.MODELS[name], variants.data(name), at(name)
    found = model.log_likelihood({k: v[None] for k, v in here.items()}, data)[0]
    np.testing.assert_allclose(found, latent.marginal(model, data, here), atol=1e-4)
