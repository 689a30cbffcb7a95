"""Correlations of mediator effects and slopes across sites, by way of partial correlations.

What is sampled are partial correlations, of which any values in (-1, 1) make a correlation matrix;
the parameters are roots of the matrices, one after the other's columns where slopes go with
mediator effects: row n + q of the joint root is that of the slope of mediator q.
"""

from __future__ import annotations

from collections.abc import Callable

from bayesmed.core.names import MEDIATOR_EFFECT_CORR, MEDIATOR_EFFECT_SLOPE_CORR, SLOPE_CORR
from bayesmed.core.types import ArrayLike
from bayesmed.formulas.correlation import correlations, root_of_correlations
from bayesmed.formulas.linear_gaussian import Matrix, dot
from bayesmed.generative.site_slope_parameters import Entries, Related

# Makes, or looks up, a parameter from its variable's name, prior, middle, width and shift.
type Take = Callable[[str, ArrayLike, ArrayLike, ArrayLike], ArrayLike]

# Variables of partial correlations: of mediator effects, of slopes, of one after the other.
EFFECTS_ALONE, SLOPES_ALONE = "partial_correlation", "partial_correlation_of_slopes"
EFFECTS_AND_SLOPES = "partial_correlation_of_all"


def taken_correlations(related: Related, n: int, take: Take) -> Entries:
    """Take roots of the correlations of mediator effects, of slopes, or of both together.

    Parameters
    ----------
    related
        Which slopes are correlated.
    n
        Number of mediators.
    take
        Makes, or looks up, a partial correlation by its variable's name.
    """

    def root(name: str, size: int) -> Matrix:
        pairs = [(i, j) for i in range(size) for j in range(i)]
        return root_of_correlations(
            [take(f"{name}_{i}_{j}", 0.0, 1.0, 0.0) for i, j in pairs], size
        )

    if related == "effects":
        whole = root(EFFECTS_AND_SLOPES, 2 * n)
        return {
            MEDIATOR_EFFECT_CORR: [row[:n] for row in whole[:n]],
            MEDIATOR_EFFECT_SLOPE_CORR: [row[:n] for row in whole[n:]],
            SLOPE_CORR: [row[n:] for row in whole[n:]],
        }
    found: Entries = {MEDIATOR_EFFECT_CORR: root(EFFECTS_ALONE, n)} if n > 1 else {}
    return found | ({SLOPE_CORR: root(SLOPES_ALONE, n)} if related == "slopes" else {})


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
