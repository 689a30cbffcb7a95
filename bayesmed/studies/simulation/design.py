"""What a design must offer, and grids of designs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass, replace
from itertools import product
from typing import Any, Protocol

import numpy as np

from bayesmed.core.errors import ModelError, nearest
from bayesmed.core.types import Floats
from bayesmed.data import PersonCovariance, SiteEstimates


class Design(Protocol):
    """A population of sites and how they are measured: a frozen dataclass with these members.

    Any such dataclass of numbers and texts will do, if worker processes can import it.
    """

    @property
    def sites(self) -> int:
        """Number of sites."""

    @property
    def truth(self) -> float:
        """Average slope in the population the sites come from."""

    def draw(self, rng: np.random.Generator) -> SiteEstimates:
        """Draw the estimates of one study, of one mediator."""


def design_grid[D: Design](design: D, vary: Mapping[str, Sequence[Any]]) -> tuple[D, ...]:
    """Return a design with every combination of some of its values.

    Parameters
    ----------
    design
        What stays the same.
    vary
        Field to the values it takes; the last field changes fastest.

    Raises
    ------
    ModelError
        If the design has no such field, a field has no values, or a value is not possible.

    Examples
    --------
    >>> from bayesmed.studies.simulation import FuDesign
    >>> grid = design_grid(FuDesign(sites=5), {"sites": (5, 10), "slope": (0, 2)})
    >>> [(d.sites, d.slope) for d in grid]
    [(5, 0.0), (5, 2.0), (10, 0.0), (10, 2.0)]
    """
    known = [f.name for f in fields(_record(design))]
    for name, values in vary.items():
        if name not in known:
            raise ModelError(f"A {type(design).__name__} has no {name!r}.", nearest(name, known))
        if not len(values):
            raise ModelError(f"There are no values of {name}.", "Give one or more.")
    combinations = product(*vary.values())
    return tuple(
        replace(_record(design), **dict(zip(vary, values, strict=True))) for values in combinations
    )


def label(design: Design) -> str:
    """Describe a design by its values other than defaults; equal for equal designs only.

    Examples
    --------
    >>> from bayesmed.studies.simulation import FuDesign
    >>> label(FuDesign(sites=5, slope=0))
    'FuDesign(sites=5, slope=0.0)'
    """
    said = [
        f"{f.name}={getattr(design, f.name)!r}"
        for f in fields(_record(design))
        if f.default is MISSING or getattr(design, f.name) != f.default
    ]
    return f"{type(design).__name__}({', '.join(said)})"


def varying(designs: Sequence[Design]) -> tuple[str, ...]:
    """Return the fields in which designs differ: none where they are of several types.

    Examples
    --------
    >>> from bayesmed.studies.simulation import FuDesign
    >>> varying([FuDesign(sites=5), FuDesign(sites=10)])
    ('sites',)
    """
    if len({type(design) for design in designs}) > 1:
        return ()
    names = [f.name for f in fields(_record(designs[0]))]
    return tuple(n for n in names if len({getattr(design, n) for design in designs}) > 1)


def estimates(
    effects: Floats,
    cov: Floats,
    *,
    given: bool = True,
    n: float = np.nan,
    persons: PersonCovariance | None = None,
) -> SiteEstimates:
    """Return simulated estimates as the table that models take.

    Straight from its parts: making it from arrays looks for what is odd in real data, and warns.

    Parameters
    ----------
    effects
        (S, 2) estimated effects on mediator and outcome.
    cov
        (S, 2, 2) their sampling covariance.
    given
        Whether the covariance of the two counts as known.
    n
        Persons of each site, if any.
    persons
        How persons vary, where there are any.
    """
    sites = len(effects)
    return SiteEstimates(
        site=tuple(map(str, range(1, sites + 1))),
        arm=None,
        block=np.arange(sites),
        mediators=("mediator",),
        outcome="outcome",
        outcome_scale="difference",
        mediator_effect=effects[:, :1],
        total_effect=effects[:, 1],
        cov=cov,
        cross_cov={},
        weight=np.ones(sites),
        n=None if np.isnan(n) else np.full(sites, n),
        covariance_given=given,
        source="simulation",
        persons=persons,
    )


def arms_of_persons(products: Floats, arms: tuple[int, int]) -> PersonCovariance:
    """Return how persons of two arms vary, as tables made from rows carry it.

    Parameters
    ----------
    products
        (2, S, 2, 2) sums of products of each arm and site about its means, the control arm first.
    arms
        Persons of each arm at every site, in the same order.
    """
    size = np.asarray(arms, dtype=np.float64)
    sites = products.shape[1]
    return PersonCovariance(
        groups=("0", "1"),
        cross=products.sum(axis=1),
        df=sites * (size - 1.0),
        weight=np.tile(1.0 / size, (sites, 1)),
    )


def _record(design: Design) -> Any:
    if not is_dataclass(design) or isinstance(design, type):
        raise ModelError(
            f"{design!r} is no design.", "Take a FuDesign, ReardonDesign or TrialDesign."
        )
    return design
