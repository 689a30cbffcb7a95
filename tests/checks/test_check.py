"""Checks of the data and of what was taken on trust: each outcome, on data made for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayesmed.checks import check, converged
from bayesmed.data import DataWarning, SiteEstimates
from bayesmed.effects import effects
from bayesmed.generative import SiteSlope
from bayesmed.inference import Fit, Sampler, fit
from tests.calibration.algorithm_1 import simulate
from tests.variants import VARIANTS, variant_fit

EXACT = Sampler(engine="exact", draws=500)
CODES = [
    "reliability",
    "no_direct_effects",
    "curvature",
    "fan",
    "precision",
    "normal_effects",
    "sampling_covariance",
    "slope_modes",
]


def by_code(fitted):
    return {result.code: result for result in check(fitted)}


@pytest.mark.parametrize(
    ("wanted", "spread", "status"),
    [
        (0.02, 1.0, "failed"),
        (0.0499, 1.0, "failed"),
        (0.0501, 1.0, "doubtful"),
        (0.299, 0.001, "doubtful"),
        (0.31, 0.001, "passed"),
        (0.9, 1.0, "doubtful"),  # it may be little
        (0.9, 0.1, "passed"),
    ],
)
def test_reliability_is_judged_by_its_posterior(made_fit, sites, wanted, spread, status):
    rng = np.random.default_rng(1)
    noise = np.mean(sites.mediator_se**2)
    # Symmetric in rank around the wanted value, so that this is the median, and far from the mean.
    sd = np.sqrt(wanted / (1 - wanted) * noise) * np.exp(rng.normal(scale=spread, size=(4, 1001)))
    middle = np.median(sd)
    sd *= np.sqrt(wanted / (1 - wanted) * noise) / middle
    fitted = made_fit({"mediator_effect_sd": sd}, shape=(4, 1001))
    found = by_code(fitted)["reliability"]
    assert found.status == status
    assert found.value == pytest.approx(wanted, rel=0.01)
    assert not found.convergence
    median = effects(fitted).draws["reliability"].median()
    assert found.value == pytest.approx(float(median))
    if status == "failed":
        assert found.reason.startswith("These data cannot answer, because ")
        assert f"{found.value:.1%}" in found.reason


def test_noise_alone_cannot_answer():
    """Thirty sites with the same mediator effect, estimated with error."""
    rng = np.random.default_rng(4)
    noise = rng.normal(size=(30, 2))
    noise[:, 0] *= 0.6  # a little less spread than the standard errors promise
    data = SiteEstimates.from_arrays(
        mediator_effect=0.5 + noise[:, 0],
        total_effect=1.0 + noise[:, 1],
        cov=np.tile(np.eye(2), (30, 1, 1)),
    )
    found = by_code(fit(SiteSlope(), data, sampler=EXACT, seed=1))
    assert found["reliability"].status == "failed"


def test_the_covariance_is_given_or_not(made_fit, sites):
    given = by_code(made_fit())["sampling_covariance"]
    assert (given.status, given.reason) == ("passed", "It was given and used.")
    diagonal = sites.cov * np.eye(2)
    absent = replace(sites, cov=diagonal, covariance_given=False)
    found = by_code(made_fit(data=absent))["sampling_covariance"]
    assert found.status == "doubtful"
    assert "taken as 0" in found.reason
    assert "give cov or corr" in found.reason


@pytest.fixture(scope="module")
def bimodal():
    """Fit five sites of Fu's Algorithm 1 that leave the sign of the slope open."""
    data = simulate(5, 0.0, np.random.default_rng(7))
    return fit(SiteSlope(), data, sampler=EXACT, seed=1)


def test_two_modes_of_the_slope_are_reported(bimodal):
    found = by_code(bimodal)["slope_modes"]
    assert found.status == "doubtful"
    assert found.value == 2
    modes = bimodal.tree["quadrature"].to_dataset()
    low, high = sorted(modes["slope_mode"].values)
    assert low < 0 < high
    assert float(modes["slope_mode_probability"].sum()) == pytest.approx(1, abs=1e-6)
    for at in (low, high):
        assert f"{at:.3g} (probability " in found.reason
    # Each hill holds the draws it says.
    slope = np.ravel(bimodal.tree["posterior"]["slope"])
    share = float(modes["slope_mode_probability"][int(np.argmax(modes["slope_mode"].values))])
    assert abs(np.mean(slope > 0) - share) < 0.1
    assert converged(check(bimodal))


def test_two_modes_are_seen_in_draws_too(made_fit, monkeypatch):
    monkeypatch.setattr("bayesmed.checks.data.FEW_SITES", 0)  # too many sites for quadrature
    rng = np.random.default_rng(2)
    left = rng.uniform(size=(4, 1000)) < 0.35
    slope = np.where(left, rng.normal(-3, 0.6, left.shape), rng.normal(2, 0.6, left.shape))
    found = by_code(made_fit({"slope": slope}))["slope_modes"]
    assert (found.status, found.value) == ("doubtful", 2)
    assert "35%" in found.reason or "34%" in found.reason or "36%" in found.reason


@pytest.mark.parametrize("seed", range(6))
def test_long_tails_are_no_modes(made_fit, seed):
    slope = np.random.default_rng(seed).standard_t(1.5, size=(4, 1000))
    found = by_code(made_fit({"slope": slope}))["slope_modes"]
    assert (found.status, found.value) == ("passed", 1)


