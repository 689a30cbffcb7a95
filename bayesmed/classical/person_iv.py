r"""Two-stage least squares, LIML and k-class on persons, from their moments."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from bayesmed.classical.canonical import t_quantile
from bayesmed.classical.estimate import ClassicalEstimate
from bayesmed.classical.person_products import PersonProducts, person_products
from bayesmed.core.errors import DataError, ModelError
from bayesmed.core.types import Floats
from bayesmed.data import Moments, RowColumns
from bayesmed.formulas.k_class import (
    KClass,
    explained_products,
    k_class,
    liml_kappa,
    many_instruments_kappa,
)

type PersonEstimator = Literal["2sls", "liml", "k_class"]
NAMES: dict[str, str] = {"2sls": "2SLS", "liml": "LIML", "k_class": "k-class"}
ROUNDING = 1e-13


def person_level_iv(
    moments: Moments,
    columns: RowColumns,
    *,
    estimator: PersonEstimator = "2sls",
    direct_effect: bool = False,
    source: str = "moments",
) -> ClassicalEstimate:
    r"""Instrument persons' mediators with site by treatment.

    .. math::

        M_{pis} = \theta_{ps} + \gamma_{ps}T_{is} + u_{pis},\qquad
        Y_{is} = \lambda_s + \sum_p\delta_pM_{pis} [+ \theta T_{is}] + v_{is}

    (Raudenbush, Reardon and Nomi 2012, section 4; with the treatment among the regressors Fu
    2023's estimator on individuals). Sites have intercepts (blocks too, where `columns` names
    them) and coefficients of covariates of their own. Moments hold all that is needed
    (`bayesmed.formulas.k_class`): no row is read, and numbers are those of the regression on rows.

    Without a direct effect, ``"2sls"`` is `wls` through the origin with weights
    :math:`n_sp_s(1-p_s)`, exactly, for a binary treatment without blocks and covariates; and
    ``"k_class"`` is `bias_corrected_iv` in these weights, where sampling covariances are those of
    persons who vary alike at all sites.

    Standard errors take persons as independent with one variance, and slopes as the same at all
    sites: where they differ the errors are too small. Those of LIML and k-class do not count the
    number of instruments. Intervals are Student's with n - L - P degrees of freedom.

    Parameters
    ----------
    moments
        Of persons, such as ``reduce_rows(rows).moments`` or ``rows.moments()``.
    columns
        The roles of the rows' columns, ``rows.columns``.
    estimator
        ``"2sls"``; ``"liml"``; ``"k_class"``, with
        :math:`\kappa=(1-L/n)/(1-(k+L)/n)`, k excluded instruments and L included exogenous
        columns: for S sites and two arms k = L = S, or k = S - 1 and L = S + 1 with a direct
        effect.
    direct_effect
        Whether treatment has an effect of its own, the same at all sites; it is the intercept of
        the answer, where there is one treatment column.
    source
        What messages call the moments.

    Returns
    -------
    ClassicalEstimate
        Not defined where there are fewer instruments than mediators, or the mediators' part that
        instruments predict, less what chance would, is not positive definite. Without standard
        errors where persons are clustered. Sites where treatment does not vary are left out.

    Raises
    ------
    DataError
        If the moments are not those of the columns, no site tells an effect of treatment, or
        persons have weights or are compared by log odds.
    ModelError
        If there is no such estimator.

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesmed.data import PersonRows
    >>> people = pd.DataFrame({
    ...     "site": ["A"] * 6 + ["B"] * 6,
    ...     "t": [0, 0, 0, 1, 1, 1] * 2,
    ...     "m": [1, 2, 3, 3, 4, 5, 1, 3, 5, 2, 4, 6],
    ...     "y": [1, 1, 4, 2, 3, 4, 2, 3, 5, 4, 6, 6],
    ... })
    >>> rows = PersonRows.from_frame(people, RowColumns("t", ("m",), "y", site="site"))
    >>> person_level_iv(rows.moments(), rows.columns).slope.round(6).tolist()
    [0.8]
    """
    if estimator not in NAMES:
        raise ModelError(f"There is no estimator {estimator!r}.", f"Take one of {list(NAMES)}.")
    _refuse(columns, source)
    name = f"{NAMES[estimator]} on persons" + (", direct effect" if direct_effect else "")
    mediators = tuple(columns.label(c) for c in columns.estimated[:-1])
    sums = person_products(moments, columns, source)
    j = sums.present.shape[1]
    exogenous = sums.exogenous + j * direct_effect
    instruments = int(sums.present.sum()) - j * direct_effect
    total, explained, on_treatment = _without_treatment(sums, direct_effect)
    reason, kappa = _kappa(estimator, total, explained, sums.persons, exogenous, instruments)
    found = None if reason else k_class(total, explained, kappa)
    if found is None:
        reason = reason or _no_positive_part(explained, kappa, direct_effect)
        return ClassicalEstimate.undefined(name, mediators, reason)
    spare = round(sums.persons) - exogenous - len(mediators)
    reason = "persons are clustered, which errors from moments cannot count" * bool(columns.cluster)
    reason = reason or "no person is left over to estimate a standard error from" * (spare < 1)
    scale = math.nan if reason else found.residual_square / spare
    return _answer(name, mediators, found, scale, spare, on_treatment, reason, sums, estimator)


def _refuse(columns: RowColumns, source: str) -> None:
    if columns.weights is not None:
        raise DataError(
            f"{source}: persons have weights ({columns.weights!r}), which these estimators do not "
            "take.",
            "Take estimators of site estimates.",
        )
    if columns.log_odds:
        raise DataError(
            f"{source}: {columns.log_odds[0]!r} is compared by log odds, which a regression on "
            "persons does not do.",
            "Take estimators of site estimates, or compare by differences.",
        )


def _without_treatment(
    sums: PersonProducts, direct_effect: bool
) -> tuple[Floats, Floats, tuple[Floats, Floats] | None]:
    """Return T and Z, and with a direct effect treatment's inverse and coefficients of it."""
    j = sums.present.shape[1]
    at = np.arange(j)
    each = sums.treatment.copy()
    each[:, at, at] = np.where(sums.present, each[:, at, at], 1.0)
    total = sums.outcomes.sum(axis=0)
    explained = explained_products(each, sums.cross)
    rounding = ROUNDING**2 * sums.size
    if not direct_effect:
        return total, _without_rounding(explained, rounding), None
    treatment, cross = sums.treatment.sum(axis=0), sums.cross.sum(axis=0)
    taken = explained_products(treatment[None], cross[None])
    inverse = np.linalg.inv(treatment)
    rounding = np.maximum(rounding, ROUNDING * np.diagonal(explained))
    left = _without_rounding(explained - taken, rounding)
    return total - taken, left, (inverse, inverse @ cross)


