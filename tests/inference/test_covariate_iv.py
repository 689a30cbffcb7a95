"""Posteriors of the covariate-IV model: beside LIML and 2SLS, given modifiers, cut."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from linearmodels.iv import IVLIML
from scipy.stats import norm

from bayesmed.classical import covariate_iv
from bayesmed.core.progress import Silent
from bayesmed.data import TrialMoments
from bayesmed.generative.covariate_iv import CovariateIV
from bayesmed.inference.cut import draw_cut_posterior
from bayesmed.inference.fit import fit
from bayesmed.inference.sampler import Sampler
from bayesmed.priors import Prior
from tests.classical.trials import jobs2, persons_of
from tests.generative.covariate_ivs import trial

# Every fit has three covariates and shares one compiled model.
SHORT = Sampler(draws=600, tune=400, chains=2)


@pytest.fixture(scope="module")
def strong():
    """Strong instruments, confounding of .6."""
    return trial(5, 3000, strength=2.0)


def slopes(model, data, seed=1):
    found = fit(model, data, sampler=SHORT, seed=seed).tree
    assert int(found["sample_stats"]["diverging"].sum()) == 0
    return found["posterior"]


def liml(data):
    x = data.covariates - data.covariates.mean(axis=0)
    r = data.treatment[:, None]
    return IVLIML(data.outcome, sm.add_constant(np.column_stack([x, r])), data.mediator, r * x).fit(
        cov_type="robust"
    )


def test_strong_instruments_give_limited_information_maximum_likelihood(strong):
    found = slopes(CovariateIV(), strong)
    oracle = liml(strong)
    for name, at in (("slope", "endog"), ("direct_effect", "exog.4")):
        draws = found[name].to_numpy()
        assert draws.mean() == pytest.approx(oracle.params[at], abs=0.25 * oracle.std_errors[at])
        assert draws.std() == pytest.approx(oracle.std_errors[at], rel=0.15)
    # Least squares is far away.
    ols = sm.OLS(
        strong.outcome,
        sm.add_constant(np.column_stack([strong.covariates, strong.treatment, strong.mediator])),
    ).fit()
    assert abs(ols.params[-1] - oracle.params["endog"]) > 5 * oracle.std_errors["endog"]


def test_moments_give_the_draws_of_persons(strong):
    pair = [slopes(CovariateIV(), d) for d in (strong, TrialMoments.from_persons(strong))]
    means = [p["slope"].to_numpy().mean() for p in pair]
    assert means[0] == pytest.approx(means[1], rel=1e-3)


def test_a_direct_modifier_shifts_the_slope_as_two_stage_least_squares(strong):
    tau = {"severe": 0.8}
    found = [
        slopes(CovariateIV(direct_modifier=m), strong)["slope"].to_numpy().mean() for m in ({}, tau)
    ]
    classical = [covariate_iv(strong, direct_modifier=m).slope for m in (None, tau)]
    shift = classical[1] - classical[0]
    assert abs(shift) > 3 * covariate_iv(strong).slope_se
    assert found[1] - found[0] == pytest.approx(shift, rel=0.15)


def test_two_stage_least_squares_lies_in_the_interval_of_jobs2():
    data = persons_of(jobs2(), ("econ_hard", "depress1", "sex"))
    draws = slopes(CovariateIV(), data)
    for name in ("slope", "direct_effect"):
        low, high = np.quantile(draws[name], [0.025, 0.975])
        assert low < getattr(covariate_iv(data), name) < high


def test_a_cut_modifier_keeps_its_prior(strong):
    prior = Prior("Normal", mu=0.0, sigma=0.05)
    model = CovariateIV(slope_modifier={"age": prior})
    sampler = Sampler(draws=320, tune=200, chains=2)
    found = draw_cut_posterior(model, strong, sampler, 3, Silent(), values=16)
    tau, slope = found.draws["slope_modifier"][..., 0].ravel(), found.draws["slope"].ravel()
    assert found.draws["slope_modifier"].shape == (2, 320, 1)
    assert len(np.unique(tau)) == 16
    # One value in each sixteenth of the prior, with equal weights.
    sixteenth = np.floor(16 * norm.cdf(np.unique(tau), scale=0.05))
    assert sixteenth.tolist() == list(range(16))
    assert np.unique(tau, return_counts=True)[1].tolist() == [40] * 16
    # Given each value the slope is that of a fit with the number.
    for value in np.unique(tau)[[0, 15]]:
        given = covariate_iv(strong, slope_modifier={"age": value})
        own = slope[tau == value]
        assert own.mean() == pytest.approx(given.slope, abs=1.2 * given.slope_se)
    ends = [slope[tau == value].mean() for value in np.unique(tau)[[0, 15]]]
    assert abs(ends[1] - ends[0]) > 3 * covariate_iv(strong).slope_se
