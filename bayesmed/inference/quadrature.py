"""Deterministic quadrature of a smooth density in one to three dimensions.

The trapezoidal rule converges faster than any power of the step for a smooth integrand that
vanishes at both ends, so each axis is a smooth stretched grid, and every second node is a coarser
rule of its own: their difference on each line measures the error, and an axis is refined until
that difference is small.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import CubicSpline

from bayesmed.core.errors import BayesmedError
from bayesmed.core.types import Floats

# A log-density this far below its maximum does not matter (e**-18 = 2e-8).
NEGLIGIBLE = 18.0
# Largest accepted L1 difference, per axis, between the rule and the rule with half the nodes. The
# error of the finer rule is about its square; quantiles, interpolated between nodes, need more
# nodes than moments do.
LINE_TOLERANCE = 3e-4
MAX_NODES = 2**22
PILOT_NODES = (25, 15, 15)


class QuadratureError(BayesmedError):
    """The density cannot be integrated on a grid of reasonable size: NUTS may do.

    Examples
    --------
    >>> issubclass(QuadratureError, BayesmedError)
    True
    """


@dataclass(frozen=True)
class Axis:
    """Nodes ``centre + width * sinh(t)`` at equal steps of t, from ``start``."""

    centre: float
    width: float
    start: float
    step: float
    size: int

    @property
    def t(self) -> Floats:
        """Positions before stretching, shape (size,)."""
        return np.asarray(self.start + self.step * np.arange(self.size), dtype=np.float64)

    def value(self, t: Floats) -> Floats:
        """Stretch positions to values."""
        return self.centre + self.width * np.sinh(t)

    def log_stretch(self, t: Floats) -> Floats:
        """Logarithm of the derivative of ``value``."""
        return np.log(self.width * np.cosh(t))

    @classmethod
    def over(cls, low: float, high: float, centre: float, width: float, step: float) -> Axis:
        """Cover [low, high] with an odd number of nodes at steps of at most ``step``."""
        start, end = np.arcsinh((np.array([low, high]) - centre) / width)
        size = 2 * int(np.ceil((end - start) / step / 2)) + 1
        size = max(size, 5)
        return cls(centre, width, float(start), float((end - start) / (size - 1)), size)


@dataclass(frozen=True)
class Grid:
    """A density on a tensor grid.

    ``log_density`` is that of the values, ``mass`` the probability of each node: both of shape
    (size of axis 1, ...). ``log_integral`` is the log of the normalising constant and ``error``
    the largest remaining line difference between the rule and its half.
    """

    axes: tuple[Axis, ...]
    log_density: Floats
    mass: Floats
    log_integral: float
    error: float

    def marginal(self, axis: int) -> tuple[Floats, Floats]:
        """Positions t and probabilities of the nodes of one axis."""
        others = tuple(i for i in range(self.mass.ndim) if i != axis)
        return self.axes[axis].t, self.mass.sum(axis=others)


type LogDensity = Callable[[Sequence[Floats]], Floats]


def integrate(
    log_density: LogDensity,
    bounds: Sequence[tuple[float, float]],
    tolerance: float = LINE_TOLERANCE,
) -> Grid:
    """Integrate a density over a box.

    Parameters
    ----------
    log_density
        Takes one array of values per axis and returns the tensor of log-densities.
    bounds
        Finite ends of each axis, at and outside which there is nothing.
    tolerance
        Largest accepted difference, per axis, between the rule and its half.

    Returns
    -------
    Grid

    Raises
    ------
    QuadratureError
        If the density is nowhere finite or the grid would exceed ``MAX_NODES``.
    """
    axes = _locate(log_density, bounds)
    for _ in range(24):
        grid, differences = _evaluate(log_density, axes)
        wider = tuple(_extended(grid, i, ends) for i, ends in enumerate(bounds))
        coarse = [i for i, d in enumerate(differences) if d > tolerance]
        if wider == axes:
            if not coarse:
                return grid
            wider = tuple(_halved(a) if i in coarse else a for i, a in enumerate(axes))
        axes = wider
        if np.prod([float(a.size) for a in axes]) > MAX_NODES:
            break
    raise QuadratureError("The posterior is too rough for the exact engine: use engine nuts.")


def _halved(axis: Axis) -> Axis:
    return replace(axis, step=axis.step / 2, size=2 * axis.size - 1)


def _extended(grid: Grid, i: int, bounds: tuple[float, float]) -> Axis:
    """Extend an axis at the ends that still hold mass, by whole pairs of steps."""
    axis = grid.axes[i]
    _, mass = grid.marginal(i)
    held = mass > mass.max() * np.exp(-0.85 * NEGLIGIBLE)
    ends = np.asarray(axis.value(axis.t[[0, -1]]))
    reach = 2 * (axis.size // 8 + 1)
    below = reach if held[0] and ends[0] > bounds[0] else 0
    above = reach if held[-1] and ends[1] < bounds[1] else 0
    return replace(axis, start=axis.start - below * axis.step, size=axis.size + below + above)


def _tensor(log_density: LogDensity, axes: Sequence[Axis]) -> tuple[Floats, Floats]:
    """Log-density of the values, and of the stretched positions, at every node."""
    values = log_density([a.value(a.t) for a in axes])
    values = np.where(np.isnan(values), -np.inf, values)
    stretched = values
    for i, axis in enumerate(axes):
        shape = [1] * len(axes)
        shape[i] = axis.size
        stretched = stretched + axis.log_stretch(axis.t).reshape(shape)
    return values, stretched


def _evaluate(log_density: LogDensity, axes: tuple[Axis, ...]) -> tuple[Grid, list[float]]:
    values, stretched = _tensor(log_density, axes)
    top = float(stretched.max())
    if not np.isfinite(top):
        raise QuadratureError("The posterior has no finite density: use engine nuts to look.")
    mass = np.exp(stretched - top)
    total = float(mass.sum())
    mass /= total
    differences = []
    for i in range(len(axes)):
        even = mass.take(range(0, mass.shape[i], 2), axis=i).sum(axis=i)
        differences.append(float(np.abs(mass.sum(axis=i) - 2.0 * even).sum()))
    step = float(np.sum([np.log(a.step) for a in axes]))
    grid = Grid(axes, values, mass, top + np.log(total) + step, max(differences))
    return grid, differences


def _locate(log_density: LogDensity, bounds: Sequence[tuple[float, float]]) -> tuple[Axis, ...]:
    """Zoom in on where the density is, and size the axes by its marginals."""
    sizes = PILOT_NODES[: len(bounds)]
    axes = tuple(
        Axis.over(low, high, (low + high) / 2, (high - low) / 10, 2 * np.arcsinh(5) / (n - 1))
        for (low, high), n in zip(bounds, sizes, strict=True)
    )
    for _ in range(40):
        _, stretched = _tensor(log_density, axes)
        top = stretched.max()
        if not np.isfinite(top):
            raise QuadratureError("The posterior has no finite density: use engine nuts to look.")
        zoomed = tuple(
            _zoom(a, i, stretched - top, n)
            for i, (a, n) in enumerate(zip(axes, sizes, strict=True))
        )
        if all(_resolved(a, i, stretched - top) for i, a in enumerate(axes)):
            return tuple(_sized(a, i, stretched - top) for i, a in enumerate(axes))
        axes = zoomed
    raise QuadratureError("The posterior could not be located: use engine nuts.")


def _profile(stretched: Floats, axis: int) -> Floats:
    others = tuple(i for i in range(stretched.ndim) if i != axis)
    return np.asarray(stretched.max(axis=others)) if others else stretched


def _core(axis: Axis, i: int, stretched: Floats) -> tuple[float, float]:
    """Median and half the central 68 % range of a marginal, from a coarse grid."""
    others = tuple(k for k in range(stretched.ndim) if k != i)
    mass = np.exp(stretched).sum(axis=others)
    edges = np.concatenate([[0.0], np.cumsum(mass)]) / mass.sum()
    t = axis.start + axis.step * (np.arange(axis.size + 1) - 0.5)
    low, middle, high = axis.value(np.interp([0.16, 0.5, 0.84], edges, t))
    return float(middle), float(high - low) / 2


def _support(axis: Axis, i: int, stretched: Floats) -> tuple[float, float]:
    """Values between which the profile is not negligible, one node wider."""
    kept = np.flatnonzero(_profile(stretched, i) > -NEGLIGIBLE)
    first, last = max(kept[0] - 1, 0), min(kept[-1] + 1, axis.size - 1)
    low, high = axis.value(axis.t[[first, last]])
    return float(low), float(high)


def _zoom(axis: Axis, i: int, stretched: Floats, nodes: int) -> Axis:
    low, high = _support(axis, i, stretched)
    centre, spread = _core(axis, i, stretched)
    centre = min(max(centre, low), high)
    spread = min(max(spread, (high - low) / 1e4), high - low)
    span = np.arcsinh((high - centre) / spread) - np.arcsinh((low - centre) / spread)
    return Axis.over(low, high, centre, spread, float(span) / (nodes - 1))


def _resolved(axis: Axis, i: int, stretched: Floats) -> bool:
    """Whether at least four nodes lie where the profile is within two of its maximum."""
    return int((_profile(stretched, i) > -2.0).sum()) >= 4


def _sized(axis: Axis, i: int, stretched: Floats) -> Axis:
    low, high = _support(axis, i, stretched)
    centre, spread = _core(axis, i, stretched)
    return Axis.over(low, high, centre, 1.5 * spread, 0.5)


def fine_marginal(grid: Grid, axis: int, points: int = 4001) -> tuple[Floats, Floats, Floats]:
    """Values, density and cumulative probability of one axis on a fine grid.

    The logarithm of the marginal is interpolated by a cubic spline: for a density that is nearly
    normal that is nearly exact.
    """
    t, mass = grid.marginal(axis)
    kept = np.flatnonzero(mass > np.exp(-1.5 * NEGLIGIBLE))
    t, mass = t[kept[0] : kept[-1] + 1], mass[kept[0] : kept[-1] + 1]
    spline = CubicSpline(t, np.log(np.maximum(mass, 1e-300)))
    fine = np.linspace(t[0], t[-1], points)
    density = np.exp(spline(fine))
    step = fine[1] - fine[0]
    cumulative = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2) * step])
    scale = cumulative[-1]
    stretch = np.exp(grid.axes[axis].log_stretch(fine))
    return grid.axes[axis].value(fine), density / scale / stretch, cumulative / scale


def draw(
    grid: Grid,
    log_density: Callable[[Sequence[Floats]], Floats],
    n: int,
    rng: np.random.Generator,
) -> list[Floats]:
    """Draw independently from the density by rejection from its multilinear interpolant.

    Parameters
    ----------
    grid
        From ``integrate``.
    log_density
        Log-density at scattered points: one array of shape (m,) per axis to an array (m,).
    n
        Number of draws.

    Returns
    -------
    list of arrays
        One of shape (n,) per axis.
    """
    accepted: list[Floats] = []
    count, bound = 0, None
    flat = np.cumsum(grid.mass.ravel())
    while count < n:
        m = int(1.7 * (n - count)) + 64
        # A node by its probability, then a triangular step: the multilinear interpolant.
        node = np.searchsorted(flat, rng.uniform(0.0, flat[-1], m), side="right")
        index = np.unravel_index(np.minimum(node, flat.size - 1), grid.mass.shape)
        position = [k + rng.triangular(-1.0, 0.0, 1.0, m) for k in index]
        proposal = _interpolated(grid.mass, position)
        t = [a.start + a.step * p for a, p in zip(grid.axes, position, strict=True)]
        target = log_density([a.value(x) for a, x in zip(grid.axes, t, strict=True)])
        target = target + sum(
            a.log_stretch(x) + np.log(a.step) for a, x in zip(grid.axes, t, strict=True)
        )
        ratio = np.exp(np.where(np.isnan(target), -np.inf, target) - grid.log_integral) / proposal
        if bound is None:
            bound = float(np.quantile(ratio, 0.9995)) * 1.02
        keep = rng.uniform(0.0, bound, m) < ratio
        values = [a.value(x)[keep] for a, x in zip(grid.axes, t, strict=True)]
        accepted.append(np.stack(values))
        count += int(keep.sum())
    joined = np.concatenate(accepted, axis=1)[:, :n]
    return list(joined)


def _interpolated(mass: Floats, position: Sequence[Floats]) -> Floats:
    """Multilinear interpolation of node probabilities, zero one step outside the grid."""
    padded = np.pad(mass, 1)
    base = [np.floor(p).astype(np.int64) for p in position]
    value = np.zeros(position[0].shape)
    for corner in np.ndindex(*(2,) * mass.ndim):
        weight = np.ones_like(value)
        for bit, b, p in zip(corner, base, position, strict=True):
            weight *= (p - b) if bit else (1.0 - (p - b))
        value += weight * padded[tuple(b + bit + 1 for b, bit in zip(base, corner, strict=True))]
    return value
