"""Shapes that normal coefficients give, and others."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from bayesmed.checks import CheckResult
from bayesmed.checks.coefficients import normal_coefficients
from bayesmed.data import TrialPersons
from bayesmed.generative import RandomCoefficients
from bayesmed.inference import Fit
from tests.trial_fits import made

SHAPE = (2, 300)
MODEL = RandomCoefficients(mediator="normal")
CORRELATION = np.array(
    [[1, 0.3, 0.2, 0.0], [0.3, 1, 0.0, 0.1], [0.2, 0.0, 1, 0.4], [0.0, 0.1, 0.4, 1]]
)


def fitted(seed: int, *, skewed: bool = False) -> Fit[Any, Any]:
    """Return a fit that knows the truth, of persons whose mediator may be skewed."""
    rng, n = np.random.default_rng(seed), 300
    like = TrialPersons.from_arrays(
        treatment=np.tile([0.0, 1.0], n // 2), mediator=rng.normal(size=n), outcome=np.zeros(n)
    )
    one = {
        "slope": np.array([0.5]),
        "mediator_effect": np.array([1.0]),
        "mediator_level": np.array([0.2]),
        "outcome_level": np.array([1.0]),
        "slope_sd": np.array([0.4]),
        "outcome_level_sd": np.array([1.0]),
        "mediator_level_sd": np.array([1.0]),
        "mediator_effect_sd": np.array([0.5]),
        "mediator_sd": np.array([[1.0, 1.2]]),
        "person_correlation": CORRELATION[None],
    }
    data, own = MODEL.simulated(one, like, rng)
    if skewed:
        m = np.sign(data.mediator) * np.abs(data.mediator) ** 1.5 + 0.4 * data.mediator**2
        data = TrialPersons.from_arrays(treatment=data.treatment, mediator=m, outcome=data.outcome)
    draws = {k: np.broadcast_to(v[None], (*SHAPE, *v.shape[1:])) for k, v in own.items()}
    return made(MODEL, data, draws, SHAPE)


def looked(fit: Fit[Any, Any]) -> CheckResult:
    (result,) = normal_coefficients(fit)
    return result


def test_normal_coefficients_pass_and_p_is_uniform() -> None:
    found = [looked(fitted(seed)) for seed in range(40)]
    p = np.array([result.value for result in found])
    assert stats.kstest(p, "uniform").pvalue > 1e-3
    assert found[0].code == "normal_coefficients"
    assert found[0].arrays["standardised"].shape == (2, 4)


def test_a_skewed_mediator_is_found_and_named() -> None:
    found = looked(fitted(1, skewed=True))
    assert found.status == "doubtful"
    assert "mediator" in found.reason
    assert "the average effect rests on it" in found.reason


def test_a_binary_mediator_needs_none_of_it() -> None:
    rng, n = np.random.default_rng(4), 200
    t = np.tile([0.0, 1.0], n // 2)
    m = (rng.random(n) < 0.3 + 0.3 * t).astype(float)
    data = TrialPersons.from_arrays(treatment=t, mediator=m, outcome=m + rng.normal(size=n))
    assert normal_coefficients(made(RandomCoefficients(), data)) == []
