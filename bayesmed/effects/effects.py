"""The verb ``effects``: estimands of a fit as labelled draws and a tidy table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesmed.core.names import (
    ACME,
    AVERAGE,
    CHAIN,
    DIRECT_EFFECT,
    DIRECT_EFFECT_MEAN,
    DRAW,
    INDIRECT_EFFECT,
    MEDIATOR,
    MEDIATOR_EFFECT,
    MEDIATOR_EFFECT_MEAN,
    MEDIATOR_EFFECT_SD,
    RELIABILITY,
    SHARE_MEDIATED,
    SITE,
    SITE_EFFECTS,
    SLOPE,
    SUPERPOPULATION,
    TOTAL_EFFECT,
)
from bayesmed.formulas.mediation import share_mediated, superpopulation_acme, weighted_average
from bayesmed.formulas.site_slope import reliability
from bayesmed.inference import Fit

QUANTILES = {"q2.5": 0.025, "q50": 0.5, "q97.5": 0.975}
SITE_RELIABILITY = f"{RELIABILITY}_of_site"
PREFIXES = ("", f"{AVERAGE}_", f"{SUPERPOPULATION}_")
COLUMNS = ("effect", SITE, MEDIATOR, "mean", "sd", *QUANTILES, "p_positive")
# Ratios with a denominator that may be near zero: no mean, no standard deviation.
RATIOS = tuple(f"{prefix}{SHARE_MEDIATED}" for prefix in PREFIXES)
# Without a direct effect these say nothing: all of the total effect is indirect.
OF_DIRECT_EFFECT = (*RATIOS, *(f"{prefix}{DIRECT_EFFECT}" for prefix in PREFIXES))


@dataclass(frozen=True, eq=False)
class Effects:
    """Estimands of a fit.

    Attributes
    ----------
    draws
        Dataset with dims chain, draw and, where they apply, site and mediator. By site:
        ``mediator_effect``, ``indirect_effect``, ``direct_effect``, ``total_effect``,
        ``share_mediated``, ``reliability_of_site``. Over the sites of the data, weighted:
        ``acme``, ``average_direct_effect``, ``average_total_effect``,
        ``average_share_mediated``. In the population of sites: ``superpopulation_acme``,
        ``superpopulation_direct_effect``, ``superpopulation_total_effect``,
        ``superpopulation_share_mediated``, ``reliability``. A model without direct effect has no
        direct effects and no shares.
    """

    draws: xr.Dataset

    def table(self) -> pd.DataFrame:
        """Summarise every effect.

        Returns
        -------
        DataFrame
            Columns effect, site and mediator (empty where they do not apply), mean, sd, q2.5,
            q50, q97.5 in the units of the effect, p_positive (the posterior probability of a
            value above zero). Shares have quantiles but neither mean nor sd; reliabilities are
            positive by definition and have no p_positive.
        """
        frames = [_summary(str(name), values) for name, values in self.draws.data_vars.items()]
        return pd.concat(frames, ignore_index=True)[list(COLUMNS)]


def effects(fit: Fit) -> Effects:
    """Compute the mediation estimands of a fit, draw by draw.

    See :class:`Effects` for their names. With an interaction of treatment and mediator the
    indirect effects are total and the direct effects pure ones (Fu 2023, section 4.1).

    Examples
    --------
    >>> from bayesmed.data import SiteEstimates
    >>> from bayesmed.generative import SiteSlope
    >>> from bayesmed.inference import Sampler, fit
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[0.2, 0.5, 0.9, 1.4], total_effect=[0.5, 1.1, 1.8, 3.1],
    ...     cov=np.tile(np.diag([0.01, 0.04]), (4, 1, 1)))
    >>> found = effects(fit(SiteSlope(), data, sampler=Sampler(engine="exact"), seed=1))
    >>> sorted(found.draws["acme"].dims)
    ['chain', 'draw', 'mediator']
    """
    sites = fit.tree[SITE_EFFECTS].to_dataset()
    posterior = fit.tree["posterior"].to_dataset().sel({DRAW: sites[DRAW]})
    found = {**_of_sites(fit, sites, posterior), **_averages(fit, sites, posterior)}
    if not fit.model.direct_effect:
        found = {k: v for k, v in found.items() if k not in OF_DIRECT_EFFECT}
    return Effects(xr.Dataset(found))


def _of_sites(fit: Fit, sites: xr.Dataset, posterior: xr.Dataset) -> dict[str, xr.DataArray]:
    variance = xr.DataArray(
        fit.data.mediator_se**2,
        dims=(SITE, MEDIATOR),
        coords={SITE: sites[SITE], MEDIATOR: sites[MEDIATOR]},
    )
    named = {
        name: sites[name]
        for name in (MEDIATOR_EFFECT, INDIRECT_EFFECT, DIRECT_EFFECT, TOTAL_EFFECT)
    }
    named[SHARE_MEDIATED] = _share(sites[INDIRECT_EFFECT], sites[TOTAL_EFFECT])
    named[SITE_RELIABILITY] = reliability(posterior[MEDIATOR_EFFECT_SD], variance)
    return named


def _averages(fit: Fit, sites: xr.Dataset, posterior: xr.Dataset) -> dict[str, xr.DataArray]:
    """Sample averages with the population weights, and their superpopulation counterparts."""

    def average(name: str) -> xr.DataArray:
        averaged: xr.DataArray = xr.apply_ufunc(
            weighted_average,
            sites[name],
            kwargs={"weight": fit.data.weight},
            input_core_dims=[[SITE]],
        )
        return averaged

    acme, total = average(INDIRECT_EFFECT), average(TOTAL_EFFECT)
    population = superpopulation_acme(posterior[SLOPE], posterior[MEDIATOR_EFFECT_MEAN])
    direct = posterior.get(DIRECT_EFFECT_MEAN, xr.zeros_like(population.isel({MEDIATOR: 0})))
    direct = direct.drop_vars(MEDIATOR, errors="ignore")
    whole = direct + population.sum(MEDIATOR)
    noise = float(np.mean(fit.data.mediator_se**2))
    return {
        ACME: acme,
        f"{AVERAGE}_{DIRECT_EFFECT}": average(DIRECT_EFFECT),
        f"{AVERAGE}_{TOTAL_EFFECT}": total,
        f"{AVERAGE}_{SHARE_MEDIATED}": _share(acme, total),
        f"{SUPERPOPULATION}_{ACME}": population,
        f"{SUPERPOPULATION}_{DIRECT_EFFECT}": direct,
        f"{SUPERPOPULATION}_{TOTAL_EFFECT}": whole,
        f"{SUPERPOPULATION}_{SHARE_MEDIATED}": _share(population, whole),
        RELIABILITY: reliability(posterior[MEDIATOR_EFFECT_SD], noise),
    }


def _share(indirect: xr.DataArray, total: xr.DataArray) -> xr.DataArray:
    share: xr.DataArray = xr.apply_ufunc(share_mediated, indirect, total)
    return share


def _summary(name: str, values: xr.DataArray) -> pd.DataFrame:
    """Summarise one effect: a row for each site and mediator it has."""
    labels = [d for d in (SITE, MEDIATOR) if d in values.dims]
    stacked = values.transpose(*labels, CHAIN, DRAW)
    shape = [stacked.sizes[d] for d in labels]
    draws = np.asarray(stacked).reshape(int(np.prod(shape)), -1)
    columns: dict[str, Any] = {"effect": name}
    for dim in (SITE, MEDIATOR):
        columns[dim] = ""
        if dim in labels:
            columns[dim] = _repeated(stacked[dim].values, shape, labels.index(dim))
    ratio = name in RATIOS
    columns["mean"] = np.nan if ratio else draws.mean(axis=1)
    columns["sd"] = np.nan if ratio else draws.std(axis=1, ddof=1)
    # 0 / 0 has no share; looking past it costs twenty times as much, so only where it happens.
    quantile = np.nanquantile if np.isnan(draws).any() else np.quantile
    columns |= dict(zip(QUANTILES, quantile(draws, list(QUANTILES.values()), axis=1), strict=True))
    positive = np.mean(draws > 0, axis=1)
    columns["p_positive"] = np.nan if name.startswith(RELIABILITY) else positive
    return pd.DataFrame(columns, index=range(draws.shape[0]))


def _repeated(labels: Any, shape: list[int], position: int) -> Any:
    """Labels of one dim along the flattened rows."""
    index = np.indices(shape)[position].ravel()
    return [str(labels[i]) for i in index]
