"""Persons' mediators and outcomes under draws of correlated random coefficients, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmed.core.types import Floats
from bayesmed.formulas.linear_gaussian import Matrix, Vector
from bayesmed.formulas.random_coefficients import CoefficientMeans, Conditional
from bayesmed.formulas.random_coefficients_sequential import (
    mediator_from_root,
    mediator_loading,
    outcome_from_root,
    outcome_loading,
)


@dataclass(frozen=True)
class Given:
    """Distributions of persons' variables given what came before, for draws of the parameters.

    Attributes
    ----------
    treatment
        (N,) about its centre.
    centre
        Of the mediator.
    means, root
        Of the coefficients at the centres, entries (n, 1); rows of the root are those of level and
        effect of the mediator, level and slope of the outcome.
    """

    treatment: Floats
    centre: float
    means: CoefficientMeans
    root: Matrix

    @property
    def mediator(self) -> Conditional:
        """Of the mediator given treatment, (n, N)."""
        found = mediator_from_root(self.treatment, self.means, self._loading)
        return found._replace(mean=found.mean + self.centre)

    def outcome(self, mediator: Floats) -> Conditional:
        """Of the outcome given treatment and mediators (N,) or (n, N)."""
        m = mediator - self.centre
        a = outcome_loading(m, self.root[2], self.root[3])
        return outcome_from_root(m, self.treatment, self.means, self._loading, a)

    @property
    def _loading(self) -> Vector:
        return mediator_loading(self.treatment, self.root[0], self.root[1])


def root_rows(correlation: Floats, sds: Floats) -> Matrix:
    """Return rows of entries (n, 1) of a root: of mediator level and effect, outcome, slope."""
    order = [0, 2, 1, 3]
    # Rounding leaves a correlation of 1 just short of having a root.
    root = np.linalg.cholesky(correlation[:, order][:, :, order] + 1e-12 * np.eye(4))
    root = root * sds[:, order, None]
    return [[root[:, i, j, None] if j <= i else 0.0 for j in range(4)] for i in range(4)]
