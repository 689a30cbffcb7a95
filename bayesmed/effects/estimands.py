"""Estimands as labelled draws: of sites, averaged over them, and in the population of sites."""

from __future__ import annotations

import xarray as xr

from bayesmed.core.names import (
    ACME,
    AVERAGE,
    AVERAGE_SLOPE,
    COVARIATE,
    COVARIATE_EFFECT,
    CWATE,
    DIRECT_EFFECT,
    DIRECT_EFFECT_MEAN,
    INDIRECT_EFFECT,
    MEDIATOR,
    MEDIATOR_EFFECT,
    MEDIATOR_EFFECT_MEAN,
    MEDIATOR_EFFECT_SD,
    MEDIATOR_EFFECT_SLOPE_CORR,
    OTHER_MEDIATOR,
    SHARE_MEDIATED,
    SITE,
    SLOPE,
    SLOPE_LINEAR,
    SLOPE_OF_SITE,
    SLOPE_QUADRATIC,
    SLOPE_SD,
    SUPERPOPULATION,
    TOTAL_EFFECT,
    WITHIN_SITE_COVARIANCE,
)
from bayesmed.core.types import Floats
from bayesmed.effects.labels import of_all
from bayesmed.formulas.mediation import (
    compliance_weighted_average,
    share_mediated,
    superpopulation_acme,
    superpopulation_cwate,
    weighted_average,
)
from bayesmed.generative import SiteModel

type Named = dict[str, xr.DataArray]

PREFIXES = ("", f"{AVERAGE}_", f"{SUPERPOPULATION}_")
SHARES = tuple(f"{prefix}{SHARE_MEDIATED}" for prefix in PREFIXES)
CWATES = (CWATE, f"{SUPERPOPULATION}_{CWATE}")
# Ratios with a denominator that may be near zero: no mean, no standard deviation.
RATIOS = (*SHARES, *(of_all(name) for name in SHARES), *CWATES)


def of_sites(sites: xr.Dataset) -> Named:
    """Return what each site has, from draws of its effects."""
    own = (MEDIATOR_EFFECT, SLOPE_OF_SITE, INDIRECT_EFFECT)
    named = {name: sites[name] for name in own if name in sites}
    named |= _together(INDIRECT_EFFECT, sites[INDIRECT_EFFECT])
    named |= {name: sites[name] for name in (DIRECT_EFFECT, TOTAL_EFFECT)}
    return named | _shares("", sites[INDIRECT_EFFECT], sites[TOTAL_EFFECT])


def over_sites(sites: xr.Dataset, weight: Floats) -> Named:
    """Average over sites with weights that sum to one."""

    def average(name: str) -> xr.DataArray:
        averaged: xr.DataArray = xr.apply_ufunc(
            weighted_average,
            sites[name],
            kwargs={"weight": weight},
            input_core_dims=[[SITE]],
        )
        return averaged

    slopes: Named = {}
    if SLOPE_OF_SITE in sites:
        slopes = {f"{AVERAGE}_{name}": average(name) for name in (MEDIATOR_EFFECT, SLOPE_OF_SITE)}
        slopes[CWATE] = xr.apply_ufunc(
            compliance_weighted_average,
            sites[SLOPE_OF_SITE],
            sites[MEDIATOR_EFFECT],
            kwargs={"weight": weight},
            input_core_dims=[[SITE], [SITE]],
        )
    acme, total = average(INDIRECT_EFFECT), average(TOTAL_EFFECT)
    return {
        **slopes,
        ACME: acme,
        **_together(ACME, acme),
        f"{AVERAGE}_{DIRECT_EFFECT}": average(DIRECT_EFFECT),
        f"{AVERAGE}_{TOTAL_EFFECT}": total,
        **_shares(f"{AVERAGE}_", acme, total),
    }


