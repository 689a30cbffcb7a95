r"""The site-slope model: total effects on a line over mediator effects, site by site.

Fu (2023), sections 4 and 5, as a generative model with measurement error:

.. math::

    (\hat\gamma_s, \hat\beta_s) \sim N\{(\gamma_s, \beta_s), V_s\},\quad
    \gamma_s \sim N(\mu_\gamma, \sigma_\gamma^2),\quad
    \theta_s \sim N(\mu_\theta, \sigma_\theta^2),\quad
    \beta_s = \theta_s + \delta\gamma_s .

The equations are in :mod:`bayesmed.formulas.site_slope`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from bayesmed.core.errors import DataError, ModelError, nearest
from bayesmed.core.names import (
    DIRECT_EFFECT_MEAN,
    DIRECT_EFFECT_SD,
    MEDIATOR_EFFECT_MEAN,
    MEDIATOR_EFFECT_SD,
    SLOPE,
    TOTAL_EFFECT_AT_CENTRE,
)
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.generative import site_slope_draws
from bayesmed.generative.protocol import Draws
from bayesmed.priors import Prior
from bayesmed.priors.scaling import SiteScale, site_scale

if TYPE_CHECKING:
    import pymc as pm

    from bayesmed.generative.site_slope_exact import SiteSlopeDensity

Slope = Literal["constant"]

# Default priors, in scaled units (methods: section 2, "Default priors").
DEFAULT_PRIORS: Mapping[str, Prior] = MappingProxyType(
    {
        SLOPE: Prior("Normal", mu=0, sigma=2.5, unit="scaled"),
        MEDIATOR_EFFECT_MEAN: Prior("Normal", mu=0, sigma=2.5, unit="scaled"),
        MEDIATOR_EFFECT_SD: Prior("HalfNormal", sigma=1, unit="scaled"),
        TOTAL_EFFECT_AT_CENTRE: Prior("Normal", mu=0, sigma=2.5, unit="scaled"),
        DIRECT_EFFECT_SD: Prior("HalfNormal", sigma=1, unit="scaled"),
    }
)
WITH_DIRECT_EFFECT = (TOTAL_EFFECT_AT_CENTRE, DIRECT_EFFECT_MEAN, DIRECT_EFFECT_SD)
STANDARD_DEVIATIONS = (MEDIATOR_EFFECT_SD, DIRECT_EFFECT_SD)


@dataclass(frozen=True)
class SiteSlope:
    r"""A line of total effects over mediator effects, with measurement error in both.

    Parameters
    ----------
    slope
        ``"constant"``: the mediator's effect on the outcome, :math:`\delta`, is the same at every
        site.
    direct_effect
        Whether sites have direct effects :math:`\theta_s` (an intercept and a spread around the
        line). Without, the treatment works through the mediator only.
    priors
        Replacements of the default priors by parameter: ``slope``, ``mediator_effect_mean``,
        ``mediator_effect_sd``, ``direct_effect_sd``, and for the intercept either
        ``total_effect_at_centre`` (at the centre of the mediator effects; the default) or
        ``direct_effect_mean``.

    Raises
    ------
    ModelError
        If a choice or a prior is unknown or impossible.

    Notes
    -----
    Assumes no correlation of mediator effect and direct effect across sites (Fu, Assumption 1)
    and estimates whose errors are normal with known covariance (Assumption 2).

    Examples
    --------
    >>> SiteSlope(priors={"slope": Prior("Normal", mu=0, sigma=1)}).direct_effect
    True
    """

    slope: Slope = "constant"
    direct_effect: bool = True
    priors: Mapping[str, Prior] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.slope not in get_args(Slope):
            raise ModelError(
                f"The slope of a site_slope model is {self.slope!r}.",
                nearest(str(self.slope), get_args(Slope)),
            )
        if not isinstance(self.direct_effect, bool):
            raise ModelError(f"direct_effect is {self.direct_effect!r}.", "Write true or false.")
        for name, prior in self.priors.items():
            self._check_prior(name, prior)
        if TOTAL_EFFECT_AT_CENTRE in self.priors and DIRECT_EFFECT_MEAN in self.priors:
            raise ModelError(
                f"Both {TOTAL_EFFECT_AT_CENTRE} and {DIRECT_EFFECT_MEAN} have a prior.",
                "They are one parameter seen from two places: keep one.",
            )
        object.__setattr__(self, "priors", MappingProxyType(dict(self.priors)))

    def __reduce__(self) -> tuple[object, ...]:
        return SiteSlope, (self.slope, self.direct_effect, dict(self.priors))

    def __hash__(self) -> int:
        return hash((self.slope, self.direct_effect, tuple(sorted(self.priors.items(), key=str))))

    def _check_prior(self, name: str, prior: Prior) -> None:
        known = [*DEFAULT_PRIORS, DIRECT_EFFECT_MEAN]
        if name not in known:
            raise ModelError(
                f"There is no parameter {name!r} to set a prior on.", nearest(name, known)
            )
        if not isinstance(prior, Prior):
            raise ModelError(f"The prior of {name} is {prior!r}.", "Give a bayesmed.Prior.")
        if name in WITH_DIRECT_EFFECT and not self.direct_effect:
            raise ModelError(
                f"{name} has a prior but the model has no direct effect.",
                "Set direct_effect = true or drop the prior.",
            )
        if name in STANDARD_DEVIATIONS and prior.support[0] < 0:
            raise ModelError(
                f"The prior {prior} of {name} allows negative values.",
                "Use HalfNormal, HalfStudentT, HalfCauchy, Exponential, Gamma, InverseGamma, "
                "LogNormal, or Uniform from 0.",
            )
        if name == DIRECT_EFFECT_MEAN and prior.family.support == "positive":
            raise ModelError(
                f"The prior {prior} of {name} allows positive values only.",
                "Use TruncatedNormal with lower and upper.",
            )

    @property
    def intercept(self) -> str:
        """The name of the parameter that carries the intercept's prior."""
        return DIRECT_EFFECT_MEAN if DIRECT_EFFECT_MEAN in self.priors else TOTAL_EFFECT_AT_CENTRE

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters with a prior, in the order outputs list them."""
        first: tuple[str, ...] = (SLOPE,)
        if self.direct_effect:
            first = (SLOPE, self.intercept, DIRECT_EFFECT_SD)
        return (*first, MEDIATOR_EFFECT_MEAN, MEDIATOR_EFFECT_SD)

    @property
    def derived(self) -> tuple[str, ...]:
        """Names of parameters that are functions of the others."""
        if not self.direct_effect:
            return ()
        other = {
            TOTAL_EFFECT_AT_CENTRE: DIRECT_EFFECT_MEAN,
            DIRECT_EFFECT_MEAN: TOTAL_EFFECT_AT_CENTRE,
        }
        return (other[self.intercept],)

    @property
    def by_mediator(self) -> tuple[str, ...]:
        """Names of the parameters there is one of for each mediator."""
        return (SLOPE, MEDIATOR_EFFECT_MEAN, MEDIATOR_EFFECT_SD)

    def check_data(self, data: SiteEstimates) -> None:
        """Refuse data this model has no likelihood for.

        Raises
        ------
        DataError
            If there is more than one mediator, rows share a control group, or the estimates are
            exact while the model has no direct effect.
        """
        if data.n_mediators != 1:
            raise DataError(
                f"A site_slope model takes one mediator and the data have {data.n_mediators}: "
                f"{', '.join(data.mediators)}.",
                "Keep one mediator.",
            )
        if data.n_blocks != data.n_rows:
            raise DataError(
                "Some rows share a control group, so their estimates are correlated, which this "
                "model does not take into account yet.",
                "Keep one arm of each block.",
            )
        exact = np.flatnonzero((data.total_effect_se == 0) & (data.mediator_se[:, 0] == 0))
        if exact.size and not self.direct_effect:
            raise DataError(
                f"Both estimates of site {data.labels[exact[0]]!r} have standard error 0, so "
                "without a direct effect they would have to lie exactly on the line.",
                "Set direct_effect = true or give standard errors.",
            )

    def scale(self, data: SiteEstimates) -> SiteScale:
        """Return the natural scales of the data, in which scaled priors are stated."""
        return site_scale(
            data.mediator_effect[:, 0],
            data.mediator_se[:, 0],
            data.total_effect,
            data.total_effect_se,
            intercept=self.direct_effect,
        )

    def unit(self, name: str, scale: SiteScale) -> tuple[float, float]:
        """Return the location and the size of one scaled unit of a parameter."""
        return {
            SLOPE: (0.0, scale.slope_scale),
            MEDIATOR_EFFECT_MEAN: (scale.mediator_location, scale.mediator_spread),
            MEDIATOR_EFFECT_SD: (0.0, scale.mediator_spread),
            TOTAL_EFFECT_AT_CENTRE: (scale.outcome_location, scale.outcome_spread),
            DIRECT_EFFECT_MEAN: (0.0, scale.outcome_spread),
            DIRECT_EFFECT_SD: (0.0, scale.outcome_spread),
        }[name]

    def priors_for(self, data: SiteEstimates) -> dict[str, Prior]:
        """Return every prior of this model in the units of the data."""
        scale = self.scale(data)
        chosen = {name: self.priors.get(name) or DEFAULT_PRIORS[name] for name in self.parameters}
        return {name: p.in_data_units(*self.unit(name, scale)) for name, p in chosen.items()}

    def structure(self, data: SiteEstimates) -> Hashable:
        """Return what must be equal for two fits to share one compiled model."""
        priors = tuple((name, p.distribution) for name, p in self.priors_for(data).items())
        return ("site_slope", self.slope, self.direct_effect, priors)

    def graph_data(self, data: SiteEstimates) -> dict[str, Floats]:
        """Return the values of every data node of the graph: they change without compiling."""
        from bayesmed.generative import site_slope_graph

        return site_slope_graph.graph_data(self, data)

    def unstandardised(self, draws: Draws, data: SiteEstimates) -> dict[str, Floats]:
        """Return all parameters in data units from the variables the graph samples."""
        from bayesmed.generative import site_slope_graph

        return site_slope_graph.unstandardised(self, draws, data)

    def build(self, data: SiteEstimates) -> pm.Model:
        """Return the model with its data as a PyMC model to look at, or to go on with.

        Random variables are the standardised parameters (``slope_std`` ...), so that a sampler
        starts well whatever the units; deterministics are the parameters in data units. Site
        effects are integrated out.

        Raises
        ------
        DataError
            As ``check_data``.
        """
        from bayesmed.generative import site_slope_graph

        self.check_data(data)
        return site_slope_graph.graph(self, data)

    def density(self, data: SiteEstimates) -> SiteSlopeDensity:
        """Return the posterior as a function of two or three coordinates, for quadrature."""
        from bayesmed.generative.site_slope_exact import site_slope_density

        return site_slope_density(self, data)

    def prior_draws(
        self, data: SiteEstimates, n: int, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Draw all parameters from the prior, in data units."""
        draws = {name: p.draw(rng, (n,)) for name, p in self.priors_for(data).items()}
        centre = self.scale(data).centre
        if self.intercept in draws:
            sign = -1.0 if self.intercept == TOTAL_EFFECT_AT_CENTRE else 1.0
            draws[self.derived[0]] = draws[self.intercept] + sign * draws[SLOPE] * centre
        return draws

    def log_prior(self, draws: Draws, data: SiteEstimates) -> dict[str, Floats]:
        """Log prior density of each parameter that has a prior, in data units."""
        return {name: p.log_density(draws[name]) for name, p in self.priors_for(data).items()}

    def site_effects(
        self, draws: Draws, data: SiteEstimates, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Draw the effects of each site of the data from their exact conditional."""
        return site_slope_draws.site_effects(draws, data, rng)

    def new_site_effects(
        self, draws: Draws, n_sites: int, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Draw effects at new sites of the same population."""
        return site_slope_draws.new_site_effects(draws, n_sites, rng)

    def estimates(
        self, effects: Draws, data: SiteEstimates, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Draw estimates around site effects with the sampling covariances of the data."""
        return site_slope_draws.estimates_given_effects(effects, data, rng)

    def log_likelihood(self, draws: Draws, data: SiteEstimates) -> Floats:
        """Log-density of each site's pair of estimates, shape (n, S)."""
        return site_slope_draws.log_likelihood(draws, data)
