"""Assumptions that are numbers of a model: their names, how they are held, what is worth trying."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bayesmed.core.errors import ModelError
from bayesmed.data import SiteEstimates, TrialPersons
from bayesmed.generative import (
    CovariateIV,
    MultiSiteIV,
    PrincipalStrata,
    RandomCoefficients,
    SiteSlope,
)
from bayesmed.generative.assumption_axes import (
    axes_of,
    axis_fields,
    fitted_value,
    held,
    with_version,
)
from bayesmed.priors import Prior
from tests.generative import variants
from tests.generative.test_principal_strata import binary_cells, cells

SMALL = Prior("Uniform", lower=-0.3, upper=0.3)
FIELDS = [
    (SiteSlope(), ("correlation",)),
    (SiteSlope(direct_effect=False), ()),
    (MultiSiteIV(), ("compliance_correlation", "within_site_covariance")),
    (MultiSiteIV(direct_effect=True), ("compliance_correlation",)),
    (CovariateIV(), ("direct_modifier", "slope_modifier")),
    (PrincipalStrata(), ("heterogeneity", "defiers")),
    (PrincipalStrata(monotone_in="none"), ("heterogeneity",)),
    (PrincipalStrata(saturated=True), ()),
    (RandomCoefficients(), ()),
]


def persons(scale: float = 1.0) -> TrialPersons:
    rng = np.random.default_rng(1)
    return TrialPersons.from_arrays(
        treatment=np.arange(40) % 2,
        mediator=rng.normal(size=40),
        outcome=scale * rng.normal(size=40),
        covariates={"age": rng.normal(size=40), "income": rng.normal(size=40)},
    )


@pytest.mark.parametrize(("model", "fields"), FIELDS)
def test_every_field_can_be_held_and_read_back(model: Any, fields: tuple[str, ...]) -> None:
    assert axis_fields(model) == fields
    for field in fields:
        name = f"{field}[age]" if field.endswith("modifier") else field
        assert fitted_value(held(model, name, 0.25), name) == 0.25
        # What is held at the value it has is the same model.
        before = fitted_value(model, name)
        if before is not None:
            assert held(held(model, name, 0.25), name, before) in (
                model,
                replace(model, **({field: {"age": 0.0}} if "[" in name else {})),
            )


def test_what_is_no_number_has_no_value() -> None:
    assert fitted_value(PrincipalStrata(), "heterogeneity") is None
    assert fitted_value(SiteSlope(correlation=SMALL), "correlation") is None
    assert fitted_value(MultiSiteIV(compliance_correlation=True), "compliance_correlation") is None
    assert fitted_value(CovariateIV(slope_modifier={"age": SMALL}), "slope_modifier[age]") is None


@pytest.mark.parametrize(
    ("model", "name", "value", "message"),
    [
        (SiteSlope(), "correlation", 1.2, "correlation is 1.2"),
        (SiteSlope(), "corelation", 0.1, "no assumption 'corelation'. Did you mean 'correlation'"),
        (SiteSlope(direct_effect=False), "correlation", 0.1, "Set direct_effect = true"),
        (SiteSlope(), "correlation[effort]", 0.1, "Write it as 'correlation'"),
        (MultiSiteIV(), "compliance_correlation", 1.0, "compliance_correlation is 1.0"),
        (MultiSiteIV(direct_effect=True), "within_site_covariance", 0.1, "no assumption"),
        (CovariateIV(), "direct_modifier", 0.1, r"Write it as 'direct_modifier\[age\]'"),
        (CovariateIV(), "slope_modifier[age]", float("nan"), "slope_modifier of 'age' is nan"),
        (CovariateIV(instruments=("age",)), "slope_modifier[income]", 0.1, "is no instrument"),
        (PrincipalStrata(), "heterogeneity", -1.0, "heterogeneity is -1"),
        (PrincipalStrata(), "defiers", 1.0, "defiers is 1"),
        (PrincipalStrata(saturated=True), "heterogeneity", 1.0, "not saturated"),
        (RandomCoefficients(), "direct_effect", 0.0, "Ask what other priors do: give `priors`"),
    ],
)
def test_what_cannot_be_held_is_refused(model: Any, name: str, value: float, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        held(model, name, value)


def test_versions_replace_priors_of_assumptions_and_of_parameters() -> None:
    found: Any = with_version(
        SiteSlope(correlation=0.2), {"correlation": SMALL, "slope": Prior("Normal", sigma=1)}
    )
    assert found.correlation == SMALL
    assert dict(found.priors) == {"slope": Prior("Normal", sigma=1)}
    trial: Any = with_version(
        CovariateIV(priors={"direct_effect": Prior("Normal", sigma=9)}),
        {"direct_modifier[age]": SMALL, "slope": Prior("Normal", sigma=1)},
    )
    assert dict(trial.direct_modifier) == {"age": SMALL}
    assert set(trial.priors) == {"slope", "direct_effect"}
    coefficients: Any = with_version(RandomCoefficients(), {"slope": Prior("Normal", sigma=1)})
    assert set(coefficients.priors) == {"slope"}
    with pytest.raises(ModelError, match="no parameter"):
        with_version(PrincipalStrata(), {"slope": SMALL})


def test_values_to_try_are_possible_rise_and_hold_the_assumption_itself() -> None:
    every = [
        (SiteSlope(), variants.table(1, rows=6)),
        (MultiSiteIV(), variants.table(2, rows=6)),
        (CovariateIV(), persons()),
        (PrincipalStrata(), cells()),
        (PrincipalStrata(), binary_cells()),
    ]
    for model, data in every:
        axes = axes_of(model, data)
        assert axes
        for axis in axes:
            assert 0.0 in axis.values
            assert (np.diff(axis.values) > 0).all()
            for value in axis.values:
                held(model, axis.name, value).check_data(data)  # type: ignore[arg-type]


def test_values_to_try_are_in_the_units_of_the_outcome() -> None:
    """Ten times the outcome: ten times every value that has its unit."""
    small, large = (axes_of(CovariateIV(), persons(scale)) for scale in (1.0, 10.0))
    assert {axis.name for axis in small} == {
        "direct_modifier[age]",
        "slope_modifier[age]",
        "direct_modifier[income]",
        "slope_modifier[income]",
    }
    for one, ten in zip(small, large, strict=True):
        np.testing.assert_allclose(10 * np.array(one.values), ten.values, rtol=0.01)
    table = variants.table(1, rows=6)
    moved = SiteEstimates.from_arrays(
        mediator_effect=table.mediator_effect,
        total_effect=10 * table.total_effect,
        cov=table.cov * np.outer([1, 10], [1, 10]),
    )
    kappa, ten = (axes_of(MultiSiteIV(), data)[1] for data in (table, moved))
    np.testing.assert_allclose(10 * np.array(kappa.values), ten.values, rtol=0.01)


def test_several_mediators_have_no_one_correlation() -> None:
    assert axes_of(SiteSlope(), variants.table(2, rows=6)) == ()
