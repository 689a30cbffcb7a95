"""Sampling covariances whose persons' covariances are parameters: blocks made of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bayesmed.core.names import PERSON_COVARIANCE
from bayesmed.core.types import ArrayLike, Floats, Integers
from bayesmed.data import PersonCovariance, SiteEstimates
from bayesmed.formulas.linear_gaussian import Matrix, Vector, eliminated
from bayesmed.formulas.person_covariance import (
    coordinate_log_constant,
    covariance_of_persons,
    n_coordinates,
    sampling_covariance,
)
from bayesmed.formulas.site_slope_blocks import Blocks
from bayesmed.generative.site_slope_data import block_rows

# The sampled coordinates of the covariances of persons, one group after the other.
PERSON_COORDINATES = "person_coordinates"


class PersonBlocks(NamedTuple):
    """Estimates of B blocks and the weights of groups of persons in their sampling covariance.

    ``mediator``, ``outcome`` and ``present`` as in `Blocks`; ``weight`` holds for each pair
    (i, j), j <= i, of the K rows of a block, row by row, an entry for each of A groups.
    """

    mediator: Vector
    outcome: Vector
    weight: list[Vector]
    present: Vector


def person_blocks(
    data: SiteEstimates, persons: PersonCovariance, n_blocks: int | None = None
) -> tuple[Integers, PersonBlocks]:
    """Arrange a table and its weights in blocks; see `block_data`.

    Rows that are not there weigh as one person of every group, so that nothing is divided by 0.
    """
    rows = block_rows(data)
    k, p, groups = rows.shape[1], data.n_mediators, len(persons.groups)
    size = n_blocks or len(rows)
    padded = np.full((size, k), -1, dtype=np.int64)
    padded[: len(rows)] = rows
    there = padded >= 0
    mediator = np.where(there[:, :, None], data.mediator_effect[padded], 0.0).reshape(size, k * p)
    outcome = np.where(there, data.total_effect[padded], 0.0)
    weight = []
    for i in range(k):
        for j in range(i + 1):
            own = np.ones((size, groups)) if i == j else np.zeros((size, groups))
            if i == j:
                own = np.where(there[:, i, None], persons.weight[padded[:, i]], own)
            else:
                _fill_pairs(own, padded[:, j], padded[:, i], persons)
            weight.append(list(own.T))
    return rows, PersonBlocks(
        list(mediator.T), list(outcome.T), weight, list(there.T.astype(float))
    )


def _fill_pairs(own: Floats, first: Integers, second: Integers, persons: PersonCovariance) -> None:
    for b, pair in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        found = persons.cross_weight.get((min(pair), max(pair)))
        if found is not None:
            own[b] = found


def pack(blocks: PersonBlocks) -> list[ArrayLike]:
    """Return the arrays as one list, to be the columns of one data node."""
    weights = [x for pair in blocks.weight for x in pair]
    return [*blocks.mediator, *blocks.outcome, *weights, *blocks.present]


def unpack(columns: Sequence[ArrayLike], n: int, k: int, groups: int) -> PersonBlocks:
    """Return the blocks ``pack`` listed, of N mediators and K rows."""
    taken = iter(columns)

    def some(count: int) -> Vector:
        return [next(taken) for _ in range(count)]

    mediator, outcome = some(n), some(k)
    return PersonBlocks(mediator, outcome, [some(groups) for _ in range(n_coordinates(k))], some(k))


def with_covariances(blocks: PersonBlocks, covariances: Sequence[Matrix]) -> Blocks:
    """Return blocks with their sampling covariance taken apart, NumPy or PyTensor."""
    k = len(blocks.outcome)
    n = len(blocks.mediator)
    p = n // k
    pairs = {
        (i, j): sampling_covariance(blocks.weight[i * (i + 1) // 2 + j], covariances)
        for i in range(k)
        for j in range(i + 1)
    }
    order = [(r, q) for r in range(k) for q in range(p)] + [(r, p) for r in range(k)]

    def entry(a: tuple[int, int], b: tuple[int, int]) -> ArrayLike:
        # Covariances of persons are symmetric, so those of two rows are.
        rows = max(a[0], b[0]), min(a[0], b[0])
        return pairs[rows][max(a[1], b[1])][min(a[1], b[1])]

    whole = [[entry(a, b) for b in order[: i + 1]] for i, a in enumerate(order)]
    inverse, variance, left = eliminated([[*row, *[0.0] * (n + k - len(row))] for row in whole], n)
    return Blocks(
        mediator=blocks.mediator,
        outcome=blocks.outcome,
        inverse=[row[:n] for row in inverse[:n]],
        noise_sd=[np.sqrt(v) for v in variance],
        carry=[[-1.0 * x for x in row[:n]] for row in inverse[n:]],
        outcome_noise=left,
        present=blocks.present,
    )


def roots(persons: PersonCovariance) -> Floats:
    """Return C with S = CC' of each group, (A, K, K), lower triangular."""
    size = np.sqrt(np.diagonal(persons.cross, axis1=1, axis2=2))
    corr = persons.cross / (size[:, :, None] * size[:, None, :])
    return np.asarray(size[:, :, None] * np.linalg.cholesky(corr))


