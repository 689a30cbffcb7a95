"""Where conclusions change, on tables whose answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayesmed.studies.sensitivity.tipping import tipping_points

NAN = float("nan")


def table(x: list[float], low, middle, high, *, noise: float = 0.0, **more) -> pd.DataFrame:
    """Estimates of one quantity, each a function of the axis."""
    at = np.array(x)
    return pd.DataFrame(
        {
            "rho": at,
            "quantity": "slope",
            "entry": "effort",
            "q2.5": low(at),
            "q50": middle(at),
            "q97.5": high(at),
            "mc_error": noise,
            "converged": True,
            **more,
        }
    )


def line(at: float):
    return lambda x: at - x


def found(grid: pd.DataFrame, reference: float = 0.0) -> pd.DataFrame:
    got = tipping_points(grid, ["rho"], {"rho": reference}, ["slope"])
    return got.set_index("conclusion")


GRID = [round(-1 + 0.25 * i, 2) for i in range(9)]


def test_straight_lines_are_crossed_where_they_cross() -> None:
    """Ends 0.3 and 0.9 - x: the lower one is 0 at .3, the median at .6, whatever the grid."""
    for x in (GRID, [-1.0, 0.0, 1.0], [-1.0, 0.1, 0.2, 1.0]):
        got = found(table(x, line(0.3), line(0.6), line(0.9)))
        assert got.loc["interval", "above"] == pytest.approx(0.3)
        assert got.loc["sign", "above"] == pytest.approx(0.6)
        assert np.isnan(got["below"].to_numpy(dtype=float)).all()
        assert got["at_reference"].tolist() == ["excludes 0", "positive"]


def test_both_directions_and_both_signs() -> None:
    """A parabola that is below 0 in the middle."""
    got = found(table(GRID, lambda x: x**2 - 0.9, lambda x: x**2 - 0.6, lambda x: x**2 - 0.25))
    assert got.loc["interval", "at_reference"] == "excludes 0"
    assert got.loc["sign", "at_reference"] == "negative"
    assert got.loc["interval", ["below", "above"]].tolist() == pytest.approx([-0.5, 0.5])
    assert got.loc["sign", "above"] == pytest.approx(-got.loc["sign", "below"])
    assert 0.75 <= got.loc["sign", "above"] <= 0.8


def test_from_an_interval_that_includes_0_it_is_where_it_ceases_to() -> None:
    got = found(table(GRID, line(-0.4), line(0.0), line(0.4)))
    assert got.loc["interval", "at_reference"] == "includes 0"
    assert got.loc["interval", ["below", "above"]].tolist() == pytest.approx([-0.4, 0.4])


def test_the_nearest_change_counts() -> None:
    """The interval leaves 0 and comes back."""
    got = found(table(GRID, lambda x: np.cos(6 * x), np.ones_like, lambda x: np.full_like(x, 2.0)))
    assert 0.25 < got.loc["interval", "above"] < 0.5
    assert -0.5 < got.loc["interval", "below"] < -0.25


def test_an_interval_that_jumps_over_0_turns_at_its_first_end() -> None:
    got = found(table([0.0, 1.0], line(0.25), line(0.5), line(0.75)))
    assert got.loc["interval", "above"] == pytest.approx(0.25)


def test_the_reference_is_the_nearest_value_that_converged() -> None:
    grid = table(GRID, line(0.3), line(0.6), line(0.9))
    grid["converged"] = grid["rho"] != 0.0
    got = found(grid, reference=0.1)
    assert (got["reference"] == 0.25).all()
    assert got.loc["interval", "above"] == pytest.approx(0.3)
    assert found(grid.assign(converged=False)).empty


def test_nothing_changes_nothing() -> None:
    got = found(table(GRID, lambda x: 1 + 0 * x, lambda x: 2 + 0 * x, lambda x: 3 + 0 * x))
    assert np.isnan(got[["below", "above"]].to_numpy(dtype=float)).all()
    assert got["clear"].all()


def test_monte_carlo_error_is_no_change() -> None:
    """An end that wanders around 0 by less than its noise is in doubt; one that leaves is not."""

    def wander(x):
        return 0.01 * np.cos(9 * x)

    noisy = table(GRID, wander, lambda x: 1 + 0 * x, lambda x: 2 + 0 * x, noise=0.02)
    assert np.isfinite(found(noisy).loc["interval", "above"])
    assert not found(noisy).loc["interval", "clear"]
    assert found(noisy.assign(mc_error=1e-4)).loc["interval", "clear"]
    leaving = table(GRID, line(0.3), line(0.6), line(0.9), noise=0.02)
    assert found(leaving)["clear"].all()


def test_of_two_axes_the_other_stays_at_its_reference() -> None:
    every = [
        table(GRID, line(0.3 + t), line(0.6 + t), line(0.9 + t), tau=t) for t in (-0.5, 0.0, 0.5)
    ]
    got = tipping_points(pd.concat(every), ["rho", "tau"], {"rho": 0.0, "tau": 0.0}, ["slope"])
    interval = got[got["conclusion"] == "interval"].set_index("axis")
    assert interval.loc["rho", "above"] == pytest.approx(0.3)
    assert interval.loc["tau", "below"] == pytest.approx(-0.3)
    moved = tipping_points(pd.concat(every), ["rho", "tau"], {"rho": 0.0, "tau": 0.6}, ["slope"])
    own = moved[(moved["conclusion"] == "interval") & (moved["axis"] == "rho")]
    assert own["above"].item() == pytest.approx(0.8)


def test_other_quantities_are_left_out() -> None:
    grid = table(GRID, line(0.3), line(0.6), line(0.9))
    got = tipping_points(
        pd.concat([grid, grid.assign(quantity="spread")]), ["rho"], {"rho": 0.0}, ["slope"]
    )
    assert set(got["quantity"]) == {"slope"}
    assert len(got) == 2
