"""Choices of the covariate-IV model, what it refuses, and what units, order and arms change."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from bayesmed.core.errors import DataError, ModelError
from bayesmed.data import TrialMoments, TrialPersons
from bayesmed.formulas.effect_modification import shifted_outcome
from bayesmed.generative.covariate_iv import CovariateIV
from bayesmed.generative.covariate_iv_rows import person_rows, product_rows
from bayesmed.priors import Prior
from tests.generative.covariate_ivs import MODELS, data_for, trial

NORMAL = [name for name, model in MODELS.items() if not model.by_person]


def posterior(model, data, draws):
    """Log prior and log-likelihood, (n,)."""
    prior = sum(v.reshape(len(v), -1).sum(axis=1) for v in model.log_prior(draws, data).values())
    return prior + model.log_likelihood(draws, data)[1].sum(axis=1)


def drawn(model, data, n=4):
    return model.prior_draws(data, n, np.random.default_rng(5))


@pytest.mark.parametrize("name", MODELS)
def test_models_are_values(name):
    model = MODELS[name]
    again = pickle.loads(pickle.dumps(model))
    assert again == model
    assert hash(again) == hash(model)
    assert set(model.parameters).isdisjoint(model.derived)
    assert set(drawn(model, data_for(name))) == {*model.parameters, *model.derived}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mediator": "logit"}, "mediator of a covariate_iv model is 'logit'"),
        ({"errors": "arm"}, "Did you mean 'by_arm'"),
        ({"person_effects": 1}, "person_effects"),
        ({"control_interactions": "no"}, "Write true or false"),
        ({"instruments": "age"}, "list of names"),
        ({"direct_modifier": {"age": np.nan}}, "finite number, or a prior"),
        ({"slope_modifier": {"age": True}}, "finite number, or a prior"),
        ({"instruments": ("past",), "direct_modifier": {"age": 1}}, "no instrument"),
        ({"priors": {"slop": Prior("Normal", sigma=1)}}, "Did you mean 'slope'"),
        ({"priors": {"outcome_sd": Prior("Normal", sigma=1)}}, "positive values"),
        ({"priors": {"error_correlation": Prior("Uniform", lower=0, upper=2)}}, "from -1 to 1"),
        ({"mediator": "probit", "priors": {"mediator_sd": Prior("HalfNormal", sigma=1)}}, "no par"),
    ],
)
def test_impossible_choices_are_refused(options, words):
    with pytest.raises(ModelError, match=words):
        CovariateIV(**options)


def test_data_without_a_likelihood_are_refused():
    persons = trial()
    with pytest.raises(ModelError, match="Did you mean 'age'"):
        CovariateIV(instruments=("agee",)).check_data(persons)
    with pytest.raises(DataError, match="need persons"):
        CovariateIV(person_effects="random").check_data(TrialMoments.from_persons(persons))
    with pytest.raises(DataError, match="needs 0 and 1"):
        CovariateIV(mediator="probit").check_data(persons)
    twice = {"a": persons.covariates[:, 0], "b": 2 * persons.covariates[:, 0]}
    collinear = TrialPersons.from_arrays(
        treatment=persons.treatment,
        mediator=persons.mediator,
        outcome=persons.outcome,
        covariates=twice,
    )
    with pytest.raises(DataError, match="'b' follows from 'a'"):
        CovariateIV().check_data(collinear)
    kept = np.r_[np.flatnonzero(persons.treatment == 0), np.flatnonzero(persons.treatment)[:5]]
    few = replace(
        persons,
        **{
            role: getattr(persons, role)[kept]
            for role in ("treatment", "covariates", "post_baseline", "mediator", "outcome")
        },
    )
    with pytest.raises(DataError, match="an arm has 5 persons, fewer than 6"):
        CovariateIV().check_data(few)


def test_a_cut_prior_has_no_graph_but_values():
    model = CovariateIV(slope_modifier={"past": Prior("Normal", mu=1, sigma=2), "age": 0.5})
    assert model.derived == ("slope_modifier",)
    assert model.cut == 1
    with pytest.raises(ModelError, match="data do not update"):
        model.build(trial())
    given, values = model.given(np.array([0.5]), trial())
    assert dict(given.slope_modifier) == {"past": 1.0, "age": 0.5}
    assert values["slope_modifier"].tolist() == [1.0]
    scaled = CovariateIV(slope_modifier={"past": Prior("Normal", mu=1, sigma=2, unit="scaled")})
    data = trial()
    unit = data.outcome.std() / data.mediator.std() / data.covariates[:, 1].std()
    assert scaled.given(np.array([0.5]), data)[1]["slope_modifier"][0] == pytest.approx(unit)


def test_rows_stand_for_the_persons():
    persons = trial()
    few, every = product_rows(persons), person_rows(persons)
    for arm in (0, 1):
        columns = [
            np.column_stack([r.ones, r.covariates, r.mediator, r.outcome, r.products])[r.arm == arm]
            for r in (few, every)
        ]
        products = [x.T @ x for x in columns]
        np.testing.assert_allclose(*products, rtol=1e-9, atol=1e-7)
    np.testing.assert_allclose(few.sds(), every.sds(), rtol=1e-12)
    np.testing.assert_allclose(few.covariate_covariance(), np.cov(persons.covariates.T, ddof=0))


@pytest.mark.parametrize("name", MODELS)
def test_units_change_nothing_else(name):
    model, data = MODELS[name], data_for(name)
    by_m, by_y = (1.0, 0.2) if model.mediator == "probit" else (30.0, 0.2)
    by_x = np.array([0.1, 4.0, 7.0])
    other = replace(
        data,
        covariates=data.covariates * by_x + 11,
        mediator=data.mediator * by_m,
        outcome=data.outcome * by_y - 3,
    )
    # Own priors and modifiers are in the units of the data.
    scaled = {k: p for k, p in model.priors.items() if k == "error_correlation"}
    model = replace(model, direct_modifier=(), slope_modifier=(), priors=scaled)
    draws = drawn(model, data)
    tables = [{p.name: p for p in model.table(d)} for d in (data, other)]
    moved = {
        k: (v - tables[0][k].location) / tables[0][k].scale * tables[1][k].scale
        + tables[1][k].location
        for k, v in draws.items()
    }
    apart = posterior(model, data, draws) - posterior(model, other, moved)
    np.testing.assert_allclose(apart, apart[0], rtol=1e-8, atol=1e-6)
    np.testing.assert_allclose(moved["slope"], draws["slope"] * by_y / by_m)
    np.testing.assert_allclose(
        moved["mediator_coefficient"], draws["mediator_coefficient"] * by_m / by_x
    )


@pytest.mark.parametrize("name", ["default", "a control", "modifiers", "random", "probit"])
def test_order_of_covariates_changes_nothing(name):
    model, data = MODELS[name], data_for(name)
    order = [2, 0, 1]
    names = tuple(data.names.covariates[j] for j in order)
    other = replace(
        data, names=replace(data.names, covariates=names), covariates=data.covariates[:, order]
    )
    draws = drawn(model, data)
    dims = model.dims()
    before, after = model.coords(data), model.coords(other)
    moved = {}
    for key, values in draws.items():
        dim = dims.get(key, ("",))[0]
        at = slice(None)
        if dim.endswith(("covariate", "control")):
            at = [list(before[dim]).index(label) for label in after[dim]]
        moved[key] = values[:, at] if values.ndim > 1 else values
    np.testing.assert_allclose(
        posterior(model, data, draws), posterior(model, other, moved), rtol=1e-10
    )


@pytest.mark.parametrize("name", ["default", "common errors", "a control", "probit"])
def test_swapped_arms_flip_signs(name):
    model, data = MODELS[name], data_for(name)
    other = replace(data, treatment=1 - data.treatment)
    draws = drawn(model, data)
    coords, names = model.coords(data), data.names.covariates
    moved = dict(draws)
    for of, treatment, crossed, label in (
        ("mediator", "mediator_effect", "mediator_modification", "interacted_covariate"),
        ("outcome", "direct_effect", "direct_modification", "control"),
    ):
        moved[f"{of}_intercept"] = draws[f"{of}_intercept"] + draws[treatment]
        moved[treatment] = -draws[treatment]
        if crossed in draws:
            at = [names.index(x) for x in coords[label]]
            coefficient = draws[f"{of}_coefficient"].copy()
            coefficient[:, at] += draws[crossed]
            moved |= {f"{of}_coefficient": coefficient, crossed: -draws[crossed]}
    for key in ("mediator_sd", "outcome_sd", "error_correlation"):
        if key in draws and draws[key].ndim == 2:
            moved[key] = draws[key][:, ::-1]
    found = [model.log_likelihood(d, x)[1].sum(axis=1) for d, x in ((draws, data), (moved, other))]
    np.testing.assert_allclose(*found, rtol=1e-10)


@pytest.mark.parametrize("name", ["default", "random", "probit"])
def test_modifiers_are_a_shift_of_the_outcome(name):
    data = data_for(name)
    model = replace(MODELS[name], direct_modifier={"past": 0.7}, slope_modifier={"age": 0.02})
    x = data.covariates - data.covariates.mean(axis=0)
    shifted = shifted_outcome(
        data.outcome, data.treatment, data.mediator, 0.7 * x[:, 1], 0.02 * x[:, 0]
    )
    draws = drawn(model, data)
    found = model.log_likelihood(draws, data)[1]
    expected = MODELS[name].log_likelihood(draws, replace(data, outcome=shifted))[1]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("name", NORMAL)
def test_moments_and_persons_have_one_graph(name):
    model, data = MODELS[name], data_for(name)
    few = TrialMoments.from_persons(data)
    assert model.structure(data) == model.structure(few)
    a, b = model.graph_data(data), model.graph_data(few)
    for key in a:
        np.testing.assert_allclose(a[key], b[key], rtol=1e-12)
