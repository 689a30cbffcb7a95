"""The site-slope model as a PyMC graph whose data, priors and number of sites may change.

The graph samples standardised parameters, so that a sampler starts well whatever the units, in
coordinates chosen to be nearly independent and nearly standard normal in the posterior: each
parameter is measured from about where it lies given the ones before it, in about its spread given
them. In their own units few sites make funnels: the slope is wide where mediator effects hardly
differ and narrow where direct effects hardly differ. The intercept is sampled as the mean total
effect, which the data know best. None of this changes the model: hyperparameters of the priors
move along.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm

from bayesmed.core.names import (
    DIRECT_EFFECT_MEAN,
    DIRECT_EFFECT_SD,
    ESTIMATES,
    MEDIATOR,
    MEDIATOR_EFFECT_ESTIMATE,
    MEDIATOR_EFFECT_MEAN,
    MEDIATOR_EFFECT_SD,
    SITE,
    SLOPE,
    TOTAL_EFFECT_AT_CENTRE,
    TOTAL_EFFECT_ESTIMATE,
)
from bayesmed.core.types import ArrayLike, Floats
from bayesmed.data import SiteEstimates
from bayesmed.formulas.site_slope import (
    SamplingCovariance,
    log_density,
    mediator_estimate_variance,
    outcome_conditional_noise,
    outcome_on_mediator_estimate,
)
from bayesmed.generative.protocol import Draws
from bayesmed.priors.scaling import SiteScale
from bayesmed.priors.variables import hyperparameters, variable

if TYPE_CHECKING:
    from bayesmed.generative.site_slope import SiteSlope

type Number = Callable[[str], Any]
type Take = Callable[[str, ArrayLike, ArrayLike, ArrayLike], ArrayLike]

# The data node that holds every single number of the graph. One vector, not many scalars: each
# scalar would cost a third of a second of compilation.
NUMBERS, NUMBER = "numbers", "number"
# The data node that holds both estimates of every site and its sampling covariance, one matrix for
# the same reason.
COLUMNS, COLUMN = "site_columns", "column"
COLUMN_NAMES = (MEDIATOR_EFFECT_ESTIMATE, TOTAL_EFFECT_ESTIMATE, *SamplingCovariance._fields)
# How much the spread of total effects counts against steep slopes: of 1, 4 and infinity, 4 gave the
# fewest divergences on tables of 3 to 10 sites (not none: some tables still have a few).
UNSEEN = 4.0


def graph_data(model: SiteSlope, data: SiteEstimates) -> dict[str, Floats]:
    """Return the values of every data node of the graph."""
    cov = SamplingCovariance.of(data.cov)
    columns = (data.mediator_effect[:, 0], data.total_effect, *cov)
    return {
        COLUMNS: np.stack(columns),
        NUMBERS: np.array(list(numbers(model, data).values())),
    }


def numbers(model: SiteSlope, data: SiteEstimates) -> dict[str, float]:
    """Return the single numbers of the graph by name: hyperparameters, sizes, typical values."""
    scale, priors = model.scale(data), model.priors_for(data)
    found = {"centre": scale.centre, "sites": float(data.n_rows)}
    # Where the line has the height that the intercept's prior is about.
    found["intercept_prior_at"] = 0.0 if model.intercept == DIRECT_EFFECT_MEAN else scale.centre
    for name, prior in priors.items():
        low, middle, high = prior.quantile(np.array([0.16, 0.5, 0.84])).tolist()
        found |= {f"{name}_size": model.unit(name, scale)[1]}
        found |= {f"{name}_prior_centre": middle, f"{name}_prior_precision": 4 / (high - low) ** 2}
        found |= hyperparameters(name, prior)
    return found | _typical_values(model, data, scale)


def _typical_values(model: SiteSlope, data: SiteEstimates, scale: SiteScale) -> dict[str, float]:
    """Return averages over sites of estimates and sampling covariances, the noisy counting less."""
    mediator, outcome = data.cov[:, 0, 0], data.cov[:, 1, 1]
    gamma, beta = data.mediator_effect[:, 0], data.total_effect
    weight = 1.0 / (scale.noise_free_spread**2 + mediator)
    weight /= (scale.outcome_spread / 2) ** 2 + outcome
    weight /= weight.sum()
    mediator_mean, outcome_mean = float(weight @ gamma), float(weight @ beta)
    if model.direct_effect:
        gamma, beta = gamma - mediator_mean, beta - outcome_mean
    typical = SamplingCovariance.of(np.tensordot(weight, data.cov, axes=1))
    return {
        "mediator_average": mediator_mean,
        "outcome_average": outcome_mean,
        "mediator_square": float(weight @ gamma**2),
        "mediator_product": float(weight @ (gamma * beta)),
        "typical_variance_mediator": float(typical.mediator),
        "typical_covariance": float(typical.cross),
        "typical_variance_outcome": float(typical.outcome),
        "typical_determinant": float(typical.determinant),
    }


def _near(
    name: str, precision: ArrayLike, pull: ArrayLike, number: Number, *, shift: ArrayLike = 0.0
) -> tuple[ArrayLike, ArrayLike]:
    """Combine what the estimates say about a parameter with its prior: where, and how widely."""
    prior = number(f"{name}_prior_precision")
    total = prior + precision
    return (prior * (number(f"{name}_prior_centre") + shift) + pull) / total, 1.0 / np.sqrt(total)


def _coordinates(model: SiteSlope, moves: bool, number: Number, take: Take) -> dict[str, ArrayLike]:
    """Return the parameters in data units, each as ``middle + width * standardised``.

    Middle and width are about the posterior mean and spread of a parameter given those before it,
    as if all sites had the typical sampling covariance. They need not be right, only near: they
    are a choice of coordinates. ``take`` makes (or looks up) the standardised variable.
    """
    sites, gamma = number("sites"), number("mediator_average")
    cov = SamplingCovariance(
        number("typical_variance_mediator"),
        number("typical_covariance"),
        number("typical_variance_outcome"),
        number("typical_determinant"),
    )
    sd = take(MEDIATOR_EFFECT_SD, 0.0, number(f"{MEDIATOR_EFFECT_SD}_size"), 0.0)
    residual: ArrayLike = 0.0
    if model.direct_effect:
        residual = take(DIRECT_EFFECT_SD, 0.0, number(f"{DIRECT_EFFECT_SD}_size"), 0.0)
    variance = mediator_estimate_variance(sd, cov)
    precision = sites / variance
    mean = take(
        MEDIATOR_EFFECT_MEAN,
        *_near(MEDIATOR_EFFECT_MEAN, precision, precision * gamma, number),
        0.0,
    )
    shrinkage = sd**2 / variance
    square = number("mediator_square")
    product = number("mediator_product") - cov.cross / variance * square
    noise = residual**2 + cov.outcome
    signal = sites * shrinkage / noise
    # A slope so steep that the unseen part of the mediator effects would spread total effects
    # more than they are is unlikely too: that keeps it from 0 on either side, with no direction.
    precision = signal * (shrinkage * square + cov.mediator / UNSEEN)
    pull = signal * product
    if model.direct_effect:
        # So is a line that passes far from where the intercept's prior wants it.
        away = mean - number("intercept_prior_at")
        tie = 1.0 / (1.0 / number(f"{model.intercept}_prior_precision") + noise / sites)
        precision = precision + tie * away**2
        height = number("outcome_average") - number(f"{model.intercept}_prior_centre")
        pull = pull + tie * away * height
    middle, width = _near(SLOPE, precision, pull, number)
    if not moves:
        middle, width = 0.0, number(f"{SLOPE}_size")
    slope = take(SLOPE, middle, width, 0.0)
    found = {SLOPE: slope, MEDIATOR_EFFECT_MEAN: mean, MEDIATOR_EFFECT_SD: sd}
    if not model.direct_effect:
        return found
    shift = slope * away
    noise = residual**2 + outcome_conditional_noise(slope, sd, cov)
    tilt = outcome_on_mediator_estimate(slope, sd, cov)
    height = number("outcome_average") - tilt * (gamma - mean)
    near = _near(model.intercept, sites / noise, sites / noise * height, number, shift=shift)
    direct = take(model.intercept, *near, shift) - slope * mean
    at_centre = direct + slope * number("centre")
    return found | {
        DIRECT_EFFECT_MEAN: direct,
        DIRECT_EFFECT_SD: residual,
        TOTAL_EFFECT_AT_CENTRE: at_centre,
    }


def _moves(model: SiteSlope, data: SiteEstimates) -> bool:
    """Whether the slope's coordinate can move: a prior of positive values only cannot."""
    return model.priors_for(data)[SLOPE].family.support != "positive"


