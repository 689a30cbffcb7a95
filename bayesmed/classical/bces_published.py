r"""BCES as the R package mechte computes it, for comparison with published results."""

from __future__ import annotations

import math

import numpy as np

from bayesmed.classical.bces import not_defined
from bayesmed.classical.canonical import Line, canonical, normal_quantile, one_mediator
from bayesmed.classical.estimate import ClassicalEstimate
from bayesmed.classical.moments import bces_formula, corrected_moments
from bayesmed.data import SiteEstimates

NAME = "BCES (published form)"


def bces_published(data: SiteEstimates) -> ClassicalEstimate:
    r"""BCES without :math:`V_{\gamma\beta}`, with the standard error of the R package mechte.

    That standard error divides each site's influence by
    :math:`V_{\gamma\gamma,s}-\overline{V_{\gamma\gamma}}` (Fu 2023, equation 24 as printed) in
    place of the corrected variance of the mediator effects. It has the wrong units, blows up
    where a site's error is near the average, and does not exist where all are equal: `bces` is
    the estimator to use. The interval is the normal one.

    Parameters
    ----------
    data
        Site estimates of one mediator.

    Returns
    -------
    ClassicalEstimate
        Not defined where the denominator is not positive; the reason then quotes the number that
        the package prints.

    Raises
    ------
    DataError
        If there is more than one mediator.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2, 3], total_effect=[2.0, 4.5, 6.0], cov=[0.2 * np.eye(2)] * 3)
    >>> found = bces_published(data)
    >>> found.slope.round(4).tolist(), found.reason
    ([2.8571], 'its standard error divides by 0 where all mediator errors are equally large')
    """
    one_mediator(NAME, data)
    sites = canonical(data)
    moments = corrected_moments(
        sites.mediator, sites.total, sites.mediator_cov, np.zeros_like(sites.mediator)
    )
    found, intercept = bces_formula(sites.mediator, sites.total, sites.mediator_cov)
    reason = not_defined(moments)
    if reason:
        bare = float(found[0]) * float(sites.mediator_factor[0]) / sites.outcome_factor
        return ClassicalEstimate.undefined(
            NAME, data.mediators, f"{reason}; the formula alone gives {bare:.3g}"
        )
    mediator, variance = sites.mediator[:, 0], sites.mediator_cov[:, 0, 0]
    slope = float(found[0])
    residual = sites.total - slope * mediator - intercept
    mean = mediator.mean()
    excess = variance - variance.mean()
    if (np.abs(excess) <= 1e-12 * variance.mean()).any():
        line = Line(found, np.array([math.nan]), intercept)
        same = np.ptp(variance) <= 1e-12 * variance.mean()
        which = "all mediator errors are equally large" if same else "a site's is the average one"
        return sites.answer(NAME, line, reason=f"its standard error divides by 0 where {which}")
    xi = ((mediator - mean) * residual + slope * variance) / excess
    zeta = sites.total - slope * mediator - mean * xi
    line = Line(
        found,
        np.array([xi.std() / math.sqrt(xi.size)]),
        intercept,
        float(zeta.std()) / math.sqrt(xi.size),
        quantile=normal_quantile(),
    )
    return sites.answer(NAME, line)
