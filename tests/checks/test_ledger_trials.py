"""Ledgers of one trial: every model, what options move, and numbers against estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bayesmed.checks import ledger
from bayesmed.classical import covariate_iv
from bayesmed.effects import effects
from bayesmed.generative import CovariateIV, PrincipalStrata
from bayesmed.inference import Fit
from tests.checks.ledgers import assert_sound, by_code, moved, statuses
from tests.classical.cells import drawn, fertility, of_persons
from tests.generative import covariate_ivs, random_coefficients
from tests.trial_fits import made

CELLS = of_persons(drawn(np.random.default_rng(1), 2000).drop(columns="x"))
SHAPE = (2, 100)


def strata(**choices: Any) -> Fit[Any, Any]:
    return made(PrincipalStrata(**choices), CELLS, {}, SHAPE)


def covariates(model: CovariateIV, *, binary: bool = False) -> Fit[Any, Any]:
    return made(model, covariate_ivs.trial(binary=binary), {}, SHAPE)


@pytest.mark.parametrize("name", covariate_ivs.MODELS)
def test_every_covariate_iv_has_a_sound_ledger(name: str) -> None:
    model = covariate_ivs.MODELS[name]
    found = assert_sound(covariates(model, binary=model.mediator == "probit"))
    assert found.papers == ("small",)
    cited = {line.assumption.cited(found.papers) for line in found.lines}
    assert {"Small IV-A1", "Small IV-A3"} <= cited


@pytest.mark.parametrize("name", random_coefficients.MODELS)
def test_every_random_coefficients_model_has_a_sound_ledger(name: str) -> None:
    model, data = random_coefficients.MODELS[name], random_coefficients.persons(name)
    found = assert_sound(made(model, data, {}, SHAPE))
    codes = {line.assumption.code for line in found.lines}
    assert ("normal_persons" in codes) == (name != "binary")
    assert ("monotone_in_treatment" in codes) == (name == "binary")
    assert ("equal_direct_effect" in codes) == model.direct_effect


@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"saturated": True},
        {"monotone_in": "treatment"},
        {"monotone_in": "both", "heterogeneity": 0.0},
        {"monotone_in": "none", "heterogeneity": 0.3},
        {"defiers": 0.05},
    ],
)
def test_every_strata_model_has_a_sound_ledger(choices: dict[str, Any]) -> None:
    assert_sound(strata(**choices))


def test_strata_of_covariates_have_a_ledger() -> None:
    assert_sound(made(PrincipalStrata(), fertility(), {}, SHAPE))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (
            {},
            {"monotone_in": "both"},
            {"monotone_in_treatment": ("relaxed", "checked")},
        ),
        (
            {},
            {"defiers": 0.05},
            {"monotone_in_instrument": ("checked", "relaxed")},
        ),
        (
            {},
            {"heterogeneity": 0.0},
            {"equal_type_effects": ("relaxed", "not testable")},
        ),
        (
            {},
            {"saturated": True},
            {
                "monotone_in_treatment": ("relaxed", "not testable"),
                "equal_type_effects": ("relaxed", "not testable"),
                "normal_types": ("not testable", ""),
            },
        ),
    ],
)
def test_a_choice_of_strata_moves_its_own(
    one: dict[str, Any], other: dict[str, Any], expected: dict[str, tuple[str, str]]
) -> None:
    assert moved(statuses(strata(**one)), statuses(strata(**other))) == expected


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            CovariateIV(direct_modifier={"past": 0.7}),
            {"direct_effect_unmodified": ("checked", "relaxed")},
        ),
        (
            CovariateIV(slope_modifier={"past": 0.7}),
            # Covariates need not agree on one slope then.
            {
                "direct_effect_unmodified": ("checked", "not testable"),
                "slope_unmodified": ("checked", "relaxed"),
            },
        ),
        (CovariateIV(errors="common"), {"equal_errors": ("relaxed", "not testable")}),
        (
            CovariateIV(person_effects="random"),
            {"equal_person_effects": ("not testable", "relaxed")},
        ),
        (
            CovariateIV(instruments=("past", "severe")),
            {"direct_effect_unmodified_by_controls": ("", "relaxed")},
        ),
        (
            CovariateIV(instruments=("past", "severe"), control_interactions=False),
            {"direct_effect_unmodified_by_controls": ("", "not testable")},
        ),
    ],
)
def test_a_choice_of_instruments_moves_its_own(
    model: CovariateIV, expected: dict[str, tuple[str, str]]
) -> None:
    assert moved(statuses(covariates(CovariateIV())), statuses(covariates(model))) == expected


@pytest.mark.parametrize("instruments", [("past",), ("past", "severe", "age")])
def test_the_modifier_is_where_two_stage_least_squares_has_zero(
    instruments: tuple[str, ...],
) -> None:
    """With draws at two-stage least squares its tipping point is theirs."""
    data = covariate_ivs.trial(n=600, strength=2.0)
    model = CovariateIV(instruments=instruments if len(instruments) == 1 else ())
    plain = covariate_iv(data, instruments=instruments)
    stage = first_stage(data)
    noise = plain.slope_se * np.random.default_rng(1).standard_normal((2, 1000))
    draws = {
        "slope": plain.slope + noise,
        "mediator_modification": np.broadcast_to(stage, (2, 1000, stage.size)),
    }
    line = by_code(made(model, data, draws, (2, 1000)))["direct_effect_unmodified"]
    assert line.number is not None
    name = next(n for n in instruments if f"standard deviation of {n} " in line.consequence)
    sd = data.covariates[:, data.names.covariates.index(name)].std()
    low, high = np.quantile(draws["slope"], [0.025, 0.975]) - plain.slope
    there = covariate_iv(
        data, instruments=instruments, direct_modifier={name: line.number / sd}
    ).slope
    assert low <= 0 <= high
    assert min(abs(there + low), abs(there + high)) < 0.02 * plain.slope_se


def first_stage(data: Any) -> np.ndarray:
    """Least squares of the mediator on covariates, treatment and their products."""
    x = data.covariates - data.covariates.mean(axis=0)
    r = data.treatment[:, None]
    design = np.column_stack([np.ones(data.n), x, r, r * x])
    return np.linalg.lstsq(design, data.mediator, rcond=None)[0][-x.shape[1] :]


def test_an_effect_by_other_ways_of_the_instrument_is_where_slopes_have_zero() -> None:
    fitted = strata(saturated=True)
    line = by_code(fitted)["instrument_exclusion"]
    slopes = effects(fitted).draws["arm_slope"].transpose("chain", "draw", "arm").to_numpy()
    moved_by = CELLS.mediator_mean[0, :, 1] - CELLS.mediator_mean[0, :, 0]
    ends = np.quantile(slopes.reshape(-1, 2), [0.025, 0.975], axis=0) * moved_by
    assert np.abs(ends - line.number).min() < 1e-9


def test_gaps_are_those_of_the_effects() -> None:
    fitted = strata()
    line = by_code(fitted)["equal_type_effects"]
    gap = effects(fitted).draws["nie_gap"].isel(arm=1)
    assert line.number == pytest.approx(float(gap.median()))
    name = "two arms"
    model, data = random_coefficients.MODELS[name], random_coefficients.persons(name)
    own = made(model, data, {}, SHAPE)
    drawn_effects = effects(own).draws
    apart = drawn_effects["cwate"] - drawn_effects["average_treatment_effect"]
    assert by_code(own)["within_site_covariance"].number == pytest.approx(float(apart.median()))


def test_weak_instruments_make_relevance_doubtful() -> None:
    for strength, status in ((3.0, "checked"), (0.05, "doubtful")):
        data = covariate_ivs.trial(n=400, strength=strength)
        fitted = made(CovariateIV(instruments=("past", "severe")), data)
        assert by_code(fitted)["relevance"].status == status
        assert ledger(fitted).table().set_index("code").loc["relevance", "status"] == status
