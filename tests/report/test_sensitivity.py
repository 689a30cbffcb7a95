"""What a report says of priors: which conclusions change, under which, and what to doubt."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from bayesmed.cards import Framing
from bayesmed.core.errors import StorageError
from bayesmed.inference import Fit
from bayesmed.priors import Prior
from bayesmed.report import report
from bayesmed.report.figures import sensitivity as figures
from bayesmed.report.sensitivity import sensitivity_answer, sensitivity_content
from bayesmed.report.sensitivity_files import (
    REPORTS,
    TABLES,
    checked_sensitivity_folder,
    write_sensitivity,
)
from bayesmed.studies.sensitivity import PriorSensitivity, prior_sensitivity
from tests.report.fits import HOSTILE
from tests.report.test_html import Page

STEEP = {"slope": Prior("Normal", mu=-4, sigma=0.05)}


def studied(fit: Fit, **options: object) -> PriorSensitivity:
    with ThreadPoolExecutor(1) as own:
        return prior_sensitivity(fit, executor=own, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def found(plain_fit: Fit) -> PriorSensitivity:
    return studied(plain_fit, alternatives={"steep": STEEP}, parameters=("slope",), factors=(2,))


def test_the_answer_says_what_changes_and_under_how_many(found: PriorSensitivity) -> None:
    answer = sensitivity_answer(found)
    assert answer.first == ()
    assert answer.sentence.startswith("Some conclusion changes under 1 of 2 other priors.")
    assert "Slope: score per unit of effort: sign (1)" in answer.sentence
    assert "more than 0.5 posterior sd away (1)" in answer.sentence
    slope = found.table().query("prior == 'as fitted' and quantity == 'slope'").iloc[0]
    assert answer.rows[0].middle == slope["mean"]
    assert (answer.rows[0].low, answer.rows[0].high) == (slope["q2.5"], slope["q97.5"])


def test_an_answer_that_stands_says_so(plain_fit: Fit) -> None:
    found = studied(plain_fit, parameters=("mediator_effect_mean",), factors=(2,))
    content = sensitivity_content(found)
    assert content.answer.sentence.startswith("No conclusion changes under any of the 1 other")
    first = content.tables[0]
    assert first.note == "No conclusion changes."
    assert first.slug == "changes"
    assert set(first.rows[0]) == {"–"}
    alone = sensitivity_content(studied(plain_fit, factors=()))
    assert alone.answer.sentence.startswith("No other priors were tried")


def test_every_change_is_a_row_with_both_values(found: PriorSensitivity) -> None:
    content = sensitivity_content(found)
    table = content.tables[0]
    changes = found.changes()
    assert [(row[0], row[3], row[4]) for row in table.rows] == list(
        zip(changes["prior"], changes["before"], changes["after"], strict=True)
    )
    assert ("steep", "positive", "negative") in [(r[0], r[3], r[4]) for r in table.rows]


def test_estimates_and_priors_stand_in_tables(found: PriorSensitivity) -> None:
    tables = {table.caption: table for table in sensitivity_content(found).tables}
    slopes = next(t for c, t in tables.items() if c.startswith("Slope"))
    assert [row[0] for row in slopes.rows] == ["as fitted", "steep", "slope × 2"]
    assert slopes.rows[0][5:] == ("+0.00", "1.00")
    priors = next(t for c, t in tables.items() if c.startswith("Priors tried"))
    assert ("steep", "Slope δ: score per unit of effort", "Normal(mu = -4, sigma = 0.05)") in (
        priors.rows
    )


def test_what_is_in_doubt_comes_first(found: PriorSensitivity, sampled_fit: Fit) -> None:
    table = found.table()
    table.loc[table["prior"] == "steep", "converged"] = False
    failures = pd.DataFrame({"prior": ["flat"], "error": ["ValueError: no"]})
    stats = sampled_fit.tree["sample_stats"].to_dataset()
    stats["diverging"] = stats["diverging"] | True
    tree = sampled_fit.tree.copy()
    tree["sample_stats"] = stats
    doubtful = replace(found, fit=replace(sampled_fit, tree=tree), estimates=table, failed=failures)
    first = sensitivity_answer(doubtful).first
    assert [text.split(":")[0] for text in first] == [
        "The fit itself did not converge",
        "Not converged, and not to be relied on",
        "The fit failed under flat (ValueError",
    ]
    rows = sensitivity_content(doubtful).tables[0].rows
    assert {row[5] for row in rows if row[0] == "steep"} == {"not converged"}


def test_several_mediators_have_a_picture_each(iv_fit: Fit) -> None:
    found = studied(iv_fit, factors=())
    content = sensitivity_content(found)
    shown = [picture.alternative.split(":")[0] for picture in content.pictures]
    # Slopes vary: it is their averages that are asked about. Sampled shortly, as the page says.
    assert [text for text in shown if text.startswith("Average slope")] == ["Average slope"] * 2
    assert sum("through all mediators" in text for text in shown) == 1
    assert set(found.changes()["quantity"]) == set()
    labels = [row[0] for row in content.tables[-2].rows]
    assert len(labels) == len(set(labels)) >= 6


def test_the_page_is_whole_and_names_are_text_in_it(hostile_fit: Fit, tmp_path: Path) -> None:
    names = {name: STEEP for name in HOSTILE if name.isprintable()}
    found = studied(hostile_fit, alternatives=names, factors=())
    report(found, tmp_path / "study.html", framing=Framing(title="<b>A</b> study"))
    html = (tmp_path / "study.html").read_text("utf-8")
    page = Page(html)
    assert page.open == []
    assert not page.named("script", "img", "iframe")
    assert "http" not in " ".join(re.findall(r'(?:href|src)="([^"]*)"', html))
    assert any("<script>alert(1)</script>" in text for text in page.text("td", "th"))
    report(found, tmp_path / "study.md")
    assert "<script>" not in (tmp_path / "study.md").read_text("utf-8")


def labels(figure: Figure) -> list[str]:
    (axes,) = figure.axes
    return [text.get_text() for text in axes.get_yticklabels()]


def test_the_picture_shows_medians_and_intervals(found: PriorSensitivity) -> None:
    own = found.table().query("quantity == 'slope'")
    figure = figures.estimates(own, "Slope")
    assert labels(figure) == ["as fitted", "steep", "slope × 2"]
    (axes,) = figure.axes
    points = {round(float(y)): float(x) for line in axes.lines for x, y in line.get_xydata()[:1]}
    for i, row in enumerate(own.to_dict("records")):
        segment = axes.collections[i].get_segments()[0]  # type: ignore[attr-defined]
        low, high = axes.get_xlim()
        np.testing.assert_allclose(
            segment[:, 0], np.clip([row["q2.5"], row["q97.5"]], low, high), rtol=1e-12
        )
        assert segment[0, 1] == -i
        if low < row["q50"] < high:
            assert points[-i] == pytest.approx(row["q50"])


def test_of_many_priors_an_even_choice_is_drawn() -> None:
    table = pd.DataFrame({"prior": ["as fitted", *map(str, range(499))]})
    table["shift"] = [0.0, *np.random.default_rng(1).normal(size=499)]
    drawn = figures.shown_priors(table)
    assert len(drawn) == 40
    assert drawn["prior"].iloc[0] == "as fitted"
    assert {table["shift"].min(), table["shift"].max()} <= set(drawn["shift"])
    assert drawn.index.is_monotonic_increasing


def test_bars_show_the_sensitivities(found: PriorSensitivity) -> None:
    key = "slope", "effort"
    figure = figures.scaling(found.scaling, {key: "Slope"})
    (axes,) = figure.axes
    own = found.scaling.query("quantity == 'slope'")
    assert [bar.get_width() for bar in axes.patches] == own["sensitivity"].tolist()  # type: ignore[attr-defined]
    assert labels(figure) == own["component"].tolist()


def test_a_folder_holds_tables_and_reports(found: PriorSensitivity, tmp_path: Path) -> None:
    write_sensitivity(found, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*TABLES, *REPORTS, "figures", "tables"}
    content = sensitivity_content(found)
    drawn = {path.name for path in (tmp_path / "figures").iterdir()}
    assert drawn == {f"{p.slug}.png" for p in content.pictures}
    told = {path.name for path in (tmp_path / "tables").iterdir()}
    assert told == {f"{t.slug}.tex" for t in content.tables if t.slug}
    back = pd.read_csv(tmp_path / "changes.csv", keep_default_na=False)
    assert back["prior"].tolist() == found.changes()["prior"].tolist()
    estimates = pd.read_csv(tmp_path / "estimates.csv")
    np.testing.assert_allclose(estimates["mean"], found.table()["mean"], rtol=1e-15)


def test_only_a_folder_of_a_study_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    assert checked_sensitivity_folder(folder) == folder.resolve()
    folder.mkdir()
    for name in ("study.duckdb", "study.duckdb.wal", ".study.duckdb.k3x", "changes.csv"):
        (folder / name).touch()
        assert checked_sensitivity_folder(folder) == folder.resolve()
    (folder / "thesis.tex").touch()
    with pytest.raises(StorageError, match=r"thesis\.tex"):
        checked_sensitivity_folder(folder)
