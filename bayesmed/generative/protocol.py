"""What a model must offer: everything the rooms above may ask of it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from bayesmed.core.types import Floats
from bayesmed.data import PersonCovariance, SiteEstimates
from bayesmed.priors import Prior

if TYPE_CHECKING:
    import pymc as pm

type Draws = Mapping[str, Floats]


class Density(Protocol):
    """A posterior as a function of a few unbounded coordinates, for quadrature."""

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the parameters that span the grid."""

    def bounds(self) -> list[tuple[float, float]]:
        """Finite ends of each coordinate."""

    def values(self, u: Sequence[Floats]) -> list[Floats]:
        """Map coordinates to parameters."""

    def on_grid(self, u: Sequence[Floats]) -> Floats:
        """Log-density on the tensor of coordinates."""

    def at_points(self, u: Sequence[Floats]) -> Floats:
        """Log-density at scattered coordinates."""

    def means_on_grid(self, u: Sequence[Floats]) -> Mapping[str, tuple[Floats, Floats]]:
        """Conditional mean and variance, at every node, of the parameters integrated out."""

    def parameters_at(self, u: Sequence[Floats], rng: np.random.Generator) -> dict[str, Floats]:
        """All parameters at scattered coordinates, those integrated out drawn."""


class Model(Protocol):
    """A frozen description of choices and priors.

    Draws are arrays by parameter: (n,), or (n, P) and (n, C) where there is one for each mediator
    or covariate.
    """

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters with a prior, in the order outputs list them."""

    @property
    def derived(self) -> tuple[str, ...]:
        """Names of parameters that are functions of the others."""

    @property
    def by_mediator(self) -> tuple[str, ...]:
        """Names of the parameters there is one of for each mediator."""

    @property
    def through_origin(self) -> bool:
        """Whether slopes vary around a line through the origin."""

    def persons(self, data: SiteEstimates) -> PersonCovariance | None:
        """Products of persons whose covariances are parameters, or None."""

    def check_data(self, data: SiteEstimates) -> None:
        """Refuse data the model has no likelihood for."""

    def priors_for(self, data: SiteEstimates) -> dict[str, Prior]:
        """Every prior in the units of the data."""

    def structure(self, data: SiteEstimates) -> Hashable:
        """Return what must be equal for two fits to share one compiled model."""

    def graph_data(self, data: SiteEstimates) -> dict[str, Floats]:
        """Values of every data node of the graph."""

    def unstandardised(self, draws: Draws, data: SiteEstimates) -> dict[str, Floats]:
        """All parameters in data units from the variables the graph samples."""

    def build(self, data: SiteEstimates) -> pm.Model:
        """Return the PyMC model."""

    def density(self, data: SiteEstimates) -> Density:
        """Return the posterior for quadrature."""

    def prior_draws(
        self, data: SiteEstimates, n: int, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Draws of all parameters, derived ones included, from the prior."""

    def log_prior(self, draws: Draws, data: SiteEstimates) -> dict[str, Floats]:
        """Log prior density of each parameter with a prior."""

    def site_effects(
        self, draws: Draws, data: SiteEstimates, rng: np.random.Generator
    ) -> dict[str, Any]:
        """Effects of each site of the data, from their exact conditional."""

    @property
    def covariates(self) -> tuple[str, ...]:
        """Names of the covariates the model uses."""

    def covariate_values(self, data: SiteEstimates) -> Floats:
        """Covariates of the rows as the model takes them, shape (R, C)."""

    def new_site_effects(
        self,
        draws: Draws,
        covariates: Floats,
        rng: np.random.Generator,
        estimates: Any = None,
    ) -> dict[str, Any]:
        """Effects at new sites with covariates of shape (S, C), given any estimates of them."""

    def estimates(
        self, effects: Draws, draws: Draws, data: SiteEstimates, rng: np.random.Generator
    ) -> dict[str, Any]:
        """Estimates around given site effects, for draws of the parameters."""

    def log_likelihood(self, draws: Draws, data: SiteEstimates) -> Floats:
        """Log-density of each independent block of the data, shape (n, blocks)."""
