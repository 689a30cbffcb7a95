"""Every diagnostic fails on what it is there for, passes on a good fit, and is shown everywhere."""

from __future__ import annotations

import arviz as az
import numpy as np
import pytest
import xarray as xr

from bayesmed.checks import check, converged
from bayesmed.inference import Fit
from bayesmed.inference.convergence import diagnose, energy_fractions, parameter_diagnostics

CODES = ["divergences", "r_hat", "ess_bulk", "ess_tail", "e_bfmi"]
SHAPE = (4, 1000)


def autocorrelated(rng, shape, memory):
    """Chains of a stationary autoregression: effective size shape x (1 - memory)/(1 + memory)."""
    out = np.empty(shape)
    out[:, 0] = rng.normal(size=shape[0])
    steps = rng.normal(size=shape) * np.sqrt(1 - memory**2)
    for t in range(1, shape[1]):
        out[:, t] = memory * out[:, t - 1] + steps[:, t]
    return out


def stuck(rng):
    """One chain that sits elsewhere and hardly moves."""
    draws = rng.normal(size=SHAPE)
    draws[2] = 3.0 + 1e-3 * draws[2]
    return {"draws": {"slope": draws}}


def far_apart_in_the_tails(rng):
    """Same centre, one chain ten times as wide: only the folded R-hat sees it."""
    draws = rng.normal(size=SHAPE)
    draws[0] *= 10.0
    return {"draws": {"slope": draws}}


def sticky(rng):
    return {"draws": {"slope": autocorrelated(rng, SHAPE, 0.9)}}


def never_moving(rng):
    """All chains at one value: R-hat is not a number (ArviZ counts every draw as effective)."""
    return {"draws": {"slope": np.ones(SHAPE)}}


def not_a_number(rng):
    draws = rng.normal(size=SHAPE)
    draws[1, 3] = np.nan
    return {"draws": {"mediator_effect_mean": draws}}


def diverging(rng):
    found = np.zeros(SHAPE, dtype=bool)
    found[3, 500] = True
    return {"stats": {"diverging": found}}


def slow_energy(rng):
    """Energy that wanders: its steps are small against its spread."""
    energy = rng.normal(size=SHAPE)
    energy[1] = autocorrelated(rng, SHAPE, 0.95)[0]
    return {"stats": {"energy": energy}}


def constant_energy(rng):
    return {"stats": {"energy": np.ones(SHAPE)}}


def one_chain(rng):
    return {"shape": (1, 4000)}


def few_draws(rng):
    return {"shape": (4, 50)}


FAULTS = [
    (stuck, {"r_hat", "ess_bulk"}, "slope"),
    (far_apart_in_the_tails, {"r_hat"}, "slope"),
    (sticky, {"ess_bulk"}, "slope"),
    (never_moving, {"r_hat"}, "slope"),
    (not_a_number, {"r_hat", "ess_bulk", "ess_tail"}, "mediator_effect_mean"),
    (diverging, {"divergences"}, ""),
    (slow_energy, {"e_bfmi"}, "chain 1"),
    (constant_energy, {"e_bfmi"}, "chain 0"),
    (one_chain, {"r_hat"}, None),
    (few_draws, {"ess_bulk", "ess_tail"}, None),
]


@pytest.mark.parametrize(("fault", "codes", "where"), FAULTS, ids=[f[0].__name__ for f in FAULTS])
def test_each_fault_is_found_where_it_is(made_fit, fault, codes, where):
    fitted = made_fit(**fault(np.random.default_rng(1)))
    failed = {d.code: d for d in diagnose(fitted.tree) if not d.passed}
    assert codes <= set(failed)
    # A fault of sampling statistics says nothing about the parameters, and the other way round.
    if codes in ({"divergences"}, {"e_bfmi"}):
        assert set(failed) == codes
    elif fault is not few_draws:
        assert not set(failed) & {"divergences", "e_bfmi"}
    if where is not None:
        assert {failed[c].where for c in codes} == {where}
    assert "NOT CONVERGED: " in repr(fitted)
    assert all(code in repr(fitted) for code in codes)
    results = check(fitted)
    assert not converged(results)
    by_code = {r.code: r for r in results}
    for code in codes:
        assert by_code[code].status == "failed"
        assert by_code[code].convergence
        # What to do is said where, and only where, something failed.
        assert by_code[code].reason.count(". ") >= 1


def test_a_good_fit_passes(made_fit):
    fitted = made_fit()
    found = diagnose(fitted.tree)
    assert [d.code for d in found] == CODES
    assert all(d.passed for d in found)
    assert "NOT CONVERGED" not in repr(fitted)
    results = check(fitted)
    assert converged(results)
    assert [r.status for r in results if r.convergence] == ["passed"] * 5


def test_numbers_are_those_of_arviz(nuts_fit):
    posterior = nuts_fit.tree["posterior"].to_dataset()
    found = parameter_diagnostics(nuts_fit.tree)
    assert set(found) == set(posterior.data_vars)
    r_hat, bulk = az.rhat(posterior), az.ess(posterior, method="bulk")
    tail = az.ess(posterior, method="tail", prob=(0.05, 0.95))
    for name, row in found.items():
        assert row["r_hat"] == float(np.ravel(r_hat[name])[0])
        assert row["ess_bulk"] == float(np.ravel(bulk[name])[0])
        assert row["ess_tail"] == float(np.ravel(tail[name])[0])
    energy = np.asarray(nuts_fit.tree["sample_stats"]["energy"])
    by_hand = (np.diff(energy, axis=1) ** 2).mean(axis=1) / energy.var(axis=1)
    assert np.allclose(energy_fractions(nuts_fit.tree), by_hand, rtol=0.01)


def test_the_worst_parameter_is_the_one_named(made_fit):
    rng = np.random.default_rng(1)
    slightly, badly = rng.normal(size=(2, *SHAPE))
    slightly[0] += 0.5
    badly[0] += 2.0
    fitted = made_fit({"slope": slightly, "direct_effect_mean": badly})
    r_hat = next(d for d in diagnose(fitted.tree) if d.code == "r_hat")
    assert r_hat.where == "direct_effect_mean"
    table = parameter_diagnostics(fitted.tree)
    assert r_hat.value == table["direct_effect_mean"]["r_hat"] > table["slope"]["r_hat"] > 1.01


def test_quadrature_is_judged_by_its_error(exact_fit):
    (found,) = diagnose(exact_fit.tree)
    assert (found.code, found.passed) == ("quadrature", True)
    tree = exact_fit.tree.copy(deep=True)
    tree["quadrature"]["line_error"] = xr.DataArray(2 * found.bound)
    rough = Fit(exact_fit.model, exact_fit.data, exact_fit.sampler, exact_fit.seed, tree)
    assert repr(rough).endswith("NOT CONVERGED: quadrature)")
    assert not converged(check(rough))
    assert converged(check(exact_fit))


def test_default_settings_converge_on_five_sites(nuts_fit):
    assert converged(check(nuts_fit))
