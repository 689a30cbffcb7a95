"""How much in every total effect, by other ways, changes what a line through 0 says of 0."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bayesmed.checks.assumptions.line import NOTHING, Sensitivity
from bayesmed.checks.assumptions.site_draws import (
    average_slopes,
    by_mediator,
    line_weights,
    site_means,
)
from bayesmed.checks.assumptions.site_numbers import nearest, of_slope
from bayesmed.checks.assumptions.tipping import INTERVAL, Tipping, tipping_sentence
from bayesmed.core.names import SLOPE_SD
from bayesmed.core.numbers import number
from bayesmed.core.types import Floats
from bayesmed.formulas.tilted_lines import tilt_of_constant
from bayesmed.formulas.varying_line import varying_line
from bayesmed.inference import Fit

__all__ = ["equal_addition"]

STEPS = 48
"""Amounts that are tried on either side, up to several times what a straight tilt would need."""
FARTHEST = 3.0


def equal_addition(fit: Fit) -> Sensitivity:
    """Find the amount in every total effect that would change what a line through 0 says of 0.

    It stands for a mean direct effect as for a within-site covariance. An approximation: intervals
    move and widen as lines of maximum likelihood do that go through sites at their posterior means.
    """
    if fit.model.slope == "polynomial":
        return NOTHING
    ends = _ends(fit)
    points = [_point(fit, ends, p) for p in range(fit.data.n_mediators)]
    found, which = nearest(points)
    mean = float(fit.data.weight @ fit.data.total_effect / fit.data.weight.sum())
    beside = f"total effects average {number(mean)}"
    what = f"direct effects, or a κ, of about {{}} at every site ({beside})"
    return tipping_sentence(found, "in units of the outcome", what, of=of_slope(fit, which))


def _ends(fit: Fit) -> Callable[[float], Floats]:
    """Return a function of the amount that gives (2, P) ends of the intervals of slopes."""
    slopes, gamma, total = average_slopes(fit), site_means(fit), fit.data.total_effect
    contrast = np.append(-slopes.mean(axis=0), 1.0)
    variance = np.einsum("i,sij,j->s", contrast, fit.data.cov, contrast)
    variance = np.maximum(variance, 1e-6 * float(1.0 / line_weights(fit).min()))
    varies = SLOPE_SD in fit.tree["posterior"]
    start = by_mediator(fit, SLOPE_SD).mean(axis=0) if varies else np.zeros(slopes.shape[1])
    plain = varying_line(gamma, total, variance, start)
    se, away = np.sqrt(np.diagonal(plain.cov)), np.quantile(slopes, INTERVAL, axis=0)
    middle = slopes.mean(axis=0)

    def at(amount: float) -> Floats:
        line = varying_line(gamma, total - amount, variance, start)
        wider = np.sqrt(np.diagonal(line.cov)) / se
        return np.asarray(middle + line.slope - plain.slope + (away - middle) * wider)

    return at


def _point(fit: Fit, ends: Callable[[float], Floats], p: int) -> Tipping | None:
    """Return the amount nearest to 0 at which the interval of slope p changes sides of 0."""
    plain = ends(0.0)[:, p]
    tilt = float(tilt_of_constant(site_means(fit), line_weights(fit))[p])
    if tilt == 0:
        return None
    farthest = FARTHEST * float(np.abs(plain).max()) / abs(tilt)

    def holds_zero(amount: float) -> bool:
        low, high = ends(amount)[:, p]
        return bool(low <= 0 <= high)

    now, before = holds_zero(0.0), 0.0
    for size in np.linspace(0.0, farthest, STEPS + 1)[1:]:
        for sign in (1.0, -1.0):
            if holds_zero(sign * size) != now:
                return Tipping(_between(holds_zero, sign * before, sign * float(size)), now)
        before = float(size)
    return None


def _between(holds_zero: Callable[[float], bool], inside: float, outside: float) -> float:
    """Halve a stretch at whose ends the answers differ, to a thousandth of its end."""
    first = holds_zero(inside)
    while abs(outside - inside) > 1e-3 * abs(outside):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if holds_zero(middle) == first else (inside, middle)
    return outside
