"""The site-slope model as PyMC sees it, without sampling, and what it refuses."""

import numpy as np
import pymc as pm
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal

from bayesmed.core.errors import DataError, ModelError
from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteSlope, model_from_mapping, model_to_mapping
from bayesmed.priors import Prior

RNG = np.random.default_rng(8)
N = 6
GAMMA = RNG.normal(1, 0.6, N)
BETA = 0.4 + 1.5 * GAMMA + RNG.normal(0, 0.3, N)
OTHER_PRIORS = {
    "slope": Prior("StudentT", nu=4, mu=0.5, sigma=2),
    "direct_effect_mean": Prior("Normal", mu=0.2, sigma=1.5),
    "direct_effect_sd": Prior("Exponential", lam=1.2),
    "mediator_effect_sd": Prior("LogNormal", mu=-0.5, sigma=0.6),
    "mediator_effect_mean": Prior("Laplace", mu=0.3, b=1.1, unit="scaled"),
}
MODELS = {
    "default": SiteSlope(),
    "no direct effect": SiteSlope(direct_effect=False),
    "own priors": SiteSlope(priors=OTHER_PRIORS),
    "truncated slope": SiteSlope(
        priors={"slope": Prior("TruncatedNormal", mu=0, sigma=3, lower=0, upper=9)}
    ),
}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def sites(gamma=GAMMA, beta=BETA, corr=0.4, units=(1.0, 1.0)):
    se = np.random.default_rng(9).uniform(0.1, 0.5, (len(gamma), 2))
    cov = se[:, :, None] * se[:, None, :] * np.array([[1, corr], [corr, 1]])
    scale = np.asarray(units)
    return SiteEstimates.from_arrays(
        mediator_effect=np.asarray(gamma) * scale[0],
        total_effect=np.asarray(beta) * scale[1],
        cov=cov * np.outer(scale, scale),
    )


def point(model, data, seed=0):
    """One draw of the graph's variables, and the parameters in data units there."""
    rng = np.random.default_rng(seed)
    standard = {f"{name}_std": rng.normal(0, 0.7, 1) for name in model.parameters}
    for name in ("slope", "mediator_effect_sd", "direct_effect_sd"):
        if name in model.parameters and model.priors_for(data)[name].support[0] == 0:
            standard[f"{name}_std"] = abs(standard[f"{name}_std"]) + 0.1
    return model.unstandardised(standard, data), standard


def written_out(model, data, draws):
    """Log posterior density of the parameters in data units, from SciPy alone."""
    # SciPy judges a matrix by its largest eigenvalue, so it gets both estimates in natural units.
    units = np.array([data.mediator_effect.std(), data.total_effect.std()])
    value = {name: float(x[0]) for name, x in draws.items()}
    slope = value["slope"]
    mean = np.array([1.0, slope]) * value["mediator_effect_mean"]
    mean[1] += value.get("direct_effect_mean", 0.0)
    g = value["mediator_effect_sd"] ** 2
    spread = np.array([[g, slope * g], [slope * g, slope**2 * g]])
    spread[1, 1] += value.get("direct_effect_sd", 0.0) ** 2
    pairs = np.column_stack([data.mediator_effect[:, 0], data.total_effect]) / units
    total = sum(
        multivariate_normal(mean / units, (spread + v) / np.outer(units, units)).logpdf(pair)
        for pair, v in zip(pairs, data.cov, strict=True)
    )
    total -= data.n_rows * np.log(units.prod())
    priors = model.priors_for(data)
    return total + sum(float(p.log_density(draws[name])[0]) for name, p in priors.items())


@every_model
def test_graph_is_the_density_written_out(model):
    data = sites()
    graph = model.build(data)
    values = graph.compile_logp(jacobian=False)
    for seed in range(4):
        draws, standard = point(model, data, seed)
        start = start_at(graph, standard)
        expected = written_out(model, data, draws) + log_jacobian(model, data, standard)
        assert values(start) == pytest.approx(expected, rel=1e-7, abs=1e-6)


def log_jacobian(model, data, standard):
    """Log-determinant of the parameters by the graph's variables, by differences."""
    names = list(standard)
    x = np.array([standard[n][0] for n in names])

    def carried(z):
        moved = model.unstandardised(dict(zip(names, z[:, None], strict=True)), data)
        return np.array([moved[name][0] for name in model.parameters])

    rows = [(carried(x + e) - carried(x - e)) / 2e-5 for e in 1e-5 * np.eye(x.size)]
    return np.linalg.slogdet(np.array(rows))[1]


