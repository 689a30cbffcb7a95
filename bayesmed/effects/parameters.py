"""A tidy table of the parameters of a fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bayesmed.core.names import CHAIN, DRAW, MEDIATOR
from bayesmed.inference import Fit
from bayesmed.inference.convergence import parameter_diagnostics

QUANTILES = {"q2.5": 0.025, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q97.5": 0.975}
COLUMNS = ("name", "mediator", "mean", "sd", *QUANTILES, "ess_bulk", "ess_tail", "r_hat")


def parameters(fit: Fit) -> pd.DataFrame:
    """Summarise the posterior of every parameter.

    With the exact engine mean, standard deviation and quantiles come from quadrature, and the
    effective sizes and R-hat describe the draws that go with it.

    Returns
    -------
    DataFrame
        Columns name, mediator (empty where the parameter has none), mean, sd, q2.5, q25, q50,
        q75, q97.5 in data units, ess_bulk, ess_tail, r_hat. One row per parameter.

    Examples
    --------
    >>> from bayesmed.data import SiteEstimates
    >>> from bayesmed.generative import SiteSlope
    >>> from bayesmed.inference import Sampler, fit
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[0.2, 0.5, 0.9, 1.4], total_effect=[0.5, 1.1, 1.8, 3.1],
    ...     cov=np.tile(np.diag([0.01, 0.04]), (4, 1, 1)))
    >>> table = parameters(fit(SiteSlope(), data, sampler=Sampler(engine="exact"), seed=1))
    >>> table["name"].tolist()[:3]
    ['slope', 'total_effect_at_centre', 'direct_effect_sd']
    """
    posterior = fit.tree["posterior"].to_dataset()
    quality = parameter_diagnostics(fit.tree)
    rows: list[dict[str, Any]] = []
    for name, values in posterior.data_vars.items():
        has_mediator = MEDIATOR in values.dims
        labels = [str(m) for m in np.asarray(values[MEDIATOR])] if has_mediator else [""]
        for label in labels:
            draws = values.sel({MEDIATOR: label}) if has_mediator else values
            rows.append(
                {"name": str(name), "mediator": label}
                | _summary(fit, str(name), np.asarray(draws.transpose(CHAIN, DRAW)))
                | {key: quality[str(name)][key] for key in ("ess_bulk", "ess_tail", "r_hat")}
            )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _summary(fit: Fit, name: str, draws: np.ndarray[Any, Any]) -> dict[str, float]:
    if "quadrature" in fit.tree.children:
        exact = fit.tree["quadrature"].to_dataset().sel(parameter=name)
        quantiles = exact["quantile"].sel(probability=list(QUANTILES.values()))
        mean, sd = float(exact["mean"]), float(exact["sd"])
    else:
        quantiles = np.quantile(draws, list(QUANTILES.values()))
        mean, sd = float(draws.mean()), float(draws.std(ddof=1))
    found = dict(zip(QUANTILES, (float(q) for q in quantiles), strict=True))
    return {"mean": mean, "sd": sd} | found
