"""Whether the data of one trial can answer, and what they say of its instrument."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bayesmed.checks.coefficients import normal_coefficients
from bayesmed.checks.covariate_instruments import instruments_agree
from bayesmed.checks.exclusion import exclusion
from bayesmed.checks.monotonicity import monotone_in_instrument, monotone_in_treatment
from bayesmed.checks.result import CheckResult, Status
from bayesmed.checks.thresholds import STRONG_F, UNBALANCED
from bayesmed.classical import binary_iv, trial_strength
from bayesmed.core.names import MEDIATOR_EFFECT
from bayesmed.core.numbers import number
from bayesmed.data import TrialCells
from bayesmed.effects import effects
from bayesmed.generative import CovariateIV
from bayesmed.inference import TrialFit

__all__ = ["trial_checks"]

STRENGTH, BALANCE, COMPLIANCE = "instrument_strength", "instrument_balance", "compliance"


def trial_checks(fit: TrialFit) -> list[CheckResult]:
    """Judge the instruments, and what they rule out, or the effect on the mediator."""
    model: Any = fit.model
    if isinstance(fit.data, TrialCells):
        assumed = monotone_in_instrument(fit), monotone_in_treatment(fit), exclusion(fit)
        return [*_of_cells(fit.data), *assumed]
    if isinstance(model, CovariateIV):
        return [_of_covariates(model, fit.data), instruments_agree(fit, model)]
    return [_compliance(fit), *normal_coefficients(fit)]


def _of_cells(cells: TrialCells) -> list[CheckResult]:
    found = binary_iv(cells)
    f = found.first_stage_f
    weakest = float(np.nanmin(f)) if np.isfinite(f).any() else math.nan
    title = f"{cells.instrument} moves {cells.names.mediator} in each arm"
    text = f"The smallest F of {f.size} is {number(weakest)}; it should exceed {STRONG_F}."
    strong: Status = "passed" if weakest >= STRONG_F else "doubtful"
    results = [CheckResult(STRENGTH, title, strong, text, weakest)]
    p = float(found.balance.p_value)
    title = f"{cells.names.treatment} and {cells.instrument} are independent"
    status: Status = "doubtful" if p < UNBALANCED else "passed"
    return [*results, CheckResult(BALANCE, title, status, f"{found.balance.words}.", p)]


def _of_covariates(model: CovariateIV, data: Any) -> CheckResult:
    tells = trial_strength(
        data, instruments=model.instruments or None, interactions=model.control_interactions
    )
    title = f"Covariates change how {data.names.treatment} moves {data.names.mediator} (IV-A1)"
    if not math.isfinite(tells.partial_f):
        return CheckResult(STRENGTH, title, "not applicable", f"There is no F: {tells.reason}.")
    text = f"Partial F of {tells.instruments} instruments: {number(tells.partial_f)}"
    if math.isfinite(tells.stock_yogo):
        text += f"; it should exceed {number(tells.stock_yogo)} (Stock and Yogo)"
    if math.isfinite(tells.effective_f):
        text += (
            f". Effective F: {number(tells.effective_f)}; it should exceed "
            f"{number(tells.effective_critical)}"
        )
    status: Status = "passed" if tells.strong else "doubtful"
    return CheckResult(STRENGTH, title, status, f"{text}.", tells.partial_f)


def _compliance(fit: TrialFit) -> CheckResult:
    table = effects(fit).table()
    row = table[table["effect"] == MEDIATOR_EFFECT].iloc[0]
    low, high = float(row["q2.5"]), float(row["q97.5"])
    names = fit.data.names
    title = f"{names.treatment} moves {names.mediator} on average"
    text = f"95 % interval of the average effect: {number(low)} to {number(high)}"
    if low <= 0 <= high:
        text += ", which includes 0: what divides by it can be of any size."
        return CheckResult(COMPLIANCE, title, "doubtful", text, float(row["mean"]))
    return CheckResult(COMPLIANCE, title, "passed", f"{text}.", float(row["mean"]))
