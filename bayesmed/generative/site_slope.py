r"""The site-slope model: total effects over mediator effects, site by site.

Fu (2023), sections 4 and 5, as a generative model with measurement error:

.. math::

    (\hat\gamma_s, \hat\beta_s) \sim N\{(\gamma_s, \beta_s), V_s\},\quad
    \gamma_s \sim N(\mu_\gamma, \Omega_\gamma),\quad
    \theta_s \sim N(\mu_\theta + x_s'\zeta, \sigma_\theta^2),\quad
    \beta_s = \theta_s + \sum_p \delta_{ps}\gamma_{ps} .

The equations are in :mod:`bayesmed.formulas.site_slope` and
:mod:`bayesmed.formulas.site_slope_blocks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

from bayesmed.core.errors import ModelError, nearest
from bayesmed.core.names import (
    AVERAGE_SLOPE,
    CORRELATION,
    COVARIATE_EFFECT,
    DIRECT_EFFECT_DOF,
    DIRECT_EFFECT_MEAN,
    DIRECT_EFFECT_SD,
    MEDIATOR_EFFECT_CORR,
    MEDIATOR_EFFECT_MEAN,
    MEDIATOR_EFFECT_SD,
    SLOPE,
    SLOPE_LINEAR,
    SLOPE_QUADRATIC,
    SLOPE_SD,
)
from bayesmed.data import SiteEstimates
from bayesmed.generative import site_slope_validation
from bayesmed.generative.site_model import SiteModel
from bayesmed.generative.site_slope_parameters import AT_CENTRE
from bayesmed.priors import Prior

Slope = Literal["constant", "random", "polynomial"]
DirectEffectDistribution = Literal["normal", "student_t"]


@dataclass(frozen=True, repr=False)
class SiteSlope(SiteModel):
    r"""Total effects over mediator effects across sites, with measurement error in both.

    Parameters
    ----------
    slope
        ``"constant"``: the mediator's effect on the outcome, :math:`\delta`, is the same at every
        site. ``"random"``: :math:`\delta_s\sim N(\delta,\sigma_\delta^2)`, unrelated to
        :math:`\gamma_s` (Fu, Proposition 1). ``"polynomial"``: it depends on the mediator effect,
        :math:`\delta_s=\delta_0+\delta_1\gamma_s+\delta_2\gamma_s^2` (Fu, Remark 1).
    direct_effect
        Whether sites have direct effects :math:`\theta_s` (an intercept and a spread around the
        line). Without, the treatment works through the mediators only.
    direct_effect_distribution
        ``"normal"``, or ``"student_t"`` for outlying sites; ``direct_effect_sd`` is then the
        scale of the t distribution and ``direct_effect_dof`` its degrees of freedom.
    correlation
        :math:`\rho=\mathrm{Corr}(\gamma_s,\theta_s)`, a number in (-1, 1), or a prior of values
        in between (``Uniform`` or ``TruncatedNormal``). The data cannot tell it from the slope:
        0 is Fu's Assumption 1, other values show what hangs on it.
    covariates
        Names of covariates of the data that shift direct effects, each centred at its mean over
        the rows.
    interaction
        Whether treatment may also change what the mediator does. No number changes, only what
        outputs call them: indirect effects are then *total* and direct effects *pure* ones
        (Fu, section 4.1), and one more assumption is named.
    priors
        Replacements of the default priors by parameter. See ``parameters`` for the names;
        ``direct_effect_mean`` may stand in for ``total_effect_at_centre``, and with a polynomial
        ``slope`` and ``slope_linear`` for what they are at the centre. With several mediators
        ``slope`` speaks of all and ``slope[name]`` of one.

    Raises
    ------
    ModelError
        If a choice or a prior is unknown or impossible.

    Notes
    -----
    Assumes no correlation of mediator effect and direct effect across sites beyond
    ``correlation`` (Fu, Assumption 1) and estimates whose errors are normal with known covariance
    (Assumption 2). Several mediators have their own slopes, :math:`\theta_s+\sum_p\delta_p
    \gamma_{ps}`, and effects :math:`\gamma_s` that may be correlated across sites, uniformly over
    correlation matrices a priori.

    Examples
    --------
    >>> SiteSlope(priors={"slope": Prior("Normal", mu=0, sigma=1)}).direct_effect
    True
    >>> SiteSlope(slope="random").parameters[:3]
    ('slope', 'slope_sd', 'total_effect_at_centre')
    """

    slope: Slope = "constant"
    direct_effect: bool = True
    direct_effect_distribution: DirectEffectDistribution = "normal"
    correlation: float | Prior = 0.0
    covariates: tuple[str, ...] = ()
    interaction: bool = False
    priors: Mapping[str, Prior] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, kind in (
            ("slope", Slope),
            ("direct_effect_distribution", DirectEffectDistribution),
        ):
            value, known = getattr(self, name), get_args(kind)
            if value not in known:
                raise ModelError(
                    f"The {name} of a site_slope model is {value!r}.", nearest(str(value), known)
                )
        if not isinstance(self.covariates, str):
            object.__setattr__(self, "covariates", tuple(self.covariates))
        site_slope_validation.check_choices(self)
        for name, prior in self.priors.items():
            site_slope_validation.check_prior(self, name, prior)
        site_slope_validation.check_twins(self)
        if not isinstance(self.correlation, Prior):
            object.__setattr__(self, "correlation", float(self.correlation))
        object.__setattr__(self, "priors", MappingProxyType(dict(self.priors)))

    def __hash__(self) -> int:
        return hash(self.identity())

    @property
    def robust(self) -> bool:
        """Whether direct effects are Student-t."""
        return self.direct_effect_distribution == "student_t"

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters with a prior, in the order outputs list them."""
        names = [self.carrier(SLOPE)]
        if self.slope == "polynomial":
            names += [self.carrier(SLOPE_LINEAR), SLOPE_QUADRATIC]
        if self.slope == "random":
            names.append(SLOPE_SD)
        if self.direct_effect:
            names += [self.intercept, DIRECT_EFFECT_SD]
        if self.robust:
            names.append(DIRECT_EFFECT_DOF)
        if self.correlation_prior is not None:
            names.append(CORRELATION)
        if self.covariates:
            names.append(COVARIATE_EFFECT)
        return (*names, MEDIATOR_EFFECT_MEAN, MEDIATOR_EFFECT_SD)

    @property
    def derived(self) -> tuple[str, ...]:
        """Names of parameters that follow from the others, or have a prior of no choice."""
        twins = [DIRECT_EFFECT_MEAN] if self.direct_effect else []
        polynomial = self.slope == "polynomial"
        if polynomial and self.direct_effect:
            twins = [SLOPE, SLOPE_LINEAR, *twins]
        pairs = {AT_CENTRE[name]: name for name in twins}
        others = [n for pair in pairs.items() for n in pair if n not in self.parameters]
        return (*others, *((AVERAGE_SLOPE,) if polynomial else ()), MEDIATOR_EFFECT_CORR)

    def check_data(self, data: SiteEstimates) -> None:
        """Refuse data this model has no likelihood for.

        Raises
        ------
        DataError
            If a covariate is missing or constant, the estimates are exact while the model has no
            direct effect, or a choice is not available with several mediators or shared control
            groups.
        """
        site_slope_validation.check_data(self, data)
