"""The density of a block's estimates under any site-slope model; NumPy or PyTensor."""

from __future__ import annotations

from collections.abc import Sequence

from bayesmed.core.types import ArrayLike
from bayesmed.formulas import student_t
from bayesmed.formulas.averaging import ARRAYS, Functions
from bayesmed.formulas.site_slope_blocks import (
    Blocks,
    coordinates,
    given_mediator_estimates,
    log_ratio,
    mediator_effects,
    outcome_given_mediator_estimates,
    outcome_log_density,
    outcome_residuals,
    unmoved,
)
from bayesmed.generative.site_slope_population import Population


def straight(whole: Population, blocks: Blocks, functions: Functions = ARRAYS) -> ArrayLike:
    """Log-density of each block's estimates where the slope is constant."""
    given = given_mediator_estimates(blocks, whole.mean, whole.root)
    if whole.dof is None:
        return given.log_density + coordinates(given, blocks, whole.curve).log_density
    curve = whole.curve._replace(residual_variance=0.0)
    residual, other = outcome_given_mediator_estimates(given, blocks, curve)
    scale = whole.curve.residual_variance
    return given.log_density + student_t.log_marginal(residual, other, scale, whole.dof, functions)


def at_coordinates(
    whole: Population,
    blocks: Blocks,
    z: Sequence[ArrayLike],
    functions: Functions = ARRAYS,
    *,
    plain: bool = False,
) -> ArrayLike:
    """Log-density of each block's estimates and coordinates z, over that of standard normal z.

    With ``plain`` coordinates are those of mediator effects given their own estimates only.
    """
    given = given_mediator_estimates(blocks, whole.mean, whole.root)
    where = unmoved(len(given.known.mean)) if plain else coordinates(given, blocks, whole.curve)
    zeta, gamma = mediator_effects(given, where, z)
    return log_ratio(given, where, zeta, z) + _outcome(whole, blocks, gamma, functions)


def averaged(
    whole: Population,
    blocks: Blocks,
    z: Sequence[ArrayLike],
    log_weights: ArrayLike,
    functions: Functions = ARRAYS,
    *,
    plain: bool = False,
) -> ArrayLike:
    """Log-density of each block's estimates, averaged over nodes on a first axis."""
    found = at_coordinates(whole, blocks, z, functions, plain=plain)
    return functions.log_sum_exp(found + log_weights)


def _outcome(
    whole: Population, blocks: Blocks, gamma: Sequence[ArrayLike], functions: Functions = ARRAYS
) -> ArrayLike:
    """Log-density of the total effects' estimates given the mediator effects."""
    if whole.dof is None:
        return outcome_log_density(blocks, whole.curve, gamma)
    residual, other = scattered(whole, blocks, gamma)
    scale = whole.curve.residual_variance
    found = student_t.log_marginal(residual, other, scale, whole.dof, functions)
    return found if blocks.present is None else found * blocks.present[0]


def scattered(
    whole: Population, blocks: Blocks, gamma: Sequence[ArrayLike]
) -> tuple[ArrayLike, ArrayLike]:
    """Return residuals given mediator effects, and their variance without the direct effects'."""
    curve = whole.curve._replace(residual_variance=0.0)
    (residual,), (noise,) = outcome_residuals(blocks, curve, gamma)
    return residual, blocks.outcome_noise[0][0] + noise
