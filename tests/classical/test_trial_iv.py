"""Two-stage least squares with covariates × treatment: linearmodels on rows, invariances."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bayesmed.classical import covariate_iv
from bayesmed.core.errors import DataError, ModelError
from bayesmed.data import TrialMoments, TrialPersons
from bayesmed.formulas.effect_modification import shifted_outcome
from tests.classical.trials import JOBS, by_linearmodels, jobs2, persons_of, prospect

TRIALS = {"jobs2": (jobs2, JOBS), "simulated": (prospect, ("past", "level"))}
NUMBERS = ("slope", "slope_se", "direct_effect", "direct_effect_se", "covariance")
ENDS = ("slope_low", "slope_high", "direct_effect_low", "direct_effect_high")


def oracle_numbers(found):
    se, cov = found.std_errors, found.cov
    return [found.params["m"], se["m"], found.params["r"], se["r"], cov.loc["m", "r"]]


def numbers(found, names=NUMBERS):
    return [getattr(found, name) for name in names]


@pytest.mark.parametrize("errors", ["homoskedastic", "sandwich"])
@pytest.mark.parametrize("trial", TRIALS)
@pytest.mark.parametrize("choice", ["all", "one", "one, no interactions"])
def test_it_is_what_linearmodels_gives_from_rows(trial: str, choice: str, errors: str) -> None:
    make, covariates = TRIALS[trial]
    frame = make()
    options = {} if choice == "all" else {"instruments": covariates[-1:]}
    if choice == "one, no interactions":
        options["interactions"] = False
    found = covariate_iv(persons_of(frame, covariates), errors=errors, **options)
    oracle = by_linearmodels(frame, covariates, errors=errors, **options)
    np.testing.assert_allclose(numbers(found), oracle_numbers(oracle), rtol=1e-8)
    ends = oracle.conf_int().loc[["m", "r"]].to_numpy().ravel()
    np.testing.assert_allclose(numbers(found, ENDS), ends, rtol=1e-7)
    assert found.df == oracle.df_resid


def test_moments_are_enough_for_all_but_the_sandwich() -> None:
    persons = persons_of(prospect())
    moments = TrialMoments.from_persons(persons)
    assert covariate_iv(moments) == covariate_iv(persons)
    bare = covariate_iv(moments, errors="sandwich")
    assert bare.defined
    assert bare.reason == "a sandwich needs the persons"
    assert bare.slope == covariate_iv(persons).slope
    assert math.isnan(bare.slope_se)
    assert math.isnan(bare.direct_effect_high)


@pytest.mark.parametrize("errors", ["homoskedastic", "sandwich"])
def test_modifiers_shift_the_outcome(errors: str) -> None:
    frame = prospect()
    direct, slope = {"level": 0.7}, {"past": -1.3, "level": 0.2}
    found = covariate_iv(
        persons_of(frame), errors=errors, direct_modifier=direct, slope_modifier=slope
    )
    x = frame[["past", "level"]] - frame[["past", "level"]].mean()
    shifted = shifted_outcome(
        frame["y"], frame["r"], frame["m"], 0.7 * x["level"], -1.3 * x["past"] + 0.2 * x["level"]
    )
    oracle = by_linearmodels(frame, ("past", "level"), errors=errors, outcome=shifted)
    np.testing.assert_allclose(numbers(found), oracle_numbers(oracle), rtol=1e-8)


@pytest.mark.parametrize("errors", ["homoskedastic", "sandwich"])
def test_units_origins_order_and_arms_change_nothing_else(errors: str) -> None:
    frame = prospect().assign(age=lambda f: 0.1 * f["y"] + np.sin(np.arange(len(f))))
    names = ("past", "level", "age")
    options = {"errors": errors, "instruments": ("past", "level")}
    plain = covariate_iv(persons_of(frame, names), **options)
    moved = frame.sample(frac=1, random_state=2)
    moved = moved.assign(
        past=5 - 1e4 * moved["past"],
        age=1e3 + 1e-3 * moved["age"],
        m=1e5 - 40 * moved["m"],
        y=1e-4 * moved["y"] - 7,
    )
    again = covariate_iv(persons_of(moved, ("age", "level", "past")), **options)
    unit = np.array([1e-4 / -40, 1e-4 / 40, 1e-4, 1e-4, 1e-8 / -40])
    np.testing.assert_allclose(numbers(again), numbers(plain) * unit, rtol=1e-7)
    turned = covariate_iv(persons_of(frame.assign(r=1 - frame["r"]), names), **options)
    np.testing.assert_allclose(numbers(turned), numbers(plain) * np.array([1, 1, -1, 1, -1]), 1e-7)


def modified(rng: np.random.Generator, n: int) -> TrialPersons:
    """The direct effect differs with x*, which goes with the instrument's x; both truths 1."""
    r, x = rng.permutation(np.arange(n) % 2), rng.normal(size=n)
    control = 0.6 * x + 0.8 * rng.normal(size=n)
    u = rng.normal(size=n)
    m = r * (0.5 + x) + u + rng.normal(size=n)
    y = m + r * (1 + 0.7 * control) + x + control + 2 * u + rng.normal(size=n)
    return TrialPersons.from_arrays(
        treatment=r, mediator=m, outcome=y, covariates={"x": x, "control": control}
    )


