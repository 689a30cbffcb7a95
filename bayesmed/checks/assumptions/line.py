"""What becomes of an assumption in a fit: one line of the ledger."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from bayesmed.checks.assumptions.crosswalk import CROSSWALK
from bayesmed.checks.assumptions.record import Assumption
from bayesmed.checks.result import CheckResult

__all__ = [
    "NOTHING",
    "QUANTITIES",
    "LedgerLine",
    "Sensitivity",
    "Status",
    "by_design",
    "judged",
    "relaxed",
    "untestable",
]

Status = Literal["doubtful", "not testable", "checked", "relaxed", "by design"]

QUANTITIES: Final = {
    "reliability": "share of true spread in estimated mediator effects",
    "first_stage_f": "first-stage F",
    "conditional_f": "smallest conditional F",
    "rank": "directions of mediator effects that stand out",
    "instrument_strength": "smallest F of the instruments",
    "compliance": "average effect on the mediator",
    "no_direct_effects": "posterior over prior density of no direct effects",
    "overidentification": "Cochran's Q",
    "pooled_wald": "standard errors between pooled Wald ratio and regression",
    "curvature": "predictive p of a bend",
    "fan": "predictive p of a fan",
    "precision": "predictive p of errors that go with effects",
    "normal_effects": "predictive p of tails",
    "normal_coefficients": "predictive p of shapes that are not normal",
    "sampling_covariance": "",
    "instrument_balance": "p of treatment and instrument being independent",
    "exclusion": "probability of the largest of Pearl's sums being at most 1",
    "monotone_in_instrument": "p of the largest violation",
    "monotone_in_treatment": "smallest probability of an average that does not fall",
}
"""What the number of each check is."""


class Sensitivity(NamedTuple):
    """A number that says how much failing it takes, what it is, and it in a sentence."""

    number: float | None
    quantity: str
    sentence: str


NOTHING: Final = Sensitivity(None, "", "")


@dataclass(frozen=True)
class LedgerLine:
    """An assumption of a fit.

    Attributes
    ----------
    assumption
        Which one: its code, statement and numbers in the papers.
    status
        ``"by design"``: it holds by how the study was made, or not at all; ``"checked"``: checks
        found no sign against it in the data, which is no proof; ``"doubtful"``; ``"not testable"``;
        ``"relaxed"``: the model does not assume it.
    reason
        Why, in sentences.
    consequence
        What becomes of the answer if it fails, in sentences, with a number where there is one.
    number, quantity
        That number, or else that of the check; None where there is none. What it is.
    checks
        Codes of the checks of this fit that spoke to it.
    """

    assumption: Assumption
    status: Status
    reason: str
    consequence: str
    number: float | None = None
    quantity: str = ""
    checks: tuple[str, ...] = ()


def by_design(code: str, reason: str, sensitivity: Sensitivity = NOTHING) -> LedgerLine:
    """Return the line of what holds by how the study was made."""
    return _line(code, "by design", reason, sensitivity)


def untestable(code: str, reason: str, sensitivity: Sensitivity = NOTHING) -> LedgerLine:
    """Return the line of what no check can see."""
    return _line(code, "not testable", reason, sensitivity)


def relaxed(code: str, reason: str, sensitivity: Sensitivity) -> LedgerLine:
    """Return the line of what the model does not assume; its consequence is that of giving it up.

    The sentence of the sensitivity stands alone.
    """
    assumption = CROSSWALK[code]
    number, quantity, sentence = sensitivity
    return LedgerLine(assumption, "relaxed", reason, sentence, number, quantity)


def judged(
    code: str, results: Iterable[CheckResult], sensitivity: Sensitivity = NOTHING
) -> LedgerLine:
    """Return the line of what checks speak to: of several results the worst of each check."""
    assumption = CROSSWALK[code]
    own = [r for r in results if _base(r.code) in assumption.checks]
    speaking = [r for r in own if r.status != "not applicable"]
    worst = [_worst([r for r in speaking if _base(r.code) == c]) for c in assumption.checks]
    telling = [r for r in worst if r is not None]
    bad = [r for r in telling if r.status in ("doubtful", "failed")]
    if not telling:
        silent = f"Not checked here: {own[0].reason}" if own else "No check of this model sees it."
        return _line(code, "not testable", silent, sensitivity)
    status: Status = "doubtful" if bad else "checked"
    says = [r.reason for r in bad or telling]
    head = [] if bad else ["No sign against it in these data."]
    text = _sentences([*head, *says, *([] if bad else [assumption.blind])])
    chief = (bad or telling)[0]
    found = _line(code, status, text, sensitivity)
    number, quantity = found.number, found.quantity
    if number is None and chief.value is not None and math.isfinite(chief.value):
        number, quantity = chief.value, QUANTITIES[_base(chief.code)]
    checks = tuple(r.code for r in speaking)
    return LedgerLine(assumption, status, text, found.consequence, number, quantity, checks)


def _worst(results: Sequence[CheckResult]) -> CheckResult | None:
    """Return a doubtful result before others, and of those the one with the smallest number."""
    severity = {"failed": 0, "doubtful": 1, "passed": 2}
    return min(
        results,
        key=lambda r: (severity[r.status], math.inf if r.value is None else r.value),
        default=None,
    )


def _line(code: str, status: Status, reason: str, sensitivity: Sensitivity) -> LedgerLine:
    assumption = CROSSWALK[code]
    number, quantity, sentence = sensitivity
    consequence = _sentences([assumption.consequence, sentence])
    reason = reason or assumption.blind or "Nothing in these data speaks to it."
    return LedgerLine(assumption, status, reason, consequence, number, quantity)


def _sentences(parts: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(part for part in parts if part))


def _base(code: str) -> str:
    return code.split("[", 1)[0]