def start_at(graph, standard):
    """Point of the graph's value variables at given random variables."""
    given = {rv: standard[rv.name][0] for rv in graph.free_RVs}
    start = {}
    for rv, value in given.items():
        transform = graph.rvs_to_transforms[rv]
        if transform is None:
            start[graph.rvs_to_values[rv].name] = np.asarray(value)
            continue
        # Bounds of a restricted slope depend on the other variables.
        moved = transform.forward(np.asarray(value), *rv.owner.inputs)
        start[graph.rvs_to_values[rv].name] = moved.eval(given, on_unused_input="ignore")
    return start


@every_model
def test_gradient_is_that_of_differences(model):
    graph = model.build(sites())
    logp, gradient = graph.compile_logp(), graph.compile_dlogp()
    start = graph.initial_point()
    names, rng = list(start), np.random.default_rng(4)
    x = np.array([float(start[n]) for n in names]) + rng.normal(0, 0.3, len(names))

    def at(z):
        return dict(zip(names, (np.asarray(v) for v in z), strict=True))

    expected = approx_fprime(x, lambda z: float(logp(at(z))), 1e-6)
    np.testing.assert_allclose(gradient(at(x)), expected, rtol=1e-4, atol=1e-4)


@every_model
def test_parameters_follow_from_the_standardised_ones(model):
    """The NumPy transformation after sampling is the one in the graph."""
    data = sites()
    graph = model.build(data)
    _, standard = point(model, data, 5)
    found = model.unstandardised(standard, data)
    for node in graph.deterministics:
        values = {rv: standard[rv.name][0] for rv in graph.free_RVs}
        expected = node.eval(values, on_unused_input="ignore")
        assert found[node.name] == pytest.approx(np.ravel(expected), rel=1e-10)
    assert {n.name for n in graph.deterministics} == {*model.parameters, *model.derived}


@every_model
def test_new_data_enter_without_a_new_graph(model):
    first, other = sites(), sites(GAMMA[:4] * 3 + 1, BETA[:4] - 2)
    graph, fresh = model.build(first), model.build(other)
    _, standard = point(model, other, 1)
    start = start_at(fresh, standard)
    expected = fresh.compile_logp()(start)
    with graph:
        coords = {"site": other.labels}
        pm.set_data(model.graph_data(other), coords=coords)
    assert graph.compile_logp()(start) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("units", [(1e3, 1e-3), (-1.0, 1.0), (1.0, -1.0), (3e-6, 2e7)])
@pytest.mark.parametrize("direct_effect", [True, False])
def test_default_posterior_does_not_depend_on_units(units, direct_effect):
    """Default priors are stated in natural scales: the standardised density stays the same."""
    model = SiteSlope(direct_effect=direct_effect)
    base, other = sites(), sites(units=units)
    _, standard = point(model, base, 2)
    draws = model.unstandardised(standard, base)
    size = np.abs(units)
    sign = np.sign(units)
    moved = {
        "slope": draws["slope"] * units[1] / units[0],
        "mediator_effect_mean": draws["mediator_effect_mean"] * units[0],
        "mediator_effect_sd": draws["mediator_effect_sd"] * size[0],
    }
    jacobian = np.log(size[1] / size[0]) + 2 * np.log(size[0])
    if direct_effect:
        for name in ("total_effect_at_centre", "direct_effect_mean"):
            moved[name] = draws[name] * units[1]
        moved["direct_effect_sd"] = draws["direct_effect_sd"] * size[1]
        jacobian += 2 * np.log(size[1])
    assert sign.all()
    jacobian += N * np.log(size.prod())
    expected = written_out(model, base, draws) - jacobian
    assert written_out(model, other, moved) == pytest.approx(expected, abs=1e-6)


def test_order_of_sites_does_not_matter():
    order = np.random.default_rng(1).permutation(N)
    base = sites()
    other = base.take(order)
    model = SiteSlope()
    _, standard = point(model, base, 3)
    found = []
    for data in (base, other):
        graph = model.build(data)
        found.append(float(graph.compile_logp()(start_at(graph, standard))))
    assert found[0] == pytest.approx(found[1], abs=1e-6)


