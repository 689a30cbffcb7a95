r"""Correlations of mediator effects and slopes across sites, by way of partial correlations.

What is sampled are partial correlations, of which any values in (-1, 1) make a correlation matrix;
the parameters are roots of the matrices, one after the other's columns where slopes go with
mediator effects: row n + q of the joint root is that of the slope of mediator q.

A known correlation r of slopes with the effects of treatment on their own mediators, in units of
the spreads, is

.. math::
    \delta_{ps} = r\,\gamma_{ps} + \sqrt{1-r^2}\,\xi_{ps},

:math:`\xi_s` unrelated to :math:`\gamma_s`: each slope goes with its own mediator, and with the
others as far as these do. Any r in (-1, 1) makes a correlation matrix.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bayesmed.core.names import MEDIATOR_EFFECT_CORR, MEDIATOR_EFFECT_SLOPE_CORR, SLOPE_CORR
from bayesmed.core.types import ArrayLike
from bayesmed.formulas.correlation import correlations, root_of_correlations
from bayesmed.formulas.linear_gaussian import Matrix, dot, identity, product
from bayesmed.generative.site_slope_parameters import Entries, Related

# Makes, or looks up, a parameter from its variable's name, prior, middle, width and shift.
type Take = Callable[[str, ArrayLike, ArrayLike, ArrayLike], ArrayLike]

# Variables of partial correlations: of mediator effects, of slopes, of one after the other.
EFFECTS_ALONE, SLOPES_ALONE = "partial_correlation", "partial_correlation_of_slopes"
EFFECTS_AND_SLOPES = "partial_correlation_of_all"


def taken_correlations(
    related: Related, n: int, take: Take, known: ArrayLike | None = None, together: bool = False
) -> Entries:
    """Take roots of the correlations of mediator effects, of slopes, or of both together.

    Parameters
    ----------
    related
        Which slopes are correlated.
    n
        Number of mediators.
    take
        Makes, or looks up, a partial correlation by its variable's name.
    known
        Correlation of slopes with their own mediators' effects, where it is no unknown.
    together
        Whether what is left of slopes then may be correlated.
    """

    def root(name: str, size: int) -> Matrix:
        pairs = [(i, j) for i in range(size) for j in range(i)]
        return root_of_correlations(
            [take(f"{name}_{i}_{j}", 0.0, 1.0, 0.0) for i, j in pairs], size
        )

    if related == "effects" and known is None:
        whole = root(EFFECTS_AND_SLOPES, 2 * n)
        return {
            MEDIATOR_EFFECT_CORR: [row[:n] for row in whole[:n]],
            MEDIATOR_EFFECT_SLOPE_CORR: [row[:n] for row in whole[n:]],
            SLOPE_CORR: [row[n:] for row in whole[n:]],
        }
    found: Entries = {MEDIATOR_EFFECT_CORR: root(EFFECTS_ALONE, n)} if n > 1 else {}
    if related == "slopes" or (known is not None and together):
        found[SLOPE_CORR] = root(SLOPES_ALONE, n)
    return found if known is None else _with_known(found, known, n)


def _with_known(found: Entries, known: ArrayLike, n: int) -> Entries:
    """Add to slopes what goes with their own mediators' effects."""
    effects = found.get(MEDIATOR_EFFECT_CORR, identity(n))
    left = found.get(SLOPE_CORR, identity(n))
    rest = np.sqrt(1.0 - known**2)
    return {
        MEDIATOR_EFFECT_CORR: effects,
        MEDIATOR_EFFECT_SLOPE_CORR: [[product(known, x) for x in row] for row in effects],
        SLOPE_CORR: [[product(rest, x) for x in row] for row in left],
    }


def correlation_matrices(found: Entries) -> dict[str, Matrix]:
    """Return the correlations that the roots among the parameters stand for."""
    effects = found.get(MEDIATOR_EFFECT_CORR)
    slopes = found.get(SLOPE_CORR)
    matrices = {} if effects is None else {MEDIATOR_EFFECT_CORR: correlations(effects)}
    if slopes is None:
        return matrices
    across = found.get(MEDIATOR_EFFECT_SLOPE_CORR)
    if across is None or effects is None:
        return {**matrices, SLOPE_CORR: correlations(slopes)}
    whole = [[*before, *own] for before, own in zip(across, slopes, strict=True)]
    together = [[dot(row, other) for other in across] for row in effects]
    return {
        **matrices,
        SLOPE_CORR: correlations(whole),
        MEDIATOR_EFFECT_SLOPE_CORR: together,
    }
