"""What instrumental variables say of one trial with binary treatment, instrument and mediator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesmed.classical.instrument_balance import InstrumentBalance
from bayesmed.classical.trial_anderson_rubin import ConfidenceSet
from bayesmed.core.names import (
    ARM_INTERCEPT,
    ARM_SLOPE,
    ATE,
    MEDIATOR_MEAN,
    NDE,
    NIE,
    OUTCOME_MEAN,
)
from bayesmed.core.types import Floats

if TYPE_CHECKING:
    import pandas as pd

QUANTITIES = (ARM_SLOPE, ARM_INTERCEPT, MEDIATOR_MEAN, OUTCOME_MEAN, NIE, NDE, ATE)


@dataclass(frozen=True, eq=False)
class BinaryIV:
    """Estimates by instrument in each arm of one trial.

    Attributes
    ----------
    arms
        Names of the two arms, the reference first.
    estimate, se, interval_low, interval_high
        By quantity (``arm_slope``, ``arm_intercept``, ``mediator_mean``, ``outcome_mean``,
        ``nie``, ``nde``: (2,), by arm; ``ate``: a number without axes), estimates, standard errors
        and ends of 95 % intervals, in units of the outcome (``mediator_mean``: a share). NaN where
        not defined.
    cov
        (13, 13) joint covariance in the order of the quantities, arms within.
    first_stage, first_stage_f
        (S, 2) effect of the instrument on the mediator by stratum and arm, and its square over its
        variance.
    slope_sets
        Of each arm, the slopes that the Anderson-Rubin test does not reject; empty where there are
        several strata, whose slopes differ.
    balance
        Whether treatment and instrument are independent.
    reason
        Why slopes, intercepts, ``nie`` and ``nde`` are not defined, or nothing has a standard
        error; empty otherwise.
    notes
        What belongs beside the answer.

    Examples
    --------
    >>> from bayesmed.classical import binary_iv
    >>> from bayesmed.data import TrialCells
    >>> found = binary_iv(TrialCells.from_arrays(
    ...     n=[[[30, 10], [20, 20]], [[30, 10], [10, 30]]],
    ...     events=[[[9, 5], [6, 10]], [[12, 6], [4, 21]]]))
    >>> round(float(found.estimate["ate"]), 4), round(float(found.se["ate"]), 4)
    (0.1625, 0.0782)
    """

    arms: tuple[str, str]
    estimate: Mapping[str, Floats]
    se: Mapping[str, Floats]
    interval_low: Mapping[str, Floats]
    interval_high: Mapping[str, Floats]
    cov: Floats
    first_stage: Floats
    first_stage_f: Floats
    slope_sets: tuple[ConfidenceSet, ...]
    balance: InstrumentBalance
    reason: str = ""
    notes: tuple[str, ...] = ()

    @property
    def defined(self) -> bool:
        """Whether the instrument determines the effects."""
        return not np.isnan(self.estimate[NIE]).any()

    def table(self) -> pd.DataFrame:
        """Return a tidy data frame, one row per quantity and arm.

        Columns: ``quantity``, ``arm`` (empty for ``ate``), ``estimate``, ``se``, ``interval_low``,
        ``interval_high``.
        """
        import pandas as pd

        columns = ("estimate", "se", "interval_low", "interval_high")
        rows = []
        for name in QUANTITIES:
            for d, arm in enumerate(("",) if name == ATE else self.arms):
                cells = {c: float(np.atleast_1d(getattr(self, c)[name])[d]) for c in columns}
                rows.append({"quantity": name, "arm": arm, **cells})
        return pd.DataFrame(rows)
