"""A region of practical equivalence: what is as good as nothing, and how much lies in it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayesmed.core.errors import ModelError, nearest
from bayesmed.core.names import ACME, ATE, CHAIN, DRAW, INDIRECT_EFFECT, NIE
from bayesmed.core.types import Floats
from bayesmed.effects.effects import Effects
from bayesmed.effects.labels import of_all
from bayesmed.effects.trials.principal_strata import NIE_IV
from bayesmed.effects.trials.random_coefficients import AVERAGE_TREATMENT_EFFECT, LATE

__all__ = ["PracticalEquivalence", "Rope", "practical_equivalence"]

_OF_SITES = (of_all(ACME), ACME)
_OF_TRIALS = (INDIRECT_EFFECT, NIE, NIE_IV, LATE, AVERAGE_TREATMENT_EFFECT, ATE)


@dataclass(frozen=True)
class Rope:
    """A region of practical equivalence: effects in it make no difference that matters.

    It is a judgement of the subject, made before the data are seen; no computation gives it.

    Parameters
    ----------
    low, high
        Its ends, in the units of the effect.
    effect
        Which effect, as `effects` calls it; ``"acme[effort]"`` is an entry of one that has
        several. By default the average indirect effect: through all mediators, or of one trial
        the (natural) indirect effect, or the effect of the mediator.

    Raises
    ------
    ModelError
        If the ends are not finite, or not in order.

    References
    ----------
    Kruschke (2018), Rejecting or accepting parameter values in Bayesian estimation, Advances in
    Methods and Practices in Psychological Science 1, 270-280.

    Examples
    --------
    >>> Rope(-0.1, 0.1)
    Rope(low=-0.1, high=0.1, effect='')
    """

    low: float
    high: float
    effect: str = ""

    def __post_init__(self) -> None:
        try:
            low, high = float(self.low), float(self.high)
        except (TypeError, ValueError):
            low = high = math.nan
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ModelError(
                f"A region of practical equivalence cannot go from {self.low!r} to {self.high!r}.",
                "Give two finite numbers, the lower one first, in the units of the effect.",
            )
        if not isinstance(self.effect, str):
            raise ModelError(
                f"A region's effect is {self.effect!r}.", 'Give its name: Rope(-0.1, 0.1, "acme").'
            )
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)


@dataclass(frozen=True, eq=False)
class PracticalEquivalence:
    """How much of a posterior lies in a region of practical equivalence.

    Attributes
    ----------
    rope
        The region.
    effect, entry
        Which effect; the entry (mediator, arm, site) is empty where it has one only.
    below, inside, above
        Posterior probabilities, which add up to 1. The ends belong to the region.
    draws
        Those of the effect, shape (n,).

    Examples
    --------
    >>> share = PracticalEquivalence(
    ...     Rope(-0.1, 0.1), "acme", "", below=0.05, inside=0.6, above=0.35, draws=np.zeros(4))
    >>> round(share.below + share.inside + share.above, 10)
    1.0
    """

    rope: Rope
    effect: str
    entry: str
    below: float
    inside: float
    above: float
    draws: Floats


def practical_equivalence(found: Effects, rope: Rope) -> PracticalEquivalence:
    """Return the posterior probability of a region of practical equivalence.

    Parameters
    ----------
    found
        Effects of a fit.
    rope
        The region, and which effect it is about.

    Raises
    ------
    ModelError
        If there is no such effect, or it has several entries and none was named.

    Examples
    --------
    >>> draws = xr.Dataset({"acme": (("chain", "draw"), [[-1.0, 0.0, 0.1, 2.0]])})
    >>> share = practical_equivalence(Effects(draws), Rope(-0.2, 0.2))
    >>> share.below, share.inside, share.above
    (0.25, 0.5, 0.25)
    """
    known = [str(name) for name in found.draws.data_vars]
    order = _OF_SITES if found.trial is None else _OF_TRIALS
    named = rope.effect or next((name for name in order if name in known), "")
    name, bracket, entry = named.partition("[")
    if name not in known:
        raise ModelError(f"There is no effect {name!r} for a region.", nearest(name, known))
    own = found.draws[name]
    entry = entry.removesuffix("]") if bracket else ("" if rope.effect else _last_arm(own))
    draws = _entry(own, name, entry)
    below, above = float(np.mean(draws < rope.low)), float(np.mean(draws > rope.high))
    inside = float(np.mean((draws >= rope.low) & (draws <= rope.high)))
    return PracticalEquivalence(rope, name, entry, below, inside, above, draws)


def _last_arm(own: xr.DataArray) -> str:
    """Return the treated arm, where an effect has one value for each arm."""
    dims = [d for d in own.dims if d not in (CHAIN, DRAW)]
    return str(own[dims[0]].values[-1]) if len(dims) == 1 and own.sizes[dims[0]] > 1 else ""


def _entry(own: xr.DataArray, name: str, entry: str) -> Floats:
    """Draws of one entry, shape (n,)."""
    stacked = own.transpose(CHAIN, DRAW, ...)
    dims = [d for d in stacked.dims if d not in (CHAIN, DRAW)]
    labels = [", ".join(map(str, at)) for at in _labels(stacked, dims)]
    flat = np.asarray(stacked).reshape(-1, len(labels))
    if len(labels) == 1 and entry in ("", labels[0]):
        return flat[:, 0]
    if entry not in labels:
        several = "has several entries" if not entry else f"has no entry {entry!r}"
        raise ModelError(
            f"The effect {name!r} of a region {several}.",
            f"Write it as {name}[entry]. {nearest(entry, labels)}",
        )
    return flat[:, labels.index(entry)]


def _labels(own: xr.DataArray, dims: list[object]) -> list[tuple[object, ...]]:
    """Return the coordinates of every entry, in the order of the flat array."""
    found: list[tuple[object, ...]] = [()]
    for dim in dims:
        found = [(*at, value) for at in found for value in own[dim].values]
    return found
