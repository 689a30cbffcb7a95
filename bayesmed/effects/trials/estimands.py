"""What the estimands of a model of one trial are, before they get a tree and a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bayesmed.core.types import Floats

__all__ = ["TrialEstimands"]


@dataclass(frozen=True, eq=False)
class TrialEstimands:
    """Estimands as draws.

    Attributes
    ----------
    draws
        Draws (n, ...) by effect, in the order tables list them.
    labels
        Each effect in words.
    dims
        Axes after n of the effects that are no single number.
    coords
        Labels along those axes.
    ratios
        Effects that divide by what may be near zero: they have quantiles, but neither mean nor sd.
    notes
        What to know beside the numbers, in sentences.
    """

    draws: Mapping[str, Floats]
    labels: Mapping[str, str]
    dims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    coords: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ratios: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
