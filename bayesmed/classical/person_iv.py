r"""Two-stage least squares, LIML and k-class on persons, from site estimates made of their rows."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from bayesmed.classical.canonical import Line, canonical, t_quantile
from bayesmed.classical.estimate import ClassicalEstimate
from bayesmed.classical.person_products import PersonProducts, person_products
from bayesmed.core.errors import ModelError
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.formulas.k_class import KClass, k_class, liml_kappa, many_instruments_kappa

type PersonEstimator = Literal["2sls", "liml", "k_class"]
NAMES: dict[str, str] = {
    "2sls": "2SLS on persons",
    "liml": "LIML on persons",
    "k_class": "k-class on persons",
}
CLUSTERED = "persons are clustered, which these errors do not count"


def person_level_iv(
    data: SiteEstimates, *, estimator: PersonEstimator = "2sls", direct_effect: bool = False
) -> ClassicalEstimate:
    r"""Instrument persons' mediators with site by treatment.

    .. math::

        M_{pis} = \theta_{ps} + \gamma_{ps}T_{is} + u_{pis},\qquad
        Y_{is} = \lambda_s + \sum_p\delta_pM_{pis} [+ \theta T_{is}] + v_{is}

    (Raudenbush, Reardon and Nomi 2012, section 4; with the treatment among the regressors Fu
    2023's estimator on individuals). Sites have intercepts (blocks too, where rows have them) and
    coefficients of covariates of their own. Site estimates made of rows carry all that is needed
    (`bayesmed.data.PersonCovariance`): numbers are those of the regression on the rows of the
    sites that take part. Of some of these sites (`SiteEstimates.take`), how persons vary is still
    that of all.

    Without a direct effect, ``"2sls"`` is `wls` through the origin with weights
    :math:`n_sp_s(1-p_s)`, exactly, for a binary treatment without blocks and covariates; and
    ``"k_class"`` is `bias_corrected_iv` in these weights, where sampling covariances are those of
    persons who vary alike at all sites.

    Standard errors take persons as independent with one variance, and slopes as the same at all
    sites: where they differ the errors are too small. Those of LIML and k-class do not count the
    number of instruments. Intervals are Student's with n - L - P degrees of freedom.

    Parameters
    ----------
    data
        Site estimates from rows (`SiteEstimates.from_rows`).
    estimator
        ``"2sls"``; ``"liml"``; ``"k_class"``, with
        :math:`\kappa=(1-L/n)/(1-(k+L)/n)`, k excluded instruments and L included exogenous
        columns: for S sites and two arms k = L = S, or k = S - 1 and L = S + 1 with a direct
        effect.
    direct_effect
        Whether treatment has an effect of its own, the same at all sites; it is the intercept of
        the answer, where there is one arm to compare. Several arms have one each.

    Returns
    -------
    ClassicalEstimate
        Not defined where the data do not come from rows of persons, there are fewer instruments
        than mediators, or the mediators' part that instruments predict, less what chance would,
        is not positive definite. Without standard errors where persons are clustered.

    Raises
    ------
    ModelError
        If there is no such estimator.

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesmed.data import PersonRows, RowColumns
    >>> people = pd.DataFrame({
    ...     "site": ["A"] * 6 + ["B"] * 6,
    ...     "t": [0, 0, 0, 1, 1, 1] * 2,
    ...     "m": [1, 2, 3, 3, 4, 5, 1, 3, 5, 2, 4, 6],
    ...     "y": [1, 1, 4, 2, 3, 4, 2, 3, 5, 4, 6, 6],
    ... })
    >>> rows = PersonRows.from_frame(people, RowColumns("t", ("m",), "y", site="site"))
    >>> person_level_iv(SiteEstimates.from_rows(rows)).slope.round(6).tolist()
    [0.8]
    """
    if estimator not in NAMES:
        raise ModelError(f"There is no estimator {estimator!r}.", f"Take one of {list(NAMES)}.")
    name, p = NAMES[estimator], data.n_mediators
    sites = canonical(data)
    sums = person_products(sites.rows, direct_effect=direct_effect)
    if sums is None:
        return ClassicalEstimate.undefined(name, data.mediators, _no_persons(data))
    reason, kappa = _kappa(estimator, sums)
    found = None if reason else k_class(sums.total, sums.explained, kappa)
    if found is None:
        reason = reason or _no_positive_part(sums, kappa)
        return ClassicalEstimate.undefined(name, data.mediators, reason)
    assert sites.rows.persons is not None
    reason = CLUSTERED if sites.rows.persons.clustered else ""
    spare = round(sums.df) + sums.instruments - p
    scale = math.nan if reason else found.residual_square / spare
    intercept, intercept_se = _intercept(sums, found, scale)
    line = Line(
        slope=found.slope,
        slope_se=np.sqrt(scale * np.diagonal(found.bread)),
        intercept=intercept,
        intercept_se=intercept_se,
        quantile=t_quantile(spare),
    )
    return sites.answer(name, line, covariance=estimator != "2sls", reason=reason)


def _no_persons(data: SiteEstimates) -> str:
    if data.derivation:
        return "how persons vary is not known: they have weights, log odds, or are not at hand"
    return "the data are site estimates, not rows of persons"


def _kappa(estimator: str, sums: PersonProducts) -> tuple[str, float]:
    """Return why there is no kappa, or "" and kappa."""
    p, k = len(sums.error) - 1, sums.instruments
    if k < p:
        plural = "s" if k != 1 else ""
        return f"{k} instrument{plural} cannot determine {p} slope{'s' if p > 1 else ''}", math.nan
    if estimator == "2sls":
        return "", 1.0
    if estimator == "k_class":
        # Of persons and exogenous columns only the difference matters.
        return "", many_instruments_kappa(sums.df + k, 0, k)
    size = np.sqrt(np.diagonal(sums.error))
    rounding = 1e-7 * np.sqrt(np.diagonal(sums.total))
    if (size <= rounding).any() or _smallest(sums.error, size) < 1e-12:
        return "mediators and outcome do not vary on their own within sites and arms", math.nan
    return "", liml_kappa(sums.total, sums.explained)


def _smallest(matrix: Floats, size: Floats) -> float:
    return float(np.linalg.eigvalsh(matrix / np.outer(size, size))[0])


def _no_positive_part(sums: PersonProducts, kappa: float) -> str:
    if k_class(sums.explained, sums.explained, 1.0) is None:
        if len(sums.error) > 2:
            return "the mediator effects are collinear"
        return "the mediator effects are the same at all sites, arm by arm"
    return f"at κ = {kappa:.4f} chance explains all that the instruments predict of the mediators"


def _intercept(sums: PersonProducts, found: KClass, scale: float) -> tuple[float, float]:
    """Return the direct effect and its standard error; NaN where there is none, or several."""
    if sums.on_treatment is None or sums.treatment_inverse is None or len(sums.on_treatment) > 1:
        return math.nan, math.nan
    of_mediators, of_outcome = sums.on_treatment[0, :-1], sums.on_treatment[0, -1]
    moved = float(of_mediators @ found.bread @ of_mediators)
    variance = scale * (float(sums.treatment_inverse[0, 0]) + moved)
    return float(of_outcome - of_mediators @ found.slope), math.sqrt(variance)
