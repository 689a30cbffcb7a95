"""Pictures of one trial where numbers or names are extreme."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from bayesmed.effects import TrialComparison
from bayesmed.effects.trials.comparison import TrialRow
from bayesmed.report.figures import style
from bayesmed.report.figures.trials import Panel, trial_comparison, trial_effects
from bayesmed.report.trials.pictures import beside, write_trial_picture

LONG = "effect of " + "a very long name " * 20 + "on the END"


def arrows(axes: Axes) -> list[tuple[str, float]]:
    """Arrowheads: which, and at what height."""
    found = [line for line in axes.get_lines() if line.get_marker() in ("<", ">")]
    return [(str(line.get_marker()), float(np.ravel(line.get_ydata())[0])) for line in found]


def row(estimator: str, low: float, high: float, effect: str = "slope", **more: Any) -> TrialRow:
    middle = (low + high) / 2 if math.isfinite(low + high) else 1.0
    given = {"entry": "", "estimate": middle, "se": 1.0, "low": low, "high": high} | more
    return TrialRow(estimator, effect, **given)


def test_intervals_of_like_width_need_no_arrows() -> None:
    rng = np.random.default_rng(1)
    draws = [rng.normal(i, 1 + i, 500) for i in range(4)]
    (axes,) = trial_effects([Panel("unit", list("abcd"), [""] * 4, draws)]).axes
    assert arrows(axes) == []
    low, high = axes.get_xlim()
    assert low < min(np.quantile(own, 0.025) for own in draws)
    assert high > max(np.quantile(own, 0.975) for own in draws)
    assert list(axes.get_yticks()) == sorted(axes.get_yticks(), reverse=True)


def test_one_ratio_does_not_hide_the_others() -> None:
    rng = np.random.default_rng(1)
    draws = [rng.normal(size=500), rng.normal(size=500), 1e6 * rng.standard_cauchy(500)]
    (axes,) = trial_effects([Panel("unit", list("abc"), [""] * 3, draws)]).axes
    assert np.ptp(axes.get_xlim()) < 1e6
    at = axes.get_yticks()[2]
    assert [(mark, y == at) for mark, y in arrows(axes)] == [("<", True), (">", True)]


def test_draws_that_are_no_numbers_are_looked_past() -> None:
    draws = [np.array([np.nan, 1.0, 2.0, 3.0]), np.array([0.0, 0.0, 0.0, 0.0])]
    (axes,) = trial_effects([Panel("unit", ["a", "b"], ["", ""], draws)]).axes
    assert np.isfinite(axes.get_xlim()).all()


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (-math.inf, math.inf, ["<", ">"]),
        (0.0, math.inf, [">"]),
        (-math.inf, 2.0, ["<"]),
        (math.nan, math.nan, []),
    ],
)
@pytest.mark.parametrize("alone", [True, False])
def test_intervals_without_an_end_leave_the_picture(
    low: float, high: float, marks: list[str], alone: bool
) -> None:
    rows = (row("Anderson-Rubin", low, high), *(() if alone else (row("Posterior", -1, 2),)))
    (axes,) = trial_comparison(TrialComparison(rows, {"slope": "the slope"})).axes
    assert [mark for mark, _ in arrows(axes)] == marks
    left, right = axes.get_xlim()
    assert left < 1.0 < right
    assert right - left < 100


def test_effects_share_an_axis_over_arms_and_stand_by_arm() -> None:
    rows = tuple(
        row(name, i, i + 1.0, effect, entry=arm)
        for i, name in enumerate(("Posterior", "Instrument"))
        for effect in ("nie", "nde")
        for arm in ("b", "a")
    )
    figure = trial_comparison(TrialComparison(rows, {"nie": "natural indirect effect"}))
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "Natural indirect effect",
        "Nde",
    ]
    labels = [t.get_text().replace("\u00a0", " ") for t in figure.axes[0].get_yticklabels()]
    assert labels == [
        "Arm a: Posterior",
        "Arm a: Instrument",
        "Arm b: Posterior",
        "Arm b: Instrument",
    ]
    blue = [p for p in figure.axes[0].get_lines() if p.get_color() == style.POSTERIOR]
    assert len(blue) == 2


def test_what_is_not_defined_is_left_out_and_nothing_is_a_picture_too(tmp_path: Any) -> None:
    nothing = (row("LIML", math.nan, math.nan, estimate=math.nan),)
    found = TrialComparison(nothing, {})
    assert beside(found).alternative == "Estimates with 95 % intervals: ."
    write_trial_picture(found, tmp_path / "a.png")
    both = TrialComparison((*nothing, row("2SLS", 0, 1)), {})
    (axes,) = trial_comparison(both).axes
    assert [t.get_text() for t in axes.get_yticklabels()] == ["2SLS"]


def test_long_names_keep_both_ends_and_their_arm() -> None:
    panel = Panel(LONG, [LONG, LONG], ["arm control", "arm " + "x" * 300], [np.arange(9.0)] * 2)
    (axes,) = trial_effects([panel]).axes
    first, second = (t.get_text() for t in axes.get_yticklabels())
    for text in (first, second):
        assert text.startswith("effect of a very long")
        assert text.count("\n") <= 3
        assert max(map(len, text.split("\n"))) <= 40
    assert first.replace("\n", " ").replace("\u00a0", " ").endswith("END, arm control")


@pytest.mark.parametrize(
    "text", ["$x^2$ \\frac{1}", "{m} {0} %s", "new\nline\x1b[2J", "שלום", "🦄"]
)
def test_names_are_drawn_as_they_are(text: str, tmp_path: Any) -> None:
    found = TrialComparison((row(text, 0, 1, entry=text),), {"slope": text})
    write_trial_picture(found, tmp_path / "a.svg")
    assert "\x1b" not in (tmp_path / "a.svg").read_text(encoding="utf-8")
