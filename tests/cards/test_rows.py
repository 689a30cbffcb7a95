"""Cards that name rows of persons, and cards that are written for tables of sites."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from numpy.testing import assert_allclose

from bayesmed.cards import CardData, RowsData, card_text, find_card, load_card, new_card
from bayesmed.cards.subgroups import Subgroups
from bayesmed.core.errors import CardError, DataError
from bayesmed.data import (
    ArmCovariance,
    Estimation,
    MediatorColumns,
    MediatorCovariance,
    PersonRows,
    RowColumns,
    SiteColumns,
    SiteEstimates,
)
from bayesmed.subgroups import CausalTree, CompliancePropensity, find_sites
from tests.subgroups.people import trial

MODEL = '[model]\ntype = "site_slope"\n'
ROWS = """[data.rows]
file = "persons.csv"
treatment = "t"
mediators = ["m"]
outcome = "y"
site = "town"
"""
MINIMAL = MODEL + ROWS

PERSONS = "town,t,m,y,age\n" + "".join(
    f"{town},{i % 2},{i * i % 7 + 3 * (i % 2) * k},{i * i % 5 + 2 * (i % 2) * k},{20 + i + k}\n"
    for k, town in enumerate(("Rome", "Lima", "Oslo"))
    for i in range(12)
)

FULL = """
[model]
type = "site_slope"
covariates = ["age"]

