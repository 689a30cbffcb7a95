r"""Whether treatment and instrument are independent, as both being randomised makes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmed.core.types import Floats
from bayesmed.core.words import p_value
from bayesmed.data import TrialCells


@dataclass(frozen=True, eq=False)
class InstrumentBalance:
    """Shares of persons at instrument 1 in the two arms, compared.

    Attributes
    ----------
    share
        (2,) P(Z = 1) in each arm, averaged over strata by their size.
    difference, difference_se
        Second less first, and its standard error.
    statistic, df, p_value
        Pearson's test of independence, summed over strata.
    """

    share: Floats
    difference: float
    difference_se: float
    statistic: float
    df: int
    p_value: float

    @property
    def words(self) -> str:
        """The numbers as a sentence has them.

        Examples
        --------
        >>> InstrumentBalance(np.array([0.5, 0.52]), 0.02, 0.01, 4.0, 1, 0.0455).words
        'P(Z = 1) is 0.500 in one arm and 0.520 in the other (p = 0.045)'
        """
        first, second = self.share
        return (
            f"P(Z = 1) is {first:.3f} in one arm and {second:.3f} in the other "
            f"({p_value(self.p_value)})"
        )


def instrument_balance(cells: TrialCells) -> InstrumentBalance:
    r"""Test that treatment and instrument are independent within strata.

    .. math::

        X^2=\sum_s\frac{(\hat\pi_{1s}-\hat\pi_{0s})^2}
                       {\hat\pi_s(1-\hat\pi_s)(1/n_{0s}+1/n_{1s})}

    with :math:`\hat\pi_{ds}` the share of arm d at instrument 1, against :math:`\chi^2` with a
    degree of freedom per stratum. Kim (2022, assumption 2) needs it, so that averages over the
    instrument may be taken with the same shares in both arms.

    Parameters
    ----------
    cells
        The trial.

    Examples
    --------
    >>> n = [[[20, 30], [30, 20]], [[30, 45], [45, 30]]]
    >>> found = instrument_balance(TrialCells.from_arrays(n=n, events=np.ones((2, 2, 2))))
    >>> found.share.tolist(), found.p_value
    ([0.5, 0.5], 1.0)
    """
    from scipy.special import chdtrc

    persons, weight = cells.persons, cells.stratum_share
    in_arm = persons.sum(axis=2)
    share = persons[:, :, 1] / in_arm
    pooled = cells.instrument_share[:, 1]
    difference = share[:, 1] - share[:, 0]
    chance = pooled * (1 - pooled) * (1 / in_arm).sum(axis=1)
    variance = (share * (1 - share) / in_arm).sum(axis=1)
    statistic = float((difference**2 / chance).sum())
    return InstrumentBalance(
        share=weight @ share,
        difference=float(weight @ difference),
        difference_se=float(np.sqrt(weight**2 @ variance)),
        statistic=statistic,
        df=cells.n_strata,
        p_value=float(chdtrc(cells.n_strata, statistic)),
    )