def _without_rounding(products: Floats, least: Floats) -> Floats:
    """Set to 0 what is smaller than ``least`` on the diagonal, with its products."""
    real = np.diagonal(products) > least
    return np.where(real[:, None] & real, products, 0.0)


def _kappa(
    estimator: str,
    total: Floats,
    explained: Floats,
    persons: float,
    exogenous: int,
    instruments: int,
) -> tuple[str, float]:
    """Return why there is no kappa, or "" and kappa."""
    p = len(total) - 1
    if instruments < p:
        return f"{instruments} instruments cannot determine {p} slopes", math.nan
    if estimator == "2sls":
        return "", 1.0
    if persons - exogenous - instruments < 1:
        return "no person is left over to tell chance from effects", math.nan
    if estimator == "k_class":
        return "", many_instruments_kappa(persons, exogenous, instruments)
    error = total - explained
    size = np.sqrt(np.maximum(np.diagonal(error), 0.0))
    rounding = 1e-7 * np.sqrt(np.diagonal(total))
    if (size <= rounding).any() or np.linalg.eigvalsh(error / np.outer(size, size))[0] < 1e-12:
        return "mediators and outcome do not vary on their own within sites and arms", math.nan
    return "", liml_kappa(total, explained)


def _no_positive_part(explained: Floats, kappa: float, direct_effect: bool) -> str:
    if k_class(explained, explained, 1.0) is None:
        if len(explained) > 2:
            return "the mediator effects are collinear"
        return f"the mediator effects are all {'the same' if direct_effect else '0'}"
    return f"at κ = {kappa:.4f} chance explains all that the instruments predict of the mediators"


def _answer(
    name: str,
    mediators: tuple[str, ...],
    found: KClass,
    scale: float,
    spare: int,
    on_treatment: tuple[Floats, Floats] | None,
    reason: str,
    sums: PersonProducts,
    estimator: str,
) -> ClassicalEstimate:
    se = np.sqrt(scale * np.diagonal(found.bread))
    half = t_quantile(spare) * se
    intercept = intercept_se = math.nan
    if on_treatment is not None and sums.present.shape[1] == 1:
        inverse, coefficient = on_treatment
        p = len(mediators)
        intercept = float(coefficient[0, p] - coefficient[0, :p] @ found.slope)
        moved = float(coefficient[0, :p] @ found.bread @ coefficient[0, :p])
        intercept_se = math.sqrt(scale * (float(inverse[0, 0]) + moved))
    notes: tuple[str, ...] = ()
    if sums.left_out:
        listed = ", ".join(map(repr, sums.left_out[:5])) + ", …" * (len(sums.left_out) > 5)
        notes = (f"Left out, for they cannot tell an effect of treatment: {listed}.",)
    return ClassicalEstimate(
        name,
        mediators,
        slope=found.slope,
        slope_se=se,
        interval_low=found.slope - half,
        interval_high=found.slope + half,
        intercept=intercept,
        intercept_se=intercept_se,
        reason=reason,
        covariance_used=estimator != "2sls",
        notes=notes,
    )
