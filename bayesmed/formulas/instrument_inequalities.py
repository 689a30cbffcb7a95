r"""What a valid binary instrument of a binary mediator rules out in the data, arm by arm.

Arrays have axes d (treatment), z (instrument), m (mediator) and, last, k: one of the K values of
the outcome, or a set B of them. Draws and strata stand in front. Where the mediator never falls
with the instrument and the instrument reaches the outcome through it alone, persons with the
mediator at z = 0 all have it at z = 1 too, with the same outcome: they are a part of that cell.
"""

from __future__ import annotations

import itertools

import numpy as np

from bayesmed.core.types import Floats

__all__ = [
    "kitagawa_differences",
    "neighbouring_sets",
    "parts_and_wholes",
    "pearl_sums",
    "split_sums",
    "standardised_violations",
]

_SIGN = np.array([-1.0, 1.0])


def neighbouring_sets(values: int) -> Floats:
    r"""Return every set of neighbouring values of the outcome, (B, K), zeros and ones.

    .. math:: B_{ij}=\{i,i+1,\dots,j\},\qquad 0\le i\le j<K

    Kitagawa (2015): such sets are enough for ordered outcomes. Small sets stand first, the
    whole last.

    Parameters
    ----------
    values
        K, how many values the outcome has.

    Examples
    --------
    >>> neighbouring_sets(2).tolist()
    [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    """
    at = np.arange(values)
    pairs = [(low, low + more) for more in at for low in at[: values - more]]
    return np.array([(low <= at) & (at <= high) for low, high in pairs], dtype=np.float64)


def kitagawa_differences(probability: Floats) -> Floats:
    r"""Return shares of persons whom the instrument moves, with outcomes in B, (..., d, m, B).

    .. math::

        P(Y\in B,M=1\mid d,1)-P(Y\in B,M=1\mid d,0),\qquad
        P(Y\in B,M=0\mid d,0)-P(Y\in B,M=0\mid d,1)

    Kitagawa (2015), equation 1.1, in each arm: none is negative where the mediator never falls
    with the instrument (Kim 2022, assumption 4) and exclusion holds.

    Parameters
    ----------
    probability
        (..., 2, 2, 2, B) :math:`P(Y\in B,M=m\mid d,z)`.

    Examples
    --------
    >>> one_arm = np.array([[[0.5, 0.2], [0.2, 0.1]], [[0.1, 0.3], [0.4, 0.2]]])
    >>> kitagawa_differences(one_arm).round(2).tolist()  # the second value of m = 0 violates
    [[0.4, -0.1], [0.2, 0.1]]
    """
    moved = probability[..., 1, :, :] - probability[..., 0, :, :]
    found: Floats = moved * _SIGN[:, None]
    return found


def standardised_violations(count: Floats, persons: Floats) -> Floats:
    r"""Return how far Kitagawa's inequalities are violated, in standard errors, (..., d, m, B).

    .. math::

        -\frac{\hat p_z-\hat p_{z'}}{\sqrt{\bar p(1-\bar p)(1/n_{d0}+1/n_{d1})}}

    with the difference that of `kitagawa_differences` and :math:`\bar p` the share of both values
    of the instrument together: Kitagawa's (2015) statistic with the error that shares have at the
    edge of what is allowed, where they are equal. Negative where there is no violation, 0 where
    nobody or everybody is in the set, NaN where nobody is at one value of the instrument.

    Parameters
    ----------
    count
        (..., 2, 2, 2, B) persons in the set B at d, z and m.
    persons
        (..., 2, 2) persons at d and z.

    Examples
    --------
    >>> count = np.array([[[30.0], [10.0]], [[34.0], [6.0]]])
    >>> standardised_violations(count, np.array([40.0, 40.0])).round(2).tolist()
    [[1.12], [1.12]]
    """
    of = persons[..., None, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = count / of
        both = count.sum(axis=-3) / of.sum(axis=-3)
        variance = both * (1 - both) * (1 / of).sum(axis=-3)
        found: Floats = -kitagawa_differences(share) / np.sqrt(variance)
    return np.where(variance > 0, found, np.where(np.isfinite(variance), 0.0, np.nan))


def parts_and_wholes(cells: Floats) -> tuple[Floats, Floats]:
    r"""Return cells of one type of persons, and those they are a part of, each (..., d, m).

    .. math:: m=1:\ (d,z{=}0,1)\subset(d,z{=}1,1),\qquad m=0:\ (d,z{=}1,0)\subset(d,z{=}0,0)

    Those with the mediator at z = 0 always take it; those without at z = 1 never do.

    Parameters
    ----------
    cells
        (..., 2, 2, 2) anything that cells d, z, m have.

    Examples
    --------
    >>> part, whole = parts_and_wholes(np.array([["never+", "always"], ["never", "always+"]]))
    >>> part.tolist(), whole.tolist()
    (['never', 'always'], ['never+', 'always+'])
    """
    part = np.stack([cells[..., 1, 0], cells[..., 0, 1]], axis=-1)
    whole = np.stack([cells[..., 0, 0], cells[..., 1, 1]], axis=-1)
    return part, whole


def pearl_sums(probability: Floats) -> Floats:
    r"""Return what is at most 1 where the instrument is random and excluded, (..., d, m).

    .. math:: \sum_y\max_z P(y,m\mid d,z)\le1

    Pearl (1995), in each arm. The mediator may fall or rise with the instrument.

    Parameters
    ----------
    probability
        (..., 2, 2, 2, K) :math:`P(y,m\mid d,z)`.

    Examples
    --------
    >>> one_arm = np.array([[[0.2, 0.1], [0.6, 0.1]], [[0.1, 0.2], [0.1, 0.6]]])
    >>> pearl_sums(one_arm).round(2).tolist()
    [0.4, 1.2]
    """
    found: Floats = probability.max(axis=-3).sum(axis=-1)
    return found


def split_sums(probability: Floats) -> Floats:
    r"""Return the sums whose largest is Pearl's, (..., d, m, 2**K - 2).

    .. math:: P(Y\in B,m\mid d,0)+P(Y\notin B,m\mid d,1)

    over all sets B but the empty one and the whole, of which the sum is at most 1 anyway. Each is
    linear in probabilities, so its sampling error is its own, where the largest of many is too
    large by chance.

    Parameters
    ----------
    probability
        (..., 2, 2, 2, K) :math:`P(y,m\mid d,z)`.

    Examples
    --------
    >>> one_arm = np.array([[[0.2, 0.1], [0.6, 0.1]], [[0.1, 0.2], [0.1, 0.6]]])
    >>> split_sums(one_arm).round(2).tolist()
    [[0.2, 0.4], [0.2, 1.2]]
    """
    values = probability.shape[-1]
    chosen = np.array(list(itertools.product((0.0, 1.0), repeat=values)))[1:-1]
    found: Floats = (
        probability[..., 0, :, :] @ chosen.T + probability[..., 1, :, :] @ (1 - chosen).T
    )
    return found
