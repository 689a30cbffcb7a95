"""Log-densities of the data of a covariate-IV model, new data, and what they are compared by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmed.classical.trial_products import TrialData
from bayesmed.core.errors import DataError
from bayesmed.core.names import ARM, COVARIATE, SLOPE
from bayesmed.core.types import Floats
from bayesmed.data import TrialMoments, TrialPersons
from bayesmed.formulas.covariate_iv import (
    error_regression,
    outcome_variance,
    probit_log_density,
)
from bayesmed.formulas.site_slope import LOG_2PI
from bayesmed.generative import covariate_iv_residuals as residuals
from bayesmed.generative.covariate_iv_parameters import OUTCOME_INTERCEPT
from bayesmed.generative.covariate_iv_rows import TrialRows, by_persons, person_rows, product_rows
from bayesmed.generative.protocol import Draws

if TYPE_CHECKING:
    from bayesmed.generative.covariate_iv import CovariateIV

MEAN, COVARIANCE, COVARIATE_SLOPE = "arm_mean", "arm_covariance", "covariate_slope"
VARIABLE, OTHER_VARIABLE = "variable", "other_variable"
_AT_ONCE = 2_000_000


def log_likelihood(model: CovariateIV, draws: Draws, data: TrialData) -> tuple[str, Floats]:
    """Log-density of each person, or of each arm where only moments are given.

    Returns
    -------
    tuple
        ``"person"`` or ``"arm"``, and (n, persons) or (n, 2).
    """
    rows = by_persons(data)
    outcome = residuals.outcome_residual(model, draws, rows)
    errors, v = residuals.errors_of(draws), residuals.effect_covariance(draws)
    if model.mediator == "probit":
        from scipy.special import log_ndtr

        index = residuals.mediator_equation(model, draws, rows.names).along(rows)
        own = type(errors)(*(residuals.along(x, rows) for x in errors))
        variance = outcome_variance(own.outcome_sd**2, rows.arm, rows.raw_mediator, v)
        taken = rows.raw_mediator
        return "person", probit_log_density(outcome, taken, index, variance, own, log_ndtr)
    sd, slope = residuals.of_arms(residuals.mediator_sd(draws)), draws[SLOPE][:, None]
    mediator = residuals.mediator_residual(model, draws, rows)
    seen = error_regression(slope, sd, errors)
    left = outcome - residuals.along(seen.slope - slope, rows) * mediator
    if isinstance(data, TrialMoments):
        squares = [
            np.stack([(x[:, rows.arm == arm] ** 2).sum(axis=1) for arm in (0, 1)], axis=-1)
            for x in (mediator, left)
        ]
        logs = rows.n * (LOG_2PI + np.log(sd * seen.residual_sd))
        return ARM, -logs - 0.5 * (squares[0] / sd**2 + squares[1] / seen.residual_sd**2)
    variance = outcome_variance(
        residuals.along(seen.residual_sd, rows) ** 2, rows.arm, rows.raw_mediator, v
    )
    sd = residuals.along(sd, rows)
    square = (mediator / sd) ** 2 + left**2 / variance
    return "person", -LOG_2PI - np.log(sd) - 0.5 * (np.log(variance) + square)


def observed(model: CovariateIV, data: TrialData) -> dict[str, tuple[tuple[str, ...], Floats]]:
    """Return axes and values of the statistics of the data.

    ``arm_mean`` and ``arm_covariance`` of mediator and outcome, ``covariate_slope`` of each on the
    covariates, by arm. Of moments, and a slope that covariates modify, the mediator's alone: what
    the outcome would then be does not follow from moments.
    """
    rows = product_rows(data)
    found = [_of_rows(rows, arm, _targets(rows)) for arm in (0, 1)]
    kept = slice(0, 1 if mediator_only(model, data) else 2)
    return {
        name: (dims, np.stack([own[i] for own in found])[(slice(None), *([kept] * across))])
        for i, (name, dims, across) in enumerate(_STATISTICS)
    }


_STATISTICS = (
    (MEAN, (ARM, VARIABLE), 1),
    (COVARIANCE, (ARM, VARIABLE, OTHER_VARIABLE), 2),
    (COVARIATE_SLOPE, (ARM, VARIABLE, COVARIATE), 1),
)


def replicated(
    model: CovariateIV, draws: Draws, data: TrialData, rng: np.random.Generator
) -> dict[str, Floats]:
    """Draw mediators and outcomes of the persons anew, and return the statistics of `observed`."""
    if (model.slope_modifier or model.by_person) and not isinstance(data, TrialMoments):
        return _by_persons(model, draws, person_rows(data), rng)
    rows = product_rows(data)
    arms = [_by_products(model, draws, rows, arm, rng) for arm in (0, 1)]
    kept = slice(0, 1 if mediator_only(model, data) else 2)
    return {
        name: np.stack([own[i] for own in arms], axis=1)[
            (slice(None), slice(None), *([kept] * across))
        ]
        for i, (name, _, across) in enumerate(_STATISTICS)
    }


def mediator_only(model: CovariateIV, data: TrialData) -> bool:
    """Say whether predictions are of the mediator alone."""
    return isinstance(data, TrialMoments) and bool(model.slope_modifier)


def _targets(rows: TrialRows) -> Floats:
    """(2, P) mediator and outcome as measured."""
    return np.stack([rows.raw_mediator, rows.outcome + rows.ones * rows.outcome_mean])


def _of_rows(rows: TrialRows, arm: int, targets: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean (..., 2), covariance (..., 2, 2) and slopes (..., 2, q) of targets (..., 2, P)."""
    chosen, n = rows.arm == arm, rows.n[arm]
    own, ones = targets[..., chosen], rows.ones[chosen]
    mean = own @ ones / n
    apart = own - mean[..., None] * ones
    x = np.column_stack([ones, rows.covariates[chosen]])
    slopes = own @ np.linalg.pinv(x).T
    return mean, apart @ np.swapaxes(apart, -1, -2) / (n - 1), slopes[..., 1:]


