"""Ledgers of sites: every variant, what options move, and numbers against refits and units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayesmed.checks import check, ledger
from bayesmed.checks.assumptions import site_numbers
from bayesmed.checks.assumptions.additions import equal_addition
from bayesmed.checks.result import CheckResult
from bayesmed.core.names import MEDIATOR_EFFECT, SITE_EFFECTS
from bayesmed.core.notes import FOUND_APART, FOUND_TWICE
from bayesmed.data import SiteEstimates
from bayesmed.generative import MultiSiteIV, SiteSlope
from bayesmed.inference import Fit, Sampler, exact_posterior, fit
from tests.checks.ledgers import assert_sound, by_code, moved, statuses
from tests.variants import BOTH, TWO, VARIANTS, Variant, made, variant_fit

EXACT = Sampler(engine="exact", draws=1000)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_has_a_sound_ledger(name: str) -> None:
    found = assert_sound(variant_fit(name))
    codes = {line.assumption.code for line in found.lines}
    assert {"random_assignment", "relevance", "exclusion", "within_site_covariance"} <= codes
    assert ("parallel_mediators" in codes) == (variant_fit(name).data.n_mediators > 1)
    assert ("direct_effects_unrelated" in codes) == variant_fit(name).model.direct_effect


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("constant", "correlation", {"direct_effects_unrelated": ("not testable", "relaxed")}),
        (
            "constant",
            "correlation prior",
            {"direct_effects_unrelated": ("not testable", "relaxed")},
        ),
        ("constant", "interaction", {"level_unrelated": ("", "not testable")}),
        ("constant", "covariates", {"covariates_in_proportion": ("", "not testable")}),
        ("constant", "student_t", {"normal_direct_effects": ("checked", "relaxed")}),
        (
            "constant",
            "random",
            {"one_slope": ("checked", "relaxed"), "normal_slopes": ("", "checked")},
        ),
        (
            "constant",
            "polynomial",
            {
                "one_slope": ("checked", "relaxed"),
                "slopes_unrelated": ("checked", "relaxed"),
                "parabola": ("", "checked"),
            },
        ),
        (
            "random",
            "random without direct effect",
            {
                "exclusion": ("relaxed", "checked"),
                "within_site_covariance": ("relaxed", "checked"),
                "direct_effects_unrelated": ("not testable", ""),
                "normal_direct_effects": ("checked", ""),
            },
        ),
        (
            "random without direct effect",
            "multi-site IV",
            {
                "linear_in_treatment": ("", "not testable"),
                "linear_in_mediator": ("", "not testable"),
            },
        ),
    ],
)
def test_a_choice_moves_its_own_assumptions(
    one: str, other: str, expected: dict[str, tuple[str, str]]
) -> None:
    assert moved(statuses(variant_fit(one)), statuses(variant_fit(other))) == expected


def test_slopes_that_may_go_with_effects_are_relaxed() -> None:
    truth = {**BOTH, "slope_sd": 0.3}
    plain = made(Variant(MultiSiteIV(), truth, TWO))
    kappa = made(Variant(MultiSiteIV(within_site_covariance=0.1), truth, TWO))
    changes = moved(statuses(plain), statuses(kappa))
    assert set(changes) == {"within_site_covariance"}
    assert changes["within_site_covariance"][1] == "relaxed"
    free = by_code(variant_fit("multi-site IV, compliance"))
    assert free["slopes_unrelated"].status == free["slopes_apart"].status == "relaxed"
    assert "Slopes of HDL and effects on it are correlated by" in (
        free["slopes_unrelated"].consequence
    )


def test_doubtful_checks_make_doubtful_lines_and_nothing_else() -> None:
    fitted = variant_fit("constant")
    good = [replace(r, status="passed") for r in check(fitted)]
    for code, lines in (
        ("curvature", {"slopes_unrelated"}),
        ("fan", {"one_slope"}),
        ("normal_effects", {"normal_direct_effects", "sampling_errors"}),
        ("reliability", {"relevance"}),
        ("precision", {"errors_unrelated"}),
    ):
        bad = [replace(r, status="doubtful", value=0.01) if r.code == code else r for r in good]
        one, other = (ledger(fitted, checks=c) for c in (good, bad))
        before = {x.assumption.code: x.status for x in one.lines}
        after = {x.assumption.code: x.status for x in other.lines}
        assert moved(before, after) == dict.fromkeys(lines, ("checked", "doubtful"))


def test_the_worst_of_several_mediators_speaks() -> None:
    fitted = variant_fit("two mediators")
    results = []
    for r in check(fitted):
        if r.code == "fan[HDL]":
            r = replace(r, status="doubtful", value=0.02, reason="It fans out.")  # noqa: PLW2901
        results.append(r)
    (line,) = (x for x in ledger(fitted, checks=results).lines if x.assumption.code == "one_slope")
    assert (line.status, line.number, line.reason) == ("doubtful", 0.02, "It fans out.")
    assert line.checks == ("fan[LDL]", "fan[HDL]")


def test_what_no_check_could_see_is_said_to_be_so() -> None:
    fitted = variant_fit("constant")
    silent = [replace(r, status="not applicable", reason="Too few.") for r in check(fitted)]
    found = {x.assumption.code: x for x in ledger(fitted, checks=silent).lines}
    assert found["one_slope"].status == "not testable"
    assert found["one_slope"].reason == "Not checked here: Too few."
    assert found["one_slope"].checks == ()
    none: list[CheckResult] = []
    found = {x.assumption.code: x for x in ledger(fitted, checks=none).lines}
    assert found["relevance"].reason == "No check of this model sees it."


def test_a_covariance_that_was_not_given_is_doubtful_with_a_number() -> None:
    with_it = variant_fit("constant")
    without = replace(with_it, data=replace(with_it.data, covariance_given=False))
    assert moved(statuses(with_it), statuses(without)) == {
        "sampling_covariance": ("by design", "doubtful")
    }
    text = by_code(without)["sampling_covariance"].consequence
    assert "of the two errors of each site" in text


def test_arms_taken_as_independent_are_doubtful() -> None:
    fitted = variant_fit("shared controls")
    data = fitted.data
    kept = {
        name: getattr(data, name)
        for name in ("mediator_effect", "total_effect", "cov", "site", "arm", "mediators")
    }
    with pytest.warns(UserWarning, match="taken as independent"):
        apart = SiteEstimates.from_arrays(**kept)
    assert by_code(fitted)["independent_sites"].status == "by design"
    line = by_code(replace(fitted, data=apart))["independent_sites"]
    assert line.status == "doubtful"
    assert line.number == data.n_rows / 2


def test_persons_lost_differently_by_arm_are_doubtful() -> None:
    fitted = variant_fit("constant")
    note = "More are missing in one arm. If what is missing depends on treatment, effects are off."
    lost = replace(fitted, data=replace(fitted.data, notes=(note,)))
    line = by_code(lost)["no_selective_loss"]
    assert (line.status, line.reason) == ("doubtful", note)


def rescaled(fitted: Fit, mediator: float, outcome: float) -> Fit:
    """The same fit in other units, draws and all."""
    powers = {
        "slope": outcome / mediator,
        "average_slope": outcome / mediator,
        "slope_sd": outcome / mediator,
        "mediator_effect_mean": mediator,
        "mediator_effect_sd": mediator,
        "direct_effect_mean": outcome,
        "direct_effect_sd": outcome,
        "direct_effect": outcome,
        "mediator_effect": mediator,
        "mediator_effect_estimate": mediator,
        "total_effect_estimate": outcome,
    }
    tree = fitted.tree.copy()
    for group in ("posterior", SITE_EFFECTS, "posterior_predictive"):
        own = tree[group].to_dataset()
        scaled = {name: own[name] * by for name, by in powers.items() if name in own}
        tree[group] = own.assign(scaled)
    p = fitted.data.n_mediators
    return replace(fitted, tree=tree, data=fitted.data.rescaled([mediator] * p, outcome))


@pytest.mark.parametrize("name", ["constant", "two mediators", "random", "multi-site IV"])
def test_units_do_not_matter(name: str) -> None:
    fitted = variant_fit(name)
    other = rescaled(fitted, 4.0, 0.25)
    assert other.tree[SITE_EFFECTS][MEDIATOR_EFFECT].mean() == pytest.approx(
        4 * float(fitted.tree[SITE_EFFECTS][MEDIATOR_EFFECT].mean())
    )
    results = check(fitted)
    one, two = ledger(fitted, checks=results), ledger(other, checks=results)
    units = {
        "in units of the outcome": 0.25,
        "standard deviation of such slopes": 0.0625,
        "standard deviation of slopes": 0.0625,
        "slope sd, posterior median": 0.0625,
        "direct effect mean, posterior median": 0.25,
    }
    numbers = 0
    for a, b in zip(one.lines, two.lines, strict=True):
        assert a.status == b.status
        if a.number is not None:
            numbers += 1
            assert b.number == pytest.approx(a.number * units.get(a.quantity, 1.0), rel=1e-6)
    assert numbers > 4


@pytest.fixture(scope="module")
def table() -> SiteEstimates:
    rng = np.random.default_rng(5)
    n = 60
    gamma = rng.normal(0.5, 0.4, n)
    beta = 0.2 + 0.8 * gamma + rng.normal(0, 0.3, n)
    cov = np.array([[0.01, 0.003], [0.003, 0.02]])
    error = rng.multivariate_normal([0, 0], cov, n)
    return SiteEstimates.from_arrays(
        mediator_effect=gamma + error[:, 0],
        total_effect=beta + error[:, 1],
        cov=np.tile(cov, (n, 1, 1)),
    )


def lower_end(model: SiteSlope, data: SiteEstimates) -> float:
    """The lower end of the slope's interval, by quadrature."""
    return exact_posterior(model, data).summary("slope").quantiles[0]


