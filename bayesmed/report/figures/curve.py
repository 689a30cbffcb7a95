"""Total effects as a function of one mediator's effect, with what varies around it."""

from __future__ import annotations

import numpy as np

from bayesmed.core.names import CHAIN, DRAW
from bayesmed.core.seeds import stream
from bayesmed.core.types import Floats
from bayesmed.generative.site_slope_draws import described
from bayesmed.generative.site_slope_population import Population
from bayesmed.inference import Fit


def curve(fit: Fit, mediator: int, x: Floats) -> Floats:
    r"""Return :math:`E(\beta\mid\gamma=x)` at average covariates, shape (draws, points).

    Other mediators are taken at an effect of zero.
    """
    whole = population_draws(fit)
    shape = (_size(whole), x.size)
    height = whole.curve.height(_effects(fit, mediator, x))
    return np.asarray(np.broadcast_to(whole.curve.intercept[0] + height, shape))


def band(fit: Fit, mediator: int, x: Floats) -> tuple[Floats, Floats]:
    """Return the ends of what holds 95 % of true total effects at each x, shape (points,)."""
    whole = population_draws(fit)
    rng = stream(fit.seed, "band of the scatter")
    z = rng.standard_normal((_size(whole), 1))
    if whole.dof is not None:
        z = z * np.sqrt(whole.dof / rng.chisquare(whole.dof))
    spread = np.sqrt(whole.curve.variance(_effects(fit, mediator, x)))
    low, high = np.quantile(curve(fit, mediator, x) + spread * z, [0.025, 0.975], axis=0)
    return low, high


def population_draws(fit: Fit) -> Population:
    """Describe the population of every posterior draw, entries of shape (draws, 1)."""
    draws = {}
    for name, values in fit.tree["posterior"].to_dataset().data_vars.items():
        array = np.asarray(values.transpose(CHAIN, DRAW, ...), dtype=float)
        draws[str(name)] = array.reshape(-1, *array.shape[2:])
    return described(fit.model, draws, np.zeros((1, len(fit.model.covariates), 1)))


def _effects(fit: Fit, mediator: int, x: Floats) -> list[Floats]:
    """Mediator effects along one axis, the others at zero."""
    return [x if i == mediator else np.zeros_like(x) for i in range(fit.data.n_mediators)]


def _size(whole: Population) -> int:
    return int(whole.mean[0].shape[0])
