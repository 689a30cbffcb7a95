"""Checks of a fit, as structured results."""

from bayesmed.checks.check import check, converged
from bayesmed.checks.result import CheckResult

__all__ = ["CheckResult", "check", "converged"]
