"""Names, axes, natural units and default priors of the parameters of the covariate-IV model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from bayesmed.classical.trial_instruments import TrialInstruments, trial_instruments
from bayesmed.core.names import (
    ARM,
    COVARIATE,
    DIRECT_EFFECT,
    MEDIATOR_EFFECT,
    OUTCOME_SD,
    SLOPE,
    SLOPE_SD,
)
from bayesmed.data import TrialNames
from bayesmed.generative.covariate_iv_rows import TrialRows
from bayesmed.generative.trial_parameters import Coords, Parameter
from bayesmed.priors import Prior

if TYPE_CHECKING:
    from bayesmed.generative.covariate_iv import CovariateIV

# What covariates change: d, the direct effect of controls, tau_R and tau_M.
MEDIATOR_MODIFICATION = "mediator_modification"
DIRECT_MODIFICATION = "direct_modification"
DIRECT_MODIFIER, SLOPE_MODIFIER = "direct_modifier", "slope_modifier"
# Of covariates themselves, and where all of them are at their means, in the first arm.
MEDIATOR_COEFFICIENT, OUTCOME_COEFFICIENT = "mediator_coefficient", "outcome_coefficient"
MEDIATOR_INTERCEPT, OUTCOME_INTERCEPT = "mediator_intercept", "outcome_intercept"
# Errors, and how effects differ between persons (omega_R, their correlation; omega_M is slope_sd).
MEDIATOR_SD, ERROR_CORRELATION = "mediator_sd", "error_correlation"
DIRECT_EFFECT_SD, EFFECT_CORRELATION = "direct_effect_sd", "direct_effect_slope_corr"

# Axes: covariates whose product with treatment is in the mediator's equation; controls in both;
# those whose modifier has a prior.
INTERACTED, CONTROL = "interacted_covariate", "control"
DIRECT_MODIFIED, SLOPE_MODIFIED = "direct_modified", "slope_modified"

WIDE = Prior("Normal", mu=0, sigma=2.5, unit="scaled")
# What the slope moves needs more room than the slope.
WIDER = Prior("Normal", mu=0, sigma=5, unit="scaled")
CORRELATION_PRIOR = Prior("Uniform", lower=-1, upper=1)

SUPPORTS: Mapping[str, str] = {
    SLOPE: "real",
    DIRECT_EFFECT: "real",
    MEDIATOR_EFFECT: "real",
    MEDIATOR_MODIFICATION: "real",
    DIRECT_MODIFICATION: "real",
    MEDIATOR_COEFFICIENT: "real",
    OUTCOME_COEFFICIENT: "real",
    MEDIATOR_INTERCEPT: "real",
    OUTCOME_INTERCEPT: "real",
    MEDIATOR_SD: "positive",
    OUTCOME_SD: "positive",
    ERROR_CORRELATION: "correlation",
    DIRECT_EFFECT_SD: "positive",
    SLOPE_SD: "positive",
    EFFECT_CORRELATION: "correlation",
    DIRECT_MODIFIER: "real",
}


def names_of(model: CovariateIV) -> tuple[str, ...]:
    """Names of the parameters of a model, in the order outputs list them."""
    found = [SLOPE, DIRECT_EFFECT, MEDIATOR_EFFECT, MEDIATOR_MODIFICATION]
    if model.instruments and model.control_interactions:
        found.append(DIRECT_MODIFICATION)
    if model.uncertain_direct:
        found.append(DIRECT_MODIFIER)
    found += [MEDIATOR_INTERCEPT, MEDIATOR_COEFFICIENT, OUTCOME_INTERCEPT, OUTCOME_COEFFICIENT]
    if model.mediator == "normal":
        found.append(MEDIATOR_SD)
    found += [OUTCOME_SD, ERROR_CORRELATION]
    if model.person_effects == "random":
        found += [DIRECT_EFFECT_SD, SLOPE_SD, EFFECT_CORRELATION]
    return tuple(found)


def dims_of(model: CovariateIV) -> dict[str, tuple[str, ...]]:
    """Axes of the parameters that are no single number."""
    found: dict[str, tuple[str, ...]] = {
        MEDIATOR_MODIFICATION: (INTERACTED,),
        DIRECT_MODIFICATION: (CONTROL,),
        MEDIATOR_COEFFICIENT: (COVARIATE,),
        OUTCOME_COEFFICIENT: (COVARIATE,),
        DIRECT_MODIFIER: (DIRECT_MODIFIED,),
        SLOPE_MODIFIER: (SLOPE_MODIFIED,),
    }
    if model.errors == "by_arm":
        found |= dict.fromkeys((MEDIATOR_SD, OUTCOME_SD, ERROR_CORRELATION), (ARM,))
    return found


def instruments_of(model: CovariateIV, names: TrialNames) -> TrialInstruments:
    """Tell which covariates are instruments, and which are controls with an interaction."""
    return trial_instruments(names, model.instruments or None, model.control_interactions)


def coords_of(model: CovariateIV, names: TrialNames, mediator_only: bool = False) -> Coords:
    """Labels along every axis; predictions may be of the mediator alone."""
    predicted = (names.mediator,) if mediator_only else (names.mediator, names.outcome)
    design = instruments_of(model, names)
    label = names.covariates
    assert names.arms is not None
    return {
        COVARIATE: label,
        INTERACTED: tuple(label[j] for j in sorted(design.instruments + design.interacted)),
        CONTROL: tuple(label[j] for j in design.interacted),
        DIRECT_MODIFIED: model.uncertain_direct,
        SLOPE_MODIFIED: model.uncertain_slope,
        ARM: names.arms,
        # Axes of what predictions are compared with.
        "variable": predicted,
        "other_variable": predicted,
    }


def table_of(model: CovariateIV, rows: TrialRows) -> tuple[Parameter, ...]:
    """Return every parameter with its natural units and default prior."""
    design, sds = instruments_of(model, rows.names), rows.sds()
    *_, m, y = sds.tolist()
    x = sds[:-2]
    interacted = x[sorted(design.instruments + design.interacted)]
    controls = x[list(design.interacted)]
    modified = x[[rows.names.covariates.index(name) for name in model.uncertain_direct]]
    probit = model.mediator == "probit"
    first = 1.0 if probit else m
    level = 0.0 if probit else rows.mediator_mean
    # Location and scale, and default prior, by parameter.
    found: dict[str, tuple[float, np.ndarray | float, Prior]] = {
        SLOPE: (0.0, y / m, WIDE),
        DIRECT_EFFECT: (0.0, y, WIDER),
        MEDIATOR_EFFECT: (0.0, first, WIDE),
        MEDIATOR_MODIFICATION: (0.0, first / interacted, WIDE),
        DIRECT_MODIFICATION: (0.0, y / controls, WIDER),
        DIRECT_MODIFIER: (0.0, y / modified, WIDE),
        MEDIATOR_INTERCEPT: (level, first, WIDE),
        MEDIATOR_COEFFICIENT: (0.0, first / x, WIDE),
        OUTCOME_INTERCEPT: (rows.outcome_mean, y, WIDER),
        OUTCOME_COEFFICIENT: (0.0, y / x, WIDER),
        MEDIATOR_SD: (0.0, m, Prior("HalfNormal", sigma=1, unit="scaled")),
        OUTCOME_SD: (0.0, y, Prior("HalfNormal", sigma=2.5, unit="scaled")),
        ERROR_CORRELATION: (0.0, 1.0, CORRELATION_PRIOR),
        DIRECT_EFFECT_SD: (0.0, y, Prior("HalfNormal", sigma=1, unit="scaled")),
        SLOPE_SD: (0.0, y / m, Prior("HalfNormal", sigma=1, unit="scaled")),
        EFFECT_CORRELATION: (0.0, 1.0, CORRELATION_PRIOR),
    }
    dims = dims_of(model)
    return tuple(
        Parameter(name, found[name][2], dims.get(name, ()), found[name][0], found[name][1])
        for name in names_of(model)
    )
