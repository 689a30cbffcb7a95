"""Arrays of a fit in the shape pictures need: one mediator, draws flattened."""

from __future__ import annotations

import numpy as np

from bayesmed.core.names import CHAIN, DRAW, MEDIATOR, SITE
from bayesmed.core.types import Floats, Integers
from bayesmed.inference import Fit


def parameter_draws(fit: Fit, name: str, mediator: int = 0) -> Floats | None:
    """Return draws of a parameter, shape (chain, draw); None where the model has none."""
    posterior = fit.tree["posterior"]
    if name not in posterior.data_vars:
        return None
    values = posterior[name]
    if MEDIATOR in values.dims:
        values = values.isel({MEDIATOR: mediator})
    return np.asarray(values.transpose(CHAIN, DRAW), dtype=float)


def site_draws(
    fit: Fit, group: str, name: str, rows: Integers | slice = slice(None), mediator: int = 0
) -> Floats:
    """Return draws of a quantity of some sites, shape (draws, sites)."""
    values = fit.tree[group][name]
    if MEDIATOR in values.dims:
        values = values.isel({MEDIATOR: mediator})
    values = values.isel({SITE: rows}).transpose(CHAIN, DRAW, SITE)
    return np.asarray(values, dtype=float).reshape(-1, values.sizes[SITE])


def site_means(fit: Fit, group: str, name: str) -> Floats:
    """Posterior mean of a quantity of every site, shape (S,), or (S, P) where by mediator."""
    values = fit.tree[group][name]
    last = [MEDIATOR] if MEDIATOR in values.dims else []
    return np.asarray(values.mean((CHAIN, DRAW)).transpose(SITE, *last), dtype=float)


def evenly(n: int, most: int) -> Integers:
    """Return at most ``most`` of the numbers 0 .. n - 1, evenly spread, both ends included.

    Examples
    --------
    >>> evenly(3, 5).tolist(), evenly(9, 3).tolist()
    ([0, 1, 2], [0, 4, 8])
    """
    if n <= most:
        return np.arange(n)
    return np.unique(np.linspace(0, n - 1, most).round().astype(np.int64))
