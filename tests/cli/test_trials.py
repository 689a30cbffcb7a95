"""Cards of one trial on the command line: fit, compare, and what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bayesmed.classical import binary_iv
from bayesmed.core.numbers import number
from bayesmed.effects import effects
from bayesmed.inference import load_fit

if TYPE_CHECKING:
    from conftest import Run

CARD = """title = "A lottery <of> visits"

[model]
type = "principal_strata"
saturated = true

[data.cells]
file = "cells.csv"
treatment = "drug"
reference = "placebo"
instrument = "lottery"
mediator = "visit"
outcome = "recovery"
events = "recovered"

[sampler]
draws = 300
tune = 400
chains = 2
seed = 3
"""
CELLS = """drug,lottery,visit,n,recovered
active,0,0,300,120
active,0,1,100,60
active,1,0,150,66
active,1,1,250,140
placebo,0,0,320,96
placebo,0,1,80,32
placebo,1,0,200,62
placebo,1,1,200,84
"""
PEOPLE = "t,m,y,age\n" + "".join(
    f"{i % 2},{i * i % 7 + i % 2},{i * i % 5 + i % 2},{20 + i % 9}\n" for i in range(40)
)
FILES = {
    *("posterior.nc", "parameters.csv", "effects.csv", "checks.csv", "assumptions.csv", "run.json"),
    *("report.html", "report.md", "figures", "tables"),
}


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    (tmp_path / "cells.csv").write_text(CELLS)
    (tmp_path / "study.toml").write_text(CARD)
    return tmp_path / "study.toml"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_fit_writes_every_file_and_says_the_answer(run: Run, trial: Path) -> None:
    """Compiles: about 10 seconds."""
    done = run("fit", "study.toml")
    assert done.returncode in (0, 1), done.stderr
    out = trial.parent / "results" / "study"
    assert {p.name for p in out.iterdir()} == FILES
    fit = load_fit(out / "posterior.nc")
    assert fit.data.names.arms == ("placebo", "active")
    ate = effects(fit).draws["ate"]
    assert f"drug changes recovery by {number(float(ate.mean()))}" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    rows = table(out / "effects.csv")
    assert " ".join(rows[0]) == "effect entry mean sd q2.5 q50 q97.5 p_positive"
    classical = binary_iv(fit.data).table().set_index(["quantity", "arm"])
    for name, column in (("ate", "mean"), ("nie_iv", "q50")):
        for row in (r for r in rows if r["effect"] == name):
            own = classical.loc[(name.removesuffix("_iv"), row["entry"])]
            assert float(row[column]) == pytest.approx(own["estimate"], abs=0.5 * own["se"])
    run_json = json.loads((out / "run.json").read_text())
    assert run_json["model"]["type"] == "principal_strata"
    assert run_json["data"]["source"] == "cells.csv"
    assert run_json["seed"] == 3
    codes = [row["code"] for row in table(out / "checks.csv")]
    assert codes[:2] == ["instrument_strength", "instrument_balance"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "A lottery &lt;of&gt; visits" in page
    again = run("report", str(out))
    assert again.returncode in (0, 1), again.stderr


def test_compare_needs_no_sampling(run: Run, trial: Path) -> None:
    done = run("compare", "study.toml", "--out", "picture.svg")
    assert done.returncode == 0, done.stderr
    found = binary_iv(load(trial))
    late = found.table().query("quantity == 'nie' and arm == 'active'").iloc[0]
    assert number(late["estimate"]) in done.stdout
    assert "Natural indirect effect as instrumental variables have it (by lottery)" in done.stdout
    assert "F of lottery, arm placebo" in done.stdout
    assert "No posterior: sample it with --fit." in done.stdout
    assert "Sampling" not in done.stderr
    assert (trial.parent / "picture.svg").read_bytes().startswith(b"<?xml")
    assert "_" not in done.stdout.replace("principal_strata", "")


def test_compare_with_a_fit_has_the_posterior_beside(run: Run, trial: Path) -> None:
    done = run("compare", "study.toml", "--fit")
    assert done.returncode in (0, 1), done.stderr
    lines = [line for line in done.stdout.splitlines() if "Average effect of drug" in line]
    assert [line.split()[0] for line in lines] == ["Posterior", "Instrument,"]


def load(card: Path) -> object:
    from bayesmed.cards import load_card

    return load_card(card).load_data()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("random_coefficients", "Ask what other priors do: give `priors`"),
        ("saturated", "Give a model that is not saturated"),
    ],
)
def test_sensitivity_refuses_trials_that_have_none(
    run: Run, trial: Path, kind: str, message: str
) -> None:
    if kind != "saturated":
        (trial.parent / "people.csv").write_text(PEOPLE)
        rows = '[data.rows]\nfile = "people.csv"\ntreatment = "t"\nmediators = ["m"]\n'
        trial.write_text(f'[model]\ntype = "{kind}"\n{rows}outcome = "y"\n')
    done = run("sensitivity", "study.toml")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (trial.parent / "results").exists()


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (("", ""), ("--data", "nowhere.csv"), "nowhere.csv"),
        (("", ""), ("--engine", "exact"), "exact"),
        (('"recovered"', '"recoverd"'), (), "'recovered'"),
        (('"placebo"', '"control"'), (), "no arm 'control'"),
        (("reference", "# reference"), (), "do not tell which arm"),
        (("saturated = true", 'outcome_likelihood = "mixture"'), (), "outcome of every person"),
        (("saturated = true", "heterogeneity = -1"), (), "heterogeneity is -1"),
        (
            ("[sampler]", "[study.prior_sensitivity]\n[sampler]"),
            (),
            "[study.prior_sensitivity] is for models",
        ),
        (("[model]", "[priors.type_share]\n[model]"), (), "priors.type_share"),
    ],
)
def test_bad_input_is_refused_and_nothing_written(
    run: Run, trial: Path, change: tuple[str, str], arguments: tuple[str, ...], message: str
) -> None:
    trial.write_text(CARD.replace(*change) if change[0] else CARD)
    # To compare takes no engine.
    for command in ("fit",) if "exact" in arguments else ("fit", "compare"):
        done = run(command, "study.toml", *arguments)
        assert done.returncode == 2, done.stdout + done.stderr
        assert message in done.stderr
        assert "Traceback" not in done.stderr
        assert {p.name for p in trial.parent.iterdir()} == {"cells.csv", "study.toml"}


@pytest.mark.parametrize(
    ("kind", "roles", "words"),
    [
        ("covariate_iv", 'covariates = ["age"]\n', "2SLS, covariates × treatment"),
        ("random_coefficients", "", "Wald ratio"),
    ],
)
def test_rows_of_persons_are_compared_too(
    run: Run, tmp_path: Path, kind: str, roles: str, words: str
) -> None:
    (tmp_path / "people.csv").write_text(PEOPLE)
    (tmp_path / "study.toml").write_text(
        f'[model]\ntype = "{kind}"\n[data.rows]\nfile = "people.csv"\ntreatment = "t"\n'
        f'mediators = ["m"]\noutcome = "y"\n{roles}'
    )
    done = run("compare", "study.toml")
    assert done.returncode == 0, done.stderr
    assert words in done.stdout
    assert "of m on y" in done.stdout


@pytest.mark.parametrize("kind", ["covariate_iv", "random_coefficients", "principal_strata"])
def test_a_new_card_is_one_to_edit(run: Run, tmp_path: Path, kind: str) -> None:
    (tmp_path / "study.toml").write_text(run("new", kind).stdout)
    done = run("fit", "study.toml")
    assert done.returncode == 2
    assert "names no data" in done.stderr
