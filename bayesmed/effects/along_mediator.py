r"""Effects as functions of one mediator's effect: the line, and how sites spread around it.

Of a site with the effect :math:`\gamma_p = x` on one mediator, the model expects
:math:`a + E(\delta_p\mid\gamma_p=x)\,x` of its total effect less what runs through the others
(:mod:`bayesmed.effects.partial_effects`). Sites spread around it with a variance
:math:`x^2\sigma_{\delta p}^2` that fans out from the origin (Reardon 2016), with what slopes of
other mediators add by differing between sites, and with that of direct effects.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesmed.core.seeds import stream
from bayesmed.core.types import Floats
from bayesmed.effects.partial_effects import others, population_draws, residuals
from bayesmed.formulas.linear_gaussian import dot
from bayesmed.generative.site_slope_population import Population
from bayesmed.inference import Fit

LINE, OWN, SITES, ESTIMATED = "line", "own", "sites", "estimates"
POINT, QUANTILE = "point", "quantile"
QUANTILES = (0.025, 0.25, 0.5, 0.75, 0.975)
# Sites drawn at each effect, at least: quantiles far out are smooth then.
DRAWN = 10_000
# Largest over smallest standard error up to which one sampling covariance stands for all.
ALIKE = 2.0


def line_draws(fit: Fit, mediator: int, x: Floats) -> Floats:
    r"""Return :math:`a + E(\delta_p\mid\gamma_p=x)x` at average covariates, shape (draws, points).

    With one mediator that is the expected total effect. Other mediators have the effects to expect
    at :math:`\gamma_p=x`, which matters only where slopes depend on them.
    """
    whole = population_draws(fit)
    along = _covariance_with(whole, mediator)
    gap = (x - whole.mean[mediator]) / along[mediator]
    gamma = [m + c * gap for m, c in zip(whole.mean, along, strict=True)]
    gamma[mediator] = np.broadcast_to(x, np.shape(gap))
    height = whole.curve.site_slopes(gamma)[mediator] * x
    shape = (_size(whole), x.size)
    return np.asarray(np.broadcast_to(whole.curve.intercept[0] + height, shape))


def along_mediator(fit: Fit, mediator: int, x: Floats) -> xr.Dataset:
    r"""Return quantiles of the line, of sites, and of estimates, at some effects on a mediator.

    Parameters
    ----------
    fit
        The fit.
    mediator
        Position of the mediator.
    x
        (points,) effects on it.

    Returns
    -------
    Dataset
        Dims quantile (.025, .25, .5, .75, .975) and point, with the coordinate ``x``. ``line``:
        the posterior of the line. ``own``: of sites of the population, what does not run through
        other mediators, :math:`\theta_s+\delta_{ps}x`. ``sites``: their true partial effects,
        which also differ by how far their slopes of the other mediators are from the average.
        ``estimates``: estimated partial effects, at an *estimated* effect on the mediator of x,
        with the mean sampling covariance of the sites; absent where these are not alike (see
        `errors_are_alike`).

    Examples
    --------
    >>> from bayesmed.data import SiteEstimates
    >>> from bayesmed.generative import SiteSlope
    >>> from bayesmed.inference import Sampler, fit
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[0.2, 0.5, 0.9, 1.4], total_effect=[0.5, 1.1, 1.8, 3.1],
    ...     cov=np.tile(np.diag([0.01, 0.04]), (4, 1, 1)))
    >>> fitted = fit(SiteSlope(), data, sampler=Sampler(engine="exact"), seed=1)
    >>> dict(along_mediator(fitted, 0, np.array([0.0, 1.0])).sizes)
    {'quantile': 5, 'point': 2}
    """
    found = {name: _quantiles(drawn, x) for name, drawn in sites_at(fit, mediator, x).items()}
    if errors_are_alike(fit):
        cov = fit.data.cov.mean(axis=0)
        found[ESTIMATED] = _quantiles(sites_at(fit, mediator, x, cov)[SITES], x)
    return xr.Dataset({LINE: line_along(fit, mediator, x), **found})


def line_along(fit: Fit, mediator: int, x: Floats) -> xr.DataArray:
    """Return quantiles of the line alone, as `along_mediator` does."""
    return _quantiles(line_draws(fit, mediator, x), x)


def _quantiles(drawn: Floats, x: Floats) -> xr.DataArray:
    found = np.quantile(drawn, QUANTILES, axis=0)
    return xr.DataArray(found, {QUANTILE: list(QUANTILES), "x": (POINT, x)}, (QUANTILE, POINT))


def errors_are_alike(fit: Fit) -> bool:
    """Say whether in no scatter a standard error is more than twice another."""
    whole, se = population_draws(fit), fit.data.mediator_se
    variances = [residuals(fit, others(whole, i)).variance for i in range(fit.data.n_mediators)]
    errors = [*se.T, *np.sqrt(variances)]
    return all(float(e.max()) <= ALIKE * float(e.min()) for e in errors)


def sites_at(fit: Fit, mediator: int, x: Floats, cov: Floats | None = None) -> dict[str, Floats]:
    r"""Draw sites with each of some effects on a mediator: arrays (sites drawn, points) by name.

    Sites of the population of each posterior draw are moved to :math:`\gamma_p=x`, their other
    effects by what is to be expected of them (conditioning by kriging). With a sampling covariance
    of shape (P + 1, P + 1) estimates are drawn, at the *estimate* :math:`\hat\gamma_p=x`.
    """
    whole = population_draws(fit)
    rng = stream(fit.seed, "sites along a mediator")
    p, n = len(whole.mean), _size(whole)
    each = -(-DRAWN // n)
    at = np.repeat(x, each)  # columns: points, and at each of them the same sites

    def normal() -> Floats:
        return np.tile(rng.standard_normal((n, each)), x.size)

    z = [normal() for _ in range(p)]
    gamma = [m + dot(row, z) for m, row in zip(whole.mean, whole.root, strict=True)]
    error = np.zeros((p + 1, p + 1)) if cov is None else cov
    free = [normal() for _ in range(p + 1)]
    noise = [dot(list(row), free) for row in _root(error)]
    along = _covariance_with(whole, mediator)
    gap = at - gamma[mediator] - noise[mediator]
    gap = gap / (along[mediator] + error[mediator, mediator])
    gamma = [g + c * gap for g, c in zip(gamma, along, strict=True)]
    noise = [e + c * gap for e, c in zip(noise, error[mediator], strict=True)]
    curve = whole.curve
    if whole.dof is not None:
        scale = np.tile(whole.dof / rng.chisquare(whole.dof, (n, each)), x.size)
        curve = curve._replace(residual_variance=curve.residual_variance * scale)
    direct = curve.intercept[0] + np.sqrt(curve.residual_variance) * normal()
    slopes = curve.site_slopes(gamma)
    if curve.slope_root:
        free = [normal() for _ in range(p)]
        slopes = [a + dot(row, free) for a, row in zip(slopes, curve.slope_root, strict=True)]
    own = direct + slopes[mediator] * gamma[mediator]
    total = direct + dot(slopes, gamma) + noise[-1]
    seen = [g + e for g, e in zip(gamma, noise, strict=False)]
    found = {OWN: own, SITES: total - others(whole, mediator).height(seen)}
    return {name: _by_site(values, n, x.size, each) for name, values in found.items()}


def _by_site(values: Floats, n: int, points: int, each: int) -> Floats:
    """Put the sites drawn at one point below each other."""
    whole = np.broadcast_to(values, (n, points * each)).reshape(n, points, each)
    return np.moveaxis(whole, 2, 1).reshape(-1, points)


def _covariance_with(whole: Population, mediator: int) -> list[Floats]:
    """Return the column of Ω that belongs to a mediator."""
    return [np.asarray(dot(row, whole.root[mediator])) for row in whole.root]


def _root(cov: Floats) -> Floats:
    """Return a root of a covariance that may be singular."""
    values, vectors = np.linalg.eigh(cov)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _size(whole: Population) -> int:
    return int(whole.mean[0].shape[0])
