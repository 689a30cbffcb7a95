"""The verb ``effects``: estimands of a fit as labelled draws and a tidy table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesmed.core.display import Shown, displayed
from bayesmed.core.names import (
    CHAIN,
    DRAW,
    MEDIATOR,
    MEDIATOR_EFFECT_SD,
    RELIABILITY,
    SITE,
    SITE_EFFECTS,
)
from bayesmed.effects.estimands import (
    RATIOS,
    in_population,
    known_covariance,
    of_sites,
    over_sites,
    telling,
)
from bayesmed.effects.labels import SITE_RELIABILITY, effect_labels
from bayesmed.effects.notes import notes
from bayesmed.effects.trials import estimands_of_posterior
from bayesmed.effects.trials.estimands import TrialEstimands
from bayesmed.formulas.site_slope import reliability
from bayesmed.inference import Fit, TrialFit, is_trial

QUANTILES = {"q2.5": 0.025, "q50": 0.5, "q97.5": 0.975}
ENTRY = "entry"
COLUMNS = ("effect", SITE, MEDIATOR, "mean", "sd", *QUANTILES, "p_positive")


@displayed(one_line=True)
@dataclass(frozen=True, eq=False, repr=False)
class Effects:
    """Estimands of a fit.

    Attributes
    ----------
    draws
        Dataset with dims chain, draw and, where they apply, site and mediator. By site:
        ``mediator_effect``, ``indirect_effect``, ``direct_effect``, ``total_effect``,
        ``share_mediated``, ``reliability_of_site``; ``slope_of_site`` where slopes vary. Over the
        sites of the data, weighted: ``acme``, ``average_direct_effect``,
        ``average_total_effect``, ``average_share_mediated``. In the population of sites:
        ``superpopulation_acme``, ``superpopulation_direct_effect``,
        ``superpopulation_total_effect``, ``superpopulation_share_mediated``, ``reliability``.
        With covariates the population is one whose covariate means are those of the rows. With
        several mediators ``indirect_effect_all_mediators``, ``acme_all_mediators`` ... are sums
        over them. A model without direct effect has no direct effects, and no shares but those of
        several mediators.

        Where slopes vary their averages are ``average_slope_of_site`` over the sites, every site
        counting by its weight, and ``average_slope`` in the population; ``cwate`` and
        ``superpopulation_cwate`` are those that count each site by its mediator effect as well,
        ``average_mediator_effect`` or ``superpopulation_mediator_effect`` being what they divide
        by (Reardon and Raudenbush 2013, equation 5: the compliance-weighted average treatment
        effect). Where slopes are unrelated to mediator effects by assumption the population has
        no ``superpopulation_cwate``: it would be ``average_slope``.

        Of one trial without sites there are, for `CovariateIV`, ``slope``, ``direct_effect``,
        ``mediator_effect``, ``indirect_effect``, ``total_effect``, ``share_mediated``; for
        `RandomCoefficients` ``intention_to_treat``, ``mediator_effect``, ``cwate``, and
        ``average_treatment_effect``, ``wald_gap``, ``compliance_slope_covariance``, or of a binary
        mediator ``late``, ``tot``; for `PrincipalStrata` ``ate``, and by arm ``nie``, ``nde``,
        ``nie_iv``, ``nde_iv`` (instrumental variables in their place), ``nie_gap`` and more.
        ``labels`` says what each one is.
    labels
        Each effect in words. Where the model has an interaction of treatment and mediator,
        indirect effects are total and direct effects pure ones.
    trial
        What is known of the effects of one trial; None for effects of sites.

    Notes
    -----
    Slopes and indirect effects of several mediators are those of mediators in parallel: see
    ``notes``.

    Examples
    --------
    >>> import bayesmed as bm
    >>> card = bm.load_card(bm.find_card("berkey1998"))
    >>> exact = bm.Sampler(engine="exact")
    >>> fit = bm.fit(card.model, card.load_data(), sampler=exact, seed=1)
    >>> found = bm.effects(fit)
    >>> sorted(found.draws["acme"].dims)
    ['chain', 'draw', 'mediator']
    >>> found.table().query("effect == 'acme'")[["site", "mediator"]].to_numpy().tolist()
    [['', 'probing depth']]
    >>> "average_share_mediated" in found.ratios
    True
    """

    draws: xr.Dataset
    labels: Mapping[str, str] = field(default_factory=dict)
    trial: TrialEstimands | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know beside the numbers, in sentences: ratios without bounds, parallel paths."""
        return notes(self.draws, self.labels) if self.trial is None else self.trial.notes

    @property
    def ratios(self) -> frozenset[str]:
        """Effects with a denominator that may be near zero: no mean, no standard deviation."""
        return frozenset(RATIOS) if self.trial is None else self.trial.ratios

    def table(self) -> pd.DataFrame:
        """Summarise every effect.

        Returns
        -------
        DataFrame
            Columns effect, site and mediator (empty where they do not apply), mean, sd, q2.5,
            q50, q97.5 in the units of the effect, p_positive (the posterior probability of a
            value above zero). Of one trial the column entry (arm, type, ...) stands in the place
            of site and mediator. Ratios (shares, compliance-weighted averages) have quantiles but
            neither mean nor sd; reliabilities are positive by definition and have no p_positive.
        """
        named = self.draws.data_vars.items()
        frames = [_summary(str(name), values, name in self.ratios) for name, values in named]
        table = pd.concat(frames, ignore_index=True)
        if self.trial is None:
            table = table.reindex(columns=list(COLUMNS))
            return table.fillna({SITE: "", MEDIATOR: ""})
        axes = [str(d) for d in self.draws.dims if d in table.columns]
        entry = [", ".join(x for x in row if x) for row in table[axes].fillna("").to_numpy()]
        columns = [ENTRY if c == SITE else c for c in COLUMNS if c != MEDIATOR]
        return table.assign(**{ENTRY: entry})[columns]

    def _shown(self) -> Shown:
        from bayesmed.effects.display import shown_effects

        return shown_effects(self)


