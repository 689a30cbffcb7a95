"""Natural scales: the rules methods prescribe, and what happens where they have no answer."""

import numpy as np
import pytest

from bayesmed.priors.scaling import NOISE_FREE_FLOOR, site_scale

RNG = np.random.default_rng(2)
GAMMA, BETA = RNG.normal(2, 1, 12), RNG.normal(5, 3, 12)
SE = np.full(12, 0.3)


def test_scales_of_an_ordinary_table():
    scale = site_scale(GAMMA, SE, BETA, SE)
    assert scale.mediator_spread == pytest.approx(np.std(GAMMA, ddof=1))
    assert scale.outcome_spread == pytest.approx(np.std(BETA, ddof=1))
    noise_free = np.sqrt(np.var(GAMMA, ddof=1) - 0.09)
    assert scale.noise_free_spread == pytest.approx(noise_free)
    assert scale.slope_scale == pytest.approx(np.std(BETA, ddof=1) / noise_free)
    # Equal standard errors: the precision-weighted mean is the mean.
    assert scale.centre == pytest.approx(GAMMA.mean())


def test_centre_weighs_by_precision():
    se = np.array([0.01, 5.0, 5.0, 0.01])
    scale = site_scale(np.array([1.0, 9.0, -7.0, 2.0]), se, BETA[:4], np.ones(4))
    assert scale.centre == pytest.approx(1.5, abs=0.5)


def test_floor_where_noise_explains_everything():
    scale = site_scale(GAMMA, np.full(12, 3.0), BETA, SE)
    expected = np.sqrt(NOISE_FREE_FLOOR) * np.std(GAMMA, ddof=1)
    assert scale.noise_free_spread == pytest.approx(expected)


def test_one_very_noisy_site_does_not_set_the_scale():
    gamma, se = np.append(GAMMA, 400.0), np.append(SE, 100.0)
    beta = np.append(BETA, -700.0)
    found = site_scale(gamma, se, beta, se)
    assert found.mediator_spread == pytest.approx(np.std(GAMMA, ddof=1))
    assert found.outcome_location == pytest.approx(BETA.mean())


def test_a_far_site_that_is_precise_stays():
    gamma = np.append(GAMMA, 400.0)
    found = site_scale(gamma, np.append(SE, 0.3), np.append(BETA, 1.0), np.append(SE, 0.3))
    assert found.mediator_spread == pytest.approx(np.std(gamma, ddof=1))


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("n", [2, 5])
@pytest.mark.parametrize("se", [0.0, 0.4])
@pytest.mark.parametrize("beta", [0.0, 3.0])
def test_no_spread_at_all_still_gives_finite_positive_scales(intercept, n, se, beta):
    errors = np.full(n, se)
    scale = site_scale(np.linspace(1, 2, n), errors, np.full(n, beta), errors, intercept=intercept)
    for value in (scale.mediator_spread, scale.outcome_spread, scale.slope_scale):
        assert np.isfinite(value)
        assert value > 0


def test_two_sites_do_not_give_a_tiny_scale_by_accident():
    errors = np.full(2, 0.4)
    scale = site_scale(np.array([1.0, 1.0001]), errors, np.array([2.0, 2.0001]), errors)
    assert scale.mediator_spread == pytest.approx(0.4)
    assert scale.outcome_spread == pytest.approx(0.4)


def test_scales_follow_units():
    base = site_scale(GAMMA, SE, BETA, SE)
    other = site_scale(GAMMA * 1e3, SE * 1e3, BETA * 1e-3, SE * 1e-3)
    assert other.centre == pytest.approx(base.centre * 1e3)
    assert other.slope_scale == pytest.approx(base.slope_scale * 1e-6)
    assert other.mediator_spread == pytest.approx(base.mediator_spread * 1e3)
    assert other.outcome_spread == pytest.approx(base.outcome_spread * 1e-3)


def test_without_intercept_the_slope_scale_is_a_ratio_of_sizes():
    scale = site_scale(GAMMA, SE, 4 * GAMMA, SE, intercept=False)
    size = np.sqrt(np.mean(GAMMA**2))
    assert scale.slope_scale == pytest.approx(4 * size / np.sqrt(size**2 - 0.09))
