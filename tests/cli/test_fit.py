"""``bayesmed fit``: files, exit codes, and what is left behind when something goes wrong."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bayesmed.cards import card_names
from bayesmed.inference import load_fit

if TYPE_CHECKING:
    from conftest import Run

FILES = {
    *("posterior.nc", "parameters.csv", "effects.csv", "checks.csv", "assumptions.csv", "run.json"),
    *("report.html", "report.md", "figures", "tables"),
}
ALONE = {"sites.csv", "study.toml"}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


def test_fit_writes_every_file_with_its_fixed_columns(start: Run, study: Path) -> None:
    done = start("fit", "study.toml", "--seed", "7")
    out = study.parent / "results" / "study"
    assert done.returncode == 0, done.stderr
    assert names(out) == FILES
    assert names(out.parent) == {"study"}
    rows = table(out / "parameters.csv")
    assert " ".join(rows[0]) == (
        "name mediator mean sd q2.5 q25 q50 q75 q97.5 ess_bulk ess_tail r_hat"
    )
    assert " ".join(table(out / "effects.csv")[0]) == (
        "effect site mediator mean sd q2.5 q50 q97.5 p_positive"
    )
    slope = next(row for row in rows if row["name"] == "slope")
    assert slope["mediator"] == "effort"
    # Least squares of tau_hat on gamma_hat gives 1.90; little noise here, so close to it.
    assert float(slope["mean"]) == pytest.approx(1.90, abs=0.15)


def test_fit_answers_on_standard_output_and_reports_progress_on_standard_error(
    run: Run, study: Path
) -> None:
    done = run("fit", study.name, "--out", "a")
    assert "turnout" in done.stdout
    assert "effort" in done.stdout
    assert str(Path("a") / "report.html") in done.stdout
    assert done.stderr.startswith("Reading the card")
    assert "\x1b" not in done.stdout + done.stderr


def test_run_json_says_how_the_result_was_made(run: Run, study: Path) -> None:
    run("fit", study.name, "--seed", "7", "--draws", "300", "--chains", "3", "--out", "a")
    made = json.loads((study.parent / "a" / "run.json").read_text())
    assert made["seed"] == 7
    assert made["sampler"]["draws"] == 300
    assert made["sampler"]["chains"] == 3
    assert made["sampler"]["engine"] == "exact"
    assert made["data"]["source"] == "sites.csv"
    assert len(made["data"]["sha256"]) == 64
    assert made["framing"]["title"] == "Turnout in five countries"
    assert made["converged"] is True
    assert {"bayesmed", "python", "pymc"} <= set(made["versions"])


def test_the_same_seed_gives_the_same_tables(run: Run, study: Path) -> None:
    for out in ("a", "b"):
        assert run("fit", study.name, "--seed", "7", "--out", out).returncode == 0
    for name in ("parameters.csv", "effects.csv", "checks.csv", "assumptions.csv"):
        assert (study.parent / "a" / name).read_text() == (study.parent / "b" / name).read_text()


def test_the_saved_fit_is_the_one_in_the_tables(run: Run, study: Path) -> None:
    run("fit", study.name, "--seed", "7", "--out", "a")
    fit = load_fit(study.parent / "a" / "posterior.nc")
    assert fit.seed == 7
    assert fit.data.site == ("Norway", "Ghana", "Peru", "Laos", "Malta")
    rows = table(study.parent / "a" / "effects.csv")
    found = next(r for r in rows if r["effect"] == "indirect_effect" and r["site"] == "Peru")
    draws = np.asarray(fit.tree["site_effects"]["indirect_effect"].sel(site="Peru"))
    assert float(found["mean"]) == pytest.approx(draws.mean(), rel=1e-9)


def test_nuts_gives_the_exact_answer_first(run: Run, study: Path) -> None:
    done = run(
        "fit", study.name, "--engine", "nuts", "--draws", "1000", "--seed", "1", "--out", "a"
    )
    assert done.returncode == 0, done.stderr
    assert "First answer: slope 1.9" in done.stderr
    assert done.stderr.index("First answer") < done.stderr.index("Sampling")


def test_sampling_that_did_not_converge_is_written_and_leaves_with_1(run: Run, study: Path) -> None:
    few = ("--engine", "nuts", "--draws", "5", "--tune", "5", "--chains", "2", "--seed", "1")
    done = run("fit", study.name, *few, "--out", "a")
    assert done.returncode == 1, done.stderr
    assert names(study.parent / "a") == FILES
    answer = done.stdout.strip()
    assert answer.startswith("The computation did not converge")
    assert json.loads((study.parent / "a" / "run.json").read_text())["converged"] is False
    rows = table(study.parent / "a" / "checks.csv")
    assert any(r["convergence"] == "True" and r["status"] == "failed" for r in rows)
    assert run("report", "a").returncode == 1


def test_data_that_cannot_answer_say_so_first(run: Run, study: Path) -> None:
    lines = ["country,gamma_hat,gamma_se,tau_hat,tau_se,cov"]
    lines += [f"c{i},{0.5 + 0.001 * i},0.5,{0.3 + 0.1 * (-1) ** i},0.2,0" for i in range(40)]
    (study.parent / "sites.csv").write_text("\n".join(lines) + "\n")
    done = run("fit", study.name, "--out", "a")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().startswith("These data cannot answer, because")


def test_the_data_option_wins_over_the_card(run: Run, study: Path) -> None:
    other = study.parent / "other.csv"
    (study.parent / "sites.csv").rename(other)
    assert run("fit", study.name, "--data", "other.csv", "--out", "a").returncode == 0
    assert (
        json.loads((study.parent / "a" / "run.json").read_text())["data"]["source"] == "other.csv"
    )


# They name no data.
TO_EDIT = {
    *("site_estimates", "multi_site_iv", "subgroups"),
    *("covariate_iv", "random_coefficients", "principal_strata"),
}


@pytest.mark.parametrize("name", sorted({*card_names()} - TO_EDIT))
def test_a_shipped_card_fits_by_its_name(run: Run, tmp_path: Path, name: str) -> None:
    done = run("fit", name, "--engine", "exact", "--draws", "200")
    assert done.returncode == 0, done.stderr
    assert names(tmp_path / "results" / name) == FILES


def test_the_new_card_works_as_it_is(run: Run, tmp_path: Path) -> None:
    (tmp_path / "my_study.toml").write_text(run("new", "site_slope").stdout)
    done = run("fit", "my_study.toml", "--engine", "exact")
    assert done.returncode == 0, done.stderr
    assert names(tmp_path / "results" / "my_study") == FILES


BAD = [
    (("fit", "absent.toml"), r"no model card absent.toml"),
    (("fit", "study.tml"), r"'study.toml'"),
    (("fit", "study.toml", "--data", "absent.csv"), r"no file absent.csv"),
    (("fit", "study.toml", "--data", "sites.cvs"), r"'sites.csv'"),
    (("fit", "study.toml", "--draws", "-1"), r"draws is -1"),
    (("fit", "study.toml", "--draws", "many"), r"'--draws'"),
    (("fit", "study.toml", "--seed", "-1"), r"seed -1"),
    (("fit", "study.toml", "--chains", "0"), r"chains is 0"),
    (("fit", "study.toml", "--engine", "gibbs"), r"'--engine'"),
    (("fit", "study.toml", "--ot", "a"), r"--out"),
    (("fit", "study.toml", "--out", "sites.csv"), r"sites.csv is a file"),
    (("fit", "study.toml", "--out", "."), r"folder you are in"),
    (("fit",), r"CARD"),
    (("fti",), r"'fit'"),
    (("new", "site_slop"), r"'site_slope'"),
    (("report", "."), r"no results of bayesmed"),
    (("report", "absent"), r"no results of bayesmed"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_input_is_one_message_and_nothing_written(
    run: Run, study: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    complaint = [line for line in done.stderr.splitlines() if line.startswith("bayesmed: ")]
    assert len(complaint) == 1, done.stderr
    assert message in complaint[0]
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert names(study.parent) == ALONE


def test_bad_data_name_row_and_column(run: Run, study: Path) -> None:
    text = (study.parent / "sites.csv").read_text().replace("0.55,0.03", "0.55,-0.03")
    (study.parent / "sites.csv").write_text(text)
    done = run("fit", study.name)
    assert done.returncode == 2
    assert "line 4" in done.stderr
    assert "gamma_se" in done.stderr
    assert names(study.parent) == ALONE


def test_escape_sequences_of_a_data_file_do_not_reach_the_terminal(run: Run, study: Path) -> None:
    text = (study.parent / "sites.csv").read_text().replace("0.55,", "\x1b[2J,")
    (study.parent / "sites.csv").write_text(text)
    done = run("fit", study.name)
    assert done.returncode == 2
    assert "\x1b" not in done.stderr


def test_an_earlier_result_is_replaced_and_anything_else_refused(run: Run, study: Path) -> None:
    assert run("fit", study.name, "--out", "a", "--seed", "1").returncode == 0
    assert run("fit", study.name, "--out", "a", "--seed", "2").returncode == 0
    out = study.parent / "a"
    assert json.loads((out / "run.json").read_text())["seed"] == 2
    (out / "notes.md").write_text("mine")
    refused = run("fit", study.name, "--out", "a", "--seed", "3")
    assert refused.returncode == 2
    assert "notes.md" in refused.stderr
    assert json.loads((out / "run.json").read_text())["seed"] == 2
    assert names(study.parent) == ALONE | {"a"}


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder, by its place in it."""
    files = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def test_a_failure_keeps_the_earlier_result(run: Run, study: Path) -> None:
    assert run("fit", study.name, "--out", "a", "--seed", "1").returncode == 0
    before = contents(study.parent / "a")
    assert "tables/effects.tex" in before
    assert run("fit", study.name, "--out", "a", "--data", "absent.csv").returncode == 2
    assert contents(study.parent / "a") == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_while_sampling_leaves_nothing(
    study: Path, number: signal.Signals, code: int
) -> None:
    command = [sys.executable, "-m", "bayesmed", "fit", study.name]
    process = subprocess.Popen(
        [*command, "--engine", "nuts", "--draws", "900000"],
        cwd=study.parent,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Sampling"):
            break
    time.sleep(0.5)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == code
    assert stdout == ""
    assert "Traceback" not in stderr
    assert names(study.parent) == ALONE


def test_report_writes_the_reports_once_more(run: Run, study: Path) -> None:
    run("fit", study.name, "--out", "a", "--seed", "1")
    out = study.parent / "a"
    before = (out / "report.md").read_text()
    for name in ("report.html", "report.md"):
        (out / name).unlink()
    done = run("report", "a")
    assert done.returncode == 0, done.stderr
    assert names(out) == FILES
    assert (out / "report.md").read_text() == before
    assert "report.html" in done.stdout


def test_a_region_is_answered_from_the_command_line(run: Run, study: Path) -> None:
    done = run("fit", study.name, "--out", "a", "--seed", "1", "--rope", "-0.5", "0.5")
    said = "lies in the region of practical equivalence, -0.5 to 0.5, is "
    assert said in done.stdout
    assert (study.parent / "a" / "figures" / "region.png").is_file()
    again = run("report", "a", "--rope", "0", "1")
    assert said.replace("-0.5 to 0.5", "0 to 1") in again.stdout
    assert "region of practical equivalence, 0 to 1" in (study.parent / "a/report.md").read_text()


def test_an_impossible_region_is_refused_before_the_work(run: Run, study: Path) -> None:
    done = run("fit", study.name, "--out", "a", "--rope", "1", "-1")
    assert done.returncode == 2
    assert "the lower one first" in done.stderr
    assert not (study.parent / "a").exists()


def test_a_region_of_an_unknown_effect_does_not_cost_the_fit(run: Run, study: Path) -> None:
    text = study.read_text()
    study.write_text(f'{text}\n[rope]\nlow = 0\nhigh = 1\neffect = "nothing"\n')
    done = run("fit", study.name, "--out", "a", "--seed", "1")
    assert done.returncode == 0, done.stderr
    assert "region of practical equivalence was left out. There is no effect" in done.stderr
    assert names(study.parent / "a") == FILES


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[1]", "not written by bayesmed"),
        ('{"format": "bayesmed results", "format_version": 99}', "format version 99"),
    ],
)
def test_report_refuses_what_it_does_not_know(
    run: Run, study: Path, text: str, message: str
) -> None:
    folder = study.parent / "a"
    folder.mkdir()
    (folder / "run.json").write_text(text)
    done = run("report", "a")
    assert done.returncode == 2
    assert message in done.stderr
    assert names(folder) == {"run.json"}