def effects(fit: Fit | TrialFit) -> Effects:
    """Compute the mediation estimands of a fit, draw by draw.

    See :class:`Effects` for their names. With an interaction of treatment and mediator the
    indirect effects are total and the direct effects pure ones (Fu 2023, section 4.1).

    Parameters
    ----------
    fit
        The fit, of sites or of one trial.

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
    >>> found.labels["acme"]
    'indirect effect, over the sites (ACME)'
    """
    if is_trial(fit):
        return _of_trial(fit)
    sites = fit.tree[SITE_EFFECTS].to_dataset()
    posterior = fit.tree["posterior"].to_dataset().sel({DRAW: sites[DRAW]})
    by_site, overall = _reliabilities(fit, posterior)
    found = {
        **of_sites(sites),
        SITE_RELIABILITY: by_site,
        **over_sites(sites, fit.data.weight),
        **in_population(posterior, within_site_covariance=known_covariance(fit.model)),
        RELIABILITY: overall,
    }
    found = telling(found, direct_effect=fit.model.direct_effect)
    return Effects(xr.Dataset(found), effect_labels(found, fit.model))


def _of_trial(fit: TrialFit) -> Effects:
    """Label the estimands of one trial as draws of the posterior are."""
    posterior = fit.tree["posterior"].to_dataset()
    shape = posterior.sizes[CHAIN], posterior.sizes[DRAW]
    found = estimands_of_posterior(fit.model, posterior, fit.data)
    variables = {
        name: ((CHAIN, DRAW, *found.dims.get(name, ())), own.reshape(*shape, *own.shape[1:]))
        for name, own in found.draws.items()
    }
    used = {dim for dims in found.dims.values() for dim in dims}
    coords = {dim: list(names) for dim, names in found.coords.items() if dim in used}
    coords |= {dim: list(posterior[dim].to_numpy()) for dim in (CHAIN, DRAW)}
    return Effects(xr.Dataset(variables, coords=coords), found.labels, found)


def _reliabilities(fit: Fit, posterior: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Reliability of each site's estimate, and at the mean sampling variance of a mediator."""
    variance = xr.DataArray(
        fit.data.mediator_se**2,
        dims=(SITE, MEDIATOR),
        coords={SITE: list(fit.data.labels), MEDIATOR: list(fit.data.mediators)},
    )
    sd = posterior[MEDIATOR_EFFECT_SD]
    return reliability(sd, variance), reliability(sd, variance.mean(SITE))


def _summary(name: str, values: xr.DataArray, ratio: bool) -> pd.DataFrame:
    """Summarise one effect: a row for each entry along its axes (site, mediator, ...)."""
    labels = [str(d) for d in values.dims if d not in (CHAIN, DRAW)]
    labels.sort(key=lambda dim: (dim != SITE, dim == MEDIATOR))
    stacked = values.transpose(*labels, CHAIN, DRAW)
    shape = [stacked.sizes[d] for d in labels]
    draws = np.asarray(stacked).reshape(int(np.prod(shape)), -1)
    columns: dict[str, Any] = {"effect": name}
    for i, dim in enumerate(labels):
        columns[dim] = _repeated(stacked[dim].values, shape, i)
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
