"""What a report says of assumptions: where conclusions change, and what to doubt."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from bayesmed.cards import Framing
from bayesmed.data import TrialPersons
from bayesmed.generative import CovariateIV
from bayesmed.generative.assumption_axes import axes_of
from bayesmed.inference import Fit
from bayesmed.priors import Prior
from bayesmed.report import report
from bayesmed.report.assumptions import assumption_content
from bayesmed.report.figures.assumptions import changed
from bayesmed.report.sensitivity_files import (
    ASSUMPTION_REPORTS,
    ASSUMPTION_STUDY,
    ASSUMPTION_TABLES,
    checked_sensitivity_folder,
    write_assumptions,
)
from bayesmed.studies.sensitivity import AssumptionSensitivity
from bayesmed.studies.sensitivity.assumption_refit import rows_of
from tests.report.test_html import Page
from tests.trial_fits import made

RHO = [-0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75]
ENDS = {"q2.5": 0.5, "q25": 0.8, "q50": 1.0, "q75": 1.2, "q97.5": 1.5}
LITTLE = {"little": {"correlation": Prior("Uniform", lower=-0.3, upper=0.3)}}


def moved(rows: pd.DataFrame, by: float) -> pd.DataFrame:
    """The rows of a fit with every quantity at 1 - by, in intervals from half less to half more."""
    return rows.assign(**{name: at - by for name, at in ENDS.items()}, mc_error=0.0)


def over_correlation(fit: Fit) -> AssumptionSensitivity:
    """Medians fall as 1 - 2 rho: the interval has 0 in it from .25 to .75, and the sign turns."""
    rows = pd.DataFrame(rows_of(fit)).astype({"mean": float, "sd": float})
    parts = [
        moved(rows, 2 * rho).assign(version="held" if rho else "as fitted", correlation=rho)
        for rho in RHO
    ]
    parts.append(moved(rows, 0.7).assign(version="little", correlation=np.nan))
    axes = axes_of(fit.model, fit.data)
    failed = pd.DataFrame({"refit": [], "error": []}, dtype=str)
    return AssumptionSensitivity(fit, axes, LITTLE, pd.concat(parts, ignore_index=True), failed)


@pytest.fixture(scope="module")
def found(plain_fit: Fit) -> AssumptionSensitivity:
    return over_correlation(plain_fit)


@pytest.fixture(scope="module")
def crossed() -> AssumptionSensitivity:
    """Medians fall with the sum of two assumptions."""
    rng = np.random.default_rng(1)
    data = TrialPersons.from_arrays(
        treatment=np.arange(60) % 2,
        mediator=rng.normal(size=60),
        outcome=rng.normal(size=60),
        covariates={"age": rng.normal(size=60)},
    )
    fit = made(CovariateIV(), data)
    rows, axes, at = pd.DataFrame(rows_of(fit)), axes_of(fit.model, data), (-1.0, 0.0, 1.0, 2.0)
    parts = [
        moved(rows, a + b).assign(
            version="held" if a or b else "as fitted", **{axes[0].name: a, axes[1].name: b}
        )
        for a in at
        for b in at
    ]
    estimates = pd.concat(parts, ignore_index=True).assign(converged=True)
    failed = pd.DataFrame({"refit": [], "error": []}, dtype=str)
    return AssumptionSensitivity(fit, axes, {}, estimates, failed)


def test_the_answer_says_where_conclusions_change(found: AssumptionSensitivity) -> None:
    content = assumption_content(found)
    answer = content.answer
    assert answer.first == ()
    assert answer.sentence.startswith(
        "The correlation ρ of direct effects with effects on effort was held at values from -0.75 "
        "to 0.75. Slope, score per unit of effort: the 95 % interval excludes 0 from -0.75 to 0.25,"
        " and includes it just beyond; at ρ = 0.5 its sign is unknown (the median is 0)."
    )
    assert answer.columns[0] == "Slope: score per unit of effort"
    assert [row.label for row in answer.rows] == [f"ρ = {rho:g}" for rho in RHO]
    assert answer.columns[1] == "Median"
    assert [row.middle for row in answer.rows] == pytest.approx([1 - 2 * rho for rho in RHO])
    assert content.title.endswith("sensitivity to assumptions")
    assert "no trace" in content.sections[0].blocks[0].text  # type: ignore[union-attr]


def test_what_never_changes_is_said_so(found: AssumptionSensitivity) -> None:
    table = found.table()
    steady = replace(found, estimates=moved(table, 0.0))
    sentence = assumption_content(steady).answer.sentence
    assert "the 95 % interval excludes 0 at all of them; its median stays positive" in sentence
    around = replace(found, estimates=moved(table, 0.9))
    assert (
        "the 95 % interval includes 0 at all of them" in assumption_content(around).answer.sentence
    )


def test_tables_hold_tipping_points_and_estimates(found: AssumptionSensitivity) -> None:
    tables = {table.caption: table for table in assumption_content(found).tables}
    nearest = next(t for caption, t in tables.items() if caption.startswith("Nearest"))
    slope = [row for row in nearest.rows if row[0].startswith("Slope")]
    assert [row[1:] for row in slope] == [
        ("95 % interval", "excludes 0 at ρ = 0", "–", "0.25", "–"),
        ("sign of the median", "positive at ρ = 0", "–", "0.5", "–"),
    ]
    own = [row for row in tables["Estimates"].rows if row[2].startswith("Slope")]
    assert [row[0] for row in own] == [*(f"{rho:g}" for rho in RHO), "–"]
    assert own[-1][1] == "little"
    assert ("little", "correlation", str(LITTLE["little"]["correlation"])) in (
        tables["Priors in place of the fit's"].rows
    )


def test_monte_carlo_error_is_said_to_be_one(found: AssumptionSensitivity) -> None:
    noisy = replace(found, estimates=found.table().assign(mc_error=1.0))
    content = assumption_content(noisy)
    assert "(Monte Carlo error could explain it)" in content.answer.sentence
    assert {row[5] for row in content.tables[0].rows} == {"within Monte Carlo error"}


def test_what_is_in_doubt_comes_first(found: AssumptionSensitivity, sampled_fit: Fit) -> None:
    table = found.table()
    table.loc[table["correlation"] == 0.25, "converged"] = False
    table.loc[table["version"] == "little", "converged"] = False
    failures = pd.DataFrame({"refit": ["correlation = 0.9"], "error": ["ValueError: no"]})
    stats = sampled_fit.tree["sample_stats"].to_dataset()
    stats["diverging"] = stats["diverging"] | True
    tree = sampled_fit.tree.copy()
    tree["sample_stats"] = stats
    doubtful = replace(found, fit=replace(sampled_fit, tree=tree), estimates=table, failed=failures)
    content = assumption_content(doubtful)
    assert content.answer.first == (
        "The fit itself did not converge: do not use what is compared with it.",
        "Not converged, and not to be relied on: ρ = 0.25 and little.",
        "The fit failed at correlation = 0.9 (ValueError: no).",
    )
    # What did not converge moves no tipping point: a line from 0 to .5 is 0 at a quarter too.
    assert "excludes 0 from -0.75 to 0.25" in content.answer.sentence
    (axes,) = content.pictures[0].draw().axes
    assert "not converged" in legend(axes.figure)


def legend(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def drawn(content: Any, slug: str) -> Figure:
    (figure,) = [picture.draw() for picture in content.pictures if picture.slug == slug]
    return figure


def test_curves_show_bands_tipping_points_and_where_conclusions_differ(
    found: AssumptionSensitivity,
) -> None:
    figure = drawn(assumption_content(found), "over-slope")
    (axes,) = figure.axes
    assert axes.get_xlabel().startswith("Correlation ρ of direct effects with effects on effort")
    lines = {str(line.get_label()): line.get_xydata() for line in axes.lines}
    np.testing.assert_allclose(lines["median"], [[rho, 1 - 2 * rho] for rho in RHO], atol=1e-12)
    (turn,) = (v for k, v in lines.items() if k.startswith("the interval begins"))
    assert turn[np.isfinite(turn[:, 0]), 0] == pytest.approx([0.25])
    assert lines["the median changes sign"][:, 0] == pytest.approx([0.5])
    hatched = [c for c in axes.collections if c.get_hatch()]
    (region,) = (np.concatenate([p.vertices for p in c.get_paths()]) for c in hatched)
    assert region[:, 0].min() == pytest.approx(0.25, abs=0.01)
    assert region[:, 0].max() == pytest.approx(0.75)
    assert "as fitted" in legend(figure)


def test_of_two_sides_of_0_each_is_another_conclusion() -> None:
    x = np.array([-1.0, 0.0, 1.0])
    fine, other = changed(x, np.array([1.0, 1.0, -3.0]), np.array([2.0, 2.0, -1.0]), 0.0)
    assert not other[fine < 0.2].any()
    assert other[fine > 0.3].all()


def points(axes: Any) -> list[tuple[float, float]]:
    return [tuple(point) for line in axes.lines for point in line.get_xydata()]


def test_two_assumptions_are_a_map(crossed: AssumptionSensitivity) -> None:
    content = assumption_content(crossed)
    assert "the 95 % interval excludes 0 at 12 of 16 combinations" in content.answer.sentence
    assert "the median is positive at 6 and negative at 6" in content.answer.sentence
    assert "τ_R alone changes what the interval says at 0.5" in content.answer.sentence
    assert len(content.pictures) == 3
    figure = content.pictures[0].draw()
    axes, bar = figure.axes
    assert bar.get_ylabel().startswith("Median: ")
    mesh = axes.collections[0]
    values = np.asarray(mesh.get_array()).reshape(4, 4)
    at = np.array([-1.0, 0.0, 1.0, 2.0])
    np.testing.assert_allclose(values, 1.0 - at[:, None] - at[None, :])
    # Colours are of opposite signs on opposite sides of 0.
    assert mesh.norm(0.0) == pytest.approx(0.5)
    assert any(getattr(c, "hatches", None) == ["//"] for c in axes.collections)
    assert (0.0, 0.0) in points(axes)


def test_what_did_not_converge_leaves_a_hole_in_the_map(crossed: AssumptionSensitivity) -> None:
    table = crossed.table()
    a, b = (axis.name for axis in crossed.axes)
    bad = (table[a] == 1.0) & (table[b] == -1.0)
    table["converged"] = ~bad
    table.loc[bad, "q50"] = 1e6
    content = assumption_content(replace(crossed, estimates=table))
    assert content.answer.first[-1].endswith("relied on: τ_R = 1, τ_M = -1.")
    axes = content.pictures[0].draw().axes[0]
    values = np.ma.filled(axes.collections[0].get_array(), np.nan).reshape(4, 4)
    assert np.argwhere(np.isnan(values)).tolist() == [[0, 2]]
    assert (1.0, -1.0) in points(axes)


def test_pages_are_whole_and_names_are_text_in_them(
    hostile_fit: Fit, crossed: AssumptionSensitivity, tmp_path: Path
) -> None:
    for found, pictures in ((over_correlation(hostile_fit), 4), (crossed, 3)):
        report(found, tmp_path / "study.html", framing=Framing(title="<b>A</b> study"))
        html = (tmp_path / "study.html").read_text("utf-8")
        page = Page(html)
        assert page.open == []
        assert not page.named("script", "img", "iframe")
        assert "http" not in " ".join(re.findall(r'(?:href|src)="([^"]*)"', html))
        assert html.count('role="img"') == pictures
        labels = re.findall(r'role="img" aria-label="([^"]*)"', html)
        assert all(len(label) > 30 for label in labels)
        ids = re.findall(r' id="([^"]*)"', html)
        assert len(ids) == len(set(ids))
        report(found, tmp_path / "study.md")
        assert "<script>" not in (tmp_path / "study.md").read_text("utf-8")


def test_a_study_of_priors_alone_has_no_curves(found: AssumptionSensitivity) -> None:
    table = found.table().drop(columns="correlation")
    alone = replace(found, axes=(), estimates=table[table["version"] != "held"])
    content = assumption_content(alone)
    assert [section.slug for section in content.sections] == ["versions", "values"]
    assert content.answer.sentence.startswith("No assumption was held at values; 1 other")


def test_a_folder_holds_tables_and_reports(found: AssumptionSensitivity, tmp_path: Path) -> None:
    write_assumptions(found, tmp_path)
    shown = {"figures", "tables"}
    assert {p.name for p in tmp_path.iterdir()} == {
        *(*ASSUMPTION_TABLES, *ASSUMPTION_REPORTS, *shown)
    }
    assert all(list((tmp_path / name).iterdir()) for name in shown)
    back = pd.read_csv(tmp_path / "tipping.csv", keep_default_na=False, na_values=[""])
    np.testing.assert_allclose(back["above"], found.tipping()["above"])
    (tmp_path / ASSUMPTION_STUDY).touch()
    assert checked_sensitivity_folder(tmp_path) == tmp_path.resolve()
