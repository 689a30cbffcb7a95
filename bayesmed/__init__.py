"""Bayesian mediation analysis: how much of a treatment's effect runs through a mediator.

``fit(model, data)`` gives a `Fit`; `effects`, `predict`, `check`, `ledger`, `compare`,
`parameters`, `picture`, `table` and `report` read it. Nothing heavy is imported before it is used.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayesmed.cards import Card, card_names, find_card, load_card, new_card
    from bayesmed.checks import CheckResult, Ledger, check, ledger
    from bayesmed.core.errors import (
        BayesmedError,
        CardError,
        DataError,
        InputError,
        ModelError,
        StorageError,
    )
    from bayesmed.data import (
        ArmCovariance,
        DataWarning,
        EngineError,
        Estimation,
        MediatorColumns,
        MediatorCovariance,
        Moments,
        PersonRows,
        Reduction,
        RowColumns,
        SiteColumns,
        SiteEstimates,
        TrialCells,
        TrialMoments,
        TrialNames,
        TrialPersons,
        dataset_names,
        load_dataset,
        reduce_rows,
    )
    from bayesmed.effects import (
        Comparison,
        Effects,
        NewSites,
        PracticalEquivalence,
        Rope,
        TrialComparison,
        compare,
        effects,
        parameters,
        practical_equivalence,
        predict,
    )
    from bayesmed.generative import (
        CovariateIV,
        MultiSiteIV,
        PrincipalStrata,
        RandomCoefficients,
        SiteSlope,
    )
    from bayesmed.inference import (
        Fit,
        QuadratureError,
        Sampler,
        SamplingError,
        fit,
        load_fit,
        save_fit,
    )
    from bayesmed.priors import Prior, from_preliz, to_preliz
    from bayesmed.report import latex, picture, report, table, write_results
    from bayesmed.studies import StudyError, StudyResult, run_study
    from bayesmed.studies.calibration import Calibration, calibrate
    from bayesmed.studies.sensitivity import (
        AssumptionSensitivity,
        PriorSensitivity,
        SplitSensitivity,
        assumption_sensitivity,
        power_scaling,
        prior_sensitivity,
        split_sensitivity,
    )
    from bayesmed.studies.simulation import (
        FuDesign,
        ReardonDesign,
        Simulation,
        TrialDesign,
        design_analysis,
        design_grid,
        simulate,
    )
    from bayesmed.subgroups import (
        CausalTree,
        CompliancePropensity,
        FoundSites,
        RepeatedSites,
        find_sites,
        repeat_sites,
    )

    __version__: str

# Every public name, by the room it lives in.
_ROOMS: dict[str, tuple[str, ...]] = {
    "cards": ("Card", "card_names", "find_card", "load_card", "new_card"),
    "checks": ("CheckResult", "Ledger", "check", "ledger"),
    "core.errors": (
        "BayesmedError",
        "CardError",
        "DataError",
        "InputError",
        "ModelError",
        "StorageError",
    ),
    "data": (
        "ArmCovariance",
        "DataWarning",
        "EngineError",
        "Estimation",
        "MediatorColumns",
        "MediatorCovariance",
        "Moments",
        "PersonRows",
        "Reduction",
        "RowColumns",
        "SiteColumns",
        "SiteEstimates",
        "TrialCells",
        "TrialMoments",
        "TrialNames",
        "TrialPersons",
        "dataset_names",
        "load_dataset",
        "reduce_rows",
    ),
    "effects": (
        "Comparison",
        "Effects",
        "NewSites",
        "PracticalEquivalence",
        "Rope",
        "TrialComparison",
        "compare",
        "effects",
        "parameters",
        "practical_equivalence",
        "predict",
    ),
    "generative": (
        "CovariateIV",
        "MultiSiteIV",
        "PrincipalStrata",
        "RandomCoefficients",
        "SiteSlope",
    ),
    "inference": (
        "Fit",
        "QuadratureError",
        "Sampler",
        "SamplingError",
        "fit",
        "load_fit",
        "save_fit",
    ),
    "priors": ("Prior", "from_preliz", "to_preliz"),
    "report": ("latex", "picture", "report", "table", "write_results"),
    "studies": ("StudyError", "StudyResult", "run_study"),
    "studies.calibration": ("Calibration", "calibrate"),
    "studies.sensitivity": (
        "AssumptionSensitivity",
        "PriorSensitivity",
        "SplitSensitivity",
        "assumption_sensitivity",
        "power_scaling",
        "prior_sensitivity",
        "split_sensitivity",
    ),
    "studies.simulation": (
        "FuDesign",
        "ReardonDesign",
        "Simulation",
        "TrialDesign",
        "design_analysis",
        "design_grid",
        "simulate",
    ),
    "subgroups": (
        "CausalTree",
        "CompliancePropensity",
        "FoundSites",
        "RepeatedSites",
        "find_sites",
        "repeat_sites",
    ),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
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


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("bayesmed")
    elif name in _ROOM_OF:
        value = getattr(importlib.import_module(f"bayesmed.{_ROOM_OF[name]}"), name)
    else:
        raise AttributeError(f"module 'bayesmed' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """A package whose verbs are not hidden by rooms of the same name."""

    def __setattr__(self, name: str, value: object) -> None:
        # Importing the room bayesmed.effects would set bayesmed.effects to the room; the verb
        # is what users call. The room itself stays importable: `from bayesmed.effects import ...`.
        if not (name in _ROOM_OF and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
