"""The eight cells of a trial: what they know of its persons, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import bayesmed
from bayesmed.data import DataError, TrialCells, TrialNames

N = np.array([[[30, 10], [20, 20]], [[30, 10], [10, 30]]])
EVENTS = np.array([[[9, 5], [6, 10]], [[12, 6], [4, 21]]])
RNG = np.random.default_rng(4)


def drawn(strata: int = 3, seed: int = 0) -> tuple[TrialCells, Any]:
    """Cells of simulated persons, and the persons: stratum, d, z, m, y."""
    rng = np.random.default_rng(seed)
    people = rng.integers(0, [[strata, 2, 2, 2]], (400, 4)).astype(float)
    y = 7 + people.sum(axis=1) + rng.normal(size=400)
    n, mean, squares = (np.zeros((strata, 2, 2, 2)) for _ in range(3))
    for at in np.ndindex(strata, 2, 2, 2):
        mine = y[(people == at).all(axis=1)]
        n[at], mean[at], squares[at] = len(mine), mine.mean(), ((mine - mine.mean()) ** 2).sum()
    return TrialCells.from_arrays(n=n, mean=mean, squares=squares), np.column_stack([people, y])


def changed(array: str, at: tuple[int, ...], value: float) -> dict[str, Any]:
    """Return arguments with one number changed."""
    arrays = {"n": N.astype(float), "mean": EVENTS / N, "squares": np.full((2, 2, 2), 40.0)}
    arrays[array][at] = value
    return arrays


class TestMoments:
    def test_by_treatment_and_instrument(self) -> None:
        cells, people = drawn()
        assert cells.n_persons == 400
        assert not cells.binary_outcome
        for s, d, z in np.ndindex(3, 2, 2):
            mine = people[(people[:, :3] == (s, d, z)).all(axis=1)][:, 3:]
            assert cells.persons[s, d, z] == len(mine)
            np.testing.assert_allclose(cells.mediator_mean[s, d, z], mine[:, 0].mean())
            np.testing.assert_allclose(cells.outcome_mean[s, d, z], mine[:, 1].mean())
            apart = mine - mine.mean(axis=0)
            np.testing.assert_allclose(cells.products[s, d, z], apart.T @ apart, rtol=1e-9)
        for s in range(3):
            mine = people[people[:, 0] == s]
            assert cells.instrument_share[s, 1] == pytest.approx(mine[:, 2].mean())
            assert cells.stratum_share[s] == pytest.approx(len(mine) / 400)

    def test_pooled_are_the_cells_without_strata(self) -> None:
        cells, people = drawn()
        pooled = cells.pooled()
        assert pooled.stratum == ("all",)
        for d, z, m in np.ndindex(2, 2, 2):
            mine = people[(people[:, 1:4] == (d, z, m)).all(axis=1)][:, 4]
            assert pooled.n[0, d, z, m] == len(mine)
            assert pooled.mean[0, d, z, m] == pytest.approx(mine.mean())
            assert pooled.squares[0, d, z, m] == pytest.approx(((mine - mine.mean()) ** 2).sum())
        again = pooled.pooled()
        np.testing.assert_array_equal(again.squares, pooled.squares)

    def test_pooling_cells_that_are_empty_everywhere(self) -> None:
        n = np.array([N, 2 * N])
        n[:, 0, 0, 1] = 0
        cells = TrialCells.from_arrays(n=n, mean=n + 0.5, squares=n * 2.0)
        pooled = cells.pooled()
        assert pooled.n[0, 0, 0, 1] == pooled.mean[0, 0, 0, 1] == pooled.squares[0, 0, 0, 1] == 0
        assert np.isfinite(pooled.products).all()

    def test_an_empty_cell_may_hold_anything(self) -> None:
        cells = TrialCells.from_arrays(
            **changed("n", (0, 0, 1), 0) | {"mean": changed("mean", (0, 0, 1), np.nan)["mean"]}
        )
        assert cells.mean[0, 0, 0, 1] == cells.squares[0, 0, 0, 1] == 0
        assert cells.mediator_mean[0, 0, 0] == 0


class TestBinaryOutcomes:
    def test_events_are_means_and_squares(self) -> None:
        cells = TrialCells.from_arrays(n=N, events=EVENTS)
        share = EVENTS / N
        np.testing.assert_allclose(cells.mean[0], share)
        np.testing.assert_allclose(cells.squares[0], N * share * (1 - share))
        assert cells.binary_outcome

    def test_they_are_told_from_moments(self) -> None:
        share = EVENTS / N
        squares = N * share * (1 - share)
        cells = TrialCells.from_arrays(n=N, mean=share, squares=squares)
        assert cells.binary_outcome
        assert cells.pooled().binary_outcome
        near = replace(cells, squares=cells.squares * 1.01)
        assert not near.binary_outcome
        fraction = replace(cells, mean=cells.mean + 0.3 / N)
        assert not fraction.binary_outcome

    @pytest.mark.parametrize("values", [(0, 1, 2), (0.2, 0.9), (-1, 1), (0, 5)])
    def test_other_outcomes_are_not(self, values: tuple[float, ...]) -> None:
        y = RNG.choice(values, (2, 2, 2, 50))
        mean = y.mean(axis=-1)
        cells = TrialCells.from_arrays(
            n=np.full((2, 2, 2), 50), mean=mean, squares=((y - mean[..., None]) ** 2).sum(axis=-1)
        )
        assert not cells.binary_outcome

    def test_large_counts(self) -> None:
        n = np.full((2, 2, 2), 10**8 + 7)
        events = RNG.integers(1, 10**8, (2, 2, 2))
        assert TrialCells.from_arrays(n=n, events=events).binary_outcome


class TestRecord:
    def test_table(self) -> None:
        names = TrialNames(arms=("control", "voucher"))
        cells = TrialCells.from_arrays(n=np.array([N, N + 1]), events=np.array([EVENTS] * 2))
        frame = replace(cells, names=names).to_frame()
        assert len(frame) == 16
        row = frame[
            (frame.stratum == "2")
            & (frame.treatment == "voucher")
            & (frame.instrument == 0)
            & (frame.mediator == 1)
        ].iloc[0]
        assert row["n"] == 11
        assert row["mean"] == pytest.approx(6 / 11)

    def test_arrays_are_read_only_copies(self) -> None:
        mine = N.astype(float)
        cells = TrialCells.from_arrays(n=mine, events=EVENTS)
        mine[:] = 0
        assert cells.n_persons == 160
        with pytest.raises(ValueError, match="read-only"):
            cells.n[0] = 0

    def test_fingerprints_tell_numbers_and_names_but_not_words(self) -> None:
        cells = TrialCells.from_arrays(n=N, events=EVENTS)
        same = TrialCells.from_arrays(n=N, events=EVENTS, notes=["a word"], source="elsewhere")
        assert same.fingerprint == cells.fingerprint
        other = TrialCells.from_arrays(n=N, events=EVENTS, instrument="lottery")
        assert other.fingerprint != cells.fingerprint
        other = TrialCells.from_arrays(n=N + 1, events=EVENTS)
        assert other.fingerprint != cells.fingerprint

    def test_the_public_name(self) -> None:
        assert bayesmed.TrialCells is TrialCells
        several = TrialCells.from_arrays(n=[N, N], events=[EVENTS, EVENTS])
        assert repr(several).startswith("TrialCells(320 persons in 2 strata: treatment 'treatment'")
        assert several.stratum == ("1", "2")


PLAIN = {"mean": EVENTS / N, "squares": np.full((2, 2, 2), 40.0)}
REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "negative count": (
        changed("n", (1, 0, 1), -2),
        ["arrays, treatment = 1, instrument = 0, mediator = 1: n is -2", "whole numbers"],
    ),
    "half a person": (changed("n", (0, 1, 0), 2.5), ["n is 2.5", "whole numbers"]),
    "missing count": (changed("n", (0, 1, 0), np.nan), ["n is nan", "0 for none"]),
    "missing mean": (
        changed("mean", (0, 1, 1), np.nan),
        ["instrument = 1, mediator = 1: mean is nan", "finite"],
    ),
    "infinite squares": (changed("squares", (0, 0, 0), np.inf), ["squares is inf", "finite"]),
    "negative squares": (changed("squares", (0, 0, 0), -1.0), ["squares is -1", "0 or positive"]),
    "one person who varies": (changed("n", (0, 0, 0), 1), ["squares is 40", "One person"]),
    "nobody at one value": (
        {"n": N * np.array([[[0, 0], [1, 1]], [[1, 1], [1, 1]]]), **PLAIN},
        ["arrays, treatment = 0, instrument = 0: there are no persons", "in all four"],
    ),
    "nobody in a stratum": (
        {"n": [N, N * 0], "mean": [PLAIN["mean"]] * 2, "squares": [PLAIN["squares"]] * 2},
        ["arrays, stratum 2, treatment = 0, instrument = 0: there are no persons", "join strata"],
    ),
    "everybody has the mediator": (
        {"n": N * np.array([0, 1]), **PLAIN},
        ["'mediator' is 1 for everybody", "check the column"],
    ),
    "constant outcome": (
        {"n": N, "mean": np.full((2, 2, 2), 3.1), "squares": np.zeros((2, 2, 2))},
        ["'outcome' is 3.1 for everybody", "check the column"],
    ),
    "no event": ({"n": N, "events": 0 * N}, ["'outcome' is 0 for everybody"]),
    "more events than persons": (
        {"n": N, "events": np.where(N == 30, 31, EVENTS)},
        ["squares is -1.03333", "0 or positive"],
    ),
    "too few axes": (
        {"n": N[0], "events": EVENTS[0]},
        ["n has the shape (2, 2), not (2, 2, 2, 2)", "axes d, z, m"],
    ),
    "shapes that differ": (
        {"n": [N, N], "events": EVENTS},
        ["events has the shape (1, 2, 2, 2), and n (2, 2, 2, 2)", "axes d, z, m"],
    ),
    "neither events nor means": ({"n": N}, ["neither by `events`", "Give `events`"]),
    "means without squares": ({"n": N, "mean": PLAIN["mean"]}, ["neither by `events`"]),
    "both": ({"n": N, "events": EVENTS, **PLAIN}, ["or by both", "Give `events`"]),
    "texts": ({"n": N.astype(str), "events": EVENTS}, ["n: not an array of numbers"]),
    "two strata of one name": (
        {"n": [N, N], "events": [EVENTS] * 2, "stratum": ["a", "a"]},
        ["a stratum is called 'a', and another one too", "a name of its own"],
    ),
    "a stratum without a name": (
        {"n": [N, N], "events": [EVENTS] * 2, "stratum": ["a", " "]},
        ["a stratum is called ''", "a name of its own"],
    ),
    "names for other strata": (
        {"n": [N, N], "events": [EVENTS] * 2, "stratum": ["a", "b", "c"]},
        ["n has the shape (2, 2, 2, 2), not (3, 2, 2, 2)", "a name each"],
    ),
    "instrument called as the outcome": (
        {"n": N, "events": EVENTS, "instrument": "outcome"},
        ["the instrument is called 'outcome'", "of its own"],
    ),
    "amounts": (
        {"n": N, "events": EVENTS, "names": TrialNames(arms=None)},
        ["treatment is an amount", "two arms"],
    ),
    "covariates": (
        {"n": N, "events": EVENTS, "names": TrialNames(covariates=("age",))},
        ["covariates are named", "strata"],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    given, words = REFUSED[case]
    with pytest.raises(DataError) as caught:
        TrialCells.from_arrays(**given)
    for word in words:
        assert word in str(caught.value)
