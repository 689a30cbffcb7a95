"""Cards of one trial without sites: choices, rows, cells, and the message of every bad one."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesmed.cards import CardData, find_card, load_card, new_card
from bayesmed.cards.card import MODEL
from bayesmed.cards.trials import CELLS, CellsData
from bayesmed.core.errors import CardError, DataError
from bayesmed.data import TrialCells, TrialMoments, TrialPersons
from bayesmed.data.cell_table import CellColumns
from bayesmed.generative import CovariateIV, PrincipalStrata, RandomCoefficients
from bayesmed.inference import Sampler
from bayesmed.priors import Prior

KINDS = {
    "covariate_iv": CovariateIV,
    "random_coefficients": RandomCoefficients,
    "principal_strata": PrincipalStrata,
}
ROWS = """[data.rows]
file = "people.csv"
treatment = "t"
mediators = ["m"]
outcome = "y"
"""
CELLS_TEXT = '[data.cells]\nfile = "cells.csv"\nevents = "died"\n'


def card_of(kind: str, choices: str = "", data: str = ROWS) -> str:
    return f'[model]\ntype = "{kind}"\n{choices}\n{data}'


def write(folder: Path, text: str, name: str = "study.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def people(folder: Path, **columns: object) -> Path:
    """Forty persons; every binary combination occurs."""
    rng = np.random.default_rng(1)
    i = np.arange(40)
    named = {"t": i % 2, "z": i // 2 % 2, "m": i // 4 % 2, "age": rng.normal(size=40)}
    frame = pd.DataFrame(named | {"y": rng.normal(size=40)} | columns)
    frame.to_csv(folder / "people.csv", index=False)
    return folder / "people.csv"


def cells(folder: Path) -> Path:
    lines = ["treatment,instrument,mediator,n,died"]
    lines += [f"{i >> 2},{i >> 1 & 1},{i & 1},{20 + i},{3 + i}" for i in range(8)]
    return write(folder, "\n".join(lines) + "\n", "cells.csv")


@pytest.mark.parametrize("kind", KINDS)
def test_a_shipped_card_is_the_default_model_and_sampler(kind: str) -> None:
    card = load_card(find_card(kind))
    assert card.model == KINDS[kind]()
    assert (card.sampler, card.seed) == (Sampler(draws=1500, chains=4), 1)
    assert card.framing.question.endswith("?")
    assert len(card.framing.assumptions) >= 3
    with pytest.raises(CardError, match=r"names no data.*\[data\.rows\].*--data"):
        card.load_data()


@pytest.mark.parametrize("kind", KINDS)
def test_a_shipped_card_names_every_choice_of_the_model(kind: str) -> None:
    for key in MODEL[kind]:
        assert re.search(rf"^(# )?{key} = ", new_card(kind), re.MULTILINE), key


def switched_off(kind: str) -> list[str]:
    """Single lines of a shipped card that may be switched on by themselves."""
    text = new_card(kind).split("# [data.cells]", maxsplit=1)[0].split("# [priors")[0]
    return re.findall(r"^# ([a-z_]+ = .*)$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("kind", "line"), [(kind, line) for kind in KINDS for line in switched_off(kind)]
)
def test_choices_that_are_switched_off_work_when_switched_on(
    tmp_path: Path, kind: str, line: str
) -> None:
    key = line.split(" = ", maxsplit=1)[0]
    text = re.sub(rf"^{key} = .*$", "", new_card(kind), flags=re.MULTILINE)
    text = text.replace("covariates = []", 'covariates = ["age"]')
    if key == "cuts":
        line = f'site = "age"\n{line}'
    at = "[data.rows]\n" if key not in MODEL[kind] else f'type = "{kind}"\n'
    card = load_card(write(tmp_path, text.replace(at, f"{at}{line}\n")))
    if key in MODEL[kind]:
        assert getattr(card.model, key) != getattr(KINDS[kind](), key)


def test_the_priors_of_a_shipped_card_work_when_switched_on(tmp_path: Path) -> None:
    for kind, name in zip(KINDS, ("slope", "slope", "slope_mean"), strict=True):
        text = new_card(kind)
        start, stop = text.index("# [priors"), text.index("\n[sampler]\n")
        on = re.sub(r"^# ", "", text[start:stop], flags=re.MULTILINE)
        model = load_card(write(tmp_path, text[:start] + on + text[stop:])).model
        assert model.priors == {name: Prior("Normal", mu=0, sigma=1, unit="scaled")}


def test_the_cells_of_a_shipped_card_work_when_switched_on(tmp_path: Path) -> None:
    text = new_card("principal_strata")
    start, stop = text.index("# [data.cells]"), text.index("# [priors")
    on = re.sub(r"^# ", "", text[start:stop], flags=re.MULTILINE)
    assert {m[0] for m in re.findall(r"^([a-z]+)( = )", on, re.MULTILINE)} == set(CELLS)
    on = re.sub(r"^(mean|sd|squares) = .*$", "", on, flags=re.MULTILINE)
    off = text[: text.index("[data.rows]")]
    data = load_card(write(tmp_path, off + on)).data
    columns = CellColumns(events="events", stratum="region", reference="control")
    assert data.cells == CellsData(columns, tmp_path / "cells.csv")


def test_modifiers_are_numbers_or_priors(tmp_path: Path) -> None:
    choices = """instruments = ["age", "a b"]
