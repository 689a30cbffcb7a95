"""The section of a report beside the classical estimators: table, picture, reasons."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from bayesmed.classical import all_estimates
from bayesmed.core.errors import StorageError
from bayesmed.core.numbers import number
from bayesmed.effects import Comparison, compare
from bayesmed.inference import Fit
from bayesmed.report import figures
from bayesmed.report.comparison import (
    beside,
    covariance_sensitivity,
    ends,
    estimates,
    picture,
    write_picture,
)
from bayesmed.report.content import Bullets, Paragraph, Picture, Table
from bayesmed.report.figures.comparison import comparison, window
from bayesmed.report.instruments import instruments
from tests.classical.tables import drawn, lipids, mechte, sites, uneven
from tests.report.fits import HOSTILE, HOSTILE_MEDIATOR, fitted, simulated


@pytest.fixture(scope="module")
def of_mechte() -> Comparison:
    return compare(fitted(mechte()))


@pytest.fixture(scope="module")
def of_two() -> Comparison:
    return compare(drawn(3, 40, uneven(1, 40, 2), slope=[1.0, 0.5]))


def test_the_section_holds_tables_picture_reasons_and_predicted_tables(plain_fit: Fit) -> None:
    table, drawing, reasons, strength, predicted = beside(plain_fit)
    assert isinstance(table, Table)
    assert isinstance(drawing, Picture)
    assert isinstance(reasons, Bullets)
    assert isinstance(strength, Table)
    assert strength == instruments(compare(plain_fit))
    assert isinstance(predicted, Paragraph)
    assert reasons.items == compare(plain_fit).sentences()
    assert "predicted from the posterior, the least-squares slope is" in predicted.text


def test_the_table_holds_every_estimate_and_the_posterior_first(plain_fit: Fit) -> None:
    rows = estimates(compare(plain_fit)).rows
    exact = plain_fit.tree["quadrature"].to_dataset().sel(parameter="slope")
    assert rows[0][:3] == ("Posterior", number(float(exact["mean"])), number(float(exact["sd"])))
    expected = all_estimates(plain_fit.data)
    assert [row[0] for row in rows[1:]] == [e.name for e in expected]
    said = [number(float(e.slope[0])) if e.defined else "not defined" for e in expected]
    assert [row[1] for row in rows[1:]] == said


def test_an_estimator_without_an_answer_says_so(of_mechte: Comparison) -> None:
    rows = {row[0]: row[1:] for row in estimates(of_mechte).rows}
    assert rows["BCES"] == ("not defined", "–", "–")
    said = picture(of_mechte).alternative
    assert "BCES not defined" in said
    assert "Posterior 2.98 [2.5" in said


def test_two_mediators_are_told_apart(of_two: Comparison) -> None:
    table = estimates(of_two)
    assert table.columns[:2] == ("Estimator", "Mediator")
    assert [row[1] for row in table.rows[:2]] == ["mediator_1", "mediator_2"]
    panels = comparison(of_two).axes
    assert [a.get_xlabel() for a in panels] == [
        f"Slope: outcome per unit of mediator_{i}" for i in (1, 2)
    ]


def test_what_is_not_defined_is_so_once_for_all_mediators(of_two: Comparison) -> None:
    rows = [row for row in estimates(of_two).rows if row[0].endswith("on persons")]
    assert [row[1:] for row in rows] == [("–", "not defined", "–", "–")] * 3


def test_strength_of_several_mediators_stands_in_a_table() -> None:
    found = compare(lipids(), intercept=False)
    table = instruments(found)
    assert table.columns == (
        *("Mediator", "First-stage F", "Conditional F"),
        *("Bias kept", "Reliability"),
    )
    assert [row[:3] for row in table.rows] == [
        ("LDL", "69.7", "47"),
        ("HDL", "83", "68.8"),
        ("Trg", "59.7", "39.3"),
    ]
    assert "about 0;" in table.note
    assert "3 of 3 directions stand out: singular values 125, 101 and 70.3" in table.note
    assert "sampling error alone about 12 (p < 0.001)" in table.note
    assert "line of WLS: Q = 683 on 142 degrees of freedom (p < 0.001)" in table.note
    assert "not invalidity by itself" in table.note


def test_strength_of_one_mediator_has_no_rank(of_mechte: Comparison) -> None:
    table = instruments(of_mechte)
    assert table.columns == ("Mediator", "First-stage F", "Bias kept", "Reliability")
    strength = of_mechte.strength
    assert table.rows[0][1:] == (
        number(float(strength.first_stage_f[0])),
        number(float(strength.relative_bias[0])),
        "0",
    )
    assert "about their mean" in table.note
    assert "singular" not in table.note


def test_strength_that_is_not_defined_says_why() -> None:
    exact = sites([1, 2, 4, 3], [1, 2, 4, 4], np.zeros((2, 2)))
    table = instruments(compare(exact))
    assert table.rows == (("mediator", "–", "–", "–"),)
    assert "Strength is not defined: the standard error" in table.note
    assert "Cochran's Q of OLS has no test: the residual of site '1'" in table.note


def test_ends_of_intervals_may_be_infinite() -> None:
    assert ends(-1.0, 2.0) == "-1 to 2"
    assert ends(-np.inf, 2.0) == "−∞ to 2"
    assert ends(1.0, np.inf) == "1 to ∞"
    assert ends(np.nan, 2.0) == "–"


def test_the_picture_shows_points_and_words_where_there_are_none(of_mechte: Comparison) -> None:
    (axes,) = comparison(of_mechte).axes
    table = of_mechte.table()
    marks = [line for line in axes.lines if line.get_marker() in ("o", "D")]
    shown = {float(line.get_ydata()[0]): float(line.get_xdata()[0]) for line in marks}
    for i, row in table.iterrows():
        assert shown.get(-float(i), np.nan) == pytest.approx(row["slope"], nan_ok=True)
    words = [text for text in axes.texts if text.get_text() == "not defined"]
    assert len(words) == int((~table["defined"]).sum())
    arrows = [line.get_ydata()[0] for line in axes.lines if line.get_marker() == ">"]
    right = axes.get_xlim()[1]
    assert arrows == [-i for i, row in table.iterrows() if row["high"] > right]


def test_far_estimates_do_not_stretch_the_axis() -> None:
    data = drawn(3, 600, uneven(1, 600))  # the mean mediator effect is nearly 0
    found = compare(data)
    (axes,) = comparison(found).axes
    table = found.table().set_index("estimator")["slope"]
    low, high = axes.get_xlim()
    assert high - low < 2
    assert low < table["OLS"] < high
    assert any(number(table["Pooled Wald"]) in text.get_text() for text in axes.texts)


def test_a_window_survives_what_is_missing() -> None:
    nan = np.full(3, np.nan)
    assert window(nan, nan, nan) == (-1.0, 1.0)
    low, high = window(np.array([2.0, 2.0]), np.full(2, np.nan), np.full(2, np.nan))
    assert low < 2 < high
    low, high = window(np.zeros(2), np.full(2, -np.inf), np.full(2, np.inf))
    assert np.isfinite([low, high]).all()


@pytest.mark.parametrize("name", ["a.png", "a.svg"])
def test_a_picture_file_is_complete(of_mechte: Comparison, tmp_path: Path, name: str) -> None:
    write_picture(of_mechte, tmp_path / name)
    if name.endswith("svg"):
        assert ET.parse(tmp_path / name).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a.pdf", "a", "absent/a.png"])
def test_a_picture_that_cannot_be_written_is_refused(
    of_mechte: Comparison, tmp_path: Path, name: str
) -> None:
    with pytest.raises(StorageError):
        write_picture(of_mechte, tmp_path / name)


def test_hostile_names_are_text_in_the_picture(hostile_fit: Fit) -> None:
    found = compare(hostile_fit)
    figure = comparison(found)
    assert not any(t.get_parse_math() for t in (figure.axes[0].xaxis.label, *figure.axes[0].texts))
    drawn_text = figures.svg(figure, "x", picture(found).alternative)
    assert "<script" not in drawn_text
    assert "<img" not in drawn_text
    assert found.mediators == (HOSTILE_MEDIATOR.strip(),)
    assert len(HOSTILE) == hostile_fit.data.n_rows


def test_the_slope_is_shown_under_other_error_correlations() -> None:
    fit = fitted(simulated(8, corr=0.0, covariance_given=False))
    found = covariance_sensitivity(fit)
    assert found is not None
    slopes = {row[0]: float(row[1]) for row in found.rows}
    exact = float(fit.tree["quadrature"]["mean"].sel(parameter="slope"))
    assert slopes["0"] == pytest.approx(exact, rel=0.006)
    assert slopes["0.75"] < slopes["-0.5"]
    assert covariance_sensitivity(fitted(simulated(8))) is None
