"""Reasons that lie with slopes: they differ between sites, or go with mediator effects."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from bayesmed.classical import ClassicalEstimate
from bayesmed.core.names import (
    MEDIATOR_EFFECT_MEAN,
    MEDIATOR_EFFECT_SD,
    MEDIATOR_EFFECT_SLOPE_CORR,
    SLOPE_LINEAR,
    SLOPE_QUADRATIC,
    SLOPE_SD,
)
from bayesmed.core.numbers import number
from bayesmed.core.types import Floats
from bayesmed.effects.comparison import Reason
from bayesmed.effects.lines import (
    K_CLASS,
    LIML,
    ON_PERSONS,
    TWO_STAGES,
    is_least_squares,
    least_squares_coefficients,
    least_squares_weight,
    sampling_noise,
)
from bayesmed.effects.reference import WORTH_SAYING, Reference, Setting, draws
from bayesmed.formulas.expected_slopes import expected_slopes
from bayesmed.inference import Fit

WALD, BIAS_CORRECTED = "Pooled Wald", "Bias-corrected IV"
SITES_AS_THEY_ARE = (WALD, *ON_PERSONS)
"""Estimators whose standard errors leave out that slopes differ."""


def about_slopes(
    fit: Fit, setting: Setting, reference: Reference, estimate: ClassicalEstimate, p: int
) -> Iterator[Reason]:
    """Yield what slopes that differ do to an estimator, for the slope on one mediator."""
    yield from _weighing(fit, setting, estimate, p)
    yield from _compliance(fit, setting, reference, estimate, p)
    if not math.isnan(estimate.intercept):
        yield from _curvature(fit, reference, p)


def _weighing(fit: Fit, setting: Setting, estimate: ClassicalEstimate, p: int) -> Iterator[Reason]:
    """Spread, over random slopes, of the average slope that an estimator's weights make."""
    if fit.model.slope != "random":
        return
    weights = _weights_of_slopes(setting, estimate.name, p)
    if weights is None:
        return
    slope_sd = np.median(draws(fit, SLOPE_SD), axis=0)
    spread = float(np.sqrt(slope_sd**2 @ (weights**2).sum(axis=0)))
    se = float(estimate.slope_se[p])
    beside = f"beside its standard error of {number(se)}"
    if estimate.name in SITES_AS_THEY_ARE:
        beside = f"which its standard error of {number(se)} leaves out"
    yield Reason(
        "random_slope",
        f"Slopes differ between sites (sd {number(float(slope_sd[p]))}), and it averages them in "
        f"its own weights: that alone sets it off their mean by an sd of {number(spread)}, "
        f"{beside}.",
        spread,
    )


def _weights_of_slopes(setting: Setting, name: str, p: int) -> Floats | None:
    """Weights of the sites' slopes in an estimate, (R, P); None where they are not told."""
    data, intercept = setting.data, setting.intercept and name != BIAS_CORRECTED
    one = data.n_mediators == 1
    if name == WALD:
        coefficient = data.weight / float(data.weight @ data.mediator_effect[:, 0])
        return np.asarray(coefficient[:, None] * data.mediator_effect)
    if name == BIAS_CORRECTED:
        weight = 1 / data.cov[:, 0, 0]
    elif is_least_squares(data, TWO_STAGES if name == K_CLASS and one else name):
        weight = least_squares_weight(data, name, intercept)
    else:
        return None
    coefficient = least_squares_coefficients(data, weight, intercept)[p]
    return np.asarray(coefficient[:, None] * data.mediator_effect)


def _compliance(
    fit: Fit, setting: Setting, reference: Reference, estimate: ClassicalEstimate, p: int
) -> Iterator[Reason]:
    """Yield what slopes that go with mediator effects add to an estimate."""
    unknown = estimate.name == LIML or reference.spread is None
    if unknown or MEDIATOR_EFFECT_SLOPE_CORR not in fit.tree["posterior"]:
        return
    mean, sd = draws(fit, MEDIATOR_EFFECT_MEAN), draws(fit, MEDIATOR_EFFECT_SD)
    corr = draws(fit, MEDIATOR_EFFECT_SLOPE_CORR)
    omega = corr * sd[:, :, None] * draws(fit, SLOPE_SD)[:, None, :]
    if estimate.name == WALD:
        moved = omega[:, 0] / mean
    else:
        moved = _moved(setting, reference, estimate.name, mean, omega)
    added, slope = float(np.median(moved[:, p])), float(reference.slope[p])
    if abs(added) > WORTH_SAYING * reference.sd[p]:
        rho = float(np.median(corr[:, p, p]))
        yield Reason(
            "compliance_correlation",
            f"Slopes go with mediator effects (correlation {rho:.2g}), which it does not allow "
            f"for: an average slope of {number(slope)} would look like {number(slope + added)}.",
            added,
        )


def _moved(
    setting: Setting, reference: Reference, name: str, mean: Floats, omega: Floats
) -> Floats:
    """Draws of what a covariance of mediator effects and slopes adds to a line's limit: (D, P)."""
    intercept = setting.intercept and name != BIAS_CORRECTED
    data, cov, noise = setting.data, reference.spread, np.zeros(omega.shape[1:])
    assert cov is not None
    if not setting.intercept:  # then they are mean products
        cov = cov - mean[:, :, None] * mean[:, None, :]
    if is_least_squares(data, name):
        noise = sampling_noise(data, least_squares_weight(data, name, intercept))
    with_it, without = (
        expected_slopes(
            reference.slopes, mean, cov, slope_effect_cov=o, noise=noise, intercept=intercept
        )
        for o in (omega, 0.0)
    )
    return with_it - without


def _curvature(fit: Fit, reference: Reference, p: int) -> Iterator[Reason]:
    r"""Limit of a straight line, :math:`E f'(\gamma)` by Stein's lemma, less the average slope."""
    if fit.model.slope != "polynomial":
        return
    linear, quadratic = draws(fit, SLOPE_LINEAR)[:, p], draws(fit, SLOPE_QUADRATIC)[:, p]
    mean, sd = draws(fit, MEDIATOR_EFFECT_MEAN)[:, p], draws(fit, MEDIATOR_EFFECT_SD)[:, p]
    gap = float(np.median(linear * mean + 2 * quadratic * (mean**2 + sd**2)))
    if abs(gap) > WORTH_SAYING * reference.sd[p]:
        yield Reason(
            "random_slope",
            "The slope changes with the mediator effect: a straight line tends to "
            f"{number(float(reference.slope[p]) + gap)}, the average slope is "
            f"{number(float(reference.slope[p]))}.",
            gap,
        )
