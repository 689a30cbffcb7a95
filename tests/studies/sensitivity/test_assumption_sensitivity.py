"""Assumptions held at values: known answers, invariances, and what is said of failures."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from bayesmed.core.errors import DataError, ModelError
from bayesmed.data import SiteEstimates, TrialPersons
from bayesmed.effects import effects
from bayesmed.formulas.correlation import slope_under_correlation, tipping_correlation
from bayesmed.generative import (
    CovariateIV,
    MultiSiteIV,
    PrincipalStrata,
    RandomCoefficients,
    SiteSlope,
)
from bayesmed.inference import Sampler, fit
from bayesmed.priors import Prior
from bayesmed.studies.sensitivity import AssumptionSensitivity, assumption_sensitivity
from bayesmed.studies.sensitivity.assumption_refit import AssumptionRefit
from tests.calibration.principal_strata import simulate
from tests.trial_fits import made

QUICK = Sampler(draws=1000, tune=500, chains=2)
# Gives way to nuts where an assumption cannot be integrated.
EXACT = replace(QUICK, engine="exact")
NARROW = {"narrow": {"slope": Prior("Normal", mu=0.5, sigma=0.02)}}
VALUES = [-0.8, -0.4, 0.4, 0.8]


@pytest.fixture(scope="module")
def own() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


def sites(sign: float = 1.0) -> SiteEstimates:
    """Sixty sites whose effects are nearly known; the mediator may be turned around."""
    rng = np.random.default_rng(4)
    gamma = 0.5 + rng.normal(size=60)
    beta = 0.3 + 1.0 * gamma + rng.normal(0, 0.8, 60)
    cov = np.tile(np.diag([1e-6, 1e-6]), (60, 1, 1))
    return SiteEstimates.from_arrays(mediator_effect=sign * gamma, total_effect=beta, cov=cov)


def correlations(data: SiteEstimates, own: Executor, **options: Any) -> AssumptionSensitivity:
    exact = fit(SiteSlope(), data, sampler=Sampler(engine="exact"), seed=1)
    axes = {"correlation": VALUES}
    return assumption_sensitivity(exact, axes, sampler=EXACT, executor=own, **options)


@pytest.fixture(scope="module")
def study(own: Executor) -> AssumptionSensitivity:
    """Compiles once; where the fit's engine can, it integrates."""
    return correlations(sites(), own, priors=NARROW)


def slopes(found: AssumptionSensitivity) -> pd.DataFrame:
    return found.held().query("quantity == 'slope'").set_index("correlation")


def test_the_slope_follows_the_formula(study: AssumptionSensitivity) -> None:
    r"""Without sampling error the slope is b - rho / sqrt(1 - rho²) s_e / sigma_gamma."""
    data, found = sites(), slopes(study)
    gamma, beta = data.mediator_effect[:, 0], data.total_effect
    b, a = np.polyfit(gamma, beta, 1)
    s_e, sd = np.std(beta - a - b * gamma), np.std(gamma)
    assert study.failures().empty
    assert found["converged"].all()
    assert found.index.tolist() == [-0.8, -0.4, 0.0, 0.4, 0.8]
    expected = slope_under_correlation(b, s_e, sd, found.index.to_numpy())
    # Priors, and spreads that are not known, move it by little; least squares would by 1.
    np.testing.assert_allclose(found["q50"], expected, atol=0.06)
    tipped = study.tipping().query("quantity == 'slope' and conclusion == 'sign'").iloc[0]
    rho = tipping_correlation(b, s_e, sd)
    assert tipped["above"] == pytest.approx(rho, abs=0.06)
    assert np.isnan(tipped["below"])


def test_total_effects_do_not_depend_on_it(study: AssumptionSensitivity) -> None:
    total = study.held().query("quantity == 'average_total_effect'")
    assert np.ptp(total["q50"]) < 6 * total["mc_error"].max() + 1e-4


def test_a_turned_mediator_mirrors_the_curve(study: AssumptionSensitivity, own: Executor) -> None:
    here, there = slopes(study), slopes(correlations(sites(-1.0), own))
    noise = 5 * np.hypot(here["mc_error"], there["mc_error"].to_numpy()[::-1])
    assert (np.abs(here["mean"] + there["mean"].to_numpy()[::-1]) < noise + 1e-3).all()


