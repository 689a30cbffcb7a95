r"""Every site-slope model, block by block: several mediators, varying slopes, shared controls.

A block is K rows (sites, or arms that share a control group) with P mediators each, so it holds
N = KP mediator effects :math:`\gamma_b` and K total effects

.. math::
    \beta_r = a_r + f(\gamma_r) + e_r,\qquad
    f(\gamma_r) = \sum_p \delta_p\gamma_{rp} + \delta_{1p}\gamma_{rp}^2 + \delta_{2p}\gamma_{rp}^3,
    \qquad e_r \sim N(0,\ \sigma^2 + \gamma_r'RR'\gamma_r),

with :math:`\gamma_r\sim N(\mu,\Omega)` (Fu 2023, section 4, Proposition 1 and Remark 1; methods
section 2). Slopes vary with covariance :math:`RR'`, the diagonal of :math:`\sigma_{\delta p}^2`
where they are unrelated, and may go with mediator effects: C(γ − μ) is then added to them
(methods section 3). Estimates have the sampling covariance of the block. With :math:`q_r` the
coefficients of the error of :math:`\hat\beta_r` on those of :math:`\hat\gamma_b`,

.. math::
    \hat\beta_r \mid \hat\gamma_b,\gamma_b \;\sim\;
    N\{a_r + f(\gamma_r) + q_r'(\hat\gamma_b - \gamma_b),\ W + \mathrm{diag}\,\mathrm{Var}(e)\}.

Where f is a line and nothing else varies, :math:`\gamma_b` is integrated in closed form. Elsewhere
it is written as a function of standardised coordinates z that are standard normal and independent
of everything where the curve is straight, and nearly so where it is not: to be sampled, or
integrated over a few nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bayesmed.core.types import ArrayLike
from bayesmed.formulas.linear_gaussian import (
    Known,
    Matrix,
    Vector,
    dot,
    identity,
    measure,
    unit_lower,
)
from bayesmed.formulas.site_slope import LOG_2PI


class Blocks(NamedTuple):
    """Estimates of B blocks and their sampling covariance, taken apart; entries have shape (B,).

    Attributes
    ----------
    mediator
        The N estimated mediator effects, row by row.
    outcome
        The K estimated total effects.
    inverse, noise_sd
        N by N unit lower triangular matrix that makes the errors of ``mediator`` uncorrelated,
        and the N standard deviations they then have.
    carry
        K by N coefficients q of the errors of ``outcome`` on those of ``mediator``.
    outcome_noise
        K by K covariance W of the errors of ``outcome`` given those of ``mediator``.
    present
        K masks, 1 for a row that is there and 0 for padding; ``None`` where nothing is padded.
    """

    mediator: Vector
    outcome: Vector
    inverse: Matrix
    noise_sd: Vector
    carry: Matrix
    outcome_noise: Matrix
    present: Vector | None = None

    @property
    def rows(self) -> int:
        """Rows of a block, K."""
        return len(self.outcome)


class Curve(NamedTuple):
    r"""How total effects depend on mediator effects, one entry for each mediator.

    ``intercept`` holds :math:`a_r` of the K rows; ``slope, slope_linear, slope_quadratic`` are
    :math:`\delta_0,\delta_1,\delta_2`; ``slope_sd`` is :math:`\sigma_\delta` and
    ``residual_variance`` :math:`\sigma^2`. Those that a model has not are the number 0.
    ``slope_root`` is R, lower triangular; ``slope_on_effect`` is C, and ``centre`` is μ.
    """

    intercept: Sequence[ArrayLike]
    slope: Sequence[ArrayLike]
    residual_variance: ArrayLike = 0.0
    slope_linear: Sequence[ArrayLike] = ()
    slope_quadratic: Sequence[ArrayLike] = ()
    slope_root: Sequence[Sequence[ArrayLike]] = ()
    slope_on_effect: Sequence[Sequence[ArrayLike]] = ()
    centre: Sequence[ArrayLike] = ()

    @property
    def is_polynomial(self) -> bool:
        """Whether the curve may bend."""
        return bool(self.slope_linear)

    def height(self, gamma: Sequence[ArrayLike]) -> ArrayLike:
        r"""Return :math:`f(\gamma)`."""
        return dot(self.site_slopes(gamma), gamma)

    def site_slopes(self, gamma: Sequence[ArrayLike]) -> Vector:
        r"""Return the expected slope of each mediator given mediator effects.

        :math:`\delta_0+\delta_1\gamma+\delta_2\gamma^2` (Remark 1), or
        :math:`\delta+C(\gamma-\mu)`.
        """
        if self.slope_on_effect:
            away = self._away(gamma)
            pairs = zip(self.slope, self.slope_on_effect, strict=True)
            return [a + dot(row, away) for a, row in pairs]
        if not self.is_polynomial:
            return list(self.slope)
        each = zip(self.slope, self.slope_linear, self.slope_quadratic, gamma, strict=True)
        return [a + (b + c * x) * x for a, b, c, x in each]

    def gradient(self, gamma: Sequence[ArrayLike]) -> Vector:
        r"""Return :math:`f'(\gamma)` of each mediator."""
        if self.slope_on_effect:
            columns = zip(*self.slope_on_effect, strict=True)
            pairs = zip(self.site_slopes(gamma), columns, strict=True)
            return [a + dot(column, gamma) for a, column in pairs]
        if not self.is_polynomial:
            return list(self.slope)
        each = zip(self.slope, self.slope_linear, self.slope_quadratic, gamma, strict=True)
        return [a + (2.0 * b + 3.0 * c * x) * x for a, b, c, x in each]

    def variance(self, gamma: Sequence[ArrayLike], root: Matrix | None = None) -> ArrayLike:
        r"""Return :math:`\mathrm{Var}(e_r)` at the row's mediator effects.

        With ``root``, the mean of that variance over effects of mean ``gamma`` and covariance
        ``root root'``.
        """
        total = self.residual_variance
        for own in zip(*self.slope_root, strict=True):
            along = [dot(own, gamma)]
            if root is not None:
                along += [dot(own, column) for column in zip(*root, strict=True)]
            total = total + dot(along, along)
        return total

    def slope_on_error(self, gamma: Sequence[ArrayLike]) -> Vector:
        r"""Return :math:`RR'\gamma`, the covariances of a row's slopes with its :math:`e_r`."""
        felt = [dot(own, gamma) for own in zip(*self.slope_root, strict=True)]
        return [dot(row, felt) for row in self.slope_root]

    def _away(self, gamma: Sequence[ArrayLike]) -> Vector:
        return [x - m for x, m in zip(gamma, self.centre, strict=True)]


