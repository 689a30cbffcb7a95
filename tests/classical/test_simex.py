"""SIMEX against its own limit, the R package's answers and an estimator written out in loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm

from bayesmed.classical import ols, simex
from bayesmed.classical.pseudo_errors import pseudo_errors
from bayesmed.core.errors import ModelError
from bayesmed.data import SiteEstimates
from tests.classical.tables import drawn, mechte, sites, star, uneven

LAMBDAS = np.array([0, 0.5, 1, 1.5, 2])


def quadratic(values) -> np.ndarray:
    return np.polynomial.polynomial.Polynomial.fit(LAMBDAS, values, 2, domain=[-1, 1])(-1.0)


def test_the_published_form_gives_the_published_numbers() -> None:
    # R package mechte, 1,000 replicates, independent at each λ: 1.275 (0.318), intercept 4.63.
    # Such an answer has a simulation error of about .02 itself.
    found = simex(mechte(), form="published")
    assert found.simulation_error is not None
    assert found.simulation_error[0] < 0.005
    assert found.slope[0] == pytest.approx(1.275, abs=4 * 0.02)
    assert found.slope_se[0] == pytest.approx(0.318, abs=0.02)
    assert found.intercept == pytest.approx(4.63, abs=4 * 0.03)
    # STAR, kindergarten score to grade 1 score: 0.582 (0.147).
    found = simex(star(), form="published")
    assert found.slope[0] == pytest.approx(0.582, abs=0.02)
    assert found.slope_se[0] == pytest.approx(0.147, abs=0.005)


@pytest.mark.parametrize("intercept", [True, False])
def test_it_is_the_estimator_written_out_in_loops(intercept: bool) -> None:
    data = drawn(1, 12, uneven(2, 12), mean=0.5)
    rng, replicates = np.random.default_rng(3), 800
    root = np.linalg.cholesky(data.cov)
    means, variances = [], []
    for scale in LAMBDAS:
        answers, squares = [], []
        for _ in range(replicates if scale else 1):
            noise = np.einsum("sij,sj->si", root, rng.standard_normal((12, 2)))
            x = data.mediator_effect[:, 0] + math.sqrt(scale) * noise[:, 0]
            y = data.total_effect + math.sqrt(scale) * noise[:, 1]
            fitted = sm.OLS(y, sm.add_constant(x) if intercept else x).fit()
            answers.append(fitted.params[-1])
            squares.append(fitted.bse[-1] ** 2)
        means.append(np.mean(answers))
        variances.append(np.mean(squares) - (np.var(answers, ddof=1) if scale else 0))
    found = simex(data, intercept=intercept, replicates=20_000)
    # Quadratic extrapolation multiplies independent errors by about 3.
    assert found.slope[0] == pytest.approx(quadratic(means), abs=4.5 * 3 * 0.3 / math.sqrt(800))
    assert found.slope_se[0] == pytest.approx(math.sqrt(quadratic(variances)), rel=0.2)
    assert math.isnan(found.intercept) is not intercept


@pytest.mark.parametrize("form", ["bivariate", "published"])
def test_its_limit_is_the_quadratic_through_attenuated_slopes(form) -> None:
    # Truth 1: the limit of the published form is near δ + V_γβ/σ_γ², were extrapolation exact.
    v, c = 0.2, 0.15
    data = drawn(4, 20_000, [[v, c], [c, 0.4]])
    found = simex(data, form=form, replicates=20)
    taken = c * (1 + LAMBDAS) if form == "bivariate" else c
    limit = quadratic((1 + taken) / (1 + v * (1 + LAMBDAS)))
    assert limit == pytest.approx(1.0 if form == "bivariate" else 1.15, abs=0.03)
    assert found.slope_se[0] < 0.012
    assert abs(found.slope[0] - limit) < 4.5 * found.slope_se[0]
    assert found.covariance_used is (form == "bivariate")


def test_without_error_it_is_least_squares() -> None:
    data = drawn(5, 20, np.zeros((3, 3)), slope=[1.0, 2.0])
    found, plain = simex(data), ols(data)
    for name in ("slope", "slope_se", "interval_low", "intercept", "intercept_se"):
        np.testing.assert_allclose(getattr(found, name), getattr(plain, name), rtol=1e-7)
    np.testing.assert_allclose(found.simulation_error, 0, atol=1e-12)


def test_several_mediators_are_corrected_together() -> None:
    data = drawn(6, 20_000, np.diag([0.1, 0.1, 0.1]), slope=[1.0, -0.5])
    found = simex(data, replicates=20)
    assert (np.abs(found.slope - [1.0, -0.5]) < 0.01 + 4.5 * found.slope_se).all()


def test_the_simulation_error_says_how_far_seeds_lie_apart() -> None:
    data = mechte()
    found = [simex(data, replicates=200, seed=seed) for seed in range(40)]
    spread = np.std([f.slope[0] for f in found], ddof=1)
    said = np.mean([f.simulation_error[0] for f in found])
    assert abs(spread / said - 1) < 4.5 / math.sqrt(2 * 39)
    again = simex(data, replicates=200, seed=7)
    assert again.slope[0] == found[7].slope[0]


def test_errors_of_a_block_are_drawn_together() -> None:
    shared = np.array([[0.4, 0.1], [0.1, 0.5]])
    data = SiteEstimates.from_arrays(
        mediator_effect=[1, 2, 3, 4],
        total_effect=[1, 2, 2, 5],
        cov=[2 * shared, np.eye(2), 2 * shared, np.diag([1.0, 0.0])],
        cross_cov={(0, 2): shared},
        block=["a", "b", "a", "c"],
    )
    errors = pseudo_errors(data, 40_000, np.random.default_rng(8))
    expected = np.zeros((8, 8))
    for s in range(4):
        expected[2 * s : 2 * s + 2, 2 * s : 2 * s + 2] = data.cov[s]
    expected[:2, 4:6] = shared
    expected[4:6, :2] = shared.T
    found = np.cov(errors.reshape(40_000, 8), rowvar=False)
    variances = np.diag(expected)
    error = np.sqrt((np.outer(variances, variances) + expected**2) / 40_000)
    assert (np.abs(found - expected) <= 4.5 * error + 1e-12).all()


def test_a_shared_control_moves_the_answer() -> None:
    data = drawn(9, 12, 0.5 * np.eye(2))
    pairs = {(i, i + 1): 0.45 * np.eye(2) for i in range(0, 12, 2)}
    blocks = np.repeat(range(6), 2)
    shared = SiteEstimates.from_arrays(
        mediator_effect=data.mediator_effect,
        total_effect=data.total_effect,
        cov=data.cov,
        cross_cov=pairs,
        block=blocks,
        site=blocks,
        arm=list("ab") * 6,
    )
    alone, together = simex(data, replicates=8000), simex(shared, replicates=8000)
    error = math.hypot(alone.simulation_error[0], together.simulation_error[0])
    assert abs(alone.slope[0] - together.slope[0]) > 4.5 * error


def test_two_sites_have_no_standard_error() -> None:
    found = simex(sites([0, 1], [0, 3], 0.001 * np.eye(2)))
    assert found.defined
    assert math.isnan(found.slope_se[0])
    assert "no site is left over" in found.reason


def test_options_that_cannot_be_are_refused() -> None:
    data = drawn(1, 10, 0.01 * np.eye(2))
    for lambdas in ([1.0], [1.0, 1.0], [0.0, 1.0], [-1.0, 1.0, 2.0], [1.0, np.nan]):
        with pytest.raises(ModelError, match="multiples"):
            simex(data, lambdas=lambdas)
    with pytest.raises(ModelError, match="too few"):
        simex(data, replicates=2)
    with pytest.raises(ModelError, match="form"):
        simex(data, form="trivariate")  # type: ignore[arg-type]
