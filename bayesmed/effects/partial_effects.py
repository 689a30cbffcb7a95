r"""Total effects less what runs through the other mediators: partial residuals of each mediator.

With several mediators a scatter of total effects over one mediator's effect mixes all of them.
From each total effect what the model expects through the others is taken off,

.. math:: \hat\beta_s - \sum_{q\ne p}\bar\delta_q\hat\gamma_{qs},

at the posterior mean :math:`\bar\delta` of the average slopes (of the polynomial, or of the slopes
expected at the mediator effects, where they depend on them). What is left follows the line
:math:`\delta_p\gamma_{ps}`, through the origin where there is no direct effect.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from bayesmed.core.names import (
    CHAIN,
    DRAW,
    MEDIATOR,
    MEDIATOR_EFFECT,
    MEDIATOR_EFFECT_ESTIMATE,
    SITE,
    SITE_EFFECTS,
    TOTAL_EFFECT,
)
from bayesmed.core.types import ArrayLike
from bayesmed.formulas.linear_gaussian import dot
from bayesmed.formulas.partial_residuals import PartialResiduals, partial_residuals
from bayesmed.formulas.site_slope_blocks import Curve
from bayesmed.generative.site_slope_draws import described
from bayesmed.generative.site_slope_population import Population
from bayesmed.inference import Fit

PARTIAL_EFFECT = "partial_effect"
PARTIAL_EFFECT_ESTIMATE = "partial_effect_estimate"
MEDIATOR_EFFECT_SE, PARTIAL_EFFECT_SE = "mediator_effect_se", "partial_effect_se"
ERROR_CORR = "error_corr"


def partial_effects(fit: Fit) -> xr.Dataset:
    """Return what is to be scattered over each mediator's effect.

    Returns
    -------
    Dataset
        Dims site and mediator. ``mediator_effect_estimate`` and ``partial_effect_estimate``, with
        their standard errors ``mediator_effect_se`` and ``partial_effect_se`` and the correlation
        of the two errors ``error_corr`` (0 where one is known), from the sampling covariance of
        the site at given slopes; ``mediator_effect`` and
        ``partial_effect``, the posterior means of what they estimate. With one mediator partial
        effects are total effects.

    Examples
    --------
    >>> from bayesmed.data import SiteEstimates
    >>> from bayesmed.generative import SiteSlope
    >>> from bayesmed.inference import Sampler, fit
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[0.2, 0.5, 0.9, 1.4], total_effect=[0.5, 1.1, 1.8, 3.1],
    ...     cov=np.tile(np.diag([0.01, 0.04]), (4, 1, 1)))
    >>> found = partial_effects(fit(SiteSlope(), data, sampler=Sampler(engine="exact"), seed=1))
    >>> found["partial_effect_estimate"].values[:, 0].tolist()
    [0.5, 1.1, 1.8, 3.1]
    """
    data, whole = fit.data, population_draws(fit)
    sites = fit.tree[SITE_EFFECTS].to_dataset().transpose(CHAIN, DRAW, SITE, MEDIATOR)
    gamma = [np.asarray(sites[MEDIATOR_EFFECT][..., i]) for i in range(data.n_mediators)]
    total = np.asarray(sites[TOTAL_EFFECT])
    rows = []
    for i in range(data.n_mediators):
        rest = others(whole, i)
        found = residuals(fit, rest)
        scale = np.sqrt(found.variance) * data.mediator_se[:, i]
        cov = found.cov[:, i]
        rows.append(
            (
                found.estimate,
                np.sqrt(found.variance),
                np.divide(cov, scale, out=np.zeros_like(cov), where=scale > 0),
                (total - rest.height(gamma)).mean(axis=(0, 1)),
            )
        )
    estimate, se, corr, mean = (np.stack(column, axis=-1) for column in zip(*rows, strict=True))
    table = {
        MEDIATOR_EFFECT_ESTIMATE: data.mediator_effect,
        MEDIATOR_EFFECT_SE: data.mediator_se,
        MEDIATOR_EFFECT: np.stack([g.mean(axis=(0, 1)) for g in gamma], axis=-1),
        PARTIAL_EFFECT_ESTIMATE: estimate,
        PARTIAL_EFFECT_SE: se,
        PARTIAL_EFFECT: mean,
        ERROR_CORR: corr,
    }
    return xr.Dataset(
        {name: ((SITE, MEDIATOR), values) for name, values in table.items()},
        coords={SITE: list(data.labels), MEDIATOR: list(data.mediators)},
    )


def residuals(fit: Fit, rest: Curve) -> PartialResiduals:
    """Return total effects less ``rest``, with their sampling errors."""
    data = fit.data
    gamma = list(data.mediator_effect.T)
    fitted = np.broadcast_to(rest.height(gamma), data.total_effect.shape)
    gradient = [np.broadcast_to(g, fitted.shape) for g in rest.gradient(gamma)]
    return partial_residuals(data.total_effect, fitted, np.stack(gradient, axis=-1), data.cov)


def others(whole: Population, mediator: int) -> Curve:
    """Return what is expected through all mediators but one, at the mean over draws."""
    curve, kept = whole.curve, [i != mediator for i in range(len(whole.mean))]

    def mean(values: Sequence[ArrayLike]) -> list[ArrayLike]:
        return [float(np.mean(v)) if k else 0.0 for v, k in zip(values, kept, strict=True)]

    slope, across = list(curve.slope), list(curve.slope_on_effect)
    if across:  # δ + C(γ − μ), as a function of γ alone
        slope = [a - dot(row, curve.centre) for a, row in zip(slope, across, strict=True)]
        columns = [mean(column) for column in zip(*across, strict=True)]
        across = [list(row) for row in zip(*columns, strict=True)]
    return Curve(
        intercept=[0.0],
        slope=mean(slope),
        slope_linear=mean(curve.slope_linear) if curve.is_polynomial else (),
        slope_quadratic=mean(curve.slope_quadratic) if curve.is_polynomial else (),
        slope_on_effect=across,
        centre=[0.0] * len(kept),
    )


def population_draws(fit: Fit) -> Population:
    """Describe the population of every posterior draw, entries of shape (draws, 1)."""
    draws = {}
    for name, values in fit.tree["posterior"].to_dataset().data_vars.items():
        array = np.asarray(values.transpose(CHAIN, DRAW, ...), dtype=float)
        draws[str(name)] = array.reshape(-1, *array.shape[2:])
    return described(fit.model, draws, np.zeros((1, len(fit.model.covariates), 1)))
