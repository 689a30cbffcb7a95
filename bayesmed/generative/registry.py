"""Models by the name cards and saved fits use: a table, never an import by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from bayesmed.core.errors import ModelError, nearest
from bayesmed.generative.covariate_iv import CovariateIV
from bayesmed.generative.multi_site_iv import MultiSiteIV
from bayesmed.generative.principal_strata import PrincipalStrata
from bayesmed.generative.random_coefficients import RandomCoefficients
from bayesmed.generative.site_slope import SiteSlope
from bayesmed.generative.trial_model import TrialModel
from bayesmed.priors import Prior

type AnyModel = SiteSlope | MultiSiteIV
type AnyTrialModel = TrialModel[Any]

SITE_MODELS: Mapping[str, type[SiteSlope] | type[MultiSiteIV]] = {
    "site_slope": SiteSlope,
    "multi_site_iv": MultiSiteIV,
}
TRIAL_MODELS: Mapping[str, type[CovariateIV] | type[RandomCoefficients] | type[PrincipalStrata]] = {
    "covariate_iv": CovariateIV,
    "random_coefficients": RandomCoefficients,
    "principal_strata": PrincipalStrata,
}
MODELS: Mapping[str, type[Any]] = {**SITE_MODELS, **TRIAL_MODELS}


def model_to_mapping(model: AnyModel | AnyTrialModel) -> dict[str, Any]:
    """Describe a model by plain values: its type, its choices and the priors that were set."""
    name = next(key for key, kind in MODELS.items() if kind is type(model))
    named = fields(model)  # type: ignore[arg-type]  # every model is a dataclass
    choices = {f.name: _plain(getattr(model, f.name)) for f in named if f.name != "priors"}
    priors = {key: _plain(prior) for key, prior in model.priors.items()}
    return {"type": name, **choices, "priors": priors}


def _plain(value: object) -> object:
    """Return a choice as text, number, list or table."""
    if isinstance(value, Prior):
        return {"distribution": value.distribution, **value.parameters, "unit": value.unit}
    if isinstance(value, tuple) and value and all(isinstance(item, tuple) for item in value):
        return {name: _plain(item) for name, item in value}
    return list(value) if isinstance(value, tuple) else value


def model_from_mapping(table: Mapping[str, Any]) -> AnyModel | AnyTrialModel:
    """Make the model that ``model_to_mapping`` or a card describes.

    Raises
    ------
    ModelError
        If the type, a choice or a prior is unknown or impossible.

    Examples
    --------
    >>> model_from_mapping({"type": "site_slope", "direct_effect": False}).parameters
    ('slope', 'mediator_effect_mean', 'mediator_effect_sd')
    """
    choices = dict(table)
    name = choices.pop("type", None)
    if not isinstance(name, str) or name not in MODELS:
        raise ModelError(f"There is no model of type {name!r}.", nearest(str(name), MODELS))
    kind = MODELS[name]
    known = [f.name for f in fields(kind)]
    for key in choices:
        if key not in known:
            raise ModelError(f"A {name} model has no choice {key!r}.", nearest(key, known))
    priors = {key: Prior.from_mapping(value) for key, value in choices.pop("priors", {}).items()}
    choices = {key: _choice(value) for key, value in choices.items()}
    made: AnyModel | AnyTrialModel = kind(**choices, priors=priors)
    return made


def _choice(value: Any) -> Any:
    """Return a choice from plain values: a prior, a table of numbers and priors, or itself."""
    if not isinstance(value, Mapping):
        return value
    if isinstance(value.get("distribution"), str):
        return Prior.from_mapping(value)
    return {key: _choice(item) for key, item in value.items()}
