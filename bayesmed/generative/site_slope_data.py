"""From a table of site estimates to blocks of equal size, their sampling covariance taken apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesmed.core.types import Floats, Integers
from bayesmed.data import SiteEstimates
from bayesmed.formulas.site_slope_blocks import Blocks


class BlockData(NamedTuple):
    """Estimates block by block.

    Attributes
    ----------
    rows
        (B, K) rows of the table in each block, -1 for padding.
    blocks
        The estimates and their covariance, for the formulas.
    """

    rows: Integers
    blocks: Blocks


def block_data(data: SiteEstimates, n_blocks: int | None = None) -> BlockData:
    """Arrange a table in blocks of as many rows as its largest has.

    Parameters
    ----------
    data
        The table.
    n_blocks
        Pad to this many blocks; padding contributes nothing to any density.
    """
    rows = block_rows(data)
    present = rows >= 0
    cov = _block_covariances(data, rows)
    n = rows.shape[1] * data.n_mediators
    mediator = np.where(present[:, :, None], data.mediator_effect[rows], 0.0).reshape(-1, n)
    outcome = np.where(present, data.total_effect[rows], 0.0)
    inverse, variance, carry, noise = _taken_apart(cov, n)
    parts = [mediator, outcome, inverse, np.sqrt(variance), carry, noise, present.astype(float)]
    if n_blocks is not None:
        more = n_blocks - rows.shape[0]
        fills: list[Floats | float] = [0.0, 0.0, np.eye(n), 1.0, 0.0, np.eye(rows.shape[1]), 0.0]
        parts = [_padded(p, more, fill) for p, fill in zip(parts, fills, strict=True)]
    padded = n_blocks is not None or not present.all()
    return BlockData(rows, _entries(parts, padded))


def block_rows(data: SiteEstimates) -> Integers:
    """Return the rows of each block, shape (B, K), filled up with -1."""
    if data.n_blocks == data.n_rows:
        return np.arange(data.n_rows)[:, None]
    found = [data.block_rows(b) for b in range(data.n_blocks)]
    rows = np.full((len(found), max(map(len, found))), -1, dtype=np.int64)
    for b, own in enumerate(found):
        rows[b, : len(own)] = own
    return rows


def rows_per_block(data: SiteEstimates) -> int:
    """Return the number of rows of the largest block, K."""
    return 1 if data.n_blocks == data.n_rows else int(np.bincount(data.block).max())


def by_row(values: Floats, rows: Integers, n_rows: int) -> Floats:
    """Bring values of shape (n, B, K, ...) into the order of the table, shape (n, R, ...)."""
    out = np.empty((values.shape[0], n_rows, *values.shape[3:]))
    present = rows >= 0
    out[:, rows[present]] = values[:, : rows.shape[0]][:, present]
    return out


def sampling_roots(data: SiteEstimates) -> tuple[Integers, Floats]:
    """Return the rows of each block and a root of its sampling covariance.

    Roots have shape (B, D, D), D = K (P + 1), the mediators of all rows first.
    """
    rows = block_rows(data)
    cov = _block_covariances(data, rows)
    # In units of the standard errors, so that no estimate is lost beside a larger one.
    se = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    safe = np.where(se > 0, se, 1.0)
    value, vector = np.linalg.eigh(cov / (safe[:, :, None] * safe[:, None, :]))
    return rows, se[:, :, None] * vector * np.sqrt(np.maximum(value, 0.0))[:, None, :]


def _block_covariances(data: SiteEstimates, rows: Integers) -> Floats:
    """Return the covariance of each block, mediators of all rows before the total effects."""
    k, p = rows.shape[1], data.n_mediators
    if k == 1:
        return data.cov
    cov = np.tile(np.eye(k * (p + 1)), (rows.shape[0], 1, 1))
    within = np.arange(k * (p + 1)).reshape(k, p + 1)
    order = [*within[:, :p].ravel(), *within[:, p]]
    for b, own in enumerate(rows):
        size = int((own >= 0).sum()) * (p + 1)
        cov[b, :size, :size] = data.block_cov(b)
    return cov[:, order][:, :, order]


def _taken_apart(cov: Floats, n: int) -> tuple[Floats, Floats, Floats, Floats]:
    r"""Take covariances of N mediators and K outcomes apart, mediator by mediator.

    Returns
    -------
    inverse, variance
        :math:`U^{-1}` and D of the mediators' covariance :math:`U D U'`.
    carry
        Coefficients of the outcomes' errors on those of the mediators.
    noise
        Covariance of the outcomes' errors given those of the mediators.
    """
    left = cov.copy()
    size = cov.shape[1]
    inverse = np.tile(np.eye(size), (cov.shape[0], 1, 1))
    for k in range(n):
        pivot = left[:, k, k]
        safe = np.where(pivot > 0, pivot, 1.0)
        factor = np.where(pivot[:, None] > 0, left[:, k + 1 :, k] / safe[:, None], 0.0)
        column = left[:, k + 1 :, k]
        diagonal = np.diagonal(left, axis1=1, axis2=2)[:, k + 1 :]
        # (a - b)(a + b) keeps the digits that a**2 - b**2 loses.
        a, b = np.sqrt(np.maximum(diagonal, 0.0)), np.abs(factor) * np.sqrt(pivot)[:, None]
        rest = left[:, k + 1 :, k + 1 :] - factor[:, :, None] * column[:, None, :]
        index = np.arange(size - k - 1)
        rest[:, index, index] = np.maximum((a - b) * (a + b), 0.0)
        left[:, k + 1 :, k + 1 :] = rest
        inverse[:, k + 1 :] -= factor[:, :, None] * inverse[:, k : k + 1]
    variance = np.diagonal(left, axis1=1, axis2=2)[:, :n]
    return inverse[:, :n, :n], variance, -inverse[:, n:, :n], left[:, n:, n:]


def _padded(values: Floats, more: int, fill: Floats | float) -> Floats:
    extra = np.broadcast_to(fill, (more, *values.shape[1:]))
    return np.concatenate([values, extra])


def _entries(parts: list[Floats], padded: bool) -> Blocks:
    mediator, outcome, inverse, noise_sd, carry, noise, present = parts
    n, k = mediator.shape[1], outcome.shape[1]
    return Blocks(
        mediator=list(mediator.T),
        outcome=list(outcome.T),
        inverse=[
            [inverse[:, i, j] if j < i else float(i == j) for j in range(n)] for i in range(n)
        ],
        noise_sd=list(noise_sd.T),
        carry=[[carry[:, r, i] for i in range(n)] for r in range(k)],
        outcome_noise=[[noise[:, i, j] if j <= i else 0.0 for j in range(k)] for i in range(k)],
        present=list(present.T) if padded else None,
    )


def pack(blocks: Blocks) -> list[Floats]:
    """Return the arrays of blocks as one list, to be the columns of one data node."""
    n, k = len(blocks.mediator), blocks.rows
    return [
        *blocks.mediator,
        *blocks.outcome,
        *(blocks.inverse[i][j] for i in range(n) for j in range(i)),
        *blocks.noise_sd,
        *(x for row in blocks.carry for x in row),
        *(blocks.outcome_noise[i][j] for i in range(k) for j in range(i + 1)),
        *(blocks.present or ()),
    ]


def unpack(columns: object, n: int, k: int, padded: bool) -> Blocks:
    """Return blocks with the entries ``pack`` listed, taken from a sequence of columns."""
    taken = iter(columns)  # type: ignore[call-overload]

    def some(count: int) -> list[Floats]:
        return [next(taken) for _ in range(count)]

    mediator, outcome = some(n), some(k)
    inverse = [[*some(i), 1.0, *[0.0] * (n - i - 1)] for i in range(n)]
    noise_sd, carry = some(n), [some(n) for _ in range(k)]
    noise = [[*some(i + 1), *[0.0] * (k - i - 1)] for i in range(k)]
    return Blocks(mediator, outcome, inverse, noise_sd, carry, noise, some(k) if padded else None)
