"""What sets k-class estimators on persons apart: scatter, and chance."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import chdtrc

from bayesmed.classical import ClassicalEstimate
from bayesmed.classical.person_products import person_products
from bayesmed.effects.comparison import Reason
from bayesmed.effects.lines import LIML
from bayesmed.effects.reference import Setting
from bayesmed.formulas.k_class import liml_kappa

SIGNIFICANT = 0.05


def least_scatter(setting: Setting, estimate: ClassicalEstimate) -> Iterator[Reason]:
    r"""Compare the scatter that LIML leaves with what persons' noise would.

    :math:`\nu(\kappa-1)\sim\chi^2_{k-P}` where one line holds at all sites (Anderson and Rubin
    1950), k instruments and :math:`\nu` persons beyond all coefficients.
    """
    sums = person_products(setting.data, direct_effect=setting.intercept)
    if estimate.name != LIML or sums is None:
        return
    spare = sums.instruments - setting.data.n_mediators
    kappa = liml_kappa(sums.total, sums.explained)
    by_chance = 1 + spare / sums.df
    if spare > 0 and chdtrc(spare, (kappa - 1) * sums.df) < SIGNIFICANT:
        yield Reason(
            "least_scatter",
            "It is the line that leaves the least scatter, and takes that for persons' noise: its "
            f"κ is {kappa:.4f}, by chance about {by_chance:.4f}. Where direct effects or slopes "
            "differ between sites it is no average of them.",
            kappa - by_chance,
        )


def excess_over_chance(setting: Setting) -> float:
    """Return by how much the least F of any combination of mediators is above 1, on persons."""
    sums = person_products(setting.data, direct_effect=setting.intercept)
    if sums is None:
        return 0.0
    explained, chance = sums.explained[:-1, :-1], sums.error[:-1, :-1] * sums.instruments / sums.df
    return float(np.linalg.eigvals(np.linalg.solve(chance, explained)).real.min()) - 1
