"""The section on assumptions to hold at values: what a good one gives, and every bad one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bayesmed.cards import AssumptionStudy, load_card, new_card
from bayesmed.core.errors import CardError
from bayesmed.priors import Prior
from tests.cards.test_study import MINIMAL

HERE = "[study.assumptions]\n"
AXIS = "[[study.assumptions.axes]]\n"
RHO = AXIS + 'name = "correlation"\n'
TRIAL = """
[model]
type = "covariate_iv"
instruments = ["age"]
[data.rows]
file = "people.csv"
treatment = "t"
mediators = ["m"]
outcome = "y"
covariates = ["age", "income"]
"""
ROOT = "study.assumptions"


def loaded(tmp_path: Path, text: str) -> AssumptionStudy | None:
    path = tmp_path / "card.toml"
    path.write_text(text, encoding="utf-8")
    return load_card(path).assumption_study


def test_everything_is_read(tmp_path: Path) -> None:
    text = RHO + "values = [0, 0.5]\n[study.assumptions.priors.little.correlation]\n"
    text += 'distribution = "Uniform"\nlower = -0.3\nupper = 0.3\n'
    assert loaded(tmp_path, MINIMAL + text) == AssumptionStudy(
        axes={"correlation": (0.0, 0.5)},
        priors={"little": {"correlation": Prior("Uniform", lower=-0.3, upper=0.3)}},
    )


def test_what_is_left_out_is_chosen_later(tmp_path: Path) -> None:
    assert loaded(tmp_path, MINIMAL) is None
    assert loaded(tmp_path, MINIMAL + HERE) == AssumptionStudy()
    assert loaded(tmp_path, MINIMAL + RHO) == AssumptionStudy(axes={"correlation": ()})
    both = loaded(tmp_path, MINIMAL + RHO + "[study.prior_sensitivity]\n")
    assert both == AssumptionStudy(axes={"correlation": ()})


def test_models_of_trials_have_assumptions_too(tmp_path: Path) -> None:
    axes = AXIS + 'name = "direct_modifier[age]"\n' + AXIS + 'name = "slope_modifier[age]"\n'
    found = loaded(tmp_path, TRIAL + axes)
    assert found is not None
    assert list(found.axes) == ["direct_modifier[age]", "slope_modifier[age]"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[study]\nassumptions = 1\n", f"{ROOT} is 1"),
        (HERE + "axis = 1", f"'{ROOT}.axis' is not known"),
        (HERE + "axes = 1", f"{ROOT}.axes is 1"),
        (HERE + "axes = [1]", f"{ROOT}.axes is"),
        (AXIS, rf"{ROOT}.axes\[0\].name is missing"),
        (AXIS + "name = 1", rf"{ROOT}.axes\[0\].name is 1"),
        (RHO + "value = 1", rf"'{ROOT}.axes\[0\].value' is not known"),
        (AXIS + 'name = "corelation"', rf"\[{ROOT}.axes\[0\]\]: .*'corelation'.*'correlation'"),
        (AXIS + 'name = "heterogeneity"', "no assumption 'heterogeneity'"),
        (RHO + RHO, rf"{ROOT}.axes\[1\].name is 'correlation'. Name each assumption once"),
        (RHO + RHO + RHO, f"{ROOT}.axes are 3. Write one or two"),
        (RHO + "values = 0.5", rf"{ROOT}.axes\[0\].values is 0.5"),
        (RHO + "values = []", rf"{ROOT}.axes\[0\].values is \[\]. Write 1 to 200"),
        (RHO + "values = [inf]", "Write a list of finite numbers"),
        (RHO + "values = [true]", "Write a list of finite numbers"),
        (RHO + f"values = {[0.5] * 201}", "Write 1 to 200"),
        (RHO + "values = [0.5, 1.5]", rf"\[{ROOT}.axes\[0\].values\]: correlation is 1.5"),
        (HERE + "priors = 1", f"{ROOT}.priors is 1"),
        (HERE + "priors.a = 1", f"{ROOT}.priors.a is 1"),
        (HERE + 'priors."\\u0007".slope.sigma = 1', "has the name"),
        (
            HERE + 'priors.a.correlation = { distribution = "Normal", sigma = 1 }',
            rf"\[{ROOT}.priors.a\]: .*allows values outside",
        ),
        (
            HERE + 'priors.a.slop = { distribution = "Normal", sigma = 1 }',
            rf"\[{ROOT}.priors.a\]: There is no parameter 'slop'",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CardError, match=message) as caught:
        loaded(tmp_path, MINIMAL + text)
    assert "card.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "direct_modifier"', r"Write it as 'direct_modifier\[age\]'"),
        ('name = "direct_modifier[income]"\nvalues = [1]', "'income' has a modifier, but is no"),
    ],
)
def test_what_is_wrong_of_a_trial_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CardError, match=message):
        loaded(tmp_path, TRIAL + AXIS + text)


def test_models_without_numbers_are_told_so(tmp_path: Path) -> None:
    text = TRIAL.replace("covariate_iv", "random_coefficients").replace('instruments = ["age"]', "")
    with pytest.raises(CardError, match="no assumption that is a number"):
        loaded(tmp_path, text.replace('covariates = ["age", "income"]', "") + AXIS + 'name = "a"')


@pytest.mark.parametrize(
    ("name", "axes"),
    [
        ("site_slope", {"correlation": (-0.6, -0.3, 0.3, 0.6)}),
        ("multi_site_iv", {"compliance_correlation": (-0.6, -0.3, 0.3, 0.6)}),
        ("covariate_iv", {"direct_modifier[age]": (-0.1, 0.0, 0.1), "slope_modifier[age]": ()}),
        ("principal_strata", {"heterogeneity": (0.0, 0.1, 0.5), "defiers": ()}),
    ],
)
def test_shipped_cards_show_a_section_that_works(
    tmp_path: Path, name: str, axes: dict[str, tuple[float, ...]]
) -> None:
    text = new_card(name)
    start = text.index("# [[study.assumptions.axes]]")
    switched_on = re.sub("^# ", "", text[start:], flags=re.MULTILINE)
    found = loaded(tmp_path, text[:start] + switched_on)
    assert found is not None
    assert dict(found.axes) == axes


@pytest.mark.parametrize("value", ["true", "-0.3"])
def test_a_known_correlation_of_slopes_is_a_choice_of_a_model(tmp_path: Path, value: str) -> None:
    text = MINIMAL.replace('"site_slope"', f'"multi_site_iv"\ncompliance_correlation = {value}')
    path = tmp_path / "card.toml"
    path.write_text(text, encoding="utf-8")
    found = load_card(path).model.compliance_correlation  # type: ignore[union-attr]
    assert found is True if value == "true" else found == -0.3
    path.write_text(text.replace(value, '"a bit"'), encoding="utf-8")
    with pytest.raises(CardError, match=r"model\.compliance_correlation is 'a bit'"):
        load_card(path)
