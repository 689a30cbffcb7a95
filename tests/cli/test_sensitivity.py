"""``bayesmed sensitivity``: the answer, the folder, and going on after an interruption."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from bayesmed.report.sensitivity_files import (
    ASSUMPTION_REPORTS,
    ASSUMPTION_STUDY,
    ASSUMPTION_TABLES,
    REPORTS,
    STUDY,
    TABLES,
)

if TYPE_CHECKING:
    from conftest import Run

SHOWN = ("figures", "tables")

SECTION = """
[study.prior_sensitivity]
parameters = ["slope", "direct_effect_sd"]
factors = [0.5, 2]
[study.prior_sensitivity.alternatives.downhill]
slope = { distribution = "Normal", mu = -9, sigma = 0.1 }
"""

ASSUMPTIONS = """
[[study.assumptions.axes]]
name = "correlation"
values = [0.6, -0.6]
[study.assumptions.priors.downhill]
slope = { distribution = "Normal", mu = -9, sigma = 0.1 }
"""


@pytest.fixture
def card(study: Path) -> Path:
    study.write_text(study.read_text() + SECTION)
    return study


def test_the_answer_and_the_folder(run: Run, card: Path) -> None:
    done = run("sensitivity", card.name, "--seed", "1", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert "conclusion changes under" in done.stdout
    assert "of 5 other priors" in done.stdout
    assert "downhill" in done.stdout
    assert "negative" in done.stdout
    assert "Running 5 tasks" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    folder = card.parent / "results" / "study_sensitivity"
    assert f"Report: {folder / REPORTS[0]}" in done.stdout
    assert {path.name for path in folder.iterdir()} == {STUDY, *TABLES, *REPORTS, *SHOWN}
    table = pd.read_csv(folder / "estimates.csv")
    assert table["prior"].nunique() == 6
    # Once more: nothing is left to do, and the same comes out.
    before = {name: (folder / name).read_bytes() for name in TABLES}
    again = run("sensitivity", card.name, "--seed", "1")
    assert "Running" not in again.stderr
    assert again.stdout == done.stdout
    assert {name: (folder / name).read_bytes() for name in TABLES} == before


def test_without_a_section_all_priors_are_made_wider_and_narrower(run: Run, study: Path) -> None:
    done = run("sensitivity", study.name, "--out", "here", "--workers", "2")
    assert done.returncode == 0, done.stderr
    priors = pd.read_csv(study.parent / "here" / "priors.csv")
    assert priors["prior"].nunique() == 1 + 5 * 4
    # Without a seed of its own, the study goes on with the one it was begun with.
    again = run("sensitivity", study.name, "--out", "here")
    assert again.returncode == 0, again.stderr
    assert "Running" not in again.stderr


def test_assumptions_are_held_at_values(run: Run, card: Path) -> None:
    """Beside other priors where the card has both. The worker compiles: about 15 seconds."""
    text = card.read_text().replace("draws = 200", "draws = 1000\ntune = 1000")
    card.write_text(text + ASSUMPTIONS)
    done = run("sensitivity", card.name, "--seed", "1", "--workers", "1")
    assert done.returncode in (0, 1), done.stderr
    assert "was held at values from -0.6 to 0.6" in done.stdout
    assert "conclusion changes under" in done.stdout
    assert "Running 3 tasks" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    folder = card.parent / "results" / "study_sensitivity"
    ours = {ASSUMPTION_STUDY, *ASSUMPTION_TABLES, *ASSUMPTION_REPORTS}
    assert {path.name for path in folder.iterdir()} == {STUDY, *TABLES, *REPORTS, *SHOWN} | ours
    table = pd.read_csv(folder / "assumptions.csv").query("quantity == 'slope'")
    assert table["version"].tolist() == ["as fitted", "held", "held", "downhill"]
    assert sorted(table["correlation"]) == [-0.6, 0.0, 0.0, 0.6]
    by = table[table["version"] != "downhill"].sort_values("correlation")
    assert by["q50"].is_monotonic_decreasing
    # Alone, and once more: nothing is left to do, and the same comes out.
    before = {name: (folder / name).read_bytes() for name in ASSUMPTION_TABLES}
    again = run("sensitivity", card.name, "--assumptions")
    assert "Running" not in again.stderr
    assert "conclusion changes under" not in again.stdout
    assert again.stdout.strip() in done.stdout
    assert {name: (folder / name).read_bytes() for name in ASSUMPTION_TABLES} == before


def test_assumptions_that_a_card_cannot_have_leave_nothing(run: Run, study: Path) -> None:
    study.write_text(
        study.read_text().replace('"site_slope"', '"site_slope"\ndirect_effect = false')
    )
    done = run("sensitivity", study.name, "--assumptions")
    assert done.returncode == 2
    assert "Set direct_effect = true" in done.stderr
    assert not (study.parent / "results").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.toml"], "no model card"),
        (["study.toml", "--workers", "0"], "workers is 0"),
        (["study.toml", "--seed", "-1"], "out of range"),
        (["study.toml", "--out", "taken"], "'thesis.tex'"),
        (["study.toml", "--data", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_bad_input_is_refused_and_nothing_written(
    run: Run, card: Path, arguments: list[str], message: str
) -> None:
    (card.parent / "taken").mkdir()
    (card.parent / "taken" / "thesis.tex").touch()
    done = run("sensitivity", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    left = {p.name for p in card.parent.rglob("*") if p.is_file()}
    assert left - {STUDY} == {"sites.csv", "study.toml", "thesis.tex"}


def test_another_study_in_the_folder_is_refused(run: Run, card: Path) -> None:
    assert run("sensitivity", card.name, "--seed", "1").returncode == 0
    done = run("sensitivity", card.name, "--seed", "2")
    assert done.returncode == 2
    assert "seed 1, not 2" in done.stderr
    card.write_text(card.read_text().replace("mu = -9", "mu = -8"))
    done = run("sensitivity", card.name, "--seed", "1")
    assert done.returncode == 2
    assert "'downhill', but it is another one" in done.stderr


def test_interrupted_it_goes_on(run: Run, card: Path) -> None:
    factors = [round(0.31 + 0.02 * i, 2) for i in range(25)]
    card.write_text(card.read_text().replace("[0.5, 2]", str(factors)))
    command = [sys.executable, "-m", "bayesmed", "sensitivity", card.name, "--seed", "1"]
    log = card.parent / "results" / "study_sensitivity" / f"{STUDY}.wal"
    with subprocess.Popen(command, cwd=card.parent, stderr=subprocess.PIPE, text=True) as running:
        deadline = time.monotonic() + 100
        # Something has been kept.
        while not (log.exists() and log.stat().st_size):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
    assert "Traceback" not in said
    assert running.returncode == 130, said
    done = run("sensitivity", card.name, "--seed", "1", "--workers", "1")
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Running")]
    assert line.endswith(" of 51 ...")
    estimates = pd.read_csv(log.with_name("estimates.csv"))
    assert estimates.groupby("quantity")["prior"].nunique().eq(52).all()
    assert not estimates.duplicated(["prior", "quantity", "mediator"]).any()
