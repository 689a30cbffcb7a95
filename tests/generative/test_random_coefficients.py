"""Correlated random coefficients: density, gradient, priors, invariances, without sampling."""

import pickle

import numpy as np
import pymc as pm
import pytest
from scipy.stats import beta as beta_distribution
from scipy.stats import kstest, multivariate_normal, norm

from bayesmed.core.errors import DataError, ModelError
from bayesmed.data import TrialPersons
from bayesmed.generative.random_coefficients import RandomCoefficients
from bayesmed.priors import Prior
from tests.generative.random_coefficients import (
    MODELS,
    NORMAL,
    Compiled,
    compiled,
    covariance,
    log_prior_of_variables,
    means,
    persons,
)

every_model = pytest.mark.parametrize("name", MODELS)
every_normal = pytest.mark.parametrize("name", NORMAL)


def integrated(draws, data, i):
    """Log-density of one person, by summing the density of all four coefficients over a grid."""
    t = data.treatment[i] - data.treatment.mean()
    m = data.mediator[i] - data.mediator.mean()
    centre, omega = means(draws), covariance(draws)
    centre[0] -= data.mediator.mean()
    direct = draws["direct_effect"][0] * t if "direct_effect" in draws else 0.0
    axes = [
        c + s * np.linspace(-9, 9, 401)
        for c, s in zip(centre[2:], np.sqrt(np.diag(omega)[2:]), strict=True)
    ]
    gamma, delta = np.meshgrid(*axes, indexing="ij")
    points = np.stack([m - gamma * t, data.outcome[i] - direct - delta * m, gamma, delta], axis=-1)
    density = multivariate_normal(centre, omega).pdf(points)
    return np.log(density.sum() * np.prod([a[1] - a[0] for a in axes]))


@every_normal
@pytest.mark.parametrize("seed", [0, 1])
def test_a_person_s_density_is_that_of_all_coefficients_integrated(name, seed):
    found = compiled(name)
    draws = found.parameters(found.point(seed, 0.3))
    axis, each = found.model.log_likelihood(draws, found.data)
    assert axis == "person"
    assert each.shape == (1, found.data.n)
    for i in (0, 1, 2, 20):
        # Where a centred treatment or mediator is near 0, the grid is too coarse a sum.
        assert each[0, i] == pytest.approx(integrated(draws, found.data, i), abs=2e-6)


@every_model
@pytest.mark.parametrize("seed", range(3))
def test_the_graph_has_the_density_of_priors_and_persons(name, seed):
    found = compiled(name)
    point = found.point(seed)
    draws = found.parameters(point)
    likelihood = found.model.log_likelihood(draws, found.data)[1].sum()
    units = np.log(found.data.outcome.std())
    units += 0.0 if name == "binary" else np.log(found.data.mediator.std())
    expected = log_prior_of_variables(found, point) + likelihood + found.data.n * units
    assert found.density(point) == pytest.approx(expected, rel=1e-9)


@every_model
def test_gradient_is_that_of_differences(name):
    found = compiled(name)
    start = found.point(4)
    gradient, expected = found.at(start)[2], []
    for key in (v.name for v in found.graph.value_vars):
        for where in np.ndindex(np.shape(start[key])):
            step = np.zeros(np.shape(start[key]))
            step[where] = 1e-5
            ends = [float(found.at(start | {key: start[key] + x})[1]) for x in (step, -step)]
            expected.append((ends[0] - ends[1]) / 2e-5)
    scale = abs(float(found.at(start)[1])) + np.abs(gradient).max()
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-8 * scale)


def moved(data, treatment, mediator, outcome):
    """Persons whose variables are a + b times what they were."""
    values = {"treatment": treatment, "mediator": mediator, "outcome": outcome}
    return TrialPersons.from_arrays(
        **{k: a + b * getattr(data, k) for k, (a, b) in values.items()},
        continuous=data.names.arms is None,
    )


@every_normal
def test_units_and_zeros_are_no_matter(name):
    data, model = persons(name), MODELS[name]
    arms = data.names.arms is not None
    other = moved(data, (0, 1) if arms else (-3, 0.1), (7, 1000.0), (-50, 0.02))
    for node, values in model.graph_data(data).items():
        np.testing.assert_allclose(model.graph_data(other)[node], values, atol=1e-9)


