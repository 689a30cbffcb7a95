"""Was the posterior computed well enough? The judgement itself is in ``inference``."""

from __future__ import annotations

from bayesmed.checks.result import CheckResult
from bayesmed.inference import Fit, TrialFit
from bayesmed.inference.convergence import Diagnostic, diagnose

TITLES = {
    "divergences": "No divergent transitions",
    "r_hat": "Chains agree (R-hat)",
    "ess_bulk": "Enough draws for averages (bulk effective sample size)",
    "ess_tail": "Enough draws for intervals (tail effective sample size)",
    "e_bfmi": "Energy is explored (E-BFMI)",
    "quadrature": "Quadrature has converged",
}


def convergence(fit: Fit | TrialFit) -> list[CheckResult]:
    """Report each convergence diagnostic of a fit, passed or failed."""
    return [
        CheckResult(
            code=d.code,
            title=TITLES[d.code],
            status="passed" if d.passed else "failed",
            reason=_reason(d),
            value=d.value,
            convergence=True,
        )
        for d in diagnose(fit.tree)
    ]


def _reason(found: Diagnostic) -> str:
    at = f" ({found.where})" if found.where else ""
    match found.code:
        case "divergences":
            text = f"{found.value:.0f} divergent transitions."
            remedy = " Raise target_accept or tune."
        case "r_hat":
            text = f"The largest R-hat is {found.value:.4f}{at}; at most {found.bound} is accepted."
            remedy = " Use at least two chains and more tuning and draws."
        case "quadrature":
            text = f"Halving the grid changes it by {found.value:.1e}."
            remedy = " Use engine nuts."
        case "e_bfmi":
            text = f"The lowest is {found.value:.2f}{at}; above {found.bound} is accepted."
            remedy = " Tune longer."
        case _:
            text = f"The smallest is {found.value:.0f}{at}; at least {found.bound:.0f} is accepted."
            remedy = " Make more draws."
    return text if found.passed else text + remedy
