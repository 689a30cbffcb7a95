"""Cochran's Q: published numbers, the chi-square law, blocks, invariances."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bayesmed.classical import bces, bias_corrected_iv, cochran_q, ols, wls
from bayesmed.classical.cochran_q import scatter_about
from bayesmed.core.errors import DataError, ModelError
from bayesmed.data import SiteEstimates
from tests.classical.tables import drawn, lipids, sites, uneven


def test_the_published_scatter_of_lipids_counts_both_errors() -> None:
    data = lipids()
    line = wls(data, intercept=False)
    found = cochran_q(data, line)
    assert found.statistic == pytest.approx(683.1, abs=0.05)
    assert found.df == 142
    assert found.p_value == pytest.approx(stats.chi2.sf(found.statistic, 142))
    known = cochran_q(data, line, noise="total_effect")
    assert known.statistic == pytest.approx(685.46, abs=0.005)
    # It is the residual sum of squares of weighted least squares.
    residual = (data.total_effect - data.mediator_effect @ line.slope) / data.total_effect_se
    assert known.statistic == pytest.approx(residual @ residual)


@pytest.mark.parametrize("intercept", [True, False])
def test_one_line_through_all_sites_has_a_chi_square(intercept: bool) -> None:
    rng, values = np.random.default_rng(1), []
    cov = uneven(3, 30, 2) * 0.05
    for _ in range(300):
        direct = (0.4, 0.0) if intercept else (0.0, 0.0)
        data = drawn(rng, 30, cov, slope=[1.0, -0.5], mean=1.0, direct=direct)
        line = wls(data, intercept=intercept)
        values.append(cochran_q(data, line).p_value)
    assert cochran_q(data, line).df == 28 - intercept
    # The line is not the one of least Q, so p-values lean a little to 0.
    assert abs(np.mean(values) - 0.5) < 4.5 / math.sqrt(12 * 300) + 0.02


@pytest.mark.parametrize("line", [ols, wls, bces])
def test_scatter_depends_on_no_unit_order_or_sign(line) -> None:
    data = drawn(1, 20, uneven(2, 20, 2), slope=[1.0, -0.7], mean=0.8)
    order = np.random.default_rng(3).permutation(20).tolist()
    moved = data.rescaled([-1e5, 1e-3], -0.2).take(order)
    swapped = SiteEstimates.from_arrays(
        mediator_effect=data.mediator_effect[:, ::-1],
        total_effect=data.total_effect,
        cov=data.cov[:, [1, 0, 2]][:, :, [1, 0, 2]],
    )
    plain = cochran_q(data, line(data))
    for other in (moved, swapped):
        again = cochran_q(other, line(other))
        assert again.statistic == pytest.approx(plain.statistic, rel=1e-8)
        assert again.estimator == line(data).name


def test_rows_that_share_a_control_group_count_together() -> None:
    shared = np.array([[0.1, 0.03], [0.03, 0.2]])
    data = SiteEstimates.from_arrays(
        mediator_effect=[1, 2, 1.5],
        total_effect=[2, 5, 2.5],
        cov=[2 * shared] * 3,
        cross_cov={(0, 1): shared},
        block=["a", "a", "b"],
    )
    line = ols(data, intercept=False)
    residual = data.total_effect - data.mediator_effect @ line.slope
    c = np.append(-line.slope, 1.0)
    one = c @ shared @ c
    joint = one * np.array([[2, 1, 0], [1, 2, 0], [0, 0, 2.0]])
    expected = residual @ np.linalg.solve(joint, residual)
    assert cochran_q(data, line).statistic == pytest.approx(expected)
    same = SiteEstimates.from_arrays(
        mediator_effect=[1, 2, 1.5],
        total_effect=[2, 5, 2.5],
        cov=[shared] * 3,
        cross_cov={(0, 1): shared},
        block=["a", "a", "b"],
    )
    assert "combination of the residuals" in cochran_q(same, line).reason


def test_scatter_that_is_not_defined_says_why() -> None:
    data = drawn(1, 10, np.eye(2))
    weak = sites([0.1, -0.2, 0.1], [1, 2, 3], np.eye(2))
    undefined = cochran_q(weak, bias_corrected_iv(weak))
    assert not undefined.defined
    assert "not above 1" in undefined.reason
    exact = sites([1, 2], [1, 2], np.zeros((2, 2)))
    assert "site '1' has no sampling error" in cochran_q(exact, ols(exact, intercept=False)).reason
    known = sites([1, 2], [1, 2], np.diag([1.0, 0.0]))
    line = ols(known, intercept=False)
    assert cochran_q(known, line).defined
    assert not cochran_q(known, line, noise="total_effect").defined
    full = cochran_q(known, ols(known))
    assert full.df == 0
    assert math.isnan(full.p_value)
    assert full.reason == "no site is left over"
    with pytest.raises(ModelError, match="noise"):
        cochran_q(data, ols(data), noise="none")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="mediators"):
        cochran_q(drawn(1, 10, np.eye(3), slope=[1, 2]), ols(data))


def test_a_line_that_is_known_costs_no_degrees_of_freedom() -> None:
    data = drawn(5, 15, uneven(6, 15), mean=1.0)
    slope = np.array([1.2])
    found = scatter_about("known", data, slope, 0.3, coefficients=0)
    residual = data.total_effect - 1.2 * data.mediator_effect[:, 0] - 0.3
    contrast = np.array([-1.2, 1.0])
    variance = np.array([contrast @ v @ contrast for v in data.cov])
    assert found.statistic == pytest.approx(np.sum(residual**2 / variance))
    assert (found.df, found.estimator) == (15, "known")
    line = wls(data)
    same = scatter_about("WLS", data, line.slope, line.intercept, coefficients=2)
    assert same == cochran_q(data, line)
    assert same.words.startswith(f"Q = {same.statistic:.3g} on 13 degrees of freedom (p ")
