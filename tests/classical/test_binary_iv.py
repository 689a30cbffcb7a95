"""Instrumental variables in each arm: other software, resampling, coverage, what has no answer."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from linearmodels.iv import IV2SLS
from scipy.stats import chi2_contingency

from bayesmed.classical import binary_iv, instrument_balance
from bayesmed.classical.binary_iv_estimate import QUANTITIES
from bayesmed.data import TrialCells
from tests.classical.cells import TABLES, drawn, fertility, of_persons

N = np.array([[[30, 10], [20, 20]], [[30, 10], [10, 30]]])
EVENTS = np.array([[[9, 5], [6, 10]], [[12, 6], [4, 21]]])


def two_stage(frame: pd.DataFrame, d: int) -> tuple[float, float]:
    """Slope and robust standard error of one arm."""
    arm = frame[frame.d == d]
    constant = pd.Series(1.0, arm.index, name="constant")
    found = IV2SLS(arm.y, constant, arm[["m"]], arm[["z"]]).fit(cov_type="robust")
    return float(found.params["m"]), float(found.std_errors["m"])


class TestFertility:
    """Mothers of the 1980 census: a real case of Kim's design."""

    found = binary_iv(fertility().pooled())

    def test_known_answers(self) -> None:
        estimate = self.found.estimate
        np.testing.assert_allclose(estimate["arm_slope"], [-9.296, -3.971], atol=5e-4)
        np.testing.assert_allclose(estimate["nie"], [-0.0979, -0.0418], atol=5e-5)
        np.testing.assert_allclose(estimate["nde"], [-0.0139, 0.0422], atol=5e-5)
        assert estimate["ate"] == pytest.approx(estimate["nie"][1] + estimate["nde"][0], abs=1e-12)

    def test_treatment_and_instrument_are_not_independent(self) -> None:
        balance = self.found.balance
        np.testing.assert_allclose(balance.share, [0.518, 0.493], atol=5e-4)
        assert balance.p_value < 1e-30
        (note,) = self.found.notes
        assert "'girl1' and 'same_sex' are not independent" in note
        assert "0.518 in one arm and 0.493 in the other (p < 0.001)" in note

    def test_the_instrument_is_strong_in_both_arms(self) -> None:
        assert (self.found.first_stage_f > 400).all()
        np.testing.assert_allclose(self.found.first_stage[0], [0.0579, 0.0782], atol=5e-5)

    def test_a_sample_equals_two_stage_least_squares(self) -> None:
        frame = pd.read_csv(TABLES / "fertility_rows.csv")
        frame = frame.rename(
            columns={"girl1": "d", "same_sex": "z", "morekids": "m", "weeks_worked": "y"}
        )[["d", "z", "m", "y"]]
        found = binary_iv(of_persons(frame))
        for d in range(2):
            slope, se = two_stage(frame, d)
            assert found.estimate["arm_slope"][d] == pytest.approx(slope, rel=1e-9)
            # Divisors n − 1 in the place of n, where there are some 500 persons.
            assert found.se["arm_slope"][d] == pytest.approx(se, rel=2e-3)
            assert found.se["arm_slope"][d] > se


