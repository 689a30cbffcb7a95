"""The tree of a fit: its groups and dims, what follows from parameters, and ArviZ on top of it."""

from __future__ import annotations

import arviz as az
import numpy as np
import pytest
from scipy import stats

from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteSlope
from bayesmed.inference import Sampler, fit, tree
from bayesmed.inference.tree import assemble
from bayesmed.priors import Prior

FIXED = {
    "slope": 1.7,
    "mediator_effect_mean": 0.4,
    "mediator_effect_sd": 0.3,
    "direct_effect_mean": -0.2,
    "direct_effect_sd": 0.5,
    "total_effect_at_centre": 0.5,
}
BY_MEDIATOR = ("slope", "mediator_effect_mean", "mediator_effect_sd")
# Bound on the largest of some hundred standardised deviations: passed by 99.9 % of seeds.
LARGEST = 4.5


@pytest.fixture(scope="module")
def hard_sites():
    """Correlated estimates, standard errors of exactly 0 in either or both, unequal spreads."""
    cov = np.zeros((6, 2, 2))
    for row, (se_mediator, se_total, corr) in enumerate(
        [(0.2, 0.3, 0.8), (0.4, 0.1, -0.9), (0.0, 0.3, 0.0), (0.2, 0.0, 0.0), (0, 0, 0), (3, 2, 0)]
    ):
        cov[row] = [
            [se_mediator**2, corr * se_mediator * se_total],
            [corr * se_mediator * se_total, se_total**2],
        ]
    return SiteEstimates.from_arrays(
        mediator_effect=[0.1, 0.9, 0.5, 0.2, 0.7, -1.0],
        total_effect=[0.4, 1.0, 0.3, 0.9, 1.5, 2.0],
        cov=cov,
    )


def varied(vary):
    """Draws of every parameter, one mediator on the last axis where there is one for each."""
    found = {name: vary(value) for name, value in FIXED.items()}
    return {name: v[..., None] if name in BY_MEDIATOR else v for name, v in found.items()}


@pytest.fixture(scope="module")
def at_fixed_parameters(hard_sites):
    """The tree of 4 x 10,000 draws that all have the same parameters."""
    draws = varied(lambda value: np.full((4, 10_000), value))
    return assemble(SiteSlope(), hard_sites, draws, None, seed=3)


def joint(slope=FIXED["slope"]):
    """Mean and covariance of (gamma, theta), and the matrix that takes them to (gamma, beta)."""
    mean = np.array([FIXED["mediator_effect_mean"], FIXED["direct_effect_mean"]])
    cov = np.diag([FIXED["mediator_effect_sd"] ** 2, FIXED["direct_effect_sd"] ** 2])
    return mean, cov, np.array([[1.0, 0.0], [slope, 1.0]])


def conditional(data, site):
    """Mean and covariance of (gamma, theta) of a site given its estimates, by the textbook."""
    mean, cov, to_estimates = joint()
    observed = np.array([data.mediator_effect[site, 0], data.total_effect[site]])
    marginal = to_estimates @ cov @ to_estimates.T + data.cov[site]
    gain = np.linalg.solve(marginal, to_estimates @ cov).T
    return mean + gain @ (observed - to_estimates @ mean), cov - gain @ to_estimates @ cov


def pairs(dataset, site, mediator, other):
    """Draws of two quantities of a site, shape (draws, 2)."""
    chosen = dataset.isel(site=site, mediator=0)
    return np.column_stack([np.ravel(chosen[mediator]), np.ravel(chosen[other])])


def assert_moments(draws, mean, cov):
    """Mean and covariance of independent normal draws, within their Monte-Carlo errors."""
    n = len(draws)
    sd = np.sqrt(np.maximum(np.diag(cov), 0.0))
    # What theory says is known must be known to rounding.
    known = sd < 1e-7
    assert np.allclose(draws[:, known], mean[known], atol=1e-9)
    error = draws.mean(axis=0) - mean
    assert np.all(np.abs(error[~known]) < LARGEST * sd[~known] / np.sqrt(n))
    found = np.cov(draws.T)
    standard_error = np.sqrt((np.outer(sd, sd) ** 2 + cov**2) / n)
    assert np.all(np.abs(found - cov) <= LARGEST * standard_error + 1e-12)