def test_one_mode_passes(exact_fit, nuts_fit):
    for fitted in (exact_fit, nuts_fit):
        found = by_code(fitted)["slope_modes"]
        assert (found.status, found.value) == ("passed", 1)


def test_notes_on_the_data_are_passed_on():
    with pytest.warns(DataWarning) as warned:
        data = SiteEstimates.from_arrays(
            mediator_effect=[10.0, 30.0, 50.0, 20.0, 40.0, 60.0],
            total_effect=[11.0, 29.0, 52.0, 18.0, 41.0, 63.0],
            cov=np.tile(np.diag([400.0**2, 400.0**2]), (6, 1, 1)),
        )
    assert len(data.notes) == len(warned) >= 1
    found = by_code(fit(SiteSlope(), data, sampler=EXACT, seed=1))
    for i, note in enumerate(data.notes, start=1):
        assert (found[f"data_note_{i}"].status, found[f"data_note_{i}"].reason) == (
            "doubtful",
            note,
        )
    assert f"data_note_{len(data.notes) + 1}" not in found


def test_codes_and_their_order(nuts_fit, exact_fit):
    sampled = ["divergences", "r_hat", "ess_bulk", "ess_tail", "e_bfmi"]
    assert [r.code for r in check(nuts_fit)] == CODES + sampled
    assert [r.code for r in check(exact_fit)] == [*CODES, "quadrature"]
    for result in (*check(nuts_fit), *check(exact_fit)):
        assert result.convergence == (result.code not in CODES)
        assert result.title
        assert result.reason.endswith(".")


def test_doubts_about_data_are_no_failure_of_the_computation(made_fit):
    fitted = made_fit(
        {
            "mediator_effect_sd": np.full((4, 1000), 1e-6)
            * np.random.default_rng(1).uniform(1, 2, (4, 1000))
        }
    )
    results = check(fitted)
    assert {r.code for r in results if r.status == "failed"} == {"reliability"}
    assert converged(results)


def test_a_check_does_not_change_the_fit(exact_fit):
    before = exact_fit.tree.copy(deep=True)
    first, second = check(exact_fit), check(exact_fit)
    assert first == second
    assert exact_fit.tree.identical(before)
    assert isinstance(exact_fit, Fit)


def test_several_mediators_are_judged_one_by_one():
    fitted = variant_fit("two mediators")
    found = by_code(fitted)
    assert [r.code for r in check(fitted)][:16] == [
        *("reliability[LDL]", "reliability[HDL]"),
        *("conditional_f[LDL]", "conditional_f[HDL]", "rank"),
        "no_direct_effects",
        *("curvature[LDL]", "fan[LDL]", "precision[LDL]"),
        *("curvature[HDL]", "fan[HDL]", "precision[HDL]"),
        *("normal_effects", "sampling_covariance"),
        *("slope_modes[LDL]", "slope_modes[HDL]"),
    ]
    median = effects(fitted).draws["reliability"].median(("chain", "draw"))
    for name in ("LDL", "HDL"):
        result = found[f"reliability[{name}]"]
        assert result.value == pytest.approx(float(median.sel(mediator=name)))
        assert f"Effects on {name} differ" in result.title
        assert f"slope of {name} has one" in found[f"slope_modes[{name}]"].title
    # Nothing is known of the spread of one mediator: only its slope is in doubt.
    tree = fitted.tree.copy(deep=True)
    tree["posterior"]["mediator_effect_sd"][..., 1] *= 1e-3
    found = by_code(replace(fitted, tree=tree))
    assert found["reliability[LDL]"].status == "passed"
    assert found["reliability[HDL]"].status == "failed"
    assert "The slope of HDL below is little more" in found["reliability[HDL]"].reason


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_can_be_checked(name):
    fitted = variant_fit(name)
    results = check(fitted)
    assert len({r.code for r in results}) == len(results)
    assert converged([r for r in results if r.code not in ("ess_bulk", "ess_tail", "r_hat")])
    modes = [r for r in results if r.code.startswith("slope_modes")]
    varies = fitted.model.slope != "constant"
    assert all(("average slope" in r.title) == varies for r in modes)


def test_the_modes_of_a_polynomial_are_those_of_its_average_slope():
    fitted = variant_fit("polynomial")
    tree = fitted.tree.copy(deep=True)
    rng = np.random.default_rng(2)
    values = np.where(rng.uniform(size=(4, 250, 1)) < 0.4, -3.0, 2.0)
    tree["posterior"]["average_slope"][:] = values + rng.normal(0, 0.3, values.shape)
    found = by_code(replace(fitted, tree=tree))["slope_modes"]
    assert (found.status, found.value) == ("doubtful", 2)
    assert found.reason.startswith("The posterior of the average slope has 2 modes")


def test_through_the_origin_effects_alike_are_no_failure(made_fit):
    """Without a direct effect sites tell the slope even where all have the same effect."""
    tiny = {"mediator_effect_sd": np.full((4, 1000), 1e-6)}
    fitted = made_fit(tiny)
    assert by_code(fitted)["reliability"].status == "failed"
    through = by_code(replace(fitted, model=SiteSlope(direct_effect=False)))["reliability"]
    assert through.status == "passed"
    assert "mean square" in through.reason
