"""What follows from draws of the parameters of a site-slope model: rows, estimates, densities.

Parameter draws are arrays (n, ...) by name; results have shape (n, R) or (n, R, P).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesmed.core.names import (
    DIRECT_EFFECT,
    INDIRECT_EFFECT,
    MEDIATOR_EFFECT,
    MEDIATOR_EFFECT_ESTIMATE,
    PERSON_COVARIANCE,
    SLOPE,
    SLOPE_OF_SITE,
    TOTAL_EFFECT,
    TOTAL_EFFECT_ESTIMATE,
)
from bayesmed.core.types import Floats, Integers
from bayesmed.data import SiteEstimates
from bayesmed.formulas import student_t
from bayesmed.formulas.averaging import line_nodes, normal_nodes
from bayesmed.formulas.linear_gaussian import dot
from bayesmed.formulas.site_slope_blocks import Blocks, Curve
from bayesmed.generative import site_slope_density
from bayesmed.generative.protocol import Draws
from bayesmed.generative.site_slope_data import block_data, by_row, rows_per_block, sampling_roots
from bayesmed.generative.site_slope_persons import (
    PersonBlocks,
    as_entries,
    errors,
    person_blocks,
    with_covariances,
)
from bayesmed.generative.site_slope_population import Population, entries, population

if TYPE_CHECKING:
    from bayesmed.generative.site_model import SiteModel

# The coordinates of mediator effects that are sampled rather than integrated, shape (n, N, B).
SITE_COORDINATES = "site_coordinates"
# Numbers held at once: small enough for a processor's cache, large enough for NumPy.
CHUNK = 2**20


@dataclass(frozen=True)
class Layout:
    """Blocks of a table for any draws of the parameters.

    Attributes
    ----------
    rows
        (B, K) rows of the table, -1 where there is none.
    coordinates
        Mediator effects of a block, N.
    """

    rows: Integers
    coordinates: int
    _known: Blocks | None
    _persons: PersonBlocks | None

    @classmethod
    def of(cls, model: SiteModel, data: SiteEstimates) -> Layout:
        """Arrange a table for a model."""
        persons = model.persons(data)
        n = rows_per_block(data) * data.n_mediators
        if persons is None:
            known = block_data(data)
            return cls(known.rows, n, known.blocks, None)
        rows, blocks = person_blocks(data, persons)
        return cls(rows, n, None, blocks)

    def given(self, draws: Draws) -> Blocks:
        """Return the blocks with the sampling covariance that draws give them."""
        if self._persons is None:
            assert self._known is not None
            return self._known
        return with_covariances(self._persons, as_entries(draws))


def described(model: SiteModel, draws: Draws, covariates: Floats) -> Population:
    """Describe the population of each draw, for rows with covariates of shape (K, C, B)."""
    have = entries(model, draws)
    return population(model, have, [list(row) for row in covariates])


def row_effects(
    whole: Population, r: int, gamma: list[Floats], residual: Floats, away: list[Floats]
) -> dict[str, Floats]:
    """Put the effects of one row together: ``away`` is how far its slopes are from their mean."""
    curve = whole.curve
    own = [x - whole.tilt for x in curve.site_slopes(gamma)]
    slopes = [x + d for x, d in zip(own, away, strict=True)] if away else own
    shape = gamma[0].shape
    indirect = np.stack([x * g for x, g in zip(slopes, gamma, strict=True)], axis=-1)
    direct = np.broadcast_to(curve.intercept[r] + whole.tilt * gamma[0] + residual, shape)
    found = {
        MEDIATOR_EFFECT: np.stack(gamma, axis=-1),
        DIRECT_EFFECT: direct,
        INDIRECT_EFFECT: indirect,
        TOTAL_EFFECT: direct + indirect.sum(axis=-1),
    }
    if away or curve.is_polynomial or curve.slope_on_effect:
        found[SLOPE_OF_SITE] = np.stack(slopes, axis=-1)
    return found


def slope_deviations(
    curve: Curve, shape: tuple[int, ...], rng: np.random.Generator
) -> list[Floats]:
    """Draw how far the slopes of a row are from what is expected of them."""
    z = [rng.standard_normal(shape) for _ in curve.slope_root]
    return [np.asarray(dot(row, z)) for row in curve.slope_root]


def estimates_given_effects(
    model: SiteModel,
    effects: Mapping[str, Floats],
    draws: Draws,
    data: SiteEstimates,
    rng: np.random.Generator,
) -> dict[str, Floats]:
    """Draw estimates around site effects with the sampling covariances of the data, or drawn."""
    persons = model.persons(data)
    if persons is not None:
        rows, drawn = errors(data, persons, draws[PERSON_COVARIANCE], rng)
        mediator, outcome = drawn[..., :-1], drawn[..., -1]
    else:
        rows, root = sampling_roots(data)
        n = effects[TOTAL_EFFECT].shape[0]
        k, p = rows.shape[1], data.n_mediators
        error = np.einsum("bij,nbj->nbi", root, rng.standard_normal((n, *root.shape[:2])))
        mediator, outcome = error[..., : k * p].reshape(n, -1, k, p), error[..., k * p :]
    return {
        MEDIATOR_EFFECT_ESTIMATE: effects[MEDIATOR_EFFECT] + by_row(mediator, rows, data.n_rows),
        TOTAL_EFFECT_ESTIMATE: effects[TOTAL_EFFECT] + by_row(outcome, rows, data.n_rows),
    }


def log_likelihood(model: SiteModel, draws: Draws, data: SiteEstimates) -> Floats:
    """Log-density of each block's estimates, site effects integrated out, shape (n, B)."""
    layout = Layout.of(model, data)
    covariates = covariates_of_blocks(model, data, layout.rows)
    # A curve without scatter may meet the estimates in more than one narrow place.
    plain = model.slope == "polynomial" and not model.direct_effect and layout.rows.shape[1] == 1
    plain = plain and data.n_mediators == 1
    nodes, log_weights = line_nodes() if plain else normal_nodes(layout.coordinates)
    straight = model.slope == "constant"
    size = 1 if straight else nodes.shape[1]
    size *= student_t.NODES if model.robust else 1
    parts = []
    for part in chunks(draws, layout.rows.shape[0] * size):
        whole = described(model, part, covariates)
        blocks = layout.given(part)
        if straight:
            parts.append(site_slope_density.straight(whole, blocks))
            continue
        z, weights = list(nodes[:, :, None, None]), log_weights[:, None, None]
        found = site_slope_density.averaged(whole, blocks, z, weights, plain=plain)
        parts.append(found)
    return np.concatenate(parts)


def covariates_of_blocks(model: SiteModel, data: SiteEstimates, rows: Integers) -> Floats:
    """Centred covariates of the rows of each block, shape (K, C, B)."""
    values = model.covariate_values(data)[rows] * (rows >= 0)[:, :, None]
    return np.moveaxis(values, 0, -1)


def chunks(draws: Draws, size: int) -> Iterator[dict[str, Floats]]:
    """Cut draws into pieces in which a quantity has a bounded number of values."""
    n = draws[SLOPE].shape[0]
    step = max(1, CHUNK // max(size, 1))
    for start in range(0, n, step):
        yield {name: values[start : start + step] for name, values in draws.items()}
