"""The graph of the covariate-IV model: coordinates, and the likelihood of moments or persons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayesmed.core.names import OUTCOME_SD, SLOPE, SLOPE_SD
from bayesmed.core.types import ArrayLike
from bayesmed.formulas.covariate_iv import Errors, outcome_variance, probit_log_density
from bayesmed.generative.covariate_iv_coordinates import Layout, Placed, placed
from bayesmed.generative.covariate_iv_data import COLUMNS
from bayesmed.generative.covariate_iv_parameters import (
    DIRECT_EFFECT_SD,
    EFFECT_CORRELATION,
    ERROR_CORRELATION,
    MEDIATOR_SD,
)
from bayesmed.generative.graph_vectors import joined
from bayesmed.generative.trial_model import JOINED

if TYPE_CHECKING:
    from bayesmed.generative.covariate_iv import CovariateIV

_PLACED = "placed"


def add_coordinates(
    layout: Layout,
    dims: Mapping[str, tuple[str, ...]],
    parameters: Mapping[str, Any],
    nodes: Mapping[str, Any],
) -> dict[str, Any]:
    """Add the coordinates and return the parameters they stand for."""
    coordinates = {name: pm.Flat(name, shape=size) for name, size in layout.sizes.items()}
    others = {k: v if k in dims else v[None] for k, v in parameters.items()}
    found = placed(layout, nodes, coordinates, others, _times)
    pm.Potential("log_jacobian", found.log_jacobian)
    errors = {OUTCOME_SD: found.errors.outcome_sd, ERROR_CORRELATION: found.errors.correlation}
    replaced = {name: value for name, value in errors.items() if name not in parameters}
    coefficients = {tuple(layout.places()): found.linear[: layout.coefficients]}
    return {**replaced, SLOPE: found.slope, JOINED: coefficients, _PLACED: found}


def add_likelihood(
    model: CovariateIV, layout: Layout, parameters: Mapping[str, Any], nodes: Mapping[str, Any]
) -> None:
    """Add the log-density of the data."""
    found: Placed = parameters[_PLACED]
    if not model.by_person:
        pm.Potential("likelihood", _of_products(layout, found, parameters[MEDIATOR_SD], nodes))
        return
    density = _of_probit if layout.probit else _of_persons
    pm.Potential("likelihood", density(layout, found, parameters, nodes).sum())


def _of_products(layout: Layout, found: Placed, mediator_sd: Any, nodes: Mapping[str, Any]) -> Any:
    """Log-density of all persons from sums of products by arm."""
    measured = nodes["measured"]
    shape = measured.type.shape[1:]
    means, rows = found.linear[layout.coefficients :], math.prod(shape)
    mediator = measured[0] - means[:rows].reshape(shape)
    outcome = measured[1] - means[rows:].reshape(shape) - found.slope * measured[0]
    sd = mediator_sd if layout.arms == 2 else mediator_sd[None]
    # Given the mediator, the outcome's error is on average λ - θ times that of the mediator.
    left = outcome - (found.seen.slope - found.slope)[:, None] * mediator
    first, second = (mediator**2).sum(axis=1), (left**2).sum(axis=1)
    n, residual = nodes["persons"], found.seen.residual_sd
    log_sds = np.log(sd) + np.log(residual) + math.log(2 * math.pi)
    return -(n * log_sds + 0.5 * (first / sd**2 + second / residual**2)).sum()


def _means(layout: Layout, found: Placed, nodes: Mapping[str, Any]) -> tuple[Any, Any]:
    """Mean of the mediator, and of the outcome but for what the slope adds, of each person."""
    basis = nodes[COLUMNS][:, : layout.included + layout.instruments]
    included, on_instruments = found.coefficients.outcome
    outcome = joined([included, on_instruments + pt.zeros(layout.instruments)])
    return basis @ joined(found.coefficients.mediator), basis @ outcome


def _of_persons(
    layout: Layout, found: Placed, parameters: Mapping[str, Any], nodes: Mapping[str, Any]
) -> Any:
    """Log-density of each person whose effects differ from others'."""
    measured, outcome, treatment, raw = (nodes[COLUMNS][:, i] for i in range(-4, 0))
    means = _means(layout, found, nodes)
    sd = _of_arm(layout, parameters[MEDIATOR_SD], treatment)
    seen = _of_arm(layout, found.seen.slope - found.slope, treatment)
    residual = _of_arm(layout, found.seen.residual_sd, treatment)
    variance = outcome_variance(residual**2, treatment, raw, effect_covariance(parameters))
    mediator = measured - means[0]
    left = outcome - means[1] - found.slope * measured - seen * mediator
    square = (mediator / sd) ** 2 + left**2 / variance
    return -0.5 * (square + np.log(variance)) - np.log(sd) - math.log(2 * math.pi)


def _of_probit(
    layout: Layout, found: Placed, parameters: Mapping[str, Any], nodes: Mapping[str, Any]
) -> Any:
    """Log-density of each person with a binary mediator."""
    measured, outcome, treatment, raw = (nodes[COLUMNS][:, i] for i in range(-4, 0))
    taken = pt.gt(raw, 0.0)
    index, mean = _means(layout, found, nodes)
    residual = outcome - mean - found.slope * measured
    errors = Errors(*(_of_arm(layout, x, treatment) for x in found.errors))
    variance = errors.outcome_sd**2
    if SLOPE_SD in parameters:
        effects = effect_covariance(parameters)
        variance = outcome_variance(variance, treatment, raw, effects)
    return probit_log_density(residual, taken, index, variance, errors, log_ndtr)


def effect_covariance(parameters: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Variances and covariance of persons' direct effects and slopes."""
    direct, slope = parameters[DIRECT_EFFECT_SD], parameters[SLOPE_SD]
    return direct**2, slope**2, direct * slope * parameters[EFFECT_CORRELATION]


def log_ndtr(z: ArrayLike) -> ArrayLike:
    r"""Logarithm of the standard normal distribution function, for PyTensor.

    Below -20 from its series, whose error there is less than 1e-11.
    """
    near = pt.log(0.5 * pt.erfc(-pt.maximum(z, -20.0) / math.sqrt(2.0)))
    far = pt.minimum(z, -20.0)
    inverse = far**-2
    series = 1 - inverse * (1 - 3 * inverse * (1 - 5 * inverse * (1 - 7 * inverse)))
    tail = -0.5 * far**2 - pt.log(-far) - 0.5 * math.log(2 * math.pi) + pt.log(series)
    found: Any = pt.switch(z > -20.0, near, tail)
    return found


def _of_arm(layout: Layout, values: Any, treatment: Any) -> Any:
    """Values of each person's arm."""
    if layout.arms == 1:
        return values if values.ndim == 0 else values[0]
    return values[0] + treatment * (values[1] - values[0])


def _times(matrix: Any, vectors: Sequence[Any]) -> Any:
    """Multiply by way of a sum: PyTensor's own product takes ten seconds to compile."""
    return (matrix * joined(vectors)).sum(axis=-1)
