"""Checks of strength and rank: each outcome, on data made for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayesmed.checks import CheckResult, check
from bayesmed.checks.strength import strength_of_sites
from bayesmed.classical import strength
from bayesmed.generative import SiteSlope
from bayesmed.inference import Fit
from tests.variants import variant_fit


def found(fit: Fit) -> dict[str, CheckResult]:
    return {result.code: result for result in strength_of_sites(fit)}


def with_effects(fit: Fit, *effects: np.ndarray) -> Fit:
    return replace(fit, data=replace(fit.data, mediator_effect=np.column_stack(effects)))


def noise(fit: Fit, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=fit.data.n_rows) * fit.data.mediator_se[:, 0]


@pytest.mark.parametrize(
    ("scale", "status"), [(1.0, "passed"), (0.47, "doubtful"), (0.2, "doubtful")]
)
def test_one_mediator_through_the_origin_has_one_f(scale: float, status: str) -> None:
    fit = variant_fit("random without direct effect")
    fit = with_effects(fit, scale * fit.data.mediator_effect)
    results = found(fit)
    assert list(results) == ["first_stage_f"]
    result, f = results["first_stage_f"], strength(fit.data, intercept=False).first_stage_f[0]
    assert (result.status, result.value) == (status, pytest.approx(f))
    assert (f < 10) == (status == "doubtful")
    assert f"would keep {1 / f:.2g} times the bias" in result.reason
    assert ("vary the prior" in result.reason) == (status == "doubtful")


def test_noise_alone_keeps_all_of_the_bias() -> None:
    fit = variant_fit("random without direct effect")
    result = found(with_effects(fit, 0.3 * noise(fit)))["first_stage_f"]
    assert result.value is not None
    assert result.value < 1
    assert "would keep all of the bias" in result.reason


def test_one_mediator_beside_direct_effects_is_judged_by_its_spread_alone() -> None:
    assert found(variant_fit("random")) == {}
    assert "reliability" in {r.code for r in check(variant_fit("random"))}


def test_mediators_apart_pass() -> None:
    fit = variant_fit("two mediators without direct effect")
    results, numbers = found(fit), strength(fit.data, intercept=False)
    assert list(results) == ["conditional_f[LDL]", "conditional_f[HDL]", "rank"]
    for p, name in enumerate(("LDL", "HDL")):
        result = results[f"conditional_f[{name}]"]
        assert (result.status, result.value) == (
            "passed",
            pytest.approx(numbers.conditional_f[p]),
        )
        assert f"{numbers.relative_bias[p]:.2g} times" in result.reason
    rank = results["rank"]
    assert (rank.status, rank.value) == ("passed", 2)
    assert "Both directions" in rank.reason
    assert f"{numbers.singular_values[1]:.3g} against 4.9 for" in rank.reason
    assert "p < 0.001" in rank.reason


def test_mediators_alike_are_not_told_apart() -> None:
    """Effects on HDL that are twice those on LDL, but for sampling error."""
    fit = variant_fit("two mediators")
    first = fit.data.mediator_effect[:, 0]
    results = found(with_effects(fit, first, 2 * first + noise(fit)))
    assert results["conditional_f[HDL]"].status == "doubtful"
    assert "beyond what effects on the other mediators tell" in results["conditional_f[HDL]"].reason
    rank = results["rank"]
    assert (rank.status, rank.value) == ("doubtful", 1)
    assert "LDL − 0.5" in rank.reason or "HDL − 2" in rank.reason or "HDL − 1.9" in rank.reason
    assert "does not differ between sites" in rank.reason
    assert "the slopes of LDL and HDL are not told apart" in rank.reason


def test_a_mediator_that_is_not_moved_is_named_alone() -> None:
    fit = variant_fit("two mediators without direct effect")
    results = found(with_effects(fit, fit.data.mediator_effect[:, 0], 0.8 * noise(fit)))
    assert results["conditional_f[LDL]"].status == "passed"
    assert results["conditional_f[HDL]"].status == "doubtful"
    assert "The effect on HDL does not differ from 0" in results["rank"].reason
    assert "LDL" not in results["rank"].reason


def test_several_lost_directions_are_counted() -> None:
    fit = variant_fit("three mediators")
    first = fit.data.mediator_effect[:, 0]
    rank = found(with_effects(fit, first, 2 * first + noise(fit, 1), first + noise(fit, 2)))["rank"]
    assert (rank.status, rank.value) == ("doubtful", 1)
    assert "In 2 combinations of LDL, HDL and CRP" in rank.reason
    assert "1 of 3 directions of their effects stands out" in rank.reason


def test_weak_by_the_bias_alone_is_doubtful() -> None:
    """An F above 10 where errors of two mediators go together more than their effects do."""
    fit = variant_fit("two mediators without direct effect")
    rng = np.random.default_rng(1)
    second = rng.normal(2, 1, fit.data.n_rows)
    own = rng.normal(0, 1, fit.data.n_rows)
    cov = fit.data.cov.copy()
    cov[:, 0, 1] = cov[:, 1, 0] = 0.8 * cov[:, 0, 0]
    data = replace(fit.data, cov=cov)
    for size in np.linspace(0.2, 0.6, 200):
        effects = np.column_stack([0.3 * second + size * own, second])
        one = replace(fit, data=replace(data, mediator_effect=effects))
        numbers = strength(one.data, intercept=False)
        if numbers.conditional_f[0] > 10:
            break
    assert numbers.relative_bias[0] > 0.1
    result = found(one)["conditional_f[LDL]"]
    assert result.status == "doubtful"
    assert "below 10" not in result.reason
    assert f"{numbers.relative_bias[0]:.2g} times the bias" in result.reason


def test_what_has_no_strength_says_why() -> None:
    fit = variant_fit("two mediators without direct effect")
    data = fit.data
    exact = data.cov.copy()
    exact[3, 1, :] = exact[3, :, 1] = 0
    results = found(replace(fit, data=replace(data, cov=exact)))
    assert {r.status for r in results.values()} == {"not applicable"}
    assert all("standard error of the effect on 'HDL'" in r.reason for r in results.values())
    first = data.mediator_effect[:, 0]
    results = found(with_effects(fit, first, 2 * first))
    assert {r.status for r in results.values()} == {"doubtful"}
    assert results["rank"].reason == "They do not: the mediator effects are collinear."
    few = replace(fit, data=data.take([0, 1]), model=SiteSlope())
    assert "2 sites are too few for 2 mediators" in found(few)["rank"].reason


def test_without_the_weakest_direction_predictions_are_noise() -> None:
    fit = variant_fit("two mediators")
    arrays = found(fit)["rank"].arrays
    assert float(arrays["observed"]) > float(arrays["replicated"].max())
    # Of 24 sites about a mean with one direction of effects: about the root of χ²(22).
    assert abs(float((arrays["replicated"] ** 2).median()) - 21.3) < 3.0
    first = fit.data.mediator_effect[:, 0]
    arrays = found(with_effects(fit, first, 2 * first + noise(fit)))["rank"].arrays
    assert float(arrays["observed"]) < float(arrays["replicated"].max())
