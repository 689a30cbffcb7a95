"""Two-stage least squares on one trial, with baseline covariates × treatment as instruments."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from bayesmed.classical.trial_estimate import TrialEstimate
from bayesmed.classical.trial_instruments import (
    TrialInstruments,
    modifiers,
    trial_instruments,
)
from bayesmed.classical.trial_products import Stages, TrialData, trial_products
from bayesmed.core.errors import ModelError
from bayesmed.core.types import Floats
from bayesmed.data import TrialMoments, TrialPersons
from bayesmed.formulas.direct_effect import direct_effect
from bayesmed.formulas.effect_modification import shifted_outcome
from bayesmed.formulas.k_class import k_class
from bayesmed.formulas.sandwich import sandwich

type Errors = Literal["homoskedastic", "sandwich"]
NAMES: dict[str, str] = {
    "homoskedastic": "2SLS, covariates × treatment",
    "sandwich": "2SLS, covariates × treatment (sandwich)",
}


def covariate_iv(
    data: TrialData,
    *,
    instruments: Iterable[str] | None = None,
    interactions: bool = True,
    errors: Errors = "homoskedastic",
    direct_modifier: Mapping[str, float] | None = None,
    slope_modifier: Mapping[str, float] | None = None,
) -> TrialEstimate:
    r"""Instrument the mediator with treatment × baseline covariates.

    .. math::

        M = a + b'X + cR + d'(R\cdot X) + v,\qquad
        Y = \alpha+\beta'X+\theta_RR+\theta_MM+\epsilon

    (Small 2012, section 5). Covariates that are no instruments, :math:`X^*`, enter both equations,
    and so does :math:`R\cdot(X^*-\bar X^*)`: the direct effect may differ with them, and
    :math:`\theta_R` is that at their mean. Small (page 9) leaves these products out, which fails
    where :math:`X^*` modifies the direct effect and goes with the instruments' covariates.

    It asks that covariates change how treatment moves the mediator (IV-A1), that they do not change
    the average direct effect nor that of the mediator (IV-A2), and that the mediator's level is
    unrelated to its effect given treatment and covariates (IV-A3). Homoskedastic errors ask for
    effects that vary alike for all covariates besides. The residual variance is divided by its
    degrees of freedom, n less coefficients (Small divides by n), the sandwich multiplied by n over
    them; intervals are Student's.

    Parameters
    ----------
    data
        Moments or persons of one trial with two arms.
    instruments
        Covariates whose products with treatment are the instruments; default all.
    interactions
        Whether products of the other covariates with treatment are in both equations.
    errors
        ``"homoskedastic"``, or ``"sandwich"`` where residuals vary unequally, for which persons
        are needed.
    direct_modifier, slope_modifier
        :math:`\tau_R, \tau_M` by covariate, 0 where not given: how much a unit of the covariate
        changes the direct effect, and the mediator's. The outcome is shifted by them
        (`bayesmed.formulas.effect_modification`).

    Returns
    -------
    TrialEstimate
        Not defined where columns are collinear, persons too few, or the instruments do not move
        the mediator at all. Without standard errors where a sandwich is asked for and only moments
        are given.

    Raises
    ------
    ModelError
        If there is no such covariate or no such error, or no instrument.
    DataError
        If treatment is an amount.

    Examples
    --------
    >>> from bayesmed.data import TrialPersons
    >>> x, r = np.tile([0, 0, 1, 1], 4), np.repeat([0, 1], 8)
    >>> persons = TrialPersons.from_arrays(
    ...     treatment=r, mediator=2 * r * x + np.tile([0, 1], 8),
    ...     outcome=1 + r + 6 * r * x + np.tile([0, 2], 8), covariates={"severe": x})
    >>> found = covariate_iv(persons)
    >>> round(found.slope, 6), round(found.direct_effect, 6)
    (3.0, 1.0)
    """
    if errors not in NAMES:
        raise ModelError(f"There are no errors {errors!r}.", f"Take one of {list(NAMES)}.")
    name, names = NAMES[errors], data.names
    design = trial_instruments(names, instruments, interactions)
    tau_direct, tau_slope = modifiers(names, direct_modifier), modifiers(names, slope_modifier)
    sums = trial_products(data)
    stages = design.stages(sums)
    if isinstance(stages, str):
        return TrialEstimate.undefined(name, stages)
    found = two_stages(name, stages, sums.mediator_and_outcome(tau_direct, tau_slope))
    if errors == "homoskedastic" or not found.defined:
        return found
    if isinstance(data, TrialMoments):
        return _with_cov(found, np.full((2, 2), math.nan), "a sandwich needs the persons")
    apart = data.covariates - data.covariates.mean(axis=0)
    shifted = shifted_outcome(
        data.outcome, data.treatment, data.mediator, apart @ tau_direct, apart @ tau_slope
    )
    return _with_cov(found, _sandwich(data, design, shifted, found))


def two_stages(name: str, stages: Stages, both: Floats) -> TrialEstimate:
    """Estimate from regressions on included columns and instruments, in cross-products.

    Parameters
    ----------
    name
        The estimator.
    stages
        The regressions.
    both
        (2, targets) mediator and outcome as combinations of their targets.
    """
    explained = both @ stages.instruments.explained @ both.T
    total = explained + both @ stages.instruments.left @ both.T
    # Instruments that predict nothing but rounding are none.
    weak = explained[0, 0] <= 1e-13 * total[0, 0]
    solved = None if weak else k_class(total, explained, 1.0)
    if solved is None:
        return TrialEstimate.undefined(name, "the instruments do not move the mediator")
    df = stages.spare + stages.k - 1
    scale, slope = solved.residual_square / df, float(solved.slope[0])
    slope_variance = scale * float(solved.bread[0, 0])
    direct = direct_effect(
        *stages.of_treatment(both), stages.treatment_inverse, scale, slope, slope_variance
    )
    return TrialEstimate(
        name=name,
        slope=slope,
        slope_se=math.sqrt(slope_variance),
        direct_effect=direct.value,
        direct_effect_se=math.sqrt(direct.variance),
        covariance=direct.covariance,
        df=df,
    )


def _sandwich(
    persons: TrialPersons, design: TrialInstruments, outcome: Floats, found: TrialEstimate
) -> Floats:
    """(2, 2) covariance of slope and direct effect."""
    included, instruments = design.columns(persons)
    scale = np.abs(included).max(axis=0)
    basis = np.linalg.qr(included / scale)[0]

    def left(values: Floats) -> Floats:
        rest: Floats = values - basis @ (basis.T @ values)
        return rest

    apart = left(instruments / np.abs(instruments).max(axis=0))
    mediator = left(persons.mediator)
    predicted = apart @ np.linalg.lstsq(apart, mediator, rcond=None)[0]
    residual = left(outcome - found.slope * persons.mediator)
    # The predicted mediator is what the included columns predict and what instruments add.
    fitted = persons.mediator - mediator + predicted
    size = float(np.abs(fitted).max())
    treatment, n, k = 1 + persons.covariates.shape[1], persons.n, included.shape[1] + 1
    whole = sandwich(np.column_stack([included / scale, fitted / size]), residual)
    units = np.array([1 / size, 1 / scale[treatment]])
    pair = whole[np.ix_([k - 1, treatment], [k - 1, treatment])]
    return np.asarray(n / (n - k) * pair * units[:, None] * units)


def _with_cov(found: TrialEstimate, cov: Floats, reason: str = "") -> TrialEstimate:
    """Replace the errors of an estimate by those of a (2, 2) covariance."""
    return replace(
        found,
        slope_se=math.sqrt(cov[0, 0]),
        direct_effect_se=math.sqrt(cov[1, 1]),
        covariance=float(cov[0, 1]),
        reason=reason,
    )
