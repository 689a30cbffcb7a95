"""Effects of the covariate-IV model: averages over persons by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from bayesmed.data import TrialMoments
from bayesmed.effects.trials.covariate_iv import covariate_iv_effects
from bayesmed.generative.covariate_iv import CovariateIV
from bayesmed.priors import Prior
from tests.generative.covariate_ivs import MODELS, data_for, trial

CUT = CovariateIV(slope_modifier={"severe": Prior("Normal", sigma=0.5), "age": 0.1})


def by_persons(model, draws, data):
    """(n,) averages of persons' mediator effects, and of slope times mediator effect."""
    x = data.covariates - data.covariates.mean(axis=0)
    names = data.names.covariates
    n = len(draws["slope"])
    index = draws["mediator_intercept"][:, None] + draws["mediator_coefficient"] @ x.T
    change = np.repeat(draws["mediator_effect"][:, None], data.n, axis=1)
    for j, name in enumerate(model.coords(data)["interacted_covariate"]):
        change += draws["mediator_modification"][:, [j]] * x[:, names.index(name)]
    slope = np.repeat(draws["slope"][:, None], data.n, axis=1)
    for name, value in model.slope_modifier:
        j = names.index(name)
        at = list(model.uncertain_slope).index(name) if isinstance(value, Prior) else None
        tau = np.full(n, value) if at is None else draws["slope_modifier"][:, at]
        slope += tau[:, None] * x[:, j]
    if model.mediator == "probit":
        change = norm.cdf(index + change) - norm.cdf(index)
    return change.mean(axis=1), (slope * change).mean(axis=1)


@pytest.mark.parametrize("name", [*MODELS, "cut"])
def test_they_are_averages_over_persons(name):
    model = CUT if name == "cut" else MODELS[name]
    data = trial() if name == "cut" else data_for(name)
    draws = model.prior_draws(data, 20, np.random.default_rng(1))
    found = covariate_iv_effects(model, draws, data)
    on_mediator, indirect = by_persons(model, draws, data)
    values = found.draws
    np.testing.assert_allclose(values["mediator_effect"], on_mediator, rtol=1e-9)
    np.testing.assert_allclose(values["indirect_effect"], indirect, rtol=1e-8)
    np.testing.assert_allclose(values["total_effect"], draws["direct_effect"] + indirect)
    np.testing.assert_allclose(values["share_mediated"] * values["total_effect"], indirect)
    assert list(found.labels) == list(values)
    assert found.ratios == {"share_mediated"}
    for key, dims in found.dims.items():
        assert values[key].shape == (20, *(len(found.coords[d]) for d in dims))


def test_moments_are_enough():
    model, data = MODELS["modifiers"], trial()
    draws = model.prior_draws(data, 5, np.random.default_rng(1))
    pair = [
        covariate_iv_effects(model, draws, d).draws for d in (data, TrialMoments.from_persons(data))
    ]
    for key in pair[0]:
        np.testing.assert_allclose(pair[0][key], pair[1][key], rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("default", ["slope (IV-A2)"]),
        ("modifiers", ["but for the modifiers (IV-A2)"]),
        ("probit", ["slope (IV-A2)", "form of a probit"]),
        ("uncertain", ["but for the modifiers (IV-A2)", "by severe cannot be told"]),
        ("random", ["slope (IV-A2)", "errors by arm"]),
        ("cut", ["but for the modifiers (IV-A2)", "by severe: posteriors given values"]),
    ],
)
def test_notes_say_what_the_effects_rest_on(name, words):
    model = CUT if name == "cut" else MODELS[name]
    data = trial() if name == "cut" else data_for(name)
    draws = model.prior_draws(data, 2, np.random.default_rng(1))
    notes = covariate_iv_effects(model, draws, data).notes
    assert len(notes) == len(words)
    for note, word in zip(notes, words, strict=True):
        assert word in note
