"""How a posterior answers when prior or likelihood count a little more or less: power-scaling."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from bayesmed.core.errors import ModelError
from bayesmed.core.names import CHAIN, DRAW
from bayesmed.inference import Fit, TrialFit, is_trial
from bayesmed.studies.sensitivity.quantities import Quantity, quantities, trial_quantities

if TYPE_CHECKING:
    import pandas as pd

THRESHOLD = 0.05
"""Sensitivity from which on it counts (Kallioinen et al. 2024)."""
ROUNDING = 1e-9
"""A log-density that varies by less is constant."""
LIKELIHOOD, ALL_PRIORS = "likelihood", "all priors"
COLUMNS = ("quantity", "entry", "component", "sensitivity", "diagnosis")


def power_scaling(fit: Fit | TrialFit) -> pd.DataFrame:
    """Measure how every quantity answers when a prior, or the likelihood, is raised to a power.

    From the draws of one fit, by Pareto-smoothed importance sampling: no refit. Fewer than 400
    draws say little, and reports leave it out.

    Parameters
    ----------
    fit
        The fit.

    Returns
    -------
    DataFrame
        Columns quantity (a parameter or an average effect; of one trial an effect), entry (its
        mediator or arm; empty where there is one only), component (``likelihood``, ``all priors``,
        or one parameter whose prior is scaled), sensitivity (how far the distribution moves for
        each doubling of the power, in the metric of Kallioinen et al.), diagnosis (of the quantity:
        ``strong prior or weak likelihood``, ``prior-data conflict``, or empty).

    Raises
    ------
    ModelError
        If it is no fit.

    References
    ----------
    Kallioinen, Paananen, Bürkner and Vehtari (2024), Detecting and diagnosing prior and
    likelihood sensitivity with power-scaling, Statistics and Computing 34, 57.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmed.data import SiteEstimates
    >>> from bayesmed.generative import SiteSlope
    >>> from bayesmed.inference import Sampler, fit
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[0.2, 0.5, 0.9, 1.4], total_effect=[0.5, 1.1, 1.8, 3.1],
    ...     cov=np.tile(np.diag([0.01, 0.04]), (4, 1, 1)))
    >>> table = power_scaling(fit(SiteSlope(), data, sampler=Sampler(engine="exact"), seed=1))
    >>> table.query("quantity == 'acme'")["component"].tolist()[:3]
    ['likelihood', 'all priors', 'slope']
    """
    import pandas as pd

    if not isinstance(fit, Fit):
        raise ModelError(f"A {type(fit).__name__} has no draws to weigh.", "Give a fit.")
    told = _told(fit)
    tree = _scalable(fit, told)
    components: dict[str, list[str] | None] = {LIKELIHOOD: None, ALL_PRIORS: None}
    components |= {str(name): [str(name)] for name in tree["log_prior"].data_vars}
    found = {name: _measured(tree, name, own) for name, own in components.items()}
    rows = []
    for i, quantity in enumerate(told):
        values = {name: measured[i] for name, measured in found.items()}
        diagnosis = _diagnosis(values[ALL_PRIORS], values[LIKELIHOOD])
        rows += [
            (quantity.name, quantity.entry, name, value, diagnosis)
            for name, value in values.items()
        ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _told(fit: Fit | TrialFit) -> list[Quantity]:
    """Return what may answer, at the draws whose log-likelihood is kept; ratios of sites do not."""
    if is_trial(fit):
        kept = {DRAW: fit.tree["log_likelihood"][DRAW]}
        posterior = fit.tree["posterior"].to_dataset().sel(kept)
        found = trial_quantities(fit.model, fit.data, posterior)
        return [q for q in found if np.isfinite(q.draws).all()]
    return [q for q in quantities(fit.model, fit.data, fit.tree) if not q.ratio]


def _scalable(fit: Fit | TrialFit, told: list[Quantity]) -> xr.DataTree:
    """Return a tree with the quantities as its posterior, all groups at the same draws."""
    likelihood = fit.tree["log_likelihood"].to_dataset()
    at = {DRAW: likelihood[DRAW]}
    posterior = xr.Dataset(
        {str(i): ((CHAIN, DRAW), quantity.draws) for i, quantity in enumerate(told)},
        coords={dim: likelihood[dim] for dim in (CHAIN, DRAW)},
    )
    prior = fit.tree["log_prior"].to_dataset().sel(at)
    densities = {"log_likelihood": _in_all(likelihood), "log_prior": _in_all(prior)}
    return xr.DataTree.from_dict({"posterior": posterior, **densities})


def _in_all(log_densities: xr.Dataset) -> xr.Dataset:
    """Add up each variable over all but chains and draws."""
    return log_densities.map(lambda one: one.sum(set(one.dims) - {CHAIN, DRAW}))


def _measured(tree: xr.DataTree, component: str, names: list[str] | None) -> list[float]:
    """Return how every quantity answers to one component."""
    import arviz_stats as azs

    quantities = tree["posterior"].data_vars
    group = "likelihood" if component == LIKELIHOOD else "prior"
    densities = tree[f"log_{group}"].to_dataset()
    if _flat(densities if names is None else densities[names]):
        return [0.0] * len(quantities)
    with warnings.catch_warnings():
        # Of few draws, and of densities that take few values: the tails are then as they are.
        warnings.filterwarnings("ignore", message="Number of tail draws cannot be")
        found = azs.psense(tree, group=group, group_var_names=names)
    return [float(found[name]) for name in quantities]


def _flat(log_densities: xr.Dataset) -> bool:
    """Say whether a density is uniform, but for rounding: to any power it stays what it is."""
    total = log_densities.to_dataarray().sum("variable")
    return float(total.max() - total.min()) < ROUNDING


def _diagnosis(prior: float, likelihood: float) -> str:
    if prior < THRESHOLD:
        return ""
    return "prior-data conflict" if likelihood >= THRESHOLD else "strong prior or weak likelihood"