[data.rows]
file = ["a.csv", "b.csv"]
treatment = "t"
mediators = ["m1", "m2"]
outcome = "y"
site = ["town", "age"]
reference = 0
arms = ["letter", 2]
instrument = "z"
cluster = "c"
weights = "w"
site_covariates = ["age"]
cuts = { age = [30, 50.5] }
quantiles = { town = 4 }
labels = { m1 = "grit" }
where = { year = 2010, kind = "a" }
covariance = "HC1"
least_per_arm = 5
constant_outcome = "known"
strict = true
"""


def write(folder: Path, text: str, name: str = "study.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_every_key_arrives_where_it_belongs(tmp_path: Path) -> None:
    data = load_card(write(tmp_path, FULL)).data
    assert data.columns is None
    assert data.rows == RowsData(
        columns=RowColumns(
            treatment="t",
            mediators=("m1", "m2"),
            outcome="y",
            site=("town", "age"),
            reference="0",
            arms=("letter", "2"),
            instrument="z",
            cluster="c",
            weights="w",
            site_covariates=("age",),
            cuts={"age": (30, 50.5)},
            quantiles={"town": 4},
            labels={"m1": "grit"},
            where={"year": "2010", "kind": "a"},
        ),
        how=Estimation(least_per_arm=5, constant_outcome="known", strict=True),
        files=(tmp_path / "a.csv", tmp_path / "b.csv"),
    )
    assert data.covariates == ("age",)


def test_other_choices_arrive_as_well(tmp_path: Path) -> None:
    more = 'log_odds = ["y"]\nhalf_counts = true\ncovariance = "HC2"\n'
    rows = load_card(write(tmp_path, MINIMAL + more)).data.rows
    assert rows is not None
    assert rows.columns.log_odds == ("y",)
    assert rows.how == Estimation(covariance="HC2", half_counts=True)
    more = 'continuous = true\ncovariates = ["age"]\nfixed_effect = "block"\n'
    rows = load_card(write(tmp_path, MINIMAL + more)).data.rows
    assert rows is not None
    assert (rows.columns.continuous, rows.columns.covariates) == (True, ("age",))
    assert rows.columns.fixed_effect == "block"


def test_what_is_left_out_has_the_documented_default(tmp_path: Path) -> None:
    rows = load_card(write(tmp_path, MINIMAL)).data.rows
    assert rows == RowsData(
        RowColumns("t", ("m",), "y", site="town"), Estimation(), (tmp_path / "persons.csv",)
    )


class Spoken:
    """Progress that remembers what was said."""

    def __init__(self) -> None:
        self.phases: list[str] = []

    def phase(self, text: str) -> None:
        self.phases.append(text)

    def advance(self, done: float, detail: str = "") -> None:
        pass


def test_rows_are_reduced_when_the_data_are_loaded(tmp_path: Path) -> None:
    csv = write(tmp_path, PERSONS, "persons.csv")
    spoken = Spoken()
    data = load_card(write(tmp_path, MINIMAL)).load_data(progress=spoken)
    columns = RowColumns("t", ("m",), "y", site="town")
    expected = SiteEstimates.from_rows(PersonRows.read(csv, columns))
    assert data.fingerprint == expected.fingerprint
    assert data.derivation == expected.derivation != ""
    assert any("Scanning" in phase for phase in spoken.phases)


def test_a_file_or_folder_given_by_hand_wins(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    lines = PERSONS.splitlines(keepends=True)
    write(tmp_path / "more", "".join(lines[:20]), "a.csv")
    write(tmp_path / "more", lines[0] + "".join(lines[20:]), "b.csv")
    other = write(tmp_path, PERSONS, "other.csv")
    card = load_card(write(tmp_path, MINIMAL))
    pieces, whole = card.load_data(tmp_path / "more"), card.load_data(other)
    assert pieces.site == whole.site
    # Sums depend on the order of rows in their last digits.
    assert_allclose(pieces.cov, whole.cov, rtol=1e-12)


def test_a_card_without_rows_says_so_only_when_they_are_needed(tmp_path: Path) -> None:
    card = load_card(write(tmp_path, MINIMAL.replace('file = "persons.csv"\n', "")))
    with pytest.raises(CardError, match=r"names no data.*\[data\.rows\].*--data"):
        card.load_data()
    with pytest.raises(DataError, match=r"persons\.csv"):
        load_card(write(tmp_path, MINIMAL)).load_data()


BAD = [
    (MODEL + "[data]\nsite = 'town'\n" + ROWS, r"data\.site is for tables.*Take site or \[data\.r"),
    (MODEL + "[data]\nfile = 'a.csv'\n" + ROWS, r"data\.file is for tables"),
    (MODEL + ROWS + "[[data.mediators]]\nname = 'm'\n", r"data\.mediators is for tables"),
    (MODEL + "[data]\nwheer = 'town'\n" + ROWS, r"'data\.wheer' is not known.*'where'"),
    (MODEL + "[data]\nrows = 'a.csv'\n", r"data\.rows is 'a\.csv'.*section"),
    (MODEL + "[data]\nrow = 'a.csv'\n", r"'data\.row' is not known.*'rows'"),
    (MINIMAL + "clusters = 'c'\n", r"'data\.rows\.clusters' is not known.*'cluster'"),
    (MINIMAL.replace("treatment", "cluster"), r"data\.rows\.treatment is missing"),
    (MINIMAL.replace("mediators", "arms"), r"data\.rows\.mediators is missing.*\[\"…\"\]"),
    (MINIMAL.replace("outcome", "cluster"), r"data\.rows\.outcome is missing"),
    (MINIMAL.replace("site =", "cluster ="), r"data\.rows\.site is missing"),
    (MINIMAL.replace('["m"]', '"m"'), r"data\.rows\.mediators is 'm'.*list"),
    (MINIMAL.replace('["m"]', "[]"), r"\[data\.rows\]: No column is named as mediators"),
    (MINIMAL.replace('"town"', "3"), r"data\.rows\.site is 3.*list of texts"),
    (MINIMAL.replace('"town"', '["town", 3]'), r"data\.rows\.site is .*list of texts"),
    (MINIMAL.replace('"town"', '"y"'), r"\[data\.rows\]: Column 'y' is given two roles"),
    (MINIMAL + "reference = true\n", r"data\.rows\.reference is true.*quotes"),
    (MINIMAL + "arms = 'letter'\n", r"data\.rows\.arms is 'letter'.*list"),
    (MINIMAL + "arms = [1.5]\n", r"data\.rows\.arms\[0\] is 1\.5"),
    (MINIMAL + "continuous = 'yes'\n", r"continuous is 'yes'.*true or false"),
    (MINIMAL + "cuts = [30]\n", r"data\.rows\.cuts is .*cuts = \{"),
    (MINIMAL + "cuts = { town = 30 }\n", r"data\.rows\.cuts\.town is 30.*list"),
    (MINIMAL + "cuts = { town = [nan] }\n", r"data\.rows\.cuts\.town is .*finite"),
    (MINIMAL + "cuts = { age = [30] }\n", r"`cuts` names 'age'.*'town'"),
    (MINIMAL + "quantiles = { town = 1 }\n", r"quantiles\.town is 1.*from 2"),
    (MINIMAL + "labels = { mm = 'x' }\n", r"`labels` names 'mm'.*'m'"),
    (MINIMAL + "where = 'year'\n", r"data\.rows\.where is 'year'"),
    (MINIMAL + "where = { year = 1.5 }\n", r"data\.rows\.where\.year is 1\.5.*quotes"),
    (MINIMAL + "covariance = 'HC3'\n", r"\[data\.rows\]: 'HC3' is no covariance"),
    (MINIMAL + "covariance = 'HC2'\ncluster = 'c'\n", r"\[data\.rows\]: HC2 is for"),
    (MINIMAL + "least_per_arm = 1\n", r"least_per_arm is 1"),
    (MINIMAL + "constant_outcome = 'keep'\n", r"\[data\.rows\]: `constant_outcome` is 'keep'"),
    (MINIMAL + "file = 'again.csv'\n", r"not valid TOML"),
    (MINIMAL.replace('"persons.csv"', '["a.csv", ""]'), r"data\.rows\.file"),
    (
        MODEL + 'covariates = ["ag"]\n' + ROWS + 'site_covariates = ["age"]\n',
        r"model\.covariates names 'ag'.*site covariate of \[data\.rows\].*'age'",
    ),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_bad_rows_are_refused_with_their_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CardError, match=f"study.toml.*{message}"):
        load_card(write(tmp_path, text))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {
            "columns": SiteColumns((MediatorColumns("m", "g", se="s"),), "t", total_effect_se="u"),
            "rows": RowsData(RowColumns("t", ("m",), "y", site="s"), Estimation()),
        },
    ],
)
def test_data_are_either_a_table_or_rows(fields: dict[str, object]) -> None:
    with pytest.raises(CardError, match="either"):
        CardData(**fields)  # type: ignore[arg-type]


def test_the_rows_of_the_card_to_edit_work_when_switched_on(tmp_path: Path) -> None:
    text = new_card("site_slope")
    data = text[text.index("\n[data]\n") : text.index("# Priors.")]
    off = re.findall(
        r"^# (\[data\.rows\]|[a-z]+ = .*)$", data[data.index("# Rows of") :], re.MULTILINE
    )
    assert len(off) == 6
    write(tmp_path, text.replace(data, "\n" + "\n".join(off) + "\n"))
    rows = load_card(tmp_path / "study.toml").data.rows
    assert rows is not None
    assert rows.columns.mediators == ("scholarship",)


SITES = SiteColumns(
    mediators=(
        MediatorColumns('the "grit"\\', "g = 1", se="s#", cov="c'"),
        MediatorColumns("]", "h", interval=("low", "high"), corr="r"),
    ),
    total_effect="τ",
    total_effect_interval=("a", "b"),
    site="site",
    arm="arm",
    block="block",
    weight="w",
    n="n",
    covariates=("x", "[y]"),
    covariances=(MediatorCovariance("]", 'the "grit"\\', cov="gh"),),
    arm_covariances=(ArmCovariance("call", (("1", "2", "3"), ("4", "5", "6"), ("7", "8", "9"))),),
    outcome="sc.ore\u2019s 😀",
    outcome_scale="log odds ratio",
    where={"a b": "c = d", "é": "="},
)


def test_a_written_card_names_the_same_columns(tmp_path: Path) -> None:
    text = card_text(
        SITES,
        "my sites [1]*.csv",
        derivation='From "rows"\n\x1b[2J.',
        notes=["one\ttwo", "x" * 9999],
    )
    data = load_card(write(tmp_path, text)).data
    assert data.columns == SITES
    assert data.file == tmp_path / "my sites [1]*.csv"
    assert data.derivation == 'From "rows" ?[2J.'
    assert data.notes[0] == "one two"
    assert len(data.notes[1]) == 4000


@pytest.mark.parametrize("name", ["two\nlines", "del\x7f", "esc\x1b", "\u202eright", "\ud800"])
def test_names_that_no_card_can_hold_are_refused(tmp_path: Path, name: str) -> None:
    columns = SiteColumns((MediatorColumns(name, "g", se="s"),), "t", total_effect_se="u")
    with pytest.raises(CardError):
        load_card(write(tmp_path, card_text(columns, "sites.csv")))


def test_derivation_and_notes_are_of_the_tables_own(tmp_path: Path) -> None:
    table = "site,g,s,t,u\nA,0.1,0.1,0.3,0.1\nB,0.4,0.1,0.6,0.1\nC,0.9,0.1,1,0.1\n"
    write(tmp_path, table, "sites.csv")
    write(tmp_path, table, "other.csv")
    columns = SiteColumns((MediatorColumns("m", "g", se="s"),), "t", total_effect_se="u")
    text = card_text(columns, "sites.csv", derivation="By hand.", notes=["Beware."])
    card = load_card(write(tmp_path, text))
    own, other = card.load_data(), card.load_data(tmp_path / "other.csv")
    assert (own.derivation, own.notes[-1]) == ("By hand.", "Beware.")
    assert (other.derivation, "Beware." in other.notes) == ("", False)


def test_the_card_for_tables_of_estimates_needs_a_file(tmp_path: Path) -> None:
    card = load_card(find_card("site_estimates"))
    with pytest.raises(CardError, match="--data"):
        card.load_data()
    lines = ["site,n,gamma_hat,gamma_se,tau_hat,tau_se,cov"]
    lines += [f"{s},9,{i},0.1,{2 * i},0.1,0.001" for i, s in enumerate("ABC")]
    assert card.load_data(write(tmp_path, "\n".join(lines) + "\n", "s.csv")).n_rows == 3


FOUND = MINIMAL.replace("town", "age") + "[data.rows.subgroups]\n"


def people(folder: Path) -> None:
    trial(n=1500).to_csv(folder / "persons.csv", index=False)


@pytest.mark.parametrize(
    ("section", "how"),
    [
        (
            'how = "causal_tree"\nseed = 3\nleaves = 3\nleast_in_leaf = 40\nshare = 0.4\n',
            CausalTree(leaves=3, least_in_leaf=40, share=0.4),
        ),
        (
            'how = "compliance_propensity"\nseed = 3\ngroups = 4\nfolds = 3\n',
            CompliancePropensity(groups=4, folds=3),
        ),
    ],
)
def test_a_card_finds_sites_as_find_sites_does(
    tmp_path: Path, section: str, how: CausalTree | CompliancePropensity
) -> None:
    people(tmp_path)
    card = write(tmp_path, FOUND + section)
    rows = load_card(card).data.rows
    assert rows is not None
    assert rows.subgroups == Subgroups(how, 3)
    data = load_card(card).load_data()
    assert data is not None
    persons = PersonRows.read(tmp_path / "persons.csv", rows.columns)
    assert data.fingerprint == find_sites(persons, how, seed=3).estimates.fingerprint


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("seed = 1\n", "data.rows.subgroups.how is missing"),
        ('how = "forest"\nseed = 1\n', "data.rows.subgroups.how is 'forest'"),
        ('how = "causal_tree"\n', "data.rows.subgroups.seed is missing"),
        ('how = "causal_tree"\nseed = -1\n', "data.rows.subgroups.seed is -1"),
        ('how = "causal_tree"\nseed = 1\ngroups = 3\n', "groups is not for causal_tree"),
        ('how = "causal_tree"\nseed = 1\nshare = 1.5\n', "[data.rows.subgroups]: The tree is"),
        ('how = "causal_tree"\nseed = 1\nleaf = 3\n', "leaf' is not known"),
    ],
)
def test_impossible_subgroups_are_refused(tmp_path: Path, section: str, message: str) -> None:
    people(tmp_path)
    with pytest.raises(CardError, match=re.escape(message)):
        load_card(write(tmp_path, FOUND + section))
