"""Checks that sites agree: Cochran's Q and the pooled Wald ratio, on data made for each outcome."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from bayesmed.checks import CheckResult, check
from bayesmed.checks.agreement import overidentification, pooled_wald_agrees
from bayesmed.classical.wald_contrast import wald_contrast
from bayesmed.generative import MultiSiteIV, SiteSlope
from bayesmed.inference import Fit
from bayesmed.priors import Prior
from tests.variants import Variant, made, variant_fit


def only(results: list[CheckResult]) -> CheckResult:
    (result,) = results
    return result


def known_line(name: str, slope: list[float], **choices) -> Fit:
    """Return a variant's fit with a posterior that knows the slopes."""
    fit = variant_fit(name)
    tree = fit.tree.copy(deep=True)
    tree["posterior"]["slope"][:] = slope
    return replace(fit, tree=tree, **choices)


def q_of(fit: Fit, slope: list[float], start: float = 0.0) -> float:
    data, contrast = fit.data, np.append(-np.array(slope), 1.0)
    residual = data.total_effect - data.mediator_effect @ slope - start
    return sum(r**2 / (contrast @ v @ contrast) for r, v in zip(residual, data.cov, strict=True))


def test_sites_on_one_line_pass() -> None:
    fit = known_line("two mediators without direct effect", [1.5, -0.7])
    result = only(overidentification(fit))
    assert (result.code, result.status) == ("overidentification", "passed")
    assert result.value == pytest.approx(q_of(fit, [1.5, -0.7]))
    p = stats.chi2.sf(result.value, 22)
    assert f"on 22 degrees of freedom (p = {p:.2g})" in result.reason
    assert "in proportion" in result.reason


def test_slopes_that_differ_are_not_invalidity_by_themselves() -> None:
    fit = known_line("random without direct effect", [1.5])
    result = only(overidentification(fit))
    assert result.value == pytest.approx(q_of(fit, [1.5]))
    assert result.value > stats.chi2.isf(0.05, 23)
    # The model has such slopes, and predicts as much scatter.
    assert result.status == "passed"
    assert "this model takes all of it for slopes that differ" in result.reason.lower()


def test_a_model_without_them_is_surprised() -> None:
    model = Variant(SiteSlope(direct_effect=False))
    fit = replace(made(model), data=variant_fit("random without direct effect").data)
    result = only(overidentification(fit))
    slope = fit.tree["posterior"]["slope"].mean().item()
    assert result.value == pytest.approx(q_of(fit, [slope]))
    assert result.status == "doubtful"
    assert "not invalidity by itself" in result.reason
    assert "has neither" in result.reason
    assert float(result.arrays["observed"]) > float(result.arrays["replicated"].quantile(0.95))


def test_sums_of_replicates_are_chi_squared_where_the_line_is_known() -> None:
    # One slope is estimated from 24 sites.
    fit = made(Variant(SiteSlope(direct_effect=False)), spread=0.0)
    sums = only(overidentification(fit)).arrays["replicated"].values
    assert stats.kstest(sums, stats.chi2(23).cdf).pvalue > 1e-3


def test_a_within_site_covariance_is_part_of_the_line() -> None:
    fit = known_line("random without direct effect", [1.5])
    known = replace(fit, model=MultiSiteIV(within_site_covariance=0.3))
    assert only(overidentification(known)).value == pytest.approx(q_of(fit, [1.5], 0.3))
    tree = fit.tree.copy(deep=True)
    draws = tree["posterior"].to_dataset()
    kappa = xr.full_like(draws["slope"].isel(mediator=0, drop=True), 0.2)
    tree["posterior"] = xr.DataTree(draws.assign(within_site_covariance=kappa))
    prior = Prior("Normal", sigma=1.0)
    drawn = replace(fit, model=MultiSiteIV(within_site_covariance=prior), tree=tree)
    result = only(overidentification(drawn))
    assert result.value == pytest.approx(q_of(fit, [1.5], 0.2))
    assert "on 22 degrees" in result.reason


def test_beside_direct_effects_or_along_a_curve_there_is_no_such_test() -> None:
    for name in ("constant", "random", "two mediators"):
        assert overidentification(variant_fit(name)) == []
        assert pooled_wald_agrees(variant_fit(name)) == []
    curve = replace(
        variant_fit("polynomial"), model=SiteSlope(slope="polynomial", direct_effect=False)
    )
    assert only(overidentification(curve)).status == "not applicable"
    assert only(pooled_wald_agrees(curve)).status == "not applicable"


def test_a_residual_without_error_has_no_test() -> None:
    fit = known_line("random without direct effect", [1.5])
    exact = fit.data.cov.copy()
    exact[2] = 0
    result = only(overidentification(replace(fit, data=replace(fit.data, cov=exact))))
    assert result.status == "not applicable"
    assert "site 3" in result.reason


def test_the_ratio_and_the_regression_are_compared() -> None:
    fit = variant_fit("random without direct effect")
    result, numbers = only(pooled_wald_agrees(fit)), wald_contrast(fit.data)
    assert (result.code, result.status) == ("pooled_wald", "passed")
    assert result.value == pytest.approx(numbers.errors)
    assert f"The ratio is {numbers.wald:.3g}, the regression {numbers.regression:.3g}" in (
        result.reason
    )
    # A constant that is added to all total effects moves the ratio more than the regression.
    moved = replace(fit.data, total_effect=1.5 * fit.data.mediator_effect[:, 0] + 1.0)
    apart = only(pooled_wald_agrees(replace(fit, data=moved)))
    assert apart.status == "doubtful"
    assert "These data cannot tell which" in apart.reason
    assert pooled_wald_agrees(variant_fit("two mediators without direct effect")) == []


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (MultiSiteIV(compliance_correlation=True), "slopes go with mediator effects"),
        (MultiSiteIV(within_site_covariance=0.1), "within-site covariance"),
        (MultiSiteIV(within_site_covariance=Prior("Normal", sigma=1.0)), "within-site covariance"),
    ],
)
def test_models_that_have_the_two_apart_are_not_judged(model: MultiSiteIV, words: str) -> None:
    fit = replace(variant_fit("random without direct effect"), model=model)
    result = only(pooled_wald_agrees(fit))
    assert result.status == "not applicable"
    assert words in result.reason


def test_a_ratio_without_an_answer_is_not_compared() -> None:
    fit = variant_fit("random without direct effect")
    weak = replace(fit.data, mediator_effect=0.05 * fit.data.mediator_effect)
    result = only(pooled_wald_agrees(replace(fit, data=weak)))
    assert result.status == "not applicable"
    assert "Bias-corrected IV is not defined" in result.reason


def test_all_are_among_the_checks_of_a_fit() -> None:
    codes = [r.code for r in check(variant_fit("random without direct effect"))]
    assert codes[:4] == ["reliability", "first_stage_f", "overidentification", "pooled_wald"]
