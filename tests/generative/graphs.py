"""A variant's graph compiled once, and the maps between its variables and the parameters."""

from functools import cache

import numpy as np
import pymc as pm
from pytensor.compile.mode import Mode

from bayesmed.core.names import ESTIMATES
from bayesmed.generative.site_slope_draws import SITE_COORDINATES
from tests.generative import variants

# Evaluated as it stands: rewriting and compiling would take most of the time of these tests.
PLAIN = Mode(linker="py", optimizer=None)


class Compiled:
    """The graph of a variant as functions of its free values, without sampling."""

    def __init__(self, name):
        self.model, self.data = variants.MODELS[name], variants.data(name)
        self.graph = graph = self.model.build(self.data)
        estimates = graph[ESTIMATES]
        wanted = [*graph.free_RVs, *graph.deterministics, estimates]
        outputs = [graph.logp(jacobian=False), *graph.replace_rvs_by_values(wanted)]
        self.at = graph.compile_fn(outputs, mode=PLAIN, on_unused_input="ignore")
        self.start = graph.initial_point()

    def point(self, seed, spread=0.5):
        """Free values at random."""
        rng = np.random.default_rng(seed)
        return {name: v + rng.normal(0, spread, np.shape(v)) for name, v in self.start.items()}

    def evaluate(self, point):
        """Log-density, random variables and deterministics by name, log-density of the estimates.

        The first is over the random variables, not over the free values.
        """
        plain, *rest = self.at(point)
        names = [v.name for v in (*self.graph.free_RVs, *self.graph.deterministics)]
        found = dict(zip(names, rest, strict=False))
        n = len(self.graph.free_RVs)
        standard = {name: found[name] for name in names[:n]}
        named = {name: found[name] for name in names[n:]}
        return float(plain), standard, named, float(rest[-1])

    def set_data(self, data):
        with self.graph:
            pm.set_data(self.model.graph_data(data))


@cache
def compiled(name):
    return Compiled(name)


def draws_of(model, data, standard):
    """One draw of the parameters, shape (1, ...), at given random variables."""
    shaped = {
        name: np.reshape(v, (1, 1, -1) if np.ndim(v) else (1, 1)) for name, v in standard.items()
    }
    return {name: v[0] for name, v in model.unstandardised(shaped, data).items()}


def single(draws):
    """The first draw."""
    return {name: v[0] for name, v in draws.items()}


def log_jacobian(model, data, standard):
    """Log-determinant of parameters and mediator effects by the random variables, numerically."""
    names = list(standard)
    sizes = [np.size(standard[n]) for n in names]
    x = np.concatenate([np.ravel(standard[n]) for n in names])
    step = 1e-5
    points = np.concatenate([x + step * np.eye(x.size), x - step * np.eye(x.size)])
    split = np.split(points, np.cumsum(sizes)[:-1], axis=1)
    shaped = {
        n: v[None] if np.ndim(standard[n]) else v[None, :, 0]
        for n, v in zip(names, split, strict=True)
    }
    draws = {n: v[0] for n, v in model.unstandardised(shaped, data).items()}
    columns = carried(model, data, draws)
    kept = np.concatenate(
        [
            present(data, standard) if n == SITE_COORDINATES else [True] * np.size(standard[n])
            for n in names
        ]
    )
    by_variable = (columns[: x.size] - columns[x.size :])[kept] / (2 * step)
    sign, value = np.linalg.slogdet(by_variable)
    assert sign != 0
    return value


def present(data, standard):
    """Which sampled coordinates belong to a row that is there: the rest are padding."""
    coordinates = standard[SITE_COORDINATES]
    found = np.zeros(coordinates.shape, dtype=bool)
    for b in range(data.n_blocks):
        found[: data.n_mediators * len(data.block_rows(b)), b] = True
    return found.ravel()


def carried(model, data, draws):
    """All that has a density of its own, one row for each draw: parameters, correlations, gamma."""
    n = draws["slope"].shape[0]
    columns = [draws[name].reshape(n, -1) for name in model.parameters]
    i, j = np.tril_indices(data.n_mediators, -1)
    among = {name: draws[name] for name in ("mediator_effect_corr", "slope_corr") if name in draws}
    if model.known_compliance is not None:
        among["slope_corr"] = left_of_slopes(model, among)
        if not model.slopes_together(data):
            del among["slope_corr"]
    columns += [values[:, i, j] for values in among.values()]
    # Known, it follows from the others.
    if "mediator_effect_slope_corr" in draws and model.known_compliance is None:
        columns.append(draws["mediator_effect_slope_corr"].reshape(n, -1))
    if "person_covariance" in draws:
        i, j = np.tril_indices(data.n_mediators + 1)
        columns.append(draws["person_covariance"][:, :, i, j].reshape(n, -1))
    if SITE_COORDINATES in draws:
        columns.append(mediator_effects(model, data, draws).reshape(n, -1))
    return np.concatenate(columns, axis=1)


def left_of_slopes(model, draws):
    """Correlations of what a known correlation with mediator effects leaves of slopes."""
    square = model.known_compliance**2
    return (draws["slope_corr"] - square * draws["mediator_effect_corr"]) / (1 - square)


def mediator_effects(model, data, draws):
    """The mediator effects that sampled coordinates stand for, shape (n, R, P)."""
    found = model.site_effects(draws, data, np.random.default_rng(0))
    return found["mediator_effect"]
