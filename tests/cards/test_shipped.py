"""The shipped cards: they load, their data load, and each says what a card has to say."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from bayesmed.cards import card_names, find_card, load_card, new_card
from bayesmed.cards.assumption_study import ASSUMPTIONS, AXIS
from bayesmed.cards.card import MODEL, SAMPLER, STUDIES, TOP
from bayesmed.cards.columns import ARM_COVARIANCE, COVARIANCE, DATA, MEDIATOR
from bayesmed.cards.framing import ROPE
from bayesmed.cards.priors import PRIOR
from bayesmed.cards.rows import ROWS
from bayesmed.cards.study import PRIOR_SENSITIVITY
from bayesmed.cards.subgroups import Subgroups
from bayesmed.core.errors import CardError
from bayesmed.data import dataset_names
from bayesmed.inference import Sampler
from bayesmed.priors import Prior
from bayesmed.subgroups import CausalTree, CompliancePropensity

WITH_DATA = ("site_slope", *dataset_names())
OF_TRIALS = ("covariate_iv", "random_coefficients", "principal_strata")


def test_there_is_one_card_per_shipped_table_one_per_model_and_one_for_estimates() -> None:
    others = {"site_estimates", "multi_site_iv", "subgroups", *OF_TRIALS}
    assert set(card_names()) == {*WITH_DATA, *others}


def test_the_card_of_subgroups_shows_the_defaults_of_both_ways() -> None:
    rows = load_card(find_card("subgroups")).data.rows
    assert rows is not None
    assert rows.subgroups == Subgroups(CausalTree(categorical="region"), 1)
    text = new_card("subgroups")
    ways = [CausalTree(categorical="region"), CompliancePropensity(categorical="region")]
    for way in ways:
        for key, value in vars(way).items():
            if key == "honest":  # the other choice is there to see what it does
                continue
            shown = re.search(rf"^(?:# )?{key} = (\S+)", text, re.MULTILINE)
            assert shown is not None
            if isinstance(value, (int, float)):
                assert float(shown[1]) == value


@pytest.mark.parametrize("name", WITH_DATA)
def test_a_shipped_card_is_complete(name: str) -> None:
    card = load_card(find_card(name))
    assert card.framing.title
    assert card.framing.question.endswith("?")
    assert len(card.framing.assumptions) >= 3
    card.model.check_data(card.load_data())


def test_the_cards_of_tables_say_where_they_were_published() -> None:
    for name in dataset_names():
        assert len(load_card(find_card(name)).framing.published) > 50


def test_the_card_to_edit_shows_the_defaults() -> None:
    assert load_card(find_card("site_slope")).sampler == Sampler()


def test_the_card_to_edit_names_every_key_of_data_and_mediators() -> None:
    text = new_card("site_slope")
    sections = {"mediators", "covariances", "arm_covariances"}
    for key in {*DATA, *MEDIATOR, *ARM_COVARIANCE, *SAMPLER} - {*sections, "cores"}:
        assert re.search(rf"^(# )?{key} = ", text, re.MULTILINE), key
    for key in sections:
        assert re.search(rf"^(# )?\[\[data\.{key}\]\]$", text, re.MULTILINE), key


def test_choices_that_are_switched_off_are_valid_when_switched_on() -> None:
    lines = new_card("site_slope").splitlines()
    off = [line[2:] for line in lines if re.match(r"# ([a-z_]+ = |\[)", line)]
    data = {*DATA, *MEDIATOR, *COVARIANCE, *ARM_COVARIANCE, *ROWS}
    known = {*TOP, *MODEL["site_slope"], *data, *PRIOR, *SAMPLER, *STUDIES, *PRIOR_SENSITIVITY}
    known |= {*ASSUMPTIONS, *AXIS, *ROPE}
    assert len(off) >= 20
    for line in off:
        (key,) = tomllib.loads(line)
        assert key in known


def test_the_card_to_edit_shows_how_arms_covary(tmp_path: Path) -> None:
    off = re.compile(r"^# ((arm|block|columns) = |\[\[data\.arm_cov)", re.MULTILINE)
    text = off.sub(r"\1", new_card("site_slope"))
    (tmp_path / "card.toml").write_text(text)
    columns = load_card(tmp_path / "card.toml").data.columns
    assert columns is not None
    (between,) = columns.arm_covariances
    assert between.arm == "letter"
    assert between.columns[1][0] == "cov_tg_letter"


def test_the_card_to_edit_names_every_choice_of_the_model() -> None:
    text = new_card("site_slope")
    for key in MODEL["site_slope"]:
        assert re.search(rf"^(# )?{key} = ", text, re.MULTILINE), key


def model_choices() -> list[str]:
    """Choices of the model that are switched off in the card to edit."""
    text = new_card("site_slope")
    section = text[text.index("[model]") : text.index("[data]")]
    return [line[2:] for line in section.splitlines() if re.match(r"# [a-z_]+ = ", line)]


@pytest.mark.parametrize("choice", model_choices())
def test_a_choice_of_the_model_works_when_switched_on(tmp_path: Path, choice: str) -> None:
    key = choice.split(" = ", maxsplit=1)[0]
    text = new_card("site_slope")
    if key == "slope":
        text = re.sub(r"^slope = .*$", "", text, flags=re.MULTILINE)
    text = text.replace(f"# {choice}", choice)
    if key == "covariates":
        text = text.replace("# covariates =", "covariates =")
    path = tmp_path / "card.toml"
    path.write_text(text, encoding="utf-8")
    (value,) = tomllib.loads(choice).values()
    found = getattr(load_card(path).model, key)
    if isinstance(value, dict):
        assert found == Prior.from_mapping(value)
    else:
        assert found == (tuple(value) if isinstance(value, list) else value)


def test_an_unknown_card_offers_the_nearest() -> None:
    with pytest.raises(CardError, match="'site_slope'"):
        find_card("site_slop")
    with pytest.raises(CardError, match="no shipped model card"):
        new_card("../../etc/passwd")
