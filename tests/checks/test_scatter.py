"""Checks of the scatter of site effects: found where an assumption fails, quiet where it holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from bayesmed.checks import CheckResult
from bayesmed.checks.direct_effects import density_ratio_at_zero, no_direct_effects
from bayesmed.checks.predictive import predictive_p, replicated_estimates
from bayesmed.checks.scatter import scatter_of_sites
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.formulas.site_discrepancies import (
    curvature,
    fan,
    line_residuals,
    rank_correlation,
    standardised_moments,
)
from bayesmed.generative import SiteSlope
from bayesmed.inference import Fit
from tests.variants import variant_fit

SITES, REPLICATES = 40, 399


def fit_of(data: SiteEstimates, replicas: tuple[Floats, Floats], fit: Fit) -> Fit:
    """A fit with these data and these predictions, its posterior as it was."""
    mediator, total = replicas
    tree = fit.tree.copy(deep=True)
    sites = list(data.site)
    tree["posterior_predictive"] = xr.DataTree(
        xr.Dataset(
            {
                "mediator_effect_estimate": (
                    ("chain", "draw", "site", "mediator"),
                    mediator[None, ..., None],
                ),
                "total_effect_estimate": (("chain", "draw", "site"), total[None]),
            },
            coords={"site": sites, "mediator": list(data.mediators)},
        )
    )
    tree["observed_data"] = xr.DataTree(xr.Dataset(coords={"site": sites}))
    return replace(fit, data=data, tree=tree)


def scatters(
    rng: np.random.Generator, n: int, bend: float = 0.0, het: float = 0.0
) -> tuple[Floats, Floats]:
    """Estimated effects of n times as many sites: slope 1.5, direct effects of sd .2."""
    gamma = rng.normal(0.5, 0.6, size=(n, SITES))
    slope = 1.5 + bend * (gamma - 0.5) + het * rng.standard_normal((n, SITES))
    beta = 0.3 + 0.2 * rng.standard_normal((n, SITES)) + slope * gamma
    errors = 0.1 * rng.standard_normal((2, n, SITES))
    return gamma + errors[0], beta + errors[1]


def results(
    seed: int, *, bend: float = 0.0, het: float = 0.0, shift: float = 0.0, tail: bool = False
) -> dict[str, CheckResult]:
    rng = np.random.default_rng(seed)
    mediator, total = (x[0] for x in scatters(rng, 1, bend, het))
    se = np.full(SITES, 0.1) * rng.uniform(0.9, 1.1, SITES)
    if shift:
        mediator = mediator + shift * stats.rankdata(se) / SITES
    if tail:
        total[:2] += np.array([4.0, 3.0])
    data = SiteEstimates.from_arrays(
        mediator_effect=mediator,
        total_effect=total,
        cov=np.stack([np.diag([s**2, 0.01]) for s in se]),
    )
    made = fit_of(data, scatters(rng, REPLICATES), variant_fit("constant"))
    return {result.code: result for result in scatter_of_sites(made)}


CODES = ("curvature", "fan", "precision", "normal_effects")


@pytest.mark.parametrize(
    ("code", "broken"),
    [
        ("curvature", {"bend": 0.6}),
        ("fan", {"het": 0.8}),
        ("precision", {"shift": 2.0}),
        ("normal_effects", {"tail": True}),
    ],
)
def test_what_fails_is_found(code: str, broken: dict) -> None:
    found = [results(seed, **broken)[code] for seed in range(10)]
    assert sum(r.status == "doubtful" for r in found) >= 8
    assert all("predictive p" in r.reason for r in found)


def test_what_holds_is_left_alone() -> None:
    """False alarms of each check over 200 data sets: 5 %, within three Monte Carlo errors."""
    alarms = dict.fromkeys(CODES, 0)
    for seed in range(200):
        for code, result in results(1000 + seed).items():
            alarms[code] += result.status == "doubtful"
    for code, count in alarms.items():
        assert count / 200 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200), code


def test_results_carry_what_was_compared() -> None:
    found = results(1)
    bend = found["curvature"]
    assert bend.arrays["replicated"].sizes == {"replicate": REPLICATES}
    exact = predictive_p(float(bend.arrays["observed"]), bend.arrays["replicated"].values)
    assert bend.value == pytest.approx(exact)
    tails = found["normal_effects"].arrays
    assert tails["predictive_probability"].sizes == {"site": SITES}


def test_units_and_signs_do_not_matter() -> None:
    rng = np.random.default_rng(3)
    x, y = (part[0] for part in scatters(rng, 1))
    design = np.stack([np.ones(SITES), x, x**2], axis=-1)
    moved = np.stack([np.ones(SITES), -4 * x, 16 * x**2], axis=-1)
    weight = rng.uniform(0.5, 2, SITES)
    one = curvature(design, y, weight)
    assert curvature(moved, 10 * y + 3, weight / 7) == pytest.approx(float(one))
    residual = line_residuals(design[:, :2], y, weight)
    assert fan(-5 * residual, 3 * x) == pytest.approx(float(fan(residual, x)))
    order = rng.permutation(SITES)
    again = curvature(design[order], y[order], weight[order])
    assert again == pytest.approx(float(one))


def test_formulas_are_those_of_other_software() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(4)
    x, y = (part[0] for part in scatters(rng, 1))
    weight = rng.uniform(0.5, 2, SITES)
    design = np.stack([np.ones(SITES), x, x**2], axis=-1)
    expected = sm.WLS(y, design, weights=weight).fit()
    assert float(curvature(design, y, weight)) == pytest.approx(expected.tvalues[2])
    np.testing.assert_allclose(line_residuals(design, y, weight), expected.wresid, atol=1e-10)
    assert float(rank_correlation(x, y)) == pytest.approx(stats.spearmanr(x, y).statistic)
    skewness, kurtosis = standardised_moments(y)
    assert float(skewness) == pytest.approx(abs(stats.skew(y)))
    assert float(kurtosis) == pytest.approx(stats.kurtosis(y))


@pytest.mark.parametrize(
    "name",
    ["constant", "random", "polynomial", "two mediators", "two mediators without direct effect"],
)
def test_every_variant_has_them(name: str) -> None:
    fit = variant_fit(name)
    found = {result.code: result for result in scatter_of_sites(fit)}
    several = fit.data.n_mediators > 1
    for code in CODES[:3]:
        for mediator in fit.data.mediators:
            assert f"{code}[{mediator}]" if several else code in found
    assert all(r.value is None or 0 < r.value <= 1 for r in found.values())
    mediator, total = replicated_estimates(fit)
    assert mediator.shape[1:] == (fit.data.n_rows, fit.data.n_mediators)
    assert total.shape == mediator.shape[:2]


def test_too_few_sites_are_no_finding() -> None:
    rng = np.random.default_rng(5)
    data = SiteEstimates.from_arrays(
        mediator_effect=[0.1, 0.5, 0.9],
        total_effect=[0.2, 1.0, 1.9],
        cov=np.tile(np.diag([0.01, 0.02]), (3, 1, 1)),
    )
    mediator, total = (x[:, :3] for x in scatters(rng, 50))
    made = fit_of(data, (mediator, total), variant_fit("constant"))
    found = {result.code: result for result in scatter_of_sites(made)}
    assert {code: found[code].status for code in CODES} == dict.fromkeys(CODES, "not applicable")
    assert "3 sites are too few" in found["curvature"].reason


def test_densities_at_zero() -> None:
    rng = np.random.default_rng(6)
    shifted = density_ratio_at_zero(
        rng.normal(0.5, 0.5, 8000), stats.norm(0, 2).pdf(0), positive=False
    )
    assert shifted == pytest.approx(stats.norm(0.5, 0.5).pdf(0) / stats.norm(0, 2).pdf(0), rel=0.1)
    half = np.abs(rng.normal(0, 0.5, 8000))
    found = density_ratio_at_zero(half, stats.halfnorm(0, 1).pdf(0), positive=True)
    assert found == pytest.approx(2.0, rel=0.1)
    assert np.isnan(density_ratio_at_zero(half, 0.0, positive=True))


def test_direct_effects_are_told_beside_their_prior() -> None:
    (found,) = no_direct_effects(variant_fit("constant"))
    assert found.status == "not applicable"  # nothing rests on it
    assert "prior density there" in found.reason
    assert found.arrays["direct_effect_mean_densities"].sizes == {"which": 2}
    (none,) = no_direct_effects(variant_fit("two mediators without direct effect"))
    assert none.status == "not applicable"
    assert SiteSlope().direct_effect
