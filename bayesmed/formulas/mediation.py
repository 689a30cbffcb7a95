r"""Mediation estimands as functions of site effects and parameters.

Fu (2023), section 4: :math:`\eta_s=\delta_s\gamma_s`, :math:`\beta_s=\theta_s+\eta_s`.
"""

from __future__ import annotations

import numpy as np

from bayesmed.core.types import ArrayLike, Floats


def weighted_average(values: Floats, weight: Floats) -> Floats:
    r"""Average over the sites of the data, the last axis: :math:`\sum_s w_s x_s`.

    With :math:`x_s=\eta_s` this is the sample average causal mediation effect (ACME). Weights sum
    to one.
    """
    return values @ weight


def superpopulation_acme(slope: ArrayLike, mediator_effect_mean: ArrayLike) -> ArrayLike:
    r"""Average causal mediation effect in the population of sites, for a constant slope.

    .. math:: E[\delta_s\gamma_s] = \delta\mu_\gamma
    """
    return slope * mediator_effect_mean


def share_mediated(indirect: Floats, total: Floats) -> Floats:
    r"""Share of a total effect that is indirect, :math:`\eta/\beta`, draw by draw.

    A ratio whose denominator may be near zero has no mean: summarise it by quantiles only.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(indirect / total)
