"""Checks of one trial: strength and balance of instruments, each outcome on data made for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bayesmed.checks import CheckResult, check, converged
from bayesmed.classical import binary_iv, trial_strength
from bayesmed.core.numbers import number
from bayesmed.data import TrialCells, TrialMoments, TrialNames
from bayesmed.generative import CovariateIV, PrincipalStrata, RandomCoefficients
from bayesmed.inference import Fit
from tests.classical.cells import drawn, fertility, of_persons
from tests.generative.covariate_ivs import trial
from tests.generative.random_coefficients import persons
from tests.trial_fits import made


def by_code(fit: Fit[Any, Any]) -> dict[str, CheckResult]:
    return {result.code: result for result in check(fit)}


def of_cells(data: TrialCells) -> dict[str, CheckResult]:
    return by_code(made(PrincipalStrata(saturated=True), data))


def independent(first: float, persons_at: int = 500) -> TrialCells:
    """As many persons at each treatment and instrument; a first stage of choice."""
    share = np.array([[0.3, 0.3 + first], [0.3, 0.3 + first]])
    n = np.stack([(1 - share) * persons_at, share * persons_at], axis=-1).round()
    mean = np.arange(8.0).reshape(2, 2, 2)
    return TrialCells.from_arrays(n=n, mean=mean, squares=n)


@pytest.mark.parametrize(("first", "status"), [(0.3, "passed"), (0.05, "doubtful")])
def test_the_weakest_arm_tells_the_strength_of_an_instrument(first: float, status: str) -> None:
    data = independent(first)
    found = of_cells(data)["instrument_strength"]
    f = binary_iv(data).first_stage_f
    assert found.status == status
    assert found.value == pytest.approx(f.min())
    assert f"smallest F of {f.size} is {number(f.min())}" in found.reason
    assert "instrument moves mediator in each arm" in found.title


def test_one_weak_arm_of_one_stratum_is_enough() -> None:
    strong, weak = independent(0.3), independent(0.02)
    both = TrialCells.from_arrays(
        n=np.concatenate([strong.n, weak.n]),
        mean=np.concatenate([strong.mean, weak.mean]),
        squares=np.concatenate([strong.squares, weak.squares]),
    )
    found = of_cells(both)["instrument_strength"]
    assert found.status == "doubtful"
    assert "smallest F of 4" in found.reason


def test_treatment_and_instrument_have_to_be_independent() -> None:
    balanced = of_cells(independent(0.3))["instrument_balance"]
    assert balanced.status == "passed"
    assert balanced.value == pytest.approx(1.0)
    data = fertility().pooled()
    found = of_cells(data)["instrument_balance"]
    assert found.status == "doubtful"
    assert found.title == "girl1 and same_sex are independent"
    assert "0.518" in found.reason
    assert "0.493" in found.reason
    assert found.value == pytest.approx(binary_iv(data).balance.p_value)


def test_cells_have_the_same_checks_whatever_the_model_of_them() -> None:
    data = of_persons(drawn(np.random.default_rng(1), 300).drop(columns="x"))
    for model in (PrincipalStrata(saturated=True), PrincipalStrata(heterogeneity=0.0)):
        results = check(made(model, data))
        assert [r.code for r in results if not r.convergence] == [
            "instrument_strength",
            "instrument_balance",
            "monotone_in_instrument",
            "monotone_in_treatment",
            "exclusion",
        ]
        assert [r.convergence for r in results] == sorted(r.convergence for r in results)


@pytest.mark.parametrize(("strength", "status"), [(3.0, "passed"), (0.05, "doubtful")])
def test_covariates_are_strong_instruments_or_not(strength: float, status: str) -> None:
    data = trial(n=400, strength=strength)
    model = CovariateIV(instruments=("past", "severe"))
    found = by_code(made(model, data))["instrument_strength"]
    tells = trial_strength(data, instruments=("past", "severe"), interactions=True)
    assert found.status == status
    assert found.value == pytest.approx(tells.partial_f)
    assert f"Partial F of 2 instruments: {number(tells.partial_f)}" in found.reason
    assert f"exceed {number(tells.stock_yogo)} (Stock and Yogo)" in found.reason
    assert f"Effective F: {number(tells.effective_f)}" in found.reason
    moments = by_code(made(model, TrialMoments.from_persons(data)))["instrument_strength"]
    assert moments.value == pytest.approx(tells.partial_f)
    assert moments.status == status


def test_an_f_that_is_not_there_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    data = trial()
    fit = made(CovariateIV(), data)
    tells = replace(trial_strength(data), partial_f=np.nan, reason="columns are collinear")
    monkeypatch.setattr("bayesmed.checks.trials.trial_strength", lambda *_, **__: tells)
    found = by_code(fit)["instrument_strength"]
    assert found.status == "not applicable"
    assert found.reason == "There is no F: columns are collinear."


@pytest.mark.parametrize(
    ("middle", "status", "words"),
    [(2.0, "passed", ""), (-2.0, "passed", ""), (0.3, "doubtful", "which includes 0")],
)
def test_what_divides_by_compliance_needs_some(middle: float, status: str, words: str) -> None:
    shape = (2, 200)
    draws = {"mediator_effect": middle + 0.5 * np.random.default_rng(1).normal(size=shape)}
    fit = made(RandomCoefficients(), persons("two arms"), draws, shape)
    found = by_code(fit)["compliance"]
    low, high = np.quantile(draws["mediator_effect"], [0.025, 0.975])
    assert found.status == status
    assert found.reason.startswith(
        f"95 % interval of the average effect: {number(low)} to {number(high)}"
    )
    assert words in found.reason
    assert found.value == pytest.approx(draws["mediator_effect"].mean())


def test_notes_of_the_data_and_the_computation_follow() -> None:
    data = replace(persons("binary"), notes=("Many left.", "And <b>more</b>."))
    fit = made(RandomCoefficients(), data, shape=(2, 500))
    results = check(fit)
    codes = [r.code for r in results]
    assert codes[:4] == ["compliance", "data_note_1", "data_note_2", "divergences"]
    assert results[2].reason == "And <b>more</b>."
    assert converged(results)
    diverging = fit.tree["sample_stats"]["diverging"]
    diverging[0, :3] = True
    failed = [r for r in check(fit) if r.status == "failed"]
    assert [r.code for r in failed] == ["divergences"]
    assert not converged(check(fit))


def test_names_stand_as_they_are() -> None:
    names = TrialNames("<b>t</b>", "{m}", "y", arms=("a", "b"))
    cells = replace(independent(0.3), names=names, instrument="`z`")
    found = of_cells(cells)
    assert found["instrument_strength"].title == "`z` moves {m} in each arm"
    assert found["instrument_balance"].title == "<b>t</b> and `z` are independent"
