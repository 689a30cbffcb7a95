"""The section ``[data.rows.subgroups]`` of a card: sites are found among the persons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bayesmed.cards.section import Section
from bayesmed.core.errors import CardError, nearest
from bayesmed.subgroups import CausalTree, CompliancePropensity
from bayesmed.subgroups.choices import WAYS, own_choices

__all__ = ["Subgroups", "read_subgroups"]

_COMMON = ("how", "seed", "categorical", "person")
_WHOLE = {"leaves": 1000, "least_in_leaf": 10**9, "depth": 30, "groups": 1000, "folds": 1000}


@dataclass(frozen=True)
class Subgroups:
    """How sites are found, and with which seed.

    Parameters
    ----------
    how
        The way.
    seed
        Of the random parts: the same seed finds the same sites.
    """

    how: CausalTree | CompliancePropensity
    seed: int


def read_subgroups(rows: Section) -> Subgroups | None:
    """Read the section below ``[data.rows]``; None where it is absent.

    Raises
    ------
    CardError
        If a key is unknown or belongs to the other way, or a choice does not exist.
    """
    example = 'how = "causal_tree" and seed = 1 below [data.rows.subgroups]'
    known = (*_COMMON, *(key for way in WAYS for key in own_choices(way)))
    section = rows.section("subgroups", known, example=example)
    if section is None:
        return None
    way = section.required_text("how", f"one of {', '.join(WAYS)}")
    if way not in WAYS:
        raise section.wrong("how", nearest(way, tuple(WAYS)))
    own = own_choices(way)
    for key in section.values:
        if key not in (*_COMMON, *own):
            raise CardError(f"{section.card}: {section.at(key)} is not for {way}.", "Take it away.")
    if "seed" not in section.values:
        raise section.missing("seed", "Write seed = 1, or another: other seeds, other sites.")
    seed = section.whole("seed", 0, least=0, most=2**32 - 1)
    choices: dict[str, Any] = {
        key: section.whole(key, 0, least=1, most=_WHOLE[key])
        if key in _WHOLE
        else section.number(key, 0.5)
        for key in own
        if key in section.values
    }
    choices |= {"categorical": section.one_or_more("categorical"), "person": section.text("person")}
    with section.located():
        return Subgroups(WAYS[way](**choices), seed)
