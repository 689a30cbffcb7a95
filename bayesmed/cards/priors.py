"""Priors as a card writes them: a section for each parameter."""

from __future__ import annotations

from typing import Any

from bayesmed.cards.section import Section
from bayesmed.priors import Prior
from bayesmed.priors.prior import HYPERPARAMETERS

__all__ = ["read_prior", "read_priors"]

PRIOR = ("distribution", "unit", *HYPERPARAMETERS)


def read_priors(parent: Section, key: str) -> dict[str, Prior]:
    """Return the priors of a section by parameter; none where it is absent."""
    names = parent.values.get(key, {})
    known = tuple(names) if isinstance(names, dict) else ()
    example = f'[{parent.at(key)}.slope] and distribution = "Normal"'
    priors = parent.section(key, known, example=example)
    return {} if priors is None else {name: read_prior(priors, name) for name in known}


def read_prior(parent: Section, name: str) -> Prior:
    """Return one prior that has to be there."""
    example = f'[{parent.at(name)}] and distribution = "Normal"'
    prior = parent.section(name, PRIOR, example=example)
    assert prior is not None
    values: dict[str, Any] = {
        key: prior.number(key, 0.0) for key in prior.values if key in HYPERPARAMETERS
    }
    values["distribution"] = prior.required_text("distribution", 'for example "Normal"')
    unit = prior.text("unit")
    if unit is not None:
        values["unit"] = unit
    with prior.located():
        return Prior.from_mapping(values)
