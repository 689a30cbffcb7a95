"""What ``compare`` puts beside each other for one trial, model by model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayesmed.classical import binary_iv
from bayesmed.core.errors import ModelError
from bayesmed.core.names import ARM_SLOPE, ATE, NDE, NIE
from bayesmed.data import TrialCells
from bayesmed.effects.trials.comparison import TrialComparison, TrialRow, posterior_rows
from bayesmed.effects.trials.covariate_iv_comparison import compare_covariate_iv
from bayesmed.effects.trials.principal_strata import NDE_IV, NIE_GAP, NIE_IV, strata_labels
from bayesmed.effects.trials.random_coefficients_comparison import compare_random_coefficients
from bayesmed.generative import CovariateIV, RandomCoefficients
from bayesmed.inference import TrialFit

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compare_trial"]

BY_INSTRUMENT = "Instrument, by arm"


def compare_trial(model: Any, data: Any, fit: TrialFit | None) -> TrialComparison:
    """Put classical estimates beside each other, and beside the posterior of a fit.

    Parameters
    ----------
    model
        Which estimators belong to it; None beside data alone, which tell by their kind.
    data
        The trial.
    fit
        The fit; None beside data alone.
    """
    from bayesmed.effects.effects import effects

    found = None if fit is None else effects(fit)
    table = None if found is None else found.table()
    labels = {} if found is None else dict(found.labels)
    if isinstance(data, TrialCells):
        return _by_instrument(data, table, labels)
    if isinstance(model, RandomCoefficients):
        return compare_random_coefficients(data, table, labels)
    if model is None and not data.names.covariates:
        return compare_random_coefficients(data, table, labels)
    if model is None or isinstance(model, CovariateIV):
        return compare_covariate_iv(model or CovariateIV(), data, table, labels)
    raise ModelError(f"A {type(model).__name__} cannot be compared.", "Give a fit, or data.")


def _by_instrument(
    data: TrialCells, table: pd.DataFrame | None, labels: dict[str, str]
) -> TrialComparison:
    """Kim's estimates with delta-method errors, and the sets that are right if they are weak."""
    found = binary_iv(data)
    names = {NIE: NIE_IV, NDE: NDE_IV, ATE: ATE, ARM_SLOPE: ARM_SLOPE}
    rows: list[TrialRow] = []
    if table is not None:
        rows += posterior_rows(table, (*names.values(), NIE, NDE, NIE_GAP))
    for row in found.table().to_dict("records"):
        if row["quantity"] in names:
            effect, arm = names[str(row["quantity"])], str(row["arm"])
            value, se = float(row["estimate"]), float(row["se"])
            ends = float(row["interval_low"]), float(row["interval_high"])
            rows.append(TrialRow(BY_INSTRUMENT, effect, arm, value, se, *ends, found.reason))
    strength = [
        (f"F of {data.instrument}, {place}", float(value))
        for place, value in zip(_places(data), found.first_stage_f.ravel(), strict=True)
    ]
    strength.append(("Treatment and instrument independent, p", float(found.balance.p_value)))
    sets = [
        f"Slopes in arm {arm!r} that the Anderson-Rubin test does not reject: {own}."
        for arm, own in zip(found.arms, found.slope_sets, strict=False)
    ]
    words = strata_labels(data) | labels
    return TrialComparison(tuple(rows), words, tuple(strength), (*found.notes, *sets))


def _places(data: TrialCells) -> list[str]:
    assert data.names.arms is not None
    several = data.n_strata > 1
    return [
        f"arm {arm}{f' of {stratum}' if several else ''}"
        for stratum in data.stratum
        for arm in data.names.arms
    ]
