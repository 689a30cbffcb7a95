"""Estimands of every variant of the model: closed forms, sums, names."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from bayesmed.core.names import MEDIATOR
from bayesmed.effects import effects, parameters
from bayesmed.inference.convergence import diagnose
from tests.variants import VARIANTS, made, table, variant_fit

SEVERAL = [name for name, variant in VARIANTS.items() if len(variant.mediators) > 1]


@pytest.mark.parametrize("name", VARIANTS)
def test_averages_in_the_population_are_those_of_many_sites(name):
    """Means over sites simulated from the truth, within 4.5 Monte-Carlo errors."""
    variant = VARIANTS[name]
    fit = made(variant, shape=(1, 4), spread=0.0)
    found = effects(fit).draws.isel(chain=0, draw=0)
    n = 200_000
    covariates = np.zeros((n, len(variant.model.covariates)))
    true = variant.true()
    sites = variant.model.new_site_effects(true, covariates, np.random.default_rng(1))
    wanted = {
        "superpopulation_acme": sites["indirect_effect"][0],
        "superpopulation_direct_effect": sites["direct_effect"][0],
        "superpopulation_total_effect": sites["total_effect"][0],
        "average_slope": sites["slope_of_site"][0] if "slope_of_site" in sites else None,
    }
    if not variant.model.direct_effect:
        del wanted["superpopulation_direct_effect"]
    for effect, values in wanted.items():
        if values is None:
            assert effect not in found
            continue
        error = np.abs(values.mean(axis=0) - found[effect].values)
        assert (error < 4.5 * values.std(axis=0) / np.sqrt(n)).all(), effect


@pytest.mark.parametrize("name", VARIANTS)
def test_effects_of_a_site_add_up(name):
    fit = variant_fit(name)
    found = effects(fit)
    draws = found.draws
    assert set(found.labels) == set(draws.data_vars)
    # What persons add by going together within sites is no effect of its own.
    direct = draws.get("direct_effect", fit.model.within_site_covariance)
    total = draws["indirect_effect"].sum(MEDIATOR) + direct
    assert_allclose(draws["total_effect"], total, atol=1e-12)
    if "slope_of_site" in draws:
        product = draws["slope_of_site"] * draws["mediator_effect"]
        assert_allclose(draws["indirect_effect"], product, atol=1e-12)
    assert ("slope_of_site" in draws) == (VARIANTS[name].model.slope != "constant")
    assert not found.table().duplicated(["effect", "site", "mediator"]).any()


@pytest.mark.parametrize("name", VARIANTS)
def test_slopes_are_averaged_as_they_are_and_by_compliance(name):
    """R&R's CWATE over the sites is Σwδγ / Σwγ; E(δγ)/E(γ) in the population."""
    variant = VARIANTS[name]
    fit = variant_fit(name)
    found = effects(fit)
    draws = found.draws
    goes = variant.model.slope == "polynomial" or name == "multi-site IV, compliance"
    assert ("cwate" in draws) == (variant.model.slope != "constant")
    assert ("superpopulation_cwate" in draws) == goes
    if "cwate" not in draws:
        return
    weight = fit.data.weight
    by_hand = (draws["slope_of_site"] * draws["mediator_effect"]).dot(_by_site(weight, draws))
    by_hand = by_hand / draws["mediator_effect"].dot(_by_site(weight, draws))
    assert_allclose(draws["cwate"], by_hand.transpose(*draws["cwate"].dims), rtol=1e-10)
    assert_allclose(draws["cwate"] * draws["average_mediator_effect"], draws["acme"], rtol=1e-10)
    average = draws["slope_of_site"].dot(_by_site(weight, draws))
    assert_allclose(draws["average_slope_of_site"], average, rtol=1e-10)
    mean = draws["superpopulation_mediator_effect"]
    assert_allclose(mean, fit.tree["posterior"]["mediator_effect_mean"])
    if goes:
        product = draws["superpopulation_cwate"] * mean
        assert_allclose(product, draws["superpopulation_acme"], rtol=1e-8, atol=1e-12)
    table = found.table().set_index("effect")
    for effect in {"cwate", "superpopulation_cwate"} & set(table.index):
        # Ratios: their mean need not exist.
        assert table.loc[[effect], ["mean", "sd"]].isna().all(axis=None)
        assert table.loc[[effect], ["q2.5", "q50", "q97.5", "p_positive"]].notna().all(axis=None)


def _by_site(weight, draws):
    return xr.DataArray(weight, {"site": draws["site"]}, ("site",))


