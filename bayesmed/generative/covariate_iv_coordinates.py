r"""Coordinates in which the posterior of the covariate-IV model is nearly standard normal.

Covariates, treatment and their products are made orthonormal once, by QR. With q the coefficients
on them, given :math:`\theta_M`, the errors' standard deviations and :math:`\lambda`
(`bayesmed.formulas.covariate_iv`), the likelihood of the mediator's q is normal, and so is that of
the outcome's given M. Coordinates are their standardised values, so that neither correlated
covariates nor weak instruments make anything go together. :math:`\lambda` and :math:`\omega`,
which least squares tells, stand in the place of :math:`\psi` and :math:`\sigma_e`.

All functions take NumPy arrays with draws first, and PyTensor variables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmed.core.names import DIRECT_EFFECT, MEDIATOR_EFFECT, OUTCOME_SD, SLOPE, SLOPE_SD
from bayesmed.core.types import ArrayLike, Floats
from bayesmed.formulas.covariate_iv import (
    ErrorRegression,
    Errors,
    error_log_jacobian,
    error_regression,
    errors_behind,
)
from bayesmed.generative.covariate_iv_parameters import (
    DIRECT_EFFECT_SD,
    DIRECT_MODIFICATION,
    DIRECT_MODIFIER,
    EFFECT_CORRELATION,
    ERROR_CORRELATION,
    MEDIATOR_COEFFICIENT,
    MEDIATOR_INTERCEPT,
    MEDIATOR_MODIFICATION,
    MEDIATOR_SD,
    OUTCOME_COEFFICIENT,
    OUTCOME_INTERCEPT,
    instruments_of,
)

if TYPE_CHECKING:
    from bayesmed.data import TrialNames
    from bayesmed.generative.covariate_iv import CovariateIV

COORDINATES = "coordinates"
PROBIT_SD = 1.4
"""About the standard error of a probit coefficient on a column of length 1."""


@dataclass(frozen=True)
class Layout:
    """Sizes and places of coefficients, which follow from choices and names alone.

    Attributes
    ----------
    covariates, controls, instruments
        How many: q, products of controls with treatment, k.
    place
        Where each interacted covariate, in order, stands among controls and then instruments.
    arms
        Number of arms with errors of their own.
    free_errors
        Whether λ and ω are coordinates.
    probit
        Whether the mediator is binary.
    """

    covariates: int
    controls: int
    instruments: int
    place: tuple[int, ...]
    arms: int
    free_errors: bool
    probit: bool

    @classmethod
    def of(cls, model: CovariateIV, names: TrialNames) -> Layout:
        """Read the choices of a model."""
        design = instruments_of(model, names)
        order = [*design.interacted, *design.instruments]
        return cls(
            covariates=len(names.covariates),
            controls=len(design.interacted),
            instruments=len(design.instruments),
            place=tuple(order.index(j) for j in sorted(order)),
            arms=2 if model.errors == "by_arm" else 1,
            free_errors=model.free_errors,
            probit=model.mediator == "probit",
        )

    @property
    def included(self) -> int:
        """L: ones, covariates, treatment and products of controls with it."""
        return 2 + self.covariates + self.controls

    @property
    def size(self) -> int:
        """Number of coordinates."""
        errors = 2 * self.arms if self.free_errors else 0
        return 2 * self.included + self.instruments + 1 + errors


@dataclass(frozen=True, eq=False)
class Placed:
    """Parameters at coordinates.

    Attributes
    ----------
    parameters
        Standardised parameters by name.
    mediator
        (..., L + k) the mediator's coefficients on orthonormal columns.
    outcome
        (..., L + k) the outcome's, less what the mediator's effect adds.
    errors, seen
        (..., A) errors, and what least squares sees of them.
    log_jacobian
        Of the parameters by the coordinates.
    """

    parameters: dict[str, ArrayLike]
    mediator: tuple[ArrayLike, ArrayLike]
    outcome: tuple[ArrayLike, ArrayLike]
    errors: Errors
    seen: ErrorRegression
    log_jacobian: ArrayLike


def placed(
    layout: Layout,
    nodes: Mapping[str, Any],
    coordinates: ArrayLike,
    others: Mapping[str, ArrayLike],
    join: Callable[[Sequence[ArrayLike]], ArrayLike],
) -> Placed:
    """Map coordinates to parameters.

    Parameters
    ----------
    layout
        Sizes.
    nodes
        ``triangle``, ``fitted``, ``start``, ``slope_start`` and more of the data nodes.
    coordinates
        (..., `Layout.size`).
    others
        Standardised parameters that are no coordinates, axes of length 1 where there is one.
    join
        Concatenates along the last axis.
    """
    at, k = layout.included, layout.instruments
    of_slope = coordinates[..., 2 * at + k : 2 * at + k + 1]
    modifier = others.get(DIRECT_MODIFIER)
    slope = nodes["slope_start"][0] + nodes["slope_start"][1] * of_slope
    shift: ArrayLike = 0.0
    if modifier is not None:
        slope = slope - (modifier * nodes["slope_shift"]).sum(axis=-1, keepdims=True)
        shift = modifier @ nodes["modified"].T
    spread = nodes["spread"] if layout.probit else others[MEDIATOR_SD]
    errors, seen, log_jacobian = _errors(layout, nodes, coordinates, slope, spread, others)
    log_residual = np.log(seen.residual_sd).mean(axis=-1, keepdims=True)
    equations = _probit if layout.probit else _normal
    first, second, log_scale = equations(
        layout, nodes, coordinates, slope, spread, seen, np.exp(log_residual), shift
    )
    parameters = _named(layout, nodes, first, second, join)
    parameters |= {
        SLOPE: slope,
        OUTCOME_SD: errors.outcome_sd,
        ERROR_CORRELATION: errors.correlation,
    }
    log_jacobian = log_jacobian + log_scale + at * log_residual.sum(axis=-1)
    return Placed(parameters, first, second, errors, seen, log_jacobian)


def _errors(
    layout: Layout,
    nodes: Mapping[str, Any],
    coordinates: ArrayLike,
    slope: ArrayLike,
    spread: ArrayLike,
    others: Mapping[str, ArrayLike],
) -> tuple[Errors, ErrorRegression, ArrayLike]:
    """Errors, the regression they give, and the log-Jacobian of the first by coordinates."""
    if not layout.free_errors:
        errors = Errors(others[OUTCOME_SD], others[ERROR_CORRELATION])
        return errors, error_regression(slope, spread, errors), 0.0
    first = layout.size - 2 * layout.arms
    start = nodes["start"]
    centre, scale, log_sd, log_scale = (start[i] for i in range(4))
    of_slope = coordinates[..., first : first + layout.arms]
    log_whole = log_sd + log_scale * coordinates[..., first + layout.arms :]
    log_residual, of_scale = log_whole, 0.0
    if SLOPE_SD in others:
        # The data tell the whole variance w, persons' effects taking u of it: w²/(w + u), which
        # is never negative, is about what they leave.
        share = _of_effects(nodes, others) * np.exp(-2.0 * log_whole)
        log_residual = log_whole - 0.5 * np.log1p(share)
        of_scale = np.log1p(share / (1.0 + share))
    seen = ErrorRegression(centre + scale * of_slope, np.exp(log_residual))
    errors = errors_behind(slope, spread, seen)
    log_jacobian = error_log_jacobian(spread, seen.residual_sd, errors.outcome_sd)
    return errors, seen, (log_jacobian + log_residual + of_scale).sum(axis=-1)


def _of_effects(nodes: Mapping[str, Any], others: Mapping[str, ArrayLike]) -> ArrayLike:
    """(..., A) average variance of the outcome that persons' effects make."""
    direct, slope, correlation = (
        others[name] for name in (DIRECT_EFFECT_SD, SLOPE_SD, EFFECT_CORRELATION)
    )
    treated, squared, both = (nodes["squares"][i] for i in range(3))
    return direct**2 * treated + slope**2 * squared + 2.0 * correlation * direct * slope * both


