r"""Effects where persons differ in compliance Γ and benefit Δ.

With means :math:`\mu_\Gamma, \mu_\Delta`, covariance :math:`\omega_{\Delta\Gamma}` across persons
and a direct effect :math:`\theta` (0 under exclusion), the average treatment effect of the mediator
is :math:`\mathrm{ATE} = E\,\Delta = \mu_\Delta`.
"""

from __future__ import annotations

import numpy as np

from bayesmed.core.types import ArrayLike, Floats
from bayesmed.formulas.mediation import superpopulation_acme, superpopulation_cwate

__all__ = [
    "compliance_weighted_effect",
    "effect_on_the_treated",
    "intention_to_treat",
    "local_average_effect",
    "wald_less_average_effect",
]


def intention_to_treat(
    slope: ArrayLike,
    compliance: ArrayLike,
    compliance_slope: ArrayLike,
    direct_effect: ArrayLike = 0.0,
) -> ArrayLike:
    r"""Effect of treatment on the outcome, per unit of treatment.

    .. math::
        \mathrm{ITT} = \theta + E[\Delta\Gamma]
        = \theta+\mu_\Delta\mu_\Gamma+\omega_{\Delta\Gamma}

    (Reardon and Raudenbush 2013, equation 2).

    Parameters
    ----------
    slope, compliance
        :math:`\mu_\Delta, \mu_\Gamma`.
    compliance_slope
        :math:`\omega_{\Delta\Gamma}`.
    direct_effect
        :math:`\theta`.

    Examples
    --------
    >>> intention_to_treat(2.0, 0.5, 0.25)
    1.25
    """
    return superpopulation_acme(slope, compliance, covariance=compliance_slope) + direct_effect


def compliance_weighted_effect(
    slope: Floats, compliance: Floats, compliance_slope: Floats
) -> Floats:
    r"""Effect of the mediator, each person counting by compliance (CWATE).

    .. math::
        \frac{E[\Delta\Gamma]}{E\,\Gamma} = \mu_\Delta + \frac{\omega_{\Delta\Gamma}}{\mu_\Gamma}

    (Reardon and Raudenbush 2013, equation 5): the average treatment effect where compliance and
    benefit do not go together, and what the Wald ratio tends to under exclusion. A ratio whose
    denominator may be near zero has no mean: summarise it by quantiles only.

    Parameters
    ----------
    slope, compliance, compliance_slope
        As in `intention_to_treat`.

    Examples
    --------
    >>> float(compliance_weighted_effect(np.array(2.0), np.array(0.5), np.array(0.25)))
    2.5
    """
    return superpopulation_cwate(slope, compliance, compliance_slope)


def wald_less_average_effect(
    compliance: Floats, compliance_slope: Floats, direct_effect: Floats | float = 0.0
) -> Floats:
    r"""How far the Wald ratio ITT / E(Γ) is from the average treatment effect.

    .. math:: \frac{\mathrm{ITT}}{\mu_\Gamma}-\mu_\Delta
        = \frac{\theta+\omega_{\Delta\Gamma}}{\mu_\Gamma}

    The smaller the compliance, the farther (Reardon and Raudenbush 2013, section 2, with a direct
    effect added).

    Parameters
    ----------
    compliance, compliance_slope, direct_effect
        As in `intention_to_treat`.

    Examples
    --------
    >>> float(wald_less_average_effect(np.array(0.5), np.array(0.25)))
    0.5
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((compliance_slope + direct_effect) / compliance)


def local_average_effect(total_effect: Floats, mediator_effect: Floats) -> Floats:
    r"""Average effect of a binary mediator among those whom treatment moves (LATE).

    .. math::
        E[\Delta\mid\Gamma=1] = \frac{E[Y\mid T=1]-E[Y\mid T=0]}{P(M=1\mid T=1)-P(M=1\mid T=0)}

    for a binary treatment under exclusion if nobody is moved the other way, :math:`\Gamma\ge0`
    (Angrist, Imbens and Rubin 1996; Reardon and Raudenbush 2013, equation 6). It is the CWATE then,
    and needs no unrelatedness of Γ and Δ.

    Parameters
    ----------
    total_effect, mediator_effect
        Effects of treatment on the mean outcome and on the share with M = 1.

    Examples
    --------
    >>> float(local_average_effect(np.array(1.0), np.array(0.4)))
    2.5
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(total_effect / mediator_effect)


def effect_on_the_treated(total_effect: Floats, share: Floats) -> Floats:
    r"""Average effect of a binary mediator among those who have it, with treatment (TOT).

    .. math:: E[\Delta\mid M=1] = \frac{E[Y\mid T=1]-E[Y\mid T=0]}{P(M=1\mid T=1)}

    under exclusion if nobody without treatment has access to the mediator,
    :math:`P(M=1\mid T=0)=0` (Bloom 1984; Reardon and Raudenbush 2013, section 2).

    Parameters
    ----------
    total_effect
        Effect of treatment on the mean outcome.
    share
        :math:`P(M=1\mid T=1)`.

    Examples
    --------
    >>> float(effect_on_the_treated(np.array(1.0), np.array(0.5)))
    2.0
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(total_effect / share)