def test_the_correlation_is_where_a_refit_has_zero(table: SiteEstimates) -> None:
    """A refit has priors of its own, so that its end is near 0, not on it."""
    found = site_numbers.related_direct_effects(fit(SiteSlope(), table, sampler=EXACT, seed=1))
    assert found.number is not None
    assert 0.2 < found.number < 0.9
    model = SiteSlope(correlation=found.number)
    sampler = Sampler(chains=2, draws=1000, tune=500, cores=1)
    again = fit(model, table, sampler=sampler, seed=1)
    slope = again.tree["posterior"]["slope"].values.ravel()
    assert abs(np.quantile(slope, 0.025)) < 0.25 * slope.std()
    # That fit, at another correlation, says the same of all correlations.
    there = site_numbers.related_direct_effects(again)
    assert there.number == pytest.approx(found.number, abs=0.04)


def test_equal_direct_effects_tilt_as_refits_do(table: SiteEstimates) -> None:
    """Of a model that is right, and by amounts it cannot tell from noise."""
    model = SiteSlope(direct_effect=False)
    right = replace(table, total_effect=table.total_effect - 0.2)
    fitted = fit(model, right, sampler=EXACT, seed=1)
    found = equal_addition(fitted).number
    assert found is not None
    slope = fitted.tree["posterior"]["slope"].values.ravel()
    tilt = np.quantile(slope, 0.025) / found
    less = replace(right, total_effect=right.total_effect - 0.02)
    means = [exact_posterior(model, data).summary("slope").mean for data in (right, less)]
    assert (means[0] - means[1]) / 0.02 == pytest.approx(tilt, rel=0.15)


