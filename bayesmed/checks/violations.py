"""How far a trial's cells violate what a monotone mediator and exclusion imply, and by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bayesmed.checks.mean_bounds import MeanBounds, bounds_of_moments, bounds_of_persons
from bayesmed.checks.outcome_sets import OutcomeCounts
from bayesmed.core.names import CELL_MEAN, CELL_SD, MEDIATOR_SHARE
from bayesmed.core.types import Floats
from bayesmed.data import TrialCells
from bayesmed.formulas.instrument_inequalities import standardised_violations
from bayesmed.generative import PrincipalStrata
from bayesmed.generative.principal_strata_data import observed
from bayesmed.inference import TrialFit

__all__ = ["EDGE_TABLES", "Violations", "at_the_edge", "in_replicas", "violations"]

EDGE_TABLES: Final = 1999
"""Tables drawn where inequalities are equalities."""


@dataclass(frozen=True, eq=False)
class Violations:
    """Standardised violations, negative where there is none.

    Attributes
    ----------
    sets
        (..., S, d, m, B) of Kitagawa's inequalities.
    bounds
        Bounds of means, (..., S, d, m); None where the outcome is 0 or 1, of which the sets are
        all there is.
    """

    sets: Floats
    bounds: MeanBounds | None

    @property
    def largest(self) -> Floats:
        """(...) the largest of all."""
        axes = (-1, -2, -3, -4)
        found: Floats = _filled(self.sets).max(axis=axes)
        if self.bounds is None:
            return found
        return np.maximum(found, _filled(self.bounds.violation).max(axis=axes[:3]))


def violations(data: TrialCells, counts: OutcomeCounts) -> Violations:
    """Return those of a trial: all that its cells, or its persons if they are kept, can say."""
    sets = standardised_violations(counts.count @ counts.sets.T, data.persons)
    if data.binary_outcome:
        return Violations(sets, None)
    return Violations(sets, _of_moments(data) if data.outcomes is None else bounds_of_persons(data))


def _of_moments(data: TrialCells) -> MeanBounds:
    return bounds_of_moments(data.n, data.mean, observed(data)[CELL_SD][1])


def at_the_edge(
    data: TrialCells, found: Violations, counts: OutcomeCounts, rng: np.random.Generator
) -> Floats:
    r"""Draw the largest violation where inequalities are equalities, (table,).

    Such persons' mediator and outcome do not go with the instrument, so that its values may change
    places within strata and arms: counts are hypergeometric. Shares that are equal have the same
    correlations whatever else is in the table, so no true assumption gives larger violations, but
    for what the normal approximation misses (Kitagawa 2015 draws from both samples together
    likewise). Bounds of means can be reached where inequalities of sets are not: each counts as
    one more standard normal number. Inequalities with more than :math:`\sqrt{\log n}` standard
    errors to spare are no equalities, and are left out (Andrews and Soares 2010).
    """
    spare = -np.sqrt(np.log(np.maximum(data.persons.sum(axis=-1), 2.0)))[..., None]  # (S, d, m)
    near = found.sets >= spare[..., None]
    largest = np.full(EDGE_TABLES, -np.inf)
    for count, own in zip(counts.count, near, strict=True):  # by stratum, to spare memory
        tables = np.empty((EDGE_TABLES, *count.shape))
        for d in range(2):
            at = count[d].reshape(2, -1).astype(np.int64)
            both, treated = at.sum(axis=0), int(at[1].sum())
            one = rng.multivariate_hypergeometric(both, treated, size=EDGE_TABLES)
            drawn = np.stack([both - one, one], axis=1)
            tables[:, d] = drawn.reshape(EDGE_TABLES, *count.shape[1:])
        sets = standardised_violations(tables @ counts.sets.T, count.sum(axis=(-1, -2)))
        largest = np.maximum(largest, np.where(own, _filled(sets), -np.inf).max(axis=(1, 2, 3)))
    reached = 0 if found.bounds is None else int((found.bounds.violation >= spare).sum())
    if reached:
        largest = np.maximum(largest, rng.normal(size=(EDGE_TABLES, reached)).max(axis=1))
    return largest


def in_replicas(fit: TrialFit, counts: OutcomeCounts) -> tuple[float, Floats]:
    """Return the largest violation in the data and in the model's replicas, (draw,).

    Replicas have counts, means and standard deviations of cells, so of an outcome that is not
    counted the bounds of means by moments are looked at, and of sets the share with the mediator.
    """
    data, model = fit.data, fit.model
    assert isinstance(data, TrialCells)
    assert isinstance(model, PrincipalStrata)
    made = fit.tree["posterior_predictive"].to_dataset()
    share, mean, sd = (
        made[name].to_numpy().reshape(-1, *made[name].shape[2:])
        for name in (MEDIATOR_SHARE, CELL_MEAN, CELL_SD)
    )
    having = np.round(share * data.persons)
    n = np.stack([data.persons - having, having], axis=-1)
    if model.likelihood_for(data) == "counts":
        events = np.round(np.where(n > 0, n * np.nan_to_num(mean), 0.0))
        count = np.stack([n - events, events], axis=-1)
        new = Violations(standardised_violations(count @ counts.sets.T, data.persons), None)
        return float(violations(data, counts).largest), new.largest
    new = Violations(
        standardised_violations(n[..., None], data.persons), bounds_of_moments(n, mean, sd)
    )
    old = Violations(standardised_violations(data.n[..., None], data.persons), _of_moments(data))
    return float(old.largest), new.largest


def _filled(values: Floats) -> Floats:
    """Take what cannot be looked at as no violation."""
    return np.where(np.isnan(values), -np.inf, values)
