"""Lines of models of one trial, each with the numbers of its own paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bayesmed.checks.assumptions.common import of_every_study
from bayesmed.checks.assumptions.covariate_iv import of_covariate_iv
from bayesmed.checks.assumptions.line import LedgerLine
from bayesmed.checks.assumptions.principal_strata import of_principal_strata
from bayesmed.checks.assumptions.random_coefficients import of_random_coefficients
from bayesmed.checks.assumptions.record import Paper
from bayesmed.checks.result import CheckResult
from bayesmed.generative import CovariateIV, PrincipalStrata
from bayesmed.inference import TrialFit

__all__ = ["of_trials", "papers_of_trial"]


def of_trials(fit: TrialFit, results: Sequence[CheckResult]) -> Iterator[LedgerLine]:
    """Yield every assumption of a model of one trial."""
    yield from of_every_study(fit.data.notes)
    model: Any = fit.model
    if isinstance(model, CovariateIV):
        yield from of_covariate_iv(fit, model, results)
    elif isinstance(model, PrincipalStrata):
        yield from of_principal_strata(fit, model, results)
    else:
        yield from of_random_coefficients(fit, model, results)


def papers_of_trial(fit: TrialFit) -> tuple[Paper, ...]:
    """Return the paper a model of one trial comes from."""
    model: Any = fit.model
    if isinstance(model, CovariateIV):
        return ("small",)
    return ("kim",) if isinstance(model, PrincipalStrata) else ("one_site",)