def test_an_error_correlation_is_where_a_refit_has_zero(table: SiteEstimates) -> None:
    wide = np.tile(np.diag([0.09, 0.25]), (table.n_rows, 1, 1))
    rng = np.random.default_rng(6)
    noisy = SiteEstimates.from_arrays(
        mediator_effect=table.mediator_effect[:, 0] + rng.normal(0, 0.28, table.n_rows),
        total_effect=table.total_effect + rng.normal(0, 0.48, table.n_rows),
        cov=wide,
    )
    found = site_numbers.error_correlation(fit(SiteSlope(), noisy, sampler=EXACT, seed=1)).number
    assert found is not None
    assert 0.1 < found < 0.95

    def low(corr: float) -> float:
        cov = wide.copy()
        cov[:, 0, 1] = cov[:, 1, 0] = corr * 0.3 * 0.5
        return lower_end(SiteSlope(), replace(noisy, cov=cov))

    assert low(found - 0.1) > 0 > low(found + 0.1)


@pytest.mark.parametrize(
    ("note", "status"),
    [(FOUND_APART, "by design"), (FOUND_TWICE, "doubtful"), ("Sites are towns. ", "by design")],
)
def test_sites_found_among_their_own_persons_are_doubtful(note: str, status: str) -> None:
    base = variant_fit("constant")
    data = replace(base.data, notes=(f"{note}More.",))
    line = by_code(replace(base, data=data))["sites_chosen_apart"]
    assert line.status == status
    assert ("found" in line.reason) == (note != "Sites are towns. ")