@pytest.mark.parametrize("site", range(6))
def test_site_effects_are_drawn_from_their_exact_conditional(hard_sites, at_fixed_parameters, site):
    sites = at_fixed_parameters["site_effects"].to_dataset()
    draws = pairs(sites, site, "mediator_effect", "direct_effect")
    assert_moments(draws, *conditional(hard_sites, site))
    z = (draws - draws.mean(axis=0)) / np.where(draws.std(axis=0) > 1e-7, draws.std(axis=0), 1.0)
    for column in z.T[draws.std(axis=0) > 1e-7]:
        assert stats.kstest(column, "norm").pvalue > 1e-4


def test_what_is_known_is_not_drawn(hard_sites, at_fixed_parameters):
    sites = at_fixed_parameters["site_effects"].to_dataset()
    assert np.allclose(sites["mediator_effect"].isel(site=2), hard_sites.mediator_effect[2])
    assert np.allclose(sites["total_effect"].isel(site=3), hard_sites.total_effect[3])
    both = sites.isel(site=4)
    assert np.allclose(both["mediator_effect"], hard_sites.mediator_effect[4])
    assert np.allclose(both["total_effect"], hard_sites.total_effect[4])


@pytest.mark.parametrize("site", range(6))
def test_predictions_at_new_sites_have_the_marginal_moments(hard_sites, at_fixed_parameters, site):
    mean, cov, to_estimates = joint()
    predicted = at_fixed_parameters["posterior_predictive"].to_dataset()
    draws = pairs(predicted, site, "mediator_effect_estimate", "total_effect_estimate")
    marginal = to_estimates @ cov @ to_estimates.T + hard_sites.cov[site]
    assert_moments(draws, to_estimates @ mean, marginal)


@pytest.mark.parametrize("site", range(6))
def test_predictions_at_the_same_sites_scatter_around_their_effects(
    hard_sites, at_fixed_parameters, site
):
    mean, cov = conditional(hard_sites, site)
    _, _, to_estimates = joint()
    predicted = at_fixed_parameters["posterior_predictive_same_sites"].to_dataset()
    draws = pairs(predicted, site, "mediator_effect_estimate", "total_effect_estimate")
    spread = to_estimates @ cov @ to_estimates.T + hard_sites.cov[site]
    assert_moments(draws, to_estimates @ mean, spread)
    effects = pairs(
        at_fixed_parameters["site_effects"].to_dataset(), site, "mediator_effect", "total_effect"
    )
    assert_moments(draws - effects, np.zeros(2), hard_sites.cov[site])


def test_sites_and_groups_are_drawn_independently(at_fixed_parameters):
    columns = [
        np.ravel(at_fixed_parameters[group]["total_effect_estimate"].isel(site=site))
        for group in ("posterior_predictive", "posterior_predictive_same_sites")
        for site in (0, 1, 5)
    ]
    off_diagonal = np.corrcoef(columns)[np.triu_indices(6, 1)]
    assert np.abs(off_diagonal).max() < LARGEST / np.sqrt(len(columns[0]))


def test_indirect_is_slope_times_mediator_effect_and_total_the_sum(nuts_fit, indirect_fit):
    for fitted in (nuts_fit, indirect_fit):
        sites = fitted.tree["site_effects"].to_dataset()
        slope = fitted.tree["posterior"]["slope"]
        assert np.allclose(sites["indirect_effect"], sites["mediator_effect"] * slope, rtol=1e-12)
        total = sites["direct_effect"] + sites["indirect_effect"].sum("mediator")
        assert np.allclose(sites["total_effect"], total, rtol=1e-12, atol=1e-12)
    assert np.all(indirect_fit.tree["site_effects"]["direct_effect"] == 0)


def test_log_likelihood_is_that_of_scipy(sites, nuts_fit):
    posterior = nuts_fit.tree["posterior"].to_dataset().isel(chain=1, mediator=0)
    found = nuts_fit.tree["log_likelihood"]["estimates"].isel(chain=1)
    for draw in (0, 17, 999):
        at = {name: float(value) for name, value in posterior.isel(draw=draw).data_vars.items()}
        slope, spread = at["slope"], at["mediator_effect_sd"] ** 2
        mean = at["mediator_effect_mean"]
        cov = [
            [spread, slope * spread],
            [slope * spread, slope**2 * spread + at["direct_effect_sd"] ** 2],
        ]
        for site in range(sites.n_rows):
            expected = stats.multivariate_normal.logpdf(
                [sites.mediator_effect[site, 0], sites.total_effect[site]],
                [mean, at["direct_effect_mean"] + slope * mean],
                cov + sites.cov[site],
            )
            assert float(found[draw, site]) == pytest.approx(expected, rel=1e-9)