def test_compliance_weighted_averages_are_those_of_many_sites():
    """Where slopes go with mediator effects, at known parameters."""
    name = "multi-site IV, compliance"
    found = effects(made(VARIANTS[name], shape=(1, 4), spread=0.0)).draws.isel(chain=0, draw=0)
    n = 400_000
    rng = np.random.default_rng(2)
    sites = VARIANTS[name].model.new_site_effects(VARIANTS[name].true(), np.zeros((n, 0)), rng)
    gamma, eta = sites["mediator_effect"][0], sites["indirect_effect"][0]
    ratio = eta.mean(axis=0) / gamma.mean(axis=0)
    error = (eta - ratio * gamma).std(axis=0) / np.abs(gamma.mean(axis=0)) / np.sqrt(n)
    assert (np.abs(found["superpopulation_cwate"] - ratio) < 4.5 * error).all()
    assert (np.abs(found["average_slope"] - ratio) > 10 * error).all()


@pytest.mark.parametrize("name", SEVERAL)
def test_several_mediators_have_effects_of_their_own_and_together(name):
    fit = variant_fit(name)
    draws = effects(fit).draws
    for effect in ("indirect_effect", "acme", "superpopulation_acme"):
        assert_allclose(draws[f"{effect}_all_mediators"], draws[effect].sum(MEDIATOR))
    own = "average_share_mediated"
    assert_allclose(draws[own], draws["acme"] / draws["average_total_effect"])
    # Without direct effects all of the total effect is indirect, but each mediator has a share.
    assert (f"{own}_all_mediators" in draws) == fit.model.direct_effect
    if fit.model.direct_effect:
        assert_allclose(draws[f"{own}_all_mediators"], draws[own].sum(MEDIATOR))
    noise = np.mean(fit.data.mediator_se**2, axis=0)
    square = fit.tree["posterior"]["mediator_effect_sd"] ** 2
    assert_allclose(draws["reliability"], square / (square + noise))
    assert len(effects(fit).table().query("effect == 'acme'")) == fit.data.n_mediators


def test_an_interaction_changes_words_and_no_number():
    plain, other = (effects(variant_fit(name)) for name in ("constant", "interaction"))
    assert plain.draws.identical(other.draws)
    assert plain.labels["acme"] == "indirect effect, over the sites (ACME)"
    assert other.labels["acme"] == "total indirect effect, over the sites (ACME)"
    assert other.labels["direct_effect"] == "pure direct effect"
    assert other.labels["total_effect"] == plain.labels["total_effect"] == "total effect"


@pytest.mark.parametrize("name", VARIANTS)
def test_every_entry_of_every_parameter_has_a_row(name):
    fit = variant_fit(name)
    found = parameters(fit)
    posterior = fit.tree["posterior"]
    assert ("covariate" in found) == bool(fit.model.covariates)
    assert ("other_mediator" in found) == (fit.data.n_mediators > 1)
    for row in found.to_dict("records"):
        at = {d: row[d] for d in ("mediator", "other_mediator", "covariate") if row.get(d)}
        draws = np.ravel(posterior[row["name"]].sel(at))
        assert_allclose([row["mean"], row["sd"]], [draws.mean(), draws.std(ddof=1)])
        assert row["ess_bulk"] > 400
        assert row["r_hat"] < 1.02
    p = fit.data.n_mediators
    pairs = p * (p - 1) // 2
    size = {"mediator_effect_corr": pairs, "slope_corr": pairs}
    for parameter, values in posterior.data_vars.items():
        entries = size.get(parameter, values[0, 0].size)
        assert (found["name"] == parameter).sum() == entries, parameter


def test_a_stuck_entry_fails_and_is_named_and_the_diagonal_of_correlations_is_not():
    fit = variant_fit("two mediators")
    named = {d.code: d for d in diagnose(fit.tree)}
    assert np.isfinite([d.value for d in named.values()]).all()
    tree = fit.tree.copy(deep=True)
    tree["posterior"]["slope"][0, :, 1] += 10.0
    found = {d.code: d for d in diagnose(tree)}["r_hat"]
    assert not found.passed
    assert found.where == "slope[HDL]"


def test_superpopulation_effects_with_covariates_are_at_their_means_over_the_rows():
    fit = variant_fit("covariates")
    posterior = fit.tree["posterior"]
    found = effects(fit).draws["superpopulation_direct_effect"]
    assert_allclose(found, posterior["direct_effect_mean"])
    assert table(VARIANTS["covariates"]).covariates["year"].mean() > 1900
