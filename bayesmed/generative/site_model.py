"""What all models of site estimates share: everything that follows from choices and priors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmed.core.display import Shown, displayed
from bayesmed.core.names import DIRECT_EFFECT_MEAN
from bayesmed.core.types import Floats
from bayesmed.data import PersonCovariance, SiteEstimates
from bayesmed.generative import (
    site_slope_conditional,
    site_slope_draws,
    site_slope_new_sites,
    site_slope_parameters,
    site_slope_prior,
)
from bayesmed.generative.protocol import Draws
from bayesmed.generative.site_slope_new_sites import MediatorEstimates
from bayesmed.generative.site_slope_parameters import AT_CENTRE, BY_MEDIATOR, Related
from bayesmed.priors import Prior
from bayesmed.priors.scaling import SiteScale, site_scale

if TYPE_CHECKING:
    import pymc as pm

    from bayesmed.generative.site_slope_exact import SiteSlopeDensity


@displayed(one_line=True)
class SiteModel(ABC):
    """Total effects as a function of mediator effects, site by site.

    What is declared here is what the machinery reads of a model's choices; a choice that a model
    does not offer keeps the value it has here.
    """

    priors: Mapping[str, Prior]

    @property
    def slope(self) -> str:
        """How slopes differ between sites: "constant", "random" or "polynomial"."""
        return "random"

    @property
    def direct_effect(self) -> bool:
        """Whether sites have direct effects."""
        return False

    @property
    def correlation(self) -> float | Prior:
        """Correlation of direct with mediator effects."""
        return 0.0

    @property
    def covariates(self) -> tuple[str, ...]:
        """Names of the covariates that shift direct effects."""
        return ()

    @property
    def interaction(self) -> bool:
        """Whether treatment may change what the mediator does."""
        return False

    @property
    @abstractmethod
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters with a prior, in the order outputs list them."""

    @property
    @abstractmethod
    def derived(self) -> tuple[str, ...]:
        """Names of parameters that follow from the others, or have a prior of no choice."""

    @abstractmethod
    def check_data(self, data: SiteEstimates) -> None:
        """Refuse data the model has no likelihood for."""

    def __reduce__(self) -> tuple[object, ...]:
        # Priors stand in a read-only view, which cannot be pickled; they are the last field.
        return type(self), (*self.choices(), dict(self.priors))

    def choices(self) -> tuple[Any, ...]:
        """Return the values of all fields but the priors, in order."""
        named = fields(self)  # type: ignore[arg-type]  # every model is a dataclass
        return tuple(getattr(self, f.name) for f in named if f.name != "priors")

    def identity(self) -> tuple[Any, ...]:
        """Return what is equal for equal models, and can be hashed."""
        return (*self.choices(), tuple(sorted(self.priors.items(), key=str)))

    @property
    def through_origin(self) -> bool:
        """Whether slopes vary around a line through the origin."""
        return self.slope == "random" and not self.direct_effect

    @property
    def robust(self) -> bool:
        """Whether direct effects are Student-t."""
        return False

    @property
    def correlated(self) -> bool:
        """Whether direct effects may rise or fall with mediator effects."""
        return self.correlation != 0.0

    @property
    def correlation_prior(self) -> Prior | None:
        """The prior of the correlation, where it is not a number."""
        return self.correlation if isinstance(self.correlation, Prior) else None

    @property
    def intercept(self) -> str:
        """The name of the parameter that carries the intercept's prior."""
        return self.carrier(DIRECT_EFFECT_MEAN)

    def carrier(self, name: str) -> str:
        """Return the name under which a coefficient of the curve has its prior."""
        set_here = any(key == name or key.startswith(f"{name}[") for key in self.priors)
        moves = self.direct_effect and (name == DIRECT_EFFECT_MEAN or self.slope == "polynomial")
        return AT_CENTRE[name] if moves and not set_here else name

    @property
    def within_site_covariance(self) -> float | Prior:
        """What is added to total effects where there are no direct effects."""
        return 0.0

    def persons(self, data: SiteEstimates) -> PersonCovariance | None:
        """Return the products of persons whose covariances are parameters, or None."""
        return None

    def related(self, data: SiteEstimates) -> Related:
        """Say which slopes are correlated across sites: none, among each other, with effects."""
        return "none"

    @property
    def known_compliance(self) -> float | None:
        """Known correlation of slopes with their own mediators' effects; None where there is none.

        The slopes are then among those `related` to effects.
        """
        return None

    def slopes_together(self, data: SiteEstimates) -> bool:
        """Whether slopes of different mediators may go together beside what effects explain."""
        return self.related(data) == "slopes"

    @property
    def by_mediator(self) -> tuple[str, ...]:
        """Names of the parameters there is one of for each mediator."""
        return BY_MEDIATOR

    def scale(self, data: SiteEstimates, mediator: int = 0) -> SiteScale:
        """Return the natural scales of one mediator and the outcome, for scaled priors."""
        return site_scale(
            data.mediator_effect[:, mediator],
            data.mediator_se[:, mediator],
            data.total_effect,
            data.total_effect_se,
            intercept=self.direct_effect,
        )

    def covariate_values(self, data: SiteEstimates) -> Floats:
        """Return the model's covariates, centred at their means over the rows, shape (R, C)."""
        values = np.array([data.covariates[name] for name in self.covariates])
        values = values.reshape(len(self.covariates), data.n_rows).T
        return np.asarray(values - values.mean(axis=0))

    def priors_for(self, data: SiteEstimates) -> dict[str, Prior]:
        """Return every prior of this model in the units of the data."""
        return site_slope_parameters.priors_for(self, data)

    def structure(self, data: SiteEstimates) -> Hashable:
        """Return what must be equal for two fits to share one compiled model."""
        from bayesmed.generative import site_slope_graph

        return site_slope_graph.structure(self, data)

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
        effects are integrated out where that can be done; with several varying quantities at a
        site they are sampled, in coordinates that are nearly independent of the rest.

        Raises
        ------
        DataError
            As ``check_data``.
        """
        from bayesmed.generative import site_slope_graph

        self.check_data(data)
        return site_slope_graph.graph(self, data)

    def density(self, data: SiteEstimates) -> SiteSlopeDensity:
        """Return the posterior as a function of two or three coordinates, for quadrature.

        Raises
        ------
        ModelError
            If more than three dimensions would be left.
        """
        from bayesmed.generative.site_slope_exact import site_slope_density

        return site_slope_density(self, data)

    def prior_draws(
        self, data: SiteEstimates, n: int, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Draw all parameters from the prior, in data units."""
        return site_slope_prior.prior_draws(self, data, n, rng)

    def log_prior(self, draws: Draws, data: SiteEstimates) -> dict[str, Floats]:
        """Log prior density of each parameter that has a prior, in data units."""
        return site_slope_prior.log_prior(self, draws, data)

    def site_effects(
        self, draws: Draws, data: SiteEstimates, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Draw the effects of each site of the data from their exact conditional."""
        return site_slope_conditional.site_effects(self, draws, data, rng)

    def new_site_effects(
        self,
        draws: Draws,
        covariates: Floats,
        rng: np.random.Generator,
        estimates: MediatorEstimates | None = None,
    ) -> dict[str, Floats]:
        """Draw effects at new sites of the same population.

        Parameters
        ----------
        draws
            Parameters.
        covariates
            Shape (S, C) for S sites, as from ``covariate_values``.
        rng
            Source of randomness.
        estimates
            Estimated mediator effects of the sites; drawn from the population where left out.
        """
        return site_slope_new_sites.new_site_effects(self, draws, covariates, rng, estimates)

    def estimates(
        self, effects: Draws, draws: Draws, data: SiteEstimates, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Draw estimates around site effects: sampling covariances are those of data or draws."""
        return site_slope_draws.estimates_given_effects(self, effects, draws, data, rng)

    def simulated(
        self, draws: Draws, data: SiteEstimates, rng: np.random.Generator
    ) -> tuple[SiteEstimates, dict[str, Floats]]:
        """Draw a table like ``data`` from the first of the draws, and the true effects of sites."""
        return site_slope_new_sites.simulated(self, draws, data, rng)

    def log_likelihood(self, draws: Draws, data: SiteEstimates) -> Floats:
        """Log-density of each block's estimates, site effects integrated out, shape (n, B)."""
        return site_slope_draws.log_likelihood(self, draws, data)

    def _shown(self) -> Shown:
        from bayesmed.generative.display import shown_model, site_equations

        return shown_model(self, site_equations(self))
