"""What holds for every estimator: names, invariances, calibration, real tables."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bayesmed.classical import ESTIMATORS, ClassicalEstimate, all_estimates, bces, simex
from bayesmed.core.errors import DataError
from bayesmed.data import SiteEstimates
from tests.classical.tables import drawn, mechte, star, star_pairs, uneven, with_persons

ON_PERSONS = ("2SLS on persons", "LIML on persons", "k-class on persons")


def by_name(data: SiteEstimates, **options) -> dict[str, ClassicalEstimate]:
    return {e.name: e for e in all_estimates(data, **options)}


@pytest.fixture(scope="module")
def on_star() -> dict[str, ClassicalEstimate]:
    return by_name(with_persons(star()))


def test_estimates_carry_the_names_of_the_registry(on_star) -> None:
    assert tuple(on_star) == tuple(ESTIMATORS)
    for estimate in on_star.values():
        assert estimate.defined
        assert estimate.slope.shape == estimate.slope_se.shape == (1,)
        assert estimate.interval_low[0] < estimate.slope[0] < estimate.interval_high[0]
        assert not estimate.slope.flags.writeable
        assert (estimate.simulation_error is not None) == estimate.name.startswith("SIMEX")


@pytest.mark.parametrize(
    ("name", "slope", "tolerance"),
    [
        ("OLS", 0.437, 0.001),
        ("WLS", 0.442, 0.001),
        ("BCES", 0.179, 0.001),
        ("BCES (published form)", 0.656, 0.001),
        ("SIMEX", 0.265, 0.01),
        ("SIMEX (published form)", 0.582, 0.01),
        ("Reliability-corrected (DerSimonian-Laird)", 0.198, 0.001),
        ("Reliability-corrected (Paule-Mandel)", 0.189, 0.001),
        ("Reliability-corrected, no covariance (Paule-Mandel)", 0.671, 0.001),
    ],
)
def test_correlated_errors_pass_for_a_slope_in_the_star_experiment(
    on_star, name: str, slope: float, tolerance: float
) -> None:
    assert on_star[name].slope[0] == pytest.approx(slope, abs=tolerance)


def test_the_example_of_the_r_package() -> None:
    found = by_name(mechte())
    assert found["OLS"].slope[0] == pytest.approx(0.698, abs=0.0006)
    assert found["SIMEX (published form)"].slope[0] == pytest.approx(1.275, abs=0.02)
    undefined = {name for name, e in found.items() if not e.defined}
    families = {"BCES", "Reliability-corrected", *ON_PERSONS}
    assert {n if n in ON_PERSONS else n.split(" ")[0] for n in undefined} == families
    assert not any(e.covariance_used for e in found.values())  # the table gives none


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("intercept", [True, False])
def test_units_order_and_signs_change_nothing_else(p: int, intercept: bool) -> None:
    data = with_persons(drawn(1, 20, uneven(2, 20, p) / 2, slope=[1.0, -0.7][:p], mean=0.8))
    plain = by_name(data, intercept=intercept, seed=4)
    order = np.random.default_rng(3).permutation(20).tolist()
    factors = np.array([-1000.0, 0.03][:p])
    moved = by_name(data.rescaled(factors.tolist(), -0.2).take(order), intercept=intercept, seed=4)
    unit = -0.2 / factors
    for name, e in plain.items():
        m = moved[name]
        assert m.defined == e.defined
        np.testing.assert_allclose(m.slope, e.slope * unit, rtol=1e-7)
        np.testing.assert_allclose(m.slope_se, e.slope_se * np.abs(unit), rtol=1e-7)
        np.testing.assert_allclose(m.intercept, e.intercept * -0.2, rtol=1e-7)
        np.testing.assert_allclose(m.intercept_se, e.intercept_se * 0.2, rtol=1e-7)
        ends = np.sort([e.interval_low * unit, e.interval_high * unit], axis=0)
        np.testing.assert_allclose([m.interval_low, m.interval_high], ends, rtol=1e-5)


def test_estimators_that_cannot_take_the_data_say_so() -> None:
    several = by_name(with_persons(drawn(1, 20, uneven(2, 20, 2) / 4, slope=[1.0, 2.0])))
    defined = {
        "OLS",
        "WLS",
        "WLS (random effects)",
        "WLS (random slopes)",
        "BCES",
        "BCES (pairs bootstrap)",
        "BCES (wild bootstrap)",
        "SIMEX",
        *ON_PERSONS,
    }
    assert {name for name, e in several.items() if e.defined} == defined
    assert "exists for one mediator" in several["Pooled Wald"].reason
    assert several["Pooled Wald"].slope.shape == (2,)
    data = with_persons(drawn(1, 20, uneven(2, 20) / 4, mean=2.0))
    for name, estimator in ESTIMATORS.items():
        found = by_name(data, intercept=False)[name]
        assert found.defined == (False in estimator.intercepts)
        assert math.isnan(found.intercept)
    with pytest.raises(DataError, match="intercept only"):
        ESTIMATORS["BCES (published form)"](data, False)


def test_seeds_have_a_stream_for_each_estimator() -> None:
    data = drawn(1, 20, uneven(2, 20))
    a, b, other = by_name(data, seed=1), by_name(data, seed=1), by_name(data, seed=2)
    for name in ("SIMEX", "BCES (pairs bootstrap)", "BCES (wild bootstrap)"):
        assert a[name].interval_low[0] == b[name].interval_low[0]
        assert a[name].interval_low[0] != other[name].interval_low[0]
    assert a["OLS"].slope[0] == other["OLS"].slope[0]


@pytest.mark.parametrize("pair", star_pairs())
def test_real_tables_with_exact_effects_break_nothing(pair: tuple[str, str, str]) -> None:
    for estimate in all_estimates(star(pair)):
        assert np.isfinite(estimate.slope[0]) == estimate.defined
        complete = np.isfinite(estimate.slope_se[0]) and not np.isnan(estimate.interval_low[0])
        assert estimate.reason or complete


@pytest.mark.parametrize(
    "name",
    [
        "BCES",
        "SIMEX",
        "Reliability-corrected (DerSimonian-Laird)",
        "Reliability-corrected (Paule-Mandel)",
        "Reliability-corrected (moments)",
        "Bias-corrected IV",
    ],
)
def test_standard_errors_are_about_the_spread_of_estimates(name: str) -> None:
    rng, runs = np.random.default_rng(7), 200
    cov = [[0.15, 0.08], [0.08, 0.2]]
    direct = (0.0, 0.0) if name == "Bias-corrected IV" else (0.2, 0.5)
    estimator = simex if name == "SIMEX" else None
    found = []
    for _ in range(runs):
        data = drawn(rng, 150, cov, mean=0.5, direct=direct)
        found.append(estimator(data, replicates=40) if estimator else ESTIMATORS[name](data))
    slopes = np.array([f.slope[0] for f in found])
    error = np.mean([f.slope_se[0] for f in found])
    # Spreads of 200 estimates are known to 5 %; asymptotic errors are 2 % small at 150 sites.
    assert abs(slopes.std() / error - 1.01) < 4 / math.sqrt(2 * runs)
    assert abs(slopes.mean() - 1) < 4.5 * slopes.std() / math.sqrt(runs) + 0.01


def test_bces_is_too_sure_at_few_sites_and_the_wild_bootstrap_is_not() -> None:
    rng, runs = np.random.default_rng(11), 120
    normal = wild = 0
    for _ in range(runs):
        data = drawn(rng, 10, [[0.1, 0.0], [0.0, 0.2]])
        found = bces(data, inference="wild_bootstrap", replicates=199, seed=1)
        normal += bool(abs(found.slope[0] - 1) > 1.96 * found.slope_se[0])
        wild += not found.interval_low[0] <= 1 <= found.interval_high[0]
    assert normal / runs > 0.09
    assert wild / runs < 0.05 + 4 * math.sqrt(0.05 * 0.95 / runs)
    assert wild < normal
