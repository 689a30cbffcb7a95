"""The sensitivity grid in the layout of Small's Table 2: rows, additivity, the shift identity."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmed.classical import covariate_iv, sensitivity_grid
from bayesmed.core.errors import ModelError
from bayesmed.data import TrialMoments
from tests.classical.trials import by_linearmodels, persons_of, prospect

NAMES = ("past", "level")
# Rows of Small's Table 2: direct modifiers, slope modifiers.
ROWS = [(r, m) for m in np.ndindex(2, 2) for r in np.ndindex(2, 2)]


def deviations(frame):
    return frame[list(NAMES)] - frame[list(NAMES)].mean()


def test_the_default_grid_is_small_s_table() -> None:
    frame = prospect()
    grid = sensitivity_grid(persons_of(frame))
    assert grid.covariates == NAMES
    assert [(row.direct_modifier, row.slope_modifier) for row in grid.rows] == ROWS
    table = grid.table()
    assert len(table) == 16
    assert table.columns[:4].tolist() == [
        "direct_modifier[past]",
        "direct_modifier[level]",
        "slope_modifier[past]",
        "slope_modifier[level]",
    ]
    x = deviations(frame).to_numpy()
    for row, (direct, slope) in zip(table.itertuples(index=False), ROWS, strict=True):
        shifted = frame["y"] - frame["r"] * (x @ direct) - frame["m"] * (x @ slope)
        oracle = by_linearmodels(frame, NAMES, outcome=shifted)
        ends = oracle.conf_int()
        expected = [
            *(oracle.params["r"], oracle.std_errors["r"], *ends.loc["r"]),
            *(oracle.params["m"], oracle.std_errors["m"], *ends.loc["m"]),
        ]
        np.testing.assert_allclose(row[4:], expected, rtol=1e-8)
    plain = covariate_iv(persons_of(frame))
    assert grid.rows[0].estimate.slope == pytest.approx(plain.slope, rel=1e-14)


def estimates(grid):
    return np.array([[row.estimate.direct_effect, row.estimate.slope] for row in grid.rows])


def test_estimates_are_additive() -> None:
    values = estimates(sensitivity_grid(persons_of(prospect()))).reshape(4, 4, 2)
    moved = values - values[0, 0]
    scale = np.abs(moved).max()
    np.testing.assert_allclose(moved, moved[:, :1] + moved[:1, :], atol=1e-12 * scale, rtol=0)
    # Within either parameter too: (1, 1) is (0, 1) and (1, 0) together.
    for along in (moved[0], moved[:, 0]):
        np.testing.assert_allclose(along[3], along[1] + along[2], atol=1e-12 * scale)


def test_a_shift_moves_estimates_by_two_stage_least_squares_of_the_product() -> None:
    frame, c = prospect(), 0.37
    for j, name in enumerate(NAMES):
        modifiers = [(0.0, 0.0), tuple(c * np.eye(2)[j])]
        grid = sensitivity_grid(
            persons_of(frame), direct_modifiers=modifiers, slope_modifiers=[(0.0, 0.0)]
        )
        first, second = estimates(grid)
        product = persons_of(frame.assign(y=frame["r"] * deviations(frame)[name]))
        moved = covariate_iv(product)
        expected = [-c * moved.direct_effect, -c * moved.slope]
        np.testing.assert_allclose(second - first, expected, rtol=1e-10)


def test_given_values_and_controls() -> None:
    frame = prospect().assign(age=lambda f: np.cos(np.arange(len(f))))
    persons = persons_of(frame, ("age", *NAMES))
    grid = sensitivity_grid(
        TrialMoments.from_persons(persons),
        instruments=("level",),
        direct_modifiers=[(-0.5,), (0.5,)],
        slope_modifiers=[(0.2,)],
    )
    assert grid.covariates == ("level",)
    assert len(grid.rows) == 2
    for row in grid.rows:
        single = covariate_iv(
            persons,
            instruments=("level",),
            direct_modifier={"level": row.direct_modifier[0]},
            slope_modifier={"level": 0.2},
        )
        assert row.estimate.slope == pytest.approx(single.slope, rel=1e-12)
        assert row.estimate.direct_effect_se == pytest.approx(single.direct_effect_se, rel=1e-12)


def test_what_modifies_a_control_s_direct_effect_is_in_its_product() -> None:
    """With R·X* in both equations, τ_R of a control moves nothing at all."""
    persons = persons_of(prospect())
    plain = covariate_iv(persons, instruments=("level",))
    moved = covariate_iv(persons, instruments=("level",), direct_modifier={"past": 3.0})
    assert moved.slope == pytest.approx(plain.slope, rel=1e-10)
    assert moved.direct_effect == pytest.approx(plain.direct_effect, rel=1e-10)


def test_order_of_covariates_does_not_matter() -> None:
    frame = prospect()
    plain = sensitivity_grid(persons_of(frame)).table()
    turned = sensitivity_grid(persons_of(frame, NAMES[::-1])).table()
    keys = plain.columns[:4].tolist()
    turned = turned[plain.columns].sort_values(keys).reset_index(drop=True)
    plain = plain.sort_values(keys).reset_index(drop=True)
    np.testing.assert_allclose(turned, plain, rtol=1e-9)


def test_what_cannot_be_is_refused_or_says_why() -> None:
    frame = prospect()
    with pytest.raises(ModelError, match="not 2 finite numbers"):
        sensitivity_grid(persons_of(frame), direct_modifiers=[(1.0,)])
    with pytest.raises(ModelError, match="not 2 finite numbers"):
        sensitivity_grid(persons_of(frame), slope_modifiers=[(1.0, np.nan)])
    rng = np.random.default_rng(1)
    many = frame.assign(**{f"x{i}": rng.normal(size=len(frame)) for i in range(5)})
    with pytest.raises(ModelError, match="1024 rows"):
        sensitivity_grid(persons_of(many, tuple(f"x{i}" for i in range(5))))
    twice = sensitivity_grid(persons_of(frame.assign(again=frame["past"]), ("past", "again")))
    assert twice.rows == ()
    assert "'again'" in twice.reason
