"""Everything a report is made from, computed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayesmed.cards import Framing
from bayesmed.checks import CheckResult, Ledger, check, converged, ledger
from bayesmed.effects import PracticalEquivalence, effects, parameters, practical_equivalence
from bayesmed.inference import Fit, TrialFit

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Findings:
    """A fit with its tables, checks and assumptions.

    Parameters
    ----------
    fit, framing
        The fit and the words around it.
    effects, parameters
        The tables of `effects(fit).table()` and `parameters(fit)`.
    labels
        Each effect in words.
    notes
        What to know beside the effects: `effects(fit).notes`.
    checks
        The results of `check(fit)`.
    ledger
        Every assumption: `ledger(fit)`.
    region
        How much lies in the region of practical equivalence, where the framing has one.
    """

    fit: Fit | TrialFit
    framing: Framing
    effects: pd.DataFrame
    parameters: pd.DataFrame
    labels: Mapping[str, str]
    notes: tuple[str, ...]
    checks: tuple[CheckResult, ...]
    ledger: Ledger
    region: PracticalEquivalence | None = None

    @property
    def converged(self) -> bool:
        """Whether every convergence check passed."""
        return converged(self.checks)


def findings(fit: Fit | TrialFit, framing: Framing | None = None) -> Findings:
    """Compute the tables, checks and ledger of a fit.

    Raises
    ------
    ModelError
        If the region of practical equivalence is about an effect the fit does not have.
    """
    found, framing = effects(fit), framing or Framing()
    region = None if framing.rope is None else practical_equivalence(found, framing.rope)
    checks = tuple(check(fit))
    return Findings(
        fit=fit,
        framing=framing,
        effects=found.table(),
        parameters=parameters(fit),
        labels=found.labels,
        notes=found.notes,
        checks=checks,
        ledger=ledger(fit, checks=checks),
        region=region,
    )
