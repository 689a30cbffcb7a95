"""Priors: against SciPy and PyMC, moved between units, and refused when impossible."""

import numpy as np
import pymc as pm
import pytest
from scipy import stats

from bayesmed.core.errors import ModelError
from bayesmed.priors import FAMILIES, Prior

EXAMPLES = [
    Prior("Normal", mu=0.3, sigma=2),
    Prior("StudentT", nu=4, mu=-1, sigma=0.7),
    Prior("Cauchy", alpha=1, beta=2),
    Prior("Laplace", mu=1, b=0.5),
    Prior("Logistic", mu=-2, s=1.5),
    Prior("TruncatedNormal", mu=0.2, sigma=1.3, lower=-0.5, upper=2.5),
    Prior("Uniform", lower=-1, upper=3),
    Prior("HalfNormal", sigma=2.5),
    Prior("HalfStudentT", nu=3, sigma=1.2),
    Prior("HalfCauchy", beta=0.6),
    Prior("Exponential", lam=0.4),
    Prior("Gamma", alpha=2.5, beta=1.4),
    Prior("InverseGamma", alpha=3, beta=2),
    Prior("LogNormal", mu=0.1, sigma=0.8),
]
by_name = pytest.mark.parametrize("prior", EXAMPLES, ids=lambda p: p.distribution)


def test_examples_cover_every_family():
    assert [p.distribution for p in EXAMPLES] == list(FAMILIES)


@by_name
def test_log_density_is_that_of_pymc(prior):
    x = prior.quantile(np.array([0.05, 0.3, 0.5, 0.9]))
    variable = getattr(pm, prior.distribution).dist(**prior.parameters)
    np.testing.assert_allclose(
        prior.log_density(x), pm.logp(variable, x).eval(), rtol=1e-7, atol=1e-7
    )


@by_name
def test_density_integrates_to_the_quantiles(prior):
    low, high = prior.quantile(np.array([0.2, 0.7]))
    x = np.linspace(low, high, 20001)
    assert np.trapezoid(np.exp(prior.log_density(x)), x) == pytest.approx(0.5, abs=1e-6)


@by_name
def test_draws_follow_the_quantiles(prior):
    draws = prior.draw(np.random.default_rng(11), (4000,))
    below = np.mean(draws[:, None] <= prior.quantile(np.array([0.1, 0.5, 0.9])), axis=0)
    # Four standard errors of a proportion.
    np.testing.assert_allclose(below, [0.1, 0.5, 0.9], atol=4 * 0.5 / np.sqrt(4000))


@by_name
def test_moving_is_a_change_of_variable(prior):
    shift, factor = (0.0 if prior.support[0] == 0.0 else 1.7), 3.5
    moved = prior.moved(shift, factor)
    x = prior.quantile(np.array([0.1, 0.5, 0.8]))
    expected = prior.log_density(x) - np.log(factor)
    np.testing.assert_allclose(moved.log_density(shift + factor * x), expected, rtol=1e-10)


@by_name
def test_density_is_zero_outside_the_support(prior):
    low, high = prior.support
    outside = [x for x in (low - 1, high + 1) if np.isfinite(x)]
    assert np.all(np.isneginf(prior.log_density(np.array(outside))))


def test_units():
    scaled = Prior("Normal", mu=1, sigma=2, unit="scaled")
    assert scaled.in_data_units(10.0, 5.0) == Prior("Normal", mu=15, sigma=10)
    data = Prior("Normal", mu=1, sigma=2)
    assert data.in_data_units(10.0, 5.0) is data


def test_half_student_t_is_the_folded_t():
    prior = Prior("HalfStudentT", nu=3, sigma=2)
    assert prior.quantile(0.5) == pytest.approx(stats.t(3, scale=2).ppf(0.75))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "no distribution"),
        ({"distribution": "Norml", "sigma": 1}, "Did you mean 'Normal'"),
        ({"distribution": "Normal", "sd": 1}, "unknown key 'sd'"),
        ({"distribution": "Normal"}, "needs sigma"),
        ({"distribution": "Normal", "sigma": 0}, "greater than 0"),
        ({"distribution": "Normal", "sigma": -1}, "greater than 0"),
        ({"distribution": "Normal", "sigma": "1"}, "Give a number"),
        ({"distribution": "Normal", "sigma": True}, "Give a number"),
        ({"distribution": "Normal", "sigma": float("nan")}, "finite"),
        ({"distribution": "Normal", "mu": float("inf"), "sigma": 1}, "finite"),
        ({"distribution": "Normal", "sigma": 1, "nu": 3}, "no hyperparameter 'nu'"),
        ({"distribution": "Uniform", "lower": 2, "upper": 1}, "lower smaller than upper"),
        ({"distribution": "Normal", "sigma": 1, "unit": "metres"}, "unit"),
        ({"distribution": "__import__('os')", "sigma": 1}, "no prior distribution"),
    ],
)
def test_impossible_priors_are_refused(table, words):
    with pytest.raises(ModelError, match=words.replace("(", r"\(").replace(")", r"\)")):
        Prior.from_mapping(table)
