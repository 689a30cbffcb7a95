"""What is scattered over each mediator's effect: identities, closed forms, simulated sites."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayesmed.core.names import MEDIATOR
from bayesmed.effects.along_mediator import (
    along_mediator,
    errors_are_alike,
    line_draws,
    sites_at,
)
from bayesmed.effects.partial_effects import partial_effects
from tests.variants import VARIANTS, made, variant_fit

IV = "multi-site IV, three mediators"


def test_with_one_mediator_partial_effects_are_total_effects():
    fit = variant_fit("random")
    found = partial_effects(fit).isel(mediator=0)
    assert_allclose(found["partial_effect_estimate"], fit.data.total_effect)
    assert_allclose(found["partial_effect_se"], fit.data.total_effect_se)
    mean = fit.tree["site_effects"]["total_effect"].mean(("chain", "draw"))
    assert_allclose(found["partial_effect"], mean)
    scale = fit.data.mediator_se[:, 0] * fit.data.total_effect_se
    assert_allclose(found["error_corr"], fit.data.cov[:, 0, 1] / scale)


def test_average_slopes_times_other_effects_are_taken_off():
    fit = variant_fit(IV)
    found = partial_effects(fit)
    slope = fit.tree["posterior"]["slope"].mean(("chain", "draw")).values
    for i, own in enumerate(fit.data.mediators):
        c = np.append(-slope, 1.0)
        c[i] = 0.0
        at = found.sel({MEDIATOR: own})
        whole = np.column_stack([fit.data.mediator_effect, fit.data.total_effect])
        assert_allclose(at["partial_effect_estimate"], whole @ c, rtol=1e-12)
        assert_allclose(at["partial_effect_se"] ** 2, fit.data.cov @ c @ c, rtol=1e-12)
        cov = at["error_corr"] * at["partial_effect_se"] * at["mediator_effect_se"]
        assert_allclose(cov, (fit.data.cov @ c)[:, i], rtol=1e-10)
        sites = fit.tree["site_effects"].to_dataset().mean(("chain", "draw"))
        rest = (sites["mediator_effect"] * slope).sum(MEDIATOR) - sites["mediator_effect"].sel(
            {MEDIATOR: own}
        ) * slope[i]
        assert_allclose(at["partial_effect"], sites["total_effect"] - rest, rtol=1e-10)


@pytest.mark.parametrize("name", ["two mediators, polynomial", "multi-site IV, compliance"])
def test_where_slopes_depend_on_effects_errors_are_to_first_order(name):
    """Derivatives by differences of estimates that are moved a little."""
    fit = made(VARIANTS[name], shape=(1, 4), spread=0.0)
    data, step = fit.data, 1e-6
    found = partial_effects(fit)
    whole = np.column_stack([data.mediator_effect, data.total_effect])

    def moved(j: int, by: float) -> np.ndarray:
        other = whole.copy()
        other[:, j] += by
        tree = data.from_arrays(
            mediator_effect=other[:, :-1],
            total_effect=other[:, -1],
            cov=data.cov,
            site=data.site,
            mediators=data.mediators,
        )
        again = type(fit)(fit.model, tree, fit.sampler, fit.seed, fit.tree)
        return partial_effects(again)["partial_effect_estimate"].values

    c = np.stack([(moved(j, step) - moved(j, -step)) / (2 * step) for j in range(3)], axis=-1)
    variance = np.einsum("spi,sij,spj->sp", c, data.cov, c)
    assert_allclose(found["partial_effect_se"] ** 2, variance, rtol=1e-6)


def test_the_line_is_that_of_the_parameters():
    x = np.linspace(-1, 2, 7)
    for name in ("constant", "polynomial", "multi-site IV", "multi-site IV, kappa"):
        fit = variant_fit(name)
        posterior = fit.tree["posterior"].isel(mediator=0)
        zero = 0 * posterior["slope"]
        a, b, c, d = (
            posterior.get(key, zero).to_numpy().reshape(-1, 1)
            for key in ("direct_effect_mean", "slope", "slope_linear", "slope_quadratic")
        )
        a = a + fit.model.within_site_covariance
        expected = a + b * x + c * x**2 + d * x**3
        assert_allclose(line_draws(fit, 0, x), expected, atol=1e-12)
    # With a correlation, total effects rise by the slope and by what direct effects add.
    posterior = variant_fit("correlation").tree["posterior"].isel(mediator=0)
    tilt = -0.4 * posterior["direct_effect_sd"] / posterior["mediator_effect_sd"]
    rise = np.diff(line_draws(variant_fit("correlation"), 0, np.array([0.0, 1.0])), axis=1)
    assert_allclose(rise.ravel(), (posterior["slope"] + tilt).to_numpy().ravel())


def test_where_slopes_go_with_effects_the_line_bends_by_their_covariance():
    """E(δ_p | γ_p = x) = δ_p + Corr(γ_p, δ_p) σ_δ/σ_γ (x − μ_γ)."""
    fit = variant_fit("multi-site IV, compliance")
    posterior, x = fit.tree["posterior"], np.array([-1.0, 0.5, 2.0])
    for i in range(2):
        at = {name: posterior[name][..., i].values.reshape(-1, 1) for name in fit.model.by_mediator
              if name in posterior}  # fmt: skip
        corr = posterior["mediator_effect_slope_corr"][..., i, i].values.reshape(-1, 1)
        gain = corr * at["slope_sd"] / at["mediator_effect_sd"]
        expected = (at["slope"] + gain * (x - at["mediator_effect_mean"])) * x
        assert_allclose(line_draws(fit, i, x), expected, rtol=1e-9, atol=1e-12)


def test_sites_fan_out_with_the_spread_of_slopes():
    """At known parameters: variance x²σ_δ², and for the others what their slopes add."""
    fit = made(VARIANTS[IV], shape=(1, 4), spread=0.0)
    true = {k: v[0] for k, v in VARIANTS[IV].true().items()}
    mean, sd, slope_sd = (
        true[k] for k in ("mediator_effect_mean", "mediator_effect_sd", "slope_sd")
    )
    x = np.array([-1.0, 0.0, 2.0])
    for i in range(3):
        drawn = sites_at(fit, i, x)
        n = len(drawn["own"])
        assert_allclose(drawn["own"].mean(axis=0), true["slope"][i] * x, atol=0.02)
        assert_allclose(drawn["own"].std(axis=0), slope_sd[i] * np.abs(x), rtol=0.02, atol=1e-12)
        rho = 0.3
        rest = 0.0
        for q in {0, 1, 2} - {i}:
            expected = mean[q] + rho * sd[q] / sd[i] * (x - mean[i])
            rest = rest + slope_sd[q] ** 2 * (expected**2 + (1 - rho**2) * sd[q] ** 2)
        variance = (slope_sd[i] * x) ** 2 + rest
        assert_allclose(drawn["sites"].var(axis=0), variance, rtol=6 * np.sqrt(3 / n))
        assert_allclose(drawn["sites"].mean(axis=0), true["slope"][i] * x, atol=0.02)


@pytest.mark.parametrize("name", ["multi-site IV, compliance", "two mediators, random"])
def test_estimates_at_an_estimate_are_those_of_simulated_tables(name):
    """Sites and estimates drawn from the model itself, those kept whose estimate is near x."""
    fit = made(VARIANTS[name], shape=(1, 4), spread=0.0)
    model, cov = fit.model, 4 * fit.data.cov[0]
    rng = np.random.default_rng(9)
    n, x, near = 400_000, np.array([0.3, 0.9]), 0.02
    sites = model.new_site_effects(VARIANTS[name].true(), np.zeros((n, len(model.covariates))), rng)
    noise = rng.multivariate_normal(np.zeros(3), cov, n)
    seen = sites["mediator_effect"][0] + noise[:, :2]
    total = sites["total_effect"][0] + noise[:, 2]
    # The other mediator's part, from the parameters.
    true = {k: v[0] for k, v in VARIANTS[name].true().items()}
    slope = np.broadcast_to(true["slope"], (n, 2))
    if "mediator_effect_slope_corr" in true:
        sd = true["mediator_effect_sd"]
        omega = true["mediator_effect_corr"] * np.outer(sd, sd)
        across = true["mediator_effect_slope_corr"] * np.outer(sd, true["slope_sd"])
        away = seen - true["mediator_effect_mean"]
        slope = slope + away @ np.linalg.solve(omega, across)
    for i in range(2):
        rest = total - slope[:, 1 - i] * seen[:, 1 - i]
        found = sites_at(fit, i, x, cov)["sites"]
        for k, at in enumerate(x):
            kept = rest[np.abs(seen[:, i] - at) < near]
            assert kept.size > 2000
            error = 4.5 * kept.std() * np.sqrt(1 / kept.size + 1 / len(found))
            assert abs(kept.mean() - found[:, k].mean()) < error + near * 0.1
            assert found[:, k].std() == pytest.approx(kept.std(), rel=0.06)
            for q in (0.025, 0.975):
                assert np.quantile(kept, q) == pytest.approx(
                    np.quantile(found[:, k], q), abs=0.12 * kept.std()
                )


@pytest.mark.parametrize("name", ["random", "polynomial", "student_t"])
def test_the_band_holds_95_percent_of_true_total_effects(name):
    fit = variant_fit(name)
    x = np.array([0.2, 1.5])
    low, high = along_mediator(fit, 0, x)["sites"].sel(quantile=[0.025, 0.975]).values
    posterior = fit.tree["posterior"].isel(mediator=0)
    rng = np.random.default_rng(3)
    shape = (40, *posterior["slope"].shape)
    sd, slope_sd = posterior["direct_effect_sd"], posterior.get("slope_sd", 0.0)
    noise = rng.standard_t(posterior["direct_effect_dof"].values, shape) if name == "student_t" \
        else rng.normal(size=shape)  # fmt: skip
    for i, at in enumerate(x):
        middle = line_draws(fit, 0, x)[:, i].reshape(shape[1:])
        total = middle + sd.values * noise + np.asarray(slope_sd) * at * rng.normal(size=shape)
        assert np.mean((low[i] < total) & (total < high[i])) == pytest.approx(0.95, abs=0.01)


def test_quantiles_are_labelled_and_in_order():
    fit = variant_fit(IV)
    found = along_mediator(fit, 1, np.linspace(-1, 1, 5))
    assert errors_are_alike(fit)
    assert set(found.data_vars) == {"line", "own", "sites", "estimates"}
    assert found["x"].values.tolist() == [-1, -0.5, 0, 0.5, 1]
    for values in found.data_vars.values():
        assert (np.diff(values.transpose("quantile", "point"), axis=0) >= 0).all()
    inner, outer = (np.ptp(found[name].values, axis=0) for name in ("own", "sites"))
    assert (inner < outer).all()
    # No direct effect: every fan begins in the origin.
    assert inner[2] == pytest.approx(0, abs=1e-12)
