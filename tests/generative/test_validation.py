"""What a site-slope model refuses, and how it says so."""

import numpy as np
import pytest

from bayesmed.core.errors import DataError, ModelError
from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteSlope, model_from_mapping
from bayesmed.priors import Prior
from tests.generative import variants

NORMAL = Prior("Normal", sigma=1)
HALF = Prior("HalfNormal", sigma=1)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"slope": "constnt"}, "Did you mean 'constant'"),
        ({"direct_effect_distribution": "student"}, "Did you mean 'student_t'"),
        ({"direct_effect": 1}, "direct_effect is 1. Write true or false"),
        ({"interaction": "yes"}, "interaction is 'yes'"),
        ({"covariates": "age"}, "covariates is 'age'. Give a list"),
        ({"covariates": (1,)}, "Give a list of names"),
        ({"covariates": ("age", "age")}, "named twice"),
        ({"correlation": True}, "Give a number in"),
        ({"correlation": "0.3"}, "Give a number in"),
        ({"correlation": 1.0}, "greater than -1, less than 1"),
        ({"correlation": -1.0}, "greater than -1, less than 1"),
        ({"correlation": float("nan")}, "correlation is nan"),
        ({"correlation": NORMAL}, "allows values outside -1 to 1"),
        ({"correlation": HALF}, "Use Uniform or TruncatedNormal"),
        ({"direct_effect": False, "correlation": 0.2}, "correlation describes direct effects"),
        ({"direct_effect": False, "covariates": ("age",)}, "drop covariates"),
        (
            {"direct_effect": False, "direct_effect_distribution": "student_t"},
            "drop direct_effect_distribution",
        ),
        ({"priors": {"slop": NORMAL}}, "Did you mean 'slope'"),
        ({"priors": {"slope_sd": HALF}}, "no parameter 'slope_sd'"),
        ({"priors": {"slope_linear": NORMAL}}, "no parameter 'slope_linear'"),
        ({"priors": {"slope_at_centre": NORMAL}}, "no parameter 'slope_at_centre'"),
        ({"priors": {"average_slope": NORMAL}, "slope": "polynomial"}, "no parameter"),
        ({"priors": {"mediator_effect_corr": NORMAL}}, "no parameter"),
        ({"priors": {"direct_effect_dof": HALF}}, "no parameter 'direct_effect_dof'"),
        ({"priors": {"correlation": Prior("Uniform", lower=-1, upper=1)}}, "no parameter"),
        ({"priors": {"direct_effect_sd[a]": HALF}}, "no parameter 'direct_effect_sd.a"),
        ({"priors": {"slope[a": NORMAL}}, "no parameter"),
        ({"priors": {"slope": "Normal(0, 1)"}}, "Give a bayesmed.Prior"),
        ({"priors": {"direct_effect_sd": NORMAL}}, "allows negative values"),
        ({"priors": {"slope_sd": NORMAL}, "slope": "random"}, "allows negative values"),
        ({"priors": {"slope_sd[a]": NORMAL}, "slope": "random"}, "allows negative values"),
        (
            {
                "priors": {"direct_effect_dof": NORMAL},
                "direct_effect_distribution": "student_t",
            },
            "allows negative values",
        ),
        ({"priors": {"mediator_effect_sd": Prior("Uniform", lower=-1, upper=1)}}, "negative"),
        ({"priors": {"direct_effect_mean": HALF}}, "TruncatedNormal"),
        ({"priors": {"total_effect_at_centre": HALF}}, None),
        ({"priors": {"slope": HALF}, "slope": "polynomial"}, "TruncatedNormal"),
        ({"priors": {"slope_linear": HALF}, "slope": "polynomial"}, "positive values only"),
        ({"direct_effect": False, "priors": {"direct_effect_sd": HALF}}, "no direct effect"),
        ({"direct_effect": False, "priors": {"covariate_effect[age]": NORMAL}}, "no direct effect"),
        (
            {"priors": {"direct_effect_mean": NORMAL, "total_effect_at_centre": NORMAL}},
            "keep one",
        ),
        (
            {"slope": "polynomial", "priors": {"slope[a]": NORMAL, "slope_at_centre": NORMAL}},
            "Both slope_at_centre and slope have a prior",
        ),
    ],
)
def test_impossible_models_are_refused(choices, words):
    if words is None:
        SiteSlope(**choices)
        return
    with pytest.raises(ModelError, match=words):
        SiteSlope(**choices)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"type": "os.system"}, "no model of type"),
        ({}, "no model of type"),
        ({"type": "site_slope", "slopes": 1}, "Did you mean 'slope'"),
    ],
)
def test_impossible_descriptions_are_refused(table, words):
    with pytest.raises(ModelError, match=words):
        model_from_mapping(table)


def exact_table(exact=(0, 1, 2)):
    cov = np.tile(np.diag([0.01, 0.02]), (3, 1, 1))
    cov[list(exact)] = 0.0
    return SiteEstimates.from_arrays(
        mediator_effect=[1.0, 2.0, 3.0],
        total_effect=[1.0, 2.0, 2.5],
        cov=cov,
        covariates={"age": [3.0, 4.0, 5.0], "same": [2.0, 2.0, 2.0]},
    )


@pytest.mark.parametrize(
    ("choices", "name", "words"),
    [
        ({"correlation": 0.2}, "two mediators", "one mediator and the data have 2: a, b"),
        ({"direct_effect_distribution": "student_t"}, "blocks", "share a control group"),
        ({"covariates": ("agee",)}, "constant", "Did you mean 'age'"),
        ({"priors": {"slope[b]": NORMAL}}, "constant", "no parameter 'slope.b"),
        ({"priors": {"slope[c]": NORMAL}}, "two mediators", "no parameter 'slope.c"),
        (
            {"covariates": ("age",), "priors": {"covariate_effect[urban]": NORMAL}},
            "constant",
            "no parameter 'covariate_effect.urban",
        ),
    ],
)
def test_data_without_a_likelihood_are_refused(choices, name, words):
    model = SiteSlope(**choices)
    for verb in (model.check_data, model.build):
        with pytest.raises(DataError, match=words):
            verb(variants.data(name))


def test_a_covariate_that_does_not_vary_is_refused():
    with pytest.raises(DataError, match="'same' is 2 at every site"):
        SiteSlope(covariates=("same",)).check_data(exact_table())


@pytest.mark.parametrize("slope", ["constant", "polynomial"])
def test_exact_estimates_need_something_that_varies(slope):
    SiteSlope(slope=slope).check_data(exact_table())
    with pytest.raises(DataError, match="site '2' have standard error 0"):
        SiteSlope(slope=slope, direct_effect=False).check_data(exact_table(exact=(1,)))
    SiteSlope(slope="random", direct_effect=False).check_data(exact_table())


@pytest.mark.parametrize(
    "name",
    [
        "random",
        "polynomial",
        "student_t",
        "correlation",
        "correlation prior",
        "covariates",
        "two mediators",
        "blocks",
    ],
)
def test_the_exact_engine_refuses_what_it_cannot_integrate(name):
    with pytest.raises(ModelError, match=r"exact engine cannot take .*Use engine nuts"):
        variants.MODELS[name].density(variants.data(name))
