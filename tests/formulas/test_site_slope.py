"""The site-slope equations, without sampling: against SciPy and un-integrated forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import dblquad
from scipy.stats import multivariate_normal, norm

from bayesmed.formulas.mediation import share_mediated, superpopulation_acme, weighted_average
from bayesmed.formulas.site_slope import (
    SamplingCovariance,
    log_density,
    outcome_conditional_noise,
    outcome_on_mediator_estimate,
    reliability,
)
from bayesmed.formulas.site_slope_integrated import NormalPrior, integrated_log_density

PARAMETERS = {
    "slope": 1.7,
    "mediator_effect_mean": 0.4,
    "mediator_effect_sd": 0.5,
    "direct_effect_mean": -0.3,
    "direct_effect_sd": 0.6,
}
size = st.floats(0.05, 20.0)
real = st.floats(-20.0, 20.0)


def covariance(se_mediator, se_outcome, corr):
    off = corr * se_mediator * se_outcome
    return np.array([[se_mediator**2, off], [off, se_outcome**2]])


def marginal(
    v, slope, mediator_effect_mean, mediator_effect_sd, direct_effect_mean, direct_effect_sd
):
    """Mean and covariance of the two estimates, written down directly."""
    mean = [mediator_effect_mean, direct_effect_mean + slope * mediator_effect_mean]
    g, t = mediator_effect_sd**2, direct_effect_sd**2
    return mean, v + np.array([[g, slope * g], [slope * g, slope**2 * g + t]])


@given(
    estimates=st.tuples(real, real),
    slope=real,
    means=st.tuples(real, real),
    sds=st.tuples(size, size),
    ses=st.tuples(size, size),
    corr=st.floats(-0.95, 0.95),
)
def test_density_is_the_bivariate_normal(estimates, slope, means, sds, ses, corr):
    v = covariance(*ses, corr)
    parameters = dict(zip(PARAMETERS, (slope, means[0], sds[0], means[1], sds[1]), strict=True))
    mean, total = marginal(v, **parameters)
    expected = multivariate_normal(mean, total).logpdf(estimates)
    found = log_density(*estimates, SamplingCovariance.of(v), **parameters)
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-8)


def test_density_is_its_latent_form_integrated():
    v = covariance(0.3, 0.4, 0.5)
    estimates = np.array([0.9, 0.2])
    error = multivariate_normal([0, 0], v)
    gamma, theta = (
        norm(PARAMETERS[f"{name}_mean"], PARAMETERS[f"{name}_sd"])
        for name in ("mediator_effect", "direct_effect")
    )

    def latent(t, g):
        total = t + PARAMETERS["slope"] * g
        return error.pdf(estimates - [g, total]) * gamma.pdf(g) * theta.pdf(t)

    integral, _ = dblquad(latent, -3, 4, -5, 5, epsabs=1e-10)
    found = log_density(*estimates, SamplingCovariance.of(v), **PARAMETERS)
    assert found == pytest.approx(np.log(integral), abs=1e-7)


def test_exact_standard_errors_are_the_limit_of_small_ones():
    """With V = 0 the pair is (gamma_s, theta_s + slope gamma_s) itself."""
    zero = SamplingCovariance.of(np.zeros((2, 2)))
    found = log_density(0.7, 1.1, zero, **PARAMETERS)
    expected = norm.logpdf(0.7, 0.4, 0.5) + norm.logpdf(1.1 - 1.7 * 0.7, -0.3, 0.6)
    assert found == pytest.approx(expected, abs=1e-12)
    for se in (1e-4, 1e-8, 1e-12, 1e-150):
        near = log_density(0.7, 1.1, SamplingCovariance.of(covariance(se, se, 0.9)), **PARAMETERS)
        assert near == pytest.approx(expected, abs=10 * se + 1e-12)


def test_nothing_cancels_when_the_noise_is_tiny():
    """The plain conditional variance d - c**2 / a is rounding noise here; the sum form is not."""
    v = covariance(1e-7, 1e-7, 0.0)
    noise = outcome_conditional_noise(3.0, 1e2, SamplingCovariance.of(v))
    assert noise == pytest.approx(1e-14 * (1 + 9.0), rel=1e-12)
    d, c, a = 9e4 + 1e-14, 3e4, 1e4 + 1e-14
    assert abs((d - c**2 / a) / noise - 1) > 0.5


def test_known_mediator_effects_leave_a_regression():
    """se(gamma_hat) = 0: beta_hat given gamma_hat is a line with slope delta."""
    cov = SamplingCovariance.of(covariance(0.0, 0.4, 0.0))
    assert outcome_on_mediator_estimate(1.7, 0.5, cov) == pytest.approx(1.7)
    assert outcome_conditional_noise(1.7, 0.5, cov) == pytest.approx(0.16)


@pytest.mark.parametrize("corr", [-0.8, 0.0, 0.6])
def test_density_does_not_depend_on_units_signs_or_order(corr):
    rng = np.random.default_rng(3)
    estimates = rng.normal(size=(2, 7))
    v = np.stack([covariance(*rng.uniform(0.1, 1, 2), corr) for _ in range(7)])
    base = log_density(*estimates, SamplingCovariance.of(v), **PARAMETERS)
    for k, m in ((1e3, 1e-3), (-1.0, 1.0), (1.0, -1.0), (-2e5, 3e-7)):
        scaled = {
            "slope": PARAMETERS["slope"] * m / k,
            "mediator_effect_mean": PARAMETERS["mediator_effect_mean"] * k,
            "mediator_effect_sd": PARAMETERS["mediator_effect_sd"] * abs(k),
            "direct_effect_mean": PARAMETERS["direct_effect_mean"] * m,
            "direct_effect_sd": PARAMETERS["direct_effect_sd"] * abs(m),
        }
        units = np.array([k, m])
        cov = SamplingCovariance.of(v * np.outer(units, units))
        found = log_density(estimates[0] * k, estimates[1] * m, cov, **scaled)
        np.testing.assert_allclose(found + np.log(abs(k * m)), base, atol=1e-10)
    order = rng.permutation(7)
    permuted = log_density(*estimates[:, order], SamplingCovariance.of(v[order]), **PARAMETERS)
    np.testing.assert_array_equal(permuted, base[order])


@pytest.mark.parametrize("per_slope", [0.0, 0.45])
def test_means_integrate_to_the_marginal_normal(per_slope):
    """Integrating both population means is adding their prior covariance to everybody's."""
    rng = np.random.default_rng(5)
    n, slope, sd, residual_sd, centre = 6, 1.3, 0.7, 0.4, 0.45
    v = np.stack([covariance(*rng.uniform(0.1, 1, 2), 0.3) for _ in range(n)])
    mediator, outcome = rng.normal(0.5, 1, n), rng.normal(2, 2, n)
    prior_m, prior_a = NormalPrior(0.2, 1.5), NormalPrior(np.array(1.0 + per_slope * slope), 3.0)
    design = np.zeros((2 * n, 2))
    design[:n, 0], design[n:, 0], design[n:, 1] = 1.0, slope, 1.0
    total = np.zeros((2 * n, 2 * n))
    for i in range(n):
        _, block = marginal(v[i], slope, 0.0, sd, 0.0, residual_sd)
        total[np.ix_([i, n + i], [i, n + i])] = block
    spread = np.diag([prior_m.sd**2, prior_a.sd**2])
    expected_mean = design @ [prior_m.mean, float(prior_a.mean)]
    expected_mean[n:] -= slope * centre
    joint = multivariate_normal(expected_mean, total + design @ spread @ design.T)
    estimates = np.concatenate([mediator, outcome])
    found = integrated_log_density(
        mediator,
        outcome,
        SamplingCovariance.of(v),
        slope=np.array([slope]),
        mediator_effect_sd=np.array([sd]),
        direct_effect_sd=np.array([[residual_sd]]),
        mediator_effect_mean=prior_m,
        total_effect_at_centre=prior_a,
        centre=centre,
    )
    assert found.log_density[0, 0] == pytest.approx(joint.logpdf(estimates), abs=1e-9)
    gain = spread @ design.T @ np.linalg.inv(total + design @ spread @ design.T)
    means = [prior_m.mean, float(prior_a.mean)] + gain @ (estimates - expected_mean)
    left = spread - gain @ design @ spread
    moments = [float(x[0, 0]) for x in found[1:]]
    np.testing.assert_allclose(moments, [*means, left[0, 0], left[1, 1], left[0, 1]], atol=1e-10)