direct_modifier = { age = 1, "a b" = { distribution = "Normal", mu = 0, sigma = 0.1 } }
[model.slope_modifier]
age = -0.5
"""
    model = load_card(write(tmp_path, card_of("covariate_iv", choices))).model
    assert model == CovariateIV(
        instruments=("age", "a b"),
        direct_modifier={"age": 1.0, "a b": Prior("Normal", mu=0, sigma=0.1)},
        slope_modifier={"age": -0.5},
    )


def test_every_choice_arrives(tmp_path: Path) -> None:
    choices = 'control_interactions = false\nmediator = "probit"\nerrors = "common"\n'
    model = load_card(write(tmp_path, card_of("covariate_iv", choices))).model
    assert model == CovariateIV(control_interactions=False, mediator="probit", errors="common")
    choices = 'direct_effect = true\nmediator = "normal"\n'
    model = load_card(write(tmp_path, card_of("random_coefficients", choices))).model
    assert model == RandomCoefficients(direct_effect=True, mediator="normal")
    choices = 'saturated = true\nmonotone_in = "both"\noutcome_likelihood = "counts"\n'
    choices += "heterogeneity = 0\nshare_concentration = 0.5\n"
    model = load_card(write(tmp_path, card_of("principal_strata", choices))).model
    assert model == PrincipalStrata(True, "both", 0.0, "counts", 0.5)
    choices = 'heterogeneity = { distribution = "Exponential", lam = 2 }\n'
    model = load_card(write(tmp_path, card_of("principal_strata", choices))).model
    assert model == PrincipalStrata(heterogeneity=Prior("Exponential", lam=2))


def test_rows_are_reduced_as_the_model_needs(tmp_path: Path) -> None:
    file = people(tmp_path)

    def data(kind: str, choices: str = "", roles: str = "") -> object:
        return load_card(write(tmp_path, card_of(kind, choices, ROWS + roles))).load_data()

    age = 'covariates = ["age"]\n'
    moments = data("covariate_iv", roles=age)
    assert isinstance(moments, TrialMoments)
    assert (moments.n_persons, moments.names.covariates) == (40, ("age",))
    assert isinstance(data("covariate_iv", 'mediator = "probit"\n', age), TrialPersons)
    persons = data("random_coefficients")
    assert isinstance(persons, TrialPersons)
    z = 'mediator_instrument = "z"\n'
    found = data("principal_strata", roles=z)
    assert isinstance(found, TrialCells)
    assert found.n.tolist() == np.full((1, 2, 2, 2), 5).tolist()
    assert found.outcomes is None
    mixed = data("principal_strata", 'outcome_likelihood = "mixture"\n', z)
    assert isinstance(mixed, TrialCells)
    assert mixed.outcomes is not None
    other = people(tmp_path, y=np.arange(40.0)).rename(tmp_path / "other.csv")
    people(tmp_path)
    card = load_card(write(tmp_path, card_of("random_coefficients")))
    assert card.load_data().fingerprint == persons.fingerprint
    assert card.load_data(other).outcome[1] == 1.0
    assert file.exists()


def test_cells_are_read_and_a_file_given_by_hand_wins(tmp_path: Path) -> None:
    cells(tmp_path)
    card = load_card(write(tmp_path, card_of("principal_strata", data=CELLS_TEXT)))
    found = card.load_data()
    assert isinstance(found, TrialCells)
    assert found.n.ravel().tolist() == list(range(20, 28))
    assert found.binary_outcome
    card.model.check_data(found)
    (tmp_path / "cells.csv").rename(tmp_path / "moved.csv")
    assert card.load_data(tmp_path / "moved.csv").fingerprint == found.fingerprint
    with pytest.raises(DataError, match=r"cells\.csv"):
        card.load_data()
    pd.read_csv(tmp_path / "moved.csv").to_parquet(tmp_path / "moved.pq")
    assert card.load_data(tmp_path / "moved.pq").fingerprint == found.fingerprint


def test_cells_that_name_no_file_need_one(tmp_path: Path) -> None:
    text = CELLS_TEXT.replace('file = "cells.csv"\n', "")
    card = load_card(write(tmp_path, card_of("principal_strata", data=text)))
    with pytest.raises(CardError, match=r"names no data\. Write \[data\.cells\] file.*--data"):
        card.load_data()
    assert card.load_data(cells(tmp_path)).n_persons == sum(range(20, 28))
    assert card.data.covariates == ()


def test_a_reference_may_be_a_number(tmp_path: Path) -> None:
    text = CELLS_TEXT + "reference = 1\n"
    cells(tmp_path)
    found = load_card(write(tmp_path, card_of("principal_strata", data=text))).load_data()
    assert found.names.arms == ("1", "0")
    assert found.n.ravel().tolist() == [24, 25, 26, 27, 20, 21, 22, 23]


P, C, R = "principal_strata", "covariate_iv", "random_coefficients"
SITES = '[data]\nfile = "s.csv"\ntotal_effect = "t"\n'
BAD = [
    (card_of(P, data=CELLS_TEXT + "event = 'x'\n"), r"'data\.cells\.event' is not known.*'events'"),
    (card_of(P, data=CELLS_TEXT + "n = 3\n"), r"data\.cells\.n is 3\. Write a text in quotes"),
    (card_of(P, data=CELLS_TEXT + "n = ''\n"), r"data\.cells\.n is ''\. Fill it in"),
    (card_of(P, data=CELLS_TEXT + 'n = "a\\u001b"\n'), r"data\.cells\.n is .*Control characters"),
    (card_of(P, data=CELLS_TEXT + "reference = 1.5\n"), r"cells\.reference is 1\.5.*in quotes"),
    (card_of(P, data=CELLS_TEXT + "reference = true\n"), r"cells\.reference is true"),
    (card_of(P, data=CELLS_TEXT + "mean = 'm'\n"), r"\[data\.cells\]: The outcome.*two ways"),
    (card_of(P, data="[data.cells]\n"), r"\[data\.cells\]: The outcome of cells is not given"),
    (card_of(P, data=CELLS_TEXT + "n = 'died'\n"), r"\[data\.cells\]: Column 'died' has two roles"),
    (card_of(P, data="[data]\ncells = 'a.csv'\n"), r"data\.cells is 'a\.csv'\. Write it as a sect"),
    (card_of(P, data=ROWS + CELLS_TEXT), r"names both \[data\.rows\] and \[data\.cells\]"),
    (card_of(P, data="[data]\nsite = 's'\n" + CELLS_TEXT), r"data\.site is for tables of site"),
    (card_of(C, data=CELLS_TEXT), r"\[data\.cells\] is for principal_strata models"),
    (card_of("site_slope", data=CELLS_TEXT), r"\[data\.cells\] is for principal_strata models"),
    *((card_of(k, data=SITES), r"trial without sites.*Write \[data\.rows\]") for k in KINDS),
    *((card_of(k, data=""), r"data is missing") for k in KINDS),
    (card_of("site_slope"), r"data\.rows\.site is missing"),
    (card_of(C, data=ROWS + "covariance = 'HC1'\n"), r"rows\.covariance is for estimates of sites"),
    (card_of(R, data=ROWS + "least_per_arm = 5\n"), r"rows\.least_per_arm is for estimates"),
    (card_of(P, data=ROWS + "half_counts = true\n"), r"rows\.half_counts is for estimates"),
    (card_of(C) + "[study.prior_sensitivity]\n", r"prior_sensitivity\] is for models of sites"),
    (card_of("covariate"), r"model\.type is 'covariate'.*'covariate_iv'"),
    (card_of(C, "saturated = true"), r"'model\.saturated' is not known"),
    (card_of(R, "errors = 'common'"), r"'model\.errors' is not known"),
    (card_of(P, "direct_effect = true"), r"'model\.direct_effect' is not known"),
    (card_of(C, "mediator = 'logit'"), r"\[model\]: The mediator of a covariate_iv.*'probit'"),
    (card_of(C, "person_effects = true"), r"model\.person_effects is true.*in quotes"),
    (card_of(C, "control_interactions = 'yes'"), r"model\.control_interactions is 'yes'.*true"),
    (card_of(C, "instruments = 'age'"), r"model\.instruments is 'age'.*list"),
    (card_of(C, "direct_modifier = 1"), r"model\.direct_modifier is 1.*section.*age = 0\.5"),
    (card_of(C, "direct_modifier = { a = 'x' }"), r"model\.direct_modifier\.a is 'x'.*number"),
    (card_of(C, "slope_modifier = { a = true }"), r"model\.slope_modifier\.a is true.*number"),
    (card_of(C, "slope_modifier = { a = nan }"), r"model\.slope_modifier\.a is nan.*finite"),
    (card_of(C, "slope_modifier = { a = { mu = 0 } }"), r"slope_modifier\.a\.distribution is miss"),
    (
        card_of(C, "slope_modifier = { a = { distribution = '__import__' } }"),
        r"\[model\.slope_modifier\.a\]: .*'__import__'",
    ),
    (
        card_of(C, "instruments = ['b']\ndirect_modifier = { a = 1 }"),
        r"\[model\]: 'a' has a modifier, but is no instrument",
    ),
    (card_of(P, "heterogeneity = -1"), r"\[model\]: heterogeneity is -1"),
    (card_of(P, "heterogeneity = inf"), r"model\.heterogeneity is inf.*finite"),
    (card_of(P, "heterogeneity = 'wide'"), r"model\.heterogeneity is 'wide'.*number"),
    (
        card_of(P, "heterogeneity = { distribution = 'Normal', mu = 0, sigma = 1 }"),
        r"heterogeneity",
    ),
    (card_of(P, "share_concentration = 0"), r"share_concentration is 0"),
    (card_of(P, "monotone_in = 'instrumnt'"), r"\[model\]: The monotone_in .*'instrument'"),
    (card_of(P, "saturated = true\noutcome_likelihood = 'mixture'"), r"no types to mix"),
    (card_of(R, "direct_effect = true\nmediator = 'binary'"), r"Leave direct_effect out"),
    (
        card_of(P) + "[priors.slope_heterogeneity]\ndistribution = 'HalfNormal'\nsigma = 1\n",
        r"\[priors\]: .*Give the prior as `heterogeneity`",
    ),
    (card_of(R) + "[priors.slop]\ndistribution = 'Normal'\nsigma = 1\n", r"\[priors\]: .*'slop'"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_bad_card_is_refused_by_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CardError, match=rf"(?s)study\.toml.*{message}|{message}.*study\.toml"):
        load_card(write(tmp_path, text))


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ('site = "z"\n', r"'z' is named as site"),
        ('cluster = "z"\n', r"'z' is named as cluster"),
        ('weights = "age"\n', r"'age' is named as weights"),
        ('mediator_instrument = "z"\n', r"mediator_instrument"),
    ],
)
def test_roles_that_a_trial_does_not_take_are_refused_with_the_data(
    tmp_path: Path, roles: str, message: str
) -> None:
    people(tmp_path)
    card = load_card(write(tmp_path, card_of("covariate_iv", data=ROWS + roles)))
    with pytest.raises(DataError, match=message):
        card.load_data()


def test_strata_may_be_dropped_or_refused(tmp_path: Path) -> None:
    town = np.where(np.arange(40) < 2, "Tiny", "Rome")
    people(tmp_path, town=town)
    rows = ROWS + 'mediator_instrument = "z"\nsite = "town"\n'
    card = load_card(write(tmp_path, card_of("principal_strata", data=rows)))
    with pytest.warns(UserWarning, match="Tiny"):
        assert card.load_data().stratum == ("Rome",)
    card = load_card(write(tmp_path, card_of("principal_strata", data=rows + "strict = true\n")))
    with pytest.raises(DataError, match="Tiny"):
        card.load_data()


def test_data_are_of_one_kind() -> None:
    with pytest.raises(CardError, match=r"either a table of sites, or rows of persons, or cells"):
        CardData(cells=CellsData(CellColumns(events="y")), columns=object())  # type: ignore[arg-type]
