"""Estimators side by side, and that every reason is true of the numbers it gives."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayesmed.classical import ESTIMATORS, all_estimates, bces, ols, random_effects_weights, wls
from bayesmed.core.errors import ModelError
from bayesmed.effects import Comparison, compare
from bayesmed.generative import SiteSlope
from bayesmed.inference import Fit, Sampler, exact_posterior, fit
from bayesmed.inference.tree import assemble
from bayesmed.priors import Prior
from tests.classical.tables import drawn, mechte, sites, star, uneven

EXACT = Sampler(engine="exact", draws=500)
COLUMNS = [
    *("estimator", "mediator", "slope", "slope_se", "low", "high", "defined"),
    *("covariance_used", "simulation_error", "reason"),
]


def exact(data, **choices) -> Fit:
    return fit(SiteSlope(**choices), data, sampler=EXACT, seed=1)


@pytest.fixture(scope="module")
def of_mechte() -> Comparison:
    return compare(exact(mechte()))


@pytest.fixture(scope="module")
def of_star() -> Comparison:
    return compare(exact(star()))


def slopes(found: Comparison) -> pd.Series:
    return found.table().set_index("estimator")["slope"]


def reason(found: Comparison, estimator: str, code: str, mediator: str | None = None) -> pd.Series:
    table = found.reasons()
    kept = (table["estimator"] == estimator) & (table["code"] == code)
    if mediator is not None:
        kept &= table["mediator"] == mediator
    assert kept.sum() == 1, table[table["estimator"] == estimator].to_string()
    return table[kept].iloc[0]


def codes(found: Comparison, estimator: str) -> set[str]:
    table = found.reasons()
    return set(table.loc[table["estimator"] == estimator, "code"])


def made(model: SiteSlope, data) -> Fit:
    """Make a fit whose posterior is the model's prior: narrow priors give known draws."""
    draws = model.prior_draws(data, 2000, np.random.default_rng(3))
    draws = {name: v.reshape(4, 500, *v.shape[1:]) for name, v in draws.items()}
    return Fit(model, data, Sampler(draws=500), 1, assemble(model, data, draws, None, seed=1))


def test_the_numbers_of_the_example_of_mechte(of_mechte: Comparison) -> None:
    found = of_mechte.table().set_index("estimator")
    assert found["slope"]["OLS"] == pytest.approx(0.698, abs=5e-4)
    simex = found.loc["SIMEX (published form)"]
    assert abs(simex["slope"] - 1.28) < 4 * simex["simulation_error"] + 0.005
    assert not found["defined"]["BCES"]
    assert found["slope"]["Posterior"] == pytest.approx(2.979, abs=2e-3)
    assert found.index[0] == "Posterior"


def test_the_reasons_of_the_example_of_mechte(of_mechte: Comparison) -> None:
    attenuation = reason(of_mechte, "OLS", "attenuation")
    # The least-squares slope over the posterior mean is what noise leaves of it.
    assert attenuation["value"] == pytest.approx(0.698 / 2.979, abs=0.02)
    assert "λ = 0.2" in attenuation["text"]
    assert "a slope of 2.98 would look like 0.7" in attenuation["text"].replace("0.69", "0.7")
    undefined = reason(of_mechte, "BCES", "undefined_denominator")
    data = mechte()
    left = np.var(data.mediator_effect, ddof=1) - np.mean(data.mediator_se**2)
    assert undefined["value"] == pytest.approx(left)
    assert left < 0
    assert "1.12 times" in undefined["text"]
    reached = reason(of_mechte, "SIMEX", "extrapolation")["value"] * 2.979
    assert reached == pytest.approx(slopes(of_mechte)["SIMEX"], abs=0.15)
    direct = reason(of_mechte, "Pooled Wald", "different_target")
    assert 2.979 + direct["value"] == pytest.approx(slopes(of_mechte)["Pooled Wald"], abs=0.15)
    assert abs(reason(of_mechte, "Posterior", "prior")["value"]) < 0.05
    assert any("not given and is taken as 0" in note for note in of_mechte.notes)


