"""Correlated random coefficients: 4 million simulated persons, SciPy, what is not identified."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal

from bayesmed.formulas.compliance_effects import compliance_weighted_effect, intention_to_treat
from bayesmed.formulas.random_coefficients import (
    CoefficientCovariance,
    CoefficientMeans,
    mediator_given_treatment,
    moments_given_treatment,
    normal_log_density,
    outcome_given_mediator,
)

MEANS = CoefficientMeans(mediator=0.4, compliance=0.7, outcome=1.0, slope=0.8, direct_effect=0.3)
# Of (m0, y0, Γ, Δ): all of them go together.
OMEGA = np.array(
    [
        [1.0, 0.4, 0.2, 0.15],
        [0.4, 1.5, -0.3, 0.25],
        [0.2, -0.3, 0.6, 0.3],
        [0.15, 0.25, 0.3, 0.5],
    ]
)
AMOUNTS = (0.0, 1.0, 2.5, -0.7)


def persons(seed: int, n: int, omega: np.ndarray, means: CoefficientMeans, t: float):
    rng = np.random.default_rng(seed)
    m0, y0, gamma, delta = (np.linalg.cholesky(omega) @ rng.standard_normal((4, n))) + np.array(
        [[means.mediator], [means.outcome], [means.compliance], [means.slope]]
    )
    m = m0 + gamma * t
    return m, y0 + means.direct_effect * t + delta * m


@pytest.fixture(scope="module")
def simulated():
    """A million persons at each of four amounts of treatment."""
    return {t: persons(i, 10**6, OMEGA, MEANS, t) for i, t in enumerate(AMOUNTS)}


@pytest.mark.parametrize("t", AMOUNTS)
def test_outcomes_within_bins_of_the_mediator(t: float, simulated) -> None:
    m, y = simulated[t]
    given = outcome_given_mediator(m, t, MEANS, CoefficientCovariance.of(OMEGA))
    # Given m and t the outcome is normal: pulls are standard normal in every bin.
    pull = (y - given.mean) / np.sqrt(given.variance)
    edges = np.quantile(m, np.linspace(0, 1, 26)[1:-1])
    inside = np.digitize(m, edges)
    n = np.bincount(inside)
    mean = np.bincount(inside, pull) / n
    square = np.bincount(inside, pull**2) / n
    skew = np.bincount(inside, pull**3) / n
    # 100 numbers of each kind in all.
    assert np.abs(mean * np.sqrt(n)).max() < 4.5
    assert np.abs((square - 1) * np.sqrt(n / 2)).max() < 4.5
    assert np.abs(skew * np.sqrt(n / 15)).max() < 4.5


@pytest.mark.parametrize("t", AMOUNTS)
def test_mediators_and_moments(t: float, simulated) -> None:
    m, y = simulated[t]
    cov = CoefficientCovariance.of(OMEGA)
    given = mediator_given_treatment(t, MEANS, cov)
    found = moments_given_treatment(t, MEANS, cov)
    assert found[0] == given.mean
    assert found[2] == given.variance
    dm, dy = m - found.mediator_mean, y - found.outcome_mean
    expected = (0.0, 0.0, found.mediator_variance, found.covariance, found.outcome_variance)
    for x, truth in zip((dm, dy, dm**2, dm * dy, dy**2), expected, strict=True):
        assert abs(x.mean() - truth) < 4.5 * x.std() / 1000


def test_the_conditional_density_integrates_to_the_moments() -> None:
    cov, t = CoefficientCovariance.of(OMEGA), 1.0
    given = mediator_given_treatment(t, MEANS, cov)

    def average(power: int) -> float:
        def integrand(m: float) -> float:
            y = outcome_given_mediator(m, t, MEANS, cov)
            moment = y.mean if power == 1 else y.variance + y.mean**2
            return float(moment * np.exp(normal_log_density(m, given)))

        return quad(integrand, -15, 17, epsabs=1e-12)[0]

    found = moments_given_treatment(t, MEANS, cov)
    assert average(1) == pytest.approx(found.outcome_mean, rel=1e-9)
    square = found.outcome_variance + found.outcome_mean**2
    assert average(2) == pytest.approx(square, rel=1e-9)


@pytest.mark.parametrize("t", AMOUNTS)
def test_a_common_slope_is_a_bivariate_normal(t: float) -> None:
    omega = OMEGA.copy()
    omega[3], omega[:, 3] = 0.0, 0.0
    cov = CoefficientCovariance.of(omega)
    # (M, Y) = A (m0, y0, Γ) + constants, with slope μ_Δ.
    delta = MEANS.slope
    a = np.array([[1.0, 0.0, t], [delta, 1.0, delta * t]])
    centre = a @ [MEANS.mediator, MEANS.outcome, MEANS.compliance]
    centre[1] += MEANS.direct_effect * t
    joint = multivariate_normal(centre, a @ omega[:3, :3] @ a.T)
    m, y = persons(9, 50, omega + 1e-12 * np.eye(4), MEANS, t)
    m, y = m * 2, y + 1
    found = normal_log_density(m, mediator_given_treatment(t, MEANS, cov))
    found = found + normal_log_density(y, outcome_given_mediator(m, t, MEANS, cov))
    np.testing.assert_allclose(found, joint.logpdf(np.column_stack([m, y])), rtol=1e-10)


def log_likelihood(m, y, t, means: CoefficientMeans, omega: np.ndarray) -> np.ndarray:
    cov = CoefficientCovariance.of(omega)
    first = normal_log_density(m, mediator_given_treatment(t, means, cov))
    return first + normal_log_density(y, outcome_given_mediator(m, t, means, cov))


def test_a_binary_treatment_tells_one_combination_of_two_variances() -> None:
    other = OMEGA.copy()
    other[0, 2] = other[2, 0] = OMEGA[0, 2] - 0.15
    other[2, 2] = OMEGA[2, 2] + 2 * 0.15
    for omega in (OMEGA, other):
        assert np.linalg.eigvalsh(omega)[0] > 0.05
    m, y = persons(3, 200, OMEGA, MEANS, 1.0)
    for t in (0.0, 1.0):
        same = log_likelihood(m, y, t, MEANS, OMEGA)
        np.testing.assert_allclose(log_likelihood(m, y, t, MEANS, other), same, rtol=1e-12)
    # A third amount of treatment tells them apart.
    apart = log_likelihood(m, y, 2.0, MEANS, other) - log_likelihood(m, y, 2.0, MEANS, OMEGA)
    assert np.abs(apart).max() > 0.1


def test_the_outcome_s_mean_is_a_line_with_the_effect_of_assignment_as_slope() -> None:
    cov = CoefficientCovariance.of(OMEGA)
    t = np.array(AMOUNTS)
    mean = moments_given_treatment(t, MEANS, cov).outcome_mean
    slope = np.diff(mean) / np.diff(t)
    effect = intention_to_treat(MEANS.slope, MEANS.compliance, OMEGA[2, 3], MEANS.direct_effect)
    np.testing.assert_allclose(slope, effect, rtol=1e-12)
    moved = OMEGA.copy()
    moved[2, 3] = moved[3, 2] = 0.0
    without = CoefficientMeans(*MEANS[:4])
    line = moments_given_treatment(t, without, CoefficientCovariance.of(moved)).outcome_mean
    # No covariance and no direct effect: the Wald ratio is the average effect.
    wald = (line[1] - line[0]) / MEANS.compliance
    assert wald == pytest.approx(MEANS.slope, rel=1e-12)
    cwate = compliance_weighted_effect(np.array(0.8), np.array(0.7), np.array(0.0))
    assert cwate == 0.8


def test_units_move_densities_by_their_factors() -> None:
    scale = np.array([10.0, -3.0, 10.0, -0.3])  # m × 10, y × -3; Γ as m, Δ as y / m
    means = CoefficientMeans(4.0, 7.0, -3.0, -0.24, -0.9)
    omega = OMEGA * scale[:, None] * scale
    m, y = persons(4, 20, OMEGA, MEANS, 1.0)
    plain = log_likelihood(m, y, 1.0, MEANS, OMEGA)
    moved = log_likelihood(10 * m, -3 * y, 1.0, means, omega)
    np.testing.assert_allclose(moved, plain - np.log(30), rtol=1e-12)


def test_graphs_take_the_same_functions() -> None:
    import pytensor
    import pytensor.tensor as pt

    omega, m, y = pt.dmatrix(), pt.dvector(), pt.dvector()
    cov = CoefficientCovariance.of(omega)
    first = normal_log_density(m, mediator_given_treatment(1.0, MEANS, cov))
    total = first + normal_log_density(y, outcome_given_mediator(m, 1.0, MEANS, cov))
    moments = moments_given_treatment(1.0, MEANS, cov)
    graph = pytensor.function([omega, m, y], [total, moments.outcome_variance], mode="FAST_COMPILE")
    values = persons(5, 10, OMEGA, MEANS, 1.0)
    found, variance = graph(OMEGA, *values)
    np.testing.assert_allclose(found, log_likelihood(*values, 1.0, MEANS, OMEGA), rtol=1e-12)
    exact = moments_given_treatment(1.0, MEANS, CoefficientCovariance.of(OMEGA)).outcome_variance
    assert float(variance) == pytest.approx(exact, rel=1e-12)
