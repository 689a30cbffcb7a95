r"""Least squares of estimated total effects on estimated mediator effects.

Both ignore that the regressors :math:`\hat\gamma_s` are estimated, which is what pulls them from
the slopes they are meant to estimate.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from bayesmed.classical.bces import checked_weights
from bayesmed.classical.canonical import Canonical, Line, canonical, t_quantile
from bayesmed.classical.estimate import NO_SPARE_SITE, ClassicalEstimate
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates

# Columns are of size 1: what is smaller than this is rounding.
ROUNDING = 1e-12


def ols(data: SiteEstimates, *, intercept: bool = True) -> ClassicalEstimate:
    r"""Ordinary least squares of :math:`\hat\beta_s` on :math:`\hat\gamma_{1s},\dots`.

    Intervals are Student's, with as many degrees of freedom as sites are left over.

    Parameters
    ----------
    data
        Site estimates of P mediators.
    intercept
        Whether the line has an intercept.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2, 3], total_effect=[2.0, 4.5, 6.0], cov=np.zeros((3, 2, 2)))
    >>> ols(data).slope.round(6).tolist()
    [2.0]
    """
    return weighted_line("OLS", canonical(data), np.ones(data.n_rows), intercept)


def wls(
    data: SiteEstimates, *, intercept: bool = True, weights: npt.ArrayLike | None = None
) -> ClassicalEstimate:
    r"""Weighted least squares; intervals as in `ols`.

    Through the origin, with :math:`1/se(\hat\beta_s)^2`, it is the multiple-site
    multiple-mediator IV estimator where slopes are the same at all sites (Reardon's slides), and
    with :math:`n_sp_s(1-p_s)`, n persons of whom a share p is treated, it is two-stage least
    squares of persons with site-by-treatment instruments, exactly (`person_level_iv`). Those of
    `random_effects_weights` allow for slopes that differ.

    Parameters
    ----------
    data
        Site estimates of P mediators.
    intercept
        Whether the line has an intercept.
    weights
        (R,) weights of the rows; :math:`1/se(\hat\beta_s)^2` by default, not defined where a
        standard error is zero. Rows of weight 0 take no part.

    Raises
    ------
    DataError
        If weights are not R numbers, none negative and some positive.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2, 3], total_effect=[2.0, 4.5, 6.0], cov=np.zeros((3, 2, 2)))
    >>> wls(data).reason
    "the standard error of the total effect of site '1' is 0, so its weight would be infinite"
    """
    sites = canonical(data)
    if weights is not None:
        return weighted_line("WLS", sites, checked_weights(weights, data)[sites.order], intercept)
    if reason := infinite_weight(data):
        return ClassicalEstimate.undefined("WLS", data.mediators, reason)
    variance = sites.rows.total_effect_se**2
    # Only ratios of weights matter: the largest is 1, whatever the units.
    return weighted_line("WLS", sites, variance.min() / variance, intercept)


def infinite_weight(data: SiteEstimates) -> str:
    r"""Say which weight :math:`1/se(\hat\beta_s)^2` would be infinite; "" if none."""
    exact = np.flatnonzero(data.total_effect_se == 0)
    if not exact.size:
        return ""
    return (
        f"the standard error of the total effect of site {data.labels[exact[0]]!r} is 0, so its "
        "weight would be infinite"
    )


def expected_ols_slopes(
    slopes: Floats, spread: Floats, noise: Floats, cross: Floats | None = None
) -> Floats:
    r"""Slopes that least squares tends to where effects are estimated with error: (D, P).

    .. math::

        (\Omega_\gamma + \overline{V_{\gamma\gamma}})^{-1}
        (\Omega_\gamma\delta + \overline{V_{\gamma\beta}})

    Fuller (1987, section 2.2) for several mediators; for one without covariance it is
    :math:`\lambda\delta`.

    Parameters
    ----------
    slopes, spread
        (D, P) and (D, P, P): :math:`\delta` and :math:`\Omega_\gamma`.
    noise, cross
        (P, P) and (P,): mean :math:`V_{\gamma\gamma}` and :math:`V_{\gamma\beta}`, the latter 0 by
        default.

    Examples
    --------
    >>> expected_ols_slopes(np.array([[2.0]]), np.ones((1, 1, 1)), np.ones((1, 1))).tolist()
    [[1.0]]
    """
    target = np.einsum("dij,dj->di", spread, slopes) + (0.0 if cross is None else cross)
    return np.asarray(np.linalg.solve(spread + noise, target[..., None])[..., 0])


def no_least_squares(mediator: Floats, intercept: bool) -> str:
    """Say why (S, P) canonical mediator effects determine no line; "" where they do.

    Examples
    --------
    >>> no_least_squares(np.ones((3, 1)), intercept=True)
    'the mediator effects are all the same'
    """
    spread = mediator - mediator.mean(axis=0) if intercept else mediator
    sites, p = mediator.shape
    tolerance = ROUNDING * math.sqrt(sites)
    if np.linalg.matrix_rank(spread, tol=tolerance) == p:
        return ""
    if sites < p + intercept:
        return f"{sites} sites cannot determine {p + intercept} coefficients"
    if p > 1:
        return "the mediator effects are collinear"
    return "the mediator effects are all " + ("the same" if intercept else "0")


def weighted_line(
    name: str,
    sites: Canonical,
    weight: Floats,
    intercept: bool,
    *,
    notes: tuple[str, ...] = (),
) -> ClassicalEstimate:
    """Fit a line by least squares in (R,) weights of canonical rows, errors from its residuals."""
    from statsmodels.regression.linear_model import WLS

    used = weight > 0
    mediator, total = sites.mediator[used], sites.total[used]
    reason = no_least_squares(mediator, intercept)
    if reason:
        return ClassicalEstimate.undefined(name, sites.rows.mediators, reason)
    p = mediator.shape[1]
    columns = [mediator, np.ones((total.size, 1))][: 1 + intercept]
    fitted = WLS(total, np.hstack(columns), weights=weight[used]).fit()
    spare = total.size - p - intercept
    # Asked for only where it exists: statsmodels divides by the sites left over.
    se = np.asarray(fitted.bse) if spare else np.full(p + intercept, math.nan)
    line = Line(
        slope=fitted.params[:p],
        slope_se=se[:p],
        intercept=float(fitted.params[p]) if intercept else math.nan,
        intercept_se=float(se[p]) if intercept else math.nan,
        quantile=t_quantile(spare),
    )
    return sites.answer(name, line, reason="" if spare else NO_SPARE_SITE, notes=notes)
