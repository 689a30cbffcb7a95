"""Quadrature and draws against densities whose integrals are known."""

import numpy as np
import pytest
from scipy.stats import kstest, multivariate_normal, norm, skewnorm

from bayesmed.inference import quadrature
from bayesmed.inference.quadrature import QuadratureError, integrate

BOX = (-60.0, 60.0)


def tensor(density, dims):
    """Evaluate a joint log-density at scattered points on the tensor of coordinates."""

    def on_grid(u):
        points = np.stack(np.meshgrid(*u, indexing="ij"), axis=-1)
        return density(points.reshape(-1, dims)).reshape([x.size for x in u])

    return on_grid


def moments(grid, axis):
    value, _, cumulative = quadrature.fine_marginal(grid, axis)
    mass, middle = np.diff(cumulative), (value[1:] + value[:-1]) / 2
    mean = middle @ mass
    return mean, np.sqrt((middle - mean) ** 2 @ mass), np.interp(0.975, cumulative, value)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 8.0])
@pytest.mark.parametrize("centre", [0.0, 17.3])
def test_one_dimension(scale, centre):
    target = norm(centre, scale)
    grid = integrate(lambda u: target.logpdf(u[0]) + 5.0, [(-80.0, 90.0)])
    assert grid.log_integral == pytest.approx(5.0, abs=1e-6)
    mean, sd, upper = moments(grid, 0)
    assert mean == pytest.approx(centre, abs=1e-4 * scale)
    assert sd == pytest.approx(scale, rel=1e-4)
    assert upper == pytest.approx(centre + 1.959964 * scale, abs=1e-3 * scale)


def test_correlated_normal_in_three_dimensions():
    cov = np.array([[4.0, 1.0, -0.6], [1.0, 0.5, 0.1], [-0.6, 0.1, 1.5]])
    target = multivariate_normal([3.0, -1.0, 0.5], cov)
    grid = integrate(tensor(target.logpdf, 3), [BOX] * 3)
    assert grid.log_integral == pytest.approx(0.0, abs=1e-5)
    for axis in range(3):
        mean, sd, _ = moments(grid, axis)
        assert mean == pytest.approx(target.mean[axis], abs=1e-3)
        assert sd == pytest.approx(np.sqrt(cov[axis, axis]), rel=1e-3)


def test_two_modes_and_a_skewed_tail():
    def log_density(u):
        x, y = u[0][:, None], u[1][None, :]
        two = np.logaddexp(
            np.log(0.3) + norm.logpdf(x, -4, 0.2), np.log(0.7) + norm.logpdf(x, 6, 2)
        )
        return two + skewnorm.logpdf(y, 8, 1, 3)

    grid = integrate(log_density, [BOX, BOX])
    assert grid.log_integral == pytest.approx(0.0, abs=1e-4)
    mean, _, _ = moments(grid, 0)
    assert mean == pytest.approx(0.3 * -4 + 0.7 * 6, abs=2e-3)
    assert moments(grid, 1)[0] == pytest.approx(skewnorm(8, 1, 3).mean(), abs=1e-3)


def test_draws_follow_the_density():
    cov = np.array([[1.0, 0.7], [0.7, 1.0]])
    target = multivariate_normal([1.0, -2.0], cov)
    grid = integrate(tensor(target.logpdf, 2), [BOX] * 2)

    def at_points(u):
        return target.logpdf(np.column_stack(u))

    x, y = quadrature.draw(grid, at_points, 20_000, np.random.default_rng(6))
    assert x.shape == y.shape == (20_000,)
    assert kstest(x, norm(1, 1).cdf).pvalue > 1e-3
    # The part of y that x does not explain is standard normal too, and independent of x.
    rest = (y + 2 - 0.7 * (x - 1)) / np.sqrt(1 - 0.49)
    assert kstest(rest, norm.cdf).pvalue > 1e-3
    assert abs(np.corrcoef(x, rest)[0, 1]) < 4 / np.sqrt(20_000)


def test_hopeless_densities_are_refused():
    with pytest.raises(QuadratureError, match="no finite density"):
        integrate(lambda u: np.full(u[0].size, -np.inf), [BOX])
    with pytest.raises(QuadratureError):
        integrate(lambda u: 40 * np.sin(1e7 * u[0]) - u[0] ** 2, [BOX])
