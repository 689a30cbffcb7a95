"""Draws of what lines of sites rest on, as plain arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmed.core.names import (
    AVERAGE_SLOPE,
    CHAIN,
    DIRECT_EFFECT_SD,
    DRAW,
    MEDIATOR,
    MEDIATOR_EFFECT,
    MEDIATOR_EFFECT_CORR,
    MEDIATOR_EFFECT_SD,
    OTHER_MEDIATOR,
    SITE,
    SITE_EFFECTS,
    SLOPE,
    SLOPE_SD,
)
from bayesmed.core.types import Floats
from bayesmed.inference import Fit

__all__ = [
    "average_slopes",
    "by_mediator",
    "correlations",
    "covariances",
    "line_weights",
    "single",
    "site_means",
]


def single(fit: Fit[Any, Any], name: str) -> Floats:
    """(n,) draws of a parameter."""
    found: Floats = fit.tree["posterior"][name].transpose(CHAIN, DRAW).values.ravel()
    return found


def by_mediator(fit: Fit, name: str) -> Floats:
    """(n, P) draws of a parameter."""
    values = fit.tree["posterior"][name].transpose(CHAIN, DRAW, MEDIATOR).values
    return np.asarray(values.reshape(-1, values.shape[-1]))


def average_slopes(fit: Fit) -> Floats:
    """(n, P) draws of the slopes, averaged over the population where they vary."""
    varies = AVERAGE_SLOPE in fit.tree["posterior"]
    return by_mediator(fit, AVERAGE_SLOPE if varies else SLOPE)


def correlations(fit: Fit) -> Floats:
    """(n, P, P) draws of the correlations of mediator effects across sites."""
    p = fit.data.n_mediators
    if p == 1:
        return np.ones((len(average_slopes(fit)), 1, 1))
    drawn = fit.tree["posterior"][MEDIATOR_EFFECT_CORR]
    return np.asarray(drawn.transpose(CHAIN, DRAW, MEDIATOR, OTHER_MEDIATOR).values).reshape(
        -1, p, p
    )


def covariances(fit: Fit) -> Floats:
    """(n, P, P) draws of the covariances of mediator effects across sites."""
    sd = by_mediator(fit, MEDIATOR_EFFECT_SD)
    return correlations(fit) * sd[:, :, None] * sd[:, None, :]


def line_weights(fit: Fit) -> Floats:
    """(S,) one over the variance of each total effect about the line, at posterior means."""
    posterior = fit.tree["posterior"]
    contrast = np.append(-average_slopes(fit).mean(axis=0), 1.0)
    variance = np.einsum("i,sij,j->s", contrast, fit.data.cov, contrast)
    if DIRECT_EFFECT_SD in posterior:
        variance = variance + (single(fit, DIRECT_EFFECT_SD) ** 2).mean()
    if SLOPE_SD in posterior:
        square = (by_mediator(fit, SLOPE_SD) ** 2).mean(axis=0)
        variance = variance + site_means(fit) ** 2 @ square
    least = 1e-12 * float(variance.max()) or 1.0
    return np.asarray(1.0 / np.maximum(variance, least))


def site_means(fit: Fit) -> Floats:
    """(S, P) posterior means of the mediator effects of sites."""
    drawn = fit.tree[SITE_EFFECTS][MEDIATOR_EFFECT]
    return np.asarray(drawn.mean((CHAIN, DRAW)).transpose(SITE, MEDIATOR).values)
