"""What the coordinates of a site-slope model are chosen by: its numbers and typical values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesmed.core.names import (
    COMPLIANCE_CORRELATION,
    CORRELATION,
    COVARIATE_EFFECT,
    DIRECT_EFFECT_MEAN,
    SLOPE_QUADRATIC,
    WITHIN_SITE_COVARIANCE,
)
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.formulas.site_slope import (
    SamplingCovariance,
)
from bayesmed.generative.site_slope_parameters import (
    centres,
    labels,
    unit,
)
from bayesmed.priors.variables import hyperparameters

if TYPE_CHECKING:
    from bayesmed.generative.site_model import SiteModel


@dataclass(frozen=True)
class Feature:
    """One regressor of total effects: a power of a mediator's effect (0: a covariate)."""

    parameter: str
    entry: int
    power: int


def features(model: SiteModel, n_mediators: int) -> tuple[Feature, ...]:
    """Return the regressors in the order in which their coefficients are taken."""
    found = [Feature(COVARIATE_EFFECT, i, 0) for i in range(len(model.covariates))]
    if model.slope == "polynomial":
        found += [Feature(SLOPE_QUADRATIC, p, 3) for p in range(n_mediators)]
        linear = model.parameters[1]
        found += [Feature(linear, p, 2) for p in range(n_mediators)]
    return (*found, *(Feature(model.parameters[0], p, 1) for p in range(n_mediators)))


def key(parameter: str, entry: int) -> str:
    """Name an entry of a parameter in the graph, where names of mediators have no place."""
    return f"{parameter}_{entry}" if entry else parameter


def numbers(model: SiteModel, data: SiteEstimates) -> dict[str, float]:
    """Return the single numbers of the graph by name: hyperparameters, sizes, typical values."""
    scales = [model.scale(data, p) for p in range(data.n_mediators)]
    found = {"sites": float(data.n_rows)}
    for p, centre in enumerate(centres(model, scales)):
        found[key("centre", p)] = centre
        # Where the line has the height that the intercept's prior is about.
        at = 0.0 if model.intercept == DIRECT_EFFECT_MEAN else centre
        found[key("intercept_prior_at", p)] = at
    if model.correlated and model.correlation_prior is None:
        found[CORRELATION] = float(model.correlation)  # type: ignore[arg-type]
    if model.known_compliance is not None:
        found[COMPLIANCE_CORRELATION] = model.known_compliance
    if isinstance(model.within_site_covariance, float):
        found[WITHIN_SITE_COVARIANCE] = model.within_site_covariance
    priors = iter(model.priors_for(data).values())
    for parameter in model.parameters:
        for i, _ in enumerate(labels(model, data, parameter) or ("",)):
            name, prior = key(parameter, i), next(priors)
            low, middle, high = prior.quantile(np.array([0.16, 0.5, 0.84])).tolist()
            found |= {f"{name}_size": unit(model, data, parameter, i)[1]}
            found |= {f"{name}_prior_centre": middle}
            found |= {f"{name}_prior_precision": 4 / (high - low) ** 2}
            found |= hyperparameters(name, prior)
    return found | _typical_values(model, data)


def _typical_values(model: SiteModel, data: SiteEstimates) -> dict[str, float]:
    """Return averages over sites of estimates and sampling covariances, the noisy counting less."""
    scales = [model.scale(data, p) for p in range(data.n_mediators)]
    outcome = data.cov[:, -1, -1]
    weight = 1.0 / ((scales[0].outcome_spread / 2) ** 2 + outcome)
    for p, scale in enumerate(scales):
        weight = weight / (scale.noise_free_spread**2 + data.cov[:, p, p])
        weight = weight / weight.max()
    weight = weight / weight.sum()
    origin = centres(model, scales) if model.slope == "polynomial" else [0.0] * len(scales)
    columns = _columns(model, data, origin)
    average, outcome_average = weight @ columns, float(weight @ data.total_effect)
    centred = model.direct_effect
    x = columns - average if centred else columns
    y = data.total_effect - outcome_average if centred else data.total_effect
    square, with_outcome = x.T @ (weight[:, None] * x), x.T @ (weight * y)
    found = {"outcome_average": outcome_average}
    for i in range(x.shape[1]):
        found |= {f"feature_average_{i}": float(average[i])}
        found |= {f"feature_product_{i}": float(with_outcome[i])}
        found |= {f"feature_square_{i}_{j}": float(square[i, j]) for j in range(i + 1)}
    for p in range(data.n_mediators):
        pair = data.cov[:, [p, -1]][:, :, [p, -1]]
        typical = SamplingCovariance.of(np.tensordot(weight, pair, axes=1))
        found[key("mediator_average", p)] = float(weight @ data.mediator_effect[:, p])
        for name, value in zip(typical._fields, typical, strict=True):
            found[key(f"typical_{name}", p)] = float(value)
    return found


def _columns(model: SiteModel, data: SiteEstimates, origin: Sequence[float]) -> Floats:
    """Return the features of every row, shape (R, F)."""
    covariates = model.covariate_values(data)
    away = data.mediator_effect - np.asarray(origin)
    return np.stack(
        [
            covariates[:, f.entry] if f.power == 0 else away[:, f.entry] ** f.power
            for f in features(model, data.n_mediators)
        ],
        axis=1,
    )
