"""``bayesmed compare``: the table, the reasons, the picture, and hostile names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bayesmed.cards import load_card
from bayesmed.classical import bias_corrected_iv, cochran_q, random_effects_wls, wls
from bayesmed.core.numbers import number

if TYPE_CHECKING:
    from conftest import Run

ALONE = {"sites.csv", "study.toml"}


def row(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"{name} "))


def test_the_example_of_mechte_is_compared_in_a_moment(run: Run) -> None:
    done = run("compare", "mechte_example")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^Posterior +2\.98 +0\.238 +2\.51 to 3\.4", done.stdout, re.MULTILINE)
    assert "0.698" in row(done.stdout, "OLS")
    assert "not defined" in row(done.stdout, "BCES")
    assert re.search(r"\* OLS: Noise .* λ = 0\.2", done.stdout)
    assert "1.12 times the variance" in done.stdout
    assert "Strength of the sites as instruments:" in done.stdout
    assert re.search(r"^mediator +45.5 +0.022 +0$", done.stdout, re.MULTILINE)
    assert "degrees of freedom (p < 0.001)" in done.stdout
    assert "Sampling" not in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_the_same_card_gives_the_same_output(run: Run, study: Path) -> None:
    assert run("compare", study.name).stdout == run("compare", study.name).stdout


@pytest.mark.parametrize(("name", "start"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml")])
def test_a_picture_is_written_where_it_is_asked_for(
    run: Run, study: Path, name: str, start: bytes
) -> None:
    done = run("compare", study.name, "--out", name)
    assert done.returncode == 0, done.stderr
    assert (study.parent / name).read_bytes().startswith(start)
    assert f"Picture: {name}" in done.stdout
    assert {p.name for p in study.parent.iterdir()} == ALONE | {name}


def test_without_out_nothing_is_written(run: Run, study: Path) -> None:
    assert run("compare", study.name).returncode == 0
    assert {p.name for p in study.parent.iterdir()} == ALONE


def test_a_model_the_exact_engine_cannot_take_says_how_to_get_a_posterior(
    run: Run, study: Path
) -> None:
    study.write_text(
        study.read_text().replace('type = "site_slope"', 'type = "site_slope"\nslope = "random"')
    )
    done = run("compare", study.name)
    assert done.returncode == 0, done.stderr
    assert "Posterior " not in done.stdout
    assert "--fit" in done.stdout
    assert "BCES" in done.stdout


def test_a_model_without_direct_effects_has_lines_through_the_origin_beside_it(
    run: Run, study: Path
) -> None:
    card = study.read_text()
    study.write_text(card.replace('type = "site_slope"', 'type = "multi_site_iv"'))
    done = run("compare", study.name)
    assert done.returncode == 0, done.stderr
    data = load_card(study).load_data()
    for line in (wls(data, intercept=False), random_effects_wls(data, intercept=False)):
        assert number(float(line.slope[0])) in row(done.stdout, line.name).split()
    assert number(float(wls(data).slope[0])) not in row(done.stdout, "WLS").split()
    assert number(float(bias_corrected_iv(data).slope[0])) in row(done.stdout, "Bias-corrected IV")
    assert "spread of mediator effects about 0" in done.stdout
    q = cochran_q(data, wls(data, intercept=False))
    assert q.words in done.stdout


def test_fit_samples_and_a_failed_computation_leaves_with_1(run: Run, study: Path) -> None:
    card = study.read_text().replace('engine = "exact"', 'engine = "nuts"\ntune = 5')
    study.write_text(card.replace("draws = 200", "draws = 5"))
    done = run("compare", study.name, "--fit")
    assert done.returncode == 1, done.stderr
    assert "Sampling" in done.stderr
    assert "did not converge" in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--out", "a.pdf"), "'.pdf'"),
        (("--out", "absent/a.png"), "folder that exists"),
        (("--data", "absent.csv"), "no file absent.csv"),
        (("--ot", "a.png"), "--out"),
    ],
)
def test_bad_input_is_one_message(
    run: Run, study: Path, words: tuple[str, ...], message: str
) -> None:
    done = run("compare", study.name, *words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert {p.name for p in study.parent.iterdir()} == ALONE


def test_hostile_names_do_not_reach_the_terminal(run: Run, study: Path) -> None:
    rows = [f"s{i},{i / 40},0.02,{i / 20 + 0.02 * (-1) ** i},0.05,0" for i in range(12)]
    rows.append("\x1b[2J\u202e[red]x,5.0,0.02,-6.0,0.05,0")
    text = "country,gamma_hat,gamma_se,tau_hat,tau_se,cov\n" + "\n".join(rows) + "\n"
    (study.parent / "sites.csv").write_text(text, encoding="utf-8")
    card = study.read_text().replace('name = "effort"', 'name = "[bold]work[/red]"')
    study.write_text(card, encoding="utf-8")
    done = run("compare", study.name)
    assert done.returncode == 0, done.stderr
    assert "Rests on site" in done.stdout
    assert "[red]x" in done.stdout
    assert "[bold]work[/red]" in done.stdout
    for steering in ("\x1b", "\u202e"):
        assert steering not in done.stdout + done.stderr