def in_population(
    posterior: xr.Dataset, covariates: Floats | None = None, *, within_site_covariance: float = 0.0
) -> Named:
    """Return averages in the population of sites.

    Parameters
    ----------
    posterior
        Draws of the parameters.
    covariates
        (C,) means of the covariates in the population, centred as the model centres them; the
        means over the rows of the data where left out.
    within_site_covariance
        What is added to total effects, where that is known rather than a parameter.
    """
    curvature = {
        name: posterior[name] for name in (SLOPE_LINEAR, SLOPE_QUADRATIC) if name in posterior
    }
    acme = superpopulation_acme(
        posterior[SLOPE],
        posterior[MEDIATOR_EFFECT_MEAN],
        mediator_effect_sd=posterior[MEDIATOR_EFFECT_SD],
        **curvature,
        covariance=_compliance_covariance(posterior),
    )
    known = xr.full_like(acme.isel({MEDIATOR: 0}, drop=True), within_site_covariance)
    direct = posterior.get(DIRECT_EFFECT_MEAN, posterior.get(WITHIN_SITE_COVARIANCE, known))
    if covariates is not None and COVARIATE_EFFECT in posterior:
        means = xr.DataArray(covariates, dims=COVARIATE)
        direct = direct + posterior[COVARIATE_EFFECT].drop_vars(COVARIATE).dot(means, COVARIATE)
    total = direct + acme.sum(MEDIATOR)
    prefix = f"{SUPERPOPULATION}_"
    return {
        **_slopes_in_population(posterior, acme),
        f"{prefix}{ACME}": acme,
        **_together(f"{prefix}{ACME}", acme),
        f"{prefix}{DIRECT_EFFECT}": direct,
        f"{prefix}{TOTAL_EFFECT}": total,
        **_shares(prefix, acme, total),
    }


def known_covariance(model: SiteModel) -> float:
    """Return the within-site covariance of a model that takes it as known, 0 elsewhere."""
    kappa = model.within_site_covariance
    return kappa if isinstance(kappa, float) else 0.0


def _slopes_in_population(posterior: xr.Dataset, acme: xr.DataArray) -> Named:
    """Return averages of slopes, where they vary, and of what they are multiplied by."""
    if AVERAGE_SLOPE not in posterior and SLOPE_SD not in posterior:
        return {}
    # Random slopes average to the slope itself, whether or not they go with mediator effects.
    slope, mean = posterior.get(AVERAGE_SLOPE, posterior[SLOPE]), posterior[MEDIATOR_EFFECT_MEAN]
    found = {f"{SUPERPOPULATION}_{MEDIATOR_EFFECT}": mean, AVERAGE_SLOPE: slope}
    if SLOPE_LINEAR in posterior or MEDIATOR_EFFECT_SLOPE_CORR in posterior:
        covariance = acme - slope * mean
        found[f"{SUPERPOPULATION}_{CWATE}"] = xr.apply_ufunc(
            superpopulation_cwate, slope, mean, covariance
        )
    # Elsewhere slopes are unrelated to mediator effects: weighted or not, the average is the same.
    return found


def _compliance_covariance(posterior: xr.Dataset) -> xr.DataArray | float:
    """Return how slopes go with the mediator effects they belong to, Cov(δ_p, γ_p)."""
    if MEDIATOR_EFFECT_SLOPE_CORR not in posterior:
        return 0.0
    across = posterior[MEDIATOR_EFFECT_SLOPE_CORR]
    names = across[MEDIATOR].values
    own = [across.sel({MEDIATOR: m, OTHER_MEDIATOR: m}, drop=True) for m in names]
    corr = xr.concat(own, dim=posterior[MEDIATOR])
    return corr * posterior[MEDIATOR_EFFECT_SD] * posterior[SLOPE_SD]


def telling(found: Named, *, direct_effect: bool) -> Named:
    """Leave out what says nothing without direct effects: all of the total effect is indirect."""
    if direct_effect:
        return found
    dropped = {f"{prefix}{DIRECT_EFFECT}" for prefix in PREFIXES}
    # With several mediators each still has a share.
    several = of_all(ACME) in found
    dropped |= {of_all(name) if several else name for name in SHARES}
    return {name: values for name, values in found.items() if name not in dropped}


def _together(name: str, indirect: xr.DataArray) -> Named:
    """Return an indirect effect through all mediators, where there are several."""
    if indirect.sizes[MEDIATOR] == 1:
        return {}
    return {of_all(name): indirect.sum(MEDIATOR)}


def _shares(prefix: str, indirect: xr.DataArray, total: xr.DataArray) -> Named:
    name = f"{prefix}{SHARE_MEDIATED}"
    found = {name: _share(indirect, total)}
    together = _together(name, indirect)
    return found | {key: _share(values, total) for key, values in together.items()}


def _share(indirect: xr.DataArray, total: xr.DataArray) -> xr.DataArray:
    share: xr.DataArray = xr.apply_ufunc(share_mediated, indirect, total)
    return share
