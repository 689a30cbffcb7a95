"""What the variables of one trial are called."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError

__all__ = ["TrialNames", "fingerprint"]


@dataclass(frozen=True)
class TrialNames:
    """Names of the variables of one trial without sites.

    Parameters
    ----------
    treatment, mediator, outcome
        The three variables of the causal chain.
    covariates
        Baseline covariates, q of them.
    post_baseline
        Confounders of mediator and outcome measured after treatment began, c of them.
    arms
        The two arms, the reference (0) first; None where treatment is an amount.

    Raises
    ------
    DataError
        If a name is empty or given twice.

    Examples
    --------
    >>> TrialNames(covariates=("age",)).products
    ('mediator × age',)
    """

    treatment: str = "treatment"
    mediator: str = "mediator"
    outcome: str = "outcome"
    covariates: tuple[str, ...] = ()
    post_baseline: tuple[str, ...] = ()
    arms: tuple[str, str] | None = ("0", "1")

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", tuple(self.covariates))
        object.__setattr__(self, "post_baseline", tuple(self.post_baseline))
        named = (self.treatment, *self.measured)
        for name in named:
            if not str(name).strip() or named.count(name) > 1:
                raise DataError(
                    f"A variable of the trial is called {name!r}"
                    f"{', and another one too' if str(name).strip() else ''}.",
                    "Give every variable a name of its own.",
                )

    @property
    def measured(self) -> tuple[str, ...]:
        """Every variable but treatment: covariates, post-baseline ones, mediator, outcome."""
        return (*self.covariates, *self.post_baseline, self.mediator, self.outcome)

    @property
    def products(self) -> tuple[str, ...]:
        """Names of the products of the mediator with each covariate."""
        return tuple(f"{self.mediator} × {name}" for name in self.covariates)


def fingerprint(labels: Mapping[str, object], *arrays: NDArray[np.float64]) -> str:
    """Hash the names and numbers of a trial, SHA-256 (hex)."""
    digest = hashlib.sha256(json.dumps(labels, sort_keys=True).encode())
    for array in arrays:
        # Adding 0 turns -0.0 into 0.0: equal numbers have equal bytes.
        digest.update((array + 0.0).astype("<f8").tobytes())
    return digest.hexdigest()
