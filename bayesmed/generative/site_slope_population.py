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
    MEDIATOR_EFFECT_SLOPE_CORR,
    SLOPE,
    SLOPE_CORR,
    SLOPE_LINEAR,
    SLOPE_QUADRATIC,
    SLOPE_SD,
    WITHIN_SITE_COVARIANCE,
)
from bayesmed.core.types import ArrayLike, Floats
from bayesmed.formulas.linear_gaussian import Matrix, dot, identity, lower_inverse, product
from bayesmed.formulas.site_slope_blocks import Curve
from bayesmed.generative.protocol import Draws
from bayesmed.generative.site_slope_parameters import Entries, tilt

if TYPE_CHECKING:
    from bayesmed.generative.site_model import SiteModel


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


def entries(model: SiteModel, draws: Draws) -> Entries:
    """Return parameter draws as columns (n, 1), a list where there is one for each of several.

    What a model takes as known, a number instead of a prior, is among them as that number.
    """
    choices = {
        CORRELATION: model.correlation,
        WITHIN_SITE_COVARIANCE: model.within_site_covariance,
    }
    found: Entries = {
        name: value for name, value in choices.items() if value != 0.0 and name not in draws
    }
    for name, values in draws.items():
        if name in model.by_mediator or name == COVARIATE_EFFECT:
            found[name] = [values[:, i, None] for i in range(values.shape[1])]
        elif name == MEDIATOR_EFFECT_CORR:
            found |= _roots(draws)
        elif name in (SLOPE_CORR, MEDIATOR_EFFECT_SLOPE_CORR):
            continue  # taken with the correlations of mediator effects
        else:
            found[name] = values[:, None]
    return found


def population(
    model: SiteModel, have: Entries, covariates: Sequence[Sequence[ArrayLike]]
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
    root = _scaled(sd, have.get(MEDIATOR_EFFECT_CORR))
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
    if not model.direct_effect and WITHIN_SITE_COVARIANCE in have:
        heights = [have[WITHIN_SITE_COVARIANCE] for _ in covariates]
    polynomial, random = model.slope == "polynomial", model.slope == "random"
    curve = Curve(
        heights,
        slopes,
        residual,
        have[SLOPE_LINEAR] if polynomial else (),
        have[SLOPE_QUADRATIC] if polynomial else (),
        _scaled(have[SLOPE_SD], have.get(SLOPE_CORR)) if random else (),
        _slope_on_effect(have, root) if MEDIATOR_EFFECT_SLOPE_CORR in have else (),
        mean,
    )
    return Population(mean, root, curve, kappa, have.get(DIRECT_EFFECT_DOF))


def _scaled(sd: Sequence[ArrayLike], root: Matrix | None) -> Matrix:
    """Return the root of a covariance from spreads and a root of the correlations."""
    if root is None:
        root = identity(len(sd))
    return [[product(x, s) for x in row] for s, row in zip(sd, root, strict=True)]


def _slope_on_effect(have: Entries, root: Matrix) -> Matrix:
    r"""Return :math:`C = \Omega_{\delta\gamma}\Omega_\gamma^{-1}`, from the joint root."""
    across = _scaled(have[SLOPE_SD], have[MEDIATOR_EFFECT_SLOPE_CORR])
    inverse = lower_inverse(root)
    columns = list(zip(*inverse, strict=True))
    return [[dot(row, column) for column in columns] for row in across]


def _roots(draws: Draws) -> Entries:
    """Return roots of the correlations of mediator effects and of slopes, as columns (n, 1)."""
    effects = draws[MEDIATOR_EFFECT_CORR]
    if MEDIATOR_EFFECT_SLOPE_CORR not in draws:
        found = {MEDIATOR_EFFECT_CORR: effects}
        found |= {SLOPE_CORR: draws[SLOPE_CORR]} if SLOPE_CORR in draws else {}
        return {name: _columns(np.linalg.cholesky(values)) for name, values in found.items()}
    n, across = effects.shape[1], draws[MEDIATOR_EFFECT_SLOPE_CORR]
    whole = np.block([[effects, across], [np.swapaxes(across, 1, 2), draws[SLOPE_CORR]]])
    root = np.linalg.cholesky(whole)
    return {
        MEDIATOR_EFFECT_CORR: _columns(root[:, :n, :n]),
        MEDIATOR_EFFECT_SLOPE_CORR: [[root[:, n + i, j, None] for j in range(n)] for i in range(n)],
        SLOPE_CORR: _columns(root[:, n:, n:]),
    }


def _columns(root: Floats) -> Matrix:
    size = range(root.shape[1])
    return [[root[:, i, j, None] if j <= i else 0.0 for j in size] for i in size]
