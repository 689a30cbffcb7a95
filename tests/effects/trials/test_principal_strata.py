"""Estimands of types: identities draw by draw, known answers, post-stratified averages."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmed.classical import binary_iv
from bayesmed.effects import compare, effects, parameters
from bayesmed.effects.trials.principal_strata import principal_strata_effects
from bayesmed.generative import PrincipalStrata
from bayesmed.inference import Sampler, fit, load_fit, save_fit
from tests.classical.cells import drawn, fertility, of_persons


def prior(model: PrincipalStrata, data, n: int = 2000):
    return model.prior_draws(data, n, np.random.default_rng(1))


@pytest.mark.parametrize("monotone", ["both", "instrument", "treatment", "none"])
@pytest.mark.parametrize("strata", [False, True])
def test_identities_hold_draw_by_draw(monotone, strata) -> None:
    frame = drawn(np.random.default_rng(1), 400)
    data = of_persons(frame if strata else frame.drop(columns="x"))
    model = PrincipalStrata(monotone_in=monotone)
    found = principal_strata_effects(model, prior(model, data), data).draws
    nie, nde, ate = found["nie"], found["nde"], found["ate"]
    np.testing.assert_allclose(nie[:, 1] + nde[:, 0], ate, atol=1e-9)
    np.testing.assert_allclose(nie[:, 0] + nde[:, 1], ate, atol=1e-9)
    kept = (np.abs(found["nie_iv"]) < 1e6).all(axis=1)
    assert kept.mean() > 0.99
    of_iv = found["nie_iv"][:, 1] + found["nde_iv"][:, 0]
    np.testing.assert_allclose(of_iv[kept], ate[kept], atol=1e-6)
    np.testing.assert_allclose(found["nie_gap"], found["nie_iv"] - nie, atol=1e-12)
    np.testing.assert_allclose(found["type_share"].sum(axis=1), 1.0)
    assert ("q_down" in found) == (monotone in ("treatment", "none"))


def test_without_heterogeneity_there_is_no_gap() -> None:
    """σ_het = 0 makes instrumental variables right, whatever the types' levels."""
    data = of_persons(drawn(np.random.default_rng(1), 400).drop(columns="x"))
    model = PrincipalStrata(heterogeneity=0.0, monotone_in="none")
    found = principal_strata_effects(model, prior(model, data), data).draws
    strong = np.abs(found["q_up"] - found["q_down"]).min(axis=1) > 0.01
    assert strong.sum() > 1000
    np.testing.assert_allclose(found["nie_gap"][strong], 0.0, atol=1e-8)
    assert np.ptp(found["nie"]) > 1


def test_kims_example_of_a_slope_of_zero() -> None:
    """Q1 = 2/3, Q2 = 1/3, effects α and 2α: the slope of the untreated arm is 0."""
    data = of_persons(drawn(np.random.default_rng(1), 400).drop(columns="x"))
    model = PrincipalStrata(monotone_in="none")
    draws = prior(model, data, 1)
    share = np.zeros((1, 1, 16))
    rises, falls = 0b0101, 0b1010  # both arms alike
    share[0, 0, [rises, falls]] = 2 / 3, 1 / 3
    slope = np.zeros((1, 1, 16, 2))
    slope[0, 0, rises], slope[0, 0, falls] = 5.0, 10.0
    draws |= {"type_share": share, "type_slope": slope, "type_intercept": np.zeros_like(slope)}
    found = principal_strata_effects(model, draws, data).draws
    np.testing.assert_allclose(found["arm_slope"][0], 0.0, atol=1e-12)
    np.testing.assert_allclose(found["q_up"][0], 2 / 3)
    np.testing.assert_allclose(found["effect_down"][0], 10.0)


@pytest.fixture(scope="module")
def saturated():
    sampler = Sampler(draws=2000, tune=500, chains=2)
    return fit(PrincipalStrata(saturated=True), fertility().pooled(), sampler=sampler, seed=1)


class TestFertility:
    """Mothers of the 1980 census."""

    def test_the_saturated_posterior_is_about_the_classical_estimates(self, saturated) -> None:
        """Vague priors and 250,000 persons: mean and sd of what is no ratio, medians of the rest.

        The median of a ratio is the ratio of the estimates but for skewness of the order 1/F.
        """
        table = effects(saturated).table().set_index(["effect", "entry"])
        classical = binary_iv(fertility().pooled())
        pairs = {"arm_slope": "arm_slope", "nie_iv": "nie", "nde_iv": "nde", "outcome_mean": None}
        for effect, quantity in pairs.items():
            for d in "01":
                row, name = table.loc[(effect, d)], quantity or effect
                se = float(classical.se[name][int(d)])
                value = float(classical.estimate[name][int(d)])
                assert row["q50"] == pytest.approx(value, abs=0.15 * se)
                assert row["q97.5"] - row["q2.5"] == pytest.approx(3.92 * se, rel=0.1)
        ate = table.loc[("ate", "")]
        assert ate["mean"] == pytest.approx(float(classical.estimate["ate"]), abs=0.1 * ate["sd"])
        assert ate["sd"] == pytest.approx(float(classical.se["ate"]), rel=0.06)

    def test_compared_with_instrumental_variables(self, saturated) -> None:
        found = compare(saturated)
        table = found.table()
        assert set(table["estimator"]) == {"Posterior", "Instrument, by arm"}
        classical = table[table["estimator"] != "Posterior"].set_index(["effect", "entry"])
        assert classical.loc[("arm_slope", "0"), "estimate"] == pytest.approx(-9.296, abs=5e-4)
        assert any("Anderson-Rubin" in note for note in found.notes)
        assert (found.strength_table()["value"] > 0).sum() >= 2

    def test_everything_comes_back_from_a_file(self, saturated, tmp_path) -> None:
        for suffix in (".nc", ".zarr"):
            path = save_fit(saturated, tmp_path / f"fit{suffix}")
            again = load_fit(path)
            assert again.model == saturated.model
            assert again.data.fingerprint == saturated.data.fingerprint
            assert again.data.to_frame().equals(saturated.data.to_frame())
            for name in saturated.tree.children:
                assert again.tree[name].to_dataset().identical(saturated.tree[name].to_dataset())

    def test_tables(self, saturated) -> None:
        found = parameters(saturated)
        assert list(found.columns[:2]) == ["name", "entry"]
        assert len(found) == 4 + 8 + 8 + 2
        assert found["r_hat"].max() < 1.02
        assert "FERTILITY" not in repr(saturated)
        assert "254,654 persons" in repr(saturated)
