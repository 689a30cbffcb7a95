"""Whether sites are strong instruments for each mediator."""

from __future__ import annotations

from bayesmed.checks.rank import rank_of_sites
from bayesmed.checks.result import CheckResult
from bayesmed.checks.thresholds import WEAK_F, WORST_BIAS
from bayesmed.classical import Strength, strength
from bayesmed.core.numbers import number
from bayesmed.core.words import joined
from bayesmed.inference import Fit


def strength_of_sites(fit: Fit) -> list[CheckResult]:
    """Judge the F of each mediator with the bias it implies, and the rank of several.

    One mediator beside direct effects is judged by the spread of its effects alone.
    """
    several = fit.data.n_mediators > 1
    if not several and fit.model.direct_effect:
        return []
    found = strength(fit.data, intercept=fit.model.direct_effect)
    each = range(fit.data.n_mediators)
    results = [_f(found, p) for p in each]
    return [*results, rank_of_sites(fit, found)] if several else results


def _f(found: Strength, p: int) -> CheckResult:
    several, mediator = len(found.mediators) > 1, found.mediators[p]
    name = "conditional F" if several else "first-stage F"
    code = f"conditional_f[{mediator}]" if several else "first_stage_f"
    beyond = "what those on other mediators tell" if several else "0"
    title = f"Effects on {mediator} differ from {beyond} ({name})"
    if found.exact:
        return CheckResult(code, title, "not applicable", f"Not needed: {found.reason}.")
    if not found.defined:
        return CheckResult(code, title, "doubtful", f"It is not defined: {found.reason}.")
    value = float((found.conditional_f if several else found.first_stage_f)[p])
    bias = float(found.relative_bias[p])
    keeps = f"two-stage least squares would keep {_share(bias)} the bias of a regression on persons"
    text = f"The {name} is {number(value)}"
    if value >= WEAK_F and bias <= WORST_BIAS:
        return CheckResult(code, title, "passed", f"{text}; {keeps}.", value)
    if value < WEAK_F:
        which = (
            f"beyond what effects on the other mediators tell, those on {mediator}"
            if several
            else f"effects on {mediator}"
        )
        text += f", below {WEAK_F}: {which} hardly exceed sampling error"
    leans = ["the prior", "the sampling covariances", *["the other slopes"] * several]
    text += (
        f"; {keeps}. The model allows for that noise, but its slope leans on {joined(leans)}: "
        "vary the prior."
    )
    return CheckResult(code, title, "doubtful", text, value)


def _share(bias: float) -> str:
    return "all of" if bias >= 1 else f"{max(bias, 0):.2g} times"
