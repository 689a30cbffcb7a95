"""Priors are replaced whatever a model called the same parameters before."""

import pytest

from bayesmed.core.errors import ModelError
from bayesmed.generative import MultiSiteIV, SiteSlope
from bayesmed.generative.replaced_priors import with_priors
from bayesmed.priors import Prior

WIDE, NARROW = Prior("Normal", sigma=9), Prior("Normal", sigma=1)
HALF = Prior("HalfNormal", sigma=1)


def test_others_stay_and_the_model_is_left_as_it_was():
    model = SiteSlope(slope="random", covariates=("x",), priors={"slope": WIDE, "slope_sd": HALF})
    found = with_priors(model, {"slope": NARROW})
    assert dict(found.priors) == {"slope_sd": HALF, "slope": NARROW}
    assert found.choices() == model.choices()
    assert model.priors["slope"] == WIDE
    assert with_priors(model, {}) == model


@pytest.mark.parametrize(
    ("had", "new", "left"),
    [
        (["slope[LDL]", "slope[HDL]"], "slope", ["slope"]),
        (["slope"], "slope[LDL]", ["slope", "slope[LDL]"]),
        (["slope[HDL]"], "slope[LDL]", ["slope[HDL]", "slope[LDL]"]),
        (["total_effect_at_centre"], "direct_effect_mean", ["direct_effect_mean"]),
        (["direct_effect_mean"], "total_effect_at_centre", ["total_effect_at_centre"]),
        (["slope_sd"], "slope", ["slope", "slope_sd"]),
    ],
)
def test_what_speaks_of_the_same_gives_way(had, new, left):
    priors = {name: HALF if name == "slope_sd" else WIDE for name in had}
    found = with_priors(SiteSlope(slope="random", priors=priors), {new: NARROW})
    assert sorted(found.priors) == left
    assert found.priors[new] == NARROW


def test_coefficients_of_a_curve_have_two_names():
    model = SiteSlope(slope="polynomial", priors={"slope_at_centre": WIDE})
    assert list(with_priors(model, {"slope": NARROW}).priors) == ["slope"]


def test_choices_that_are_priors_are_replaced_where_they_stand():
    flat = Prior("Uniform", lower=-0.5, upper=0.5)
    assert with_priors(SiteSlope(), {"correlation": flat}).correlation == flat
    assert with_priors(SiteSlope(correlation=0.2), {"correlation": flat}).correlation == flat
    assert with_priors(MultiSiteIV(), {"within_site_covariance": WIDE}).within_site_covariance == (
        WIDE
    )


@pytest.mark.parametrize(
    ("model", "priors"),
    [
        (SiteSlope(), {"slpe": WIDE}),
        (SiteSlope(), {"direct_effect_sd": WIDE}),
        (SiteSlope(), {"correlation": WIDE}),
        (SiteSlope(direct_effect=False), {"direct_effect_sd": HALF}),
        (MultiSiteIV(), {"correlation": Prior("Uniform", lower=-0.5, upper=0.5)}),
        (SiteSlope(), {"within_site_covariance": WIDE}),
    ],
)
def test_what_a_model_has_not_is_refused(model, priors):
    with pytest.raises(ModelError):
        with_priors(model, priors)
