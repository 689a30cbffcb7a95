"""``bayesmed estimates``: from rows of persons to a table, a card, and a fit."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from bayesmed.cards import load_card
from bayesmed.cli import estimating
from bayesmed.data import (
    Estimation,
    PersonRows,
    RowColumns,
    SiteEstimates,
    load_dataset,
    reduce_rows,
    site_table,
)
from bayesmed.data.rows.engine import EngineError
from bayesmed.inference import load_fit

if TYPE_CHECKING:
    from conftest import Run

TABLES = Path(__file__).parents[1] / "data" / "tables"
ROLES = ("--treatment", "VOUCH0", "--mediator", "USNGSCH", "--outcome", "FINISH8", "--site", "site")
OUT = ("--out", "sites.csv")


@pytest.fixture
def rows(tmp_path: Path) -> str:
    """Return the name of a file of persons in the folder where commands run."""
    shutil.copy(TABLES / "colombia_vouchers_rows.csv", tmp_path / "rows.csv")
    return "rows.csv"


@pytest.fixture
def arms(tmp_path: Path) -> str:
    """Persons in three arms at six sites, two of them too small, some cells missing."""
    rng = np.random.default_rng(5)
    n = 600
    arm = rng.choice(["none", "letter", "call"], n)
    site = rng.choice(["Rome", "Lima", "Oslo", "Bern"], n)
    effort = rng.normal(size=n) + (arm != "none") * (1 + (site == "Lima"))
    frame = pd.DataFrame({"town": site, "arm": arm, "effort": effort})
    frame["hope"] = rng.normal(size=n) + (arm == "call") * (site == "Oslo")
    frame["votes"] = effort + rng.normal(size=n)
    frame["age"] = rng.integers(20, 60, n)
    frame.loc[rng.random(n) < 0.1, "votes"] = np.nan
    few = pd.DataFrame({"town": ["Faro", "Ulm"], "arm": ["call", "none"], "effort": 1.0})
    frame = pd.concat([frame, few.assign(hope=1.0, votes=1.0, age=30)])
    frame.to_csv(tmp_path / "arms.csv", index=False)
    return "arms.csv"


ARMS = ("-t", "arm", "--arm-reference", "none", "-m", "effort", "-y", "votes", "-s", "town")


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


def test_the_table_equals_the_one_that_ships(run: Run, rows: str, tmp_path: Path) -> None:
    done = run("estimates", rows, *ROLES, *OUT)
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(tmp_path / "sites.csv")
    assert list(found) == ["site", "n", "gamma_hat", "gamma_se", "tau_hat", "tau_se", "cov"]
    shipped = load_dataset("colombia_vouchers").query("mediator == 'USNGSCH'")
    shipped = shipped.query("outcome == 'FINISH8'")[list(found)].reset_index(drop=True)
    for column in list(found)[2:]:
        assert [f"{x:.6g}" for x in found[column]] == [f"{x:.6g}" for x in shipped[column]]
    assert found[["site", "n"]].equals(shipped[["site", "n"]])
    assert names(tmp_path) == {rows, "sites.csv"}


def test_what_is_printed(run: Run, rows: str) -> None:
    done = run("estimates", rows, *ROLES, *OUT)
    assert "1,618 rows of persons, 1,610 of them complete" in done.stdout
    assert "\n3 sites.\n" in done.stdout
    assert re.search(r"^0 +788 +782 +99.2% +USNGSCH 6, FINISH8 6", done.stdout, re.MULTILINE)
    assert re.search(r"^1 +830 +828 +99.8% +USNGSCH 2, FINISH8 2", done.stdout, re.MULTILINE)
    assert "Dropped" not in done.stdout
    assert done.stdout.endswith("Next: bayesmed fit site_estimates --data sites.csv\n")
    assert done.stderr.splitlines()[0] == "Opening the rows ..."
    assert "Scanning the rows ..." in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_a_real_process_says_nothing_else(start: Run, rows: str) -> None:
    done = start("estimates", rows, *ROLES, *OUT)
    assert done.returncode == 0
    phases = ["Opening the rows ...", "Scanning the rows ...", "Writing the estimates ..."]
    assert done.stderr.splitlines() == phases


def test_from_rows_to_a_posterior_by_every_way(run: Run, rows: str, tmp_path: Path) -> None:
    assert run("estimates", rows, *ROLES, *OUT, "--card", "study.toml").returncode == 0
    by_rows = """[model]
