"""The site-slope model in its latent form, from NumPy and SciPy alone: the oracle of these tests.

Parameters are numbers or vectors by name, as one draw of ``prior_draws``.
"""

import dataclasses
import math

import numpy as np
from scipy.special import logsumexp
from scipy.stats import invwishart, multivariate_normal, norm, t

# Half-width of the grids in standard deviations, and their points.
REACH, POINTS = 12.0, 4001
VOLUME_OF_CORRELATIONS = {1: 1.0, 2: 2.0, 3: math.pi**2 / 2, 4: 32 * math.pi**2 / 27}


class Population:
    """What the parameters say about the rows of a table."""

    def __init__(self, model, data, at):
        p = data.n_mediators
        self.model, self.p = model, p
        self.mean, self.sd = at["mediator_effect_mean"], at["mediator_effect_sd"]
        corr = at.get("mediator_effect_corr", np.eye(1))
        self.omega = corr * np.outer(self.sd, self.sd)
        zero = np.zeros(p)
        self.slope = at["slope"]
        self.linear, self.quadratic = at.get("slope_linear", zero), at.get("slope_quadratic", zero)
        self.slope_sd = at.get("slope_sd", zero)
        omega = at.get("slope_corr", np.eye(p)) * np.outer(self.slope_sd, self.slope_sd)
        self.on_effect = np.zeros((p, p))
        if "mediator_effect_slope_corr" in at:
            across = at["mediator_effect_slope_corr"] * np.outer(self.sd, self.slope_sd)
            self.on_effect = across.T @ np.linalg.inv(self.omega)
            omega = omega - self.on_effect @ across
        self.slope_cov = omega
        kappa = model.within_site_covariance
        self.kappa = at.get("within_site_covariance", kappa if isinstance(kappa, float) else 0.0)
        self.theta_sd = at.get("direct_effect_sd", 0.0)
        self.dof = at.get("direct_effect_dof")
        rho = at.get("correlation", 0.0 if model.correlation_prior else model.correlation)
        self.tilt = rho * self.theta_sd / self.sd[0]
        self.left = self.theta_sd * np.sqrt(1 - rho**2)
        covariates = np.array([data.covariates[n] for n in model.covariates]).reshape(
            -1, data.n_rows
        )
        effects = at.get("covariate_effect", np.zeros(0))
        shift = effects @ (covariates - covariates.mean(axis=1, keepdims=True))
        height = at.get("direct_effect_mean", 0.0) + self.kappa
        self.theta_mean = height + shift * np.ones(data.n_rows)

    def theta_given(self, row, gamma):
        """Mean direct effect of a row given its mediator effects, (..., P)."""
        return self.theta_mean[row] + self.tilt * (gamma[..., 0] - self.mean[0])

    def site_slope(self, gamma):
        bent = self.linear * gamma + self.quadratic * gamma**2
        return self.slope + bent + (gamma - self.mean) @ self.on_effect.T

    def total_given(self, row, gamma):
        return self.theta_given(row, gamma) + (self.site_slope(gamma) * gamma).sum(axis=-1)


def estimates(data, rows):
    """Estimates of rows and their joint covariance, row by row, total effect last in each."""
    pairs = np.column_stack([data.mediator_effect, data.total_effect])[rows].ravel()
    size = data.n_mediators + 1
    cov = np.zeros((len(rows) * size,) * 2)
    for i, r in enumerate(rows):
        for j, s in enumerate(rows):
            if r == s:
                own = data.cov[r]
            elif r < s:
                own = data.cross_cov.get((r, s), np.zeros((size, size)))
            else:
                own = data.cross_cov.get((s, r), np.zeros((size, size))).T
            cov[i * size : (i + 1) * size, j * size : (j + 1) * size] = own
    return pairs, cov


def blocks(data):
    return [np.flatnonzero(data.block == b) for b in range(data.n_blocks)]


def normal_log_density(x, mean, cov):
    """Log-density of vectors x (..., D) with covariances (..., D, D), batched."""
    away = x - mean
    root = np.linalg.cholesky(cov)
    z = np.linalg.solve(root, away[..., None])[..., 0]
    log_det = np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(axis=-1)
    return -0.5 * (z**2).sum(axis=-1) - log_det - x.shape[-1] / 2 * np.log(2 * np.pi)


def joint(whole, data, rows, gamma):
    """log p(gamma, estimates) of a block; gamma has shape (..., K, P)."""
    gamma = np.asarray(gamma)
    observed, noise = estimates(data, rows)
    size, p = len(rows), whole.p
    prior = normal_log_density(gamma, whole.mean, whole.omega).sum(axis=-1)
    total = np.stack([whole.total_given(r, gamma[..., i, :]) for i, r in enumerate(rows)], -1)
    mean = np.concatenate([gamma, total[..., None]], axis=-1).reshape(*gamma.shape[:-2], -1)
    away = np.einsum("...p,pq,...q->...", gamma, whole.slope_cov, gamma)
    places = np.arange(size) * (p + 1) + p
    if whole.dof is None:
        cov = np.broadcast_to(noise, (*mean.shape[:-1], *noise.shape)).copy()
        cov[..., places, places] += away + whole.left**2
        return prior + normal_log_density(observed, mean, cov)
    # Student-t: integrate the deviation of the direct effect, whose prior is a t distribution.
    assert size == 1
    cov = np.broadcast_to(noise, (*mean.shape[:-1], *noise.shape)).copy()
    cov[..., p, p] += away[..., 0]
    left = observed - mean
    # The error of the total effect given those of the mediators.
    gain = np.linalg.solve(cov[..., :p, :p], cov[..., :p, p, None])[..., 0]
    residual = left[..., p] - (gain * left[..., :p]).sum(axis=-1)
    variance = cov[..., p, p] - (gain * cov[..., :p, p]).sum(axis=-1)
    first = normal_log_density(observed[:p], mean[..., :p], cov[..., :p, :p])
    return prior + first + t_plus_normal(residual, np.sqrt(variance), whole.left, whole.dof)


