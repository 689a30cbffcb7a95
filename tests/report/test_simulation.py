"""The report of a simulated study says and draws the numbers of its table."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesmed.core.errors import BayesmedError, StorageError
from bayesmed.report.figures.simulation import layout, performance
from bayesmed.report.figures.simulation_estimates import sampling_distributions
from bayesmed.report.html import to_html
from bayesmed.report.markdown import to_markdown
from bayesmed.report.simulation import performance_table, simulation_content
from bayesmed.report.simulation_answer import simulation_answer
from bayesmed.report.simulation_folder import FILES, write_simulation
from bayesmed.studies.simulation import (
    FuDesign,
    ReardonDesign,
    Simulation,
    TrialDesign,
    design_analysis,
    design_grid,
    simulate,
)
from bayesmed.studies.simulation.design import label

TRIAL = TrialDesign(
    sites=8,
    persons=100,
    slope=0.8,
    mediator_effect_sd=0.5,
    direct_effect_sd=0.1,
    mediator_outcome_correlation=0.3,
)


@pytest.fixture(scope="module")
def table_1() -> Simulation:
    designs = design_grid(FuDesign(sites=5), {"sites": (5, 10, 30), "slope": (0, 2)})
    with ThreadPoolExecutor(1) as own:
        return simulate(
            designs, replicates=20, estimators=("OLS", "BCES", "SIMEX"), models={}, seed=1,
            executor=own,
        )  # fmt: skip


@pytest.fixture(scope="module")
def planned() -> Simulation:
    with ThreadPoolExecutor(1) as own:
        return design_analysis(
            TRIAL, sites=(6, 30), persons=(40, 400), replicates=12, seed=1, executor=own
        )


def test_the_table_has_a_row_for_every_design_and_estimator(table_1):
    found = performance_table(table_1)
    assert found.columns[:3] == ("Sites", "Slope", "Estimator")
    assert len(found.rows) == 18
    assert found.rows[1][:3] == ("5", "0", "BCES")
    row = table_1.table().iloc[1]
    assert found.rows[1][-1] == str(int(row["undefined"] + row["without_interval"]))
    assert found.rows[1][3].startswith(f"{row['bias']:.3g}"[:4])
    assert " ± " in found.rows[1][3]


def test_the_answer_counts_what_the_last_estimator_did(planned):
    said = simulation_answer(planned)
    table = planned.table()
    assert [row.middle for row in said.rows] == table["rejects"].tolist()
    assert said.rows[0].label == "Power: sites 6, persons 40"
    assert all(row.low <= row.middle <= row.high for row in said.rows)
    reached = table[table["rejects"] >= 0.8]
    assert not reached.empty
    least = reached.assign(n=reached["sites"] * reached["persons"]).sort_values("n").iloc[0]
    assert f"sites {least['sites']}, persons {least['persons']}." in said.sentence


def test_where_no_design_is_enough_the_answer_says_so(planned):
    weak = planned.replicates.assign(low=-1.0, high=1.0)
    said = simulation_answer(replace(planned, replicates=weak))
    assert "No design reaches a power of 0.8" in said.sentence


def test_undefined_estimates_wrong_signs_and_divergences_are_noted(table_1, planned):
    assert any("BCES has no interval" in n for n in simulation_answer(
        replace(table_1, replicates=table_1.replicates.assign(
            low=lambda t: t["low"].where(t["estimator"] != "BCES")))
    ).notes)  # fmt: skip
    wrong = planned.replicates.assign(low=-2.0, high=-1.0, divergences=3)
    notes = " ".join(simulation_answer(replace(planned, replicates=wrong)).notes)
    assert "wrong side" in notes
    assert "100% of the fits had divergent" in notes


def test_the_pictures_show_the_numbers_of_the_table(table_1):
    figure = performance(table_1)
    assert len(figure.axes) == 8
    table = table_1.table()
    for axes in figure.axes:
        slope = 2.0 if "slope 2" in axes.get_title("left") else 0.0
        metric = {
            "Bias": "bias",
            "Interval excludes 0": "rejects",
            "Interval covers the truth": "covers",
            "Median width of the interval": "median_width",
        }[axes.get_title("left").split(" (")[0]]
        shown = [np.asarray(c.lines[0].get_ydata()) for c in axes.containers]
        expected = [
            table[(table["slope"] == slope) & (table["estimator"] == name)][metric]
            for name in table_1.estimators
        ]
        for mine, theirs in zip(shown, expected, strict=True):
            np.testing.assert_allclose(mine, theirs[np.isfinite(theirs)])
    labels = figure.legends[0].get_texts()
    assert [t.get_text() for t in labels] == list(table_1.estimators)


def test_what_varies_decides_the_layout(table_1, planned):
    assert layout(table_1).facets == ("slope",)
    assert layout(planned).series == "persons"
    single = replace(table_1, designs=table_1.designs[:1])
    assert layout(single) is None
    mixed = replace(table_1, designs=(FuDesign(sites=5), ReardonDesign()))
    assert layout(mixed) is None
    slopes = simulation_content(single).sections[0].blocks
    assert [b.slug for b in slopes if b.kind == "picture"] == ["estimates"]


def test_histograms_hold_every_defined_estimate_in_their_window(table_1):
    figure = sampling_distributions(table_1)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title("left") for axes in panels][1] == "sites 5, slope 2"
    for axes, design in zip(panels, table_1.designs, strict=True):
        low, high = axes.get_xlim()
        assert low < design.truth < high
        posterior = table_1.replicates.query("estimator == 'SIMEX'")
        values = posterior.loc[posterior["design"] == label(design), "estimate"]
        heights, edges, _ = axes.patches[-1].get_data()
        counts = np.histogram(values, edges)[0]
        drawn = heights - 2
        np.testing.assert_allclose(drawn * counts.sum(), counts * drawn.sum(), atol=1e-9)
        assert drawn.max() <= 0.82 + 1e-9
    labels = [t.get_text() for t in panels[0].get_yticklabels()]
    assert labels == list(table_1.estimators)


def test_the_report_is_written_in_html_and_markdown(table_1):
    content = simulation_content(table_1, "A <b>study</b>")
    page, text = to_html(content), to_markdown(content)
    assert "<b>study</b>" not in page
    assert page.count("<svg") == 2
    assert "± 2 Monte Carlo errors" in page
    assert "± 2 Monte Carlo errors" in text
    assert "no bias" in text
    assert [s.slug for s in content.sections] == ["simulation", "designs", "origin"]


def test_the_folder_holds_what_is_needed_to_go_on(planned, tmp_path):
    written = write_simulation(planned, tmp_path / "study", title="Plan")
    assert {
        p.relative_to(written.directory).as_posix() for p in written.directory.rglob("*")
    } == set(FILES)
    back = pd.read_csv(written.directory / "table.csv")
    np.testing.assert_allclose(back["rejects"], planned.table()["rejects"])
    replicates = pd.read_parquet(written.directory / "replicates.parquet")
    pd.testing.assert_frame_equal(replicates, planned.replicates)
    run = json.loads((written.directory / "run.json").read_text())
    assert run["seed"] == 1
    assert run["designs"][0]["type"] == "TrialDesign"
    assert run["designs"][3]["persons"] == 400
    write_simulation(planned, tmp_path / "study")  # an earlier study is replaced


def test_nothing_is_written_over_other_files_or_of_nothing(planned, tmp_path: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(StorageError, match=r"thesis\.txt"):
        write_simulation(planned, tmp_path / "mine")
    failed = pd.DataFrame({"task": ["a"], "error": ["ValueError: no"]})
    nothing = replace(planned, replicates=planned.replicates.iloc[:0], failed=failed)
    with pytest.raises(BayesmedError, match="ValueError: no"):
        write_simulation(nothing, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_failed_tasks_come_first(planned):
    failed = pd.DataFrame({"task": ["a"], "error": ["ValueError: no"]})
    said = simulation_answer(replace(planned, failed=failed))
    assert "1 tasks failed" in said.first[0]
