"""Student-t direct effects under a normal error, against numerical integrals."""

import itertools

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import invgamma, norm, t

from bayesmed.formulas import student_t

# The trapezoidal rule of 40 nodes, everywhere below: its error is largest at few degrees of
# freedom and far residuals.
TOLERANCE = 2e-5


def by_quadrature(residual, sd, scale, dof):
    """Log-density of a t variable (scale) plus a normal one (sd) at a residual."""
    peak = t(dof, scale=scale)
    height = norm(0, sd)

    def both(x):
        return peak.pdf(x) * height.pdf(residual - x)

    reach = min(40 * sd, abs(residual) + 12 * sd + 40 * scale)
    inside = {0.0, residual - 4 * sd, residual + 4 * sd}
    ends = {residual - reach, residual + reach}
    pieces = sorted({x for x in inside if abs(x - residual) < reach} | ends)
    total = sum(
        quad(both, a, b, epsabs=0, epsrel=1e-9, limit=200)[0] for a, b in itertools.pairwise(pieces)
    )
    return np.log(total)


@pytest.mark.parametrize("dof", [1.5, 3.0, 4.0, 10.0, 40.0, 200.0])
@pytest.mark.parametrize("sd", [0.05, 1.0, 6.0])
def test_density_is_the_convolution(dof, sd):
    scale = 0.8
    residuals = np.array([0.0, 0.3, -1.5, 4.0, -9.0, 30.0])
    found = student_t.log_marginal(residuals, sd**2, scale**2, dof)
    expected = [by_quadrature(r, sd, scale, dof) for r in residuals]
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)


@pytest.mark.parametrize("dof", [2.0, 5.0, 30.0])
def test_without_other_noise_it_is_the_t_density(dof):
    residuals = np.array([0.0, 1.0, -3.0, 20.0])
    found = student_t.log_marginal(residuals, 1e-12, 0.49, dof)
    np.testing.assert_allclose(found, t(dof, scale=0.7).logpdf(residuals), atol=TOLERANCE)


def test_at_many_degrees_of_freedom_it_is_the_normal_density():
    residuals = np.array([0.0, 0.5, -1.5])
    found = student_t.log_marginal(residuals, 0.3, 0.49, 1e6)
    # The t density at 1e6 degrees of freedom differs by about (r / scale)**4 / 4e6.
    np.testing.assert_allclose(found, norm(0, np.sqrt(0.79)).logpdf(residuals), atol=1e-5)


@pytest.mark.parametrize("factor", [1e-4, 1e5])
def test_units_do_not_matter(factor):
    residuals = np.array([0.0, 1.0, -3.0, 20.0])
    base = student_t.log_marginal(residuals, 0.3, 0.49, 4.0)
    found = student_t.log_marginal(factor * residuals, factor**2 * 0.3, factor**2 * 0.49, 4.0)
    np.testing.assert_allclose(found + np.log(factor), base, atol=1e-10)


@pytest.mark.parametrize("dof", [1.5, 4.0, 60.0])
def test_scales_are_inverse_gamma(dof):
    u = np.array([-1.0, 0.0, 0.4, 2.0])
    expected = invgamma(dof / 2, scale=dof / 2).logpdf(np.exp(u)) + u
    np.testing.assert_allclose(student_t.log_scale_density(u, dof), expected, atol=1e-12)