def test_the_fit_and_priors_stand_beside_the_grid(study: AssumptionSensitivity) -> None:
    table = study.table().query("quantity == 'slope'").set_index("version")
    assert table.index.tolist() == ["as fitted", "held", "held", "held", "held", "narrow"]
    assert table.loc["as fitted", "correlation"] == 0.0
    assert table.loc["as fitted", "engine"] == "exact"
    # Far below what the data say, and surer of it.
    assert table.loc["narrow", "engine"] == "exact"
    assert table.loc["narrow", "mean"] == pytest.approx(0.5, abs=0.1)
    grid = study.held()
    assert "narrow" not in set(grid["version"])
    assert len(grid) == 5 * len(set(grid["quantity"]))


def test_the_place_where_it_is_computed_does_not_matter(
    study: AssumptionSensitivity, tmp_path: Any
) -> None:
    """Another process, and a file, give what this one does; the file is then all that is read."""
    there = assumption_sensitivity(
        study.fit, (), priors=NARROW, sampler=EXACT, workers=1, store=tmp_path / "study.duckdb"
    )
    kept = study.table().query("version == 'narrow'").drop(columns="correlation")
    elsewhere = there.table().query("version == 'narrow'")
    assert_frame_equal(kept.reset_index(drop=True), elsewhere.reset_index(drop=True))
    assert there.held().empty
    assert there.tipping().empty