def test_the_numbers_of_star(of_star: Comparison) -> None:
    found = slopes(of_star)
    assert found["WLS"] == pytest.approx(0.44, abs=0.005)
    assert found["SIMEX (published form)"] == pytest.approx(0.58, abs=0.01)
    assert found["BCES"] == pytest.approx(0.18, abs=0.005)
    assert found["Reliability-corrected (Paule-Mandel)"] == pytest.approx(0.19, abs=0.005)
    assert found["Posterior"] == pytest.approx(0.2, abs=0.02)
    used = of_star.table().set_index("estimator")["covariance_used"]
    assert used[["Posterior", "BCES", "SIMEX"]].all()
    assert not used[["OLS", "WLS", "SIMEX (published form)"]].any()


def test_the_covariance_left_out_is_what_separates_the_estimators_of_star(
    of_star: Comparison,
) -> None:
    data, found = star(), slopes(of_star)
    moved = reason(of_star, "OLS", "ignored_covariance")["value"]
    spread = np.var(data.mediator_effect, ddof=1) * (data.n_rows - 1) / data.n_rows
    assert moved == pytest.approx(data.cov[:, 0, 1].mean() / spread)
    assert f"{data.cov[:, 0, 1].mean():.3g}" in reason(of_star, "OLS", "ignored_covariance")["text"]
    # With the covariance taken off its numerator OLS is the attenuated slope.
    attenuated = reason(of_star, "OLS", "attenuation")["value"] * found["Posterior"]
    assert found["OLS"] - moved == pytest.approx(attenuated, abs=0.03)
    for name, partner in (("BCES (published form)", "BCES"), ("SIMEX (published form)", "SIMEX")):
        moved = reason(of_star, name, "ignored_covariance")["value"]
        assert moved == pytest.approx(found[name] - found[partner])
    assert codes(of_star, "BCES") == {"agrees"}
    assert not any("taken as 0" in note for note in of_star.notes)


def test_an_estimate_that_agrees_and_claims_to_know_more_is_said_to() -> None:
    mediator = np.array([0.2, 0.5, 0.9, 1.2, 0.4])
    few = sites(mediator, [0.9, 2.1, 4.4, 5.6, 1.7], [[0.01, 0.01], [0.01, 0.25]])
    found = compare(exact(few))
    assert codes(found, "OLS") >= {"agrees", "narrower"}
    table = found.table().set_index("estimator")
    width = table["high"] - table["low"]
    ratio = reason(found, "OLS", "narrower")["value"]
    assert ratio == pytest.approx(width["OLS"] / width["Posterior"], rel=0.1)
    assert ratio < 0.5
    assert "5 sites" in reason(found, "OLS", "narrower")["text"]


def test_a_dominating_site_is_named_with_what_its_loss_does() -> None:
    mediator = np.append(np.linspace(-1, 1, 12), 5.0)
    total = np.append(2 * mediator[:-1] + 0.1 * np.cos(3 * np.arange(12)), -6.0)
    data = sites(mediator, total, np.diag([0.0004, 0.01]), site=[*"abcdefghijkl", "Ooty"])
    found = compare(data)
    for name, estimator in (("OLS", ols), ("WLS", wls), ("BCES", bces)):
        told = reason(found, name, "one_site_dominating")
        before, after = estimator(data), estimator(data.take(range(12)))
        expected = (after.slope[0] - before.slope[0]) / before.slope_se[0]
        assert told["value"] == pytest.approx(expected)
        assert "'Ooty'" in told["text"]


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("intercept", [True, False])
def test_leaving_one_out_is_what_estimating_without_it_gives(p: int, intercept: bool) -> None:
    data = drawn(5, 6, uneven(2, 6, p), slope=np.ones(p), mean=1.0)
    data = data.rescaled([-1e6] * p, 1e-3)
    found = compare(data, intercept=intercept)
    tried = 0
    for _, row in found.reasons().iterrows():
        if row["code"] != "one_site_dominating" or "not be defined" in row["text"]:
            continue
        estimator, i = ESTIMATORS[row["estimator"]], data.mediators.index(row["mediator"])
        whole = estimator(data, intercept)
        shifts = [
            (estimator(data.take([r for r in range(6) if r != s]), intercept).slope - whole.slope)
            for s in range(6)
        ]
        shift = np.array(shifts)[:, i] / whole.slope_se[i]
        assert row["value"] == pytest.approx(shift[np.nanargmax(np.abs(shift))], rel=1e-6)
        tried += 1
    assert tried