def _by_products(
    model: CovariateIV, draws: Draws, rows: TrialRows, arm: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Draw the statistics of one arm from their distribution, without persons.

    Given covariates, coefficients of mediator and outcome on them are normal around the model's,
    and what they leave is Wishart.
    """
    chosen, n = rows.arm == arm, rows.n[arm]
    x = np.column_stack([rows.ones, rows.covariates])[chosen]
    inverse = np.linalg.pinv(x)
    rank = np.linalg.matrix_rank(x)
    slope, sd = draws[SLOPE], residuals.of_arms(residuals.mediator_sd(draws))[:, arm]
    errors = residuals.errors_of(draws)
    seen = error_regression(
        slope, sd, type(errors)(errors.outcome_sd[:, arm], errors.correlation[:, arm])
    )
    count, df = len(slope), n - rank
    first = residuals.mediator_equation(model, draws, rows.names)[arm]
    second = residuals.outcome_equation(model, draws, rows)[arm] + slope[:, None] * first
    # The outcome's equation is where the mediator is at its mean.
    second[:, 0] -= slope * rows.mediator_mean
    noise = rng.standard_normal((2, count, x.shape[0])) @ inverse.T
    of_mediator = sd[:, None] * noise[0]
    of_outcome = seen.slope[:, None] * of_mediator + seen.residual_sd[:, None] * noise[1]
    coefficients = np.stack([first + of_mediator, second + of_outcome], axis=1)
    root = sd * np.sqrt(rng.chisquare(df, count))
    across = rng.standard_normal(count) * seen.residual_sd
    rest = seen.residual_sd**2 * rng.chisquare(max(df - 1, 1), count)
    along = seen.slope * root + across
    products = np.array([[root**2, root * along], [root * along, along**2 + rest]])
    fitted = coefficients @ x.T
    ones = rows.ones[chosen]
    mean = fitted @ ones / n
    apart = fitted - mean[..., None] * ones
    cross = apart @ np.swapaxes(apart, -1, -2) + np.moveaxis(products, -1, 0)
    return mean, cross / (n - 1), coefficients[..., 1:]


def _by_persons(
    model: CovariateIV, draws: Draws, rows: TrialRows, rng: np.random.Generator
) -> dict[str, Floats]:
    """Draw every person, some draws of the parameters at a time."""
    count = len(draws[SLOPE])
    at_once = max(1, _AT_ONCE // len(rows.arm))
    found: dict[str, list[Floats]] = {name: [] for name, *_ in _STATISTICS}
    for start in range(0, count, at_once):
        some = {name: values[start : start + at_once] for name, values in draws.items()}
        targets = simulated_persons(model, some, rows, rng)
        arms = [_of_rows(rows, arm, targets) for arm in (0, 1)]
        for i, name in enumerate(found):
            found[name].append(np.stack([own[i] for own in arms], axis=1))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def simulated(
    model: CovariateIV, draws: Draws, data: TrialData, rng: np.random.Generator
) -> tuple[TrialPersons, dict[str, Floats]]:
    """Draw new persons from the first draw; see `CovariateIV.simulated`."""
    if isinstance(data, TrialMoments):
        raise DataError(
            f"{data.source}: new persons cannot be drawn for moments.", "Give the persons."
        )
    first = {name: values[:1] for name, values in draws.items()}
    mediator, outcome = simulated_persons(model, first, person_rows(data), rng)[0]
    by = mediator.mean() - data.mediator.mean()
    first[OUTCOME_INTERCEPT] = first[OUTCOME_INTERCEPT] + by * first[SLOPE]
    return replace(data, mediator=mediator, outcome=outcome), first


def simulated_persons(
    model: CovariateIV, draws: Draws, rows: TrialRows, rng: np.random.Generator
) -> Floats:
    """Draw (n, 2, N) mediators and outcomes, treatment and covariates as they are."""
    shape = len(draws[SLOPE]), len(rows.arm)
    noise: NDArray[np.float64] = rng.standard_normal((2, *shape))
    errors = type(residuals.errors_of(draws))(
        *(residuals.along(x, rows) for x in residuals.errors_of(draws))
    )
    v = residuals.along(residuals.mediator_sd(draws), rows) * noise[0]
    shared = errors.correlation * noise[0]
    e = errors.outcome_sd * (shared + np.sqrt(1 - errors.correlation**2) * noise[1])
    mediator = residuals.mediator_equation(model, draws, rows.names).along(rows) + v
    if model.mediator == "probit":
        mediator = (mediator > 0).astype(np.float64)
    direct, slope, both = residuals.effect_covariance(draws)
    effects = outcome_variance(0.0, rows.arm, mediator, (direct, slope, both))
    own_slope = draws[SLOPE][:, None]
    expected = residuals.outcome_equation(model, draws, rows).along(rows)
    expected += own_slope * (mediator - rows.mediator_mean)
    expected += mediator * (residuals.slope_modifiers(model, draws, rows) @ rows.covariates.T)
    # Given treatment and mediator, what persons' effects add is normal.
    outcome = expected + e + np.sqrt(effects) * rng.standard_normal(shape)
    return np.stack([mediator, outcome], axis=1)
