"""What a monotone mediator and exclusion rule out: true at equality, false by a lot, edges."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr

from bayesmed.checks import CheckResult, check
from bayesmed.checks.exclusion import exclusion
from bayesmed.checks.monotonicity import monotone_in_instrument, monotone_in_treatment
from bayesmed.checks.outcome_sets import BINS, counted_outcomes
from bayesmed.core.numbers import number
from bayesmed.data import TrialCells, TrialNames
from bayesmed.generative import PrincipalStrata
from bayesmed.inference import Fit, Sampler
from tests.classical.cells import fertility
from tests.trial_fits import made

SATURATED = PrincipalStrata(saturated=True)
ALWAYS, NEVER, COMPLIER, DEFIER = np.eye(4)
UNMOVED = 0.5 * ALWAYS + 0.5 * NEVER


def seen(data: TrialCells, seed: int = 1) -> Fit[Any, Any]:
    """A fit of which a check of the data alone needs no draws."""
    return Fit(SATURATED, data, Sampler(), seed, xr.DataTree())


def persons(
    rng: np.random.Generator,
    n: int,
    share: np.ndarray,
    *,
    direct: float = 0.0,
    outcome: str = "binary",
    keep: bool = False,
) -> TrialCells:
    """Persons of types always, never, complier, defier; defiers fare well, compliers badly."""
    d, z = np.arange(n) % 2, rng.integers(0, 2, n)
    t = rng.choice(4, n, p=share / share.sum())
    m = np.choose(t, [1, 0, z, 1 - z])
    level = np.array([0.5, 0.5, 0.2, 0.8])[t] + 0.1 * m + 0.05 * d
    if outcome == "binary":
        y = (rng.random(n) < np.clip(level + direct * z, 0, 1)).astype(float)
    else:
        y = 3 * level + direct * z + rng.normal(size=n)
    return of(4 * d + 2 * z + m, y, keep=keep)


def of(cell: np.ndarray, y: np.ndarray, *, keep: bool = False) -> TrialCells:
    n = np.bincount(cell, minlength=8)
    mean = np.bincount(cell, y, minlength=8) / np.maximum(n, 1)
    squares = np.bincount(cell, (y - mean[cell]) ** 2, minlength=8)
    arrays = {"n": n, "mean": mean, "squares": squares}
    cells = TrialCells.from_arrays(**{k: v.reshape(2, 2, 2) for k, v in arrays.items()})
    return replace(cells, outcomes=(y, cell.astype(float))) if keep else cells


def together(*parts: TrialCells) -> TrialCells:
    return TrialCells.from_arrays(
        **{k: np.concatenate([getattr(p, k) for p in parts]) for k in ("n", "mean", "squares")}
    )


def alarms(results: list[CheckResult]) -> float:
    return float(np.mean([r.status == "doubtful" for r in results]))


class TestTrueAtEquality:
    """The instrument moves nobody: every inequality is an equality."""

    RUNS = 400

    @pytest.mark.parametrize(
        ("n", "outcome", "keep", "runs"),
        [
            (80, "binary", False, RUNS),
            (1000, "binary", False, RUNS),
            (300, "normal", False, RUNS),
            (300, "normal", True, RUNS // 2),
        ],
    )
    def test_monotone_in_instrument(self, n: int, outcome: str, keep: bool, runs: int) -> None:
        rng = np.random.default_rng(1)
        found = [
            monotone_in_instrument(seen(persons(rng, n, UNMOVED, outcome=outcome, keep=keep), r))
            for r in range(runs)
        ]
        assert alarms(found) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)
        # Not by never saying anything: about as many p-values are below any other number.
        assert np.mean([r.value <= 0.5 for r in found]) > 0.25

    def test_monotone_in_treatment(self) -> None:
        rng, model = np.random.default_rng(2), PrincipalStrata(monotone_in="treatment")
        data = [persons(rng, 400, 0.5 * UNMOVED + 0.25 * COMPLIER) for _ in range(self.RUNS)]
        found = [monotone_in_treatment(replace(seen(own), model=model)) for own in data]
        assert 0.01 < alarms(found) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / self.RUNS)
        strata = [
            monotone_in_treatment(replace(seen(together(*data[i : i + 8])), model=model))
            for i in range(0, self.RUNS, 8)
        ]
        assert alarms(strata) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / len(strata))

    def test_exclusion_where_the_outcome_follows_the_instrument(
        self,
    ) -> None:
        """At z = 0 all with the mediator have outcome 0, at z = 1 all outcome 1: sums 0.6 + 0.4."""
        rng, runs, found = np.random.default_rng(3), self.RUNS, []
        for r in range(runs):
            having = rng.binomial(500, [[0.6, 0.4]] * 2)
            n = np.stack([500 - having, having], axis=-1)
            events = np.array([[0, 0], [0, 1]]) * n
            events[..., 0] = rng.binomial(n[..., 0], 0.3)
            found.append(exclusion(seen(TrialCells.from_arrays(n=n, events=events), r)))
        assert alarms(found) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)
        assert np.median([r.value for r in found]) < 0.9

    @pytest.mark.parametrize("outcome", ["binary", "normal"])
    def test_exclusion_where_nearly_everybody_has_the_mediator(self, outcome: str) -> None:
        """The largest sum is then above 1 by chance alone."""
        rng, share = np.random.default_rng(4), 0.99 * ALWAYS + 0.01 * NEVER
        found = [
            exclusion(seen(persons(rng, 600, share, outcome=outcome, keep=outcome == "normal"), r))
            for r in range(40)
        ]
        assert alarms(found) <= 0.1
        above = np.mean([float(r.arrays["probability"].min()) < 0.05 for r in found])
        assert above > (0.9 if outcome == "normal" else 0.05)


class TestFalse:
    @pytest.mark.parametrize(
        ("share", "direct", "outcome", "keep"),
        [
            ([0.3, 0.2, 0.25, 0.25], 0.0, "binary", False),
            ([0.3, 0.2, 0.2, 0.3], 0.0, "normal", False),
            ([0.3, 0.2, 0.25, 0.25], 0.0, "normal", True),
            ([0.4, 0.4, 0.2, 0.0], 0.4, "binary", False),
            ([0.4, 0.4, 0.2, 0.0], 2.0, "normal", False),
            ([0.4, 0.4, 0.2, 0.0], 1.5, "normal", True),
        ],
    )
    def test_defiers_and_direct_effects_are_found(
        self, share: list[float], direct: float, outcome: str, keep: bool
    ) -> None:
        rng, found = np.random.default_rng(5), []
        for r in range(20):
            data = persons(rng, 5000, np.array(share), direct=direct, outcome=outcome, keep=keep)
            found.append(monotone_in_instrument(seen(data, r)))
        assert alarms(found) >= 0.9
        text = found[0].reason
        assert "then its slope is no effect of mediator on anyone" in text
        assert text.count("standard errors; p < 0.001") + text.count("standard errors; p = ") == 1

    def test_the_instrument_moves_the_outcome_of_those_it_cannot_move(self) -> None:
        rng = np.random.default_rng(6)
        share = 0.9 * ALWAYS + 0.1 * NEVER
        found = [
            exclusion(seen(persons(rng, 5000, share, direct=0.35, outcome=kind, keep=keep), 1))
            for kind, keep in (("binary", False),) * 10
        ]
        assert alarms(found) >= 0.9
        assert "then it says nothing about the effect of mediator" in found[0].reason
        strong = persons(rng, 5000, share, direct=2.0, outcome="normal", keep=True)
        assert exclusion(seen(strong)).status == "doubtful"

    def test_a_treatment_that_lowers_the_mediator(self) -> None:
        n = [[[60, 40], [40, 60]], [[80, 20], [40, 60]]]
        data = TrialCells.from_arrays(n=n, mean=np.arange(8.0).reshape(2, 2, 2), squares=n)
        for model in (SATURATED, PrincipalStrata(), PrincipalStrata(monotone_in="both")):
            found = monotone_in_treatment(replace(seen(data), model=model))
            chance = found.arrays["probability"].values
            assert chance.shape == (1, 2)
            assert found.value == chance.min() == pytest.approx(0.0011, abs=0.002)
            assert chance[0, 1] == pytest.approx(0.5, abs=0.03)
            assumed = model.monotone_in == "both"
            assert found.status == ("doubtful" if assumed else "not applicable")
            assert ("does not assume it" in found.reason) == (not assumed)
        assert "instrument = 0, the smallest of 2" in found.reason


def test_an_instrument_coded_the_other_way_is_told() -> None:
    rng = np.random.default_rng(7)
    data = persons(rng, 2000, np.array([0.3, 0.3, 0.0, 0.4]))
    found = monotone_in_instrument(seen(data))
    assert found.status == "doubtful"
    assert found.reason.endswith("It lowers mediator everywhere: swap its values.")
    turned = TrialCells.from_arrays(
        **{k: getattr(data, k)[:, :, ::-1] for k in ("n", "mean", "squares")}
    )
    assert monotone_in_instrument(seen(turned)).status == "passed"


class TestReplicasOfAMonotoneModel:
    TYPES = PrincipalStrata(heterogeneity=0.0)

    def fit(self, data: TrialCells, share: dict[str, float]) -> Fit[Any, Any]:
        """Draws at one point: types 0000, 0101 and 1111 with outcomes as of `persons`."""
        names = ["0000", "0001", "0011", "0100", "0101", "0111", "1100", "1101", "1111"]
        shape, of = (2, 250), np.array([share.get(name, 0.0) for name in names])
        level = np.array([0.2 if name == "0101" else 0.5 for name in names])
        slope = np.full((9, 2), 0.1)
        intercept = level[:, None] + np.array([0.0, 0.05])
        draws = {
            "type_share": of[None],
            "type_intercept": intercept[None],
            "type_slope": slope[None],
        }
        model = self.TYPES
        return made(
            model, data, {k: np.tile(v, (*shape, *[1] * v.ndim)) for k, v in draws.items()}, shape
        )

    def test_predictive_p(self) -> None:
        """At the truth it is a p-value; far from it, next to nothing."""
        rng, share = np.random.default_rng(8), {"0000": 0.4, "0101": 0.1, "1111": 0.5}
        true = 0.4 * NEVER + 0.1 * COMPLIER + 0.5 * ALWAYS
        good = [monotone_in_instrument(self.fit(persons(rng, 600, true), share)) for _ in range(12)]
        assert alarms(good) <= 0.25
        assert 0.2 < np.mean([r.value for r in good]) < 0.8
        bad = self.fit(persons(rng, 4000, true, direct=0.4), share)
        found = monotone_in_instrument(bad)
        assert found.status == "doubtful"
        assert found.arrays["predictive_p"] == pytest.approx(1 / 501)
        assert found.value == max(found.arrays["predictive_p"], found.arrays["at_the_edge_p"])
        assert found.arrays["in_replicas"].shape == (500,)
        assert "p = 0.002 in the model's replicas)" in found.reason

    def test_replicas_of_moments_are_told_but_not_judged(self) -> None:
        """They obey no bounds of means, so that they alone would not tell."""
        data = persons(
            np.random.default_rng(9), 4000, np.array([0.4, 0.4, 0.2, 0]), direct=3.0, outcome="n"
        )
        for kept in (data, self.kept(data)):
            found = monotone_in_instrument(made(self.TYPES, kept, shape=(2, 100)))
            assert found.value == found.arrays["at_the_edge_p"] < 0.01
            assert 0 < found.arrays["predictive_p"] <= 1
            assert found.arrays["in_replicas"].shape == (200,)
            assert found.status == "doubtful"

    @staticmethod
    def kept(data: TrialCells) -> TrialCells:
        cell = np.repeat(np.arange(8.0), data.n.ravel().astype(int))
        rng = np.random.default_rng(10)
        y = rng.normal(size=len(cell)) + data.mean.ravel()[cell.astype(int)]
        return of(cell.astype(int), y, keep=True)


class TestArrays:
    def test_every_inequality_has_its_numbers(self) -> None:
        data = persons(np.random.default_rng(11), 3000, np.array([0.3, 0.3, 0.4, 0.0]))
        arrays = monotone_in_instrument(seen(data)).arrays
        assert arrays["set"].values.tolist() == ["outcome = 0", "outcome = 1", "any"]
        one = arrays.sel(stratum="all", arm="1", mediator_value="1", set="outcome = 1")
        events = np.round(data.n * data.mean)[0, 1, :, 1]
        expected = np.diff(events / data.persons[0, 1])[0]
        assert float(one["difference"]) == pytest.approx(expected)
        assert one["difference_low"] < one["difference"] < one["difference_high"]
        assert float(one["probability"]) > 0.99
        assert arrays["largest_violation"].dims == ("draw",)
        assert "mean_low" not in arrays

    def test_bounds_of_means_can_be_drawn(self) -> None:
        data = persons(
            np.random.default_rng(12), 3000, np.array([0.3, 0.3, 0.4, 0]), outcome="n", keep=True
        )
        sharp = monotone_in_instrument(seen(data)).arrays
        wide = monotone_in_instrument(seen(replace(data, outcomes=None))).arrays
        assert len(sharp["set"]) == BINS * (BINS + 1) // 2
        assert wide["set"].values.tolist() == ["any"]
        assert (sharp["mean_low"] > wide["mean_low"]).all()
        assert (sharp["mean_high"] < wide["mean_high"]).all()
        xr.testing.assert_allclose(sharp["mean_of_unmoved"], wide["mean_of_unmoved"])
        assert (sharp["mean_violation"] < 0).all()

    def test_exclusion_has_posteriors_of_sums(self) -> None:
        data = persons(np.random.default_rng(13), 3000, np.array([0.3, 0.3, 0.4, 0]))
        found = exclusion(seen(data))
        assert found.arrays["sum"].dims == ("stratum", "arm", "mediator_value")
        assert (found.arrays["sum_low"] < found.arrays["sum_high"]).all()
        assert number(float(found.arrays["sum"].max())) in found.reason
        assert found.value == found.arrays["simultaneous_p"]
        assert not exclusion(seen(together(data, data))).arrays["sum"].isnull().any()


class TestInvariances:
    def test_other_labels_of_a_binary_outcome(self) -> None:
        data = persons(np.random.default_rng(14), 800, np.array([0.4, 0.4, 0.1, 0.1]))
        other = replace(data, mean=np.where(data.n > 0, 1 - data.mean, 0))
        one, two = (monotone_in_instrument(seen(own)) for own in (data, other))
        flipped = two.arrays["violation"].values[..., [1, 0, 2]]
        np.testing.assert_allclose(flipped, one.arrays["violation"].values, atol=1e-9)
        assert two.value == pytest.approx(one.value, abs=0.05)
        sums = (exclusion(seen(own)).arrays["sum"].values for own in (data, other))
        np.testing.assert_allclose(*sums)

    @pytest.mark.parametrize("keep", [True, False])
    def test_other_units_of_an_outcome(self, keep: bool) -> None:
        data = persons(
            np.random.default_rng(15), 600, np.array([0.4, 0.4, 0.1, 0.1]), outcome="n", keep=keep
        )
        kept = data.outcomes
        other = replace(
            data,
            mean=4 * data.mean - 7,
            squares=16 * data.squares,
            outcomes=None if kept is None else (4 * kept[0] - 7, kept[1]),
        )
        one, two = (monotone_in_instrument(seen(own)) for own in (data, other))
        for name in ("violation", "mean_violation", "probability"):
            np.testing.assert_allclose(two.arrays[name], one.arrays[name], atol=1e-7)
        assert two.value == one.value
        np.testing.assert_allclose(
            two.arrays["mean_low"], 4 * one.arrays["mean_low"] - 7, rtol=1e-9
        )

    def test_the_same_seed_gives_the_same_numbers(self) -> None:
        data = persons(np.random.default_rng(16), 500, UNMOVED)
        one, two, other = (monotone_in_instrument(seen(data, s)) for s in (3, 3, 4))
        xr.testing.assert_identical(one.arrays, two.arrays)
        assert not one.arrays["replicated"].equals(other.arrays["replicated"])

    def test_the_worst_stratum_stands(self) -> None:
        rng = np.random.default_rng(17)
        good = persons(rng, 2000, np.array([0.3, 0.3, 0.4, 0.0]))
        bad = persons(rng, 2000, np.array([0.4, 0.4, 0.2, 0.0]), direct=0.5)
        both = monotone_in_instrument(seen(together(good, bad)))
        alone = monotone_in_instrument(seen(bad))
        assert both.status == "doubtful"
        assert "stratum 2" in both.reason
        np.testing.assert_allclose(
            both.arrays["violation"].sel(stratum="2"), alone.arrays["violation"].squeeze("stratum")
        )


class TestEdges:
    def test_cells_of_nobody(self) -> None:
        """No always-takers, and nobody with the mediator in one arm's z = 0."""
        n = [[[50, 0], [30, 20]], [[50, 0], [0, 50]]]
        for kind in ({"events": np.floor_divide(n, 2)}, {"mean": np.ones_like(n), "squares": n}):
            for data in (TrialCells.from_arrays(n=n, **kind),):
                found = monotone_in_instrument(seen(data))
                assert found.status == "passed"
                assert np.isfinite(found.value)
                assert exclusion(seen(data)).status in ("passed", "not applicable")

    def test_one_person_in_each(self) -> None:
        n = np.ones((2, 2, 2))
        data = TrialCells.from_arrays(n=n, mean=np.arange(8.0).reshape(2, 2, 2), squares=0 * n)
        kept = replace(data, outcomes=(np.arange(8.0), np.arange(8.0)))
        for own in (data, kept):
            assert monotone_in_instrument(seen(own)).status == "passed"
        assert exclusion(seen(kept)).status == "passed"

    def test_ties_make_fewer_bins_and_no_empty_ones(self) -> None:
        y = np.repeat([0.0, 0.0, 0.0, 1.0, 2.0], 16)
        counts = counted_outcomes(of(np.tile(np.arange(8), 10), y, keep=True))
        assert counts.names[:3] == ("outcome ≤ 0", "0 < outcome ≤ 1", "outcome > 1")
        assert counts.count.sum(axis=(0, 1, 2, 3)).tolist() == [48.0, 16.0, 16.0]

    def test_bins_close_together_have_names_of_their_own(self) -> None:
        y = 1000 + np.linspace(0, 1e-4, 80)
        counts = counted_outcomes(of(np.tile(np.arange(8), 10), y, keep=True))
        assert len(set(counts.names)) == len(counts.names) == BINS * (BINS + 1) // 2

    def test_moments_say_nothing_without_monotonicity(self) -> None:
        found = exclusion(seen(fertility()))
        assert found.status == "not applicable"
        assert "keep_outcomes=True" in found.reason

    def test_published_cells_pass(self) -> None:
        results = {r.code: r for r in check(made(SATURATED, fertility()))}
        found = results["monotone_in_instrument"]
        assert found.status == "passed"
        assert found.reason.startswith("No inequality is violated")
        assert dict(found.arrays.sizes)["stratum"] == 2

    def test_names_stand_as_they_are(self) -> None:
        data = persons(np.random.default_rng(18), 3000, np.array([0.4, 0.4, 0.2, 0]), direct=0.5)
        named = replace(
            data, names=TrialNames("<b>t</b>", "{m}", "y", arms=("a", "b")), instrument="`z`"
        )
        found = monotone_in_instrument(seen(named))
        assert found.title == "{m} never falls with `z`, which acts through it alone"
        assert "at <b>t</b> = " in found.reason
