"""The constant site-slope model as a density in two or three dimensions, for quadrature.

The axes are the slope and the logarithms of the standard deviations (or the transformation that
fits the support of their priors); both population means are integrated out in closed form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bayesmed.core.errors import ModelError
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
from bayesmed.formulas.site_slope import SamplingCovariance
from bayesmed.formulas.site_slope_integrated import (
    IntegratedDensity,
    NormalPrior,
    integrated_log_density,
)
from bayesmed.generative.site_model import SiteModel
from bayesmed.priors import Prior

# Numbers held at once by one evaluation: small enough to stay in a processor's cache.
CHUNK = 2**17
TAIL = 1e-12


@dataclass(frozen=True)
class Coordinate:
    """An unbounded coordinate for a parameter with a given prior."""

    prior: Prior

    def value(self, u: Floats) -> Floats:
        """Map the coordinate to the parameter."""
        low, high = self.prior.support
        if np.isinf(high):
            return u if np.isinf(low) else np.exp(u)
        return low + (high - low) / (1.0 + np.exp(-u))

    def log_prior(self, u: Floats) -> Floats:
        """Log prior density of the coordinate."""
        low, high = self.prior.support
        density = self.prior.log_density(self.value(u))
        if np.isinf(high):
            return density if np.isinf(low) else density + u
        jacobian = np.log(high - low) - np.logaddexp(0, u) - np.logaddexp(0, -u)
        return np.asarray(density + jacobian)

    def bounds(self) -> tuple[float, float]:
        """Coordinates outside which the prior holds nothing."""
        low, high = self.prior.support
        if np.isfinite(high):
            return -30.0, 30.0
        q_low, q_high = self.prior.quantile(np.array([TAIL, 1.0 - TAIL]))
        if np.isinf(low):
            return float(q_low), float(q_high)
        middle = float(np.log(self.prior.quantile(0.5)))
        return min(float(np.log(q_low)), middle) - 3.0, float(np.log(q_high)) + 0.5


@dataclass(frozen=True, eq=False)
class SiteSlopeDensity:
    """The posterior of one data set under one constant site-slope model, up to a constant.

    Made by :func:`site_slope_density`. ``origin`` is subtracted from the estimates, so that
    squares keep their digits.
    """

    model: SiteModel
    data: SiteEstimates
    priors: Mapping[str, Prior]
    cov: SamplingCovariance
    centre: float
    origin: Floats

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the parameters that are not integrated in closed form."""
        first = (SLOPE, MEDIATOR_EFFECT_SD)
        return (*first, DIRECT_EFFECT_SD) if self.model.direct_effect else first

    @property
    def coordinates(self) -> tuple[Coordinate, ...]:
        """Unbounded coordinates of the axes."""
        return tuple(Coordinate(self.priors[name]) for name in self.axes)

    def bounds(self) -> list[tuple[float, float]]:
        """Finite ends of each coordinate."""
        return [c.bounds() for c in self.coordinates]

    def on_grid(self, u: Sequence[Floats]) -> Floats:
        """Log-density on the tensor of coordinates, shape (len(u[0]), len(u[1]), ...)."""
        slope, sd = np.meshgrid(u[0], u[1], indexing="ij")
        residual = u[2] if self.model.direct_effect else None
        pieces = [piece.log_density for piece in self._pieces(slope, sd, residual)]
        density = np.concatenate(pieces)
        for i, (c, x) in enumerate(zip(self.coordinates, u, strict=True)):
            density = density + c.log_prior(x).reshape([-1 if k == i else 1 for k in range(3)])
        return density if self.model.direct_effect else density[..., 0]

    def at_points(self, u: Sequence[Floats]) -> Floats:
        """Log-density at scattered coordinates, shape (m,)."""
        residual = u[2][:, None] if self.model.direct_effect else None
        density = self._whole(u[0], u[1], residual).log_density[:, 0]
        prior = sum(c.log_prior(x) for c, x in zip(self.coordinates, u, strict=True))
        return density + prior

    def values(self, u: Sequence[Floats]) -> list[Floats]:
        """Map coordinates to the parameters of ``axes``."""
        return [c.value(x) for c, x in zip(self.coordinates, u, strict=True)]

    def means_on_grid(self, u: Sequence[Floats]) -> dict[str, tuple[Floats, Floats]]:
        """Conditional mean and variance of the population means on the tensor of coordinates."""
        slope, sd = np.meshgrid(u[0], u[1], indexing="ij")
        given = self._whole(slope, sd, u[2] if self.model.direct_effect else None)
        moments = {MEDIATOR_EFFECT_MEAN: (self.origin[0] + given.mediator_mean, given.mediator_var)}
        if not self.model.direct_effect:
            return {name: (mean[..., 0], var[..., 0]) for name, (mean, var) in moments.items()}
        total = self.origin[1] + given.intercept_mean
        moments[TOTAL_EFFECT_AT_CENTRE] = (total, given.intercept_var)
        shift = self.coordinates[0].value(u[0])[:, None, None] * self.centre
        moments[DIRECT_EFFECT_MEAN] = (total - shift, given.intercept_var)
        return moments

    def parameters_at(self, u: Sequence[Floats], rng: np.random.Generator) -> dict[str, Floats]:
        """Parameters in data units, the two means drawn given the coordinates."""
        residual = u[2][:, None] if self.model.direct_effect else None
        given = IntegratedDensity(*(x[:, 0] for x in self._whole(u[0], u[1], residual)))
        drawn = {n: c.value(x) for n, c, x in zip(self.axes, self.coordinates, u, strict=True)}
        z = rng.standard_normal((2, u[0].size))
        drawn[MEDIATOR_EFFECT_MEAN] = (
            self.origin[0] + given.mediator_mean + z[0] * np.sqrt(given.mediator_var)
        )
        if self.model.direct_effect:
            coefficient = given.cross_var / given.mediator_var
            left = np.sqrt(np.maximum(given.intercept_var - coefficient * given.cross_var, 0.0))
            total = given.intercept_mean + coefficient * z[0] * np.sqrt(given.mediator_var)
            drawn[TOTAL_EFFECT_AT_CENTRE] = self.origin[1] + total + z[1] * left
            drawn[DIRECT_EFFECT_MEAN] = drawn[TOTAL_EFFECT_AT_CENTRE] - drawn[SLOPE] * self.centre
        return {n: v[:, None] if n in self.model.by_mediator else v for n, v in drawn.items()}

    def _whole(self, slope: Floats, sd: Floats, residual: Floats | None) -> IntegratedDensity:
        """Evaluate everywhere, moments included."""
        pieces = zip(*self._pieces(slope, sd, residual), strict=True)
        return IntegratedDensity(*(np.concatenate(x) for x in pieces))

    def _pieces(
        self, slope: Floats, sd: Floats, residual: Floats | None
    ) -> Iterator[IntegratedDensity]:
        """Evaluate in pieces of the first axis; coordinates in, moments about the origin out."""
        values = [c.value for c in self.coordinates]
        slope, sd = values[0](slope), values[1](sd)
        residual_sd = np.zeros(1) if residual is None else values[2](residual)
        shared = residual_sd.ndim == 1
        per_row = self.data.n_rows * residual_sd.shape[-1] * int(np.prod(slope.shape[1:]))
        rows = max(1, CHUNK // max(per_row, 1))
        for start in range(0, slope.shape[0], rows):
            part = slice(start, start + rows)
            yield self._evaluate(
                slope[part], sd[part], residual_sd if shared else residual_sd[part]
            )

    def _evaluate(self, slope: Floats, sd: Floats, residual_sd: Floats) -> IntegratedDensity:
        mediator, intercept = self.priors[MEDIATOR_EFFECT_MEAN].parameters, None
        centre = self.centre - self.origin[0]
        if self.model.direct_effect:
            prior = self.priors[self.model.intercept].parameters
            mean: Floats = np.broadcast_to(prior["mu"] - self.origin[1], slope.shape)
            if self.model.intercept == DIRECT_EFFECT_MEAN:
                mean = mean + slope * self.centre
            intercept = NormalPrior(mean, prior["sigma"])
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return integrated_log_density(
                self.data.mediator_effect[:, 0] - self.origin[0],
                self.data.total_effect - self.origin[1],
                self.cov,
                slope=slope,
                mediator_effect_sd=sd,
                direct_effect_sd=residual_sd,
                mediator_effect_mean=NormalPrior(
                    mediator["mu"] - self.origin[0], mediator["sigma"]
                ),
                total_effect_at_centre=intercept,
                centre=centre,
            )


def site_slope_density(model: SiteModel, data: SiteEstimates) -> SiteSlopeDensity:
    """Prepare the density of a model and its data for quadrature.

    Raises
    ------
    DataError
        If the model has no likelihood for the data.
    ModelError
        If a population mean has a prior that is not normal, or the model has more than a constant
        slope of one mediator at independent sites: the integral is not closed then.
    """
    model.check_data(data)
    _check_dimensions(model, data)
    priors = model.priors_for(data)
    for name in (MEDIATOR_EFFECT_MEAN, model.intercept):
        if name in priors and priors[name].distribution != "Normal":
            raise ModelError(
                f"The exact engine needs a Normal prior on {name}, not {priors[name]}.",
                "Use engine nuts.",
            )
    origin = np.zeros(2)
    if model.direct_effect:
        origin = np.array([data.mediator_effect[:, 0].mean(), data.total_effect.mean()])
    cov = SamplingCovariance.of(data.cov)
    return SiteSlopeDensity(model, data, priors, cov, model.scale(data).centre, origin)


def _check_dimensions(model: SiteModel, data: SiteEstimates) -> None:
    """Refuse models with more parameters than can be spanned by a grid."""
    for what, is_there in (
        (f'slope = "{model.slope}"', model.slope != "constant"),
        ("Student-t direct effects", model.robust),
        ("a correlation of direct and mediator effects", model.correlated),
        ("covariates", bool(model.covariates)),
        ("several mediators", data.n_mediators > 1),
        ("shared control groups", data.n_blocks < data.n_rows),
    ):
        if is_there:
            raise ModelError(f"The exact engine cannot take {what}.", "Use engine nuts.")
