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
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bayesmed.core.names import DIRECT_EFFECT, MEDIATOR_EFFECT, OUTCOME_SD, SLOPE_SD
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

# Sampled in place of the mediator's coefficients (two), the outcome's, the slope, λ and ω.
INCLUDED, INSTRUMENTS = "on_included", "on_instruments"
OUTCOME, AT_SLOPE = "of_outcome", "of_slope"
OF_SEEN, OF_RESIDUAL = "of_seen_slope", "of_residual_sd"

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
    def sizes(self) -> dict[str, int]:
        """Lengths of the vectors of coordinates."""
        at, k = self.included, self.instruments
        found = {INCLUDED: at, INSTRUMENTS: k, OUTCOME: at, AT_SLOPE: 1}
        if self.free_errors:
            found |= {OF_SEEN: self.arms, OF_RESIDUAL: self.arms}
        return found

    @property
    def coefficients(self) -> int:
        """Number of coefficients of variables in both equations, but for the slope."""
        return 2 * self.included + self.instruments

    def places(self) -> dict[str, list[int]]:
        """Where parameters stand among the mediator's coefficients and then the outcome's.

        Coefficients are those of ones, covariates, treatment and products with it: of controls,
        then of instruments, which the outcome has none of. In the order of the table.
        """
        q, y = self.covariates, self.included + self.instruments
        found = {
            DIRECT_EFFECT: [y + 1 + q],
            MEDIATOR_EFFECT: [1 + q],
            MEDIATOR_MODIFICATION: [2 + q + j for j in self.place],
            DIRECT_MODIFICATION: [y + 2 + q + j for j in range(self.controls)],
            MEDIATOR_INTERCEPT: [0],
            MEDIATOR_COEFFICIENT: [1 + j for j in range(q)],
            OUTCOME_INTERCEPT: [y],
            OUTCOME_COEFFICIENT: [y + 1 + j for j in range(q)],
        }
        return {name: at for name, at in found.items() if at}


class Coefficients(NamedTuple):
    """Coefficients on orthonormal columns, the L included ones and the k of instruments.

    The outcome's are less what the mediator's effect adds; on instruments they are 0, or what
    direct modifiers with a prior add.
    """

    mediator: tuple[ArrayLike, ArrayLike]
    outcome: tuple[ArrayLike, ArrayLike]


@dataclass(frozen=True, eq=False)
class Placed:
    """Parameters at coordinates.

    Attributes
    ----------
    linear
        (..., R) what is linear in the coefficients: node ``linear`` times them, the standardised
        parameters first.
    slope
        (..., 1).
    errors, seen
        (..., A) errors, and what least squares sees of them.
    coefficients
        On orthonormal columns.
    log_jacobian
        Of the parameters by the coordinates.
    """

    linear: ArrayLike
    slope: ArrayLike
    errors: Errors
    seen: ErrorRegression
    coefficients: Coefficients
    log_jacobian: ArrayLike


def placed(
    layout: Layout,
    nodes: Mapping[str, Any],
    coordinates: Mapping[str, ArrayLike],
    others: Mapping[str, ArrayLike],
    times: Callable[[ArrayLike, Sequence[ArrayLike]], ArrayLike],
) -> Placed:
    """Map coordinates to parameters.

    Parameters
    ----------
    layout
        Sizes.
    nodes
        ``linear``, ``start``, ``slope_start`` and more of `covariate_iv_data.observations`.
    coordinates
        (..., length) by name, as `Layout.sizes` has them.
    others
        Standardised parameters that are no coordinates, axes of length 1 where there is one.
    times
        Multiplies a matrix by vectors that stand one after another.
    """
    at = layout.included
    modifier = others.get(DIRECT_MODIFIER)
    slope = nodes["slope_start"][0] + nodes["slope_start"][1] * coordinates[AT_SLOPE]
    shift: ArrayLike = 0.0
    if modifier is not None:
        slope = slope - (modifier * nodes["slope_shift"]).sum(axis=-1, keepdims=True)
        shift = times(nodes["modified"], [modifier])
    spread = nodes["spread"] if layout.probit else others[MEDIATOR_SD]
    errors, seen, log_jacobian = _errors(layout, nodes, coordinates, slope, spread, others)
    log_residual = np.log(seen.residual_sd).mean(axis=-1, keepdims=True)
    equations = _probit if layout.probit else _normal
    found, log_scale = equations(
        layout, nodes, coordinates, slope, spread, seen, np.exp(log_residual), shift
    )
    vectors = [*found.mediator, found.outcome[0]]
    if modifier is not None:
        vectors.append(shift)
    linear = times(nodes["linear"], vectors)
    log_jacobian = log_jacobian + log_scale + at * log_residual.sum(axis=-1)
    return Placed(linear, slope, errors, seen, found, log_jacobian)


