"""What is particular to the multi-site IV model; its densities are tested with all variants."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from bayesmed.core.errors import ModelError
from bayesmed.generative import MultiSiteIV, SiteSlope, model_from_mapping, model_to_mapping
from bayesmed.generative.site_slope_graph import structure
from bayesmed.priors import Prior
from tests.generative import variants

NORMAL = Prior("Normal", sigma=1)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"slope_covariance": "ful"}, "Did you mean 'full'"),
        ({"direct_effect": 1}, "direct_effect is 1. Write true or false"),
        ({"compliance_correlation": "yes"}, "compliance_correlation is 'yes'"),
        ({"compliance_correlation": 1.0}, "compliance_correlation is 1.0"),
        ({"compliance_correlation": float("nan")}, "compliance_correlation is nan"),
        ({"within_site_covariance": "0.1"}, "within_site_covariance is '0.1'"),
        ({"within_site_covariance": float("inf")}, "Give a finite number, or a prior"),
        ({"within_site_covariance": True}, "within_site_covariance is True"),
        ({"within_site_covariance": 0.2, "direct_effect": True}, "cannot tell"),
        (
            {"slope_covariance": "diagonal", "compliance_correlation": True},
            'Leave slope_covariance = "diagonal" out',
        ),
        ({"priors": {"direct_effect_sd": NORMAL}}, "the model has no direct effect"),
        ({"priors": {"slope_sd": NORMAL}}, "allows negative values"),
        ({"priors": {"slope_corr": NORMAL}}, "no parameter 'slope_corr'"),
    ],
)
def test_impossible_choices_are_refused(choices, words):
    with pytest.raises(ModelError, match=words.replace(".", "[.]").replace("(", "[(]")):
        MultiSiteIV(**choices)


@pytest.mark.parametrize(
    "model",
    [
        MultiSiteIV(),
        MultiSiteIV(slope_covariance="full", direct_effect=True, priors={"slope": NORMAL}),
        MultiSiteIV(compliance_correlation=True, within_site_covariance=NORMAL),
        MultiSiteIV(compliance_correlation=-0.4, slope_covariance="diagonal"),
    ],
)
def test_stored_and_sent(model):
    assert model_from_mapping(model_to_mapping(model)) == model
    assert pickle.loads(pickle.dumps(model)) == model
    assert hash(pickle.loads(pickle.dumps(model))) == hash(model)


def test_slopes_may_be_correlated_where_there_are_sites_enough():
    few, many = variants.table(2, rows=29), variants.table(2, rows=30)
    auto = MultiSiteIV()
    assert (auto.related(few), auto.related(many)) == ("none", "slopes")
    assert auto.related(variants.table(1, rows=40)) == "none"
    assert MultiSiteIV(slope_covariance="full").related(few) == "slopes"
    assert MultiSiteIV(slope_covariance="diagonal").related(many) == "none"
    assert MultiSiteIV(compliance_correlation=True).related(few) == "effects"


def test_one_mediator_is_the_random_slope_through_the_origin():
    """With nothing relaxed the density is that of the site slope without direct effect."""
    data = variants.data("multi-site iv")
    mine, other = MultiSiteIV(), SiteSlope(slope="random", direct_effect=False)
    rng = np.random.default_rng(3)
    draws = mine.prior_draws(data, 20, rng)
    np.testing.assert_allclose(
        mine.log_likelihood(draws, data), other.log_likelihood(draws, data), rtol=1e-12
    )


def test_known_covariance_moves_total_effects():
    """A known Σκ is the same as total effects that are smaller by it."""
    data = variants.data("multi-site iv")
    draws = MultiSiteIV().prior_draws(data, 20, np.random.default_rng(4))
    moved = variants.SiteEstimates.from_arrays(
        mediator_effect=data.mediator_effect, total_effect=data.total_effect + 0.3, cov=data.cov
    )
    np.testing.assert_allclose(
        MultiSiteIV(within_site_covariance=0.3).log_likelihood(draws, moved),
        MultiSiteIV().log_likelihood(draws, data),
        rtol=1e-9,
    )


def test_structures_differ():
    """What changes the graph compiles anew; what is data does not."""
    data = variants.table(2, rows=12)
    made = [
        MultiSiteIV(),
        MultiSiteIV(slope_covariance="full"),
        MultiSiteIV(compliance_correlation=True),
        MultiSiteIV(within_site_covariance=0.1),
        MultiSiteIV(within_site_covariance=NORMAL),
        MultiSiteIV(direct_effect=True),
    ]
    assert len({structure(model, data) for model in made}) == len(made)
    again = MultiSiteIV(within_site_covariance=0.7)
    assert structure(again, data) == structure(made[3], data)
    one, two = (structure(MultiSiteIV(compliance_correlation=r), data) for r in (-0.4, 0.4))
    assert one == two
    assert one not in {structure(model, data) for model in made}


def test_a_known_correlation_of_none_is_none():
    assert MultiSiteIV(compliance_correlation=0) == MultiSiteIV(compliance_correlation=0.0)
    assert MultiSiteIV(compliance_correlation=0.0) == MultiSiteIV()
    assert MultiSiteIV(compliance_correlation=0.0).compliance_correlation is False


def test_a_known_correlation_is_that_of_simulated_sites():
    """Each slope goes with its own mediator; with another's as far as that goes with its own."""
    data = variants.table(2, rows=12)
    model = MultiSiteIV(compliance_correlation=-0.7, slope_covariance="full")
    rng = np.random.default_rng(6)
    one = {k: v[:1] for k, v in model.prior_draws(data, 1, rng).items()}
    many = {k: np.repeat(v, 100, axis=0) for k, v in one.items()}
    sites = model.new_site_effects(many, np.zeros((400, 0)), rng)
    columns = [sites[n].reshape(-1, 2) for n in ("mediator_effect", "slope_of_site")]
    found = np.corrcoef(np.hstack(columns).T)
    across = -0.7 * one["mediator_effect_corr"][0]
    np.testing.assert_allclose(found[:2, 2:], across, atol=0.03)
    np.testing.assert_allclose(found[2, 3], one["slope_corr"][0, 0, 1], atol=0.03)


def test_superpopulation_effect_has_its_covariance():
    """E[δγ] = δμ + Cov(δ, γ) over simulated sites."""
    from bayesmed.effects.estimands import in_population
    from bayesmed.inference.tree import parameters_dataset

    data = variants.table(2, rows=12)
    model = MultiSiteIV(compliance_correlation=True)
    rng = np.random.default_rng(5)
    one = {k: v[:1] for k, v in model.prior_draws(data, 1, rng).items()}
    many = {k: np.repeat(v, 400, axis=0) for k, v in one.items()}
    sites = model.new_site_effects(many, np.zeros((500, 0)), rng)
    simulated = sites["indirect_effect"].reshape(-1, 2)
    error = simulated.std(axis=0) / np.sqrt(len(simulated))
    found = in_population(parameters_dataset(model, data, {k: v[None] for k, v in one.items()}))
    expected = found["superpopulation_acme"].values.ravel()
    assert (np.abs(simulated.mean(axis=0) - expected) < 5 * error).all()
    slope_and_effect = np.corrcoef(
        sites["slope_of_site"][..., 0].ravel(), sites["mediator_effect"][..., 1].ravel()
    )[0, 1]
    assert slope_and_effect == pytest.approx(one["mediator_effect_slope_corr"][0, 1, 0], abs=0.02)
