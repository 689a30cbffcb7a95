"""Draws of the parameters of a site-slope model from the prior, and their densities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from bayesmed.core.names import (
    MEDIATOR_EFFECT_CORR,
    MEDIATOR_EFFECT_SLOPE_CORR,
    PERSON_COVARIANCE,
    SLOPE_CORR,
)
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.formulas.correlation import correlations, root_of_correlations, uniform_exponent
from bayesmed.generative.protocol import Draws
from bayesmed.generative.site_slope_parameters import centres, completed, labels
from bayesmed.generative.site_slope_persons import drawn_covariances
from bayesmed.generative.site_slope_population import entries

if TYPE_CHECKING:
    from bayesmed.generative.site_model import SiteModel


def prior_draws(
    model: SiteModel, data: SiteEstimates, n: int, rng: np.random.Generator
) -> dict[str, Floats]:
    """Draw all parameters from the prior, in data units."""
    priors = iter(model.priors_for(data).values())
    found: dict[str, Floats] = {}
    for name in model.parameters:
        own = labels(model, data, name)
        columns = [next(priors).draw(rng, (n,)) for _ in (own or ("",))]
        found[name] = np.stack(columns, axis=-1) if own else columns[0]
    persons = model.persons(data)
    if persons is not None:
        # Known from the persons within arms, before any estimate is seen.
        found[PERSON_COVARIANCE] = drawn_covariances(persons, n, rng)
    p, related = data.n_mediators, model.related(data)
    if model.known_compliance is not None:
        found |= _given_compliance(model, model.known_compliance, data, n, rng)
        return with_derived(model, found, data)
    if related == "effects":
        whole = _uniform_correlations(2 * p, n, rng)
        found[MEDIATOR_EFFECT_CORR] = whole[:, :p, :p]
        found[MEDIATOR_EFFECT_SLOPE_CORR] = whole[:, :p, p:]
        found[SLOPE_CORR] = whole[:, p:, p:]
        return with_derived(model, found, data)
    if p > 1:
        found[MEDIATOR_EFFECT_CORR] = _uniform_correlations(p, n, rng)
    if related == "slopes":
        found[SLOPE_CORR] = _uniform_correlations(p, n, rng)
    return with_derived(model, found, data)


def with_derived(
    model: SiteModel, draws: Mapping[str, Floats], data: SiteEstimates
) -> dict[str, Floats]:
    """Add the parameters that follow from those with a prior."""
    have = entries(model, draws)
    scales = [model.scale(data, i) for i in range(data.n_mediators)]
    found = dict(draws)
    for name, value in completed(model, have, centres(model, scales)).items():
        if name in model.derived and name not in found:
            listed = isinstance(value, list)
            found[name] = np.concatenate(value, axis=1) if listed else value[:, 0]
    return found


def _given_compliance(
    model: SiteModel, known: float, data: SiteEstimates, n: int, rng: np.random.Generator
) -> dict[str, Floats]:
    """Draw correlations where that of slopes with their own mediators' effects is known."""
    p, alone = data.n_mediators, np.tile(np.eye(data.n_mediators), (n, 1, 1))
    effects = _uniform_correlations(p, n, rng) if p > 1 else alone
    left = _uniform_correlations(p, n, rng) if model.slopes_together(data) else alone
    return {
        MEDIATOR_EFFECT_CORR: effects,
        MEDIATOR_EFFECT_SLOPE_CORR: known * effects,
        SLOPE_CORR: known**2 * effects + (1.0 - known**2) * left,
    }


def _uniform_correlations(size: int, n: int, rng: np.random.Generator) -> Floats:
    partial = []
    for i in range(size):
        for j in range(i):
            b = uniform_exponent(i, j, size)
            partial.append(2.0 * rng.beta(b, b, n) - 1.0)
    rows = correlations(root_of_correlations(partial, size))
    return np.stack([np.stack(np.broadcast_arrays(*row, rows[1][0])[:size], -1) for row in rows], 1)


def log_prior(model: SiteModel, draws: Draws, data: SiteEstimates) -> dict[str, Floats]:
    """Log prior density of each parameter that has a prior of choice, in data units."""
    priors = iter(model.priors_for(data).values())
    found = {}
    for name in model.parameters:
        own = labels(model, data, name)
        if not own:
            found[name] = next(priors).log_density(draws[name])
            continue
        each = [next(priors).log_density(draws[name][:, i]) for i in range(len(own))]
        found[name] = np.stack(each, axis=-1)
    return found
