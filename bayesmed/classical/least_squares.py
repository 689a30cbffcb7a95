r"""Least squares of estimated total effects on estimated mediator effects.

Both ignore that the regressor :math:`\hat\gamma_s` is estimated, which is what pulls them from
the slope they are meant to estimate.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmed.classical.estimate import ClassicalEstimate
from bayesmed.core.errors import DataError
from bayesmed.core.types import ArrayLike, Floats
from bayesmed.data import SiteEstimates

NO_SPARE_SITE = "no site is left over to estimate a standard error from"


def ols(data: SiteEstimates, *, intercept: bool = True) -> ClassicalEstimate:
    r"""Ordinary least squares of :math:`\hat\beta_s` on :math:`\hat\gamma_s`.

    Parameters
    ----------
    data
        Site estimates of one mediator, shape (S,).
    intercept
        Whether the line has an intercept.

    Raises
    ------
    DataError
        If there is more than one mediator.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2, 3], total_effect=[2.0, 4.5, 6.0], cov=np.zeros((3, 2, 2)))
    >>> round(ols(data).slope, 6)
    2.0
    """
    return _least_squares("OLS", data, np.ones(data.n_rows), intercept)


def wls(data: SiteEstimates, *, intercept: bool = True) -> ClassicalEstimate:
    r"""Least squares weighted by :math:`1 / se(\hat\beta_s)^2`.

    Not defined where a standard error is zero: its weight would be infinite.

    Parameters
    ----------
    data
        Site estimates of one mediator, shape (S,).
    intercept
        Whether the line has an intercept.

    Raises
    ------
    DataError
        If there is more than one mediator.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2, 3], total_effect=[2.0, 4.5, 6.0], cov=np.zeros((3, 2, 2)))
    >>> wls(data).reason
    "the standard error of the total effect of site '1' is 0, so its weight would be infinite"
    """
    variance = data.total_effect_se**2
    exact = np.flatnonzero(variance == 0)
    if exact.size:
        return ClassicalEstimate.undefined(
            "WLS",
            f"the standard error of the total effect of site {data.labels[exact[0]]!r} is 0, so "
            "its weight would be infinite",
        )
    # Only ratios of weights matter: the largest is 1, whatever the units.
    return _least_squares("WLS", data, variance.min() / variance, intercept)


def expected_ols_slope(
    slope: ArrayLike,
    mediator_effect_square: ArrayLike,
    mediator_variance: ArrayLike,
    covariance: ArrayLike,
) -> ArrayLike:
    r"""Return the limit of least squares when both effects are estimated with error.

    .. math:: (\delta\,q + \overline{V_{\gamma\beta}}) / (q + \overline{V_{\gamma\gamma}})

    The regression dilution of Fuller (1987, section 1.1), correlated errors included. With
    independent errors it is :math:`\lambda\delta`.

    Parameters
    ----------
    slope
        :math:`\delta`.
    mediator_effect_square
        q: :math:`\sigma_\gamma^2`, or :math:`\mu_\gamma^2+\sigma_\gamma^2` for a line through the
        origin.
    mediator_variance, covariance
        Means over sites of :math:`V_{\gamma\gamma}` and :math:`V_{\gamma\beta}`.

    Examples
    --------
    >>> expected_ols_slope(2.0, 1.0, 1.0, 0.0)
    1.0
    """
    return (slope * mediator_effect_square + covariance) / (
        mediator_effect_square + mediator_variance
    )


def _least_squares(
    name: str, data: SiteEstimates, weight: Floats, intercept: bool
) -> ClassicalEstimate:
    from statsmodels.regression.linear_model import WLS

    if data.n_mediators != 1:
        raise DataError(
            f"{name} of one mediator was asked for; the data have {data.n_mediators}.",
            "Keep one mediator.",
        )
    # Solved in units in which both effects are about 1: no overflow, no lost digits.
    units = [_size(data.mediator_effect[:, 0]), _size(data.total_effect)]
    mediator, total = data.mediator_effect[:, 0] / units[0], data.total_effect / units[1]
    columns = [mediator, np.ones_like(mediator)] if intercept else [mediator]
    if np.ptp(mediator) == 0 and intercept:
        return ClassicalEstimate.undefined(name, "the mediator effects are all the same")
    fitted = WLS(total, np.column_stack(columns), weights=weight).fit()
    spare = data.n_rows > len(columns)
    slope_unit = units[1] / units[0]
    return ClassicalEstimate(
        name,
        slope=float(fitted.params[0]) * slope_unit,
        slope_se=_se(fitted, 0, spare) * slope_unit,
        intercept=float(fitted.params[1]) * units[1] if intercept else float("nan"),
        intercept_se=_se(fitted, 1, spare) * units[1] if intercept else float("nan"),
        reason="" if spare else NO_SPARE_SITE,
    )


def _size(x: Floats) -> float:
    return float(np.max(np.abs(x))) or 1.0


def _se(fitted: Any, column: int, spare: bool) -> float:
    # Asked for only where it exists: statsmodels divides by the sites left over.
    return float(fitted.bse[column]) if spare else float("nan")
