"""The section on priors to try: what a good one gives, and the message of every bad one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bayesmed.cards import PriorStudy, find_card, load_card, new_card
from bayesmed.core.errors import CardError
from bayesmed.priors import Prior

MINIMAL = """
[model]
type = "site_slope"
[data]
file = "sites.csv"
total_effect = "tau_hat"
total_effect_se = "tau_se"
[[data.mediators]]
name = "effort"
effect = "gamma_hat"
se = "gamma_se"
"""
HERE = "[study.prior_sensitivity]\n"
FULL = (
    HERE
    + """
parameters = ["slope", "direct_effect_sd"]
factors = [0.5, 2]
together = true
[study.prior_sensitivity.alternatives.sceptical]
slope = { distribution = "Normal", mu = 0, sigma = 0.5, unit = "scaled" }
direct_effect_mean = { distribution = "StudentT", nu = 3, sigma = 1 }
[study.prior_sensitivity.alternatives."no slope".slope]
distribution = "Normal"
sigma = 0.01
"""
)


def loaded(tmp_path: Path, text: str) -> PriorStudy | None:
    path = tmp_path / "card.toml"
    path.write_text(MINIMAL + text, encoding="utf-8")
    return load_card(path).prior_study


def test_everything_is_read(tmp_path: Path) -> None:
    assert loaded(tmp_path, FULL) == PriorStudy(
        parameters=("slope", "direct_effect_sd"),
        factors=(0.5, 2.0),
        together=True,
        alternatives={
            "sceptical": {
                "slope": Prior("Normal", mu=0, sigma=0.5, unit="scaled"),
                "direct_effect_mean": Prior("StudentT", nu=3, sigma=1),
            },
            "no slope": {"slope": Prior("Normal", sigma=0.01)},
        },
    )


def test_what_is_left_out_has_defaults(tmp_path: Path) -> None:
    assert loaded(tmp_path, "") is None
    assert loaded(tmp_path, "[study]\n") is None
    assert loaded(tmp_path, HERE) == PriorStudy()
    assert loaded(tmp_path, HERE + "factors = []") == PriorStudy(factors=())
    # Entries of a parameter are known when the data are.
    named = loaded(tmp_path, HERE + 'parameters = ["slope[effort]"]')
    assert named == PriorStudy(parameters=("slope[effort]",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("study = 1\n", "study is 1"),
        ("[study]\nprior = 1\n", "'study.prior' is not known"),
        ("[study]\nprior_sensitivity = 1\n", "study.prior_sensitivity is 1"),
        (HERE + "parameter = []", "'study.prior_sensitivity.parameter' is not known"),
        (HERE + 'parameters = "slope"', "study.prior_sensitivity.parameters is 'slope'"),
        (HERE + 'parameters = ["slop"]', "names 'slop', which has no prior. .*'slope'"),
        (HERE + 'parameters = ["slope_sd"]', "names 'slope_sd'"),
        (HERE + "factors = 2", "study.prior_sensitivity.factors is 2"),
        (HERE + "factors = [2, 0]", r"factors is \[2, 0\]. .*greater than 0"),
        (HERE + "factors = [inf]", "factors is"),
        (HERE + "together = 1", "together is 1"),
        (HERE + "alternatives = 1", "alternatives is 1"),
        (HERE + "alternatives.a = 1", "alternatives.a is 1"),
        (HERE + "alternatives.a.slope = 1", "alternatives.a.slope is 1"),
        (HERE + 'alternatives."\\u0007".slope.sigma = 1', "has the name"),
        (HERE + "alternatives.a.slope.sigma = 1", "alternatives.a.slope.distribution is missing"),
        (
            HERE + 'alternatives.a.slope = { distribution = "Normal", sigma = -1 }',
            r"\[study.prior_sensitivity.alternatives.a.slope\]: sigma",
        ),
        (
            HERE + 'alternatives.a.slop = { distribution = "Normal", sigma = 1 }',
            r"\[study.prior_sensitivity.alternatives.a\]: There is no parameter 'slop'",
        ),
        (
            HERE + 'alternatives.a.direct_effect_sd = { distribution = "Normal", sigma = 1 }',
            "allows negative values",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "card.toml"
    first = text.startswith("study")
    path.write_text(text + MINIMAL if first else MINIMAL + text, encoding="utf-8")
    with pytest.raises(CardError, match=message) as caught:
        load_card(path)
    assert "card.toml" in str(caught.value)


def test_the_card_to_edit_shows_a_section_that_works(tmp_path: Path) -> None:
    text = new_card("site_slope")
    assert load_card(find_card("site_slope")).prior_study is None
    start = text.index("# [study.prior_sensitivity]")
    section = text[start : text.index("# How far an assumption")]
    switched_on = re.sub("^# ", "", section, flags=re.MULTILINE)
    path = tmp_path / "card.toml"
    path.write_text(text[:start] + switched_on, encoding="utf-8")
    study = load_card(path).prior_study
    assert study is not None
    assert study.together
    assert study.alternatives["sceptical"]["slope"].unit == "scaled"


def test_a_shipped_card_has_a_worked_example() -> None:
    study = load_card(find_card("berkey1998")).prior_study
    assert study is not None
    assert list(study.alternatives) == ["at most one", "heavy tails"]
