"""Covariates that agree on a slope, that do not, and what cannot be told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from bayesmed.checks import CheckResult
from bayesmed.checks.covariate_instruments import instruments_agree
from bayesmed.data import TrialMoments, TrialPersons
from bayesmed.formulas.instruments_agree import least_disagreement
from bayesmed.generative import CovariateIV
from bayesmed.inference import Fit
from bayesmed.priors import Prior
from tests.trial_fits import made

N = 400
SHAPE = (2, 300)
TRUTH = {
    "slope": 0.8,
    "direct_effect": 0.3,
    "mediator_effect": 0.5,
    "mediator_modification": (0.5, -0.4, 0.1),
    "direct_modification": (0.2,),
    "mediator_intercept": 0.1,
    "mediator_coefficient": (0.3, -0.2, 0.2),
    "outcome_intercept": 0.4,
    "outcome_coefficient": (0.1, 0.4, -0.3),
    "mediator_sd": 1.0,
    "outcome_sd": 1.2,
    "error_correlation": 0.5,
}
MODEL = CovariateIV(instruments=("x1", "x2"), errors="common")


def persons(rng: np.random.Generator) -> TrialPersons:
    return TrialPersons.from_arrays(
        treatment=np.tile([0.0, 1.0], N // 2),
        mediator=rng.normal(size=N),
        outcome=rng.normal(size=N),
        covariates={f"x{i}": rng.normal(size=N) for i in (1, 2, 3)},
    )


def fitted(
    seed: int, modifier: float = 0.0, model: CovariateIV = MODEL, *, moments: bool = False
) -> Fit[Any, Any]:
    """Return a fit that knows the truth, of data in which x1 may change the direct effect."""
    rng = np.random.default_rng(seed)
    one = {k: np.array([v]) for k, v in TRUTH.items()}
    true = replace(MODEL, direct_modifier={"x1": modifier}) if modifier else MODEL
    data, own = true.simulated(one, persons(rng), rng)
    draws = {k: np.broadcast_to(v[None], (*SHAPE, *v.shape[1:])) for k, v in own.items()}
    data = TrialMoments.from_persons(data) if moments else data
    return made(model, data, draws, SHAPE)


def looked(fit: Fit[Any, Any]) -> CheckResult:
    return instruments_agree(fit, fit.model)


def test_the_distance_is_the_least_over_all_slopes() -> None:
    rng = np.random.default_rng(1)
    x, y, root = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), rng.normal(size=(4, 4))
    weight = root @ root.T
    grid = np.linspace(-20, 20, 400_001)
    for found, own_x, own_y in zip(least_disagreement(x, y, weight), x, y, strict=True):
        a, b, c = own_y @ weight @ own_y, own_x @ weight @ own_y, own_x @ weight @ own_x
        assert found == pytest.approx(float((a - 2 * grid * b + grid**2 * c).min()), rel=1e-6)


def test_instruments_that_agree_pass_and_p_is_uniform() -> None:
    found = [looked(fitted(seed, moments=True)) for seed in range(120)]
    p = np.array([result.value for result in found])
    assert stats.kstest(p, "uniform").pvalue > 1e-3
    assert {r.status for r in found} == {"passed", "doubtful"}
    first = found[0]
    assert first.code == "overidentification"
    # Two instruments, one slope: about chi-squared with one degree of freedom.
    replicated = first.arrays["replicated"].values
    assert stats.kstest(replicated, stats.chi2(1).cdf).pvalue > 1e-3


def test_a_covariate_that_changes_the_direct_effect_is_found() -> None:
    found = [looked(fitted(seed, modifier=0.6)) for seed in range(20)]
    assert np.mean([r.status == "doubtful" for r in found]) > 0.6
    words = next(r.reason for r in found if r.status == "doubtful")
    assert "some of them change the effect of treatment past mediator" in words


def test_a_modifier_that_is_known_is_no_disagreement() -> None:
    known = replace(MODEL, direct_modifier={"x1": 0.6})
    found = [looked(fitted(seed, 0.6, known)) for seed in range(20)]
    assert np.mean([r.status == "doubtful" for r in found]) < 0.2


def test_the_order_of_instruments_does_not_matter() -> None:
    fit = fitted(3)
    model = replace(MODEL, instruments=("x2", "x1"))
    assert looked(replace(fit, model=model)).value == looked(fit).value


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (CovariateIV(instruments=("x1",), errors="common"), "only instrument"),
        (replace(MODEL, slope_modifier={"x1": 0.1}), "modifiers of the slope"),
        (
            replace(MODEL, direct_modifier={"x1": Prior("Normal", mu=0, sigma=1)}),
            "are parameters",
        ),
    ],
)
def test_what_cannot_be_told_is_not_applicable(model: CovariateIV, words: str) -> None:
    found = looked(replace(fitted(1), model=model))
    assert found.status == "not applicable"
    assert words.lower() in found.reason.lower()
