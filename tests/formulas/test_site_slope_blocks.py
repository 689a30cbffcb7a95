"""Blocks with several mediators and shared controls, against dense matrices and brute force."""

import itertools

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from bayesmed.formulas.averaging import normal_nodes
from bayesmed.formulas.linear_gaussian import unit_lower
from bayesmed.formulas.site_slope import SamplingCovariance, log_density
from bayesmed.formulas.site_slope_blocks import (
    Blocks,
    Curve,
    coordinates,
    given_mediator_estimates,
    log_ratio,
    mediator_effects,
    outcome_log_density,
)

SHAPES = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1)]


def blocks_of(mediator, outcome, cov, present=None):
    """Blocks from (B, N), (B, K) and covariances (B, N + K, N + K), mediators of all rows first."""
    n, k = mediator.shape[1], outcome.shape[1]
    listed = [[cov[:, i, j] for j in range(n + k)] for i in range(n + k)]
    inverse, variance = unit_lower([row[:n] for row in listed[:n]])
    gain = np.linalg.pinv(cov[:, :n, :n]) @ cov[:, :n, n:]
    noise = cov[:, n:, n:] - cov[:, n:, :n] @ gain
    return Blocks(
        list(mediator.T),
        list(outcome.T),
        inverse,
        [np.sqrt(np.maximum(v, 0.0)) for v in variance],
        [[gain[:, i, r] for i in range(n)] for r in range(k)],
        [[noise[:, i, j] if j <= i else 0.0 for j in range(k)] for i in range(k)],
        present,
    )


def example(k, p, seed=0, blocks=4, size=0.3):
    """Random estimates of K rows and P mediators, all their errors correlated, and parameters."""
    rng = np.random.default_rng(seed)
    n = k * p
    root = size * rng.normal(size=(blocks, n + k, n + k))
    cov = root @ root.transpose(0, 2, 1)
    omega_root = np.tril(rng.normal(size=(p, p)))
    return {
        "mediator": rng.normal(size=(blocks, n)),
        "outcome": rng.normal(size=(blocks, k)),
        "cov": cov,
        "mean": rng.normal(size=p),
        "root": omega_root,
        "slope": rng.normal(size=p),
        "intercept": rng.normal(size=(k, blocks)),
        "variance": 0.4,
    }


def density(e, present=None, **curve):
    """Log-density of blocks with a constant slope, by the formulas."""
    blocks = blocks_of(e["mediator"], e["outcome"], e["cov"], present)
    shape = Curve(list(e["intercept"]), e["slope"].tolist(), e["variance"], **curve)
    given = given_mediator_estimates(blocks, e["mean"].tolist(), e["root"].tolist())
    return given.log_density + coordinates(given, blocks, shape).log_density


def dense(e):
    """The same from one multivariate normal of all estimates of a block."""
    n, k = e["mediator"].shape[1], e["outcome"].shape[1]
    p = n // k
    take = np.vstack([np.eye(n), np.kron(np.eye(k), e["slope"])])
    omega = np.kron(np.eye(k), e["root"] @ e["root"].T)
    shared = take @ omega @ take.T
    shared[n:, n:] += e["variance"] * np.eye(k)
    found = []
    for b in range(len(e["mediator"])):
        mean = take @ np.tile(e["mean"], k)
        mean[n:] += e["intercept"][:, b]
        observed = np.concatenate([e["mediator"][b], e["outcome"][b]])
        found.append(multivariate_normal(mean, shared + e["cov"][b]).logpdf(observed))
    assert n == k * p
    return np.array(found)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("k", "p"), SHAPES)
def test_constant_slope_is_one_multivariate_normal(k, p, seed):
    e = example(k, p, seed)
    np.testing.assert_allclose(density(e), dense(e), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("k", "p"), SHAPES)
def test_a_block_without_cross_covariances_is_its_rows(k, p):
    e = example(k, p, 5)
    own = np.kron(np.eye(k), np.ones((p, p)))
    mask = np.block(
        [
            [own, np.kron(np.eye(k), np.ones((p, 1)))],
            [np.kron(np.eye(k), np.ones((1, p))), np.eye(k)],
        ]
    )
    e["cov"] = e["cov"] * mask + 2 * np.eye(k * (p + 1))
    rows = 0.0
    for r in range(k):
        index = [*range(r * p, r * p + p), k * p + r]
        rows += density(
            e
            | {
                "mediator": e["mediator"][:, r * p : r * p + p],
                "outcome": e["outcome"][:, [r]],
                "intercept": e["intercept"][[r]],
                "cov": e["cov"][:, index][:, :, index],
            }
        )
    np.testing.assert_allclose(density(e), rows, rtol=1e-10)


def test_one_row_of_one_mediator_is_the_pair_formula():
    e = example(1, 1, 2)
    expected = log_density(
        e["mediator"][:, 0],
        e["outcome"][:, 0],
        SamplingCovariance.of(e["cov"]),
        slope=e["slope"][0],
        mediator_effect_mean=e["mean"][0],
        mediator_effect_sd=abs(e["root"][0, 0]),
        direct_effect_mean=e["intercept"][0],
        direct_effect_sd=np.sqrt(e["variance"]),
    )
    np.testing.assert_allclose(density(e), expected, rtol=1e-10)


