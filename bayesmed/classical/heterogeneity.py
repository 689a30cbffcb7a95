r"""Variance of true effects between sites, by three moment estimators, with their influences.

All are solutions of an equation in the sums over sites of
:math:`\omega_s(\hat\gamma_s-m)^2`, m the mean in weights :math:`\omega`: equal weights
(moments), :math:`1/V_s` (DerSimonian and Laird 1986), :math:`1/(V_s+\sigma^2)` (Paule and Mandel
1982); DerSimonian and Kacker (2007) put them side by side. The influence of a site is the
derivative by its weight in the sample, which is what a delta-method standard error needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayesmed.core.types import Floats

type VarianceEstimator = Literal["dersimonian_laird", "paule_mandel", "moments"]


@dataclass(frozen=True, eq=False)
class BetweenSites:
    r"""An estimate of :math:`\sigma_\gamma^2`.

    Attributes
    ----------
    variance
        The estimate, not truncated: DerSimonian–Laird and moments can be negative.
    influence
        (S,) derivative by the weight of each site.
    """

    variance: float
    influence: Floats


def moments_variance(estimate: Floats, sampling_variance: Floats) -> BetweenSites:
    r"""Sample variance less the mean sampling variance.

    .. math:: \sum(\hat\gamma_s-\bar\gamma)^2/(S-1) - \overline{V}

    Parameters
    ----------
    estimate, sampling_variance
        (S,).

    Examples
    --------
    >>> moments_variance(np.array([1.0, 2.0, 3.0]), np.full(3, 0.25)).variance
    0.75
    """
    sites = estimate.size
    squares = (estimate - estimate.mean()) ** 2
    sample = squares.sum() / (sites - 1)
    mean = sampling_variance.mean()
    return BetweenSites(
        float(sample - mean),
        (squares - sample) / (sites - 1) - (sampling_variance - mean) / sites,
    )


def dersimonian_laird(estimate: Floats, sampling_variance: Floats) -> BetweenSites:
    r"""One-step moment estimator in weights :math:`1/V_s`, all positive.

    .. math:: (Q - S + 1) / (\textstyle\sum\omega - \sum\omega^2/\sum\omega)

    Examples
    --------
    >>> round(dersimonian_laird(np.array([1.0, 2.0, 3.0]), np.full(3, 0.25)).variance, 12)
    0.75
    """
    weight = 1 / sampling_variance
    total, squared = weight.sum(), (weight**2).sum()
    deviation = weight * (estimate - weight @ estimate / total) ** 2
    denominator = total - squared / total
    variance = (deviation.sum() - estimate.size + 1) / denominator
    moved = weight - (weight**2 * total - squared * weight) / total**2
    return BetweenSites(float(variance), (deviation - 1 - variance * moved) / denominator)


def paule_mandel(estimate: Floats, sampling_variance: Floats) -> BetweenSites:
    r"""Find the variance that gives the weighted sum of squares its expectation; 0 if none does.

    .. math:: \textstyle\sum(\hat\gamma_s-m)^2/(V_s+\sigma^2) = S - 1

    Errors of exactly 0 are allowed.

    Examples
    --------
    >>> round(paule_mandel(np.array([1.0, 2.0, 3.0]), np.full(3, 0.25)).variance, 12)
    0.75
    """
    from scipy.optimize import brentq

    sites = estimate.size
    highest = float(((estimate - estimate.mean()) ** 2).sum() / (sites - 1))

    def squares(variance: float) -> tuple[Floats, Floats]:
        weight = 1 / (sampling_variance + variance)
        return weight, weight * (estimate - weight @ estimate / weight.sum()) ** 2

    # An error of 0 has a weight only at a positive variance.
    lowest = 1e-12 * highest
    if highest == 0 or squares(lowest)[1].sum() <= sites - 1:
        return BetweenSites(0.0, np.full(sites, np.nan))
    # At `highest` no weight exceeds 1 / highest, so the sum is at most S - 1.
    variance = float(
        brentq(
            lambda v: float(squares(v)[1].sum()) - (sites - 1),
            lowest,
            highest * (1 + 1e-9),
            xtol=1e-14 * highest,
            rtol=1e-13,
        )
    )
    weight, deviation = squares(variance)
    return BetweenSites(variance, (deviation - 1) / (weight * deviation).sum())


ESTIMATORS = {
    "dersimonian_laird": dersimonian_laird,
    "paule_mandel": paule_mandel,
    "moments": moments_variance,
}
LABELS: dict[str, str] = {
    "dersimonian_laird": "DerSimonian-Laird",
    "paule_mandel": "Paule-Mandel",
    "moments": "moments",
}
