"""Ranks of what is true among draws of a posterior, and whether they are uniform."""

from __future__ import annotations

from functools import cache

import numpy as np

from bayesmed.core.types import Floats, Integers

__all__ = ["rank_among", "ranks_statistic", "simultaneous_band", "uniformity_p_value"]

SIMULATIONS, SEED = 10_000, 20260711


def rank_among(truth: Floats, draws: Floats, rng: np.random.Generator) -> Integers:
    r"""Return how many draws are below what is true; among equal values every rank is as likely.

    Parameters
    ----------
    truth
        (K,) values.
    draws
        (L, K) draws, as good as independent.
    rng
        Settles ties.

    Returns
    -------
    ndarray
        (K,) whole numbers from 0 to L. If truth comes from the prior, data from the model given
        the truth, and draws from the posterior given the data, each of the L + 1 values is equally
        likely (Cook, Gelman and Rubin 2006; Talts et al. 2018).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> rank_among(np.array([0.5]), np.array([[0.1], [0.7], [0.2]]), rng).tolist()
    [2]
    """
    below, equal = (draws < truth).sum(axis=0), (draws == truth).sum(axis=0)
    return np.asarray(below + rng.integers(0, equal, endpoint=True), dtype=np.int64)


def ranks_statistic(counts: Integers) -> Floats:
    r"""Return how unlikely the most unlikely point of a distribution of ranks is.

    .. math:: \gamma = 2\min_i \min\{P(B_i \le R_i),\ P(B_i \ge R_i)\},\qquad
        B_i \sim \mathrm{Binomial}\{N, i / (L + 1)\},

    with :math:`R_i` the number of ranks below i (Säilynoja, Bürkner and Vehtari 2022, equation
    14).

    Parameters
    ----------
    counts
        (..., L + 1) how often each rank was seen.

    Examples
    --------
    >>> even, uneven = np.full(10, 100), np.arange(10) * 1000 // 45
    >>> bool(ranks_statistic(even) > 0.9), bool(ranks_statistic(uneven) < 1e-9)
    (True, True)
    """
    from scipy.special import bdtr

    size = counts.shape[-1]
    total = counts.sum(axis=-1, keepdims=True)
    below = np.cumsum(counts, axis=-1)[..., :-1]
    at = np.arange(1, size) / size
    under = bdtr(below.astype(np.float64), total, at)
    # Of less than none, scipy would say NaN.
    over = np.where(below > 0, 1.0 - bdtr(np.maximum(below - 1.0, 0.0), total, at), 1.0)
    return np.asarray(2.0 * np.minimum(under, over).min(axis=-1))


@cache
def _under_uniformity(n: int, size: int) -> Floats:
    """Draw the statistic of N uniform ranks, sorted."""
    rng = np.random.default_rng(SEED)
    counts = rng.multinomial(n, np.full(size, 1.0 / size), size=SIMULATIONS)
    return np.sort(ranks_statistic(counts))


def uniformity_p_value(counts: Integers) -> Floats:
    """Return the probability that uniform ranks look as little uniform as these somewhere.

    Parameters
    ----------
    counts
        (L + 1,) how often each rank was seen.

    Examples
    --------
    >>> float(uniformity_p_value(np.full(10, 100))) > 0.99
    True
    """
    null = _under_uniformity(int(counts.sum()), counts.shape[-1])
    # Equal values count: the statistic is discrete.
    found = np.searchsorted(null, ranks_statistic(counts) * (1 + 1e-12), side="right")
    return np.asarray((found + 1) / (len(null) + 1))


def simultaneous_band(n: int, size: int, probability: float = 0.95) -> Floats:
    r"""Return a band that the distribution of uniform ranks leaves nowhere with a probability.

    Parameters
    ----------
    n
        Number of ranks N.
    size
        Number of values L + 1.
    probability
        That of being inside everywhere.

    Returns
    -------
    ndarray
        (2, L) lowest and highest share of ranks below i, i = 1 to L.

    Examples
    --------
    >>> low, high = simultaneous_band(1000, 101)
    >>> bool(low[49] < 50 / 101 < high[49]), bool(high[49] - low[49] < 0.12)
    (True, True)
    """
    from scipy.stats import binom

    pointwise = float(np.quantile(_under_uniformity(n, size), 1.0 - probability))
    at = np.arange(1, size) / size
    low, high = binom.ppf(pointwise / 2, n, at), binom.isf(pointwise / 2, n, at)
    return np.stack([low, high]) / n
