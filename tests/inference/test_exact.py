"""The exact engine: against brute force, at its limits, and under changes of nothing but units."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from bayesmed.core.errors import ModelError
from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteSlope
from bayesmed.inference import exact_posterior
from bayesmed.inference.exact import PROBABILITIES, sampled_modes
from bayesmed.inference.quadrature import QuadratureError
from bayesmed.priors import Prior
from tests.calibration.algorithm_1 import simulate

pytestmark = pytest.mark.filterwarnings("ignore::bayesmed.data.DataWarning")


def numbers(posterior):
    return {k: np.array([s.mean, s.sd, *s.quantiles]) for k, s in posterior.summaries().items()}


def by_importance(model, data, n=400_000, seed=0):
    """Posterior mean and marginal likelihood by weighting draws from the prior."""
    draws = model.prior_draws(data, n, np.random.default_rng(seed))
    log_weight = model.log_likelihood(draws, data).sum(axis=1)
    top = log_weight.max()
    weight = np.exp(log_weight - top)
    size = weight.sum() ** 2 / (weight**2).sum()
    means = {k: (weight @ v) / weight.sum() for k, v in draws.items()}
    return means, top + np.log(weight.mean()), size, np.std(weight) / weight.mean() / np.sqrt(n)


def through_the_origin(data):
    return SiteEstimates.from_arrays(
        mediator_effect=data.mediator_effect,
        total_effect=2 * data.mediator_effect[:, 0] + data.total_effect_se,
        cov=data.cov,
    )


@pytest.mark.parametrize(
    "model",
    [
        SiteSlope(),
        SiteSlope(direct_effect=False),
        SiteSlope(
            priors={
                "slope": Prior("HalfNormal", sigma=3),
                "direct_effect_mean": Prior("Normal", mu=4, sigma=2),
                "direct_effect_sd": Prior("Uniform", lower=0, upper=3),
                "mediator_effect_sd": Prior("Gamma", alpha=2, beta=1.5),
            }
        ),
    ],
    ids=["default", "no direct effect", "own priors"],
)
def test_agrees_with_weighted_prior_draws(model):
    data = simulate(3, 2.0, np.random.default_rng(12))
    if not model.direct_effect:
        data = through_the_origin(data)
    exact = exact_posterior(model, data)
    means, evidence, size, error = by_importance(model, data)
    assert size > 300
    assert exact.log_marginal_likelihood == pytest.approx(evidence, abs=4 * error)
    for name, summary in exact.summaries().items():
        assert summary.mean == pytest.approx(means[name], abs=4 * summary.sd / np.sqrt(size)), name


@pytest.mark.parametrize("n", [3, 5, 40])
def test_a_finer_grid_changes_nothing(n):
    data = simulate(n, 2.0, np.random.default_rng([4, n]))
    usual, fine = (exact_posterior(SiteSlope(), data, tolerance=t) for t in (3e-4, 1e-4))
    assert fine.grid.mass.size >= usual.grid.mass.size
    for name, found in usual.summaries().items():
        expected = fine.summaries()[name]
        assert found.mean == pytest.approx(expected.mean, abs=1e-3 * expected.sd)
        assert found.sd == pytest.approx(expected.sd, rel=1e-3)
        np.testing.assert_allclose(found.quantiles, expected.quantiles, atol=3e-3 * expected.sd)


@pytest.mark.parametrize("direct_effect", [True, False])
def test_units_signs_and_order_change_nothing_else(direct_effect):
    data = simulate(8, 1.0, np.random.default_rng(5))
    model = SiteSlope(direct_effect=direct_effect)
    base = numbers(exact_posterior(model, data))
    for k, m in ((1e3, 1e-3), (2e-7, 5e4)):
        found = numbers(exact_posterior(model, data.rescaled([k], m)))
        factor = {"slope": m / k, "mediator_effect_mean": k, "mediator_effect_sd": k}
        for name, value in found.items():
            np.testing.assert_allclose(
                value / factor.get(name, m), base[name], rtol=0, atol=1e-4 * base[name][1]
            )
    shuffled = numbers(exact_posterior(model, data.take([3, 1, 0, 7, 6, 2, 5, 4])))
    for name, value in shuffled.items():
        np.testing.assert_allclose(value, base[name], rtol=0, atol=1e-4 * base[name][1])


def test_draws_follow_the_marginals():
    data = simulate(5, 2.0, np.random.default_rng(2))
    exact = exact_posterior(SiteSlope(), data)
    draws = exact.draws(8000, np.random.default_rng(3))
    for name in exact.density.axes:
        value, _, cumulative = exact.marginal(name)
        pvalue = kstest(draws[name], lambda x, v=value, c=cumulative: np.interp(x, v, c)).pvalue
        assert pvalue > 1e-3, name
    for name, summary in exact.summaries().items():
        error = summary.sd / np.sqrt(8000)
        assert draws[name].mean() == pytest.approx(summary.mean, abs=4 * error), name
        share = np.mean(draws[name] <= summary.quantiles[PROBABILITIES.index(0.25)])
        assert share == pytest.approx(0.25, abs=4 * np.sqrt(0.1875 / 8000)), name


@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(3, 7),
    seed=st.integers(0, 10_000),
    se=st.sampled_from([0.0, 1e-9, 1e-4, 0.5, 30.0]),
    other=st.sampled_from([0.0, 1e-9, 1e-4, 0.5, 30.0]),
)
def test_survives_any_precision(n, seed, se, other):
    """Standard errors of 0, near 0 and far beyond the spread."""
    rng = np.random.default_rng(seed)
    cov = np.zeros((n, 2, 2))
    cov[:, 0, 0], cov[:, 1, 1] = se**2, other**2
    data = SiteEstimates.from_arrays(
        mediator_effect=rng.normal(1, 1, n), total_effect=rng.normal(3, 1, n), cov=cov
    )
    for name, summary in exact_posterior(SiteSlope(), data).summaries().items():
        assert np.isfinite(summary.mean), name
        assert summary.sd > 0, name
        assert np.all(np.diff(summary.quantiles) > 0), name


def test_one_mode_and_two():
    one = exact_posterior(SiteSlope(), simulate(30, 2.0, np.random.default_rng(1)))
    assert len(one.modes()) == 1
    assert one.modes()[0].probability == pytest.approx(1.0)
    for seed in range(300):
        data = simulate(5, 2.0, np.random.default_rng([55, seed]))
        modes = exact_posterior(SiteSlope(), data, tolerance=3e-3).modes()
        if len(modes) == 2:
            break
    assert len(modes) == 2
    assert modes[0].probability > modes[1].probability
    assert sum(m.probability for m in modes) == pytest.approx(1.0)


def test_modes_of_draws():
    rng = np.random.default_rng(0)
    draws = np.where(rng.uniform(size=8000) < 0.3, rng.normal(-4, 1, 8000), rng.normal(3, 1, 8000))
    first, second = sampled_modes(draws)
    assert (first.at, second.at) == (pytest.approx(3, abs=0.3), pytest.approx(-4, abs=0.3))
    assert second.probability == pytest.approx(0.3, abs=0.03)


def test_two_exact_sites_are_refused_not_guessed():
    """Without noise two points fix the line as the spread around it goes to 0: no grid does."""
    data = SiteEstimates.from_arrays(
        mediator_effect=[1.0, 2.0], total_effect=[1.0, 2.5], cov=np.zeros((2, 2, 2))
    )
    with pytest.raises(QuadratureError, match="use engine nuts"):
        exact_posterior(SiteSlope(), data)


def test_priors_that_cannot_be_integrated_are_refused():
    data = simulate(5, 2.0, np.random.default_rng(2))
    for name in ("mediator_effect_mean", "total_effect_at_centre", "direct_effect_mean"):
        model = SiteSlope(priors={name: Prior("StudentT", nu=3, sigma=1)})
        with pytest.raises(ModelError, match=f"Normal prior on {name}"):
            exact_posterior(model, data)
