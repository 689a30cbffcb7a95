"""Errors drawn from the sampling distribution of site estimates."""

from __future__ import annotations

import numpy as np

from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates


def pseudo_errors(data: SiteEstimates, draws: int, rng: np.random.Generator) -> Floats:
    """Draw sampling errors of all estimates, rows of a block together.

    Parameters
    ----------
    data
        R rows, P mediators.
    draws
        How many sets.
    rng
        Where the randomness comes from.

    Returns
    -------
    Floats
        (draws, R, P + 1), total effect last.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2], total_effect=[3, 4], cov=[np.zeros((2, 2)), np.eye(2)])
    >>> pseudo_errors(data, 3, np.random.default_rng(1))[:, 0].any()
    np.False_
    """
    k = data.n_mediators + 1
    errors = rng.standard_normal((draws, data.n_rows, k))
    alone = np.bincount(data.block)[data.block] == 1
    if not data.cross_cov:
        alone[:] = True
    errors[:, alone] = np.einsum("bsj,sij->bsi", errors[:, alone], _root(data.cov[alone]))
    for block in np.unique(data.block[~alone]):
        rows = data.block_rows(int(block))
        flat = errors[:, rows].reshape(draws, -1)
        errors[:, rows] = (flat @ _root(data.block_cov(int(block)))).reshape(draws, -1, k)
    return errors


def _root(cov: Floats) -> Floats:
    """Return the symmetric square root of covariances, singular ones too: (..., k, k)."""
    values, vectors = np.linalg.eigh(cov)
    root: Floats = (vectors * np.sqrt(np.maximum(values, 0))[..., None, :]) @ np.swapaxes(
        vectors, -1, -2
    )
    return root