def linear_part(layout: Layout, triangle: Floats, shifted: bool) -> Floats:
    """(2L + k, 2L + k) from coefficients on orthonormal columns to parameters.

    Parameters
    ----------
    layout
        Sizes and places.
    triangle
        (L + k, L + k) from coefficients on orthonormal columns to those of the variables.
    shifted
        Whether the outcome has k coefficients on instruments' columns too, which stand last.
    """
    at, whole = layout.included, len(triangle)
    found = np.zeros((whole + at, 2 * whole))
    found[:whole, :whole] = triangle
    found[whole:, whole:] = triangle[:at]
    rows = [j for places in layout.places().values() for j in places]
    return found[rows, : None if shifted else whole + at]


def named(layout: Layout, values: Any) -> dict[str, Any]:
    """Take parameters by name from a vector of them, along the last axis."""
    found, start = {}, 0
    for name, places in layout.places().items():
        found[name] = values[..., start : start + len(places)]
        start += len(places)
    return found


def _errors(
    layout: Layout,
    nodes: Mapping[str, Any],
    coordinates: Mapping[str, ArrayLike],
    slope: ArrayLike,
    spread: ArrayLike,
    others: Mapping[str, ArrayLike],
) -> tuple[Errors, ErrorRegression, ArrayLike]:
    """Errors, the regression they give, and the log-Jacobian of the first by coordinates."""
    if not layout.free_errors:
        errors = Errors(others[OUTCOME_SD], others[ERROR_CORRELATION])
        return errors, error_regression(slope, spread, errors), 0.0
    start = nodes["start"]
    centre, scale, log_sd, log_scale = (start[i] for i in range(4))
    log_whole = log_sd + log_scale * coordinates[OF_RESIDUAL]
    log_residual, of_scale = log_whole, 0.0
    if SLOPE_SD in others:
        # The data tell the whole variance w, persons' effects taking u of it: w²/(w + u), which
        # is never negative, is about what they leave.
        share = _of_effects(nodes, others) * np.exp(-2.0 * log_whole)
        log_residual = log_whole - 0.5 * np.log1p(share)
        of_scale = np.log1p(share / (1.0 + share))
    seen = ErrorRegression(centre + scale * coordinates[OF_SEEN], np.exp(log_residual))
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
    coordinates: Mapping[str, ArrayLike],
    slope: ArrayLike,
    mediator_sd: ArrayLike,
    seen: ErrorRegression,
    residual_sd: ArrayLike,
    shift: ArrayLike,
) -> tuple[Coefficients, ArrayLike]:
    r"""Coefficients, and the log-scale of those of the mediator.

    On the instruments, with :math:`\hat m, \hat y` least squares and :math:`\Delta=\theta-\lambda`,
    both equations speak of the mediator's coefficients q: precision
    :math:`\sigma_v^{-2}+\Delta^2\omega^{-2}`, mean
    :math:`\{\hat m\sigma_v^{-2}+\Delta(\hat y-\lambda\hat m-\tau_R)\omega^{-2}\}` over it.
    """
    m, y = (nodes["fitted_instruments"][i] for i in range(2))
    log_sd = np.log(mediator_sd).mean(axis=-1, keepdims=True)
    sd, slope_seen = np.exp(log_sd), seen.slope.mean(axis=-1, keepdims=True)
    apart = slope - slope_seen
    precision = sd**-2 + (apart / residual_sd) ** 2
    told = m / sd**2 + apart * (y - slope_seen * m - shift) / residual_sd**2
    on_instruments = told / precision + coordinates[INSTRUMENTS] / np.sqrt(precision)
    m, y = (nodes["fitted_included"][i] for i in range(2))
    on_included = m + sd * coordinates[INCLUDED]
    outcome = y + slope_seen * sd * coordinates[INCLUDED] + residual_sd * coordinates[OUTCOME]
    log_scale = (layout.included * log_sd - 0.5 * layout.instruments * np.log(precision)).sum(
        axis=-1
    )
    found = Coefficients((on_included, on_instruments), (outcome - slope * on_included, shift))
    return found, log_scale


def _probit(
    layout: Layout,
    nodes: Mapping[str, Any],
    coordinates: Mapping[str, ArrayLike],
    slope: ArrayLike,
    spread: ArrayLike,
    seen: ErrorRegression,
    residual_sd: ArrayLike,
    shift: ArrayLike,
) -> tuple[Coefficients, ArrayLike]:
    """Coefficients of the mediator's index and the outcome; the index's scale is fixed."""
    m, y, index = (nodes["fitted_included"][i] for i in range(3))
    on_included = index + PROBIT_SD * coordinates[INCLUDED]
    on_instruments = nodes["fitted_instruments"][2] + PROBIT_SD * coordinates[INSTRUMENTS]
    outcome = y - slope * m + residual_sd * coordinates[OUTCOME]
    return Coefficients((on_included, on_instruments), (outcome, shift)), 0.0


def numpy_times(matrix: Floats, vectors: Sequence[Floats]) -> Floats:
    """(n, rows) from (rows, columns) and arrays (n, some of the columns)."""
    return np.concatenate(list(vectors), axis=-1) @ matrix.T