class TestStandardErrors:
    def test_slopes_are_those_of_two_stage_least_squares(self) -> None:
        """Exact where an arm has as many persons at either value of the instrument."""
        rng = np.random.default_rng(1)
        frame = drawn(rng, 3000).drop(columns="x")
        equal = frame.groupby(["d", "z"]).head(frame.groupby(["d", "z"]).size().min())
        n = len(equal) // 4
        found = binary_iv(of_persons(equal))
        for d in range(2):
            slope, se = two_stage(equal, d)
            assert found.estimate["arm_slope"][d] == pytest.approx(slope, rel=1e-10)
            assert found.se["arm_slope"][d] == pytest.approx(se * math.sqrt(n / (n - 1)), rel=1e-9)

    def test_means_have_the_errors_of_means(self) -> None:
        cells = of_persons(drawn(np.random.default_rng(2), 2000).drop(columns="x"))
        found = binary_iv(cells)
        share, persons = cells.instrument_share[0], cells.persons[0]
        spread = cells.products[0][..., 1, 1] / (persons - 1) / persons
        moved = cells.outcome_mean[0, :, 1] - cells.outcome_mean[0, :, 0]
        of_share = share.prod() / persons.sum()
        wanted = (share**2 * spread).sum(axis=1) + moved**2 * of_share
        np.testing.assert_allclose(found.se["outcome_mean"] ** 2, wanted, rtol=1e-12)
        both = (moved[1] - moved[0]) ** 2 * of_share + (share**2 * spread).sum()
        assert found.se["ate"] ** 2 == pytest.approx(both, rel=1e-12)

    @pytest.mark.parametrize("stratified", [False, True])
    def test_replicates_scatter_as_they_say_and_intervals_cover(self, stratified: bool) -> None:
        rng, runs, persons = np.random.default_rng(3), 300, 3000
        keep = ["x"] * stratified + ["d", "z", "m", "y"]
        # Without strata the instrument is confounded, and estimates tend to something else.
        truth = binary_iv(of_persons(drawn(np.random.default_rng(0), 2_000_000)[keep]))
        estimates, errors, inside = [], [], []
        for _ in range(runs):
            found = binary_iv(of_persons(drawn(rng, persons)[keep]))
            estimates.append(flat(found.estimate))
            errors.append(flat(found.se))
            low, high = flat(found.interval_low), flat(found.interval_high)
            inside.append((low <= flat(truth.estimate)) & (flat(truth.estimate) <= high))
        scatter, said = np.std(estimates, axis=0), np.sqrt(np.mean(np.square(errors), axis=0))
        # The standard deviation of a standard deviation, with tails somewhat heavier than normal.
        np.testing.assert_allclose(said / scatter, 1.0, atol=5 / math.sqrt(2 * runs))
        covered = np.mean(inside, axis=0)
        assert (np.abs(covered - 0.95) < 4.5 * math.sqrt(0.95 * 0.05 / runs)).all()

    def test_the_joint_covariance_knows_the_identities(self) -> None:
        found = binary_iv(fertility())
        at = {name: 2 * i for i, name in enumerate(QUANTITIES)}
        contrast = np.zeros(13)
        contrast[at["nie"] + 1] = contrast[at["nde"]] = 1.0
        contrast[at["ate"]] = -1.0
        size = np.abs(found.cov).max()
        assert abs(contrast @ found.cov @ contrast) < 1e-12 * size
        assert np.linalg.eigvalsh(found.cov).min() > -1e-12 * size
        np.testing.assert_allclose(np.sqrt(np.diag(found.cov)), flat(found.se), rtol=1e-12)


def flat(named) -> np.ndarray:
    return np.concatenate([np.atleast_1d(named[name]) for name in QUANTITIES])


class TestStrata:
    def test_estimates_are_averages_over_persons(self) -> None:
        cells = fertility()
        each = [binary_iv(one(cells, s)) for s in range(2)]
        wanted = cells.stratum_share @ np.stack([flat(found.estimate) for found in each])
        np.testing.assert_allclose(flat(binary_iv(cells).estimate), wanted, rtol=1e-12)

    def test_errors_add_those_of_strata_and_of_their_shares(self) -> None:
        cells = fertility()
        each = [binary_iv(one(cells, s)) for s in range(2)]
        values = np.stack([flat(found.estimate) for found in each])
        p = cells.stratum_share
        inside = sum(p[s] ** 2 * each[s].cov for s in range(2))
        apart = values[1] - values[0]
        between = p.prod() * np.outer(apart, apart) / cells.n_persons
        np.testing.assert_allclose(binary_iv(cells).cov, inside + between, rtol=1e-9)

    def test_two_equal_strata_are_one(self) -> None:
        cells = TrialCells.from_arrays(n=[N, N], events=[EVENTS, EVENTS])
        one_stratum = TrialCells.from_arrays(n=N, events=EVENTS)
        two, alone = binary_iv(cells), binary_iv(one_stratum)
        np.testing.assert_allclose(flat(two.estimate), flat(alone.estimate), rtol=1e-12)
        np.testing.assert_allclose(flat(two.se), flat(alone.se) / math.sqrt(2), rtol=1e-12)
        assert two.slope_sets == ()


