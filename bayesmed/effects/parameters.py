"""A tidy table of the parameters of a fit."""

from __future__ import annotations

from typing import Any

import pandas as pd

from bayesmed.core.names import COVARIATE, MEDIATOR, OTHER_MEDIATOR
from bayesmed.inference import Fit, TrialFit, is_trial
from bayesmed.inference.convergence import parameter_diagnostics
from bayesmed.inference.entries import Entry, entries, summarised

QUANTILES = {"q2.5": 0.025, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q97.5": 0.975}
ENTRY = "entry"
SUMMARIES = ("mean", "sd", *QUANTILES, "ess_bulk", "ess_tail", "r_hat")


def parameters(fit: Fit | TrialFit) -> pd.DataFrame:
    """Summarise the posterior of every parameter.

    With the exact engine mean, standard deviation and quantiles come from quadrature, and the
    effective sizes and R-hat describe the draws that go with it.

    Parameters
    ----------
    fit
        The fit, of sites or of one trial.

    Returns
    -------
    DataFrame
        Columns name, mediator (empty where the parameter has none), other_mediator (where there
        are several mediators: the correlations of their effects, each pair once), covariate
        (where the model has some), mean, sd, q2.5, q25, q50, q75, q97.5 in data units, ess_bulk,
        ess_tail, r_hat. One row for each number. Of one trial the column entry (arm, type, ...)
        stands in the place of mediator and covariate.

    Examples
    --------
    >>> import numpy as np
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
    if is_trial(fit):
        found = [
            {"name": e.name, ENTRY: ", ".join(e.labels.values())}
            | _summary(fit, e)
            | quality[e.key]
            for e in entries(posterior)
        ]
        return pd.DataFrame(found, columns=["name", ENTRY, *SUMMARIES])
    labels = [MEDIATOR, *(d for d in (OTHER_MEDIATOR, COVARIATE) if d in posterior.dims)]
    rows = [
        {"name": entry.name}
        | {dim: entry.labels.get(dim, "") for dim in labels}
        | _summary(fit, entry)
        | quality[entry.key]
        for entry in entries(posterior)
    ]
    return pd.DataFrame(rows, columns=["name", *labels, *SUMMARIES])


def _summary(fit: Fit | TrialFit, entry: Entry) -> dict[str, Any]:
    mean, sd, quantiles = summarised(fit.tree, entry, list(QUANTILES.values()))
    return {"mean": mean, "sd": sd, **dict(zip(QUANTILES, quantiles, strict=True))}
