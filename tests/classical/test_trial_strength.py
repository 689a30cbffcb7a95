"""Strength of covariates × treatment, and sets that are right where they are weak."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm

from bayesmed.classical import anderson_rubin, covariate_iv, trial_strength
from bayesmed.data import TrialMoments
from tests.classical.trials import JOBS, design, jobs2, persons_of, prospect

TRIALS = {"jobs2": (jobs2, JOBS), "simulated": (prospect, ("past", "level"))}


def first_stage(frame, covariates, instruments=None, outcome="m", **fit):
    included, excluded = design(frame, covariates, instruments)
    found = sm.OLS(frame[outcome], included.join(excluded)).fit(**fit)
    restriction = np.eye(included.shape[1] + excluded.shape[1])[included.shape[1] :]
    return found, restriction, included, excluded


@pytest.mark.parametrize("trial", TRIALS)
@pytest.mark.parametrize("one", [True, False])
def test_partial_f_is_the_f_test_of_the_first_stage(trial: str, one: bool) -> None:
    make, covariates = TRIALS[trial]
    frame, instruments = make(), covariates[-1:] if one else None
    found = trial_strength(persons_of(frame, covariates), instruments=instruments)
    oracle, restriction, *_ = first_stage(frame, covariates, instruments)
    test = oracle.f_test(restriction)
    assert found.partial_f == pytest.approx(float(test.fvalue), rel=1e-8)
    assert found.p_value == pytest.approx(float(test.pvalue), rel=1e-6)
    assert found.df == test.df_denom
    assert found.instruments == len(restriction)


def test_small_s_trial_is_strong_and_jobs2_is_not() -> None:
    strong = trial_strength(persons_of(prospect()))
    assert strong.partial_f == pytest.approx(27.13, abs=0.1)
    assert (strong.stock_yogo, strong.strong) == (11.59, True)
    weak = trial_strength(persons_of(jobs2(), JOBS))
    assert weak.partial_f < 1
    assert math.isnan(weak.stock_yogo)  # none is tabulated for four instruments
    assert not weak.strong
    assert trial_strength(persons_of(jobs2(), JOBS[:3])).stock_yogo == 12.83


@pytest.mark.parametrize("trial", TRIALS)
def test_effective_f_of_one_instrument_is_its_robust_t_squared(trial: str) -> None:
    make, covariates = TRIALS[trial]
    frame = make()
    found = trial_strength(persons_of(frame, covariates), instruments=covariates[-1:])
    oracle, *_ = first_stage(frame, covariates, covariates[-1:], cov_type="HC1")
    assert found.effective_f == pytest.approx(oracle.tvalues.iloc[-1] ** 2, rel=1e-8)
    assert found.effective_critical == pytest.approx(23.11, abs=0.01)


@pytest.mark.parametrize("trial", TRIALS)
def test_effective_f_of_several_instruments(trial: str) -> None:
    make, covariates = TRIALS[trial]
    frame = make()
    found = trial_strength(persons_of(frame, covariates))
    oracle, _, included, excluded = first_stage(frame, covariates, cov_type="HC1")
    k = excluded.shape[1]
    w, z = included.to_numpy(), excluded.to_numpy()
    left = z - w @ np.linalg.lstsq(w, z, rcond=None)[0]
    products = left.T @ left
    cov = oracle.cov_params().iloc[-k:, -k:].to_numpy()
    beta = oracle.params.iloc[-k:].to_numpy()
    expected = beta @ products @ beta / np.trace(cov @ products)
    assert found.effective_f == pytest.approx(expected, rel=1e-8)
    # Between those of one instrument and of as many that vary alike.
    assert 9 < found.effective_critical < 23.11


def test_moments_tell_all_but_the_effective_f() -> None:
    persons = persons_of(prospect())
    found = trial_strength(TrialMoments.from_persons(persons))
    whole = trial_strength(persons)
    assert (found.partial_f, found.p_value) == (whole.partial_f, whole.p_value)
    assert math.isnan(found.effective_f)
    assert found.reason == "an effective F needs the persons"
    assert found.strong


def test_strength_does_not_depend_on_units_or_the_outcome() -> None:
    frame = prospect()
    plain = trial_strength(persons_of(frame))
    moved = frame.assign(level=30 - 1e3 * frame["level"], m=1e-3 * frame["m"], y=0.0)
    again = trial_strength(persons_of(moved, ("level", "past")))
    for name in ("partial_f", "p_value", "effective_f", "effective_critical"):
        assert getattr(again, name) == pytest.approx(getattr(plain, name), rel=1e-7)


def rejects(frame, covariates, instruments, slope):
    """P-value of the instruments in the regression of what the slope leaves of the outcome."""
    rest = frame.assign(rest=frame["y"] - slope * frame["m"])
    found, restriction, *_ = first_stage(rest, covariates, instruments, "rest")
    return float(found.f_test(restriction).pvalue)


@pytest.mark.parametrize("instruments", [None, ("past",), ("level",)])
def test_the_set_ends_where_the_test_begins_to_reject(instruments) -> None:
    frame, covariates = prospect(), ("past", "level")
    found = anderson_rubin(persons_of(frame), instruments=instruments)
    assert len(found.pieces) == 1
    assert found.bounded
    for end in found.pieces[0]:
        assert rejects(frame, covariates, instruments, end) == pytest.approx(0.05, rel=1e-6)
    inside = sum(found.pieces[0]) / 2
    assert rejects(frame, covariates, instruments, inside) > 0.05
    assert found.contains(inside)
    assert not found.contains(found.pieces[0][1] + 0.1)
    if instruments:
        assert found.contains(covariate_iv(persons_of(frame), instruments=instruments).slope)
    assert str(found) == f"{found.pieces[0][0]:.4g} to {found.pieces[0][1]:.4g}"


def test_weak_instruments_exclude_nothing_or_a_piece_inside() -> None:
    frame = jobs2()
    weak = anderson_rubin(persons_of(frame, JOBS))
    assert weak.pieces == ((-math.inf, math.inf),)
    assert (str(weak), weak.bounded, weak.contains(1e9)) == ("every value", False, True)
    # Where instruments predict the outcome and hardly the mediator, small effects are excluded.
    moved = frame.assign(y=frame["y"] + 0.2 * frame["r"] * frame["econ_hard"])
    two = anderson_rubin(persons_of(moved, JOBS))
    (low, first), (second, high) = two.pieces
    assert (low, high) == (-math.inf, math.inf)
    assert not two.contains((first + second) / 2)
    assert str(two) == f"below {first:.4g} or above {second:.4g}"
    for end in (first, second):
        assert rejects(moved, JOBS, None, end) == pytest.approx(0.05, rel=1e-6)
    assert rejects(moved, JOBS, None, (first + second) / 2) < 0.05
    for far in (first - 1, second + 1, 1e4):
        assert rejects(moved, JOBS, None, far) > 0.05


def test_instruments_that_contradict_each_other_leave_nothing() -> None:
    frame = prospect()
    moved = frame.assign(y=frame["y"] + frame["r"] * (8 * frame["past"] - 4 * frame["level"]))
    found = anderson_rubin(persons_of(moved))
    assert (found.pieces, str(found), found.defined) == ((), "empty", True)
    for slope in np.linspace(-30, 30, 61):
        assert rejects(moved, ("past", "level"), None, slope) < 0.05


def test_units_and_signs_move_the_set_along() -> None:
    frame = prospect()
    ((low, high),) = anderson_rubin(persons_of(frame)).pieces
    moved = frame.assign(m=1e4 - 10 * frame["m"], y=100 * frame["y"])
    ((again_low, again_high),) = anderson_rubin(persons_of(moved, ("level", "past"))).pieces
    assert (again_low, again_high) == pytest.approx((-10 * high, -10 * low), rel=1e-7)


def test_it_covers_where_two_stage_least_squares_does_not() -> None:
    rng = np.random.default_rng(8)
    n, times = 120, 400
    covered = np.zeros((times, 2), dtype=bool)
    for i in range(times):
        frame = prospect(0, n)
        r, u = rng.permutation(np.arange(n) % 2).astype(float), rng.normal(size=n)
        x = rng.normal(size=(n, 2))
        m = r * (0.5 + 0.1 * x[:, 0]) + u + 0.3 * rng.normal(size=n)
        y = 2 * u + 0.3 * rng.normal(size=n)
        frame = frame.assign(r=r, past=x[:, 0], level=x[:, 1], m=m, y=y)
        persons = persons_of(frame)
        two_stage = covariate_iv(persons)
        covered[i, 0] = anderson_rubin(persons).contains(0.0)
        covered[i, 1] = two_stage.slope_low <= 0 <= two_stage.slope_high
    # .95 with a Monte Carlo error of .011.
    assert abs(covered[:, 0].mean() - 0.95) < 0.04
    assert covered[:, 1].mean() < 0.8


def test_what_is_not_defined_says_why() -> None:
    twice = prospect().assign(again=lambda f: f["past"])
    persons = persons_of(twice, ("past", "again"))
    found = anderson_rubin(persons)
    assert not found.defined
    assert str(found) == "not defined, because 'again' follows from 'past'"
    strength = trial_strength(persons)
    assert strength.reason == found.reason
    assert not strength.strong
