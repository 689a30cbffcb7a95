"""Least squares on one trial: the standard regression, and its correction after baseline."""

from __future__ import annotations

from bayesmed.classical.trial_estimate import TrialEstimate
from bayesmed.classical.trial_products import Stages, TrialData, trial_products
from bayesmed.core.types import Floats
from bayesmed.formulas.direct_effect import direct_effect

BARON_KENNY = "Baron-Kenny OLS"
POST_BASELINE = "OLS given post-baseline confounders"


def baron_kenny(data: TrialData) -> TrialEstimate:
    r"""Regress the outcome on treatment, mediator and baseline covariates.

    .. math:: Y_i = \alpha+\beta'X_i+\theta_RR_i+\theta_MM_i+\epsilon_i

    (Baron and Kenny 1986; Small 2012, section 4.) Right where the mediator is as good as random
    given treatment and covariates: the assumption that instruments do without. Errors are taken to
    have one variance; intervals are Student's.

    Parameters
    ----------
    data
        Moments or persons of one trial with two arms.

    Returns
    -------
    TrialEstimate
        Not defined where the mediator follows from treatment and covariates.

    Raises
    ------
    DataError
        If treatment is an amount.

    Examples
    --------
    >>> from bayesmed.data import TrialPersons
    >>> persons = TrialPersons.from_arrays(
    ...     treatment=[0, 0, 0, 1, 1, 1], mediator=[1, 3, 2, 2, 6, 5], outcome=[5, 6, 5, 4, 9, 8])
    >>> found = baron_kenny(persons)
    >>> round(found.slope, 3), round(found.direct_effect, 3)
    (1.125, -0.958)
    """
    sums = trial_products(data)
    stages = sums.stages([*sums.covariates, sums.treatment])
    if isinstance(stages, str):
        return TrialEstimate.undefined(BARON_KENNY, stages)
    both = sums.mediator_and_outcome()
    return _estimate(BARON_KENNY, stages, stages, both)


def post_baseline_correction(data: TrialData) -> TrialEstimate:
    r"""Adjust for measured confounders of mediator and outcome that treatment may have changed.

    The mediator's effect is its coefficient in the regression of the outcome on treatment,
    mediator, baseline covariates and these confounders. The coefficient of treatment there leaves
    out what treatment does through the confounders; so :math:`Y-\hat\theta_MM` is regressed on
    treatment and baseline covariates instead (Small 2012, section 4; Vansteelandt 2009).

    Standard errors are those of errors with one variance at both steps. Intervals are Student's.

    Parameters
    ----------
    data
        Moments or persons of one trial with two arms; with no post-baseline confounder this is
        `baron_kenny`.

    Returns
    -------
    TrialEstimate
        Not defined where the mediator follows from the other columns.

    Raises
    ------
    DataError
        If treatment is an amount.

    Examples
    --------
    >>> from bayesmed.data import TrialPersons
    >>> persons = TrialPersons.from_arrays(
    ...     treatment=[0, 0, 0, 0, 1, 1, 1, 1], mediator=[1, 3, 2, 4, 2, 6, 5, 4],
    ...     outcome=[5, 6, 5, 7, 4, 9, 8, 9], post_baseline={"mood": [1, 2, 1, 1, 2, 2, 1, 3]})
    >>> found = post_baseline_correction(persons)
    >>> round(found.slope, 3), round(found.direct_effect, 3)
    (1.042, -0.073)
    """
    sums = trial_products(data)
    baseline = [*sums.covariates, sums.treatment]
    plain = sums.stages(baseline)
    given = sums.stages([*baseline, *sums.post_baseline])
    for stages in (plain, given):
        if isinstance(stages, str):
            return TrialEstimate.undefined(POST_BASELINE, stages)
    assert isinstance(plain, Stages)
    assert isinstance(given, Stages)
    return _estimate(POST_BASELINE, plain, given, sums.mediator_and_outcome())


def _estimate(name: str, plain: Stages, given: Stages, both: Floats) -> TrialEstimate:
    """Take the slope from one regression, the direct effect at that slope from another."""
    left = both @ given.included.left @ both.T
    df = given.spare - 1
    slope = float(left[0, 1] / left[0, 0])
    slope_variance = max(float(left[1, 1] - slope * left[0, 1]), 0.0) / df / float(left[0, 0])
    rest = both[1] - slope * both[0]
    scale = float(rest @ plain.included.left @ rest) / (plain.spare - 1)
    found = direct_effect(
        *plain.of_treatment(both), plain.treatment_inverse, scale, slope, slope_variance
    )
    return TrialEstimate(
        name=name,
        slope=slope,
        slope_se=slope_variance**0.5,
        direct_effect=found.value,
        direct_effect_se=found.variance**0.5,
        covariance=found.covariance,
        df=df,
    )
