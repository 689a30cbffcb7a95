"""What conclusions are about: parameters and averages of effects, as draws and as rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

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
    TYPE,
)
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.effects.estimands import RATIOS, in_population, over_sites, telling
from bayesmed.effects.labels import of_all
from bayesmed.effects.trials import estimands_of_posterior
from bayesmed.generative import AnyModel, AnyTrialModel
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
    """A number with a posterior.

    Attributes
    ----------
    name
        What it is.
    entry
        Its mediator or arm; empty where there is one only.
    draws
        Shape (chain, draw).
    ratio
        Whether its denominator may be near zero: then it has neither mean nor sd.
    """

    name: str
    entry: str
    draws: Floats
    ratio: bool


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
    return [Quantity(*key, draws, key[0] in RATIOS) for key, draws in found.items()]


def trial_quantities(model: AnyTrialModel, data: Any, posterior: xr.Dataset) -> list[Quantity]:
    """Return every effect of one trial but those of single types of persons.

    Parameters
    ----------
    model, data
        What was fitted.
    posterior
        Draws of all parameters.
    """
    effects = estimands_of_posterior(model, posterior, data)
    shape = posterior.sizes[CHAIN], posterior.sizes[DRAW]
    found = []
    for name, draws in effects.draws.items():
        dims = effects.dims.get(name, ())
        if TYPE in dims:
            continue
        assert len(dims) < 2
        labels = effects.coords[dims[0]] if dims else ("",)
        columns = draws.reshape(*shape, len(labels))
        found += [
            Quantity(name, str(label), columns[..., i], name in effects.ratios)
            for i, label in enumerate(labels)
        ]
    return found


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
    draws, ratio = quantity.draws.ravel(), quantity.ratio
    quantile = np.nanquantile if np.isnan(draws).any() else np.quantile
    ends = quantile(draws, list(ENDS.values()))
    return {
        "quantity": quantity.name,
        "mediator": quantity.entry,
        "mean": None if ratio else float(draws.mean()),
        "sd": None if ratio else float(draws.std(ddof=1)),
        **dict(zip(ENDS, ends.tolist(), strict=True)),
        "p_positive": float(np.mean(draws > 0)),
    }