def test_a_site_without_which_nothing_is_left_is_named() -> None:
    data = sites([1, 1.1, 0.9, 1, 1.05, 1, 3], [1, 2, 1.5, 1, 2, 3, 6], np.diag([0.04, 0.01]))
    told = reason(compare(data), "BCES", "one_site_dominating")
    rest = data.take(range(6))
    left = np.var(rest.mediator_effect) - 0.04
    assert told["value"] == pytest.approx(left)
    assert not bces(rest).defined


def test_data_alone_are_compared_with_bces_or_what_stands_in_for_it() -> None:
    data = star()
    found = compare(data, seed=3)
    assert found.posterior is None
    assert found.reference is not None
    assert found.reference.name == "BCES"
    table = found.table()
    assert list(table.columns) == COLUMNS
    expected = all_estimates(data, seed=3)
    assert table["estimator"].tolist() == [e.name for e in expected]
    assert_allclose(table["slope"], [e.slope[0] for e in expected])
    assert_allclose(table["low"], [e.interval_low[0] for e in expected])
    assert "the posterior" not in " ".join(found.sentences())
    assert list(found.reasons().columns) == ["estimator", "mediator", "code", "text", "value"]
    stand_in = compare(mechte()).reference
    assert stand_in is not None
    assert stand_in.name == "Reliability-corrected (Paule-Mandel)"


def test_without_any_reference_least_squares_is_said_to_be_pulled_by_who_knows_what() -> None:
    data = sites([1, 1.1, 0.9], [2, 4.5, 6], np.diag([0.04, 0.1]))
    found = compare(data)
    assert found.reference is None
    told = reason(found, "OLS", "attenuation")
    assert told["value"] == pytest.approx(1 - 0.04 / np.var([1, 1.1, 0.9], ddof=1))
    assert "cannot be told" in told["text"]
    assert codes(found, "Reliability-corrected (Paule-Mandel)") == {"undefined_denominator"}


def test_two_mediators_have_a_row_each_and_only_estimators_that_take_them() -> None:
    data = drawn(3, 40, uneven(1, 40, 2), slope=[1.0, 0.5])
    found = compare(data)
    table = found.table()
    assert set(table["estimator"]) == {
        *("OLS", "WLS", "WLS (random effects)", "WLS (random slopes)"),
        *("BCES", "BCES (pairs bootstrap)", "BCES (wild bootstrap)", "SIMEX"),
        *("2SLS on persons", "LIML on persons", "k-class on persons"),  # of rows
    }
    assert (table.groupby("estimator")["mediator"].apply(list).map(len) == 2).all()
    assert any("several mediators: BCES (published form)" in note for note in found.notes)
    # What least squares would make of the reference, from moments of the table.
    noise = data.cov[:, :2, :2].mean(axis=0)
    spread = np.cov(data.mediator_effect.T) - noise
    seen = np.linalg.solve(spread + noise, spread @ bces(data).slope)
    for i, mediator in enumerate(data.mediators):
        told = reason(found, "OLS", "attenuation", mediator)
        assert f"would look like {seen[i]:.3g}." in told["text"]
        assert told["value"] == pytest.approx(spread[i, i] / (spread + noise)[i, i])
    assert all("(mediator_1)" in s or "(mediator_2)" in s for s in found.sentences())


