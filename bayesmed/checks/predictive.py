"""How often the model's own predictions are as far from it as the data."""

from __future__ import annotations

import numpy as np

from bayesmed.core.names import CHAIN, DRAW, MEDIATOR, MEDIATOR_EFFECT_ESTIMATE, SITE
from bayesmed.core.names import TOTAL_EFFECT_ESTIMATE as TOTAL
from bayesmed.core.types import Floats
from bayesmed.inference import Fit

REPLICATE = "replicate"
"""Axis of the replicates in what checks looked at."""
REPLICATES = 2000
"""Data sets that are compared with the one there is, at most."""


def predictive_p(observed: float, replicated: Floats) -> float:
    r"""Share of replicates with a discrepancy at least that of the data, itself counted.

    .. math:: p=\frac{1+\#\{T^{rep}\ge T\}}{1+R}

    Counting the data keeps p from 0 (Davison and Hinkley 1997, section 4.2).

    Examples
    --------
    >>> predictive_p(2.0, np.array([1.0, 2.0, 3.0]))
    0.75
    """
    there = replicated[np.isfinite(replicated)]
    return float((1 + np.count_nonzero(there >= observed)) / (1 + there.size))


def replicated_estimates(fit: Fit) -> tuple[Floats, Floats]:
    """Return estimates at as many new sites with the same sampling covariances.

    New sites have effects drawn anew, so that a p-value is uniform but for what was learned of the
    parameters; predictions for the same sites would follow the data too closely to be surprised.

    Returns
    -------
    mediator
        (R, S, P) estimated mediator effects.
    total
        (R, S) estimated total effects.
    """
    new = fit.tree["posterior_predictive"].to_dataset()
    mediator = new[MEDIATOR_EFFECT_ESTIMATE].transpose(CHAIN, DRAW, SITE, MEDIATOR).values
    total = new[TOTAL].transpose(CHAIN, DRAW, SITE).values
    mediator, total = mediator.reshape(-1, *mediator.shape[2:]), total.reshape(-1, total.shape[-1])
    step = max(1, len(total) // REPLICATES)
    return mediator[::step], total[::step]