@every_normal
@pytest.mark.parametrize("flipped", ["treatment", "mediator", "outcome"])
def test_signs_are_no_matter(name, flipped):
    data, found = persons(name), compiled(name)
    arms = data.names.arms is not None
    flips = {"treatment": (1, -1)} if arms and flipped == "treatment" else {flipped: (0, -1)}
    same = {"treatment": (0, 1), "mediator": (0, 1), "outcome": (0, 1)}
    other = moved(data, **(same | flips))
    point = found.point(5)
    t, m, y = (-1 if flipped == k else 1 for k in same)
    signs = {"slope": m * y, "mediator_effect": m * t, "direct_effect": y * t}
    signs |= {"mediator_level": m, "outcome_level": y}
    image = {k: v * signs.get(k.removesuffix("_std"), 1) for k, v in point.items()}
    # Signs of the coefficients in the order of the root, and so of their partial correlations.
    order = (y, y * m, m, m) if arms else (m, m * t, y, y * m)
    pairs = np.array([order[i] * order[j] for i in range(4) for j in range(i)])
    key = next(k for k in point if k.startswith("partial"))
    if arms and flipped == "treatment":
        # Arms change places: so do the spreads in them, and the last two rows of the root.
        key_sd = next(k for k in point if k.startswith("mediator_sd"))
        image[key_sd] = point[key_sd][::-1]
        # Correlations given those before do not depend on the order of what comes later.
        image[key] = point[key][[0, 3, 4, 1, 2, 5]]
    else:
        image[key] = point[key] * pairs
    with found.graph:
        pm.set_data(found.model.graph_data(other))
        there = found.density(image)
        pm.set_data(found.model.graph_data(data))
    assert there == pytest.approx(found.density(point), rel=1e-10)


def test_nothing_of_two_arms_tells_how_mediators_under_both_go_together():
    found = compiled("two arms")
    point = found.point(6)
    key = next(k for k in point if k.startswith("partial"))
    other = point | {key: point[key] + np.array([0, 0, 0, 0, 0, 1.0])}
    # Its prior is uniform, so the whole density is the same.
    assert found.density(other) == pytest.approx(found.density(point), rel=1e-12)
    here, there = found.parameters(point), found.parameters(other)
    assert abs(here["mediator_effect_sd"] - there["mediator_effect_sd"])[0] > 0.1
    together = [d["mediator_effect_sd"] * d["person_correlation"][:, 2, 3] for d in (here, there)]
    np.testing.assert_allclose(*together, rtol=1e-9)


def test_correlations_are_uniform_a_priori():
    rng, data = np.random.default_rng(8), persons("amount")
    draws = MODELS["amount"].prior_draws(data, 4000, rng)
    corr = draws["person_correlation"]
    uniform = beta_distribution(2, 2, loc=-1, scale=2)
    for i in range(4):
        for j in range(i):
            assert kstest(corr[:, i, j], uniform.cdf).pvalue > 1e-3
    arms = MODELS["two arms"].prior_draws(persons("two arms"), 4000, rng)
    assert kstest(arms["person_correlation"][:, 1, 3], uniform.cdf).pvalue > 1e-3
    # The spread under each treatment is what its prior says.
    spread = covariances_of_mediators(arms, persons("two arms"))
    np.testing.assert_allclose(spread, arms["mediator_sd"], rtol=1e-9, atol=1e-9)


def covariances_of_mediators(draws, data):
    """Standard deviation of the mediator under each of two treatments, from the coefficients."""
    t = np.array([0.0, 1.0]) - data.treatment.mean()
    level, effect = draws["mediator_level_sd"], draws["mediator_effect_sd"]
    both = draws["person_correlation"][:, 0, 2] * level * effect
    t = t[:, None]
    return np.sqrt(level**2 + 2 * t * both + t**2 * effect**2).T


def test_binary_cells_against_scipy():
    found = compiled("binary")
    data, draws = found.data, found.parameters(found.point(2))
    t, m = data.treatment.astype(int), data.mediator.astype(int)
    share = draws["mediator_share"][0][t]
    expected = np.log(np.where(m == 1, share, 1 - share))
    cell = draws["cell_mean"][0][t, m], draws["cell_sd"][0][t, m]
    expected = expected + norm(*cell).logpdf(data.outcome)
    np.testing.assert_allclose(found.model.log_likelihood(draws, data)[1][0], expected, rtol=1e-10)


