"""Least squares on one trial: statsmodels on rows; what the correction after baseline corrects."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from bayesmed.classical import baron_kenny, post_baseline_correction
from bayesmed.data import TrialMoments, TrialPersons
from tests.classical.trials import JOBS, jobs2, persons_of, prospect

CASES = {"jobs2": (jobs2, JOBS), "simulated": (prospect, ("past", "level")), "bare": (prospect, ())}


@pytest.mark.parametrize("trial", CASES)
def test_baron_and_kenny_is_least_squares(trial: str) -> None:
    make, covariates = CASES[trial]
    frame = make()
    found = baron_kenny(persons_of(frame, covariates))
    oracle = sm.OLS(frame["y"], sm.add_constant(frame[["r", "m", *covariates]])).fit()
    ends = oracle.conf_int()
    expected = [
        *(oracle.params["m"], oracle.bse["m"], *ends.loc["m"]),
        *(oracle.params["r"], oracle.bse["r"], *ends.loc["r"]),
        oracle.cov_params().loc["m", "r"],
    ]
    got = [getattr(found, f"slope{end}") for end in ("", "_se", "_low", "_high")]
    got += [getattr(found, f"direct_effect{end}") for end in ("", "_se", "_low", "_high")]
    np.testing.assert_allclose([*got, found.covariance], expected, rtol=1e-8)
    assert found.df == oracle.df_resid


def with_confounder(frame: pd.DataFrame, covariates: tuple[str, ...]) -> TrialPersons:
    return persons_of(frame, covariates, post_baseline={"c": frame["c"]})


@pytest.mark.parametrize("trial", ["jobs2", "simulated"])
def test_the_correction_is_two_regressions(trial: str) -> None:
    make, covariates = CASES[trial]
    frame = make()
    found = post_baseline_correction(with_confounder(frame, covariates))
    first = sm.OLS(frame["y"], sm.add_constant(frame[["r", "m", *covariates, "c"]])).fit()
    assert found.slope == pytest.approx(first.params["m"], rel=1e-8)
    assert found.slope_se == pytest.approx(first.bse["m"], rel=1e-8)
    assert found.df == first.df_resid
    exogenous = sm.add_constant(frame[["r", *covariates]])
    second = sm.OLS(frame["y"] - first.params["m"] * frame["m"], exogenous).fit()
    assert found.direct_effect == pytest.approx(second.params["r"], rel=1e-8)
    on_mediator = sm.OLS(frame["m"], exogenous).fit().params["r"]
    own = second.bse["r"] ** 2 * second.df_resid / (second.df_resid - 1)
    variance = own + (on_mediator * first.bse["m"]) ** 2
    assert found.direct_effect_se == pytest.approx(np.sqrt(variance), rel=1e-8)


def test_without_confounders_it_is_the_standard_regression() -> None:
    persons = persons_of(jobs2(), JOBS)
    found, plain = post_baseline_correction(persons), baron_kenny(persons)
    for name in ("slope", "slope_se", "direct_effect", "direct_effect_se", "covariance", "df"):
        assert getattr(found, name) == pytest.approx(getattr(plain, name), rel=1e-12)
    assert found.name != plain.name
    moments = TrialMoments.from_persons(persons)
    assert baron_kenny(moments) == plain


def confounded(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """Treatment moves a confounder c of mediator and outcome; direct effect 1 + .8, slope 2."""
    r, x = rng.permutation(np.arange(n) % 2), rng.normal(size=n)
    c = 0.8 * r + 0.5 * x + rng.normal(size=n)
    m = 0.7 * r + c + x + rng.normal(size=n)
    y = r + 2 * m + c + 0.3 * x + rng.normal(size=n)
    return {"r": r, "x": x, "c": c, "m": m, "y": y}


def test_it_corrects_what_it_is_for_and_its_errors_are_right() -> None:
    rng = np.random.default_rng(6)
    found = []
    for _ in range(300):
        frame = pd.DataFrame(confounded(rng, 250))
        found.append(post_baseline_correction(with_confounder(frame, ("x",))))
    for name, truth in (("slope", 2.0), ("direct_effect", 1.8)):
        values = np.array([getattr(f, name) for f in found])
        errors = np.array([getattr(f, f"{name}_se") for f in found])
        assert abs(values.mean() - truth) < 4 * values.std() / np.sqrt(300)
        # The spread of 300 estimates is known to 4 %.
        assert errors.mean() == pytest.approx(values.std(), rel=0.16)
    cov = np.cov([f.slope for f in found], [f.direct_effect for f in found])
    corr = np.mean([f.covariance / f.slope_se / f.direct_effect_se for f in found])
    assert corr == pytest.approx(cov[0, 1] / np.sqrt(cov[0, 0] * cov[1, 1]), abs=0.15)
    large = pd.DataFrame(confounded(rng, 20_000))
    inside = sm.OLS(large["y"], sm.add_constant(large[["r", "m", "x", "c"]])).fit()
    # Given c, treatment keeps only what does not run through it; without c the slope is wrong.
    assert inside.params["r"] == pytest.approx(1.0, abs=0.1)
    assert baron_kenny(persons_of(large, ("x",))).slope > 2.3


def test_units_and_order_change_nothing_else() -> None:
    frame = prospect()
    plain = post_baseline_correction(with_confounder(frame, ("past", "level")))
    moved = frame.assign(m=3 - 1e3 * frame["m"], y=1e4 * frame["y"], c=7 * frame["c"])
    again = post_baseline_correction(with_confounder(moved, ("level", "past")))
    assert again.slope == pytest.approx(plain.slope * -10, rel=1e-8)
    assert again.direct_effect == pytest.approx(plain.direct_effect * 1e4, rel=1e-8)
    assert again.direct_effect_se == pytest.approx(plain.direct_effect_se * 1e4, rel=1e-8)


def test_a_mediator_that_follows_from_the_rest_has_no_effect_of_its_own() -> None:
    frame = prospect()
    same = frame.assign(m=frame["c"] + frame["past"])
    assert baron_kenny(persons_of(same)).defined
    found = post_baseline_correction(with_confounder(same, ("past", "level")))
    assert not found.defined
    assert found.reason == "'mediator' follows from 'past' and 'c'"
    assert np.isnan(found.slope)
    assert not baron_kenny(persons_of(frame.assign(m=frame["r"]))).defined