type = "site_slope"
[data.rows]
file = "rows.csv"
treatment = "VOUCH0"
mediators = ["USNGSCH"]
outcome = "FINISH8"
site = "site"
"""
    (tmp_path / "by_rows.toml").write_text(by_rows)
    exact = ("--engine", "exact", "--draws", "200", "--seed", "1")
    ways = {
        "study": ("study.toml",),
        "by_rows": ("by_rows.toml",),
        "site_estimates": ("site_estimates", "--data", "sites.csv"),
    }
    slopes = {}
    for way, words in ways.items():
        done = run("fit", *words, *exact, "--out", way)
        assert done.returncode == 0, done.stderr
        table = pd.read_csv(tmp_path / way / "parameters.csv").set_index("name")
        slopes[way] = float(table.loc["slope", "mean"])
        said = "Differences in means at each site" in (tmp_path / way / "report.html").read_text()
        assert said == (way != "site_estimates")
        assert ("Scanning" in done.stderr) == (way == "by_rows")
    assert slopes["study"] == pytest.approx(slopes["by_rows"], rel=1e-6)
    assert slopes["study"] == pytest.approx(slopes["site_estimates"], rel=1e-6)
    kept = load_fit(tmp_path / "by_rows" / "posterior.nc").data
    assert kept.derivation.startswith("From 1,618 rows")
    done = run("fit", "by_rows.toml", *exact, "--data", "absent.csv")
    assert done.returncode == 2
    assert "absent.csv" in done.stderr


def test_compare_takes_a_card_of_rows(run: Run, rows: str) -> None:
    assert run("estimates", rows, *ROLES, *OUT, "--card", "study.toml").returncode == 0
    done = run("compare", "study.toml")
    assert done.returncode == 0, done.stderr
    assert "OLS" in done.stdout


@pytest.mark.filterwarnings("ignore::bayesmed.data.DataWarning")
def test_arms_and_mediators_come_back_through_the_card(run: Run, arms: str, tmp_path: Path) -> None:
    more = ("-m", "hope", "--site-covariate", "age", "--label", "hope=good hope")
    done = run("estimates", arms, *ARMS, *more, "--out", "s.parquet", "--card", "study.toml")
    assert done.returncode == 0, done.stderr
    columns = RowColumns(
        "arm",
        ("effort", "hope"),
        "votes",
        site="town",
        reference="none",
        site_covariates=("age",),
        labels={"hope": "good hope"},
    )
    expected = SiteEstimates.from_rows(PersonRows.read(tmp_path / arms, columns))
    card = load_card(tmp_path / "study.toml")
    found = card.load_data()
    assert found.labels == expected.labels
    assert found.mediators == ("effort", "good hope")
    np.testing.assert_allclose(found.cov, expected.cov, rtol=1e-15)
    assert found.cross_cov.keys() == expected.cross_cov.keys()
    assert found.derivation == expected.derivation
    assert set(expected.notes) <= set(found.notes)
    card.model.check_data(found)
    assert "8 arms of 4 sites." in done.stdout
    assert done.stdout.endswith("Next: bayesmed fit study.toml\n")


def test_without_a_card_several_arms_are_told_how_to_get_one(run: Run, arms: str) -> None:
    assert "--card study.toml" in run("estimates", arms, *ARMS, *OUT).stdout


def test_what_is_dropped_is_named_and_kept_in_the_table_of_missing_cells(
    run: Run, arms: str, tmp_path: Path
) -> None:
    done = run("estimates", arms, *ARMS, *OUT, "--missing", "missing.csv")
    assert done.returncode == 0, done.stderr
    assert (
        "Dropped:\n* Faro (nobody in arm 'none')\n* Ulm (1 complete in arm 'none')" in done.stdout
    )
    assert "Note: Dropped" in done.stderr
    assert re.search(r"^letter +\d+ +\d+ +\d\d\.\d% +votes \d+$", done.stdout, re.MULTILINE)
    table = pd.read_csv(tmp_path / "missing.csv", keep_default_na=False)
    assert list(table)[:4] == ["site", "arm", "rows", "complete"]
    assert list(table)[-1] == "dropped"
    why = table.set_index(["site", "arm"])["dropped"]
    assert why["Faro", "call"] == "nobody in arm 'none'"
    assert why["Rome", "call"] == ""
    assert table["rows"].sum() == 602


def test_many_dropped_sites_are_counted(run: Run, tmp_path: Path) -> None:
    lines = ["site,t,m,y"]
    lines += [f"{s},{i % 2},{i * s % 5},{i * i % 7}" for s in (1, 2, 3) for i in range(12)]
    lines += [f"small {s},{i % 2},{i},1" for s in range(25) for i in range(3)]
    lines += [f"empty,{i % 2},,1" for i in range(9)]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    roles = ("-t", "t", "-m", "m", "-y", "y", "-s", "site")
    done = run("estimates", "rows.csv", *roles, *OUT)
    assert done.returncode == 0, done.stderr
    assert "* empty (no complete person)" in done.stdout
    assert "* and 16 more; --missing FILE.csv has all" in done.stdout
    done = run("estimates", "rows.csv", *roles, *OUT, "--missing", "m.csv")
    assert "* and 16 more; all in m.csv" in done.stdout
    done = run("estimates", "rows.csv", *roles, "--out", "b.csv", "--strict")
    assert done.returncode == 2
    assert "empty" in done.stderr
    assert not (tmp_path / "b.csv").exists()


def test_strata_of_site_columns_are_named_alike_everywhere(
    run: Run, arms: str, tmp_path: Path
) -> None:
    more = ("-s", "age", "--quantiles", "age=2", "--least-per-arm", "22", "--missing", "m.csv")
    done = run("estimates", arms, *ARMS, *more, *OUT)
    assert done.returncode == 0, done.stderr
    missing = pd.read_csv(tmp_path / "m.csv", keep_default_na=False)
    sites = pd.read_csv(tmp_path / "sites.csv")
    assert set(sites["site"]) <= set(missing["site"])
    assert any(re.fullmatch(r"town=Rome, age < [\d.]+", s) for s in missing["site"])
    used = set(zip(sites["site"], sites["arm"], strict=True))
    for row in missing.query("arm != 'none'").to_dict("records"):
        assert ((row["site"], row["arm"]) in used) == (row["dropped"] == "")


OPTIONS = [
    (("--covariance", "HC2"), {}, {"covariance": "HC2"}),
    (("--covariate", "AGE", "--covariate", "SEX"), {"covariates": ("AGE", "SEX")}, {}),
    (("--fixed-effect", "SEX"), {"fixed_effect": "SEX"}, {}),
    (("--cluster", "ID"), {"cluster": "ID"}, {}),
    (("--weights", "AGE"), {"weights": "AGE"}, {}),
    (("--site-covariate", "AGE"), {"site_covariates": ("AGE",)}, {}),
    (
        ("--log-odds", "FINISH8", "--half-counts"),
        {"log_odds": ("FINISH8",)},
        {"half_counts": True},
    ),
    (("--where", "SEX=1"), {"where": {"SEX": "1"}}, {}),
    (("--instrument", "SEX"), {"instrument": "SEX"}, {}),
    (("--continuous", "--strict"), {"continuous": True}, {"strict": True}),
    (("-t", "SEX", "--continuous"), {"treatment": ("VOUCH0", "SEX"), "continuous": True}, {}),
    (("--reference", "1", "--arm", "0"), {"reference": "1", "arms": ("0",)}, {}),
    (("-m", "PRSCH_C"), {"mediators": ("USNGSCH", "PRSCH_C")}, {}),
    (("--least-per-arm", "100"), {}, {"least_per_arm": 100}),
    (
        ("-s", "AGE", "--cut", "AGE=13,15.5", "--constant-outcome", "known"),
        {"site": ("site", "AGE"), "cuts": {"AGE": (13, 15.5)}},
        {"constant_outcome": "known"},
    ),
    (
        ("-s", "AGE", "--quantiles", "AGE=2"),
        {"site": ("site", "AGE"), "quantiles": {"AGE": 2}},
        {},
    ),
]


@pytest.mark.parametrize(("words", "columns", "how"), OPTIONS)
@pytest.mark.filterwarnings("ignore::bayesmed.data.DataWarning")
def test_every_option_reaches_the_estimates(
    run: Run,
    rows: str,
    tmp_path: Path,
    words: tuple[str, ...],
    columns: dict[str, Any],
    how: dict[str, Any],
) -> None:
    done = run("estimates", rows, *ROLES, *words, *OUT)
    assert done.returncode == 0, done.stderr
    roles = {"treatment": "VOUCH0", "mediators": ("USNGSCH",), "outcome": "FINISH8", "site": "site"}
    persons = PersonRows.read(tmp_path / rows, RowColumns(**(roles | columns)))
    expected = site_table(reduce_rows(persons, Estimation(**how)).estimates)
    found = pd.read_csv(tmp_path / "sites.csv", dtype={"arm": str})
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12, check_dtype=False)


@pytest.mark.parametrize(
    "name", ["two words.csv", "Bogotá ☃.csv", "a[1]*?.csv", "-dash.csv", "it's.csv"]
)
def test_names_of_files_are_only_names(run: Run, rows: str, tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    shutil.copy(tmp_path / rows, tmp_path / "in" / name)
    (tmp_path / "in" / "a1xy.csv").write_text("not,for,us\n")
    out, card = tmp_path / name, tmp_path / f"{name}.toml"
    found = ("--out", str(out), "--card", str(card))
    done = run("estimates", *ROLES, *found, "--", str(tmp_path / "in" / name))
    assert done.returncode == 0, done.stderr
    assert load_card(card).load_data().n_rows == 3
    done = run("estimates", *ROLES, *OUT, "--", str(Path("in") / name))
    assert done.returncode == 0, done.stderr


def test_a_folder_and_several_files_are_one(run: Run, rows: str, tmp_path: Path) -> None:
    lines = (tmp_path / rows).read_text().splitlines(keepends=True)
    (tmp_path / "in").mkdir()
    for i, part in enumerate((lines[1:800], lines[800:])):
        (tmp_path / "in" / f"{i}.csv").write_text("".join([lines[0], *part]))
    assert run("estimates", rows, *ROLES, *OUT).returncode == 0
    assert run("estimates", "in", *ROLES, "--out", "a.csv").returncode == 0
    files = (str(Path("in") / "0.csv"), str(Path("in") / "1.csv"))
    assert run("estimates", *files, *ROLES, "--out", "b.csv").returncode == 0
    whole = pd.read_csv(tmp_path / "sites.csv")
    for name in ("a.csv", "b.csv"):
        pd.testing.assert_frame_equal(pd.read_csv(tmp_path / name), whole, rtol=1e-12)


BAD = [
    (("rows.csv", *ROLES[:-1], "city", *OUT), "no column 'city'"),
    (("rows.csv", *ROLES[2:], *OUT), "--treatment"),
    (("rows.csv", *ROLES), "--out"),
    ((*ROLES, *OUT), "ROWS"),
    (("absent.csv", *ROLES, *OUT), "no file absent.csv"),
    (("rows.csv", *ROLES, "--out", "sites.xlsx"), "'.xlsx'"),
    (("rows.csv", *ROLES, "--out", "sites"), "''"),
    (("rows.csv", *ROLES, "--out", "absent/sites.csv"), "folder that exists"),
    (("rows.csv", *ROLES, "--out", "rows.csv"), "files that are read"),
    (("rows.csv", *ROLES, "--out", "./x/../rows.csv"), "files that are read"),
    ((".", *ROLES, *OUT), "lies in their folder"),
    (("rows.csv", *ROLES, *OUT, "--missing", "sites.csv"), "same file"),
    (("rows.csv", *ROLES, *OUT, "--missing", "m.parquet"), "--missing"),
    (("rows.csv", *ROLES, *OUT, "--card", "study.json"), "--card"),
    (("rows.csv", *ROLES, *OUT, "--cut", "site"), "--cut 'site'"),
    (("rows.csv", *ROLES, *OUT, "--cut", "site=a,b"), "'a' is not a number"),
    (("rows.csv", *ROLES, *OUT, "--quantiles", "site=2.5"), "whole number"),
    (("rows.csv", *ROLES, *OUT, "--where", "=1"), "--where '=1'"),
    (("rows.csv", *ROLES, *OUT, "--where", "SEX=1", "--where", "SEX=0"), "'SEX' twice"),
    (("rows.csv", *ROLES, *OUT, "--where", "SEX=7"), "no row"),
    (("rows.csv", *ROLES, *OUT, "--covariance", "HC3"), "HC3"),
    (("rows.csv", *ROLES, *OUT, "--least-per-arm", "1"), "At least 1"),
    (("rows.csv", *ROLES, *OUT, "--constant-outcome", "keep"), "'keep'"),
    (("rows.csv", *ROLES, *OUT, "--reference", "2"), "no arm '2'"),
    (("rows.csv", *ROLES, *OUT, "--label", "SEX=x"), "`labels` names 'SEX'"),
    (("rows.csv", *ROLES, *OUT, "--site-covariate", "cov"), "no column 'cov'"),
    (("rows.csv", *ROLES, *OUT, "--clutser", "area"), "--cluster"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_input_is_one_message_and_nothing_written(
    run: Run, rows: str, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "x").mkdir()
    done = run("estimates", *arguments)
    assert done.returncode == 2, done.stderr
    complaint = [line for line in done.stderr.splitlines() if line.startswith("bayesmed: ")]
    assert len(complaint) == 1, done.stderr
    assert message in complaint[0]
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert names(tmp_path) == {rows, "x"}


def test_what_is_there_stays_when_the_rows_are_refused(run: Run, rows: str, tmp_path: Path) -> None:
    files = (*OUT, "--card", "study.toml", "--missing", "m.csv")
    assert run("estimates", rows, *ROLES, *files).returncode == 0
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    # A covariate that would take the name of another column is known only when rows are reduced.
    text = (tmp_path / rows).read_text().replace("AGE", "cov", 1)
    (tmp_path / rows).write_text(text)
    before[rows] = text.encode()
    done = run("estimates", rows, *ROLES, *files, "--site-covariate", "cov")
    assert done.returncode == 2
    assert "'cov'" in done.stderr
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    assert run("estimates", rows, *ROLES, *files, "--where", "SEX=1").returncode == 0
    assert {p.name for p in tmp_path.iterdir()} == set(before)
    assert (tmp_path / "sites.csv").read_bytes() != before["sites.csv"]


def test_a_card_that_was_kept_by_hand_is_not_replaced(run: Run, rows: str, tmp_path: Path) -> None:
    card = tmp_path / "study.toml"
    words = ("estimates", rows, *ROLES, *OUT, "--card", "study.toml")
    assert run(*words).returncode == 0
    assert run(*words).returncode == 0
    kept = card.read_text().split("\n", 1)[1]
    card.write_text(kept)
    (tmp_path / "sites.csv").unlink()
    done = run(*words)
    assert done.returncode == 2
    assert "kept by hand" in done.stderr
    assert card.read_text() == kept
    assert names(tmp_path) == {rows, "study.toml"}


def test_a_card_in_another_folder_finds_the_table(run: Run, rows: str, tmp_path: Path) -> None:
    (tmp_path / "cards").mkdir()
    (tmp_path / "my data").mkdir()
    out = ("--out", "my data/sites.csv", "--card", "cards/my study.toml")
    done = run("estimates", rows, *ROLES, *out)
    assert done.stdout.endswith("Next: bayesmed fit 'cards/my study.toml'\n")
    card = load_card(tmp_path / "cards" / "my study.toml")
    assert card.load_data().n_rows == 3
    assert "../my data/sites.csv" in card.path.read_text()


def test_an_engine_that_fails_leaves_with_3(
    run: Run, rows: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise EngineError("The engine has not enough memory for the scan.")

    monkeypatch.setattr(estimating, "reduce_rows", fail)
    done = run("estimates", rows, *ROLES, *OUT)
    assert done.returncode == 3
    assert "not enough memory" in done.stderr
    assert names(tmp_path) == {rows}


def test_a_disk_that_is_full_leaves_nothing(
    run: Run, rows: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(estimating, "write_site_table", fail)
    done = run("estimates", rows, *ROLES, *OUT)
    assert done.returncode == 2
    assert "No space left" in done.stderr
    assert names(tmp_path) == {rows}


def test_hostile_names_do_not_reach_the_terminal(run: Run, tmp_path: Path) -> None:
    site = "\x1b[2J\u202e[red]x"
    lines = ["site,arm,m [bold],y"]
    for k, s in enumerate((site, "=1+1", "@b", "-c", "gone\x1b[1m")):
        for i in range(3 if k == 4 else 12):
            cells = (s, ("a", "b[i]")[i % 2], i * i % 7 + k * (i % 2), i * i * (k + 2) % 11)
            lines += [",".join(map(str, cells))]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    roles = ("-t", "arm", "--reference", "a", "-m", "m [bold]", "-y", "y", "-s", "site")
    done = run("estimates", "rows.csv", *roles, *OUT, "--card", "study.toml")
    assert done.returncode == 0, done.stderr
    assert "b[i]" in done.stdout
    assert "gone?[1m" in done.stdout
    for steering in ("\x1b", "\u202e"):
        assert steering not in done.stdout + done.stderr
    # In files, names are data and stay as they are.
    found = load_card(tmp_path / "study.toml").load_data()
    assert set(found.site) == {site, "=1+1", "@b", "-c"}
    assert pd.read_csv(tmp_path / "sites.csv")["site"].tolist() == list(found.site)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_leaves_nothing(
    rows: str, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    program = (
        "import sys, time, bayesmed.cli.estimating as e\n"
        "from bayesmed.cli import main\n"
        "e.write_site_table = lambda *_: (print('here', flush=True), time.sleep(60))\n"
        f"main({['estimates', rows, *ROLES, *OUT]!r})\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    time.sleep(0.2)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in stderr
    assert names(tmp_path) == {rows}
