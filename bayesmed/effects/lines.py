"""What lines of least squares are made of: weights, coefficients, and the noise in them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesmed.classical import random_effects_weights
from bayesmed.classical.person_iv import NAMES
from bayesmed.classical.person_products import person_products, whitened_noise
from bayesmed.classical.random_effects import NAMES as RANDOM_EFFECTS
from bayesmed.classical.random_effects import Scatter
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates

TWO_STAGES, LIML, K_CLASS = ON_PERSONS = NAMES["2sls"], NAMES["liml"], NAMES["k_class"]
SITE_LINES = ("OLS", "WLS", *RANDOM_EFFECTS.values())
"""Least squares of site estimates."""
SCATTERS: tuple[Scatter, ...] = ("common", "slopes")


def is_least_squares(data: SiteEstimates, name: str) -> bool:
    """Whether an estimator is least squares of rows in weights of their own.

    Two-stage least squares on persons is, unless rows share a control group.
    """
    persons = data.persons
    alone = persons is not None and not persons.cross_weight
    return name in SITE_LINES or (name == TWO_STAGES and alone)


def least_squares_weight(data: SiteEstimates, name: str, intercept: bool) -> Floats:
    """Weights of the rows in a line of least squares, where standard errors allow them: (R,)."""
    if name in ON_PERSONS and data.persons is not None:
        return np.asarray(1 / data.persons.weight.sum(axis=1))
    if not data.total_effect_se.all():
        return np.ones(data.n_rows)
    for scatter in SCATTERS:
        if name == RANDOM_EFFECTS[scatter]:
            return random_effects_weights(data, intercept=intercept, scatter=scatter)
    if name != "WLS":
        return np.ones(data.n_rows)
    variance = data.total_effect_se**2
    return np.asarray(variance.min() / variance)


def least_squares_coefficients(data: SiteEstimates, weight: Floats, intercept: bool) -> Floats:
    """Return what slopes of weighted least squares multiply the total effects by: (P, R)."""
    mediator = data.mediator_effect
    if intercept:
        mediator = mediator - weight @ mediator / weight.sum()
    weighted = weight[:, None] * mediator
    return np.asarray(np.linalg.solve(weighted.T @ mediator, weighted.T))


def sampling_noise(data: SiteEstimates, weight: Floats) -> Floats:
    """Weighted mean sampling covariance of the mediator effects: (P, P)."""
    return np.asarray(np.tensordot(weight / weight.sum(), data.cov[:, :-1, :-1], axes=1))


class Products(NamedTuple):
    """Sums of products of a line through the origin, (P + 1, P + 1), total effects last.

    Of the estimates, and what sampling error adds to them in expectation.
    """

    estimates: Floats
    noise: Floats


def products_through_origin(data: SiteEstimates, name: str) -> Products | None:
    """Return the products of a line of least squares; None where it is none."""
    if name == TWO_STAGES:
        sums = person_products(data, direct_effect=False)
        noise = whitened_noise(data)
        return None if sums is None or noise is None else Products(sums.explained, noise)
    if not is_least_squares(data, name):
        return None
    weight = least_squares_weight(data, name, intercept=False)
    both = np.column_stack([data.mediator_effect, data.total_effect])
    return Products((weight[:, None] * both).T @ both, np.tensordot(weight, data.cov, axes=1))
