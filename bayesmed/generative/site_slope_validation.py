"""What a site-slope model refuses: choices, priors and data it has no answer for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bayesmed.core.errors import DataError, ModelError, nearest
from bayesmed.core.names import (
    COVARIATE_EFFECT,
    DIRECT_EFFECT_DOF,
    DIRECT_EFFECT_MEAN,
    DIRECT_EFFECT_SD,
    TOTAL_EFFECT_AT_CENTRE,
)
from bayesmed.data import SiteEstimates
from bayesmed.generative.site_slope_parameters import (
    AT_CENTRE,
    BY_MEDIATOR,
    DEFAULT_PRIORS,
    POSITIVE,
    labels,
)
from bayesmed.priors import Prior

if TYPE_CHECKING:
    from bayesmed.generative.site_model import SiteModel

OF_DIRECT_EFFECT = (
    TOTAL_EFFECT_AT_CENTRE,
    DIRECT_EFFECT_MEAN,
    DIRECT_EFFECT_SD,
    DIRECT_EFFECT_DOF,
    COVARIATE_EFFECT,
)


def check_choices(model: SiteModel) -> None:
    """Refuse choices that are impossible, alone or together."""
    for name in ("direct_effect", "interaction"):
        if not isinstance(getattr(model, name), bool):
            raise ModelError(f"{name} is {getattr(model, name)!r}.", "Write true or false.")
    _check_correlation(model.correlation)
    names: object = model.covariates
    if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
        raise ModelError(f"covariates is {names!r}.", "Give a list of names.")
    if len(set(names)) < len(names):
        raise ModelError("A covariate is named twice.", "Name each once.")
    if model.direct_effect:
        return
    for choice, is_made in (
        ('direct_effect_distribution = "student_t"', model.robust),
        ("correlation", model.correlated),
        ("covariates", bool(names)),
    ):
        if is_made:
            raise ModelError(
                f"{choice} describes direct effects, and the model has none.",
                f"Set direct_effect = true or drop {choice.split()[0]}.",
            )


def _check_correlation(value: object) -> None:
    if isinstance(value, Prior):
        low, high = value.support
        if low < -1 or high > 1:
            raise ModelError(
                f"The prior {value} of correlation allows values outside -1 to 1.",
                "Use Uniform or TruncatedNormal with lower and upper in between.",
            )
        return
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise ModelError(f"correlation is {value!r}.", "Give a number in (-1, 1), or a prior.")
    if not math.isfinite(value) or not -1 < value < 1:
        raise ModelError(f"correlation is {value}.", "Give a number greater than -1, less than 1.")


def check_prior(model: SiteModel, name: str, prior: Prior) -> None:
    """Refuse a prior on what is no parameter of the model, or of values it cannot take."""
    base = name.split("[", 1)[0]
    known = [*model.parameters, *(n for n in model.derived if n in DEFAULT_PRIORS)]
    if base in OF_DIRECT_EFFECT and not model.direct_effect:
        raise ModelError(
            f"{base} has a prior but the model has no direct effect.",
            "Set direct_effect = true or drop the prior.",
        )
    if base not in known or (base != name and not _has_entries(name, base)):
        raise ModelError(f"There is no parameter {name!r} to set a prior on.", nearest(name, known))
    if not isinstance(prior, Prior):
        raise ModelError(f"The prior of {name} is {prior!r}.", "Give a bayesmed.Prior.")
    if base in POSITIVE and prior.support[0] < 0:
        raise ModelError(
            f"The prior {prior} of {name} allows negative values.",
            "Use HalfNormal, HalfStudentT, HalfCauchy, Exponential, Gamma, InverseGamma, "
            "LogNormal, or Uniform from 0.",
        )
    shifted = base == DIRECT_EFFECT_MEAN or (model.slope == "polynomial" and model.direct_effect)
    if base in AT_CENTRE and shifted and prior.family.support == "positive":
        raise ModelError(
            f"The prior {prior} of {name} allows positive values only.",
            "Use TruncatedNormal with lower and upper.",
        )


def _has_entries(name: str, base: str) -> bool:
    return name.endswith("]") and (base in BY_MEDIATOR or base == COVARIATE_EFFECT)


def check_twins(model: SiteModel) -> None:
    """Refuse priors on both names of one coefficient."""
    bases = {name.split("[", 1)[0] for name in model.priors}
    for here, there in AT_CENTRE.items():
        if here in bases and there in bases:
            raise ModelError(
                f"Both {there} and {here} have a prior.",
                "They are one parameter seen from two places: keep one.",
            )


def check_data(model: SiteModel, data: SiteEstimates) -> None:
    """Refuse data the model has no likelihood for; see ``SiteSlope.check_data``."""
    several, shared = data.n_mediators > 1, data.n_blocks < data.n_rows
    if model.correlated and several:
        raise DataError(
            f"correlation is about one mediator and the data have {data.n_mediators}: "
            f"{', '.join(data.mediators)}.",
            "Keep one mediator or set correlation = 0.",
        )
    if model.robust and shared:
        raise DataError(
            "Some rows share a control group, and Student-t direct effects are available for "
            "independent rows only.",
            'Set direct_effect_distribution = "normal" or keep one arm of each block.',
        )
    _check_covariates(model, data)
    _check_entries(model, data)
    exact = np.flatnonzero((data.total_effect_se == 0) & (data.mediator_se == 0).all(axis=1))
    if exact.size and not model.direct_effect and model.slope != "random":
        raise DataError(
            f"All estimates of site {data.labels[exact[0]]!r} have standard error 0, so "
            "without a direct effect they would have to lie exactly on the line.",
            "Set direct_effect = true or give standard errors.",
        )


def _check_covariates(model: SiteModel, data: SiteEstimates) -> None:
    for name in model.covariates:
        if name not in data.covariates:
            raise DataError(
                f"The data have no covariate {name!r}.", nearest(name, list(data.covariates))
            )
        if np.ptp(data.covariates[name]) == 0:
            raise DataError(
                f"The covariate {name!r} is {data.covariates[name][0]:g} at every site.",
                "Drop it: it cannot explain any difference.",
            )


def _check_entries(model: SiteModel, data: SiteEstimates) -> None:
    """Refuse priors on mediators or covariates that are not there."""
    known = [
        entry
        for name in model.parameters
        for entry in (name, *(f"{name}[{x}]" for x in labels(model, data, name)))
    ]
    for name in model.priors:
        if name not in known:
            raise DataError(
                f"There is no parameter {name!r} to set a prior on.", nearest(name, known)
            )
