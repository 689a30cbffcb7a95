"""Rows whose sums of products are those of a trial's persons: the persons, or few in their place.

Where only cross-products matter, a root of the moments of each arm stands for its persons: as many
rows as there are variables, and the same equations apply to them. The column of ones is then no
column of ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmed.classical.trial_products import TrialData, moments_of
from bayesmed.core.types import Floats
from bayesmed.data import TrialMoments, TrialPersons
from bayesmed.data.trial_names import TrialNames

__all__ = ["TrialRows", "person_rows", "product_rows"]


@dataclass(frozen=True, eq=False)
class TrialRows:
    """Variables of one trial about their means over all persons, in data units.

    Attributes
    ----------
    names
        What the variables are called.
    n
        (2,) persons by arm.
    arm
        (P,) 0 or 1.
    ones, covariates, mediator, outcome
        (P,), (P, q), (P,), (P,); all but the ones about their means.
    products
        (P, q) the mediator itself times each covariate about its mean.
    means
        (q + 2,) means of covariates, mediator and outcome.
    """

    names: TrialNames
    n: Floats
    arm: Floats
    ones: Floats
    covariates: Floats
    mediator: Floats
    outcome: Floats
    products: Floats
    means: Floats

    @property
    def mediator_mean(self) -> float:
        """Mean of the mediator."""
        return float(self.means[-2])

    @property
    def outcome_mean(self) -> float:
        """Mean of the outcome."""
        return float(self.means[-1])

    @property
    def raw_mediator(self) -> Floats:
        """(P,) the mediator as it was measured."""
        return np.asarray(self.mediator + self.ones * self.mediator_mean)

    def sds(self) -> Floats:
        """(q + 2,) standard deviations over persons of covariates, mediator and outcome."""
        every = np.column_stack([self.covariates, self.mediator, self.outcome])
        found = np.sqrt((every**2).sum(axis=0) / self.n.sum())
        return np.asarray(np.where(found > 0, found, 1.0))

    def covariate_covariance(self) -> Floats:
        """(q, q) covariance of the covariates over persons."""
        return np.asarray(self.covariates.T @ self.covariates / self.n.sum())


def person_rows(persons: TrialPersons) -> TrialRows:
    """Take the persons as they are.

    Examples
    --------
    >>> persons = TrialPersons.from_arrays(
    ...     treatment=[0, 1], mediator=[1, 3], outcome=[5, 6], covariates={"age": [30, 40]})
    >>> person_rows(persons).products[:, 0].tolist()
    [-5.0, 15.0]
    """
    arrays = (persons.covariates, persons.mediator, persons.outcome)
    means = np.column_stack(arrays).mean(axis=0)
    x = persons.covariates - means[:-2]
    return TrialRows(
        names=persons.names,
        n=np.array([(persons.treatment == arm).sum() for arm in (0, 1)], dtype=np.float64),
        arm=persons.treatment,
        ones=np.ones(persons.n),
        covariates=x,
        mediator=persons.mediator - means[-2],
        outcome=persons.outcome - means[-1],
        products=persons.mediator[:, None] * x,
        means=means,
    )


def product_rows(data: TrialData) -> TrialRows:
    """Make rows with the moments of the persons, those of arm 0 first, as many in each arm.

    Examples
    --------
    >>> persons = TrialPersons.from_arrays(
    ...     treatment=[0, 0, 1, 1], mediator=[1, 3, 2, 6], outcome=[5, 6, 4, 9])
    >>> few, every = product_rows(persons), person_rows(persons)
    >>> bool(np.isclose(few.mediator @ few.outcome, every.mediator @ every.outcome))
    True
    """
    moments = moments_of(data)
    names, q = moments.names, len(moments.names.covariates)
    measured = len(names.measured)
    kept = [*range(q), measured - 2, measured - 1, *range(measured, measured + q)]
    centre = np.concatenate([moments.overall, np.zeros(q)])
    means = (moments.mean - centre)[:, kept]
    arms = [
        _rows(moments.n[arm], means[arm], moments.cross[arm][np.ix_(kept, kept)]) for arm in (0, 1)
    ]
    rows = np.concatenate(arms)
    x = rows[:, 1 : 1 + q]
    overall = moments.overall[kept[: q + 2]]
    return TrialRows(
        names=names,
        n=moments.n,
        arm=np.repeat([0.0, 1.0], len(arms[0])),
        ones=rows[:, 0],
        covariates=x,
        mediator=rows[:, 1 + q],
        outcome=rows[:, 2 + q],
        # M (X - mean) is the product about both means, plus the mean of M times X - mean.
        products=rows[:, 3 + q :] + overall[-2] * x,
        means=overall,
    )


def _rows(n: float, mean: Floats, cross: Floats) -> Floats:
    """(V + 1, V + 1) rows of (1, variables) with n persons' sums, means and cross-products."""
    size = np.sqrt(np.diagonal(cross))
    size = np.where(size > 0, size, 1.0)
    values, vectors = np.linalg.eigh(cross / (size[:, None] * size))
    root = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T * size
    first = np.sqrt(n) * np.concatenate([[1.0], mean])
    return np.vstack([first, np.column_stack([np.zeros(len(root)), root])])


def by_persons(data: TrialData) -> TrialRows:
    """Return a row for each person where there are persons, else rows with their products."""
    return product_rows(data) if isinstance(data, TrialMoments) else person_rows(data)
