"""What estimates are compared with, and how spread out mediator effects are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesmed.classical import ClassicalEstimate
from bayesmed.classical.heterogeneity import paule_mandel
from bayesmed.core.names import (
    AVERAGE_SLOPE,
    CHAIN,
    DIRECT_EFFECT_MEAN,
    DRAW,
    MEDIATOR,
    MEDIATOR_EFFECT_CORR,
    MEDIATOR_EFFECT_MEAN,
    MEDIATOR_EFFECT_SD,
    OTHER_MEDIATOR,
    SLOPE,
    WITHIN_SITE_COVARIANCE,
)
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.effects.comparison import POSTERIOR
from bayesmed.inference import Fit

# The first of these that has an answer stands in where there is no posterior.
STAND_INS = ("BCES", "Reliability-corrected (Paule-Mandel)")
CONSTANTS: Mapping[str, str] = {
    DIRECT_EFFECT_MEAN: "direct effect",
    WITHIN_SITE_COVARIANCE: "within-site covariance",
}
MOST_DRAWS = 2000
"""Medians of functions of draws need no more."""
WORTH_SAYING = 0.1
"""What moves an estimate by less than this many sds of the reference is not worth a sentence."""


@dataclass(frozen=True, eq=False)
class Reference:
    """What estimates are compared with.

    Attributes
    ----------
    name
        "Posterior", or the estimator that stands in for it.
    slope, sd
        (P,) posterior means and sds; estimates and standard errors of a stand-in.
    intercept
        The line at mediator effects of zero; NaN for a line through the origin.
    constant
        What that intercept is, in words.
    covariance_used
        Whether Cov(γ̂, β̂) was given and entered.
    slopes
        (D, P) draws of the slopes; one for a stand-in.
    spread
        (D, P, P) draws of the covariance of true mediator effects across sites, or of their mean
        products for a line through the origin; None where there is no estimate.
    """

    name: str
    slope: Floats
    sd: Floats
    intercept: float
    covariance_used: bool
    slopes: Floats
    spread: Floats | None
    constant: str = "mean direct effect"

    @property
    def words(self) -> str:
        """Its name inside a sentence."""
        return "the posterior" if self.name == POSTERIOR else self.name

    @property
    def unit(self) -> str:
        """What distances from it are measured in."""
        return "posterior sds" if self.name == POSTERIOR else f"standard errors of {self.name}"


@dataclass(frozen=True, eq=False)
class Setting:
    """What every reason is computed from.

    Attributes
    ----------
    data
        The site estimates.
    intercept
        Whether lines have an intercept.
    estimates
        Classical estimates by name.
    reference
        What they are compared with.
    """

    data: SiteEstimates
    intercept: bool
    estimates: Mapping[str, ClassicalEstimate]
    reference: Reference | None


def slope_name(fit: Fit) -> str:
    """Return the parameter that is compared: the slope, or its average over sites."""
    return AVERAGE_SLOPE if AVERAGE_SLOPE in fit.tree["posterior"].data_vars else SLOPE


def draws(fit: Fit, name: str) -> Floats:
    """Return at most ``MOST_DRAWS`` draws of a parameter: (D,), (D, P) or (D, P, P)."""
    values = fit.tree["posterior"][name]
    order = [d for d in (CHAIN, DRAW, MEDIATOR, OTHER_MEDIATOR) if d in values.dims]
    array = np.asarray(values.transpose(*order), dtype=np.float64)
    flat = array.reshape(-1, *array.shape[2:])
    return flat[:: math.ceil(len(flat) / MOST_DRAWS)]


def of_fit(fit: Fit, posterior: pd.DataFrame, intercept: bool) -> Reference:
    """Return the posterior as a reference; ``intercept`` is that of the lines beside it."""
    mean, constant = _constant(fit)
    return Reference(
        name=POSTERIOR,
        slope=posterior["mean"].to_numpy(dtype=np.float64),
        sd=posterior["sd"].to_numpy(dtype=np.float64),
        intercept=mean,
        covariance_used=fit.data.covariance_given,
        slopes=draws(fit, slope_name(fit)),
        spread=_drawn_spread(fit, intercept),
        constant=constant,
    )


def _constant(fit: Fit) -> tuple[float, str]:
    """Return what the model adds to the total effect of every site, on average, and its name."""
    posterior = fit.tree["posterior"].data_vars
    for name in (DIRECT_EFFECT_MEAN, WITHIN_SITE_COVARIANCE):
        if name in posterior:
            return float(draws(fit, name).mean()), f"mean {CONSTANTS[name]}"
    kappa = fit.model.within_site_covariance
    known = float(kappa) if isinstance(kappa, float) and kappa != 0 else math.nan
    return known, f"mean {CONSTANTS[WITHIN_SITE_COVARIANCE]}"


def _drawn_spread(fit: Fit, intercept: bool) -> Floats:
    sd = draws(fit, MEDIATOR_EFFECT_SD)
    spread = sd[:, :, None] * sd[:, None, :]
    if fit.data.n_mediators > 1:
        spread = spread * draws(fit, MEDIATOR_EFFECT_CORR)
    if not intercept:
        mean = draws(fit, MEDIATOR_EFFECT_MEAN)
        spread = spread + mean[:, :, None] * mean[:, None, :]
    return np.asarray(spread)


def stand_in(
    data: SiteEstimates, estimates: Mapping[str, ClassicalEstimate], intercept: bool
) -> Reference | None:
    """Return the estimator that stands in for a posterior, None where none is defined."""
    for name in STAND_INS if intercept else (*STAND_INS, "Pooled Wald"):
        estimate = estimates.get(name)
        if estimate is not None and estimate.defined:
            return Reference(
                name=name,
                slope=estimate.slope,
                sd=estimate.slope_se,
                intercept=estimate.intercept,
                covariance_used=estimate.covariance_used,
                slopes=estimate.slope[None],
                spread=_estimated_spread(data, intercept),
            )
    return None


def _estimated_spread(data: SiteEstimates, intercept: bool) -> Floats | None:
    spread = raw_spread(data, intercept) - data.cov[:, :-1, :-1].mean(axis=0)
    if np.linalg.eigvalsh(spread)[0] > 0:
        return spread[None]
    if data.n_mediators > 1 or not intercept:
        return None
    found = paule_mandel(data.mediator_effect[:, 0], data.cov[:, 0, 0]).variance
    return np.full((1, 1, 1), found) if found > 0 else None


def raw_spread(data: SiteEstimates, intercept: bool) -> Floats:
    """Covariance of the estimated mediator effects, or their mean products: (P, P)."""
    if not intercept:
        square: Floats = data.mediator_effect.T @ data.mediator_effect / data.n_rows
        return square
    centred = data.mediator_effect - data.mediator_effect.mean(axis=0)
    return np.asarray(centred.T @ centred / (data.n_rows - 1))
