"""Compliance-weighted averages: closed forms, simulation, invariances."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmed.formulas.mediation import (
    compliance_weighted_average,
    superpopulation_acme,
    superpopulation_cwate,
    weighted_average,
)

RNG = np.random.default_rng(5)
SLOPE, EFFECT = RNG.normal(1, 0.5, (7, 12)), RNG.normal(0.8, 0.4, (7, 12))
WEIGHT = RNG.dirichlet(np.ones(12))


def test_it_is_the_indirect_over_the_mediator_effect():
    """Σwγδ / Σwγ, row by row."""
    found = compliance_weighted_average(SLOPE, EFFECT, WEIGHT)
    acme = weighted_average(SLOPE * EFFECT, WEIGHT)
    assert found.shape == (7,)
    np.testing.assert_allclose(found, acme / weighted_average(EFFECT, WEIGHT), rtol=1e-14)


def test_equal_effects_or_equal_slopes_leave_the_average():
    same = compliance_weighted_average(SLOPE, np.full_like(EFFECT, 0.3), WEIGHT)
    np.testing.assert_allclose(same, SLOPE @ WEIGHT, rtol=1e-12)
    constant = compliance_weighted_average(np.full_like(SLOPE, 1.7), EFFECT, WEIGHT)
    np.testing.assert_allclose(constant, 1.7, rtol=1e-12)


def test_units_of_the_mediator_and_the_outcome():
    """A mediator in other units divides the slope and multiplies its effect."""
    found = compliance_weighted_average(SLOPE * 3 / -10, EFFECT * -10, WEIGHT)
    expected = compliance_weighted_average(SLOPE, EFFECT, WEIGHT) * 3 / -10
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_persons_at_one_site_are_reardon_and_raudenbush_5():
    """With compliers and never-takers it is the effect on compliers, their equation 6."""
    complies = np.array([1.0, 0.0, 1.0, 0.0, 1.0])
    effect = np.array([2.0, 9.0, 4.0, -7.0, 6.0])
    assert compliance_weighted_average(effect, complies, np.full(5, 0.2)) == pytest.approx(4.0)


@pytest.mark.parametrize("corr", [-0.6, 0.0, 0.5])
def test_the_population_is_that_of_many_sites(corr):
    """Against simulated sites, and against the pooled Wald ratio of their total effects."""
    rng = np.random.default_rng(11)
    mean, sd, slope, slope_sd, n = 0.7, 0.5, 1.2, 0.4, 400_000
    covariance = corr * sd * slope_sd
    cov = [[sd**2, covariance], [covariance, slope_sd**2]]
    gamma, delta = rng.multivariate_normal([mean, slope], cov, n).T
    found = float(superpopulation_cwate(slope, mean, covariance))
    # Of a ratio of means, by the delta method.
    error = np.std(gamma * delta - found * gamma) / mean / np.sqrt(n)
    sample = compliance_weighted_average(delta, gamma, np.full(n, 1 / n))
    assert abs(float(sample) - found) < 4 * error
    assert abs((gamma * delta).mean() / gamma.mean() - found) < 4 * error
    if corr:
        assert abs(found - slope) > 10 * error


def test_it_agrees_with_the_indirect_effect_in_the_population():
    mean, covariance = np.array([0.5, -0.2]), np.array([0.1, 0.3])
    acme = superpopulation_acme(np.array([2.0, 1.0]), mean, covariance=covariance)
    found = superpopulation_cwate(np.array([2.0, 1.0]), mean, covariance)
    np.testing.assert_allclose(found, acme / mean, rtol=1e-14)


def test_a_denominator_of_zero_has_no_ratio_and_does_not_warn():
    assert np.isnan(compliance_weighted_average(np.ones(2), np.zeros(2), np.full(2, 0.5)))
    assert superpopulation_cwate(np.array(1.0), np.array(0.0), np.array(0.2)) == np.inf