def _normal(
    layout: Layout,
    nodes: Mapping[str, Any],
    coordinates: ArrayLike,
    slope: ArrayLike,
    mediator_sd: ArrayLike,
    seen: ErrorRegression,
    residual_sd: ArrayLike,
    shift: ArrayLike,
) -> tuple[tuple[ArrayLike, ArrayLike], tuple[ArrayLike, ArrayLike], ArrayLike]:
    r"""Coefficients of the mediator and the outcome, and the log-scale of those of the mediator.

    On the instruments, with :math:`\hat m, \hat y` least squares and :math:`\Delta=\theta-\lambda`,
    both equations speak of the mediator's coefficients q: precision
    :math:`\sigma_v^{-2}+\Delta^2\omega^{-2}`, mean
    :math:`\{\hat m\sigma_v^{-2}+\Delta(\hat y-\lambda\hat m-\tau_R)\omega^{-2}\}` over it.
    """
    at, k = layout.included, layout.instruments
    z, of_instruments, of_outcome = (
        coordinates[..., :at],
        coordinates[..., at : at + k],
        coordinates[..., at + k : 2 * at + k],
    )
    m, y = nodes["fitted"][0], nodes["fitted"][1]
    log_sd = np.log(mediator_sd).mean(axis=-1, keepdims=True)
    sd, slope_seen = np.exp(log_sd), seen.slope.mean(axis=-1, keepdims=True)
    apart = slope - slope_seen
    precision = sd**-2 + (apart / residual_sd) ** 2
    told = m[at:] / sd**2 + apart * (y[at:] - slope_seen * m[at:] - shift) / residual_sd**2
    on_instruments = told / precision + of_instruments / np.sqrt(precision)
    on_included = m[:at] + sd * z
    outcome = y[:at] + slope_seen * sd * z + residual_sd * of_outcome - slope * on_included
    log_scale = (at * log_sd - 0.5 * k * np.log(precision)).sum(axis=-1)
    return (on_included, on_instruments), (outcome, shift), log_scale