def test_log_prior_is_that_of_scipy(sites):
    priors = {
        "slope": Prior("StudentT", nu=3, mu=0.5, sigma=2),
        "direct_effect_mean": Prior("Normal", mu=0.1, sigma=0.7),
        "direct_effect_sd": Prior("Exponential", lam=2),
        "mediator_effect_mean": Prior("Normal", mu=0.2, sigma=0.3),
        "mediator_effect_sd": Prior("HalfNormal", sigma=0.4),
    }
    sampler = Sampler(engine="exact", draws=50, chains=2)
    fitted = fit(SiteSlope(priors=priors), sites, sampler=sampler, seed=1)
    expected = {
        "slope": stats.t(df=3, loc=0.5, scale=2),
        "direct_effect_mean": stats.norm(0.1, 0.7),
        "direct_effect_sd": stats.expon(scale=0.5),
        "mediator_effect_mean": stats.norm(0.2, 0.3),
        "mediator_effect_sd": stats.halfnorm(scale=0.4),
    }
    log_prior = fitted.tree["log_prior"].to_dataset()
    assert set(log_prior.data_vars) == set(expected)
    for name, distribution in expected.items():
        values = np.asarray(fitted.tree["posterior"][name])
        assert np.allclose(log_prior[name], distribution.logpdf(values), rtol=1e-12)


PARAMETERS = {
    True: {
        "slope",
        "total_effect_at_centre",
        "direct_effect_mean",
        "direct_effect_sd",
        "mediator_effect_mean",
        "mediator_effect_sd",
    },
    False: {"slope", "mediator_effect_mean", "mediator_effect_sd"},
}
ESTIMATED = {"mediator_effect_estimate", "total_effect_estimate"}


@pytest.mark.parametrize("name", ["nuts_fit", "exact_fit", "indirect_fit"])
def test_groups_and_dims(name, request, sites):
    fitted = request.getfixturevalue(name)
    engine = "quadrature" if fitted.sampler.engine == "exact" else "sample_stats"
    assert set(fitted.tree.children) == {
        "posterior",
        "site_effects",
        "posterior_predictive",
        "posterior_predictive_same_sites",
        "prior",
        "prior_predictive",
        "log_likelihood",
        "log_prior",
        "observed_data",
        engine,
    }
    parameters = PARAMETERS[fitted.model.direct_effect]
    assert set(fitted.tree["posterior"].data_vars) == parameters
    assert set(fitted.tree["prior"].data_vars) == parameters
    derived = {"direct_effect_mean"} if fitted.model.direct_effect else set()
    assert set(fitted.tree["log_prior"].data_vars) == parameters - derived
    for parameter in parameters:
        dims = ("chain", "draw", "mediator") if parameter in BY_MEDIATOR else ("chain", "draw")
        assert fitted.tree["posterior"][parameter].dims == dims
    for group in ("posterior_predictive", "posterior_predictive_same_sites", "prior_predictive"):
        predicted = fitted.tree[group].to_dataset()
        assert set(predicted.data_vars) == ESTIMATED
        assert predicted["total_effect_estimate"].dims == ("chain", "draw", "site")
        assert predicted["mediator_effect_estimate"].dims == ("chain", "draw", "site", "mediator")
    assert fitted.tree["log_likelihood"]["estimates"].dims == ("chain", "draw", "block")
    observed = fitted.tree["observed_data"].to_dataset()
    assert set(observed.data_vars) == ESTIMATED
    assert np.array_equal(observed["total_effect_estimate"], sites.total_effect)
    assert np.array_equal(observed["mediator_effect_estimate"], sites.mediator_effect)
    for group in ("site_effects", "posterior_predictive", "observed_data"):
        assert fitted.tree[group]["site"].values.tolist() == list(sites.labels)
        assert fitted.tree[group]["mediator"].values.tolist() == ["PD"]
    assert np.isfinite(np.concatenate([np.ravel(x) for x in _values(fitted.tree)])).all()


def _values(data):
    return [
        np.asarray(v, dtype=float)
        for node in data.children.values()
        for v in node.data_vars.values()
    ]