def one(cells: TrialCells, s: int) -> TrialCells:
    return TrialCells.from_arrays(
        n=cells.n[s], mean=cells.mean[s], squares=cells.squares[s], names=cells.names
    )


class TestInvariance:
    cells = of_persons(drawn(np.random.default_rng(5), 900).drop(columns="x"))

    @pytest.mark.parametrize(("factor", "origin"), [(1e-5, 0.0), (-40.0, 300.0)])
    def test_units_and_origin_of_the_outcome(self, factor: float, origin: float) -> None:
        moved = TrialCells.from_arrays(
            n=self.cells.n,
            mean=origin + factor * self.cells.mean,
            squares=factor**2 * self.cells.squares,
        )
        plain, found = binary_iv(self.cells), binary_iv(moved)
        for name in ("arm_slope", "nie", "nde", "ate"):
            wanted = factor * plain.estimate[name]
            np.testing.assert_allclose(found.estimate[name], wanted, rtol=1e-9)
            np.testing.assert_allclose(found.se[name], abs(factor) * plain.se[name], rtol=1e-8)
        np.testing.assert_allclose(found.first_stage_f, plain.first_stage_f, rtol=1e-12)
        ends = factor * np.array(plain.slope_sets[0].pieces[0])
        np.testing.assert_allclose(found.slope_sets[0].pieces[0], np.sort(ends), rtol=1e-7)

    def test_names_of_the_instruments_values(self) -> None:
        turned = TrialCells.from_arrays(
            n=self.cells.n[:, :, ::-1],
            mean=self.cells.mean[:, :, ::-1],
            squares=self.cells.squares[:, :, ::-1],
        )
        plain, found = binary_iv(self.cells), binary_iv(turned)
        np.testing.assert_allclose(flat(found.estimate), flat(plain.estimate), rtol=1e-10)
        np.testing.assert_allclose(flat(found.se), flat(plain.se), rtol=1e-10)
        np.testing.assert_allclose(found.first_stage, -plain.first_stage, rtol=1e-12)


class TestNotDefined:
    def test_an_instrument_that_moves_nothing_in_one_arm(self) -> None:
        n = np.array([[[30, 10], [60, 20]], [[30, 10], [10, 30]]])
        found = binary_iv(TrialCells.from_arrays(n=n, events=EVENTS))
        assert not found.defined
        assert found.reason == "'mediator' is as frequent at both values of 'instrument' in arm '0'"
        for name in ("arm_slope", "arm_intercept", "nie", "nde"):
            assert np.isnan(found.estimate[name]).all()
            assert np.isnan(found.se[name]).all()
        assert np.isfinite(found.estimate["ate"])
        assert np.isfinite(found.se["ate"])
        assert np.isfinite(found.estimate["mediator_mean"]).all()
        assert found.notes == ()
        assert str(found.slope_sets[1]) == f"not defined, because {found.reason}"

    def test_nobody_of_an_arm_has_the_mediator(self) -> None:
        n = np.array([[[30, 0], [60, 0]], [[30, 10], [10, 30]]])
        events = np.minimum(EVENTS, n)
        found = binary_iv(TrialCells.from_arrays(n=n, events=events))
        assert not found.defined
        assert "in arm '0'" in found.reason

    def test_one_stratum_is_enough(self) -> None:
        n = np.array([N, [[[30, 10], [20, 20]], [[30, 10], [30, 10]]]])
        found = binary_iv(TrialCells.from_arrays(n=n, events=[EVENTS, np.minimum(EVENTS, n[1])]))
        assert found.reason.endswith("in arm '1' of stratum '2'")
        assert not found.defined

    def test_one_person_alone_leaves_no_error(self) -> None:
        n, events = N.copy(), EVENTS.copy()
        n[1, 0], events[1, 0] = (1, 0), (0, 0)
        found = binary_iv(TrialCells.from_arrays(n=n, events=events))
        assert found.defined
        assert found.reason == "one person alone is at instrument = 0 in arm '1'"
        assert np.isnan(flat(found.se)).all()
        assert not found.slope_sets[0].defined

    def test_an_outcome_that_does_not_vary_in_an_arm(self) -> None:
        events = EVENTS.copy()
        events[0] = 0
        found = binary_iv(TrialCells.from_arrays(n=N, events=events))
        assert found.estimate["arm_slope"][0] == found.se["arm_slope"][0] == 0
        assert "does not vary in the arm" in found.slope_sets[0].reason
        assert found.slope_sets[1].defined


