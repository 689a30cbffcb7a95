r"""Whether the pooled Wald ratio agrees with the regression through the origin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bayesmed.classical.bias_corrected_iv import bias_corrected_iv
from bayesmed.classical.canonical import Canonical, canonical, t_quantile
from bayesmed.classical.moments import corrected_moments
from bayesmed.classical.pooled_wald import pooled_wald
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates

FEWEST = 3
"""Blocks needed for a jackknife error."""
ROUNDING = 1e-12


@dataclass(frozen=True)
class WaldContrast:
    """Pooled Wald ratio less bias-corrected regression through the origin; NaN if not defined.

    Attributes
    ----------
    wald, regression
        The two estimates.
    difference, error
        Wald less regression, and its jackknife standard error.
    errors
        Their ratio.
    critical
        Student's 97.5 % quantile, which the ratio exceeds by chance in 5 of 100 tables.
    reason
        Why it is not defined; empty otherwise.
    """

    wald: float
    regression: float
    difference: float
    error: float
    critical: float
    reason: str = ""

    @property
    def errors(self) -> float:
        """How many standard errors apart they are."""
        return self.difference / self.error if self.error > 0 else math.nan


def wald_contrast(data: SiteEstimates) -> WaldContrast:
    r"""Compare the two estimators of an average slope that take no direct effect.

    Both tend to :math:`\bar\delta` where there is none, persons' effects and slopes are unrelated
    within sites and slopes unrelated to mediator effects between them. Where one of these fails
    they part: for a covariance :math:`\omega` of slopes and mediator effects the ratio
    :math:`\bar\beta/\bar\gamma` tends to :math:`\bar\delta+\omega/\bar\gamma`, the regression to
    :math:`\bar\delta+2\bar\gamma\omega/(\bar\gamma^2+\sigma_\gamma^2)`; a mean direct effect or
    within-site covariance :math:`\kappa` adds :math:`\kappa/\bar\gamma` and
    :math:`\bar\gamma\kappa/(\bar\gamma^2+\sigma_\gamma^2)`
    (`bayesmed.formulas.expected_slopes`). So it tells that one of them fails, not which. It is a
    test after Hausman (1978), whose error is that of the jackknife over blocks of rows: slopes
    that differ between sites are in it.

    Parameters
    ----------
    data
        Site estimates of one mediator.

    Returns
    -------
    WaldContrast
        Not defined where one of them is not, nor after leaving out any block.

    Raises
    ------
    DataError
        If there is more than one mediator.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2, 3, 4], total_effect=[2, 5, 6, 9], cov=[0.1 * np.eye(2)] * 4)
    >>> found = wald_contrast(data)
    >>> round(found.wald, 3), round(found.regression, 3), round(found.errors, 2)
    (2.2, 2.23, -1.02)
    """
    for estimate in (pooled_wald(data), bias_corrected_iv(data)):
        if not estimate.defined:
            return _undefined(f"{estimate.name} is not defined: {estimate.reason}")
    blocks = np.unique(data.block).size
    if blocks < FEWEST:
        return _undefined(f"{blocks} sites are too few to estimate its error")
    sites = canonical(data)
    parts = _parts(sites)
    whole = parts.sum(axis=0)
    without = whole - parts
    # A ratio whose denominator may change its sign is no estimate.
    if (without[:, 0] * whole[0] <= ROUNDING).any() or (without[:, 2] <= ROUNDING).any():
        return _undefined("without one site one of the two would not be defined")
    wald, regression = _estimates(whole)
    each = np.subtract(*_estimates(without))
    error = math.sqrt((blocks - 1) / blocks * float(np.sum((each - each.mean()) ** 2)))
    unit = float(sites.mediator_factor[0]) / sites.outcome_factor
    return WaldContrast(
        wald=float(wald) * unit,
        regression=float(regression) * unit,
        difference=float(wald - regression) * unit,
        error=error * abs(unit),
        critical=t_quantile(blocks - 1),
    )


def _parts(sites: Canonical) -> Floats:
    """(B, 4) sums over each block: of the ratio's denominator and numerator, the regression's."""
    variance = sites.mediator_cov[:, 0, 0]
    moments = corrected_moments(
        sites.mediator,
        sites.total,
        sites.mediator_cov,
        sites.covariance,
        weight=variance.min() / variance,
        intercept=False,
    )
    weight = sites.rows.weight
    columns = [
        weight * sites.mediator[:, 0],
        weight * sites.total,
        moments.matrix[:, 0, 0],
        moments.vector[:, 0],
    ]
    parts = np.zeros((sites.rows.n_blocks, 4))
    np.add.at(parts, sites.rows.block, np.column_stack(columns))
    return parts


def _estimates(sums: Floats) -> tuple[Floats, Floats]:
    return sums[..., 1] / sums[..., 0], sums[..., 3] / sums[..., 2]


def _undefined(reason: str) -> WaldContrast:
    return WaldContrast(*(math.nan,) * 5, reason=reason)
