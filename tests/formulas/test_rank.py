"""Rank of mediator effects: the law of the statistic, and the combination that is lost."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayesmed.formulas.rank import rank_p_values, weakest_combination
from bayesmed.formulas.strength import (
    precision_weight,
    spread_and_noise,
    whitened_singular_values,
)
from tests.classical.tables import uneven


def test_without_any_effect_it_is_the_test_of_wishart_spread() -> None:
    values = np.array([4.0, 2.5, 1.0])
    found = rank_p_values(values, 12.0)
    assert found[0] == pytest.approx(stats.chi2.sf(np.sum(values**2), 36))
    assert found[1] == pytest.approx(stats.chi2.sf(np.sum(values[1:] ** 2), 22))
    assert found[2] == pytest.approx(stats.chi2.sf(1.0, 10))


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("intercept", [True, False])
def test_a_true_rank_is_refused_as_often_as_it_says(alike: bool, intercept: bool) -> None:
    rng, n, runs = np.random.default_rng(1), 24, 400
    cov = np.tile(uneven(2, 1, 3), (n, 1, 1)) if alike else uneven(2, n, 3)
    cov = cov[:, :3, :3]
    root, weight = np.linalg.cholesky(cov), precision_weight(cov)
    refused = 0
    for _ in range(runs):
        true = rng.normal(1, 1, (n, 2)) @ rng.normal(0, 3, (2, 3))
        effect = true + np.einsum("sij,sj->si", root, rng.standard_normal((n, 3)))
        parts = spread_and_noise(effect, cov, weight, intercept)
        values = whitened_singular_values(*parts, n - intercept)
        refused += rank_p_values(values, n - intercept)[2] < 0.05
    # Where covariances are not proportional it is an approximation.
    size = 0.05 if alike else 0.07
    assert abs(refused / runs - size) < 4 * np.sqrt(0.05 * 0.95 / runs)


def test_the_lost_combination_is_found_in_any_units() -> None:
    rng = np.random.default_rng(3)
    true = rng.normal(0, 1, (200, 2)) @ np.array([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]])
    effect = true + rng.normal(0, 0.01, true.shape)
    spread, noise = effect.T @ effect, 200 * 1e-4 * np.eye(3)
    found = weakest_combination(spread, noise)
    # γ_3 = 2 γ_1 - γ_2, with the largest part.
    np.testing.assert_allclose(found / found[2], [-2, 1, 1], atol=0.01)
    assert found[np.argmax(np.abs(found) * np.sqrt(np.diag(spread)))] == 1
    unit = np.diag([-1e5, 1e-3, 3.0])
    moved = weakest_combination(unit @ spread @ unit, unit @ noise @ unit)
    moved = unit @ moved
    np.testing.assert_allclose(moved / moved[2], found / found[2], rtol=1e-6)
