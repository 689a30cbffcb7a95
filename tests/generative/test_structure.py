"""Which fits share one compiled model, and descriptions by plain values."""

import pickle

import pytest

from bayesmed.generative import SiteSlope, model_from_mapping, model_to_mapping
from bayesmed.generative.site_slope_graph import MOST_AVERAGED, padded_size, treatment
from bayesmed.priors import Prior
from tests.generative import variants

every_variant = pytest.mark.parametrize("name", variants.MODELS)
# Any number of sites.
ANY_NUMBER = ["constant", "covariates", "two mediators", "blocks", "student_t", "correlation"]
# Up to a number of sites, or within a size class.
SOME_NUMBERS = ["random", "polynomial", "random, two mediators", "polynomial, student_t"]


def other_table(name, rows):
    data = variants.data(name)
    shared = data.n_blocks < data.n_rows
    return variants.table(data.n_mediators, shared, rows=rows, seed=1)


@pytest.mark.parametrize("name", [*ANY_NUMBER, *SOME_NUMBERS])
def test_other_data_of_the_same_shape_share(name):
    model = variants.MODELS[name]
    assert model.structure(variants.data(name)) == model.structure(other_table(name, 7))


@pytest.mark.parametrize("name", ANY_NUMBER)
def test_closed_forms_share_whatever_the_number_of_sites(name):
    model = variants.MODELS[name]
    assert model.structure(variants.data(name)) == model.structure(other_table(name, 400))


def test_varying_slopes_share_up_to_a_number_of_sites_or_within_a_size():
    random = SiteSlope(slope="random")
    few, most, many = (other_table("random", n) for n in (5, MOST_AVERAGED, MOST_AVERAGED + 1))
    assert [treatment(random, d) for d in (few, most, many)] == ["averaged", "averaged", "sampled"]
    assert random.structure(few) == random.structure(most) != random.structure(many)
    two = "random, two mediators"
    sizes = {n: random.structure(other_table(two, n)) for n in (5, 8, 9, 16)}
    assert sizes[5] == sizes[8] != sizes[9] == sizes[16]
    assert [padded_size(n) for n in (1, 8, 9, 300)] == [8, 8, 16, 512]


def test_numbers_of_priors_share_and_their_kinds_do_not():
    data = variants.data("constant")
    base = SiteSlope().structure(data)
    assert SiteSlope(priors={"slope": Prior("Normal", sigma=1)}).structure(data) == base
    assert SiteSlope(correlation=0.3).structure(data) == SiteSlope(correlation=-0.7).structure(data)
    assert SiteSlope(interaction=True).structure(data) == base


def test_what_changes_the_graph_does_not_share():
    data, two = variants.data("constant"), variants.data("two mediators")
    three, shared = variants.data("three mediators"), variants.data("blocks")
    models = [
        SiteSlope(),
        SiteSlope(priors={"slope": Prior("StudentT", nu=3, sigma=1)}),
        SiteSlope(priors={"slope": Prior("HalfNormal", sigma=1)}),
        SiteSlope(priors={"direct_effect_mean": Prior("Normal", sigma=1)}),
        SiteSlope(direct_effect=False),
        SiteSlope(direct_effect_distribution="student_t"),
        SiteSlope(correlation=0.3),
        SiteSlope(correlation=Prior("Uniform", lower=-1, upper=1)),
        SiteSlope(covariates=("age",)),
        SiteSlope(covariates=("age", "urban")),
        SiteSlope(slope="random"),
        SiteSlope(slope="polynomial"),
        SiteSlope(slope="polynomial", priors={"slope_linear": Prior("Normal", sigma=1)}),
    ]
    found = [m.structure(data) for m in models]
    found += [SiteSlope().structure(d) for d in (two, three, shared)]
    assert len(set(found)) == len(found)


@every_variant
def test_description_survives_plain_values_and_pickling(name):
    model = variants.MODELS[name]
    again = model_from_mapping(model_to_mapping(model))
    assert again == model == pickle.loads(pickle.dumps(model))
    assert hash(again) == hash(model)