def test_one_sharp_site_does_not_spoil_the_integral():
    """A total effect known to 1e-7 must not swamp the others' digits, far from the mode too."""
    v = np.stack([covariance(0.5, se, 0.0) for se in (1e-7, 1.0, 0.8, 1.2)])
    mediator, outcome = np.array([0.5, 1.0, 2.0, 1.5]), np.array([3.0, 4.0, 2.0, 5.0])
    shared = {
        "mediator_effect_mean": NormalPrior(1.0, 2.0),
        "total_effect_at_centre": NormalPrior(3.0, 4.0),
        "centre": 1.2,
    }
    for slope in (-80.0, 0.5):
        sharp, blunt = (
            integrated_log_density(
                mediator,
                outcome,
                SamplingCovariance.of(v_),
                slope=np.array([slope]),
                mediator_effect_sd=np.array([1e-9]),
                direct_effect_sd=np.array([[1e-9]]),
                **shared,
            ).log_density[0, 0]
            for v_ in (v, v + np.diag([0.0, 1e-10]))
        )
        assert sharp == pytest.approx(blunt, abs=1e-4)


def test_without_direct_effect_only_the_mediator_mean_is_integrated():
    v = np.stack([covariance(0.5, 0.7, 0.2)] * 3)
    mediator, outcome = np.array([0.5, 1.0, 2.0]), np.array([1.0, 1.8, 3.0])
    design = np.concatenate([np.ones(3), np.full(3, 1.6)])[:, None]
    total = np.zeros((6, 6))
    for i in range(3):
        _, block = marginal(v[i], 1.6, 0.0, 0.9, 0.0, 0.0)
        total[np.ix_([i, 3 + i], [i, 3 + i])] = block
    joint = multivariate_normal(design[:, 0] * 0.3, total + 4.0 * design @ design.T)
    found = integrated_log_density(
        mediator,
        outcome,
        SamplingCovariance.of(v),
        slope=np.array([1.6]),
        mediator_effect_sd=np.array([0.9]),
        direct_effect_sd=np.zeros((1, 1)),
        mediator_effect_mean=NormalPrior(0.3, 2.0),
        total_effect_at_centre=None,
        centre=0.0,
    )
    expected = joint.logpdf(np.concatenate([mediator, outcome]))
    assert found.log_density[0, 0] == pytest.approx(expected, abs=1e-9)


def test_mediation_estimands():
    values = np.array([[1.0, 3.0], [2.0, 6.0]])
    np.testing.assert_allclose(weighted_average(values, np.array([0.25, 0.75])), [2.5, 5.0])
    assert superpopulation_acme(2.0, 3.0) == 6.0
    np.testing.assert_allclose(share_mediated(np.array([1.0]), np.array([4.0])), [0.25])
    assert reliability(2.0, 4.0) == pytest.approx(0.5)
    assert reliability(2.0, 0.0) == 1.0
