"""The public names: pinned, all there, and free until used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import bayesmed

PUBLIC = [
    "ArmCovariance",
    "AssumptionSensitivity",
    "BayesmedError",
    "Calibration",
    "Card",
    "CardError",
    "CausalTree",
    "CheckResult",
    "Comparison",
    "CompliancePropensity",
    "CovariateIV",
    "DataError",
    "DataWarning",
    "Effects",
    "EngineError",
    "Estimation",
    "Fit",
    "FoundSites",
    "FuDesign",
    "InputError",
    "Ledger",
    "MediatorColumns",
    "MediatorCovariance",
    "ModelError",
    "Moments",
    "MultiSiteIV",
    "NewSites",
    "PersonRows",
    "PracticalEquivalence",
    "PrincipalStrata",
    "Prior",
    "PriorSensitivity",
    "QuadratureError",
    "RandomCoefficients",
    "ReardonDesign",
    "Reduction",
    "RepeatedSites",
    "Rope",
    "RowColumns",
    "Sampler",
    "SamplingError",
    "Simulation",
    "SiteColumns",
    "SiteEstimates",
    "SiteSlope",
    "SplitSensitivity",
    "StorageError",
    "StudyError",
    "StudyResult",
    "TrialCells",
    "TrialComparison",
    "TrialDesign",
    "TrialMoments",
    "TrialNames",
    "TrialPersons",
    "__version__",
    "assumption_sensitivity",
    "calibrate",
    "card_names",
    "check",
    "compare",
    "dataset_names",
    "design_analysis",
    "design_grid",
    "effects",
    "find_card",
    "find_sites",
    "fit",
    "from_preliz",
    "latex",
    "ledger",
    "load_card",
    "load_dataset",
    "load_fit",
    "new_card",
    "parameters",
    "picture",
    "power_scaling",
    "practical_equivalence",
    "predict",
    "prior_sensitivity",
    "reduce_rows",
    "repeat_sites",
    "report",
    "run_study",
    "save_fit",
    "simulate",
    "split_sensitivity",
    "table",
    "to_preliz",
    "write_results",
]

HEAVY = (
    "arviz",
    "duckdb",
    "ibis",
    "matplotlib",
    "numpy",
    "nutpie",
    "pandas",
    "pymc",
    "pytensor",
    "scipy",
    "xarray",
)


def modules_after(statement: str) -> set[str]:
    """Top-level modules a fresh interpreter holds after a statement."""
    program = f"{statement}\nimport sys\nprint(*(name.split('.')[0] for name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_public_names_are_these() -> None:
    assert sorted(bayesmed.__all__) == sorted(PUBLIC)
    assert dir(bayesmed) == sorted(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(bayesmed, name)
    if name != "__version__":
        assert value.__name__ == name
        assert value.__doc__


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        _ = bayesmed.fitt


@pytest.mark.parametrize("verb", ["effects", "report"])
def test_a_verb_is_not_hidden_by_the_room_of_its_name(verb: str) -> None:
    program = (
        f"import bayesmed, bayesmed.{verb}\n"
        f"from bayesmed.{verb} import {verb} as direct\n"
        f"from bayesmed import {verb}\n"
        f"assert bayesmed.{verb} is direct is {verb}\n"
        f"assert callable({verb})\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_importing_bayesmed_imports_nothing_heavy() -> None:
    assert not modules_after("import bayesmed") & set(HEAVY)


def test_importing_the_command_line_imports_nothing_heavy() -> None:
    after = modules_after("import bayesmed.cli")
    assert "click" in after
    assert not after & {*HEAVY, "rich", "jinja2"}
