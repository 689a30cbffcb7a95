"""Models by the name cards and saved fits use: a table, never an import by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from bayesmed.core.errors import ModelError, nearest
from bayesmed.generative.multi_site_iv import MultiSiteIV
from bayesmed.generative.site_slope import SiteSlope
from bayesmed.priors import Prior

type AnyModel = SiteSlope | MultiSiteIV

MODELS: Mapping[str, type[SiteSlope] | type[MultiSiteIV]] = {
    "site_slope": SiteSlope,
    "multi_site_iv": MultiSiteIV,
}


def model_to_mapping(model: AnyModel) -> dict[str, Any]:
    """Describe a model by plain values: its type, its choices and the priors that were set."""
    name = next(key for key, kind in MODELS.items() if kind is type(model))
    choices = {f.name: _plain(getattr(model, f.name)) for f in fields(model) if f.name != "priors"}
    priors = {key: _plain(prior) for key, prior in model.priors.items()}
    return {"type": name, **choices, "priors": priors}


def _plain(value: object) -> object:
    """Return a choice as text, number, list or table."""
    if isinstance(value, Prior):
        return {"distribution": value.distribution, **value.parameters, "unit": value.unit}
    return list(value) if isinstance(value, tuple) else value


def model_from_mapping(table: Mapping[str, Any]) -> AnyModel:
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
    choices = {
        key: Prior.from_mapping(value) if isinstance(value, Mapping) else value
        for key, value in choices.items()
    }
    return kind(**choices, priors=priors)