def t_plus_normal(residual, sd, scale, dof):
    """Log-density of the sum of a t and a normal variable, by integration over the normal one."""
    z = np.linspace(-REACH, REACH, POINTS)
    terms = norm.logpdf(z) + t(dof).logpdf((residual[..., None] - sd[..., None] * z) / scale)
    return logsumexp(terms, axis=-1) + np.log((z[1] - z[0]) / scale)


def closed(whole, data, rows):
    """log p(estimates) of a block where everything is jointly normal."""
    observed, mean, cov, *_ = jointly_normal(whole, data, rows)
    return multivariate_normal(mean, cov).logpdf(observed)


def jointly_normal(whole, data, rows):
    """Moments of estimates and of (gamma, theta) of a block, and how they hang together.

    Returns observed estimates, their mean and covariance, the mean and covariance of the latent
    vector (all gamma row by row, then all theta), and its covariance with the estimates.
    """
    observed, noise = estimates(data, rows)
    size, p = len(rows), whole.p
    n = size * p
    mean = np.concatenate([np.tile(whole.mean, size), whole.theta_mean[rows]])
    cov = np.zeros((n + size, n + size))
    cov[:n, :n] = np.kron(np.eye(size), whole.omega)
    tilt = np.zeros((size, n))
    for r in range(size):
        tilt[r, r * p] = whole.tilt
    cov[n:, :n] = tilt @ cov[:n, :n]
    cov[:n, n:] = cov[n:, :n].T
    cov[n:, n:] = tilt @ cov[:n, :n] @ tilt.T + whole.left**2 * np.eye(size)
    take = np.zeros((size * (p + 1), n + size))
    for r in range(size):
        for i in range(p):
            take[r * (p + 1) + i, r * p + i] = 1.0
            take[r * (p + 1) + p, r * p + i] = whole.slope[i]
        take[r * (p + 1) + p, n + r] = 1.0
    return observed, take @ mean, take @ cov @ take.T + noise, mean, cov, cov @ take.T


def on_a_line(whole, data, row):
    """Log joint density over a fine grid of the one mediator effect of a row: gamma, values."""
    sd, se = whole.sd[0], data.mediator_se[row, 0]
    middle, width = data.mediator_effect[row, 0], min(sd, se or sd)
    weight = sd**2 / (sd**2 + se**2)
    middle = weight * middle + (1 - weight) * whole.mean[0]
    gamma = middle + 2 * REACH * width * np.linspace(-1, 1, POINTS)
    return gamma, joint(whole, data, [row], gamma[:, None, None])


def integrated(whole, data, rows):
    """log p(estimates) of a block with one mediator effect, by brute force."""
    (row,) = rows
    gamma, values = on_a_line(whole, data, row)
    return logsumexp(values) + np.log(gamma[1] - gamma[0])


def seen(model, data, at):
    """The table with the sampling covariance it has for given covariances of persons."""
    persons = model.persons(data)
    if persons is None:
        return data
    sigma = at["person_covariance"]
    pairs = {p: np.tensordot(w, sigma, axes=1) for p, w in persons.cross_weight.items()}
    cov = np.tensordot(persons.weight, sigma, axes=1)
    return dataclasses.replace(data, cov=cov, cross_cov=pairs, persons=None)


def marginal(model, data, at):
    """log p(estimates) of every block."""
    whole, data = Population(model, data, at), seen(model, data, at)
    if model.slope != "constant":
        each = integrated
    else:
        each = closed if whole.dof is None else robust_closed
    return np.array([each(whole, data, rows) for rows in blocks(data)])


def robust_closed(whole, data, rows):
    """log p(estimates) of one row with a constant slope and a Student-t direct effect."""
    p = whole.p
    dof, left, whole.dof, whole.left = whole.dof, whole.left, None, 0.0
    observed, mean, cov, *_ = jointly_normal(whole, data, rows)
    whole.dof, whole.left = dof, left
    gain = np.linalg.solve(cov[:p, :p], cov[:p, p])
    residual = observed[p] - mean[p] - gain @ (observed[:p] - mean[:p])
    sd = np.sqrt(cov[p, p] - gain @ cov[:p, p])
    first = multivariate_normal(mean[:p], cov[:p, :p]).logpdf(observed[:p])
    return first + float(t_plus_normal(np.array(residual), np.array(sd), left, dof))


def log_prior(model, data, at):
    """Log prior density of all parameters that have one, correlations included."""
    total, priors = 0.0, iter(model.priors_for(data).items())
    for name in model.parameters:
        for value in np.atleast_1d(at[name]):
            _, prior = next(priors)
            total += float(prior.log_density(np.array([value]))[0])
    assert next(priors, None) is None
    persons = model.persons(data)
    if persons is not None:
        for df, cross, sigma in zip(
            persons.df, persons.cross, at["person_covariance"], strict=True
        ):
            total += invwishart(df, cross).logpdf(sigma)
    p, related = data.n_mediators, model.related(data)
    sizes = {"none": [p], "slopes": [p, p], "effects": [2 * p]}[related]
    if model.known_compliance is not None:
        sizes = [p, p] if model.slopes_together(data) else [p]
    return total - sum(math.log(VOLUME_OF_CORRELATIONS[size]) for size in sizes)
