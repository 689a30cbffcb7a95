r"""Where the mean of a part may lie: tails of the whole, and what two moments say of them.

Huber and Mellace (2015): persons whom the instrument does not move are a part, of known share q,
of those who have the mediator's value at the instrument's other value
(`bayesmed.formulas.instrument_inequalities.parts_and_wholes`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesmed.core.types import Floats

__all__ = ["TailMeans", "distance_variance", "share_excess", "tail_mean_shift", "tail_means"]


class TailMeans(NamedTuple):
    """Means of the outcome's lower and upper tail, and the values where the tails begin."""

    low: float
    high: float
    low_from: float
    high_from: float


def tail_mean_shift(sd: Floats, share: Floats) -> Floats:
    r"""Return how far the mean of a part can be from that of the whole, in outcome units, (...).

    .. math:: |\mu_q-\mu|\le\sigma\sqrt{\frac{1-q}{q}}

    The bounds of Huber and Mellace (2015) where of the whole nothing but mean and
    variance are known. A part of share q and the rest lie
    :math:`\mu_q-\mu=(1-q)(\mu_q-\mu_{rest})` and the variance between them is at most all there is,
    :math:`q(1-q)(\mu_q-\mu_{rest})^2\le\sigma^2`. Two values alone reach the bound, so with these
    two moments none is sharper.

    Parameters
    ----------
    sd
        (...) standard deviation of the whole, outcome units.
    share
        (...) q; NaN is returned where it is not above 0 and at most 1.

    Examples
    --------
    >>> tail_mean_shift(np.array([2.0, 2.0, 2.0]), np.array([0.2, 1.0, 1.1])).tolist()
    [4.0, 0.0, nan]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = sd * np.sqrt((1 - share) / share)
    return np.where((share > 0) & (share <= 1), found, np.nan)


def distance_variance(distance: Floats, part_variance: Floats, persons: Floats) -> Floats:
    r"""Return the sampling variance of the distance r of a part's mean from the whole's, (...).

    .. math::

        r=\frac{\mu_q-\mu}{\sigma},\qquad
        \mathrm{Var}(\hat r)=\frac{\mathrm{Var}(\hat\mu_q)}{\sigma^2}+
        \frac1n\max\left\{1+\frac{r^2}{2},\frac{(1+r^2)^2}{4}\right\}

    By the delta method. Of the errors that mean and standard deviation of the whole have the
    larger is taken: where outcomes are normal, or where they have the two values that alone reach
    the bound of `tail_mean_shift`, there :math:`\sigma(r+1/r)` apart.

    Parameters
    ----------
    distance
        (...) r.
    part_variance
        (...) :math:`\mathrm{Var}(\hat\mu_q)/\sigma^2`.
    persons
        (...) n, persons in the whole.

    Examples
    --------
    >>> found = distance_variance(np.array([0.0, 1.0, 3.0]), np.array(0.01), np.array(100.0))
    >>> found.round(3).tolist()
    [0.02, 0.025, 0.26]
    """
    square = distance**2
    found: Floats = part_variance + np.maximum(1 + square / 2, (1 + square) ** 2 / 4) / persons
    return found


def share_excess(
    share: Floats, distance: Floats, log_share_variance: Floats, distance_variance: Floats
) -> Floats:
    r"""Return how much too large a part is to have its mean where it is, in standard errors, (...).

    .. math::

        \frac{\log\hat q+\log(1+\hat r^2)}
             {\sqrt{\mathrm{Var}(\log\hat q)+\frac{4r^2}{(1+r^2)^2}\mathrm{Var}(\hat r)}}

    `tail_mean_shift` solved for the share, :math:`q\le1/(1+r^2)`, which is Cantelli's inequality.
    Its logarithm has errors that hardly depend on q, unlike the bound of the mean, whose error is
    small just where q is too large by chance. Negative inside the bounds.

    Parameters
    ----------
    share, distance
        (...) q, and :math:`r=(\mu_q-\mu)/\sigma`.
    log_share_variance, distance_variance
        (...) sampling variances of the logarithm of q, and of r.

    Examples
    --------
    >>> at = np.array([0.2, 0.5, 0.8]), np.array(1.0), np.array(0.01), np.array(0.03)
    >>> share_excess(*at).round(2).tolist()
    [-4.58, 0.0, 2.35]
    """
    square = distance**2
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = log_share_variance + 4 * square / (1 + square) ** 2 * distance_variance
        found: Floats = (np.log(share) + np.log1p(square)) / np.sqrt(variance)
    return found


def tail_means(outcome: Floats, share: float) -> TailMeans:
    r"""Return the means of the share q of persons with the lowest and the highest outcomes.

    .. math::

        E[Y\mid Y\le F^{-1}(q)]\le\mu_q\le E[Y\mid Y\ge F^{-1}(1-q)]

    Huber and Mellace (2015): what any part of share q can have as its mean. The person
    at the edge of a tail counts by what of the share is left.

    Parameters
    ----------
    outcome
        (N,) outcomes of the whole.
    share
        q, above 0 and at most 1.

    Examples
    --------
    >>> found = tail_means(np.array([1.0, 2.0, 4.0, 9.0]), 0.375)
    >>> round(found.low, 3), round(found.high, 3), found.high_from
    (1.333, 7.333, 4.0)
    """
    ordered = np.sort(outcome)
    mass = share * len(ordered)
    weight = np.clip(mass - np.arange(len(ordered)), 0.0, 1.0)
    edge = int(np.ceil(mass)) - 1
    low, high = (float(weight @ values / mass) for values in (ordered, ordered[::-1]))
    return TailMeans(low, high, float(ordered[edge]), float(ordered[::-1][edge]))
