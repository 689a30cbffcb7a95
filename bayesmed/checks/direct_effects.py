"""What data say of there being no direct effects, where the model allows for them."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from bayesmed.checks.result import CheckResult
from bayesmed.core.names import CHAIN, DIRECT_EFFECT_MEAN, DIRECT_EFFECT_SD, DRAW
from bayesmed.core.numbers import number
from bayesmed.core.types import Floats
from bayesmed.inference import Fit

__all__ = ["density_ratio_at_zero", "no_direct_effects"]

CODE = "no_direct_effects"
MOST = 4000
"""Draws a density is estimated from, at most."""


def no_direct_effects(fit: Fit) -> list[CheckResult]:
    """Compare posterior with prior densities of no direct effects (Savage and Dickey).

    Exclusion and no within-site covariance together say that their mean and their spread are 0
    (Reardon and Raudenbush 2013, assumptions ii and vi; methods, section 7).
    """
    title = "Whether there are direct effects (exclusion, and no within-site covariance)"
    if not fit.model.direct_effect:
        reason = (
            "The model has none. Fit one with direct_effect = true to see what these data say of "
            "them; to have none is an assumption."
        )
        return [CheckResult(CODE, title, "not applicable", reason)]
    parts, ratios, arrays = [], [], {}
    words = {DIRECT_EFFECT_MEAN: "a mean of 0", DIRECT_EFFECT_SD: "no spread"}
    for name, what in words.items():
        draws, prior = _drawn(fit, "posterior", name), _prior_density(fit, name)
        found = density_ratio_at_zero(draws, prior, positive=name == DIRECT_EFFECT_SD)
        arrays[f"{name}_densities"] = ("which", np.array([prior * found, prior]))
        if not math.isfinite(found):
            parts.append(f"none at {what}, which the prior leaves out")
            continue
        ratios.append(found)
        shown = "below 0.001" if found < 0.001 else number(found)
        parts.append(f"{shown} at {what} (prior density there {number(prior)})")
    text = (
        "The model allows for direct effects, so nothing rests on there being none. Posterior over "
        f"prior density: {', '.join(parts)}. Ratios below 1 speak against doing without them: "
        "estimates through the origin would take them for the mediator's doing."
    )
    densities = xr.Dataset(arrays, coords={"which": ["posterior", "prior"]})
    least = min(ratios, default=math.nan)
    value = least if math.isfinite(least) else None
    return [CheckResult(CODE, title, "not applicable", text, value, arrays=densities)]


def _drawn(fit: Fit, group: str, name: str) -> Floats:
    drawn = fit.tree[group][name].transpose(CHAIN, DRAW, ...).values.ravel()
    return np.asarray(drawn[:: max(1, len(drawn) // MOST)])


def _prior_density(fit: Fit, name: str) -> float:
    """Density of the prior at 0; of the mean it follows from other priors, so from draws."""
    priors = fit.model.priors_for(fit.data)
    if name in priors:
        return math.exp(float(priors[name].log_density(np.zeros(()))))
    return _density_at_zero(_drawn(fit, "prior", name))


def _density_at_zero(draws: Floats) -> float:
    from scipy.stats import gaussian_kde

    return float(gaussian_kde(draws)(0.0)[0])


def density_ratio_at_zero(draws: Floats, prior: float, *, positive: bool) -> float:
    r"""Return the Savage–Dickey ratio :math:`p(0\mid y)/p(0)`; NaN where the prior leaves 0 out.

    The posterior density is a kernel estimate; draws that cannot be negative are reflected at 0.

    Parameters
    ----------
    draws
        (N,) draws of a parameter.
    prior
        Its prior density at 0.
    positive
        Whether 0 is its smallest value.

    Examples
    --------
    >>> same = np.random.default_rng(1).standard_normal(4000)
    >>> round(density_ratio_at_zero(same, 0.3989, positive=False), 1)
    1.0
    """
    if not (math.isfinite(prior) and prior > 0):
        return math.nan
    if positive:
        return 2.0 * _density_at_zero(np.concatenate([draws, -draws])) / prior
    return _density_at_zero(draws) / prior
