"""Cross-products of all persons of one trial, and regressions among its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayesmed.core.types import Floats
from bayesmed.core.words import joined
from bayesmed.data import TrialMoments, TrialNames, TrialPersons
from bayesmed.formulas.partialled import Partialled, first_dependent, partialled
from bayesmed.formulas.treatment_products import treatment_products

type TrialData = TrialMoments | TrialPersons

_TOLD = 1e-6
"""Standardised coefficient from which a column is named as one that another follows from."""


@dataclass(frozen=True, eq=False)
class Stages:
    """Two regressions after each other.

    Attributes
    ----------
    included
        Of instruments and targets on the included columns.
    instruments
        Of what those leave of the targets on what they leave of the instruments.
    treatment
        Position of treatment among the included columns.
    k
        Number of instruments.
    spare
        Persons less included columns, intercept among them, and less instruments.
    """

    included: Partialled
    instruments: Partialled
    treatment: int
    k: int
    spare: int

    def of_treatment(self, targets: Floats) -> tuple[float, float]:
        """Coefficients of treatment, no instrument, for two combinations of the targets."""
        first, second = targets @ self.included.coefficients[self.treatment, self.k :]
        return float(first), float(second)

    @property
    def treatment_inverse(self) -> float:
        """Entry of treatment in the inverse cross-products of the included columns."""
        return float(self.included.inverse[self.treatment, self.treatment])


@dataclass(frozen=True, eq=False)
class TrialProducts:
    """Centred cross-products of R, X, C, M, Y, R·X and M·X, the X in products about their means.

    Attributes
    ----------
    names
        What the variables are called.
    n
        Persons.
    products
        (K, K), in the order above.
    """

    names: TrialNames
    n: int
    products: Floats

    treatment = 0

    @property
    def covariates(self) -> list[int]:
        """Positions of the baseline covariates."""
        return list(range(1, 1 + len(self.names.covariates)))

    @property
    def post_baseline(self) -> list[int]:
        """Positions of post-baseline confounders."""
        first = 1 + len(self.names.covariates)
        return list(range(first, first + len(self.names.post_baseline)))

    @property
    def mediator(self) -> int:
        """Position of the mediator; the outcome is next."""
        return len(self.names.measured) - 1

    def interactions(self, covariates: Sequence[int]) -> list[int]:
        """Positions of treatment × covariate, for covariates numbered from 0."""
        return [self.mediator + 2 + j for j in covariates]

    @property
    def targets(self) -> list[int]:
        """Positions of what is regressed: M, Y, R·X and M·X."""
        return list(range(self.mediator, len(self.products)))

    def label(self, position: int) -> str:
        """Return what a column is called."""
        names = self.names
        crossed = [f"{names.treatment} × {name}" for name in names.covariates]
        return [names.treatment, *names.measured, *crossed, *names.products][position]

    def stages(self, included: Sequence[int], instruments: Sequence[int] = ()) -> Stages | str:
        """Regress on included columns, and then on instruments; say why where that cannot be."""
        regressors = [*included, *instruments]
        k, spare = len(instruments), self.n - 1 - len(regressors)
        if spare < 2:
            return f"{self.n} persons are too few for {1 + len(regressors)} coefficients"
        if reason := self._dependence([*regressors, self.mediator]):
            return reason
        every = [*regressors, *self.targets]
        on_included = partialled(self.products[np.ix_(every, every)], len(included))
        return Stages(
            included=on_included,
            instruments=partialled(on_included.left, k),
            treatment=list(included).index(self.treatment),
            k=k,
            spare=spare,
        )

    def _dependence(self, columns: list[int]) -> str:
        """Say which of the columns follows from those before it; "" if none does."""
        products = self.products[np.ix_(columns, columns)]
        last = first_dependent(products)
        if last is None:
            return ""
        name, square = self.label(columns[last]), np.diagonal(products)
        if square[last] == 0:
            return f"{name!r} does not vary"
        share = partialled(products[: last + 1, : last + 1], last).coefficients[:, 0]
        told = np.flatnonzero(np.abs(share) * np.sqrt(square[:last] / square[last]) > _TOLD)
        return f"{name!r} follows from {joined([repr(self.label(columns[i])) for i in told])}"

    def mediator_and_outcome(
        self, direct_modifier: Floats | None = None, slope_modifier: Floats | None = None
    ) -> Floats:
        r"""Return (M, Y - R τ_R'(X - X̄) - M τ_M'(X - X̄)) as combinations of the targets.

        The combination of `bayesmed.formulas.effect_modification`; modifiers are (q,).
        """
        q = len(self.names.covariates)
        found = np.zeros((2, 2 + 2 * q))
        found[0, 0] = found[1, 1] = 1.0
        if direct_modifier is not None:
            found[1, 2 : 2 + q] = -direct_modifier
        if slope_modifier is not None:
            found[1, 2 + q :] = -slope_modifier
        return found


def moments_of(data: TrialData) -> TrialMoments:
    """Return the moments of a trial, made from its persons where these are given."""
    return data if isinstance(data, TrialMoments) else TrialMoments.from_persons(data)


def trial_products(data: TrialData) -> TrialProducts:
    """Join the moments of the two arms.

    Examples
    --------
    >>> persons = TrialPersons.from_arrays(
    ...     treatment=[0, 0, 1, 1], mediator=[1, 3, 2, 6], outcome=[5, 6, 4, 9],
    ...     covariates={"age": [30, 40, 35, 45]})
    >>> found = trial_products(persons)
    >>> found.label(found.mediator), found.products[0, found.mediator].item()
    ('mediator', 2.0)
    """
    moments = moments_of(data)
    q, v = len(moments.names.covariates), len(moments.variables)
    measured = v - q
    centre = np.concatenate([moments.overall, np.zeros(q)])
    whole = treatment_products(moments.n, moments.mean - centre, moments.cross)
    # M (X - X̄) is the product about both means, plus the mean of M times X - X̄.
    to_columns = np.zeros((1 + measured + 2 * q, 1 + 2 * v))
    to_columns[: 1 + measured, : 1 + measured] = np.eye(1 + measured)
    for j in range(q):
        to_columns[1 + measured + j, 1 + v + j] = 1.0
        to_columns[1 + measured + q + j, 1 + measured + j] = 1.0
        to_columns[1 + measured + q + j, 1 + j] = moments.overall[-2]
    products = to_columns @ whole @ to_columns.T
    return TrialProducts(moments.names, round(float(moments.n.sum())), products)
