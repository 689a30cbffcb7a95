"""Residuals of the covariate-IV model along rows, for draws of its parameters in data units."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bayesmed.classical.trial_instruments import position
from bayesmed.core.names import DIRECT_EFFECT, MEDIATOR_EFFECT, OUTCOME_SD, SLOPE, SLOPE_SD
from bayesmed.core.types import Floats
from bayesmed.data import TrialNames
from bayesmed.formulas.covariate_iv import Errors
from bayesmed.generative.covariate_iv_data import fixed_modifiers
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
    SLOPE_MODIFIER,
    instruments_of,
)
from bayesmed.generative.covariate_iv_rows import TrialRows
from bayesmed.generative.protocol import Draws

if TYPE_CHECKING:
    from bayesmed.generative.covariate_iv import CovariateIV


class Equation(NamedTuple):
    """Coefficients (n, 1 + q) of ones and covariates in each arm."""

    control: Floats
    treated: Floats

    def along(self, rows: TrialRows) -> Floats:
        """(n, P) values of the equation."""
        x = np.column_stack([rows.ones, rows.covariates]).T
        found: Floats = np.where(rows.arm > 0, self.treated @ x, self.control @ x)
        return found


def modifications(model: CovariateIV, draws: Draws, names: TrialNames) -> Floats:
    """(n, q) d by covariate, 0 for covariates that do not enter with treatment."""
    design = instruments_of(model, names)
    values = draws[MEDIATOR_MODIFICATION]
    found = np.zeros((len(values), len(names.covariates)))
    found[:, sorted(design.instruments + design.interacted)] = values
    return found


def mediator_equation(model: CovariateIV, draws: Draws, names: TrialNames) -> Equation:
    """Mean of the mediator, or the index of a probit."""
    control = np.column_stack([draws[MEDIATOR_INTERCEPT], draws[MEDIATOR_COEFFICIENT]])
    treatment = np.column_stack([draws[MEDIATOR_EFFECT], modifications(model, draws, names)])
    return Equation(control, control + treatment)


def outcome_equation(model: CovariateIV, draws: Draws, rows: TrialRows) -> Equation:
    """Mean of the outcome where the mediator is at its mean and modifies nothing."""
    names = rows.names
    control = np.column_stack([draws[OUTCOME_INTERCEPT], draws[OUTCOME_COEFFICIENT]])
    crossed = direct_modifiers(model, draws, rows)
    if DIRECT_MODIFICATION in draws:
        crossed = crossed + np.zeros((len(control), 1))
        crossed[:, list(instruments_of(model, names).interacted)] += draws[DIRECT_MODIFICATION]
    treatment = np.column_stack(
        [draws[DIRECT_EFFECT], np.broadcast_to(crossed, (len(control), crossed.shape[1]))]
    )
    return Equation(control, control + treatment)


def direct_modifiers(model: CovariateIV, draws: Draws, rows: TrialRows) -> Floats:
    """(n or 1, q) of the direct effect by covariate."""
    fixed = fixed_modifiers(model.direct_pairs, rows)[None]
    return _with_drawn(fixed, rows.names, model.uncertain_direct, draws.get(DIRECT_MODIFIER))


def slope_modifiers(model: CovariateIV, draws: Draws, rows: TrialRows) -> Floats:
    """(n or 1, q) of the slope by covariate."""
    fixed = fixed_modifiers(model.slope_pairs, rows)[None]
    return _with_drawn(fixed, rows.names, model.uncertain_slope, draws.get(SLOPE_MODIFIER))


def _with_drawn(
    fixed: Floats, names: TrialNames, drawn: tuple[str, ...], values: Floats | None
) -> Floats:
    if values is None or not drawn:
        return fixed
    found = np.repeat(fixed, len(values), axis=0)
    found[:, [position(names, name) for name in drawn]] = values
    return found


def mediator_residual(model: CovariateIV, draws: Draws, rows: TrialRows) -> Floats:
    """(n, P) v of a normal mediator."""
    expected = mediator_equation(model, draws, rows.names).along(rows)
    return np.asarray(rows.raw_mediator - expected)


def outcome_residual(model: CovariateIV, draws: Draws, rows: TrialRows) -> Floats:
    """(n, P) the outcome less its mean given mediator, treatment and covariates, but for e."""
    expected = outcome_equation(model, draws, rows).along(rows)
    expected += draws[SLOPE][:, None] * rows.mediator
    expected += slope_modifiers(model, draws, rows) @ rows.products.T
    return np.asarray(rows.outcome + rows.ones * rows.outcome_mean - expected)


def of_arms(values: Floats) -> Floats:
    """(n, 2) values by arm, also where both arms have the same."""
    return values if values.ndim == 2 else np.repeat(values[:, None], 2, axis=1)


def along(values: Floats, rows: TrialRows) -> Floats:
    """(n, P) values of each row's arm."""
    return of_arms(values)[:, rows.arm.astype(np.int64)]


def mediator_sd(draws: Draws) -> Floats:
    """Return the standard deviation of v, 1 with a probit."""
    return draws[MEDIATOR_SD] if MEDIATOR_SD in draws else np.ones_like(draws[OUTCOME_SD])


def errors_of(draws: Draws) -> Errors:
    """(n, 2) errors by arm."""
    return Errors(of_arms(draws[OUTCOME_SD]), of_arms(draws[ERROR_CORRELATION]))


def effect_covariance(draws: Draws) -> tuple[Floats, Floats, Floats]:
    """(n, 1) variances and covariance of persons' direct effects and slopes, 0 if constant."""
    if SLOPE_SD not in draws:
        none = np.zeros((len(draws[SLOPE]), 1))
        return none, none, none
    direct, slope = draws[DIRECT_EFFECT_SD][:, None], draws[SLOPE_SD][:, None]
    return direct**2, slope**2, direct * slope * draws[EFFECT_CORRELATION][:, None]
