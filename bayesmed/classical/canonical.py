"""Site estimates in units, signs and an order of their own, and answers taken back from there.

Every estimator of this room works on the canonical form. So no answer depends on units, on which
way an effect is counted or on the order of the rows, simulated ones included: they meet the same
numbers with the same random draws. Numbers near 1 also neither overflow nor lose digits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bayesmed.classical.estimate import LEVEL, ClassicalEstimate
from bayesmed.core.errors import DataError
from bayesmed.core.types import Floats, Integers
from bayesmed.data import SiteEstimates


@dataclass(frozen=True, eq=False)
class Line:
    r"""An estimated line, in canonical units; shapes as in `ClassicalEstimate`.

    The interval is slope ± ``quantile`` × SE, unless ``low`` and ``high`` are given.
    """

    slope: Floats
    slope_se: Floats
    intercept: float = math.nan
    intercept_se: float = math.nan
    quantile: float = math.nan
    low: Floats | None = None
    high: Floats | None = None
    simulation_error: Floats | None = None


@dataclass(frozen=True, eq=False)
class Canonical:
    """Canonical rows of a table of site estimates.

    Attributes
    ----------
    rows
        The same estimates, the largest of each column being about 1.
    order
        (R,) which row of the table each canonical row was.
    mediator_factor, outcome_factor
        (P,) and (): what the table's numbers were multiplied by, signs included.
    covariance_given
        Whether the table gave Cov(γ̂, β̂).
    """

    rows: SiteEstimates
    order: Integers
    mediator_factor: Floats
    outcome_factor: float

    @property
    def mediator(self) -> Floats:
        """(R, P) estimated mediator effects."""
        return self.rows.mediator_effect

    @property
    def total(self) -> Floats:
        """(R,) estimated total effects."""
        return self.rows.total_effect

    @property
    def mediator_cov(self) -> Floats:
        """(R, P, P) sampling covariance of the mediator effects."""
        return self.rows.cov[:, :-1, :-1]

    @property
    def covariance(self) -> Floats:
        """(R, P) sampling covariance of mediator effects with the total effect."""
        return self.rows.cov[:, :-1, -1]

    def answer(
        self,
        name: str,
        line: Line,
        *,
        covariance: bool = False,
        reason: str = "",
        notes: tuple[str, ...] = (),
    ) -> ClassicalEstimate:
        """Return ``line`` in the units, signs and names of the table."""
        unit = self.mediator_factor / self.outcome_factor
        size = np.abs(unit)
        low = line.slope - line.quantile * line.slope_se if line.low is None else line.low
        high = line.slope + line.quantile * line.slope_se if line.high is None else line.high
        ends = np.stack([low * unit, high * unit])
        simulated = line.simulation_error
        return ClassicalEstimate(
            name,
            self.rows.mediators,
            slope=line.slope * unit,
            slope_se=line.slope_se * size,
            interval_low=ends.min(axis=0),
            interval_high=ends.max(axis=0),
            intercept=line.intercept / self.outcome_factor,
            intercept_se=line.intercept_se / abs(self.outcome_factor),
            reason=reason,
            covariance_used=covariance and self.rows.covariance_given,
            simulation_error=None if simulated is None else simulated * size,
            notes=notes,
        )


def canonical(data: SiteEstimates) -> Canonical:
    """Return the canonical form of a table.

    Columns are divided by their largest absolute value and take the sign that makes their sum
    positive; rows are sorted by their numbers.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[-2, 1, -4], total_effect=[10, 20, 5], cov=np.zeros((3, 2, 2)))
    >>> canonical(data).mediator[:, 0].tolist(), canonical(data).order.tolist()
    ([-0.25, 0.5, 1.0], [1, 0, 2])
    """
    mediator = 1 / np.array([_signed_size(x) for x in data.mediator_effect.T])
    outcome = 1 / _signed_size(data.total_effect)
    scaled = data.rescaled(mediator.tolist(), outcome)
    variances = np.diagonal(scaled.cov, axis1=1, axis2=2)
    keys = [*variances.T, scaled.total_effect, *scaled.mediator_effect.T]
    order = np.lexsort(keys)
    return Canonical(scaled.take(order.tolist()), order, mediator, outcome)


def one_mediator(name: str, data: SiteEstimates) -> None:
    """Refuse several mediators where an estimator exists for one only."""
    if data.n_mediators != 1:
        raise DataError(
            f"{name} exists for one mediator; the data have {data.n_mediators}.",
            "Keep one mediator, or take BCES or SIMEX.",
        )


def normal_quantile() -> float:
    """Return the normal quantile of a two-sided interval."""
    from scipy.special import ndtri

    return float(ndtri((1 + LEVEL) / 2))


def t_quantile(spare: int) -> float:
    """Return Student's quantile of a two-sided interval, NaN without degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(spare, (1 + LEVEL) / 2)) if spare > 0 else math.nan


def _signed_size(x: Floats) -> float:
    size = float(np.max(np.abs(x))) or 1.0
    return -size if x.sum() < 0 else size