def unstandardised(model: SiteSlope, draws: Draws, data: SiteEstimates) -> dict[str, Floats]:
    """Return all parameters in data units from draws of the variables the graph samples."""

    def take(name: str, middle: ArrayLike, width: ArrayLike, shift: ArrayLike) -> ArrayLike:
        return middle + width * draws[f"{name}_std"]

    return _coordinates(model, _moves(model, data), numbers(model, data).__getitem__, take)


def graph(model: SiteSlope, data: SiteEstimates) -> pm.Model:
    """Build the model; see :meth:`bayesmed.generative.SiteSlope.build`."""
    values, names = graph_data(model, data), list(numbers(model, data))
    priors = model.priors_for(data)
    coords = {
        MEDIATOR: list(data.mediators),
        SITE: list(data.labels),
        NUMBER: names,
        COLUMN: COLUMN_NAMES,
    }
    with pm.Model(coords=coords) as made:
        nodes = {
            name: pm.Data(name, value, dims=NUMBER if name == NUMBERS else (COLUMN, SITE))
            for name, value in values.items()
        }

        def number(name: str) -> Any:
            return nodes[NUMBERS][names.index(name)]

        def take(name: str, middle: Any, width: Any, shift: Any) -> Any:
            start = (shift - middle) / width
            standardised = variable(
                f"{name}_std", name, priors[name], number, shift=start, factor=1.0 / width
            )
            return middle + width * standardised

        parameters = _coordinates(model, _moves(model, data), number, take)
        for name, value in parameters.items():
            if name in model.by_mediator:
                pm.Deterministic(name, value[None], dims=MEDIATOR)
            else:
                pm.Deterministic(name, value)
        mediator, total, *cov = (nodes[COLUMNS][i] for i in range(len(COLUMN_NAMES)))
        density = log_density(
            mediator,
            total,
            SamplingCovariance(*cov),
            slope=parameters[SLOPE],
            mediator_effect_mean=parameters[MEDIATOR_EFFECT_MEAN],
            mediator_effect_sd=parameters[MEDIATOR_EFFECT_SD],
            direct_effect_mean=parameters.get(DIRECT_EFFECT_MEAN, 0.0),
            direct_effect_sd=parameters.get(DIRECT_EFFECT_SD, 0.0),
        )
        pm.Potential(ESTIMATES, density.sum())
    return made
