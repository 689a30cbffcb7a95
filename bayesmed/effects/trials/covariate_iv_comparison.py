"""Classical estimates beside the posterior of a model with covariates × treatment."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayesmed.classical import (
    TrialEstimate,
    anderson_rubin,
    baron_kenny,
    covariate_iv,
    post_baseline_correction,
    trial_strength,
)
from bayesmed.classical.trial_iv import Errors
from bayesmed.classical.trial_products import TrialData
from bayesmed.core.names import DIRECT_EFFECT, SLOPE
from bayesmed.data import TrialPersons
from bayesmed.effects.trials.comparison import TrialComparison, TrialRow, posterior_rows
from bayesmed.generative import CovariateIV

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compare_covariate_iv", "rows_of"]

SHIFTED = (
    "Two-stage least squares is shown with the modifiers that the model takes as known; priors of "
    "modifiers enter the posterior only."
)


def compare_covariate_iv(
    model: CovariateIV, data: TrialData, table: pd.DataFrame | None, labels: dict[str, str]
) -> TrialComparison:
    """Put least squares, two-stage least squares and the posterior beside each other.

    Parameters
    ----------
    model
        Which covariates are instruments.
    data
        The trial.
    table, labels
        Those of `effects`; None and empty beside data alone.
    """
    chosen = model.instruments or None
    known = [
        {name: value for name, value in pairs if isinstance(value, float | int)}
        for pairs in (dict(model.direct_modifier).items(), dict(model.slope_modifier).items())
    ]
    rows: list[TrialRow] = []
    if table is not None:
        rows += posterior_rows(table, (SLOPE, DIRECT_EFFECT))
    rows += rows_of(baron_kenny(data))
    kinds: tuple[Errors, ...] = ("homoskedastic", "sandwich")
    if not isinstance(data, TrialPersons):
        kinds = kinds[:1]
    for errors in kinds:
        found = covariate_iv(
            data,
            instruments=chosen,
            interactions=model.control_interactions,
            errors=errors,
            direct_modifier=known[0],
            slope_modifier=known[1],
        )
        rows += rows_of(found)
    if data.names.post_baseline:
        rows += rows_of(post_baseline_correction(data))
    tells = trial_strength(data, instruments=chosen, interactions=model.control_interactions)
    strength = {
        "Instruments": float(tells.instruments),
        "Partial F": tells.partial_f,
        "Partial F should exceed (Stock and Yogo)": tells.stock_yogo,
        "Effective F": tells.effective_f,
        "Effective F should exceed": tells.effective_critical,
    }
    notes = [SHIFTED] if any(known) or model.direct_modifier or model.slope_modifier else []
    if not any(known):
        told = anderson_rubin(data, instruments=chosen, interactions=model.control_interactions)
        notes.append(f"Slopes that the Anderson-Rubin test does not reject: {told}.")
    if tells.reason:
        notes.append(f"Strength of the instruments: {tells.reason}.")
    kept = tuple((name, value) for name, value in strength.items() if math.isfinite(value))
    return TrialComparison(tuple(rows), labels or _labels(data), kept, tuple(notes))


def rows_of(found: TrialEstimate) -> list[TrialRow]:
    """Return slope and direct effect of an estimator, the latter where it has one."""
    slope = TrialRow(
        found.name, SLOPE, "", found.slope, found.slope_se, found.slope_low, found.slope_high,
        found.reason,
    )  # fmt: skip
    if found.defined and math.isnan(found.direct_effect):
        return [slope]
    ends = found.direct_effect_low, found.direct_effect_high
    direct = TrialRow(
        found.name, DIRECT_EFFECT, "", found.direct_effect, found.direct_effect_se, *ends,
        found.reason,
    )  # fmt: skip
    return [slope, direct]


def _labels(data: TrialData) -> dict[str, str]:
    n = data.names
    return {
        SLOPE: f"effect of {n.mediator} on {n.outcome}",
        DIRECT_EFFECT: f"direct effect of {n.treatment} on {n.outcome}",
    }
