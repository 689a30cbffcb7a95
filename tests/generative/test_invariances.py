"""What must not change the posterior: units, signs, the order of sites and of mediators."""

import numpy as np
import pytest
from scipy.optimize import fsolve

from bayesmed.generative import SiteSlope
from bayesmed.generative.site_slope_draws import SITE_COORDINATES
from tests.generative import variants
from tests.generative.graphs import PLAIN, carried, compiled, draws_of, log_jacobian

# Default priors, which are stated in natural scales; a correlation as a number has a sign.
SCALED = [
    "constant",
    "no direct effect",
    "random",
    "random, no direct effect",
    "polynomial",
    "polynomial, no direct effect",
    "correlation prior",
    "student_t",
    "covariates",
    "two mediators",
    "three mediators",
    "blocks",
    "blocks, two mediators, covariates",
    "random, two mediators",
    "random, covariates, correlation",
    "polynomial, student_t",
]
# Coefficients of odd and of even powers of a mediator's effect.
ODD = ("slope", "slope_at_centre", "slope_quadratic")
EVEN = ("slope_linear", "slope_linear_at_centre")


def sign(variable, mediator, outcome):
    """How the sign of a standardised variable changes with the signs of the estimates."""
    name = variable.removesuffix("_std")
    base, _, end = name.rpartition("_")
    base, entry = (base, int(end)) if end.isdigit() else (name, 0)
    own = mediator[entry] if entry < len(mediator) else 1.0
    if base in ODD:
        return own * outcome
    if base in (*EVEN, "total_effect_at_centre", "direct_effect_mean", "covariate_effect"):
        return outcome
    if base == "mediator_effect_mean":
        return own
    if base == "correlation":
        return mediator[0] * outcome
    return 1.0


def in_other_units(found, point, mediator, outcome):
    """The same point of the standardised space for the table in other units."""
    signs, change = np.sign(mediator), np.sign(outcome)
    moved = dict(point)
    for rv, value in found.graph.rvs_to_values.items():
        factor = sign(rv.name, signs, change)
        if rv.name.startswith("partial_correlation"):
            i, j = map(int, rv.name.removesuffix("_std").rsplit("_", 2)[1:])
            # A logit: its sign is that of the partial correlation.
            factor = signs[i] * signs[j]
        if rv.name == SITE_COORDINATES:
            factor = np.resize(signs, point[value.name].shape[0])[:, None]
        moved[value.name] = factor * point[value.name]
    return moved


@pytest.mark.parametrize("units", [(1e3, 1e-3), (-1.0, 1.0), (1.0, -1.0), (3e-6, 2e7)])
@pytest.mark.parametrize("name", SCALED)
def test_posterior_does_not_depend_on_units_and_signs(name, units):
    found = compiled(name)
    data = found.data
    # Mediators of their own units: only the first changes its sign.
    mediator = np.array([units[0], *np.abs([units[0] / 7, units[0] * 11])])[: data.n_mediators]
    point = found.point(1, spread=0.3)
    base = found.evaluate(point)[0]
    other = data.rescaled(mediator.tolist(), units[1])
    try:
        found.set_data(other)
        moved = found.evaluate(in_other_units(found, point, mediator, units[1]))[0]
    finally:
        found.set_data(data)
    jacobian = data.n_rows * np.log(np.abs([*mediator, units[1]]).prod())
    assert moved + jacobian == pytest.approx(base, rel=1e-8, abs=1e-6)


@pytest.mark.parametrize("name", SCALED)
def test_order_of_sites_does_not_matter(name):
    found = compiled(name)
    data = found.data
    point = found.point(2, spread=0.3)
    base = found.evaluate(point)[0]
    order = np.random.default_rng(1).permutation(data.n_rows)
    if data.n_blocks < data.n_rows:
        # Rows of a block have an order of their own, which follows.
        order = order[::-1]
    other = data.take(order.tolist())
    moved = dict(point)
    if SITE_COORDINATES in point:
        z = point[SITE_COORDINATES].copy()
        z[:, : data.n_rows] = z[:, order]
        moved[SITE_COORDINATES] = z
    try:
        found.set_data(other)
        assert found.evaluate(moved)[0] == pytest.approx(base, rel=1e-9, abs=1e-7)
    finally:
        found.set_data(data)


@pytest.mark.parametrize("name", ["two mediators", "three mediators"])
def test_order_of_mediators_does_not_matter(name):
    """The posterior density of the parameters in data units, whatever the coordinates."""
    found = compiled(name)
    model, data = found.model, found.data
    assert model == SiteSlope()
    order = np.roll(np.arange(data.n_mediators), 1)
    rows = [*order, data.n_mediators]
    other = type(data).from_arrays(
        mediator_effect=data.mediator_effect[:, order],
        total_effect=data.total_effect,
        cov=data.cov[:, rows][:, :, rows],
        mediators=[data.mediators[i] for i in order],
    )
    point = found.point(3, spread=0.2)
    plain, standard, *_ = found.evaluate(point)
    base = plain - log_jacobian(model, data, standard)
    draws = draws_of(model, data, standard)
    target = {
        k: v[:, order] if k in model.by_mediator else v
        for k, v in draws.items()
        if k != "mediator_effect_corr"
    }
    target["mediator_effect_corr"] = draws["mediator_effect_corr"][:, order][:, :, order]
    wanted = carried(model, other, target)[0]
    values = {rv.name: value.name for rv, value in found.graph.rvs_to_values.items()}
    try:
        found.set_data(other)

        def at(x):
            return found.evaluate(dict(zip(values.values(), map(np.asarray, x), strict=True)))

        def gap(x):
            return carried(model, other, draws_of(model, other, at(x)[1]))[0] - wanted

        x, _, status, message = fsolve(gap, np.zeros(len(values)), full_output=True, xtol=1e-12)
        assert status == 1, message
        plain, standard, *_ = at(x)
    finally:
        found.set_data(data)
    moved = plain - log_jacobian(model, other, standard)
    assert moved == pytest.approx(base, abs=1e-5)


@pytest.mark.parametrize(
    "name", ["constant", "polynomial", "covariates", "two mediators", "blocks", "student_t"]
)
def test_new_data_enter_without_a_new_graph(name):
    """Other estimates, another number of sites, other units."""
    found = compiled(name)
    model, data = found.model, found.data
    shared = data.n_blocks < data.n_rows
    more = variants.table(data.n_mediators, shared, rows=9, seed=3)
    other = more.rescaled([3.0] * data.n_mediators, 0.2)
    fresh = model.build(other)
    point = found.point(4)
    assert model.structure(other) == model.structure(data)
    try:
        found.set_data(other)
        moved = found.evaluate(point)[0]
    finally:
        found.set_data(data)
    values = fresh.compile_fn(fresh.logp(jacobian=False), mode=PLAIN, on_unused_input="ignore")
    assert moved == pytest.approx(float(values(point)), rel=1e-10)