@pytest.mark.parametrize(("k", "p"), [(1, 1), (1, 2), (2, 1)])
def test_tiny_standard_errors_tend_to_exact_estimates(k, p):
    e = example(k, p, 3)
    exact = density(e | {"cov": np.zeros_like(e["cov"])})
    np.testing.assert_allclose(exact, dense(e | {"cov": np.zeros_like(e["cov"])}), rtol=1e-7)
    for size in (1e-4, 1e-8, 1e-12):
        near = density(e | {"cov": e["cov"] * size**2})
        np.testing.assert_allclose(near, exact, atol=100 * size + 1e-9)


def test_rows_that_are_not_there_add_nothing():
    """A block of two rows whose second is padding is a block of one row."""
    e, whole = example(1, 2, 4), example(2, 2, 4)
    n, k = 4, 2
    cov = np.tile(np.eye(n + k), (4, 1, 1))
    place = [0, 1, n]
    cov[np.ix_(range(4), place, place)] = e["cov"]
    padded = e | {
        "mediator": np.hstack([e["mediator"], np.zeros((4, 2))]),
        "outcome": np.hstack([e["outcome"], np.zeros((4, 1))]),
        "intercept": np.vstack([e["intercept"], whole["intercept"][1]]),
        "cov": cov,
    }
    found = density(padded, present=[np.ones(4), np.zeros(4)])
    np.testing.assert_allclose(found, density(e), rtol=1e-12)


CURVES = {
    "random": {"slope_root": [[0.5]]},
    "polynomial": {"slope_linear": [0.4], "slope_quadratic": [-0.2]},
}


def by_nodes(e, curve, z, log_weights):
    blocks = blocks_of(e["mediator"], e["outcome"], e["cov"])
    given = given_mediator_estimates(blocks, e["mean"].tolist(), e["root"].tolist())
    where = coordinates(given, blocks, curve)
    zeta, gamma = mediator_effects(given, where, [z[:, None]])
    values = log_ratio(given, where, zeta, [z[:, None]]) + outcome_log_density(blocks, curve, gamma)
    return logsumexp(values + log_weights[:, None], axis=0)


def by_brute_force(e, b, **curve):
    """The latent form of one site, integrated over its mediator effect by SciPy."""
    (observed,), (total,) = e["mediator"][b], e["outcome"][b]
    sd, v = abs(e["root"][0, 0]), e["cov"][b]
    slope, linear, quadratic = (
        e["slope"][0],
        curve.get("slope_linear", [0])[0],
        curve.get("slope_quadratic", [0])[0],
    )
    slope_sd = curve.get("slope_root", [[0]])[0][0]

    def joint(gamma):
        cov = v + np.diag([0.0, e["variance"] + slope_sd**2 * gamma**2])
        line = e["intercept"][0, b] + slope * gamma + linear * gamma**2 + quadratic * gamma**3
        estimates = multivariate_normal([gamma, line], cov).pdf([observed, total])
        return norm(e["mean"][0], sd).pdf(gamma) * estimates

    se = np.sqrt(v[0, 0])
    middle = observed
    ends = [middle - 9 * se, middle - 2 * se, middle + 2 * se, middle + 9 * se]
    pieces = [
        quad(joint, a, c, epsabs=0, epsrel=1e-9, limit=200)[0] for a, c in itertools.pairwise(ends)
    ]
    return np.log(sum(pieces))


@pytest.mark.parametrize("kind", CURVES)
def test_varying_slopes_are_the_latent_form_integrated(kind):
    e = example(1, 1, 6)
    curve = Curve(list(e["intercept"]), e["slope"].tolist(), e["variance"], **CURVES[kind])
    expected = [by_brute_force(e, b, **CURVES[kind]) for b in range(4)]
    z = np.linspace(-10, 10, 2001)
    many = norm.logpdf(z) + np.log(z[1] - z[0])
    # However many nodes, the integral is that of the latent form; few are near it.
    np.testing.assert_allclose(by_nodes(e, curve, z, many), expected, atol=1e-7)
    nodes, log_weights = normal_nodes(1)
    np.testing.assert_allclose(by_nodes(e, curve, nodes[0], log_weights), expected, atol=1e-3)


@pytest.mark.parametrize(("k", "p"), SHAPES)
def test_coordinates_of_a_constant_slope_are_standard_normal(k, p):
    """The density at any coordinates is that of the estimates: nothing is left to integrate."""
    e = example(k, p, 7)
    blocks = blocks_of(e["mediator"], e["outcome"], e["cov"])
    curve = Curve(list(e["intercept"]), e["slope"].tolist(), e["variance"])
    given = given_mediator_estimates(blocks, e["mean"].tolist(), e["root"].tolist())
    where = coordinates(given, blocks, curve)
    rng = np.random.default_rng(1)
    for _ in range(3):
        z = list(rng.normal(0, 2, (k * p, 4)))
        zeta, gamma = mediator_effects(given, where, z)
        found = log_ratio(given, where, zeta, z) + outcome_log_density(blocks, curve, gamma)
        np.testing.assert_allclose(found, dense(e), rtol=1e-9, atol=1e-8)
