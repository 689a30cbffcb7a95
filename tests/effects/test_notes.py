"""What stands beside the effects: ratios without bounds, mediators that are not parallel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayesmed.core.numbers import number
from bayesmed.effects import effects
from tests.variants import VARIANTS, made, variant_fit


def test_nothing_is_said_where_nothing_is_amiss():
    assert effects(made(VARIANTS["multi-site IV"], shape=(1, 100), spread=0.1)).notes == ()


def test_a_denominator_that_may_be_zero_is_named_with_its_interval():
    variant = VARIANTS["multi-site IV, compliance"]
    means = {"mediator_effect_mean": (0.9, 0.02)}
    found = effects(made(replace(variant, truth={**variant.truth, **means})))
    said = [note for note in found.notes if "in the population of sites, includes 0" in note]
    mean = found.draws["superpopulation_mediator_effect"]
    low, high = np.quantile(mean.sel(mediator="HDL"), [0.025, 0.975])
    assert low < 0 < high
    (of_mediator,) = (note for note in said if "effect on HDL" in note)
    assert f"{number(low)} to {number(high)}" in of_mediator
    assert "the compliance-weighted average effect of HDL, in the population" in of_mediator
    # The other one is well away from zero.
    assert np.quantile(mean.sel(mediator="LDL"), 0.025) > 0
    assert not [note for note in found.notes if "effect on LDL" in note]


def test_shares_of_a_total_that_may_be_zero_are_named():
    found = effects(variant_fit("multi-site IV, three mediators"))
    total = found.draws["superpopulation_total_effect"]
    held = np.quantile(total, 0.025) <= 0 <= np.quantile(total, 0.975)
    said = [note for note in found.notes if "total effect, in the population" in note]
    assert len(said) == held
    # Drawn around zero it is held.
    variant = VARIANTS["two mediators"]
    none = {"slope": (0.1, 0.1), "direct_effect_mean": 0.0, "mediator_effect_mean": 0.0}
    other = effects(made(replace(variant, truth={**variant.truth, **none})))
    assert "the share through the mediator, in the population" in " ".join(other.notes)


@pytest.mark.parametrize("name", VARIANTS)
def test_parallel_paths_are_a_matter_of_several_mediators(name):
    notes = effects(variant_fit(name)).notes
    parallel = [note for note in notes if "act in parallel" in note]
    assert len(parallel) == (len(VARIANTS[name].mediators) > 1)
    assert all("counts for the last one on the way" in note for note in parallel)
