"""Estimands of correlated random coefficients, draw by draw."""

import numpy as np
import pytest
from scipy.stats import beta, kstest

from bayesmed.core.names import CHAIN
from bayesmed.data import TrialPersons
from bayesmed.effects.trials.random_coefficients import random_coefficients_effects
from bayesmed.generative.random_coefficients import RandomCoefficients
from bayesmed.inference import Sampler, fit
from tests.generative.random_coefficients import MODELS, NORMAL, covariance, means, persons


def prior_draws(name, n=50):
    model, data = MODELS[name], persons(name)
    return model.prior_draws(data, n, np.random.default_rng(6))


@pytest.mark.parametrize("name", NORMAL)
def test_effects_are_those_of_simulated_persons(name):
    draws = {k: v[:1] for k, v in prior_draws(name).items()}
    found = random_coefficients_effects(MODELS[name], draws, persons(name)).draws
    rng, n = np.random.default_rng(2), 400_000
    root = np.linalg.cholesky(covariance(draws))
    _, _, gamma, delta = means(draws)[:, None] + root @ rng.standard_normal((4, n))
    direct = draws["direct_effect"][0] if "direct_effect" in draws else 0.0
    effect = direct + gamma * delta
    error = effect.std() / np.sqrt(n)
    assert found["intention_to_treat"][0] == pytest.approx(effect.mean(), abs=4.5 * error)
    assert found["average_treatment_effect"][0] == draws["slope"][0]
    ratio = (gamma * delta).mean() / draws["mediator_effect"][0]
    slack = 4.5 * error / abs(draws["mediator_effect"][0])
    assert found["cwate"][0] == pytest.approx(ratio, abs=slack)
    gap = found["intention_to_treat"] / draws["mediator_effect"] - draws["slope"]
    np.testing.assert_allclose(found["wald_gap"], gap, rtol=1e-9)
    assert ("direct_effect" in found) == ("direct_effect" in draws)


@pytest.mark.parametrize("name", ["two arms", "amount"])
def test_without_covariance_all_persons_count_alike(name):
    draws = prior_draws(name)
    corr = draws["person_correlation"].copy()
    corr[:, 2, 3] = corr[:, 3, 2] = 0.0
    found = random_coefficients_effects(
        MODELS[name], {**draws, "person_correlation": corr}, persons(name)
    )
    values = found.draws
    np.testing.assert_array_equal(values["cwate"], values["average_treatment_effect"])
    np.testing.assert_array_equal(values["wald_gap"], 0.0)
    assert found.ratios == {"cwate", "wald_gap"}
    assert set(found.labels) == set(values)


def test_notes_say_what_numbers_rest_on():
    def notes(name):
        return " ".join(
            random_coefficients_effects(MODELS[name], prior_draws(name), persons(name)).notes
        )

    for name in NORMAL:
        assert "jointly normal" in notes(name)
        assert ("Caution" in notes(name)) == ("direct" in name)
        assert ("told by the prior alone" in notes(name)) == ("two arms" in name)
    assert "variances" in notes("two arms, direct")
    assert "normal distribution of persons' effects" in notes("binary")
    together = random_coefficients_effects(
        MODELS["amount"], prior_draws("amount"), persons("amount")
    )
    share = (together.draws["compliance_slope_covariance"] > 0).mean()
    assert f"With probability {share:.2f}" in together.notes[0]


def with_access(share, n=400, seed=1):
    """Compliers of two arms benefit by 2, those who have the mediator anyway by 5."""
    rng = np.random.default_rng(seed)
    t, kind = np.arange(n) % 2, rng.random(n)
    always, complies = kind < share, (kind >= share) & (kind < share + 0.5)
    m = always | (complies & (t == 1))
    y = 1.0 + np.where(always, 5.0, 2.0) * m + rng.standard_normal(n)
    return TrialPersons.from_arrays(treatment=t, mediator=m, outcome=y)


def test_a_binary_mediator_by_its_cells():
    data = with_access(0.2)
    model = RandomCoefficients()
    draws = model.prior_draws(data, 30, np.random.default_rng(1))
    found = random_coefficients_effects(model, draws, data)
    share, mean = draws["mediator_share"], draws["cell_mean"]
    total = [
        (1 - s[1]) * c[1, 0] + s[1] * c[1, 1] - (1 - s[0]) * c[0, 0] - s[0] * c[0, 1]
        for s, c in zip(share, mean, strict=True)
    ]
    np.testing.assert_allclose(found.draws["intention_to_treat"], total, rtol=1e-9)
    np.testing.assert_allclose(found.draws["late"], total / (share[:, 1] - share[:, 0]), rtol=1e-9)
    np.testing.assert_array_equal(found.draws["cwate"], found.draws["late"])
    assert "tot" not in found.draws
    assert not any("No access" in note for note in found.notes)


def test_without_access_the_effect_is_that_on_the_treated():
    data = with_access(0.0)
    model = RandomCoefficients()
    draws = model.prior_draws(data, 30, np.random.default_rng(1))
    draws["mediator_share"][:, 0] = 0.0
    found = random_coefficients_effects(model, draws, data)
    np.testing.assert_allclose(found.draws["tot"], found.draws["late"], rtol=1e-9)
    assert any(note.startswith("No access") for note in found.notes)
    assert found.ratios == {"late", "cwate", "tot"}


def test_the_posterior_of_a_binary_mediator_is_the_exact_one():
    data, model = with_access(0.2, 1000), RandomCoefficients()
    few = Sampler(draws=500, tune=500, chains=2, cores=1)
    posterior = fit(model, data, sampler=few, seed=4).tree["posterior"]
    assert posterior.sizes[CHAIN] == 2
    flat = {k: v.values.reshape(-1, *v.shape[2:]) for k, v in posterior.data_vars.items()}
    for arm in (0, 1):
        own = data.mediator[data.treatment == arm]
        exact = beta(1 + own.sum(), 1 + (1 - own).sum())
        assert kstest(flat["mediator_share"][::2, arm], exact.cdf).pvalue > 1e-3
        for value in (0, 1):
            y = data.outcome[(data.treatment == arm) & (data.mediator == value)]
            mean = flat["cell_mean"][:, arm, value]
            error = y.std() / np.sqrt(y.size)
            # The prior is so wide that the posterior is that of a flat one, but for Monte Carlo.
            assert mean.mean() == pytest.approx(y.mean(), abs=0.25 * error)
            assert mean.std() == pytest.approx(error, rel=0.12)
    late = random_coefficients_effects(model, flat, data).draws["late"]
    low, high = np.quantile(late, [0.005, 0.995])
    assert low < 2.0 < high
    assert high - low < 1.5
