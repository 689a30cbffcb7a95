"""Effects of the sites of the data given their estimates, one draw for each of the parameters.

Quantities are arrays (n, B) over draws and blocks until they are brought into the table's order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.formulas import student_t
from bayesmed.formulas.linear_gaussian import Matrix, unit_lower
from bayesmed.formulas.site_slope_blocks import (
    Blocks,
    Curve,
    coordinates,
    given_mediator_estimates,
    mediator_effects,
    outcome_given_mediator_estimates,
    outcome_residuals,
)
from bayesmed.generative import site_slope_density
from bayesmed.generative.protocol import Draws
from bayesmed.generative.site_slope_data import by_row
from bayesmed.generative.site_slope_draws import (
    SITE_COORDINATES,
    Layout,
    chunks,
    covariates_of_blocks,
    described,
    row_effects,
    slope_deviations,
)
from bayesmed.generative.site_slope_population import Population

if TYPE_CHECKING:
    from bayesmed.generative.site_model import SiteModel

# Points of the inverse distribution function of one coordinate, and how far they reach.
LINE, REACH = 121, 7.0


def site_effects(
    model: SiteModel, draws: Draws, data: SiteEstimates, rng: np.random.Generator
) -> dict[str, Floats]:
    """Draw the effects of each site of the data from their exact conditional, one for each draw."""
    layout = Layout.of(model, data)
    covariates = covariates_of_blocks(model, data, layout.rows)
    size = layout.rows.size * (1 if model.slope == "constant" and not model.robust else LINE)
    parts = []
    for part in chunks(draws, size):
        whole = described(model, part, covariates)
        effects = _given_estimates(
            model, whole, layout.given(part), part.get(SITE_COORDINATES), rng
        )
        parts.append({k: by_row(v, layout.rows, data.n_rows) for k, v in effects.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _given_estimates(
    model: SiteModel,
    whole: Population,
    blocks: Blocks,
    sampled: Floats | None,
    rng: np.random.Generator,
) -> dict[str, Floats]:
    """Draw effects of every row given the estimates, arrays (n, B, K, ...)."""
    n, b = whole.mean[0].shape[0], blocks.outcome[0].size
    given = given_mediator_estimates(blocks, whole.mean, whole.root)
    scale: Floats | float = 1.0
    if model.slope == "constant":
        z = list(rng.standard_normal((len(given.known.mean), n, b)))
        if whole.dof is not None:
            straight = whole.curve._replace(residual_variance=0.0)
            seen = outcome_given_mediator_estimates(given, blocks, straight)
            scale = _scales(whole, *seen, rng)
    elif sampled is not None:
        z = list(np.moveaxis(sampled, 1, 0)[..., :b])
    else:
        z = [_along_a_line(whole, blocks, rng)]
    curve = whole.curve._replace(residual_variance=whole.curve.residual_variance * scale)
    where = coordinates(given, blocks, curve if model.slope == "constant" else whole.curve)
    _, gamma = mediator_effects(given, where, z)
    if whole.dof is not None and model.slope != "constant":
        scale = _scales(whole, *site_slope_density.scattered(whole, blocks, gamma), rng)
        curve = whole.curve._replace(residual_variance=whole.curve.residual_variance * scale)
    return _rows_given_mediators(
        whole, blocks, curve, [np.broadcast_to(g, (n, b)) for g in gamma], rng
    )


def _rows_given_mediators(
    whole: Population, blocks: Blocks, curve: Curve, gamma: list[Floats], rng: np.random.Generator
) -> dict[str, Floats]:
    r"""Draw direct effects and slopes given mediator effects and estimates.

    Deviations are simulated from the population and moved by how far the simulated residuals are
    from those observed (conditioning by kriging): :math:`e + \mathrm{Var}(e)\,C^{-1}(r - r^*)`.
    """
    k, shape = blocks.rows, gamma[0].shape
    p = len(gamma) // k
    residuals, noise = outcome_residuals(blocks, curve, gamma)
    left = blocks.outcome_noise
    total = [[left[i][j] + (noise[i] if i == j else 0.0) for j in range(i + 1)] for i in range(k)]
    own = [np.sqrt(curve.residual_variance) * rng.standard_normal(shape) for _ in range(k)]
    away = [slope_deviations(curve, shape, rng) for _ in range(k)]
    gap = []
    for r, error in enumerate(_errors(left, shape, rng)):
        felt = sum((d * g for d, g in zip(away[r], gamma[r * p :], strict=False)), own[r] + error)
        gap.append(residuals[r] - felt)
    moved = _solved(total, gap)
    found = []
    for r in range(k):
        mine = gamma[r * p : (r + 1) * p]
        residual = own[r] + curve.residual_variance * moved[r]
        pairs = zip(away[r], curve.slope_on_error(mine), strict=True)
        slopes = [d + felt * moved[r] for d, felt in pairs]
        found.append(row_effects(whole, r, mine, residual, slopes))
    return {name: np.stack([row[name] for row in found], axis=2) for name in found[0]}


def _errors(cov: Matrix, shape: tuple[int, ...], rng: np.random.Generator) -> list[Floats]:
    """Draw normal errors with the covariance of each block."""
    inverse, variance = unit_lower(cov)
    free = [np.sqrt(np.maximum(v, 0.0)) * rng.standard_normal(shape) for v in variance]
    for r in range(len(free)):
        # Forward substitution: the inverse is unit lower triangular.
        free[r] = free[r] - sum(inverse[r][j] * free[j] for j in range(r))
    return free


def _solved(cov: Matrix, values: list[Floats]) -> list[Floats]:
    r"""Return :math:`C^{-1}x`; nothing moves where nothing varies."""
    inverse, variance = unit_lower(cov)
    size = range(len(values))
    free = []
    for r in size:
        found = sum(inverse[r][j] * values[j] for j in range(r + 1))
        spread = np.broadcast_to(variance[r], np.shape(found))
        free.append(np.divide(found, spread, out=np.zeros_like(found), where=spread > 0))
    return [sum(inverse[j][r] * free[j] for j in size if j >= r) for r in size]


def _scales(whole: Population, residual: Floats, other: Floats, rng: np.random.Generator) -> Floats:
    """Draw by how much each site's direct effect is scaled, from its conditional."""
    assert whole.dof is not None
    variance = whole.curve.residual_variance
    position = np.linspace(0.0, 1.0, LINE).reshape(-1, 1, 1)
    u, _ = student_t.log_scales(residual, other, variance, whole.dof, position)
    density = student_t.log_terms(u, residual, other, variance, whole.dof)
    low, high = u[0], u[-1]
    return np.asarray(np.exp(low + (high - low) * _inverted(density, rng)))


