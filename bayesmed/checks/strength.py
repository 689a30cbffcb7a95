"""Whether sites are strong instruments for each mediator, and tell several mediators apart."""

from __future__ import annotations

from bayesmed.checks.result import CheckResult
from bayesmed.checks.thresholds import WEAK_F, WORST_BIAS
from bayesmed.classical import Strength, strength
from bayesmed.core.numbers import number
from bayesmed.core.words import joined, p_value
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
    return [_f(found, p) for p in each] + [_rank(found)] * several


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


def _rank(found: Strength) -> CheckResult:
    code, p = "rank", len(found.mediators)
    title = "Sites tell the mediators apart (rank)"
    if found.exact:
        return CheckResult(code, title, "not applicable", f"Not needed: {found.reason}.")
    if not found.defined:
        return CheckResult(code, title, "doubtful", f"They do not: {found.reason}.")
    listed = joined([number(float(v)) for v in found.singular_values])
    numbers = (
        f"singular values {listed} against {number(found.noise_level)} for sampling error alone, "
        f"{p_value(found.rank_p_value)}"
    )
    value = float(found.rank)
    if found.rank == p:
        text = (
            f"{'Both' if p == 2 else f'All {p}'} directions of their effects stand out ({numbers})."
        )
        return CheckResult(code, title, "passed", text, value)
    stand = "stands" if found.rank == 1 else "stand"
    text = f"{found.rank} of {p} directions of their effects {stand} out ({numbers}). "
    return CheckResult(code, title, "doubtful", text + _untold(found), value)


def _untold(found: Strength) -> str:
    """Say which combination of mediators' effects is lost in sampling error, and what follows."""
    names = joined(found.untold)
    does = "does not differ between sites" if found.intercept else "does not differ from 0"
    if len(found.untold) == 1:
        return (
            f"The effect on {names} {does} beyond sampling error: its slope is little more than "
            "its prior."
        )
    if found.combination:
        terms = [
            f"{number(c)} × {mediator}" if abs(c - 1) > 1e-12 else mediator
            for mediator, c in zip(found.untold, found.combination, strict=True)
        ]
        what = f"The effect on {' + '.join(terms).replace('+ -', '− ')} {does}"
    else:
        missing = len(found.mediators) - found.rank
        what = f"In {missing} combinations of {names} the effect {does}"
    return (
        f"{what} beyond sampling error: the slopes of {names} are not told apart, and lean on "
        "their priors."
    )
