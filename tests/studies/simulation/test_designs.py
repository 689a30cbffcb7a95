"""Designs: populations as stated, estimates as persons would give them, bad values refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from bayesmed.core.errors import ModelError
from bayesmed.studies.simulation import FuDesign, ReardonDesign, TrialDesign, design_grid
from bayesmed.studies.simulation.design import label, varying
from bayesmed.studies.simulation.trial import wishart

TRIAL = TrialDesign(
    sites=4000,
    persons=50,
    slope=0.7,
    mediator_effect_sd=0.3,
    direct_effect_sd=0.2,
    mediator_outcome_correlation=0.4,
    mediator_effect_mean=0.5,
    direct_effect_mean=0.1,
    slope_sd=0.2,
    mediator_sd=2.0,
    outcome_sd=3.0,
    treated_share=0.3,
)
DESIGNS = [
    FuDesign(sites=5),
    FuDesign(sites=5, slope_sd=1.0, error_correlation=0.5, covariance_given=False),
    ReardonDesign(sites=5, persons=8),
    TRIAL,
]


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def effects(design, seed=1):
    data = design.draw(rng(seed))
    return np.column_stack([data.mediator_effect[:, 0], data.total_effect]), data


@pytest.mark.parametrize("design", DESIGNS, ids=label)
def test_a_seed_decides_the_data_and_designs_can_be_sent_to_workers(design):
    sent = pickle.loads(pickle.dumps(design))
    assert sent == design
    assert label(sent) == label(design)
    assert sent.draw(rng(3)).fingerprint == design.draw(rng(3)).fingerprint
    assert sent.draw(rng(4)).fingerprint != design.draw(rng(3)).fingerprint
    assert design.draw(rng()).n_rows == design.sites


def test_algorithm_1_draws_what_it_says():
    found, data = effects(FuDesign(sites=100_000))
    se = np.column_stack([data.mediator_se[:, 0], data.total_effect_se])
    assert data.covariance_given
    # Gamma(1, 1): mean 1, and 2 for the square.
    np.testing.assert_allclose(se.mean(axis=0), 1.0, atol=4 * np.sqrt(1 / 1e5))
    np.testing.assert_allclose((se**2).mean(axis=0), 2.0, atol=4 * np.sqrt(20 / 1e5))
    # β = θ + 2γ: mean 4 + 2·2; variances 1 + 2 and 1 + 4·1 + 2; covariance 2.
    np.testing.assert_allclose(found.mean(axis=0), [2.0, 8.0], atol=0.04)
    np.testing.assert_allclose(np.cov(found.T), [[3.0, 2.0], [2.0, 7.0]], atol=0.25)


def test_departures_from_algorithm_1_change_what_they_name_only():
    usual = FuDesign(sites=120_000, slope=0.0)
    precise = {}
    for name, change in {
        "usual": {},
        "related": {"effect_correlation": 0.5},
        "random": {"slope_sd": 1.0},
        "skewed": {"mediator_effects": "exponential"},
        "tails": {"direct_effects": "student_t"},
    }.items():
        found, data = effects(design_grid(usual, {k: [v] for k, v in change.items()})[0])
        noise = np.array([data.mediator_se[:, 0], data.total_effect_se]).T ** 2
        keep = noise.max(axis=1) < 0.01  # so that what is seen is nearly what is there
        assert keep.sum() > 800
        precise[name] = found[keep]
    covs = {name: np.cov(x.T) for name, x in precise.items()}
    for name, x in precise.items():
        np.testing.assert_allclose(x.mean(axis=0), [2.0, 4.0], atol=0.25, err_msg=name)
        assert covs[name][0, 0] == pytest.approx(1.0, abs=0.15), name
    assert covs["usual"][0, 1] == pytest.approx(0.0, abs=0.1)
    assert covs["related"][0, 1] == pytest.approx(0.5, abs=0.1)
    assert covs["related"][1, 1] == pytest.approx(1.0, abs=0.15)
    # δ_s ~ N(0, 1): the variance of β grows by E γ² = 5.
    assert covs["random"][1, 1] == pytest.approx(6.0, abs=0.9)
    assert precise["skewed"][:, 0].min() > 0.5
    assert np.abs(precise["tails"][:, 1] - 4).max() > 8


@pytest.mark.parametrize("given", [True, False])
def test_errors_correlate_and_the_table_knows_it_where_it_is_given(given):
    design = FuDesign(sites=50_000, slope=0.0, error_correlation=-0.5, covariance_given=given)
    found, data = effects(design)
    scale = data.mediator_se[:, 0] * data.total_effect_se
    assert data.covariance_given is given
    np.testing.assert_allclose(data.cov[:, 0, 1], -0.5 * given * scale)
    # Cov(γ̂, β̂) is that of the errors, −.5 E(se) E(se), where the slope is 0.
    assert np.cov(found.T)[0, 1] == pytest.approx(-0.5, abs=0.06)


def test_persons_are_reduced_to_differences_in_means_with_their_covariance():
    design = ReardonDesign(sites=3, persons=12, covariance="site", slope_sd=0.5)
    persons = design._persons(rng(5))
    data = design.draw(rng(5))
    for s in range(3):
        control, treated = persons[0, s], persons[1, s]
        expected = np.cov(control.T) / 6 + np.cov(treated.T) / 6
        np.testing.assert_allclose(data.cov[s], expected)
        difference = treated.mean(axis=0) - control.mean(axis=0)
        np.testing.assert_allclose([data.mediator_effect[s, 0], data.total_effect[s]], difference)
    pooled = ReardonDesign(sites=3, persons=12, slope_sd=0.5).draw(rng(5))
    np.testing.assert_allclose(pooled.cov[0], data.cov.mean(axis=0))
    np.testing.assert_allclose(pooled.cov[0], pooled.cov[2])


def test_slopes_go_with_mediator_effects_where_the_design_says_so():
    design = ReardonDesign(sites=20_000, persons=8, slope_sd=0.5, compliance_correlation=0.5)
    found, _ = effects(design)
    # E(δγ) = 1 × .6 + .5 × .5 × .3
    assert found[:, 1].mean() == pytest.approx(0.675, abs=4 * found[:, 1].std() / np.sqrt(20_000))


def test_estimates_of_a_trial_scatter_as_their_covariance_and_effects_say():
    found, data = effects(TRIAL)
    noise = TRIAL.person_cov * (1 / 15 + 1 / 35)
    assert TRIAL.arms == (15, 35)
    # γ ~ N(.5, .3²), δ ~ N(.7, .2²), θ ~ N(.1, .2²): Var β = .04 + .49·.09 + .04(.09 + .25).
    true = np.array([[0.09, 0.7 * 0.09], [0.7 * 0.09, 0.04 + 0.49 * 0.09 + 0.04 * 0.34]])
    np.testing.assert_allclose(np.cov(found.T), true + noise, rtol=0.1)
    np.testing.assert_allclose(found.mean(axis=0), [0.5, 0.1 + 0.35], atol=0.06)
    np.testing.assert_allclose(data.cov.mean(axis=0), noise, rtol=0.03)
    assert data.n is not None
    assert set(data.n) == {50.0}


def test_the_covariance_of_a_trial_is_known_pooled_or_of_each_site():
    spread = {}
    for how in ("known", "pooled", "site"):
        design = design_grid(TRIAL, {"sites": [50], "covariance": [how]})[0]
        spread[how] = np.ptp(design.draw(rng()).cov[:, 0, 0])
        again = design.draw(rng(2)).cov[0, 0, 0] - design.draw(rng(3)).cov[0, 0, 0]
        assert bool(again == 0) is (how == "known")
    assert spread["known"] == spread["pooled"] == 0
    assert spread["site"] > 0


def test_drawn_covariances_have_the_moments_of_wishart():
    dof = 7
    drawn = wishart(200_000, dof, rng())
    np.testing.assert_allclose(drawn.mean(axis=0), np.eye(2), atol=0.01)
    # Var of a diagonal entry is 2/dof, of the other 1/dof.
    np.testing.assert_allclose(drawn.var(axis=0), (np.ones((2, 2)) + np.eye(2)) / dof, rtol=0.03)


def test_the_drawn_estimates_are_those_of_persons():
    """The same trial, its persons drawn one by one: same law of estimates and covariances."""
    design = design_grid(TRIAL, {"sites": [20_000], "persons": [10], "treated_share": [0.5]})[0]
    _, data = effects(design)
    root = np.linalg.cholesky(design.person_cov)
    persons = rng(9).standard_normal((2, 20_000, 5, 2)) @ root.T
    away = persons - persons.mean(axis=2, keepdims=True)
    cov = np.einsum("tsik,tsil->skl", away, away) / 4 / 5
    for i, j in ((0, 0), (0, 1), (1, 1)):
        quantiles = [0.05, 0.5, 0.95]
        np.testing.assert_allclose(
            np.quantile(data.cov[:, i, j], quantiles),
            np.quantile(cov[:, i, j], quantiles),
            atol=0.04 * np.std(cov[:, i, j]) + 1e-12,
            rtol=0.03,
        )


def test_a_grid_has_every_combination_and_labels_tell_designs_apart():
    grid = design_grid(FuDesign(sites=5), {"sites": [5, 10], "slope": [0, 2.0]})
    assert len(set(grid)) == len({label(d) for d in grid}) == 4
    assert varying(grid) == ("sites", "slope")
    assert varying([FuDesign(sites=5), TRIAL]) == ()
    assert label(FuDesign(sites=np.int64(5), slope=2)) == label(FuDesign(sites=5))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FuDesign(sites=2), "sites is 2. Give 3 to"),
        (lambda: FuDesign(sites=5.0), "sites is 5.0. Give a whole number"),
        (lambda: FuDesign(sites=True), "sites is True"),
        (lambda: FuDesign(sites=5, slope=np.nan), "slope is nan. Give a finite number"),
        (lambda: FuDesign(sites=5, slope_sd=-1), "slope_sd is -1. Give 0 or more"),
        (lambda: FuDesign(sites=5, error_correlation=1), "between -1 and 1"),
        (lambda: FuDesign(sites=5, direct_effects="student"), "Did you mean 'student_t'"),
        (lambda: FuDesign(sites=5, covariance_given=1), "covariance_given is 1"),
        (
            lambda: FuDesign(sites=5, direct_effects="student_t", effect_correlation=0.5),
            "one of the two at a time",
        ),
        (lambda: ReardonDesign(persons=21), "Give an even number"),
        (lambda: design_grid(TRIAL, {"treated_share": [0.05]}), "arm of 2"),
        (lambda: design_grid(TRIAL, {"mediator_sd": [0]}), "more than 0"),
        (lambda: design_grid(TRIAL, {"person": [5]}), "Did you mean 'persons'"),
        (lambda: design_grid(TRIAL, {"persons": []}), "no values of persons"),
        (lambda: design_grid(7, {"persons": [5]}), "7 is no design"),
    ],
)
def test_impossible_designs_are_refused_by_name(make, message):
    with pytest.raises(ModelError, match=message):
        make()