def _along_a_line(whole: Population, blocks: Blocks, rng: np.random.Generator) -> Floats:
    """Draw the coordinate of blocks that have only one, from its conditional."""
    z = np.linspace(-REACH, REACH, LINE).reshape(-1, 1, 1)
    density = site_slope_density.at_coordinates(whole, blocks, [z]) - 0.5 * z**2
    return np.asarray(REACH * (2.0 * _inverted(density, rng) - 1.0))


def _inverted(log_density: Floats, rng: np.random.Generator) -> Floats:
    """Draw positions in [0, 1] from a density given on an even grid of the first axis."""
    weight = np.exp(log_density - log_density.max(axis=0))
    pieces = (weight[1:] + weight[:-1]) / 2.0
    cumulative = np.cumsum(pieces, axis=0)
    target = rng.uniform(size=cumulative.shape[1:]) * cumulative[-1]
    index = np.minimum((cumulative < target).sum(axis=0), pieces.shape[0] - 1)[None]

    def at(values: Floats) -> Floats:
        return np.asarray(np.take_along_axis(values, index, axis=0)[0])

    # Within a piece the density is a line: solve the quadratic equation of its integral.
    start, end, area = at(weight[:-1]), at(weight[1:]), at(pieces)
    rest = np.clip(target - (at(cumulative) - area), 0.0, area)
    root = np.sqrt(np.maximum(start**2 + 2.0 * (end - start) * rest, 0.0))
    inside = np.divide(2.0 * rest, start + root, out=np.zeros_like(rest), where=start + root > 0)
    return np.asarray((index[0] + np.clip(inside, 0.0, 1.0)) / pieces.shape[0])
