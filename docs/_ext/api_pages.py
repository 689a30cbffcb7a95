"""Reference pages of the public names, by what they are for."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Final

import bayesmed

# Every public name once; a test compares the list with `bayesmed.__all__`.
GROUPS: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "data": (
        "Tables of site estimates",
        "One row for each site: estimated effects on mediators and outcome, and their errors.",
        (
            "SiteEstimates",
            "SiteColumns",
            "MediatorColumns",
            "MediatorCovariance",
            "ArmCovariance",
            "dataset_names",
            "load_dataset",
            "DataWarning",
        ),
    ),
    "rows": (
        "Rows of persons",
        "Tables of persons, reduced to site estimates or to the moments of a trial.",
        (
            "PersonRows",
            "RowColumns",
            "Estimation",
            "reduce_rows",
            "Reduction",
            "Moments",
            "TrialCells",
            "TrialMoments",
            "TrialPersons",
            "TrialNames",
        ),
    ),
    "subgroups": (
        "Sites found in the data",
        "Groups of persons that one trial moves differently, taken as its sites.",
        (
            "find_sites",
            "FoundSites",
            "CausalTree",
            "CompliancePropensity",
            "repeat_sites",
            "RepeatedSites",
            "split_sensitivity",
            "SplitSensitivity",
        ),
    ),
    "models": (
        "Models",
        "Frozen descriptions. Choosing among them: {doc}`/howto/choose_a_model`.",
        (
            "SiteSlope",
            "MultiSiteIV",
            "CovariateIV",
            "RandomCoefficients",
            "PrincipalStrata",
            "Prior",
            "from_preliz",
            "to_preliz",
        ),
    ),
    "fitting": (
        "Fitting",
        "A model and data make a posterior.",
        ("fit", "Fit", "Sampler", "save_fit", "load_fit", "parameters"),
    ),
    "effects": (
        "Effects and comparisons",
        "What a fit says of effects, and what other estimators say of the same data.",
        (
            "effects",
            "Effects",
            "predict",
            "NewSites",
            "compare",
            "Comparison",
            "TrialComparison",
            "practical_equivalence",
            "PracticalEquivalence",
            "Rope",
        ),
    ),
    "checks": (
        "Checks and assumptions",
        "Every check with its formula: {doc}`/reference/checks`.",
        ("check", "CheckResult", "ledger", "Ledger"),
    ),
    "studies": (
        "Studies",
        "Many fits: sensitivity, simulation, calibration.",
        (
            "prior_sensitivity",
            "PriorSensitivity",
            "power_scaling",
            "assumption_sensitivity",
            "AssumptionSensitivity",
            "design_analysis",
            "TrialDesign",
            "simulate",
            "Simulation",
            "FuDesign",
            "ReardonDesign",
            "design_grid",
            "calibrate",
            "Calibration",
            "run_study",
            "StudyResult",
        ),
    ),
    "reports": (
        "Reports and cards",
        "Files to read, and files to run from.",
        (
            "report",
            "picture",
            "table",
            "latex",
            "write_results",
            "Card",
            "card_names",
            "find_card",
            "load_card",
            "new_card",
        ),
    ),
    "errors": (
        "Errors",
        "Each names the problem, the place and the remedy.",
        (
            "BayesmedError",
            "InputError",
            "DataError",
            "ModelError",
            "CardError",
            "StorageError",
            "EngineError",
            "SamplingError",
            "QuadratureError",
            "StudyError",
        ),
    ),
}

# Models have many methods that other rooms call; users call this one.
_OF_MODELS = ("build",)
_MODELS = GROUPS["models"][2][:5]


def api_pages() -> Iterator[tuple[str, str]]:
    """Yield a page for each group and one for each of its names."""
    for group, (title, sentence, names) in GROUPS.items():
        lines = [f"# {title}", "", sentence, "", "| name | what it is |", "| --- | --- |"]
        lines += [f"| {{doc}}`{name} <{_page(name)}>` | {_summary(name)} |" for name in names]
        lines += ["", "```{toctree}", ":hidden:", "", *(_page(name) for name in names), "```", ""]
        yield f"api/about_{group}.md", "\n".join(lines)
        for name in names:
            yield f"api/{_page(name)}.rst", _name_page(name)


def _page(name: str) -> str:
    """Return a file name that is one even where capitals are not told apart."""
    return f"class_{name}" if name[0].isupper() else name


def _summary(name: str) -> str:
    doc = inspect.getdoc(getattr(bayesmed, name)) or ""
    return doc.split("\n\n")[0].replace("\n", " ").replace("``", "`")


def _name_page(name: str) -> str:
    value: Any = getattr(bayesmed, name)
    kind = "autoclass" if inspect.isclass(value) else "autofunction"
    options = []
    if name in _MODELS:
        options = ["", *(f"   .. automethod:: {method}" for method in _OF_MODELS)]
    elif inspect.isclass(value) and not issubclass(value, Exception):
        options = ["   :members:"]
    head = [name, "=" * len(name), "", ".. currentmodule:: bayesmed", ""]
    return "\n".join([*head, f".. {kind}:: {name}", *options, ""])
