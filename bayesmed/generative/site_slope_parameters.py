r"""The parameters of a site-slope model: their priors, units, and how one follows from another.

The curve of total effects over mediator effects, :math:`\tau(\gamma)=\mu_\theta+f(\gamma)`, may be
described at a mediator effect of zero or at the centre c of the data. With :math:`t=\gamma-c`,

.. math::
    f(\gamma) = f(c) + b_1 t + b_2 t^2 + b_3 t^3,\quad
    b_1 = \delta_0 + 2\delta_1 c + 3\delta_2 c^2,\quad b_2 = \delta_1 + 3\delta_2 c,\quad
    b_3 = \delta_2 .

Default priors are about the centre, where the data are; a prior on :math:`\mu_\theta,\delta_0` or
:math:`\delta_1` replaces the one at the centre.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bayesmed.core import names
from bayesmed.core.names import (
    AVERAGE_SLOPE,
    CORRELATION,
    COVARIATE_EFFECT,
    DIRECT_EFFECT_DOF,
    DIRECT_EFFECT_MEAN,
    DIRECT_EFFECT_SD,
    MEDIATOR_EFFECT_MEAN,
    MEDIATOR_EFFECT_SD,
    SLOPE,
    SLOPE_AT_CENTRE,
    SLOPE_LINEAR,
    SLOPE_LINEAR_AT_CENTRE,
    SLOPE_QUADRATIC,
    SLOPE_SD,
    TOTAL_EFFECT_AT_CENTRE,
    WITHIN_SITE_COVARIANCE,
)
from bayesmed.core.types import ArrayLike
from bayesmed.data import SiteEstimates
from bayesmed.formulas.mediation import average_slope
from bayesmed.priors import Prior
from bayesmed.priors.scaling import SiteScale

if TYPE_CHECKING:
    from bayesmed.generative.site_model import SiteModel

# Entries of parameters: one for a single number, a list where there is one for each mediator or
# covariate.
type Entries = dict[str, Any]

# Which slopes are correlated across sites: none, those of different mediators, or also slopes with
# mediator effects.
type Related = Literal["none", "slopes", "effects"]

# Default priors, in scaled units (methods: section 2, "Default priors"). Those of the curvature are
# ours: one spread of the mediator effects away from the centre it moves total effects by about half
# a spread, or a quarter.
_NORMAL = Prior("Normal", mu=0, sigma=2.5, unit="scaled")
_HALF_NORMAL = Prior("HalfNormal", sigma=1, unit="scaled")
_CURVATURE = Prior("Normal", mu=0, sigma=0.5, unit="scaled")
DEFAULT_PRIORS: Mapping[str, Prior] = MappingProxyType(
    {
        SLOPE: _NORMAL,
        SLOPE_AT_CENTRE: _NORMAL,
        SLOPE_LINEAR: _CURVATURE,
        SLOPE_LINEAR_AT_CENTRE: _CURVATURE,
        SLOPE_QUADRATIC: Prior("Normal", mu=0, sigma=0.25, unit="scaled"),
        SLOPE_SD: _HALF_NORMAL,
        TOTAL_EFFECT_AT_CENTRE: _NORMAL,
        DIRECT_EFFECT_MEAN: _NORMAL,
        DIRECT_EFFECT_SD: _HALF_NORMAL,
        # Juarez and Steel (2010): between very heavy and nearly normal tails.
        DIRECT_EFFECT_DOF: Prior("Gamma", alpha=2, beta=0.1),
        COVARIATE_EFFECT: _NORMAL,
        MEDIATOR_EFFECT_MEAN: _NORMAL,
        MEDIATOR_EFFECT_SD: _HALF_NORMAL,
    }
)
# What a parameter is called at the centre.
AT_CENTRE: Mapping[str, str] = MappingProxyType(
    {
        DIRECT_EFFECT_MEAN: TOTAL_EFFECT_AT_CENTRE,
        SLOPE: SLOPE_AT_CENTRE,
        SLOPE_LINEAR: SLOPE_LINEAR_AT_CENTRE,
    }
)
POSITIVE = (MEDIATOR_EFFECT_SD, DIRECT_EFFECT_SD, SLOPE_SD, DIRECT_EFFECT_DOF)
BY_MEDIATOR = (
    SLOPE,
    SLOPE_AT_CENTRE,
    SLOPE_LINEAR,
    SLOPE_LINEAR_AT_CENTRE,
    SLOPE_QUADRATIC,
    SLOPE_SD,
    AVERAGE_SLOPE,
    MEDIATOR_EFFECT_MEAN,
    MEDIATOR_EFFECT_SD,
)


def labels(model: SiteModel, data: SiteEstimates, name: str) -> tuple[str, ...]:
    """Return what a parameter has one entry for each of; empty for a single number."""
    if name in BY_MEDIATOR:
        return data.mediators
    return model.covariates if name == COVARIATE_EFFECT else ()


def entry_names(name: str, labels: Sequence[str]) -> tuple[str, ...]:
    """Name the entries of a parameter: ``slope``, or ``slope[LDL]`` where there are several.

    Examples
    --------
    >>> entry_names("slope", ("LDL", "HDL"))
    ('slope[LDL]', 'slope[HDL]')
    """
    if (len(labels) == 1 and name in BY_MEDIATOR) or not labels:
        return (name,)
    return tuple(f"{name}[{label}]" for label in labels)


def priors_for(model: SiteModel, data: SiteEstimates) -> dict[str, Prior]:
    """Return the prior of every entry in the units of the data, by entry name."""
    found = {}
    for name in model.parameters:
        for i, entry in enumerate(entry_names(name, labels(model, data, name))):
            prior = model.priors.get(entry) or model.priors.get(name)
            if prior is None:
                prior = _of_choices(model, name) or DEFAULT_PRIORS[name]
            found[entry] = prior.in_data_units(*unit(model, data, name, i))
    return found


def _of_choices(model: SiteModel, name: str) -> Prior | None:
    """Return the prior that a choice of the model is."""
    choices = {
        CORRELATION: model.correlation,
        WITHIN_SITE_COVARIANCE: model.within_site_covariance,
    }
    choice = choices.get(name)
    return choice if isinstance(choice, Prior) else None


def unit(model: SiteModel, data: SiteEstimates, name: str, i: int = 0) -> tuple[float, float]:
    """Return the location and the size of one scaled unit of an entry of a parameter."""
    scale = model.scale(data, i if name in BY_MEDIATOR else 0)
    match name:
        case names.SLOPE | names.SLOPE_AT_CENTRE | names.SLOPE_SD:
            return 0.0, scale.slope_scale
        case names.SLOPE_LINEAR | names.SLOPE_LINEAR_AT_CENTRE:
            return 0.0, scale.outcome_spread / scale.mediator_spread**2
        case names.SLOPE_QUADRATIC:
            return 0.0, scale.outcome_spread / scale.mediator_spread**3
        case names.MEDIATOR_EFFECT_MEAN:
            return scale.mediator_location, scale.mediator_spread
        case names.MEDIATOR_EFFECT_SD:
            return 0.0, scale.mediator_spread
        case names.TOTAL_EFFECT_AT_CENTRE:
            return scale.outcome_location, scale.outcome_spread
        case names.COVARIATE_EFFECT:
            covariate = data.covariates[model.covariates[i]]
            return 0.0, scale.outcome_spread / float(np.std(covariate, ddof=1))
        case names.CORRELATION | names.DIRECT_EFFECT_DOF:
            return 0.0, 1.0
        case _:
            return 0.0, scale.outcome_spread


def centres(model: SiteModel, scales: Sequence[SiteScale]) -> list[float]:
    """Return where the curve is described: the centres of the data, or zero without intercept."""
    return [s.centre if model.direct_effect else 0.0 for s in scales]


def tilt(have: Entries) -> ArrayLike:
    r"""How direct effects rise with mediator effects.

    .. math::
        E(\theta_s\mid\gamma_s) = \mu_\theta + \kappa(\gamma_s-\mu_\gamma),\qquad
        \kappa=\rho\,\sigma_\theta/\sigma_\gamma
    """
    return have[CORRELATION] * have[DIRECT_EFFECT_SD] / have[MEDIATOR_EFFECT_SD][0]


def completed(model: SiteModel, have: Entries, centre: Sequence[ArrayLike]) -> Entries:
    """Return all parameters from those that carry the priors, in data units.

    Parameters
    ----------
    have
        Entries of ``model.parameters`` (numbers, arrays or PyTensor variables).
    centre
        From ``centres``, or entries of the graph.
    """
    found = dict(have)
    if model.slope == "polynomial" and model.direct_effect:
        complete_polynomial(found, centre)
    if model.direct_effect:
        at_centre = sum(
            (a + (b + q * c) * c) * c
            for a, b, q, c in zip(*_coefficients(model, found), centre, strict=True)
        )
        if model.correlated:
            at_centre = at_centre + tilt(found) * (centre[0] - found[MEDIATOR_EFFECT_MEAN][0])
        if DIRECT_EFFECT_MEAN in have:
            found[TOTAL_EFFECT_AT_CENTRE] = have[DIRECT_EFFECT_MEAN] + at_centre
        else:
            found[DIRECT_EFFECT_MEAN] = have[TOTAL_EFFECT_AT_CENTRE] - at_centre
    if model.slope == "polynomial":
        each = zip(
            *_coefficients(model, found),
            found[MEDIATOR_EFFECT_MEAN],
            found[MEDIATOR_EFFECT_SD],
            strict=True,
        )
        found[AVERAGE_SLOPE] = [average_slope(*entry) for entry in each]
    return found


def _coefficients(model: SiteModel, have: Entries) -> tuple[Sequence[Any], ...]:
    zero = [0.0] * len(have[SLOPE])
    if model.slope != "polynomial":
        return have[SLOPE], zero, zero
    return have[SLOPE], have[SLOPE_LINEAR], have[SLOPE_QUADRATIC]


def complete_polynomial(found: Entries, centre: Sequence[ArrayLike]) -> None:
    """Fill in the coefficients at the centre from those at zero, or the other way round."""
    quadratic = found[SLOPE_QUADRATIC]
    pairs = list(zip(quadratic, centre, strict=True))
    if SLOPE_LINEAR in found:
        linear = found[SLOPE_LINEAR]
        moved = [b + 3.0 * c * q for b, (q, c) in zip(linear, pairs, strict=True)]
        found[SLOPE_LINEAR_AT_CENTRE] = moved
    else:
        moved = found[SLOPE_LINEAR_AT_CENTRE]
        linear = [b - 3.0 * c * q for b, (q, c) in zip(moved, pairs, strict=True)]
        found[SLOPE_LINEAR] = linear
    rise = [(2.0 * b + 3.0 * q * c) * c for b, (q, c) in zip(linear, pairs, strict=True)]
    if SLOPE in found:
        found[SLOPE_AT_CENTRE] = [a + r for a, r in zip(found[SLOPE], rise, strict=True)]
    else:
        found[SLOPE] = [a - r for a, r in zip(found[SLOPE_AT_CENTRE], rise, strict=True)]