def test_a_fit_of_two_mediators_is_compared() -> None:
    data = drawn(3, 40, uneven(1, 40, 2), slope=[1.0, 0.5])
    priors = {
        "slope[mediator_1]": Prior("Normal", mu=1.0, sigma=0.1),
        "slope[mediator_2]": Prior("Normal", mu=0.5, sigma=0.1),
    }
    found = compare(made(SiteSlope(priors=priors), data))
    assert found.posterior is not None
    assert found.posterior["mediator"].tolist() == ["mediator_1", "mediator_2"]
    assert_allclose(found.posterior["mean"], [1.0, 0.5], atol=0.02)
    assert found.table()["estimator"].tolist()[:3] == ["Posterior", "Posterior", "OLS"]
    assert reason(found, "Posterior", "prior", "mediator_2")["text"]


def test_a_model_without_direct_effect_is_compared_with_lines_through_the_origin() -> None:
    found = compare(exact(star(), direct_effect=False))
    assert slopes(found)["OLS"] == pytest.approx(ols(star(), intercept=False).slope[0])
    assert any("line through the origin" in note for note in found.notes)
    scatter = reason(found, "Posterior", "excess_scatter")
    assert scatter["value"] > 150
    with_intercept = compare(exact(star(), direct_effect=False), intercept=True)
    told = reason(with_intercept, "OLS", "different_target")
    assert told["value"] == pytest.approx(ols(star()).intercept)


@pytest.mark.parametrize("sd", [2.0, 0.2, 0.05])
def test_the_effect_of_the_prior_is_that_of_another_fit(sd: float) -> None:
    data = drawn(3, 30, [[0.09, 0.02], [0.02, 0.1]])
    model = SiteSlope(priors={"slope": Prior("Normal", mu=0.8, sigma=sd)})
    sampler = Sampler(engine="exact", draws=5000)
    told = reason(compare(fit(model, data, sampler=sampler, seed=1)), "Posterior", "prior")
    wide = replace(model, priors={"slope": Prior("Normal", mu=0.8, sigma=4 * sd)})
    before, after = (exact_posterior(m, data).summary("slope") for m in (model, wide))
    # 2,000 draws, weighted, and the same unweighted.
    shift = (after.mean - before.mean) / before.sd
    assert told["value"] == pytest.approx(shift, abs=4 / np.sqrt(2000))


def test_a_prior_that_holds_everything_is_told_by_its_share_where_nothing_else_can_be() -> None:
    priors = {"slope": Prior("Normal", mu=0.8, sigma=0.001)}
    found = compare(made(SiteSlope(slope="random", priors=priors), drawn(3, 30, np.eye(2) / 10)))
    told = reason(found, "Posterior", "prior")
    assert told["value"] == pytest.approx(1, abs=0.1)
    assert "of its precision" in told["text"]


def test_slopes_that_differ_say_how_far_weights_carry_an_average() -> None:
    data = drawn(3, 40, [[0.01, 0.0], [0.0, 0.01]], mean=1.0)
    priors = {
        "slope": Prior("Normal", mu=2.0, sigma=0.05),
        "slope_sd": Prior("Uniform", lower=0.499, upper=0.501),
    }
    found = compare(made(SiteSlope(slope="random", priors=priors), data))
    x = data.mediator_effect[:, 0]
    weights = (x - x.mean()) * x / np.sum((x - x.mean()) * x)
    told = reason(found, "OLS", "random_slope")
    assert told["value"] == pytest.approx(0.5 * np.sqrt(np.sum(weights**2)), rel=0.01)
    told = reason(found, "Pooled Wald", "random_slope")
    assert told["value"] == pytest.approx(0.5 * np.sqrt(np.sum((x / x.sum()) ** 2)), rel=0.01)


def test_a_slope_that_bends_says_where_a_straight_line_tends() -> None:
    data = drawn(3, 40, [[0.01, 0.0], [0.0, 0.01]], mean=1.0)
    narrow = {
        name: Prior("Normal", mu=mu, sigma=0.01)
        for name, mu in {
            "slope": 2.0,
            "slope_linear": 0.5,
            "slope_quadratic": 0.1,
            "mediator_effect_mean": 1.0,
        }.items()
    }
    narrow["mediator_effect_sd"] = Prior("Uniform", lower=0.99, upper=1.01)
    found = compare(made(SiteSlope(slope="polynomial", priors=narrow), data))
    assert found.posterior is not None
    average = 2.0 + 0.5 + 0.1 * 2
    assert found.posterior["mean"][0] == pytest.approx(average, abs=0.01)
    # The slope of a regression of δ(γ)γ on γ, from simulated sites.
    rng = np.random.default_rng(1)
    gamma = rng.normal(1, 1, 2_000_000)
    line = np.polyfit(gamma, (2 + 0.5 * gamma + 0.1 * gamma**2) * gamma, 1)[0]
    assert reason(found, "OLS", "random_slope")["value"] == pytest.approx(line - average, abs=0.02)
    assert any("average, over sites" in note for note in found.notes)