def test_a_refit_that_fails_is_named(
    study: AssumptionSensitivity, own: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(task: AssumptionRefit, seed: int) -> list[Any]:
        if task.model.correlation > 0:
            raise ValueError("too steep")
        return [
            {k: v for k, v in row.items() if k not in ("version", "correlation")}
            for row in study.held().query("correlation == -0.4").to_dict("records")
        ]

    monkeypatch.setattr(AssumptionRefit, "run", fails)
    found = assumption_sensitivity(study.fit, {"correlation": [-0.4, 0.4]}, executor=own)
    assert found.failures().to_dict("records") == [
        {"refit": "correlation = 0.4", "error": "ValueError: too steep"}
    ]
    assert slopes(found).index.tolist() == [-0.4, 0.0]
    assert found.tipping()["above"].isna().all()


def test_known_covariances_within_sites_are_taken_from_what_runs_through(own: Executor) -> None:
    """Σ of indirect effects is the total effect less κ, whatever κ."""
    fitted = fit(MultiSiteIV(within_site_covariance=0.5), sites(), sampler=QUICK, seed=1)
    found = assumption_sensitivity(fitted, {"within_site_covariance": [0.25, -0.5]}, executor=own)
    assert found.reference() == {"within_site_covariance": 0.5}
    wide = found.held().pivot_table(
        index="within_site_covariance", columns="quantity", values="q50", aggfunc="first"
    )
    assert wide.index.tolist() == [-0.5, 0.25, 0.5]
    left = wide["average_total_effect"] - wide.index
    np.testing.assert_allclose(wide["acme"], left, atol=0.01)


@pytest.fixture(scope="module")
def strata(own: Executor) -> AssumptionSensitivity:
    cells = simulate("amount", 4000, np.random.default_rng(1))
    fitted = fit(PrincipalStrata(), cells, sampler=QUICK, seed=1)
    return assumption_sensitivity(fitted, {"heterogeneity": [1.5, 0.0, 0.3]}, executor=own)


def of_arm(found: AssumptionSensitivity, effect: str, arm: str = "1") -> pd.DataFrame:
    own = found.held()
    own = own[(own["quantity"] == effect) & (own["entry"] == arm)]
    return own.set_index("heterogeneity")


def test_without_heterogeneity_natural_effects_are_those_by_instrument(
    strata: AssumptionSensitivity,
) -> None:
    assert strata.failures().empty
    assert of_arm(strata, "nie_gap").loc[0.0, ["q2.5", "q97.5"]].abs().max() < 1e-8
    nie, of_iv = of_arm(strata, "nie").loc[0.0], of_arm(strata, "nie_iv").loc[0.0]
    assert nie["q50"] == pytest.approx(of_iv["q50"])


def test_natural_effects_widen_and_what_is_identified_does_not(
    strata: AssumptionSensitivity,
) -> None:
    def width(effect: str) -> Any:
        own = of_arm(strata, effect)
        assert own.index.tolist() == [0.0, 0.3, 1.5]
        return (own["q97.5"] - own["q2.5"]).to_numpy()

    assert (np.diff(width("nie")) > 0).all()
    assert width("nie")[-1] > 5 * width("nie")[0]
    identified = width("nie_iv")
    assert np.ptp(identified) < 0.25 * identified.mean()


def test_a_fit_without_a_number_is_compared_from_the_assumption_on(
    strata: AssumptionSensitivity,
) -> None:
    assert strata.reference() == {"heterogeneity": 0.0}
    assert set(strata.table().loc[lambda t: t["heterogeneity"].isna(), "version"]) == {"as fitted"}
    tipped = strata.tipping().query("conclusion == 'interval'").set_index(["quantity", "entry"])
    assert (tipped["reference"] == 0.0).all()
    assert np.isnan(tipped.loc[("ate", ""), "above"])
    own = of_arm(strata, "nie")
    inside = (own["q2.5"] <= 0) & (own["q97.5"] >= 0)
    first = float(own.index[inside][0])
    before = own.index[own.index < first]
    assert before.max() < tipped.loc[("nie", "1"), "above"] <= first


def test_the_row_of_the_fit_is_what_effects_says(strata: AssumptionSensitivity) -> None:
    said = effects(strata.fit).table().set_index(["effect", "entry"])
    told = strata.table().query("version == 'as fitted'").set_index(["quantity", "entry"])
    for key in (("nie", "0"), ("nde", "1"), ("ate", "")):
        for column in ("q2.5", "q50", "q97.5", "p_positive"):
            assert told.loc[key, column] == pytest.approx(said.loc[key, column], rel=1e-12)
    assert not any(name.startswith("type_") for name in told.index.get_level_values(0))


def person_fit(model: Any, covariates: tuple[str, ...] = ()) -> Any:
    rng = np.random.default_rng(1)
    data = TrialPersons.from_arrays(
        treatment=np.arange(60) % 2,
        mediator=rng.normal(size=60),
        outcome=rng.normal(size=60),
        covariates={name: rng.normal(size=60) for name in covariates},
    )
    return made(model, data)


def test_two_modifiers_of_a_covariate_are_the_default(
    own: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def remembers(task: AssumptionRefit, seed: int) -> list[Any]:
        seen.append(task.model)
        raise ValueError("not now")

    monkeypatch.setattr(AssumptionRefit, "run", remembers)
    fitted = person_fit(CovariateIV(), ("age", "income"))
    found = assumption_sensitivity(fitted, executor=own)
    assert [axis.name for axis in found.axes] == ["direct_modifier[age]", "slope_modifier[age]"]
    assert len(seen) == len(found.failures()) == 7 * 7 - 1
    held = {(dict(m.direct_modifier)["age"], dict(m.slope_modifier)["age"]) for m in seen}
    assert len(held) == 48
    assert (0.0, 0.0) not in held


REFUSED: list[tuple[Any, Any, str]] = [
    ("heterogenity", None, "Did you mean 'heterogeneity'"),
    ({"heterogeneity": [-1.0]}, None, "heterogeneity is -1"),
    ({"heterogeneity": [float("nan")]}, None, "values of heterogeneity"),
    ({"heterogeneity": "much"}, None, "values of heterogeneity are 'much'"),
    ({"heterogeneity": 1.0}, None, "values of heterogeneity are 1.0"),
    (["heterogeneity", "defiers", "more"], None, "3 assumptions"),
    ((), None, "nothing to try"),
    ((), {"held": {"heterogeneity": Prior("HalfNormal", sigma=1)}}, "name 'held' of priors"),
    ((), {"one": {"slope": Prior("Normal", sigma=1)}}, "no parameter"),
]


@pytest.mark.parametrize(("axes", "priors", "message"), REFUSED)
def test_what_cannot_be_asked_is_refused(
    strata: AssumptionSensitivity, axes: Any, priors: Any, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        assumption_sensitivity(strata.fit, axes, priors=priors)


def test_models_without_numbers_say_what_can_be_asked() -> None:
    with pytest.raises(ModelError, match="give `priors`, named sets"):
        assumption_sensitivity(person_fit(RandomCoefficients()))
    saturated = made(
        PrincipalStrata(saturated=True), simulate("amount", 400, np.random.default_rng(1))
    )
    with pytest.raises(ModelError, match="not saturated"):
        assumption_sensitivity(saturated)
    with pytest.raises(ModelError, match=r"'direct_modifier\[size\]'"):
        assumption_sensitivity(person_fit(CovariateIV(), ("age",)), "direct_modifier[size]")
    with pytest.raises(ModelError, match="is no fit"):
        assumption_sensitivity(SiteSlope())  # type: ignore[arg-type]


def test_a_value_that_is_the_fit_is_no_refit(study: AssumptionSensitivity) -> None:
    with pytest.raises(ModelError, match="No value differs"):
        assumption_sensitivity(study.fit, {"correlation": [0.0]})


def test_data_a_version_cannot_have_are_refused_before_any_fit(
    strata: AssumptionSensitivity,
) -> None:
    wide = {"wide": {"intercept_mean": Prior("Cauchy", beta=1)}}
    with pytest.raises((DataError, ModelError), match="integrated out"):
        assumption_sensitivity(strata.fit, (), priors=wide)