def test_prior_group_is_the_prior(sites, exact_fit):
    prior = exact_fit.tree["prior"].to_dataset()
    priors = SiteSlope().priors_for(sites)
    n = prior.sizes["draw"]
    for name, p in priors.items():
        probability = p.family.scipy(**p.parameters).cdf(np.ravel(prior[name]))
        assert stats.kstest(probability, "uniform").pvalue > 1e-4, (name, n)
    centre = SiteSlope().scale(sites).centre
    derived = prior["total_effect_at_centre"] - centre * prior["slope"].isel(mediator=0)
    assert np.allclose(prior["direct_effect_mean"], derived)


# What a user would call. Pareto shapes near the bound, which five sites give, are no defect.
SMALL = pytest.mark.filterwarnings("ignore:Estimated shape parameter of Pareto:UserWarning")


@SMALL
@pytest.mark.parametrize("name", ["nuts_fit", "exact_fit", "indirect_fit"])
def test_arviz_reads_the_tree(name, request, capsys):
    fitted = request.getfixturevalue(name)
    summary = az.summary(fitted.tree)
    assert "slope[PD]" in summary.index
    assert len(summary) == len(PARAMETERS[fitted.model.direct_effect])
    assert np.isfinite(np.asarray(az.rhat(fitted.tree)["slope"])).all()
    assert (np.asarray(az.ess(fitted.tree)["slope"]) > 400).all()
    loo = az.loo(fitted.tree, pointwise=True)
    assert loo.n_data_points == 5
    assert loo.elpd_i.dims == ("block",)
    sensitivity = az.psense_summary(fitted.tree)
    assert set(sensitivity.index) == set(summary.index)
    assert np.isfinite(sensitivity[["prior", "likelihood"]].to_numpy()).all()
    both = az.compare({"one": fitted.tree, "other": fitted.tree})
    assert both["elpd_diff"].tolist() == [0.0, 0.0]
    capsys.readouterr()


def test_thinning_keeps_draws_aligned(sites, monkeypatch):
    rng = np.random.default_rng(2)
    draws = varied(lambda value: value + 0.1 * rng.uniform(size=(2, 90)))
    whole = assemble(SiteSlope(), sites, draws, None, seed=3)
    monkeypatch.setattr(tree, "SITE_VALUES", 2 * 90 * sites.n_rows / 3.5)
    thinned = assemble(SiteSlope(), sites, draws, None, seed=3)
    kept = np.arange(0, 90, 4)
    for group in (
        "site_effects",
        "posterior_predictive",
        "posterior_predictive_same_sites",
        "log_likelihood",
    ):
        assert thinned[group].sizes["chain"] == 2
        assert thinned[group]["draw"].values.tolist() == kept.tolist()
    for group in ("posterior", "log_prior"):
        assert thinned[group].to_dataset().identical(whole[group].to_dataset())
    assert np.array_equal(
        thinned["log_likelihood"]["estimates"],
        whole["log_likelihood"]["estimates"].sel(draw=kept),
    )
    sites_of = thinned["site_effects"].to_dataset()
    slope = thinned["posterior"]["slope"].sel(draw=sites_of["draw"])
    assert np.allclose(sites_of["indirect_effect"], sites_of["mediator_effect"] * slope)


def test_many_sites_stay_within_the_limit_and_arviz_reads_them():
    n = 1100
    rng = np.random.default_rng(4)
    data = SiteEstimates.from_arrays(
        mediator_effect=rng.normal(0.4, 0.4, n),
        total_effect=rng.normal(0.5, 0.8, n),
        cov=np.tile(np.diag([0.04, 0.04]), (n, 1, 1)),
    )
    draws = varied(lambda value: value + 0.01 * rng.normal(size=(4, 1000)))
    made = assemble(SiteSlope(), data, draws, None, seed=3)
    effects = made["site_effects"]["mediator_effect"]
    assert effects.size <= tree.SITE_VALUES < 4 * 1000 * n
    assert made["posterior"].sizes["draw"] == 1000
    assert made["prior_predictive"]["total_effect_estimate"].size <= tree.SITE_VALUES
    # Groups of one value per draw and site hold fewer draws: choose the same ones everywhere.
    aligned = made.sel(draw=made["log_likelihood"]["draw"])
    assert aligned["posterior"].sizes["draw"] == 500
    sensitivity = az.psense_summary(aligned)
    assert np.isfinite(sensitivity[["prior", "likelihood"]].to_numpy()).all()
    assert az.loo(aligned).n_data_points == n
