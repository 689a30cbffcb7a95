r"""Simulation and extrapolation: add error, see what it does, go back to none.

At each :math:`\lambda` errors with covariance :math:`\lambda V_s` are added to the estimates and
least squares is repeated; the mean answer, as a quadratic in :math:`\lambda`, is read off at
:math:`\lambda=-1` (Cook and Stefanski 1994). Its variance is extrapolated likewise, from the mean
least-squares variance less the variance of the answers (Stefanski and Cook 1995). The quadratic
only approximates: where reliability is low SIMEX corrects too little.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bayesmed.classical.canonical import Line, canonical, one_mediator, t_quantile
from bayesmed.classical.estimate import NO_SPARE_SITE, ClassicalEstimate
from bayesmed.classical.least_squares import no_least_squares
from bayesmed.classical.pseudo_errors import pseudo_errors
from bayesmed.core.errors import ModelError
from bayesmed.core.seeds import checked_seed, stream
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates

type Form = Literal["bivariate", "published"]
NAMES: dict[str, str] = {"bivariate": "SIMEX", "published": "SIMEX (published form)"}
LAMBDAS = (0.5, 1.0, 1.5, 2.0)
CHUNK = 2_000_000


def simex(
    data: SiteEstimates,
    *,
    form: Form = "bivariate",
    intercept: bool = True,
    replicates: int = 2000,
    lambdas: Sequence[float] = LAMBDAS,
    seed: int | None = 0,
) -> ClassicalEstimate:
    r"""SIMEX with quadratic extrapolation and jackknife variance.

    Pseudo-errors come in pairs of opposite sign and are the same at every :math:`\lambda`, which
    makes the simulation error several times smaller than independent draws would. Intervals are
    Student's with the degrees of freedom of least squares. The variance takes rows as
    independent, those of one block too.

    Parameters
    ----------
    data
        Site estimates of P mediators.
    form
        ``"bivariate"``: errors of mediator and total effects together, with all of
        :math:`V_s` and, in a block, the covariance of its rows. ``"published"``: error on the
        mediator effect alone, as Fu (2023) and the R package mechte do (unweighted least squares
        too); it targets :math:`\delta+\overline{V_{\gamma\beta}}/\sigma_\gamma^2`.
    intercept
        Whether the line has an intercept.
    replicates
        Simulated tables at each :math:`\lambda`, rounded up to an even number.
    lambdas
        Two or more different positive multiples of the sampling covariance.
    seed
        Seed of the simulation; None takes a fresh one.

    Raises
    ------
    DataError
        If the published form is asked for with more than one mediator.
    ModelError
        If ``form``, ``replicates``, ``lambdas`` or ``seed`` is not valid.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2, 3, 5], total_effect=[2.0, 4.5, 6.0, 9.0],
    ...     cov=[0.2 * np.eye(2)] * 4)
    >>> found = simex(data, seed=1)
    >>> bool(found.slope[0] > 1.69), bool(found.simulation_error[0] < 0.01)
    (True, True)
    """
    weights = _extrapolation(lambdas)
    if form not in NAMES:
        raise ModelError(f"There is no form {form!r} of SIMEX.", f"Take one of {list(NAMES)}.")
    if replicates < 4:
        raise ModelError(f"{replicates} replicates are too few.", "Take 4 or more.")
    name = NAMES[form]
    if form == "published":
        one_mediator(name, data)
    sites = canonical(data)
    reason = no_least_squares(sites.mediator, intercept)
    if reason:
        return ClassicalEstimate.undefined(name, data.mediators, reason)
    rows = sites.rows if form == "bivariate" else _mediator_errors_only(sites.rows)
    rng = stream(checked_seed(seed), f"SIMEX {form}")
    pairs = (replicates + 1) // 2
    simulated = _simulated(rows, np.array([0.0, *lambdas]), intercept, pairs, rng)
    p = data.n_mediators
    value = weights @ simulated.coefficients.mean(axis=(1, 2))
    spread = simulated.coefficients.reshape(len(weights), 2 * pairs, -1).var(axis=1, ddof=1)
    variance = weights @ (simulated.variances.mean(axis=(1, 2)) - spread)
    each_pair = np.tensordot(weights, simulated.coefficients.mean(axis=2), 1)
    spare = data.n_rows - p - intercept
    reason = "" if spare else NO_SPARE_SITE
    if spare and (variance[:p] <= 0).any():
        reason = "the extrapolated jackknife variance of a slope is not positive"
    se = np.sqrt(np.where(variance > 0, variance, math.nan))
    line = Line(
        slope=value[:p],
        slope_se=se[:p],
        intercept=float(value[p]) if intercept else math.nan,
        intercept_se=float(se[p]) if intercept else math.nan,
        quantile=t_quantile(spare),
        simulation_error=each_pair.std(axis=0, ddof=1)[:p] / math.sqrt(pairs),
    )
    return sites.answer(name, line, covariance=form == "bivariate", reason=reason)


def _extrapolation(lambdas: Sequence[float]) -> Floats:
    """Weights of the answers at 0 and at ``lambdas`` in the fitted quadratic at -1."""
    at = np.array([0.0, *lambdas])
    if len(set(at.tolist())) < max(3, at.size) or not np.isfinite(at).all() or (at < 0).any():
        raise ModelError(
            f"{list(lambdas)} are no multiples of the sampling covariance.",
            "Give two or more different positive numbers.",
        )
    weights: Floats = np.array([1.0, -1.0, 1.0]) @ np.linalg.pinv(np.vander(at, 3, increasing=True))
    return weights


def _mediator_errors_only(rows: SiteEstimates) -> SiteEstimates:
    cov = np.zeros_like(rows.cov)
    cov[:, 0, 0] = rows.cov[:, 0, 0]
    return replace(rows, cov=cov, cross_cov={})


@dataclass(frozen=True, eq=False)
class _Simulated:
    """Least squares at L multiples, in B pairs of 2: (L, B, 2, k), the intercept last if any."""

    coefficients: Floats
    variances: Floats


def _simulated(
    rows: SiteEstimates, lambdas: Floats, intercept: bool, pairs: int, rng: np.random.Generator
) -> _Simulated:
    estimates = np.column_stack([rows.mediator_effect, rows.total_effect])
    sites, k = estimates.shape
    parts = []
    step = max(1, CHUNK // (sites * k))
    for start in range(0, pairs, step):
        errors = pseudo_errors(rows, min(step, pairs - start), rng)
        parts.append(_least_squares(estimates, errors, lambdas, intercept))
    coefficients, variances = (np.concatenate(x, axis=1) for x in zip(*parts, strict=True))
    return _Simulated(coefficients, variances)


def _least_squares(
    estimates: Floats, errors: Floats, lambdas: Floats, intercept: bool
) -> tuple[Floats, Floats]:
    """Least squares of estimates ± √λ errors, from moments that are polynomials in √λ."""
    sites, k = estimates.shape
    p = k - 1
    middle = estimates.mean(axis=0) if intercept else np.zeros(k)
    noise_mean = errors.mean(axis=1) if intercept else np.zeros((len(errors), k))
    centred, noise = estimates - middle, errors - noise_mean[:, None]
    mixed = np.einsum("si,bsj->bij", centred, noise)
    mixed = mixed + np.swapaxes(mixed, 1, 2)
    squared = np.einsum("bsi,bsj->bij", noise, noise)
    root = np.sqrt(lambdas)[:, None, None] * np.array([1.0, -1.0])  # (L, 1, 2)
    moments = (
        centred.T @ centred
        + root[..., None, None] * mixed[:, None]
        + (root**2)[..., None, None] * squared[:, None]
    )
    inverse = np.linalg.inv(moments[..., :p, :p])
    slope = (inverse @ moments[..., :p, p:])[..., 0]
    explained = (slope * moments[..., :p, p]).sum(axis=-1)
    spare = sites - p - intercept
    residual = np.maximum(moments[..., p, p] - explained, 0) / (spare or math.nan)
    variance = residual[..., None] * np.diagonal(inverse, axis1=-2, axis2=-1)
    if not intercept:
        return slope, variance
    mean = middle + root[..., None] * noise_mean[:, None]
    level = mean[..., p] - (slope * mean[..., :p]).sum(axis=-1)
    leverage = np.einsum("...i,...ij,...j->...", mean[..., :p], inverse, mean[..., :p])
    of_level = residual * (1 / sites + leverage)
    return (
        np.concatenate([slope, level[..., None]], axis=-1),
        np.concatenate([variance, of_level[..., None]], axis=-1),
    )
