"""Plans: read as written, every mistake named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayesmed.core.errors import CardError, ModelError
from bayesmed.generative import SiteSlope
from bayesmed.studies.simulation import FuDesign, TrialDesign
from bayesmed.studies.simulation.plan import Plan, example_plan, load_plan, parsed_values

FU = """
replicates = 7
seed = 3
estimators = ["OLS", "SIMEX"]

[design]
type = "fu"
sites = [5, 10]
slope = [0, 2]
error_correlation = 0.5
"""


@pytest.fixture
def plan(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "plan.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_example_is_a_plan_that_names_every_value_it_can(plan):
    found = load_plan(plan(example_plan()))
    designs = found.designs()
    assert len(designs) == 6
    assert all(isinstance(d, TrialDesign) for d in designs)
    assert [(d.sites, d.persons) for d in designs][:3] == [(10, 50), (10, 200), (20, 50)]
    assert (found.replicates, found.seed, found.model) == (500, 1, SiteSlope())
    assert found.title


def test_a_published_design_is_read(plan):
    found = load_plan(plan(FU))
    assert (found.replicates, found.seed, found.estimators) == (7, 3, ("OLS", "SIMEX"))
    assert found.designs()[1] == FuDesign(sites=5, slope=2.0, error_correlation=0.5)
    assert len(found.designs()) == 4


def test_a_model_with_choices_and_priors_is_read(plan):
    text = FU + '[model]\ntype = "site_slope"\nslope = "random"\n'
    text += '[model.priors.slope]\ndistribution = "Normal"\nmu = 0.0\nsigma = 1.0\n'
    model = load_plan(plan(text)).model
    assert model.slope == "random"
    assert model.priors["slope"].parameters == {"mu": 0.0, "sigma": 1.0}


def test_options_win_over_the_plan(plan):
    found = load_plan(plan(FU)).overridden(parsed_values({"sites": "30", "slope": None}))
    assert [(d.sites, d.slope) for d in found.designs()] == [(30, 0.0), (30, 2.0)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"plan.toml: design is missing"),
        ("design = 3", "design is missing"),
        (FU.replace("sites =", "site ="), "'design.site' is not known. Did you mean 'sites'"),
        (FU.replace("[5, 10]", "[]"), "design.sites is an empty list"),
        (FU.replace("[5, 10]", "[5, 2]"), r"plan.toml: FuDesign: sites is 2. Give 3 to"),
        (FU.replace("[5, 10]", '"5"'), "Give a whole number"),
        (FU.replace("[5, 10]", "{a = 1}"), "Give a whole number"),
        (FU.replace("sites = [5, 10]", ""), "design.sites is missing"),
        (FU.replace('"fu"', '"fuu"'), "no design of type 'fuu'. Did you mean 'fu'"),
        (FU.replace('"fu"', "[1]"), "no design of type"),
        (FU.replace("[0, 2]", str(list(range(20_000)))), "combinations"),
        (FU.replace("= 7", "= 0"), "replicates is 0"),
        (FU.replace("seed = 3", "seed = -3"), "seed is -3"),
        (FU.replace("replicates", "replicate"), "Did you mean 'replicates'"),
        (FU + '[model]\ntype = "site_slop"\n', r"\[model\]: There is no model of type"),
        ("model = 3\n" + FU, "Write it as a section"),
        ("[design", "not valid TOML"),
    ],
)
def test_mistakes_are_named_with_their_place(plan, text, message):
    with pytest.raises(CardError, match=message):
        load_plan(plan(text)).designs()


def test_a_missing_or_huge_file_is_one_message(tmp_path, plan):
    with pytest.raises(CardError, match="bayesmed new simulation"):
        load_plan(tmp_path / "absent.toml")
    with pytest.raises(CardError, match="larger than a plan"):
        load_plan(plan("#" * 300_000))


def test_values_of_the_command_line_are_numbers_and_lists():
    found = parsed_values({"sites": "5, 10", "slope": "-.5", "persons": None})
    assert found == {"sites": [5, 10], "slope": -0.5}
    with pytest.raises(CardError, match=r"--slope-sd holds 'x'"):
        parsed_values({"slope_sd": "1,x"})
    with pytest.raises(CardError, match="holds ''"):
        parsed_values({"sites": "5,"})
    with pytest.raises((CardError, ModelError), match="finite"):
        Plan(parsed_values({"slope": "nan"}) | {"sites": 5, "type": "fu"}).designs()
