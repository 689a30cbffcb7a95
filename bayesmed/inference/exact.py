"""The exact engine: a posterior by quadrature, its moments and quantiles, and draws from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.signal import find_peaks
from scipy.special import ndtr, ndtri

from bayesmed.core.names import SLOPE
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.generative.protocol import Density, Model
from bayesmed.inference import quadrature
from bayesmed.inference.quadrature import Grid

PROBABILITIES = (0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975)
# A second maximum counts as a mode when the density falls by a tenth between the two and it
# rises to a twentieth of the first.
MODE_HEIGHT = 0.05
MODE_DIP = 0.1
# Probability of the nodes left out of the quantiles of a mixture over the grid.
DROPPED = 1e-8


@dataclass(frozen=True)
class Summary:
    """Mean, standard deviation and quantiles (at ``PROBABILITIES``) of one parameter."""

    mean: float
    sd: float
    quantiles: tuple[float, ...]


@dataclass(frozen=True)
class Mode:
    """A maximum of a marginal posterior density and the probability of the hill it stands on."""

    at: float
    probability: float


@dataclass(frozen=True)
class ExactPosterior:
    """A posterior integrated by quadrature; made by :func:`exact_posterior`.

    ``log_marginal_likelihood`` is that of the estimates in data units.
    """

    density: Density
    grid: Grid

    @property
    def log_marginal_likelihood(self) -> float:
        """Log of the prior predictive density of the observed estimates."""
        return self.grid.log_integral

    def marginal(self, name: str, points: int = 4001) -> tuple[Floats, Floats, Floats]:
        """Values, density and cumulative probability of one axis on a fine grid."""
        axis = self.density.axes.index(name)
        u, _, cumulative = quadrature.fine_marginal(self.grid, axis, points)
        inputs = [u if i == axis else a.value(a.t[:1]) for i, a in enumerate(self.grid.axes)]
        value = self.density.values(inputs)[axis]
        return value, np.gradient(cumulative, value), cumulative

    def summary(self, name: str) -> Summary:
        """Summarise an axis of the grid."""
        value, _, cumulative = self.marginal(name)
        middle, mass = (value[1:] + value[:-1]) / 2, np.diff(cumulative)
        mean = float(middle @ mass)
        sd = float(np.sqrt((middle - mean) ** 2 @ mass))
        return Summary(mean, sd, tuple(np.interp(PROBABILITIES, cumulative, value).tolist()))

    def summaries(self) -> dict[str, Summary]:
        """Summarise every parameter, those integrated in closed form included."""
        found = {name: self.summary(name) for name in self.density.axes}
        inputs = [a.value(a.t) for a in self.grid.axes]
        for name, (mean, var) in self.density.means_on_grid(inputs).items():
            found[name] = _mixture(self.grid.mass.ravel(), mean.ravel(), var.ravel())
        return found

    def modes(self, name: str = SLOPE) -> tuple[Mode, ...]:
        """Maxima of the marginal density of an axis, the most probable first."""
        return _modes(*self.marginal(name))

    def draws(self, n: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Draw all parameters independently, arrays of shape (n,)."""
        u = quadrature.draw(self.grid, self.density.at_points, n, rng)
        return self.density.parameters_at(u, rng)


def exact_posterior(
    model: Model, data: SiteEstimates, *, tolerance: float = quadrature.LINE_TOLERANCE
) -> ExactPosterior:
    """Integrate the posterior of a model with at most three dimensions left.

    Parameters
    ----------
    model, data
        What to integrate.
    tolerance
        Largest accepted L1 change when the grid of an axis is halved. The default puts moments
        and quantiles of every parameter within about 1e-3 of a posterior standard deviation, most
        far closer; 3e-3 does so for the slope in half the time.

    Raises
    ------
    ModelError
        If the model or a prior does not allow it.
    QuadratureError
        If the density cannot be resolved on a grid of reasonable size.
    """
    density = model.density(data)
    grid = quadrature.integrate(density.on_grid, density.bounds(), tolerance)
    return ExactPosterior(density, grid)


def sampled_modes(draws: Floats) -> tuple[Mode, ...]:
    """Maxima of a smoothed density of draws, the most probable first.

    Draws are smoothed on an inverse hyperbolic sine scale: with few sites the slope has tails so
    long that on its own scale every outlying clump of draws would look like a mode.
    """
    from arviz_stats.base import array_stats

    draws = draws[np.isfinite(draws)]
    if draws.size == 0 or np.ptp(draws) == 0:
        return (Mode(float(draws[0]) if draws.size else math.nan, 1.0),)
    low, middle, high = np.quantile(draws, [0.16, 0.5, 0.84])
    unit = (high - low) / 2 or float(np.std(draws))
    t, density, _ = array_stats.kde(np.arcsinh((draws - middle) / unit))
    cumulative = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    value = middle + unit * np.sinh(t)
    return _modes(value, density / (unit * np.cosh(t)), cumulative / cumulative[-1])


def _modes(value: Floats, density: Floats, cumulative: Floats) -> tuple[Mode, ...]:
    padded = np.concatenate([[0.0], density, [0.0]])
    peaks, _ = find_peaks(padded, height=MODE_HEIGHT * float(density.max()))
    kept = _separated([int(p) - 1 for p in peaks], density)
    cuts = [0, *(a + int(np.argmin(density[a:b])) for a, b in pairwise(kept)), -1]
    mass = np.diff(cumulative[cuts])
    modes = [Mode(float(value[p]), float(m)) for p, m in zip(kept, mass, strict=True)]
    return tuple(sorted(modes, key=lambda m: -m.probability))


def _separated(peaks: list[int], density: Floats) -> list[int]:
    """Merge maxima between which the density hardly falls."""
    kept: list[int] = []
    for peak in peaks:
        if kept:
            lower = min(density[kept[-1]], density[peak])
            if density[kept[-1] : peak].min() > (1.0 - MODE_DIP) * lower:
                kept[-1] = max(kept[-1], peak, key=lambda i: density[i])
                continue
        kept.append(peak)
    return kept


def _mixture(mass: Floats, mean: Floats, var: Floats) -> Summary:
    """Summarise a mixture of normals."""
    average = float(mass @ mean)
    spread = float(np.sqrt(mass @ (var + (mean - average) ** 2)))
    # Nine nodes in ten hold next to nothing, and quantiles are the dear part.
    order = np.argsort(mass)
    kept = order[np.cumsum(mass[order]) > DROPPED]
    mass, mean, sd = mass[kept] / mass[kept].sum(), mean[kept], np.sqrt(var[kept])
    starts = average + spread * ndtri(PROBABILITIES)
    pairs = zip(PROBABILITIES, starts.tolist(), strict=True)
    return Summary(average, spread, tuple(_quantile(q, x, mass, mean, sd) for q, x in pairs))


def _quantile(q: float, x: float, mass: Floats, mean: Floats, sd: Floats) -> float:
    """Solve for a quantile of a mixture of normals: Newton's method, bisection where it leaves."""
    low, high = float((mean - 9 * sd).min()), float((mean + 9 * sd).max())
    for _ in range(60):
        z = (x - mean) / sd
        gap = float(mass @ ndtr(z)) - q
        if abs(gap) < 1e-10:
            return x
        low, high = (low, x) if gap > 0 else (x, high)
        slope = float((mass / sd) @ np.exp(-0.5 * z**2)) / math.sqrt(2.0 * math.pi)
        new = x - gap / slope if slope > 0 else math.inf
        x = new if low < new < high else (low + high) / 2
    return x
