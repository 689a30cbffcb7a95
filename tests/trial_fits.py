"""Fits of one trial made of chosen draws, without sampling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from bayesmed.inference import Fit, Sampler
from bayesmed.inference.trial_tree import assemble_trial


def made(
    model: Any,
    data: Any,
    draws: Mapping[str, np.ndarray] | None = None,
    shape: tuple[int, int] = (2, 6),
) -> Fit[Any, Any]:
    """Return a fit whose posterior is its prior, but for the draws given: each (chain, draw, ...).

    The statistics of the sampler are those of one that had no difficulties.
    """
    rng = np.random.default_rng(2)
    model.check_data(data)
    flat = model.prior_draws(data, int(np.prod(shape)), rng)
    posterior = {name: own.reshape(*shape, *own.shape[1:]) for name, own in flat.items()}
    stats = {
        "diverging": (("chain", "draw"), np.zeros(shape, dtype=bool)),
        "energy": (("chain", "draw"), rng.normal(size=shape)),
    }
    tree = assemble_trial(model, data, posterior | dict(draws or {}), xr.Dataset(stats), 1)
    return Fit(model, data, Sampler(chains=shape[0], draws=shape[1], tune=10), 7, tree)
