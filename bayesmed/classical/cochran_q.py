r"""Cochran's Q: whether sites lie further from a line than sampling errors allow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayesmed.classical.estimate import ClassicalEstimate
from bayesmed.core.errors import DataError, ModelError
from bayesmed.core.numbers import number
from bayesmed.core.types import Floats
from bayesmed.core.words import p_value
from bayesmed.data import SiteEstimates
from bayesmed.formulas.residual_scatter import residual_q

type Noise = Literal["both", "total_effect"]
NOISES = ("both", "total_effect")


@dataclass(frozen=True)
class CochranQ:
    """A test that one line passes through the true effects of all sites.

    Attributes
    ----------
    estimator
        Whose line it is.
    statistic
        Q, NaN where not defined.
    df
        Sites less coefficients.
    p_value
        P(χ² ≥ Q) with ``df`` degrees of freedom, NaN without any.
    reason
        Why something is not defined; empty otherwise.
    """

    estimator: str
    statistic: float
    df: int
    p_value: float
    reason: str = ""

    @property
    def defined(self) -> bool:
        """Whether there is a statistic."""
        return not math.isnan(self.statistic)

    @property
    def words(self) -> str:
        """The numbers as a sentence has them, where all are defined.

        Examples
        --------
        >>> CochranQ("WLS", 683.08, 142, 1e-71).words
        'Q = 683 on 142 degrees of freedom (p < 0.001)'
        """
        plural = "s" if self.df > 1 else ""
        q = number(self.statistic)
        return f"Q = {q} on {self.df} degree{plural} of freedom ({p_value(self.p_value)})"


def cochran_q(data: SiteEstimates, line: ClassicalEstimate, *, noise: Noise = "both") -> CochranQ:
    r"""Compare residuals from a line with their sampling errors.

    .. math::

        Q = \sum_s\frac{r_s^2}{c'V_sc},\qquad r_s = \hat\beta_s-\delta'\hat\gamma_s-a,\quad
        c = (-\delta, 1)

    against :math:`\chi^2` with S - P degrees of freedom, S - P - 1 for a line with an intercept.
    Of a block of rows that share a control group it is :math:`r'C^{-1}r` with the covariance C of
    its residuals. Through the origin it is the test of overidentification: of exclusion and no
    within-site covariance together. Slopes that differ between sites inflate it as well. It is the
    smallest at no particular line, so an estimate that is attenuated inflates it, too.

    Published tables for genetic instruments (R package MVMR) take the line of `wls` through the
    origin and both errors; the smaller errors of ``noise="total_effect"`` give the residual sum of
    squares of `wls` itself.

    Parameters
    ----------
    data
        Site estimates of P mediators.
    line
        An estimate from these data, such as ``wls(data, intercept=False)``; a line without an
        intercept goes through the origin.
    noise
        ``"both"``: the sampling covariance of mediator and total effects. ``"total_effect"``: that
        of the total effects alone, mediator effects taken as known.

    Returns
    -------
    CochranQ
        Not defined where the line is not, or a residual has no sampling error.

    Raises
    ------
    DataError
        If the line is that of other mediators.
    ModelError
        If there is no such noise.

    Examples
    --------
    >>> from bayesmed.classical import wls
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2, 3], total_effect=[2.0, 4.5, 6.0], cov=[0.02 * np.eye(2)] * 3)
    >>> found = cochran_q(data, wls(data, intercept=False))
    >>> round(found.statistic, 3), found.df, round(found.p_value, 3)
    (1.688, 2, 0.43)
    """
    if noise not in NOISES:
        raise ModelError(f"There is no noise {noise!r}.", f"Take one of {list(NOISES)}.")
    if line.mediators != data.mediators:
        raise DataError(
            f"The line of {line.name} has the mediators {list(line.mediators)}, the data "
            f"{list(data.mediators)}.",
            "Give an estimate from the same data.",
        )
    through_origin = math.isnan(line.intercept)
    coefficients = data.n_mediators + (not through_origin)
    if not line.defined:
        df = data.n_rows - coefficients
        return CochranQ(line.name, math.nan, df, math.nan, line.reason)
    start = 0.0 if through_origin else line.intercept
    return scatter_about(line.name, data, line.slope, start, coefficients=coefficients, noise=noise)


def scatter_about(
    name: str,
    data: SiteEstimates,
    slope: Floats,
    start: float = 0.0,
    *,
    coefficients: int,
    noise: Noise = "both",
) -> CochranQ:
    """Compare residuals from any line with their sampling errors, as `cochran_q` does.

    Parameters
    ----------
    name
        Whose line it is.
    data
        Site estimates of P mediators.
    slope, start
        (P,) slopes, and the total effect at mediator effects of 0.
    coefficients
        How many of these numbers were estimated from the data.
    noise
        As in `cochran_q`.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2], total_effect=[2, 4.5], cov=[0.05 * np.eye(2)] * 2)
    >>> round(scatter_about("known", data, np.array([2.0]), coefficients=0).statistic, 6)
    1.0
    """
    df = data.n_rows - coefficients
    residual = data.total_effect - data.mediator_effect @ slope - start
    contrast = np.append(-slope * (noise == "both"), 1.0)
    exact = np.flatnonzero(_variance(data.cov, contrast) == 0)
    if exact.size:
        reason = f"the residual of site {data.labels[exact[0]]!r} has no sampling error"
        return CochranQ(name, math.nan, df, math.nan, reason)
    value = _statistic(data, residual, contrast)
    if value is None:
        reason = "some combination of the residuals of a block has no sampling error"
        return CochranQ(name, math.nan, df, math.nan, reason)
    if df < 1:
        return CochranQ(name, value, df, math.nan, "no site is left over")
    from scipy.special import chdtrc

    return CochranQ(name, value, df, float(chdtrc(df, value)))


def _variance(cov: Floats, contrast: Floats) -> Floats:
    return np.asarray(np.einsum("i,sij,j->s", contrast, cov, contrast))


def _statistic(data: SiteEstimates, residual: Floats, contrast: Floats) -> float | None:
    """Sum over blocks; None where a block's covariance is singular."""
    rows = {r for pair in data.cross_cov for r in pair}
    shared = np.isin(data.block, data.block[sorted(rows)])
    alone = ~shared
    value = residual_q(residual[alone], _variance(data.cov[alone], contrast))
    k = contrast.size
    for block in np.unique(data.block[shared]):
        own = data.block_rows(int(block))
        cov = data.block_cov(int(block)).reshape(own.size, k, own.size, k)
        cov = np.einsum("i,sitj,j->st", contrast, cov, contrast)
        size = np.sqrt(np.diagonal(cov))
        corr = cov / (size[:, None] * size)
        if np.linalg.eigvalsh(corr)[0] < 1e-12:
            return None
        scaled = residual[own] / size
        value += float(scaled @ np.linalg.solve(corr, scaled))
    return value