class Given(NamedTuple):
    r"""Mediator effects of blocks given their estimates, and the density of those estimates."""

    known: Known
    log_density: ArrayLike


class Coordinates(NamedTuple):
    r"""Mediator effects as :math:`\gamma = m + L(a + Az)`.

    ``centre`` and ``spread`` are a and A; ``log_shrinkage`` is :math:`\log|A|`; ``log_density``
    that of the total effects' estimates where the curve is a line and its spread constant.
    """

    centre: Vector
    spread: Matrix
    log_shrinkage: ArrayLike
    log_density: ArrayLike


def given_mediator_estimates(blocks: Blocks, mean: Sequence[ArrayLike], root: Matrix) -> Given:
    r"""Condition mediator effects on their own estimates.

    Parameters
    ----------
    blocks
        The estimates.
    mean, root
        :math:`\mu` (P entries) and L with :math:`\Omega = LL'` (P by P, lower triangular).
    """
    p = len(mean)
    n = blocks.rows * p
    inside = [[i // p == j // p for j in range(n)] for i in range(n)]
    whole = [[root[i % p][j % p] if inside[i][j] else 0.0 for j in range(n)] for i in range(n)]
    known, total = Known(list(mean) * blocks.rows, whole), 0.0
    for i in range(n):
        value = dot(blocks.inverse[i], blocks.mediator)
        found = measure(known, value, blocks.inverse[i], blocks.noise_sd[i])
        known = found.known
        total = total + _masked(found.log_density, blocks.present, i // p)
    return Given(known, total)


def coordinates(given: Given, blocks: Blocks, curve: Curve) -> Coordinates:
    r"""Choose coordinates in which mediator effects given all estimates are nearly standard normal.

    The curve is taken as its tangent at the mean given the mediators' estimates, and the spread of
    the slopes at its mean there. For a constant slope that is no approximation: ``log_density`` is
    then :math:`\log p(\hat\beta_b\mid\hat\gamma_b)`.
    """
    n, k_rows = len(given.known.mean), blocks.rows
    residuals, loadings, noise = _along_tangent(given, blocks, curve)
    inverse, variance = unit_lower(_with_diagonal(blocks.outcome_noise, noise))
    state = Known([0.0] * n, identity(n))
    log_shrinkage: ArrayLike = 0.0
    log_density: ArrayLike = 0.0
    for r in range(k_rows):
        value = dot(inverse[r], residuals)
        loading = [dot(inverse[r], [row[k] for row in loadings]) for k in range(n)]
        found = measure(state, value, loading, np.sqrt(variance[r]))
        state = found.known
        log_density = log_density + _masked(found.log_density, blocks.present, r)
        log_shrinkage = log_shrinkage + 0.5 * np.log(variance[r] / found.variance)
    return Coordinates(state.mean, state.root, log_shrinkage, log_density)


def unmoved(n: int) -> Coordinates:
    r"""Return the coordinates of N mediator effects given their own estimates: :math:`\zeta=z`."""
    return Coordinates([0.0] * n, identity(n), 0.0, 0.0)


def outcome_given_mediator_estimates(
    given: Given, blocks: Blocks, curve: Curve
) -> tuple[ArrayLike, ArrayLike]:
    r"""Return the residual and the variance of :math:`\hat\beta\mid\hat\gamma_b`.

    For blocks of one row. Exact for a constant slope; along the tangent otherwise.
    """
    (residual,), (loading,), (noise,) = _along_tangent(given, blocks, curve)
    return residual, dot(loading, loading) + blocks.outcome_noise[0][0] + noise


def _along_tangent(given: Given, blocks: Blocks, curve: Curve) -> tuple[Vector, Matrix, Vector]:
    r"""Return residuals at m, their loadings on :math:`\zeta`, and Var(e), of each row."""
    known, n = given.known, len(given.known.mean)
    p = n // blocks.rows
    residuals, loadings, noise = [], [], []
    for r in range(blocks.rows):
        own = slice(r * p, (r + 1) * p)
        residuals.append(_residual(blocks, curve, known.mean, r))
        tangent: Vector = [0.0] * n
        tangent[own] = curve.gradient(known.mean[own])
        tangent = [t - q for t, q in zip(tangent, blocks.carry[r], strict=True)]
        loadings.append([dot([row[k] for row in known.root], tangent) for k in range(n)])
        noise.append(curve.variance(known.mean[own], known.root[own]))
    return residuals, loadings, noise


def mediator_effects(
    given: Given, where: Coordinates, z: Sequence[ArrayLike]
) -> tuple[Vector, Vector]:
    r"""Return :math:`\zeta=a+Az` and the mediator effects :math:`m+L\zeta` at coordinates z."""
    zeta = [c + dot(row, z) for c, row in zip(where.centre, where.spread, strict=True)]
    pairs = zip(given.known.mean, given.known.root, strict=True)
    return zeta, [m + dot(row, zeta) for m, row in pairs]


def log_ratio(
    given: Given, where: Coordinates, zeta: Sequence[ArrayLike], z: Sequence[ArrayLike]
) -> ArrayLike:
    r"""Log-density of the mediators' estimates and coordinates, over that of standard normal z.

    .. math::
        \log p(\hat\gamma_b) + \log\varphi(\zeta) + \log|A| - \log\varphi(z)

    With :math:`\log p(\hat\beta_b\mid\hat\gamma_b,\gamma_b)` added, its exponential averaged over
    standard normal z is the density of all estimates; added to the log-density of standard normal
    z it makes them coordinates of the posterior.
    """
    return given.log_density + where.log_shrinkage - 0.5 * (dot(zeta, zeta) - dot(z, z))


def outcome_log_density(blocks: Blocks, curve: Curve, gamma: Sequence[ArrayLike]) -> ArrayLike:
    r"""Log-density :math:`\log p(\hat\beta_b\mid\hat\gamma_b,\gamma_b)`."""
    residuals, noise = outcome_residuals(blocks, curve, gamma)
    inverse, variance = unit_lower(_with_diagonal(blocks.outcome_noise, noise))
    total: ArrayLike = 0.0
    for r in range(blocks.rows):
        value = dot(inverse[r], residuals)
        density = -0.5 * (LOG_2PI + np.log(variance[r]) + value**2 / variance[r])
        total = total + _masked(density, blocks.present, r)
    return total


def outcome_residuals(
    blocks: Blocks, curve: Curve, gamma: Sequence[ArrayLike]
) -> tuple[Vector, Vector]:
    r"""Return what is left of each :math:`\hat\beta_r` given mediator effects, and Var(e) there."""
    p = len(gamma) // blocks.rows
    rows = range(blocks.rows)
    residuals = [_residual(blocks, curve, gamma, r) for r in rows]
    noise = [curve.variance(gamma[r * p : (r + 1) * p]) for r in rows]
    return residuals, noise


def _residual(blocks: Blocks, curve: Curve, gamma: Sequence[ArrayLike], r: int) -> ArrayLike:
    p = len(gamma) // blocks.rows
    errors = [x - y for x, y in zip(blocks.mediator, gamma, strict=True)]
    expected = curve.intercept[r] + curve.height(gamma[r * p : (r + 1) * p])
    return blocks.outcome[r] - expected - dot(blocks.carry[r], errors)


def _with_diagonal(matrix: Matrix, diagonal: Sequence[ArrayLike]) -> Matrix:
    return [
        [x + diagonal[i] if i == j else x for j, x in enumerate(row)]
        for i, row in enumerate(matrix)
    ]


def _masked(value: ArrayLike, present: Vector | None, row: int) -> ArrayLike:
    return value if present is None else value * present[row]
