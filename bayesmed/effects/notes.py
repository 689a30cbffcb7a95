"""What a reader of effects has to know beside the numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from bayesmed.core.names import (
    ACME,
    AVERAGE,
    CHAIN,
    CWATE,
    DRAW,
    MEDIATOR,
    MEDIATOR_EFFECT,
    SHARE_MEDIATED,
    SUPERPOPULATION,
    TOTAL_EFFECT,
)
from bayesmed.core.numbers import number
from bayesmed.effects.labels import of_all

# By what a ratio divides.
DENOMINATORS = {
    CWATE: f"{AVERAGE}_{MEDIATOR_EFFECT}",
    f"{SUPERPOPULATION}_{CWATE}": f"{SUPERPOPULATION}_{MEDIATOR_EFFECT}",
    f"{AVERAGE}_{SHARE_MEDIATED}": f"{AVERAGE}_{TOTAL_EFFECT}",
    f"{SUPERPOPULATION}_{SHARE_MEDIATED}": f"{SUPERPOPULATION}_{TOTAL_EFFECT}",
}
PARALLEL = (
    "Slopes and indirect effects are those of mediators that act in parallel. If one mediator "
    "changes another, a slope is the mediator's direct effect only, what it does other than "
    "through the other mediators, and what runs through several of them counts for the last one "
    "on the way. Even these direct effects are identified only if, within sites and across them, "
    "they are unrelated to what treatment does to the mediators and to what the mediators do to "
    "each other, and the third central moments of the three are zero. The total effect of a "
    "mediator is then not identified, unless treatment reaches the others through it alone: fit "
    "it as the only mediator (Reardon and Raudenbush 2013, section 5)."
)


def notes(draws: xr.Dataset, labels: Mapping[str, str]) -> tuple[str, ...]:
    """Say which ratios divide by what may be 0, and what effects mean with several mediators.

    Parameters
    ----------
    draws
        Effects, as `Effects.draws` holds them.
    labels
        Each effect in words, by name.
    """
    found = [said for name in DENOMINATORS for said in _unbounded(name, draws, labels)]
    return (*found, *([PARALLEL] if of_all(ACME) in draws else ()))


def _unbounded(name: str, draws: xr.Dataset, labels: Mapping[str, str]) -> list[str]:
    """Say where the denominator of a ratio may be 0, one sentence for each denominator."""
    together = of_all(name)
    if name not in draws and together not in draws:
        return []
    below = draws[DENOMINATORS[name]]
    low, high = (np.atleast_1d(x) for x in below.quantile([0.025, 0.975], dim=(CHAIN, DRAW)).values)
    names = [str(n) for n in draws[MEDIATOR].values] if MEDIATOR in below.dims else [""]
    words = labels[DENOMINATORS[name]], labels.get(name, labels.get(together, name))
    found = []
    for mediator, a, b in zip(names, low, high, strict=True):
        if a <= 0 <= b:
            what, ratio = (w.replace("the mediator", mediator or "the mediator") for w in words)
            found.append(
                f"The 95 % interval of the {what}, includes 0: {number(a)} to {number(b)}. What "
                f"divides by it, the {ratio}, can be of any size and either sign: do not rely on "
                "its median and interval."
            )
    return found