def test_default_priors_in_data_units():
    data = sites()
    scale = SiteSlope().scale(data)
    priors = SiteSlope().priors_for(data)
    assert priors["slope"] == Prior("Normal", mu=0, sigma=2.5 * scale.slope_scale)
    assert priors["mediator_effect_sd"] == Prior("HalfNormal", sigma=np.std(GAMMA, ddof=1))
    expected = Prior("Normal", mu=BETA.mean(), sigma=2.5 * np.std(BETA, ddof=1))
    assert priors["total_effect_at_centre"] == expected
    assert "direct_effect_mean" not in priors


def test_a_prior_on_the_direct_effect_replaces_the_centred_one():
    model = SiteSlope(priors={"direct_effect_mean": Prior("Normal", mu=0, sigma=5)})
    assert "total_effect_at_centre" not in model.priors_for(sites())
    draws = model.prior_draws(sites(), 20_000, np.random.default_rng(0))
    # Four standard errors of a standard deviation.
    assert draws["direct_effect_mean"].std() == pytest.approx(5, abs=4 * 5 / np.sqrt(40_000))
    centre = model.scale(sites()).centre
    np.testing.assert_allclose(
        draws["total_effect_at_centre"], draws["direct_effect_mean"] + draws["slope"] * centre
    )


def test_structure_separates_what_must_be_compiled_anew():
    data, fewer = sites(), sites(GAMMA[:4], BETA[:4])
    normal = SiteSlope(priors={"slope": Prior("Normal", sigma=1)})
    assert SiteSlope().structure(data) == SiteSlope().structure(fewer) == normal.structure(data)
    student = SiteSlope(priors={"slope": Prior("StudentT", nu=3, sigma=1)})
    assert student.structure(data) != normal.structure(data)
    assert SiteSlope(direct_effect=False).structure(data) != SiteSlope().structure(data)


@every_model
def test_description_survives_plain_values(model):
    assert model_from_mapping(model_to_mapping(model)) == model
    assert hash(model_from_mapping(model_to_mapping(model))) == hash(model)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"slope": "constnt"}, "Did you mean 'constant'"),
        ({"priors": {"slop": Prior("Normal", sigma=1)}}, "Did you mean 'slope'"),
        ({"priors": {"slope": "Normal(0, 1)"}}, "Give a bayesmed.Prior"),
        ({"priors": {"direct_effect_sd": Prior("Normal", sigma=1)}}, "allows negative values"),
        ({"priors": {"mediator_effect_sd": Prior("Uniform", lower=-1, upper=1)}}, "negative"),
        ({"priors": {"direct_effect_mean": Prior("HalfNormal", sigma=1)}}, "TruncatedNormal"),
        (
            {"direct_effect": False, "priors": {"direct_effect_sd": Prior("HalfNormal", sigma=1)}},
            "no direct effect",
        ),
        (
            {
                "priors": {
                    "direct_effect_mean": Prior("Normal", sigma=1),
                    "total_effect_at_centre": Prior("Normal", sigma=1),
                }
            },
            "keep one",
        ),
    ],
)
def test_impossible_models_are_refused(choices, words):
    with pytest.raises(ModelError, match=words):
        SiteSlope(**choices)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"type": "os.system"}, "no model of type"),
        ({}, "no model of type"),
        ({"type": "site_slope", "slopes": 1}, "Did you mean 'slope'"),
    ],
)
def test_impossible_descriptions_are_refused(table, words):
    with pytest.raises(ModelError, match=words):
        model_from_mapping(table)


def test_data_without_a_likelihood_are_refused():
    v = np.diag([0.1, 0.1, 0.1])
    two = SiteEstimates.from_arrays(
        mediator_effect=RNG.normal(size=(4, 2)), total_effect=np.arange(4.0), cov=[v] * 4
    )
    with pytest.raises(DataError, match="one mediator and the data have 2"):
        SiteSlope().build(two)
    shared = np.diag([0.02, 0.02])
    arms = SiteEstimates.from_arrays(
        mediator_effect=[1.0, 2.0, 3.0],
        total_effect=[1.0, 2.0, 2.5],
        cov=[4 * shared] * 3,
        cross_cov={(0, 1): shared},
        block=["a", "a", "b"],
    )
    with pytest.raises(DataError, match="share a control group"):
        SiteSlope().build(arms)
    exact = SiteEstimates.from_arrays(
        mediator_effect=[1.0, 2.0, 3.0], total_effect=[1.0, 2.0, 2.5], cov=np.zeros((3, 2, 2))
    )
    SiteSlope().check_data(exact)
    with pytest.raises(DataError, match="exactly on the line"):
        SiteSlope(direct_effect=False).build(exact)
