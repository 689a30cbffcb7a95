"""``bayesmed simulate``: options, plans, what is printed and written, how it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

if TYPE_CHECKING:
    from conftest import Run

TRIAL = (
    *("--sites", "6,30", "--persons", "200", "--slope", "0.8", "--mediator-effect-sd", "0.4"),
    *("--direct-effect-sd", "0.1", "--mediator-outcome-correlation", "0.3"),
    *("--replicates", "6", "--seed", "1", "--workers", "1"),
)
FU = """
replicates = 4
estimators = ["OLS", "SIMEX"]
[design]
type = "fu"
sites = [5, 10]
"""


def test_a_trial_is_planned_by_options(run: Run) -> None:
    done = run("simulate", *TRIAL)
    assert done.returncode == 0, done.stderr
    assert "Running 2 tasks" in done.stderr
    assert "Power" not in done.stderr
    assert "power of 0.8" in done.stdout
    assert "Report: results/simulation/report.html" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    table = pd.read_csv("results/simulation/table.csv")
    assert table["sites"].tolist() == [6, 30]
    assert table["replicates"].tolist() == [6, 6]
    page = Path("results/simulation/report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2


def test_a_plan_is_read_overridden_and_gone_on_with(run: Run) -> None:
    Path("fu.toml").write_text(FU)
    arguments = ("simulate", "fu.toml", "--sites", "5", "--seed", "2", "--store", "fu.duckdb")
    done = run(*arguments, "--out", "first")
    assert done.returncode == 0, done.stderr
    again = run(*arguments, "--out", "second")
    assert "Running" not in again.stderr
    first, second = (Path(name, "table.csv").read_text() for name in ("first", "second"))
    assert first == second
    assert pd.read_csv("first/table.csv")["estimator"].tolist() == ["OLS", "SIMEX", "Posterior"]
    other = run(*arguments[:-4], "--seed", "3", "--store", "fu.duckdb", "--out", "third")
    assert other.returncode == 2
    assert "seed 2" in other.stderr
    assert not Path("third").exists()


def test_the_example_can_be_printed_and_run(run: Run) -> None:
    Path("plan.toml").write_text(run("new", "simulation").stdout)
    done = run("simulate", "plan.toml", "--sites", "10", "--persons", "50", "--replicates", "1",
               "--workers", "1")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "How many sites" in Path("results/plan/report.md").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "design.sites is missing"),
        (("--sites", "x"), "--sites holds 'x'"),
        ((*TRIAL, "--sites", "2"), "sites is 2"),
        ((*TRIAL, "--persons", "50.5"), "persons is 50.5. Give a whole number"),
        ((*TRIAL, "--replicates", "0"), "replicates"),
        ((*TRIAL, "--seed", "-1"), "seed"),
        ((*TRIAL, "--workers", "0"), "workers"),
        (("absent.toml",), "absent.toml"),
        ((*TRIAL, "--out", "."), "folder you are in"),
    ],
)
def test_bad_input_is_one_message_and_nothing_is_written(
    run: Run, words: tuple[str, ...], message: str
) -> None:
    done = run("simulate", *words)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(Path.cwd().iterdir())