def _probit(
    layout: Layout,
    nodes: Mapping[str, Any],
    coordinates: ArrayLike,
    slope: ArrayLike,
    spread: ArrayLike,
    seen: ErrorRegression,
    residual_sd: ArrayLike,
    shift: ArrayLike,
) -> tuple[tuple[ArrayLike, ArrayLike], tuple[ArrayLike, ArrayLike], ArrayLike]:
    """Coefficients of the mediator's index and the outcome; the index's scale is fixed."""
    at, k = layout.included, layout.instruments
    m, y, index = nodes["fitted"][0], nodes["fitted"][1], nodes["fitted"][2]
    on_included = index[:at] + PROBIT_SD * coordinates[..., :at]
    on_instruments = index[at:] + PROBIT_SD * coordinates[..., at : at + k]
    outcome = y[:at] - slope * m[:at] + residual_sd * coordinates[..., at + k : 2 * at + k]
    return (on_included, on_instruments), (outcome, shift), 0.0


def _named(
    layout: Layout,
    nodes: Mapping[str, Any],
    first: tuple[ArrayLike, ArrayLike],
    second: tuple[ArrayLike, ArrayLike],
    join: Callable[[Sequence[ArrayLike]], ArrayLike],
) -> dict[str, ArrayLike]:
    """Turn coefficients on orthonormal columns into those of the variables."""
    at, q = layout.included, layout.covariates
    triangle = nodes["triangle"]
    of_included, of_both, of_instruments = (
        triangle[:at, :at],
        triangle[:at, at:],
        triangle[at:, at:],
    )
    mediator = first[0] @ of_included.T + first[1] @ of_both.T
    modification = join([mediator[..., q + 2 :], first[1] @ of_instruments.T])
    outcome = second[0] @ of_included.T
    if not isinstance(second[1], float):
        outcome = outcome + second[1] @ of_both.T
    found = {
        MEDIATOR_INTERCEPT: mediator[..., :1],
        MEDIATOR_COEFFICIENT: mediator[..., 1 : 1 + q],
        MEDIATOR_EFFECT: mediator[..., 1 + q : 2 + q],
        MEDIATOR_MODIFICATION: modification[..., list(layout.place)],
        OUTCOME_INTERCEPT: outcome[..., :1],
        OUTCOME_COEFFICIENT: outcome[..., 1 : 1 + q],
        DIRECT_EFFECT: outcome[..., 1 + q : 2 + q],
    }
    if layout.controls:
        found[DIRECT_MODIFICATION] = outcome[..., 2 + q :]
    return found


def observed_columns(values: Sequence[Floats]) -> Floats:
    """Join arrays of NumPy along the last axis."""
    return np.concatenate(list(values), axis=-1)
