"""The Wald ratio of one trial: what treatment does to the outcome, per what it does to M."""

from __future__ import annotations

import math

import numpy as np

from bayesmed.classical.trial_estimate import TrialEstimate
from bayesmed.data import TrialPersons

__all__ = ["trial_wald"]

NAME = "Wald ratio"


def trial_wald(persons: TrialPersons) -> TrialEstimate:
    r"""Divide the effect of treatment on the outcome by that on the mediator.

    .. math::

        \hat\delta=\frac{\sum_i(T_i-\bar T)Y_i}{\sum_i(T_i-\bar T)M_i},\qquad
        \mathrm{Var}=\frac{\sum_i(T_i-\bar T)^2e_i^2}{\{\sum_i(T_i-\bar T)M_i\}^2}\,\frac{n}{n-2}

    with e the residual of the line through the means (White 1980). It tends to
    :math:`\mu_\Delta+(\theta+\omega_{\Delta\Gamma})/\mu_\Gamma`
    (`bayesmed.formulas.compliance_effects`); there is no direct effect in it, so that of the
    answer is NaN.

    Parameters
    ----------
    persons
        One trial; treatment may be an amount.

    Returns
    -------
    TrialEstimate
        Not defined where treatment does not move the mediator at all.

    Examples
    --------
    >>> persons = TrialPersons.from_arrays(
    ...     treatment=[0, 0, 1, 1], mediator=[0, 1, 1, 2], outcome=[1, 2, 3, 4])
    >>> trial_wald(persons).slope
    2.0
    """
    treatment = persons.treatment - persons.treatment.mean()
    moved = float(treatment @ persons.mediator)
    n, size = persons.n, float(np.abs(treatment) @ np.abs(persons.mediator))
    if n < 3 or abs(moved) <= 1e-13 * size:
        return TrialEstimate.undefined(NAME, "treatment does not move the mediator")
    slope = float(treatment @ persons.outcome) / moved
    residual = persons.outcome - slope * persons.mediator
    score = treatment * (residual - residual.mean())
    se = math.sqrt(float(score @ score) * n / (n - 2)) / abs(moved)
    return TrialEstimate(NAME, slope, se, math.nan, math.nan, math.nan, df=n - 2)
