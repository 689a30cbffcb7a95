"""Tilts of lines, against lines."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmed.classical import covariate_iv
from bayesmed.classical.trial_instruments import trial_instruments
from bayesmed.classical.trial_products import trial_products
from bayesmed.formulas.expected_slopes import expected_slopes
from bayesmed.formulas.tilted_lines import tilt_of_constant, tilt_of_modifier
from tests.generative.covariate_ivs import trial


@pytest.mark.parametrize("mediators", [1, 3])
def test_a_constant_tilts_weighted_lines_through_the_origin(mediators: int) -> None:
    rng = np.random.default_rng(1)
    gamma, beta, w = rng.normal(0.5, 1, (12, mediators)), rng.normal(size=12), rng.gamma(2, 1, 12)
    root = np.sqrt(w)

    def line(total: np.ndarray) -> np.ndarray:
        return np.linalg.lstsq(gamma * root[:, None], total * root, rcond=None)[0]

    np.testing.assert_allclose(line(beta + 0.7) - line(beta), 0.7 * tilt_of_constant(gamma, w))


def test_of_many_sites_it_is_the_published_bias() -> None:
    rng = np.random.default_rng(2)
    gamma = rng.normal(0.6, 0.3, (400_000, 1))
    limit = expected_slopes(np.zeros(1), np.array([0.6]), np.array([[0.09]]), constant=1.0)
    np.testing.assert_allclose(tilt_of_constant(gamma, np.ones(len(gamma))), limit, rtol=5e-3)


@pytest.mark.parametrize(
    ("instruments", "interactions"),
    [(("past",), True), (("past", "severe"), True), (("age", "severe"), False)],
)
def test_a_modifier_tilts_two_stage_least_squares(
    instruments: tuple[str, ...], interactions: bool
) -> None:
    data = trial(n=400)
    design = trial_instruments(data.names, instruments, interactions)
    stages = design.stages(trial_products(data))
    assert not isinstance(stages, str)
    d = stages.instruments.coefficients[:, 0]
    tilt = tilt_of_modifier(d, np.linalg.inv(stages.instruments.inverse))
    options = {"instruments": instruments, "interactions": interactions}
    here = covariate_iv(data, **options)
    for j, name in enumerate(trial_order(data.names.covariates, instruments)):
        there = covariate_iv(data, direct_modifier={name: 0.4}, **options)
        assert there.slope - here.slope == pytest.approx(-0.4 * tilt[j])


def trial_order(covariates: tuple[str, ...], chosen: tuple[str, ...]) -> list[str]:
    return [name for name in covariates if name in chosen]
