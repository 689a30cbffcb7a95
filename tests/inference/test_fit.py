"""The verb ``fit``: repeatable, compiled once, and never half done."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import nutpie
import pytest

from bayesmed.checks import check
from bayesmed.core.errors import DataError, ModelError
from bayesmed.data import SiteEstimates
from bayesmed.effects import effects
from bayesmed.generative import SiteSlope
from bayesmed.inference import Sampler, fit, nuts
from bayesmed.inference.nuts import SamplingError
from bayesmed.priors import Prior

SHORT = Sampler(draws=100, tune=200, chains=2)
EXACT = Sampler(engine="exact", draws=50, chains=2)


class Recorder:
    """A display that remembers what it was told."""

    def __init__(self):
        self.phases, self.shares = [], []

    def phase(self, text):
        self.phases.append(text)

    def advance(self, done, detail=""):
        self.shares.append(done)


@pytest.fixture
def other_sites():
    """Eight sites in other units, unlike ``sites`` in number and in names."""
    rng = np.random.default_rng(3)
    effect = rng.normal(40.0, 10.0, 8)
    cov = np.tile([[9.0, 2.0], [2.0, 4.0]], (8, 1, 1))
    noise = rng.multivariate_normal([0.0, 0.0], cov[0], 8)
    return SiteEstimates.from_arrays(
        mediator_effect=effect + noise[:, 0],
        total_effect=3.0 + 0.5 * effect + noise[:, 1],
        cov=cov,
        site=[f"clinic {i}" for i in range(8)],
        mediators=["steps"],
    )


@pytest.fixture
def compilations(monkeypatch, nuts_fit):
    """Count compilations from here on; the default structure is compiled already."""
    counted = []
    compile_model = nutpie.compile_pymc_model

    def counting(*args, **kwargs):
        counted.append(args)
        return compile_model(*args, **kwargs)

    monkeypatch.setattr(nutpie, "compile_pymc_model", counting)
    return counted


def same(first, second):
    return first.tree["posterior"].to_dataset().identical(second.tree["posterior"].to_dataset())


def test_one_seed_gives_the_same_draws_whatever_the_cores(sites, compilations):
    one, two = (
        fit(SiteSlope(), sites, sampler=Sampler(draws=60, tune=100, cores=c), seed=4)
        for c in (1, 2)
    )
    assert same(one, two)
    for group in one.tree.children:
        assert one.tree[group].to_dataset().identical(two.tree[group].to_dataset()), group


@pytest.mark.parametrize("sampler", [SHORT, EXACT])
def test_another_seed_gives_other_draws(sites, sampler, compilations):
    first, again, other = (fit(SiteSlope(), sites, sampler=sampler, seed=s) for s in (4, 4, 5))
    assert same(first, again)
    slope, other_slope = (np.asarray(f.tree["posterior"]["slope"]) for f in (first, other))
    assert not np.isin(slope, other_slope).any()
    # Chains are no copies of one another either.
    assert not np.isin(slope[0], slope[1]).any()


def test_a_seed_left_out_is_drawn_and_kept(sites):
    first, second = (fit(SiteSlope(), sites, sampler=EXACT) for _ in range(2))
    assert first.seed != second.seed
    assert same(first, fit(SiteSlope(), sites, sampler=EXACT, seed=first.seed))


def test_numpy_state_is_left_alone(sites, compilations):
    before = np.random.get_state()  # noqa: NPY002
    for sampler in (SHORT, EXACT):
        fitted = fit(SiteSlope(), sites, sampler=sampler, seed=1)
        effects(fitted).table()
        check(fitted)
    after = np.random.get_state()  # noqa: NPY002
    assert before[2:] == after[2:]
    assert np.array_equal(before[1], after[1])


def test_other_data_and_priors_do_not_compile_again(sites, other_sites, compilations, monkeypatch):
    priors = {
        "slope": Prior("Normal", mu=1, sigma=0.3),
        "mediator_effect_sd": Prior("HalfNormal", sigma=4),
    }
    asked = [
        (SiteSlope(), other_sites),
        (SiteSlope(priors=priors), other_sites),
        (SiteSlope(priors=priors), sites.take([0, 1, 2])),
        (SiteSlope(), sites),
    ]
    refits = [fit(model, data, sampler=SHORT, seed=9) for model, data in asked]
    assert compilations == []
    # A fresh compilation of the second gives what the refit gave.
    monkeypatch.setattr(nuts, "_compiled", {})
    fresh = fit(*asked[1], sampler=SHORT, seed=9)
    assert len(compilations) == 1
    assert same(refits[1], fresh)
    assert not np.isin(
        np.asarray(refits[0].tree["posterior"]["slope"]),
        np.asarray(fresh.tree["posterior"]["slope"]),
    ).any()
    # And the model compiled for eight sites serves five, as the one compiled for five did.
    assert same(refits[3], fit(*asked[3], sampler=SHORT, seed=9))
    assert len(compilations) == 1


def test_structures_differ_where_the_graph_does(sites):
    def of(**choices):
        return SiteSlope(**choices).structure(sites)

    assert of() == of(priors={"slope": Prior("Normal", mu=3, sigma=9)})
    others = {
        of(),
        of(direct_effect=False),
        of(priors={"slope": Prior("Cauchy", alpha=0, beta=1)}),
        of(priors={"direct_effect_mean": Prior("Normal", mu=0, sigma=1)}),
        of(priors={"direct_effect_sd": Prior("Exponential", lam=1)}),
    }
    assert len(others) == 5


def test_progress_from_compilation_to_the_end(sites, compilations, monkeypatch):
    monkeypatch.setattr(nuts, "_compiled", dict(nuts._compiled))
    nuts._compiled.pop(SiteSlope().structure(sites))
    shown = Recorder()

    def compile_model(*args, **kwargs):
        assert shown.phases == ["Compiling the model"]
        raise RuntimeError("stop here")

    monkeypatch.setattr(nutpie, "compile_pymc_model", compile_model)
    with pytest.raises(RuntimeError, match="stop here"):
        fit(SiteSlope(), sites, sampler=SHORT, seed=1, progress=shown)


def test_progress_of_a_refit(sites, compilations):
    shown = Recorder()
    fit(SiteSlope(), sites, sampler=Sampler(draws=4000, tune=1000), seed=1, progress=shown)
    assert shown.phases == ["Sampling", "Site effects and predictions"]
    assert shown.shares == sorted(shown.shares)
    assert all(0 <= share <= 1 for share in shown.shares)
    exact = Recorder()
    fit(SiteSlope(), sites, sampler=EXACT, seed=1, progress=exact)
    assert exact.phases == ["Integrating", "Site effects and predictions"]


def test_an_interrupt_leaves_no_fit(sites, compilations, monkeypatch):
    """An interrupt while nutpie waits gets through, and its draws are thrown away."""
    cancelled = []

    def wait(self):
        raise KeyboardInterrupt

    sampling = nutpie.sample.__globals__["_BackgroundSampler"]
    cancel = sampling.cancel
    monkeypatch.setattr(sampling, "wait", wait)
    monkeypatch.setattr(sampling, "cancel", lambda self: cancelled.append(cancel(self)))
    result = None
    with pytest.raises(KeyboardInterrupt):
        result = fit(SiteSlope(), sites, sampler=SHORT, seed=1)
    assert result is None
    assert cancelled


def test_a_real_interrupt_stops_sampling(sites, compilations, interrupts):
    class Interrupter(Recorder):
        def phase(self, text):
            super().phase(text)
            if text == "Sampling":
                threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()

    shown = Interrupter()
    with pytest.raises(KeyboardInterrupt):
        fit(SiteSlope(), sites, sampler=Sampler(draws=500_000), seed=1, progress=shown)
    assert shown.phases == ["Sampling"]


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_a_partial_trace_is_no_fit(sites, compilations, monkeypatch, seconds):
    """nutpie hands over what it has when it is stopped, in tuning or later."""

    def stopped(self):
        time.sleep(seconds)
        return self.abort()

    monkeypatch.setattr(nutpie.sample.__globals__["_BackgroundSampler"], "wait", stopped)
    with pytest.raises(SamplingError, match="ended before all draws"):
        fit(SiteSlope(), sites, sampler=Sampler(draws=500_000, tune=100), seed=1)


def test_a_failing_sampler_says_so(sites, compilations, monkeypatch):
    def wait(self):
        raise RuntimeError("all initial points are invalid")

    monkeypatch.setattr(nutpie.sample.__globals__["_BackgroundSampler"], "wait", wait)
    with pytest.raises(SamplingError, match="all initial points are invalid"):
        fit(SiteSlope(), sites, sampler=SHORT, seed=1)


def test_what_cannot_be_fitted_is_refused_before_work(sites, compilations):
    shown = Recorder()
    two = SiteEstimates.from_arrays(
        mediator_effect=[[1.0, 2.0], [2.0, 1.0], [3.0, 5.0]],
        total_effect=[1.0, 2.0, 2.5],
        cov=np.tile(np.eye(3) * 0.01, (3, 1, 1)),
    )
    with pytest.raises(DataError, match="one mediator"):
        fit(SiteSlope(correlation=0.3), two, seed=1, progress=shown)
    with pytest.raises(ModelError, match="seed"):
        fit(SiteSlope(), sites, seed=-1, progress=shown)
    model = SiteSlope(priors={"mediator_effect_mean": Prior("Cauchy", alpha=0, beta=1)})
    with pytest.raises(ModelError, match="engine nuts"):
        fit(model, sites, sampler=EXACT, seed=1)
    assert shown.phases == []
    assert compilations == []


def test_a_fit_says_what_it_is(nuts_fit, exact_fit):
    shape = f"{Sampler().chains} x {Sampler().draws}"
    assert repr(nuts_fit) == f"Fit(SiteSlope, 5 sites, engine 'nuts', {shape} draws, seed 11)"
    assert repr(exact_fit) == f"Fit(SiteSlope, 5 sites, engine 'exact', {shape} draws, seed 11)"
    for fitted in (nuts_fit, exact_fit):
        attrs = fitted.tree.attrs
        assert attrs["version_pymc"]
        assert 0 <= attrs["seconds_engine"] <= attrs["seconds_total"]
