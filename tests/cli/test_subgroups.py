"""``bayesmed subgroups``: from rows of one trial to a table of sites, a card and a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from bayesmed.cards import load_card
from bayesmed.data import PersonRows, RowColumns
from bayesmed.subgroups import CausalTree, CompliancePropensity, find_sites
from tests.subgroups.people import NAMES, trial

if TYPE_CHECKING:
    from conftest import Run

ROLES = ("-t", "t", "-m", "m", "-y", "y", "--by", "age", "--by", "region", "--by", "sex")
NAMED = tuple(word for name in NAMES for word in ("--categorical", name))
OUT = ("--seed", "3", "--out", "sites.csv")


@pytest.fixture
def persons(tmp_path: Path) -> str:
    """Return the name of a file of persons in the folder where commands run."""
    trial(n=2000).to_csv(tmp_path / "persons.csv", index=False)
    return "persons.csv"


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


@pytest.mark.parametrize(
    ("words", "how"),
    [
        (("--leaves", "4", "--least-in-leaf", "40"), CausalTree(4, 40, categorical=NAMES)),
        (
            ("--how", "compliance_propensity", "--groups", "3", "--folds", "4"),
            CompliancePropensity(3, 4, categorical=NAMES),
        ),
    ],
)
def test_the_table_is_that_of_find_sites(
    run: Run,
    persons: str,
    tmp_path: Path,
    words: tuple[str, ...],
    how: CausalTree | CompliancePropensity,
) -> None:
    done = run("subgroups", persons, *ROLES, *NAMED, *words, *OUT)
    assert done.returncode == 0, done.stderr
    columns = RowColumns("t", ("m",), "y", site=("age", "region", "sex"))
    found = find_sites(PersonRows.read(tmp_path / persons, columns), how, seed=3).estimates
    table = pd.read_csv(tmp_path / "sites.csv")
    assert table["site"].tolist() == list(found.site)
    np.testing.assert_allclose(table["gamma_hat"], found.mediator_effect[:, 0], rtol=1e-12)
    np.testing.assert_allclose(table["tau_se"], found.total_effect_se, rtol=1e-12)
    assert "seed 3" in done.stdout
    assert "Sites were found in the data" in done.stderr
    assert names(tmp_path) == {persons, "sites.csv"}


def test_card_and_report_say_where_sites_come_from(run: Run, persons: str, tmp_path: Path) -> None:
    files = ("--card", "study.toml", "--report", "found.html", "--missing", "missing.csv")
    done = run("subgroups", persons, *ROLES, *NAMED, *OUT, *files)
    assert done.returncode == 0, done.stderr
    wanted = {persons, "sites.csv", "study.toml", "found.html", "missing.csv"}
    assert names(tmp_path) == wanted
    data = load_card(tmp_path / "study.toml").load_data()
    assert data is not None
    assert "leaves of a causal tree" in data.derivation
    assert any("Sites were found in the data" in note for note in data.notes)
    assert "<svg" in (tmp_path / "found.html").read_text(encoding="utf-8")
    # A card that was edited is not written over, and nothing else is written then.
    card = tmp_path / "study.toml"
    card.write_text(card.read_text().split("\n", 1)[1])
    before = (tmp_path / "sites.csv").read_bytes()
    again = run("subgroups", persons, *ROLES, *NAMED, "--seed", "4", "--out", "sites.csv", *files)
    assert again.returncode == 2
    assert (tmp_path / "sites.csv").read_bytes() == before


def test_many_splits_are_fitted_and_reported(run: Run, persons: str, tmp_path: Path) -> None:
    words = ("--leaves", "4", "--splits", "3", "--workers", "1", "--report", "splits.md")
    done = run("subgroups", persons, *ROLES, *NAMED, *OUT, *words)
    assert done.returncode == 0, done.stderr
    said = (tmp_path / "splits.md").read_text(encoding="utf-8")
    assert "over 3 random splits" in said
    assert "over 3 random splits" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--how", "compliance_propensity", "--leaves", "3"),
            "--leaves is not for --how compliance_propensity",
        ),
        (("--groups", "3"), "--groups is not for --how causal_tree"),
        (("--leaves", "1"), "`leaves` is 1"),
        (("--splits", "3"), "--splits has nowhere to say"),
        (("--splits", "0", "--report", "s.html"), "--splits is 0"),
        (("--splits", "2", "--workers", "0", "--report", "s.html"), "--workers is 0"),
        (("--workers", "2"), "--workers is for --splits"),
        (("--report", "s.pdf"), "ends in '.pdf'"),
        (("--by", "nothing"), "nothing"),
        (("--how", "forest"), "forest"),
    ],
)
def test_what_cannot_be_done_writes_nothing(
    run: Run, persons: str, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    done = run("subgroups", persons, *ROLES, *NAMED, *OUT, *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert names(tmp_path) == {persons}
