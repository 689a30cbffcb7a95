"""Shares of a posterior in a region of practical equivalence."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmed.core.errors import ModelError
from bayesmed.effects import Effects, Rope, effects, practical_equivalence
from bayesmed.generative import CovariateIV, PrincipalStrata
from tests.classical.cells import fertility
from tests.generative.covariate_ivs import data_for
from tests.trial_fits import made
from tests.variants import variant_fit

DRAWS = np.random.default_rng(1).normal(0.3, 1.0, (4, 5000))


def acme(draws: np.ndarray = DRAWS) -> Effects:
    return Effects(xr.Dataset({"acme": (("chain", "draw"), draws)}))


def test_shares_of_a_normal_posterior_are_those_of_the_normal_distribution() -> None:
    share = practical_equivalence(acme(), Rope(-0.5, 0.8))
    below, above = (0.5 * math.erfc(z / math.sqrt(2)) for z in (0.8, 0.5))
    error = 4 * 0.5 / math.sqrt(DRAWS.size)
    assert share.below == pytest.approx(below, abs=error)
    assert share.above == pytest.approx(above, abs=error)
    assert share.below + share.inside + share.above == pytest.approx(1.0)


def test_the_ends_belong_to_the_region() -> None:
    share = practical_equivalence(acme(np.array([[-1.0, 1.0, 2.0]])), Rope(-1, 1))
    assert (share.below, share.inside, share.above) == (0.0, pytest.approx(2 / 3), 1 / 3)


@settings(deadline=None)
@given(st.floats(-3, 3), st.floats(0.01, 3), st.floats(0.01, 3))
def test_a_wider_region_never_holds_less(low: float, width: float, more: float) -> None:
    narrow = practical_equivalence(acme(), Rope(low, low + width))
    wide = practical_equivalence(acme(), Rope(low - more, low + width + more))
    assert wide.inside >= narrow.inside
    assert wide.below <= narrow.below


@settings(deadline=None)
@given(st.floats(0.1, 100), st.floats(0.05, 2))
def test_units_do_not_matter(unit: float, high: float) -> None:
    one = practical_equivalence(acme(), Rope(-0.1, high))
    other = practical_equivalence(acme(unit * DRAWS), Rope(-0.1 * unit, high * unit))
    assert other.inside == pytest.approx(one.inside, abs=2e-4)


def test_by_default_it_is_about_the_average_indirect_effect() -> None:
    one = practical_equivalence(effects(variant_fit("constant")), Rope(0.0, 0.5))
    assert (one.effect, one.entry) == ("acme", "")
    found = effects(variant_fit("two mediators"))
    both = practical_equivalence(found, Rope(0.0, 0.5))
    assert both.effect == "acme_all_mediators"
    np.testing.assert_array_equal(both.draws, found.draws["acme_all_mediators"].values.ravel())


def test_of_one_trial_it_is_the_indirect_effect_in_the_treated_arm() -> None:
    iv = practical_equivalence(effects(made(CovariateIV(), data_for("default"))), Rope(0, 1))
    assert iv.effect == "indirect_effect"
    cells = fertility()
    strata = practical_equivalence(effects(made(PrincipalStrata(), cells)), Rope(0, 1))
    assert strata.effect == "nie"
    assert strata.entry == cells.names.arms[1]


def test_an_entry_is_named_in_brackets() -> None:
    found = effects(variant_fit("two mediators"))
    for mediator in ("LDL", "HDL"):
        share = practical_equivalence(found, Rope(-0.1, 0.1, f"acme[{mediator}]"))
        expected = found.draws["acme"].sel(mediator=mediator)
        np.testing.assert_array_equal(share.draws, expected.values.ravel())
        assert share.entry == mediator
    site = practical_equivalence(found, Rope(-0.1, 0.1, "indirect_effect[site 2, HDL]"))
    expected = found.draws["indirect_effect"].sel(site="site 2", mediator="HDL")
    np.testing.assert_array_equal(np.sort(site.draws), np.sort(expected.values.ravel()))


@pytest.mark.parametrize(
    ("low", "high"), [(1, 1), (2, 1), (math.nan, 1), (0, math.inf), ("a", 1), (None, 1)]
)
def test_impossible_regions_are_refused(low: object, high: object) -> None:
    with pytest.raises(ModelError, match="two finite numbers, the lower one first"):
        Rope(low, high)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        ("acmee", "Did you mean 'acme'"),
        ("acme", "several entries.*acme\\[entry\\].*'LDL', 'HDL'"),
        ("acme[LDI]", "no entry 'LDI'.*Did you mean 'LDL'"),
    ],
)
def test_effects_that_are_not_there_are_named(effect: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        practical_equivalence(effects(variant_fit("two mediators")), Rope(0, 1, effect))