class TestWeakInstruments:
    def test_a_note_says_so(self) -> None:
        n = np.array([[[30, 10], [28, 12]], [[300, 100], [100, 300]]])
        found = binary_iv(TrialCells.from_arrays(n=n, events=np.minimum(EVENTS, n)))
        (note,) = found.notes
        assert "'instrument' moves 'mediator' little in arm '0' (F = 0.245, below" in note
        assert not found.slope_sets[0].bounded
        assert found.slope_sets[1].bounded
        assert found.slope_sets[0].contains(float(found.estimate["arm_slope"][0]))

    def test_sets_cover_however_weak_the_instrument(self) -> None:
        """It hardly moves the mediator, which is confounded."""
        rng, runs = np.random.default_rng(7), 400
        covered = np.zeros(2)
        for _ in range(runs):
            frame = drawn(rng, 400, first=0.02)
            # Without strata, what they do to the outcome would go with the instrument.
            frame = frame.assign(y=frame.y - 0.4 * frame.x).drop(columns="x")
            found = binary_iv(of_persons(frame))
            covered += [found.slope_sets[d].contains(2.0 - d) for d in range(2)]
        assert (np.abs(covered / runs - 0.95) < 5 * math.sqrt(0.95 * 0.05 / runs)).all()


class TestBalance:
    def test_pearsons_test(self) -> None:
        found = instrument_balance(fertility().pooled())
        counts = fertility().pooled().persons[0]
        wanted = chi2_contingency(counts, correction=False)
        assert found.statistic == pytest.approx(wanted.statistic)
        assert found.p_value == pytest.approx(wanted.pvalue, rel=1e-9)

    def test_strata_are_tested_one_by_one(self) -> None:
        """Differences that cancel are still differences."""
        n = np.array([N * [[[2], [1]], [[1], [2]]], N * [[[1], [2]], [[2], [1]]]])
        cells = TrialCells.from_arrays(n=n, events=np.minimum(EVENTS, n))
        found = instrument_balance(cells)
        each = [chi2_contingency(p, correction=False).statistic for p in cells.persons]
        assert found.statistic == pytest.approx(sum(each))
        assert found.df == 2
        assert found.p_value < 1e-6
        assert abs(found.difference) < 1e-12

    def test_a_difference_by_chance_is_no_note(self) -> None:
        cells = of_persons(drawn(np.random.default_rng(8), 2000))
        assert binary_iv(cells).notes == ()


def test_table() -> None:
    found = binary_iv(fertility().pooled())
    table = found.table()
    assert len(table) == 13
    row = table[(table.quantity == "nie") & (table.arm == "1")].iloc[0]
    assert row["estimate"] == found.estimate["nie"][1]
    assert row["interval_low"] < row["estimate"] < row["interval_high"]
    assert table.iloc[-1]["arm"] == ""
