"""How sites are found in the data of one trial: frozen records of choices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Final

from bayesmed.core.errors import DataError

__all__ = ["WAYS", "CausalTree", "CompliancePropensity", "own_choices"]


@dataclass(frozen=True)
class CausalTree:
    """Leaves of one causal tree for the effects on the mediators (Fu 2023, sections 5 and 6.3).

    Parameters
    ----------
    leaves
        Most leaves, each a site.
    least_in_leaf
        Fewest complete persons of an arm in a leaf, in either part (twice as many in all, where
        treatment is an amount).
    depth
        Most splits on the way to a leaf.
    share
        Share of the persons on whom the tree is grown; effects are estimated on the others.
    honest
        Whether effects are estimated on other persons than those the tree was grown on. Without it
        everybody is used twice, and what made a leaf look different by chance counts as effect:
        only to see what that does.
    categorical
        Which of the site columns are names, not numbers.
    person
        Column that tells persons apart, for engines whose rows have no order. Files and data frames
        do without; so do rows with a ``cluster``, which are drawn cluster by cluster.

    Raises
    ------
    DataError
        If a choice does not exist.

    Examples
    --------
    >>> CausalTree(leaves=6, categorical="region").categorical
    ('region',)
    """

    leaves: int = 8
    least_in_leaf: int = 30
    depth: int = 6
    share: float = 0.5
    honest: bool = True
    categorical: tuple[str, ...] = ()
    person: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "categorical", _tuple(self.categorical))
        _whole(self, "leaves", 2, 1000)
        _whole(self, "least_in_leaf", 2, 10**9)
        _whole(self, "depth", 1, 30)
        if not _is_share(self.share):
            raise DataError(
                f"The tree is to be grown on the share {self.share!r} of the persons.",
                "Give a number from .01 to .99; half is usual.",
            )


@dataclass(frozen=True)
class CompliancePropensity:
    """Strata of the propensity to comply with each mediator (Reardon & Raudenbush, section 6).

    A person's propensity is the predicted effect of treatment on the mediator, from regressions of
    the mediator on the site columns in each arm. They are cross-fitted: nobody's propensity hangs
    on their own mediator (Abadie, Chingos & West 2018 show what happens otherwise).

    Parameters
    ----------
    groups
        Into how many groups of about equal size each mediator's propensities are cut; sites are
        the combinations of groups.
    folds
        Parts of the persons; each gets propensities from regressions on the others.
    categorical, person
        As of `CausalTree`.

    Raises
    ------
    DataError
        If a choice does not exist.

    Examples
    --------
    >>> CompliancePropensity(groups=4).folds
    5
    """

    groups: int = 5
    folds: int = 5
    categorical: tuple[str, ...] = ()
    person: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "categorical", _tuple(self.categorical))
        _whole(self, "groups", 2, 1000)
        _whole(self, "folds", 2, 1000)


WAYS: Final[Mapping[str, type[CausalTree] | type[CompliancePropensity]]] = {
    "causal_tree": CausalTree,
    "compliance_propensity": CompliancePropensity,
}
"""Ways of finding sites, by their names in cards and on the command line."""
_NOT_OWN = ("honest", "categorical", "person")


def own_choices(way: str) -> tuple[str, ...]:
    """Return the choices of a way that the other does not have.

    Examples
    --------
    >>> own_choices("compliance_propensity")
    ('groups', 'folds')
    """
    return tuple(field.name for field in fields(WAYS[way]) if field.name not in _NOT_OWN)


def _is_share(value: object) -> bool:
    return isinstance(value, (int, float)) and 0.01 <= value <= 0.99


def _tuple(given: object) -> tuple[str, ...]:
    names = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)
    if not all(isinstance(name, str) for name in names):
        raise DataError(f"`categorical` is {given!r}.", "Give names of columns.")
    return names


def _whole(choices: CausalTree | CompliancePropensity, name: str, low: int, high: int) -> None:
    value = getattr(choices, name)
    if type(value) is not int or not low <= value <= high:
        raise DataError(
            f"{type(choices).__name__}: `{name}` is {value!r}.",
            f"Give a whole number from {low} to {high:,}.",
        )
