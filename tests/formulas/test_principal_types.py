"""Types of persons: how many there are, and what monotone mediators leave of them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from bayesmed.core.errors import ModelError
from bayesmed.formulas.principal_types import MONOTONE, principal_types, type_names


def allowed(monotone_in):
    """Types by definition, one by one."""
    for m in itertools.product((0, 1), repeat=4):
        value = dict(zip([(0, 0), (0, 1), (1, 0), (1, 1)], m, strict=True))
        in_z = all(value[d, 1] >= value[d, 0] for d in (0, 1))
        in_d = all(value[1, z] >= value[0, z] for z in (0, 1))
        if (in_z or monotone_in in ("treatment", "none")) and (
            in_d or monotone_in in ("instrument", "none")
        ):
            yield "".join(map(str, m))


@pytest.mark.parametrize(
    ("monotone_in", "count"), [("none", 16), ("instrument", 9), ("treatment", 9), ("both", 6)]
)
def test_counts_and_members(monotone_in, count):
    types = principal_types(monotone_in)
    assert types.shape == (count, 2, 2)
    assert type_names(types) == tuple(allowed(monotone_in))


def test_every_choice_is_tested():
    assert set(MONOTONE) == {"none", "instrument", "treatment", "both"}


def test_exchanging_treatment_and_instrument_exchanges_the_assumptions():
    turned = type_names(np.swapaxes(principal_types("instrument"), 1, 2))
    assert sorted(turned) == sorted(type_names(principal_types("treatment")))


def test_both_is_what_each_allows():
    each = [set(type_names(principal_types(m))) for m in ("instrument", "treatment")]
    assert each[0] & each[1] == set(type_names(principal_types("both")))


def test_an_unknown_choice_is_refused():
    with pytest.raises(ModelError, match=r"'instrumnt'\. Did you mean 'instrument'\?"):
        principal_types("instrumnt")  # type: ignore[arg-type]