def test_controls_that_modify_the_direct_effect_need_their_products() -> None:
    persons = modified(np.random.default_rng(3), 40_000)
    right = covariate_iv(persons, instruments=["x"])
    wrong = covariate_iv(persons, instruments=["x"], interactions=False)
    assert abs(right.slope - 1) < 4 * right.slope_se < 0.15
    assert abs(right.direct_effect - 1) < 4 * right.direct_effect_se
    # Cov(R x, R x*) over Var(R x), given treatment and covariates, times .7.
    assert wrong.slope == pytest.approx(1.42, abs=0.04)


def test_confounding_biases_least_squares_and_not_this() -> None:
    found = covariate_iv(persons_of(prospect(5, 60_000)))
    assert abs(found.slope + 2) < 4 * found.slope_se < 0.6
    assert abs(found.direct_effect + 1) < 4 * found.direct_effect_se


def test_what_is_not_defined_says_why() -> None:
    frame = prospect()
    few = covariate_iv(persons_of(pd.concat([frame[frame["r"] == r].head(3) for r in (0, 1)])))
    assert not few.defined
    assert few.reason == "6 persons are too few for 6 coefficients"
    twice = covariate_iv(
        persons_of(frame.assign(again=3 * frame["past"] - 1), ("past", "level", "again"))
    )
    assert twice.reason == "'again' follows from 'past'"
    one_arm = frame.assign(only=frame["level"] * (1 - frame["r"]))
    lone = covariate_iv(persons_of(one_arm, ("past", "level", "only")))
    assert lone.reason == "'treatment × level' follows from 'level', 'only' and 'treatment'"
    constant = covariate_iv(persons_of(frame.assign(level=2.0)))
    assert constant.reason == "'level' does not vary"
    assert math.isnan(lone.slope_high)
    same = frame.assign(m=frame["past"] + 2 * frame["r"])
    assert covariate_iv(persons_of(same)).reason == "'mediator' follows from 'past' and 'treatment'"
    # A mediator whose arms differ by the same amount at every level of the covariate.
    flat = pd.DataFrame({"x": [0.0, 0, 1, 1] * 2, "r": [0.0] * 4 + [1.0] * 4})
    flat = flat.assign(m=np.tile([0.0, 1], 4) + flat["r"], y=np.arange(8.0))
    assert "do not move the mediator" in covariate_iv(persons_of(flat, ("x",))).reason


def test_what_does_not_exist_is_refused() -> None:
    persons = persons_of(prospect())
    for options, words in (
        ({"instruments": ["levl"]}, "no covariate 'levl'. Did you mean 'level'"),
        ({"instruments": "level"}, "Give a list"),
        ({"instruments": []}, "no instrument"),
        ({"errors": "HC3"}, "no errors 'HC3'"),
        ({"slope_modifier": {"lvel": 1.0}}, "no covariate 'lvel'"),
        ({"direct_modifier": {"level": math.nan}}, "modifier of 'level' is nan"),
    ):
        with pytest.raises(ModelError, match=words):
            covariate_iv(persons, **options)
    with pytest.raises(ModelError, match="no instrument"):
        covariate_iv(persons_of(prospect(), ()))
    amounts = replace(persons, names=replace(persons.names, arms=None))
    with pytest.raises(DataError, match="treatment is an amount"):
        covariate_iv(amounts)