def products(persons: PersonCovariance) -> Floats:
    """Return what the graph is told of each group, (A, 2 + K (K + 1) / 2).

    Degrees of freedom, the constant of the coordinates' density, and C, row by row.
    """
    i, j = np.tril_indices(persons.cross.shape[1])
    k = range(persons.cross.shape[1])
    constant = [sum(coordinate_log_constant(float(df), a) for a in k) for df in persons.df]
    return np.column_stack([persons.df, constant, roots(persons)[:, i, j]])


def covariances_at(persons: PersonCovariance, z: Floats) -> Floats:
    """Return the covariances (..., A, K, K) at coordinates (..., A * K (K + 1) / 2)."""
    groups, k = persons.cross.shape[:2]
    each = z.reshape(*z.shape[:-1], groups, n_coordinates(k))
    found = []
    for a, root in enumerate(roots(persons)):
        entries = covariance_of_persons(
            list(np.moveaxis(each[..., a, :], -1, 0)), root.tolist(), persons.df[a]
        )
        found.append(np.stack([np.stack(row, axis=-1) for row in entries], axis=-2))
    return np.stack(found, axis=-3)


def drawn_covariances(persons: PersonCovariance, n: int, rng: np.random.Generator) -> Floats:
    """Draw the covariances given the products of persons alone, (n, A, K, K)."""
    groups, k = persons.cross.shape[:2]
    z = rng.standard_normal((n, groups, n_coordinates(k)))
    freedom = persons.df[:, None] - np.arange(k)
    chi = rng.chisquare(freedom, (n, groups, k))
    z[..., :k] = np.log(chi / freedom) * np.sqrt(freedom / 2.0)
    return covariances_at(persons, z.reshape(n, -1))


def as_entries(draws: Mapping[str, Floats]) -> list[Matrix]:
    """Return drawn covariances, (n, A, K, K), as matrices of columns (n, 1)."""
    found = draws[PERSON_COVARIANCE]
    size = range(found.shape[-1])
    return [[[found[:, a, i, j, None] for j in size] for i in size] for a in range(found.shape[1])]


def errors(
    data: SiteEstimates, persons: PersonCovariance, covariances: Floats, rng: np.random.Generator
) -> tuple[Integers, Floats]:
    r"""Draw sampling errors, (n, B, K rows, P + 1), for covariances (n, A, P + 1, P + 1).

    Of each group, :math:`(G_a^{1/2}\otimes L_a)\,z` with the weights :math:`G_a` of a block's rows.
    """
    rows, blocks = person_blocks(data, persons)
    k, size = rows.shape[1], rows.shape[0]
    n, groups, each = covariances.shape[0], covariances.shape[1], covariances.shape[2]
    total = np.zeros((n, size, k, each))
    for a in range(groups):
        weight = np.zeros((size, k, k))
        for i in range(k):
            for j in range(i + 1):
                weight[:, i, j] = weight[:, j, i] = blocks.weight[i * (i + 1) // 2 + j][a]
        value, vector = np.linalg.eigh(weight)
        root = vector * np.sqrt(np.maximum(value, 0.0))[:, None, :]
        z = rng.standard_normal((n, size, k, each))
        total += np.einsum("bij,nbjq,nrq->nbir", root, z, np.linalg.cholesky(covariances[:, a]))
    return rows, total
