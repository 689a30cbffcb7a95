"""Priors a study tries: as many times as wide, one at a time or together, and declared ones."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmed.core.errors import DataError, ModelError
from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteSlope
from bayesmed.priors import FAMILIES, Prior
from bayesmed.studies.sensitivity.prior_sets import PriorSet, prior_sets, rescaled

P = np.array([0.01, 0.2, 0.5, 0.8, 0.99])
PRIORS = [
    Prior("Normal", mu=3, sigma=2), Prior("StudentT", nu=4, mu=-1, sigma=2),
    Prior("Cauchy", alpha=2, beta=1), Prior("Laplace", mu=1, b=2), Prior("Logistic", mu=1, s=2),
    Prior("Uniform", lower=-1, upper=3), Prior("Uniform", lower=0, upper=3),
    Prior("HalfNormal", sigma=2), Prior("HalfStudentT", nu=3, sigma=2),
    Prior("HalfCauchy", beta=2), Prior("Exponential", lam=0.5), Prior("Gamma", alpha=2, beta=3),
    Prior("InverseGamma", alpha=3, beta=2), Prior("LogNormal", mu=1, sigma=0.5),
]  # fmt: skip


def sets(model: SiteSlope, data: SiteEstimates, **options: object) -> list[PriorSet]:
    defaults = {"alternatives": {}, "parameters": (), "factors": (), "together": False}
    return prior_sets(model, data, **(defaults | options))  # type: ignore[arg-type]


@pytest.mark.parametrize("factor", [0.25, 1.0, 3.0])
@pytest.mark.parametrize("prior", PRIORS, ids=str)
def test_quantiles_are_as_many_times_as_far_from_the_middle(prior: Prior, factor: float) -> None:
    # About its location, its midpoint, or 0 where all is positive.
    middle = 0.0 if prior.support[0] == 0 else float(prior.quantile(0.5))
    found = rescaled(prior, factor)
    expected = middle + factor * (prior.quantile(P) - middle)
    np.testing.assert_allclose(found.quantile(P), expected, rtol=1e-9)
    assert found.distribution == prior.distribution


def test_every_family_can_be_rescaled() -> None:
    truncated = Prior("TruncatedNormal", mu=1, sigma=2, lower=0, upper=5)
    assert {p.distribution for p in (*PRIORS, truncated)} == set(FAMILIES)
    found = rescaled(truncated, 0.5)
    assert found == Prior("TruncatedNormal", mu=1, sigma=1, lower=0, upper=5)


def test_limits_move_as_far_as_the_parameter_allows() -> None:
    flat = Prior("Uniform", lower=-0.5, upper=0.9)
    assert rescaled(flat, 2, "correlation").support == (-1.0, 1.0)
    assert rescaled(flat, 2, "slope").support == pytest.approx((-1.2, 1.6))
    positive = Prior("Uniform", lower=1, upper=3)
    assert rescaled(positive, 4, "slope_sd[LDL]").support == (0.0, 6.0)


def test_one_parameter_at_a_time(sites: SiteEstimates) -> None:
    model = SiteSlope()
    found = sets(model, sites, factors=(0.5, 1, 2))
    # Once as wide is the fit itself.
    assert [one.name for one in found] == [
        f"{name} × {factor}" for name in model.parameters for factor in ("0.5", "2")
    ]
    own = model.priors_for(sites)
    assert found[1].priors == {"slope": rescaled(own["slope"], 2)}
    assert found[1].factors == {"slope": 2.0}


def test_all_combinations(sites: SiteEstimates) -> None:
    chosen = ("slope", "direct_effect_sd")
    found = sets(SiteSlope(), sites, parameters=chosen, factors=(0.5, 1, 2), together=True)
    assert len(found) == len({one.name for one in found}) == 8
    assert found[0].name == "slope × 0.5, direct_effect_sd × 0.5"
    assert found[1].name == "slope × 0.5"
    assert found[-1].factors == {"slope": 2.0, "direct_effect_sd": 2.0}
    assert sets(SiteSlope(), sites, together=True) == []


def test_each_mediator_has_its_own_prior() -> None:
    rng = np.random.default_rng(1)
    data = SiteEstimates.from_arrays(
        mediator_effect=rng.normal(size=(8, 2)) * [1, 5],
        total_effect=rng.normal(size=8),
        cov=np.tile(0.01 * np.eye(3), (8, 1, 1)),
        mediators=("a", "b"),
    )
    model = SiteSlope(priors={"slope[a]": Prior("Normal", sigma=1)})
    both, one = sets(model, data, parameters=("slope", "slope[b]"), factors=(2,))
    assert both.priors["slope[a]"] == Prior("Normal", sigma=2)
    own = model.priors_for(data)["slope[b]"]
    assert both.priors["slope[b]"] == one.priors["slope[b]"] == rescaled(own, 2)
    assert list(one.priors) == ["slope[b]"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parameters": ("slpe",), "factors": (2,)}, "'slpe'"),
        ({"factors": (0,)}, "factor is 0"),
        ({"factors": (-1,)}, "factor is -1"),
        ({"factors": (float("inf"),)}, "factor is inf"),
        ({"factors": ("2",)}, "factor is '2'"),
        ({"alternatives": {"as fitted": {}}}, "'as fitted'"),
        ({"alternatives": {" ": {}}}, "' '"),
        (
            {
                "alternatives": {"slope × 2": {"slope": Prior("Normal", sigma=1)}},
                "factors": (2,),
            },
            "'slope × 2'",
        ),
        ({"alternatives": {"a": {"slope_sd": Prior("HalfNormal", sigma=1)}}}, "'slope_sd'"),
        ({"alternatives": {"a": {"direct_effect_sd": Prior("Normal", sigma=1)}}}, "negative"),
    ],
)
def test_bad_input_is_refused(
    sites: SiteEstimates, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        sets(SiteSlope(), sites, **options)


def test_a_mediator_that_is_not_there_is_refused(sites: SiteEstimates) -> None:
    named = {"a": {"slope[LDL]": Prior("Normal", sigma=1)}}
    with pytest.raises(DataError, match="LDL"):
        sets(SiteSlope(), sites, alternatives=named)
