"""The population of sites a set of parameters describes, in the form the formulas take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bayesmed.core.names import (
    CORRELATION,
    COVARIATE_EFFECT,
    DIRECT_EFFECT_DOF,
    DIRECT_EFFECT_MEAN,
    DIRECT_EFFECT_SD,
    MEDIATOR_EFFECT_CORR,
    MEDIATOR_EFFECT_MEAN,
    MEDIATOR_EFFECT_SD,
    SLOPE,
    SLOPE_LINEAR,
    SLOPE_QUADRATIC,
    SLOPE_SD,
)
from bayesmed.core.types import ArrayLike
from bayesmed.formulas.linear_gaussian import Matrix, dot, product
from bayesmed.formulas.site_slope_blocks import Curve
from bayesmed.generative.protocol import Draws
from bayesmed.generative.site_slope_parameters import Entries, tilt

if TYPE_CHECKING:
    from bayesmed.generative.site_slope import SiteSlope


class Population(NamedTuple):
    r"""Mediator effects across sites and the curve of total effects over them.

    ``mean`` and ``root`` are :math:`\mu` and L with :math:`\Omega=LL'`. With a correlation of
    direct and mediator effects ``curve`` has the slope :math:`\delta+\kappa` of total effects, and
    ``tilt`` is :math:`\kappa`; elsewhere it is the number 0. ``dof`` is :math:`\nu` or ``None``.
    """

    mean: Sequence[ArrayLike]
    root: Matrix
    curve: Curve
    tilt: ArrayLike
    dof: ArrayLike | None


def entries(model: SiteSlope, draws: Draws) -> Entries:
    """Return parameter draws as columns (n, 1), a list where there is one for each of several."""
    found: Entries = {}
    for name, values in draws.items():
        if name in model.by_mediator or name == COVARIATE_EFFECT:
            found[name] = [values[:, i, None] for i in range(values.shape[1])]
        elif name == MEDIATOR_EFFECT_CORR:
            root = np.linalg.cholesky(values)
            size = range(root.shape[1])
            found[name] = [[root[:, i, j, None] if j <= i else 0.0 for j in size] for i in size]
        else:
            found[name] = values[:, None]
    return found


def population(
    model: SiteSlope, have: Entries, covariates: Sequence[Sequence[ArrayLike]]
) -> Population:
    """Describe the population.

    Parameters
    ----------
    model
        The model.
    have
        All parameters, as ``site_slope_parameters.completed`` gives them;
        ``mediator_effect_corr`` holds a root of the correlation matrix.
    covariates
        Centred covariates of each of the K rows of a block, C arrays of shape (B,) each.
    """
    mean, sd = have[MEDIATOR_EFFECT_MEAN], have[MEDIATOR_EFFECT_SD]
    corr = have.get(MEDIATOR_EFFECT_CORR, [[1.0]])
    root = [[product(x, s) for x in row] for s, row in zip(sd, corr, strict=True)]
    slopes, residual, kappa = list(have[SLOPE]), 0.0, 0.0
    heights: list[Any] = [0.0] * len(covariates)
    if model.direct_effect:
        effects = have.get(COVARIATE_EFFECT, [])
        heights = [have[DIRECT_EFFECT_MEAN] + dot(effects, x) for x in covariates]
        residual = have[DIRECT_EFFECT_SD] ** 2
    if model.correlated:
        kappa = tilt(have)
        slopes = [slopes[0] + kappa]
        heights = [h - kappa * mean[0] for h in heights]
        residual = residual * (1.0 - have[CORRELATION] ** 2)
    polynomial, random = model.slope == "polynomial", model.slope == "random"
    curve = Curve(
        heights,
        slopes,
        residual,
        have[SLOPE_LINEAR] if polynomial else (),
        have[SLOPE_QUADRATIC] if polynomial else (),
        have[SLOPE_SD] if random else (),
    )
    return Population(mean, root, curve, kappa, have.get(DIRECT_EFFECT_DOF))