def test_models_are_values_and_share_compiled_forms():
    prior = {"slope": Prior("Normal", mu=0, sigma=1)}
    model = RandomCoefficients(priors=prior)
    assert model == RandomCoefficients(priors=prior) == pickle.loads(pickle.dumps(model))
    assert hash(model) == hash(RandomCoefficients(priors=prior))
    structures = [MODELS[name].structure(persons(name)) for name in MODELS]
    assert len(set(structures)) == len(MODELS)
    assert model.structure(persons("amount", 25)) == structures[2]
    assert set(model.parameters) >= {"slope", "mediator_sd", "mediator_effect_sd", "cell_mean"}
    assert not set(model.parameters) & set(model.derived)


def test_more_persons_need_no_new_graph():
    found, more = compiled("amount"), persons("amount", 90)
    point = found.point(3)
    with found.graph:
        pm.set_data(found.model.graph_data(more))
        there = found.density(point)
        pm.set_data(found.model.graph_data(found.data))
    assert there == pytest.approx(Compiled("amount", more).density(point), rel=1e-12)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"mediator": "ordinal"}, "mediator of a random_coefficients model is 'ordinal'"),
        ({"direct_effect": 1}, "direct_effect is 1"),
        ({"direct_effect": True, "mediator": "binary"}, "binary mediator"),
        ({"priors": {"slpe": Prior("Normal", sigma=1)}}, "Did you mean 'slope'"),
        ({"priors": {"slope_sd": Prior("Normal", sigma=1)}}, "more than positive values"),
        ({"mediator": "binary", "priors": {"slope": Prior("Normal", sigma=1)}}, "no parameter"),
        ({"priors": {"mediator_share": Prior("HalfNormal", sigma=1)}}, "values from 0 to 1"),
    ],
)
def test_impossible_choices(choices, words):
    with pytest.raises(ModelError, match=words):
        RandomCoefficients(**choices)


def changed(name, **values):
    data = persons(name)
    arrays = {k: np.array(getattr(data, k)) for k in ("treatment", "mediator", "outcome")} | values
    return TrialPersons.from_arrays(**arrays, continuous=data.names.arms is None)


def test_data_without_a_likelihood():
    arms, two = persons("two arms"), persons("binary")
    normal, binary = RandomCoefficients(mediator="normal"), RandomCoefficients(mediator="binary")
    with_age = TrialPersons.from_arrays(
        treatment=arms.treatment,
        mediator=arms.mediator,
        outcome=arms.outcome,
        covariates={"age": arms.outcome},
    )
    line = changed("two arms", outcome=1.0 + 2.0 * arms.mediator)
    without = changed("two arms", mediator=arms.mediator * arms.treatment)
    flat = changed("binary", outcome=np.where(two.mediator > 0, two.outcome, 3.0))
    few = TrialPersons.from_arrays(treatment=[0, 1], mediator=[1, 2], outcome=[3, 5])
    for model, data, words in (
        (normal, with_age, "no place for age"),
        (normal, few, "2 persons are too few"),
        (normal, two, "two values or fewer"),
        (normal, line, "without any error"),
        (normal, without, "for all 20 persons with treatment 0"),
        (normal, changed("two arms", outcome=np.ones(60)), "everybody has the same value"),
        (binary, arms, "other values than 0 and 1"),
        (binary, persons("amount"), "treatment is an amount"),
        (binary, flat, "no spread there"),
        (binary, changed("binary", mediator=np.ones(60)), "everybody has the same value"),
        (RandomCoefficients(direct_effect=True), two, "cannot be told from its effects"),
    ):
        with pytest.raises(DataError, match=words):
            model.check_data(data)
    half = Prior("HalfNormal", sigma=1)
    for name, data in (("mediator_effect_sd", arms), ("mediator_sd[0]", persons("amount"))):
        with pytest.raises(ModelError, match="no parameter with these data"):
            RandomCoefficients(priors={name: half}).build(data)
    RandomCoefficients(priors={"mediator_sd[1]": half}).check_data(arms)
