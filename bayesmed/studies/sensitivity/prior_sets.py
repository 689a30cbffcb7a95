"""The priors a sensitivity study tries: declared ones, and a grid of wider and narrower ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from bayesmed.core.errors import ModelError, nearest
from bayesmed.core.names import CORRELATION
from bayesmed.data import SiteEstimates
from bayesmed.generative import AnyModel
from bayesmed.generative.replaced_priors import with_priors
from bayesmed.generative.site_slope_parameters import POSITIVE
from bayesmed.priors import Prior

FACTORS = (0.25, 0.5, 2.0, 4.0)
FITTED = "as fitted"
"""What tables call the priors of the fit itself."""


@dataclass(frozen=True)
class PriorSet:
    """Priors to fit again with.

    Attributes
    ----------
    name
        What tables call it.
    priors
        Those that differ from the fit's, by parameter or entry.
    factors
        How many times as wide as the fit's they are, by parameter; empty for declared ones.
    """

    name: str
    priors: Mapping[str, Prior]
    factors: Mapping[str, float] = field(default_factory=dict)


def prior_sets(
    model: AnyModel,
    data: SiteEstimates,
    *,
    alternatives: Mapping[str, Mapping[str, Prior]],
    parameters: Sequence[str],
    factors: Sequence[float],
    together: bool,
) -> list[PriorSet]:
    """Return the declared alternatives, then the grid; see `prior_sensitivity`.

    Raises
    ------
    ModelError
        If a parameter is unknown, a prior impossible for it, a factor not greater than 0, or the
        name of an alternative is taken.
    """
    found = [PriorSet(str(name), dict(priors)) for name, priors in alternatives.items()]
    found += _grid(model.priors_for(data), parameters or model.parameters, factors, together)
    names = [FITTED, *(one.name for one in found)]
    for one in found:
        if names.count(one.name) > 1 or not one.name.strip():
            raise ModelError(f"The name {one.name!r} of priors is taken.", "Choose another one.")
        with_priors(model, one.priors).check_data(data)
    return found


def _grid(
    own: Mapping[str, Prior], parameters: Sequence[str], factors: Sequence[float], together: bool
) -> list[PriorSet]:
    """Return priors as many times as wide, one parameter at a time or in all combinations."""
    for factor in factors:
        _check_factor(factor)
    entries = {name: _entries(own, name) for name in parameters}
    if together:
        combinations = [
            dict(zip(entries, chosen, strict=True))
            for chosen in product(factors, repeat=len(entries))
        ]
    else:
        combinations = [{name: factor} for name in entries for factor in factors]
    moved = [{n: float(f) for n, f in chosen.items() if f != 1} for chosen in combinations]
    return [
        PriorSet(
            ", ".join(f"{name} × {factor:g}" for name, factor in chosen.items()),
            {e: rescaled(own[e], f, e) for name, f in chosen.items() for e in entries[name]},
            chosen,
        )
        for chosen in moved
        if chosen
    ]


def _check_factor(factor: object) -> None:
    number = isinstance(factor, int | float | np.number) and not isinstance(factor, bool)
    if not number or not 0 < float(factor) < math.inf:  # type: ignore[arg-type]
        raise ModelError(f"A factor is {factor!r}.", "Give numbers greater than 0.")


def _entries(own: Mapping[str, Prior], name: str) -> list[str]:
    found = [entry for entry in own if entry == name or entry.startswith(f"{name}[")]
    if not found:
        raise ModelError(f"There is no parameter {name!r} with a prior.", nearest(name, own))
    return found


def rescaled(prior: Prior, factor: float, parameter: str = "") -> Prior:
    """Return a prior so many times as wide, about its own middle; about 0 where all is positive.

    Limits of a TruncatedNormal stay. Those of a Uniform move, as far as ``parameter`` allows.

    Examples
    --------
    >>> rescaled(Prior("Normal", mu=1, sigma=2), 2)
    Prior('Normal', mu=1.0, sigma=4.0, unit='data')
    >>> rescaled(Prior("Exponential", lam=1), 2)
    Prior('Exponential', lam=0.5, unit='data')
    >>> rescaled(Prior("Uniform", lower=-0.5, upper=0.5), 4, "correlation")
    Prior('Uniform', lower=-1.0, upper=1.0, unit='data')
    """
    values = prior.parameters
    if prior.distribution == "TruncatedNormal":
        sigma = factor * values["sigma"]
        return Prior(
            "TruncatedNormal",
            mu=values["mu"],
            sigma=sigma,
            lower=values["lower"],
            upper=values["upper"],
            unit=prior.unit,
        )
    middle = 0.0
    if prior.distribution == "Uniform":
        middle = (values["lower"] + values["upper"]) / 2 if values["lower"] != 0 else 0.0
    elif prior.family.support == "real":
        middle = next(values[k] for k, role in prior.family.roles.items() if role == "location")
    moved = prior.moved((1.0 - factor) * middle, factor).parameters
    if prior.distribution == "Uniform":
        low, high = _allowed(parameter.split("[", 1)[0])
        moved = {"lower": max(moved["lower"], low), "upper": min(moved["upper"], high)}
    return Prior(prior.distribution, **moved, unit=prior.unit)


def _allowed(parameter: str) -> tuple[float, float]:
    """Return the values a parameter may have."""
    if parameter == CORRELATION:
        return -1.0, 1.0
    return (0.0 if parameter in POSITIVE else -math.inf), math.inf
