"""What conclusions are about: parameters and averages of effects, as draws and as rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr

from bayesmed.core.names import (
    ACME,
    AVERAGE,
    AVERAGE_SLOPE,
    CHAIN,
    DIRECT_EFFECT,
    DRAW,
    MEDIATOR,
    SITE_EFFECTS,
    SLOPE,
    TOTAL_EFFECT,
)
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.effects.estimands import RATIOS, in_population, over_sites, telling
from bayesmed.effects.labels import of_all
from bayesmed.generative import AnyModel
from bayesmed.inference.entries import entries
from bayesmed.inference.exact import PROBABILITIES, Summary
from bayesmed.studies.task import Cell

CONCLUSIONS = (
    SLOPE,
    AVERAGE_SLOPE,
    ACME,
    of_all(ACME),
    f"{AVERAGE}_{DIRECT_EFFECT}",
    f"{AVERAGE}_{TOTAL_EFFECT}",
)
"""Quantities whose sign and interval an analysis draws conclusions from."""
ENDS = {"q2.5": 0.025, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q97.5": 0.975}


class Quantity(NamedTuple):
    """A number with a posterior: its name, its mediator (or ""), draws (chain, draw)."""

    name: str
    mediator: str
    draws: Floats


def quantities(model: AnyModel, data: SiteEstimates, tree: xr.DataTree) -> list[Quantity]:
    """Return every parameter, and every effect averaged over sites or in their population.

    Parameters
    ----------
    model, data
        What was fitted.
    tree
        With the groups ``posterior`` and ``site_effects``; where the latter are thinned, so are
        all draws returned.
    """
    sites = tree[SITE_EFFECTS].to_dataset()
    posterior = tree["posterior"].to_dataset().sel({DRAW: sites[DRAW]})
    found = {}
    for entry in entries(posterior):
        plain = set(entry.labels) <= {MEDIATOR}
        key = (entry.name, entry.labels.get(MEDIATOR, "")) if plain else (entry.key, "")
        found[key] = np.asarray(entry.values)
    averages = {**over_sites(sites, data.weight), **in_population(posterior)}
    for name, values in telling(averages, direct_effect=model.direct_effect).items():
        stacked = values.transpose(..., CHAIN, DRAW)
        if MEDIATOR not in values.dims:
            found.setdefault((name, ""), np.asarray(stacked))
            continue
        for i, mediator in enumerate(stacked[MEDIATOR].values):
            found.setdefault((name, str(mediator)), np.asarray(stacked[i]))
    return [Quantity(name, mediator, draws) for (name, mediator), draws in found.items()]


def summaries(
    model: AnyModel,
    data: SiteEstimates,
    tree: xr.DataTree,
    exact: Mapping[str, Summary],
    ess: float,
) -> list[dict[str, Cell]]:
    """Return a row for each quantity.

    Parameters
    ----------
    model, data, tree
        As of `quantities`.
    exact
        What quadrature found of single parameters, which takes the place of their draws.
    ess
        Effective number of draws of the worst parameter.

    Returns
    -------
    list of dict
        quantity, mediator, mean, sd, q2.5, q25, q50, q75, q97.5 in its unit, p_positive, and
        mc_error, the Monte Carlo standard error of the mean. Ratios have neither mean nor sd:
        their denominators may be near zero.
    """
    found = []
    for quantity in quantities(model, data, tree):
        row = _summary(quantity)
        sd = row["sd"]
        row["mc_error"] = sd / math.sqrt(ess) if isinstance(sd, float) else None
        if quantity.name in exact:
            own = exact[quantity.name]
            ends = dict(zip(PROBABILITIES, own.quantiles, strict=True))
            row |= {name: ends[p] for name, p in ENDS.items()}
            row |= {"mean": own.mean, "sd": own.sd, "mc_error": 0.0}
        found.append(row)
    return found


def _summary(quantity: Quantity) -> dict[str, Cell]:
    draws = quantity.draws.ravel()
    ratio = quantity.name in RATIOS
    quantile = np.nanquantile if np.isnan(draws).any() else np.quantile
    ends = quantile(draws, list(ENDS.values()))
    return {
        "quantity": quantity.name,
        "mediator": quantity.mediator,
        "mean": None if ratio else float(draws.mean()),
        "sd": None if ratio else float(draws.std(ddof=1)),
        **dict(zip(ENDS, ends.tolist(), strict=True)),
        "p_positive": float(np.mean(draws > 0)),
    }
