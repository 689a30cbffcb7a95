"""Checks of a fit, as structured results, and the ledger of what it assumes."""

from bayesmed.checks.assumptions import (
    CROSSWALK,
    PAPERS,
    REFERENCES,
    SOURCES,
    Assumption,
    LedgerLine,
    Paper,
)
from bayesmed.checks.check import check, converged
from bayesmed.checks.ledger import Ledger, ledger
from bayesmed.checks.result import CheckResult

__all__ = [
    "CROSSWALK",
    "PAPERS",
    "REFERENCES",
    "SOURCES",
    "Assumption",
    "CheckResult",
    "Ledger",
    "LedgerLine",
    "Paper",
    "check",
    "converged",
    "ledger",
]