def test_covariates_and_a_correlation_of_the_model_are_reasons() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=40)
    gamma = 0.5 * x + rng.normal(0, 0.5, 40)
    cov = np.diag([0.0001, 0.0001])
    data = sites(gamma, gamma + 2 * x, cov, covariates={"x": x})
    narrow = {"slope": Prior("Normal", mu=1.0, sigma=0.01)}
    found = compare(made(SiteSlope(covariates=("x",), priors=narrow), data))
    told = reason(found, "OLS", "covariates")
    assert ols(data).slope[0] + told["value"] == pytest.approx(1.0)
    narrow |= {
        "direct_effect_sd": Prior("Uniform", lower=1.99, upper=2.01),
        "mediator_effect_sd": Prior("Uniform", lower=0.99, upper=1.01),
    }
    found = compare(made(SiteSlope(correlation=0.5, priors=narrow), data))
    assert reason(found, "OLS", "correlation")["value"] == pytest.approx(1.0, rel=0.02)


def test_a_skewed_posterior_is_said_to_be() -> None:
    data = drawn(2, 3, [[0.2, 0.0], [0.0, 0.1]])
    prior = Prior("LogNormal", mu=0.0, sigma=1.0)
    found = compare(made(SiteSlope(priors={"slope": prior}), data))
    assert reason(found, "Posterior", "shape")["value"] > 0.2


@pytest.mark.parametrize("n", [3, 500, 10_000])
def test_every_number_of_sites_takes_seconds_at_most(n: int) -> None:
    data = drawn(3, n, [[0.09, 0.02], [0.02, 0.1]])
    began = time.perf_counter()
    found = compare(data)
    assert time.perf_counter() - began < 10  # a hurried machine included; 1 to 3 seconds
    assert ("BCES (pairs bootstrap)" in slopes(found).index) == (n <= 500)
    assert found.table()["simulation_error"].max() < 0.01


def test_estimates_that_lie_apart_by_chance_are_said_to() -> None:
    data = sites([1, 2, 3], [2, 4.5, 6], np.diag([0.04, 0.01]))
    told = reason(compare(data), "SIMEX", "own_error")
    assert told["value"] < 2


def test_weights_that_move_wls_are_told() -> None:
    data = drawn(4, 20, uneven(7, 20))
    found = compare(data)
    told = found.reasons().query("code == 'weights'").set_index("estimator")
    assert "WLS" in told.index
    for name, row in told.iterrows():
        moved = ESTIMATORS[name](data).slope[0] - ols(data).slope[0]
        assert row["value"] == pytest.approx(moved)


def test_noise_is_weighed_as_the_estimator_weighs_sites() -> None:
    cov = uneven(7, 60)
    cov[:, 0, 1] = cov[:, 1, 0] = 0.0
    found = compare(drawn(4, 60, cov, direct=(0.0, 0.4), sd=0.5))
    data = drawn(4, 60, cov, direct=(0.0, 0.4), sd=0.5)
    weight = random_effects_weights(data)
    noise = weight @ cov[:, 0, 0] / weight.sum()
    spread = np.var(data.mediator_effect, ddof=1) - cov[:, 0, 0].mean()
    told = reason(found, "WLS (random effects)", "attenuation")
    assert told["value"] == pytest.approx(spread / (spread + noise))


def test_what_is_neither_data_nor_a_fit_is_refused() -> None:
    with pytest.raises(ModelError, match="str cannot be compared"):
        compare("sites.csv")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="seed"):
        compare(star(), seed=-1)
