"""A confidence set of the mediator's effect that is right however weak the instruments."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bayesmed.classical.estimate import LEVEL
from bayesmed.classical.trial_instruments import trial_instruments
from bayesmed.classical.trial_products import TrialData, trial_products
from bayesmed.formulas.anderson_rubin import anderson_rubin_set


@dataclass(frozen=True)
class ConfidenceSet:
    """A confidence set that need not be an interval.

    Attributes
    ----------
    level
        Its level.
    pieces
        Closed intervals in rising order, with infinite ends where nothing is excluded there; none
        where every value is rejected.
    defined
        Whether there is a set.
    reason
        Why there is none; empty otherwise.

    Examples
    --------
    >>> print(ConfidenceSet(0.95, ((-math.inf, -1.0), (2.5, math.inf))))
    below -1 or above 2.5
    """

    level: float
    pieces: tuple[tuple[float, float], ...]
    defined: bool = True
    reason: str = ""

    @property
    def bounded(self) -> bool:
        """Whether it excludes large values on both sides."""
        return all(math.isfinite(end) for piece in self.pieces for end in piece)

    def contains(self, value: float) -> bool:
        """Say whether a value is in the set."""
        return any(low <= value <= high for low, high in self.pieces)

    def __str__(self) -> str:
        if not self.defined:
            return f"not defined, because {self.reason}"
        return " or ".join(map(_in_words, self.pieces)) or "empty"


def _in_words(piece: tuple[float, float]) -> str:
    low, high = piece
    if math.isinf(low) and math.isinf(high):
        return "every value"
    if math.isinf(low):
        return f"below {high:.4g}"
    return f"above {low:.4g}" if math.isinf(high) else f"{low:.4g} to {high:.4g}"


def anderson_rubin(
    data: TrialData, *, instruments: Iterable[str] | None = None, interactions: bool = True
) -> ConfidenceSet:
    r"""Return the effects of the mediator that instruments do not reject.

    The 95 % set of Anderson and Rubin (1949), right however weak the instruments, under IV-A2 and
    errors with one variance (`bayesmed.formulas.anderson_rubin`). It may be an interval, all but an
    interval, everything, or empty: then no effect agrees with all instruments together.

    Parameters
    ----------
    data, instruments, interactions
        As in `covariate_iv`.

    Returns
    -------
    ConfidenceSet
        Not defined where columns are collinear or persons too few.

    Raises
    ------
    ModelError
        If there is no such covariate, or no instrument.
    DataError
        If treatment is an amount.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmed.data import TrialPersons
    >>> x, r = np.tile([0, 0, 1, 1], 4), np.repeat([0, 1], 8)
    >>> persons = TrialPersons.from_arrays(
    ...     treatment=r, mediator=2 * r * x + np.tile([0, 1], 8), outcome=3 * r * x + x,
    ...     covariates={"severe": x})
    >>> print(anderson_rubin(persons))
    0.9208 to 4.043
    """
    from scipy.special import fdtri

    design = trial_instruments(data.names, instruments, interactions)
    sums = trial_products(data)
    stages = design.stages(sums)
    if isinstance(stages, str):
        return ConfidenceSet(LEVEL, (), defined=False, reason=stages)
    both = sums.mediator_and_outcome()
    found = anderson_rubin_set(
        both @ stages.instruments.explained @ both.T,
        both @ stages.instruments.left @ both.T,
        stages.k,
        stages.spare,
        float(fdtri(stages.k, stages.spare, LEVEL)),
    )
    return ConfidenceSet(LEVEL, found)
