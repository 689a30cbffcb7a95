r"""The pooled Wald ratio: mean total effect over mean mediator effect."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from bayesmed.classical.canonical import Canonical, Line, canonical, normal_quantile, one_mediator
from bayesmed.classical.estimate import ClassicalEstimate
from bayesmed.core.errors import ModelError
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates

NAME = "Pooled Wald"
CLEAR = 2.0
"""Standard errors that the mean mediator effect should be from 0."""


def pooled_wald(
    data: SiteEstimates, *, weights: Literal["population", "precision"] = "population"
) -> ClassicalEstimate:
    r"""Return the ratio of the mean total effect to the mean mediator effect.

    .. math:: b = \bar\beta/\bar\gamma,\qquad
        se^2 = (\mathrm{Var}\,\bar\beta - 2b\,\mathrm{Cov}(\bar\gamma,\bar\beta)
                + b^2\,\mathrm{Var}\,\bar\gamma)/\bar\gamma^2

    (Raudenbush, Reardon and Nomi 2012, section 3, the multi-site Wald ratio; delta method.) It
    asks for no direct effect, a mean within-site covariance of 0 and slopes unrelated to
    mediator effects, and not for a spread of mediator effects: other assumptions than those of
    regressions with an intercept, so that the two answers may differ rightly. Sites are taken as
    they are: the error is that of their estimates, covariances within blocks included. The
    interval is the normal one.

    Parameters
    ----------
    data
        Site estimates of one mediator.
    weights
        ``"population"``: those of the data. ``"precision"``: :math:`1/se(\hat\beta_s)^2`.

    Returns
    -------
    ClassicalEstimate
        Without intercept; not defined where the mean mediator effect is 0, with a note where it is
        within two standard errors of 0.

    Raises
    ------
    DataError
        If there is more than one mediator.
    ModelError
        If there are no such weights.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2], total_effect=[2, 7], cov=[0.01 * np.eye(2)] * 2)
    >>> pooled_wald(data).slope.tolist()
    [3.0]
    """
    if weights not in ("population", "precision"):
        raise ModelError(f"There are no weights {weights!r}.", "Take 'population' or 'precision'.")
    one_mediator(NAME, data)
    sites = canonical(data)
    weight = sites.rows.weight
    if weights == "precision":
        variance = sites.rows.total_effect_se**2
        if not variance.all():
            exact = data.labels[sites.order[np.argmin(variance)]]
            reason = f"the standard error of the total effect of site {exact!r} is 0"
            return ClassicalEstimate.undefined(
                NAME, data.mediators, f"{reason}, so its weight would be infinite"
            )
        weight = variance.min() / variance
        weight = weight / weight.sum()
    mediator, total = weight @ sites.mediator[:, 0], weight @ sites.total
    if abs(mediator) < 1e-14:
        return ClassicalEstimate.undefined(NAME, data.mediators, "the mean mediator effect is 0")
    cov = _mean_cov(sites, weight)
    slope = total / mediator
    contrast = np.array([-slope, 1.0])
    line = Line(
        slope=np.array([slope]),
        slope_se=np.array([math.sqrt(max(contrast @ cov @ contrast, 0.0)) / abs(mediator)]),
        quantile=normal_quantile(),
    )
    notes: tuple[str, ...] = ()
    if abs(mediator) < CLEAR * math.sqrt(cov[0, 0]):
        away = abs(mediator) / math.sqrt(cov[0, 0])
        note = (
            f"The mean mediator effect is only {away:.1f} standard errors from 0: the ratio is far "
            "from normal and its interval too narrow."
        )
        notes = (note,)
    return sites.answer(NAME, line, covariance=True, notes=notes)


def _mean_cov(sites: Canonical, weight: Floats) -> Floats:
    """(2, 2) sampling covariance of the two weighted means."""
    cov: Floats = np.einsum("s,sij->ij", weight**2, sites.rows.cov)
    for (i, j), matrix in sites.rows.cross_cov.items():
        cov = cov + weight[i] * weight[j] * (matrix + matrix.T)
    return cov
