"""Effects of assignment and of the mediator: averages over simulated persons, exactly."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmed.formulas.compliance_effects import (
    compliance_weighted_effect,
    effect_on_the_treated,
    intention_to_treat,
    local_average_effect,
    wald_less_average_effect,
)


def test_averages_over_any_population() -> None:
    """Over a finite population the equations hold to rounding, whatever its distribution."""
    rng = np.random.default_rng(1)
    gamma = rng.gamma(2.0, size=500) - 0.5
    delta, theta = 1.0 + 0.4 * gamma + rng.normal(size=500) ** 3, 0.3
    covariance = np.mean((gamma - gamma.mean()) * (delta - delta.mean()))
    itt = intention_to_treat(delta.mean(), gamma.mean(), covariance, theta)
    assert itt == pytest.approx(np.mean(theta + delta * gamma), rel=1e-12)
    cwate = compliance_weighted_effect(delta.mean(), gamma.mean(), covariance)
    assert cwate == pytest.approx(np.sum(gamma * delta) / gamma.sum(), rel=1e-12)
    gap = wald_less_average_effect(gamma.mean(), covariance, theta)
    assert gap == pytest.approx(itt / gamma.mean() - delta.mean(), rel=1e-10)
    without = wald_less_average_effect(gamma.mean(), covariance)
    assert without == pytest.approx(cwate - delta.mean(), rel=1e-10)


def test_unrelated_compliance_and_benefit() -> None:
    draws = np.random.default_rng(2).normal(size=(4, 25))
    slope, compliance = draws[:2], draws[2:]
    np.testing.assert_array_equal(compliance_weighted_effect(slope, compliance, 0.0), slope)
    np.testing.assert_array_equal(wald_less_average_effect(compliance, 0.0), 0.0)


def binary(n: int, shares: tuple[float, ...]):
    """Never-takers, compliers, always-takers and defiers, with benefits of their own."""
    counts = np.round(n * np.array(shares)).astype(int)
    kind = np.repeat(np.arange(4), counts)
    untreated, treated = np.array([0, 0, 1, 1])[kind], np.array([0, 1, 1, 0])[kind]
    benefit = np.array([0.2, 1.5, 5.0, -1.0])[kind] + np.random.default_rng(3).normal(
        size=kind.size
    )
    return kind, untreated, treated, benefit


def test_late_is_the_average_among_compliers() -> None:
    kind, untreated, treated, benefit = binary(1000, (0.3, 0.4, 0.3, 0.0))
    total = np.mean(benefit * (treated - untreated))
    compliance = np.mean(treated - untreated)
    late = local_average_effect(total, compliance)
    assert late == pytest.approx(benefit[kind == 1].mean(), rel=1e-12)
    # It is the CWATE, and not the average effect.
    gamma = treated - untreated
    covariance = np.mean((gamma - gamma.mean()) * (benefit - benefit.mean()))
    cwate = compliance_weighted_effect(benefit.mean(), gamma.mean(), covariance)
    assert late == pytest.approx(cwate, rel=1e-12)
    assert abs(late - benefit.mean()) > 0.1


def test_defiers_make_it_another_average() -> None:
    kind, untreated, treated, benefit = binary(1000, (0.3, 0.4, 0.1, 0.2))
    late = local_average_effect(
        np.mean(benefit * (treated - untreated)), np.mean(treated - untreated)
    )
    assert abs(late - benefit[kind == 1].mean()) > 0.5


def test_tot_is_the_average_among_the_treated_where_controls_have_no_access() -> None:
    _, untreated, treated, benefit = binary(1000, (0.6, 0.4, 0.0, 0.0))
    assert not untreated.any()
    total = np.mean(benefit * treated)
    tot = effect_on_the_treated(total, treated.mean())
    assert tot == pytest.approx(benefit[treated == 1].mean(), rel=1e-12)
    assert tot == local_average_effect(total, treated.mean())


def test_no_compliance_is_no_error() -> None:
    assert np.isnan(wald_less_average_effect(np.array(0.0), np.array(0.0)))
    assert np.isinf(local_average_effect(np.array(1.0), np.array(0.0)))
