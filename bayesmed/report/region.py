"""How much of an effect lies in a region of practical equivalence, in words."""

from __future__ import annotations

from bayesmed.core.numbers import number, probability
from bayesmed.effects import PracticalEquivalence
from bayesmed.inference import is_trial
from bayesmed.report.findings import Findings
from bayesmed.report.words import average_label, capital

__all__ = ["region_label", "region_sentence"]


def region_sentence(share: PracticalEquivalence, label: str) -> str:
    """Say how much lies in the region, below and above; what to make of it is the reader's.

    Parameters
    ----------
    share
        The probabilities.
    label
        The effect, in words.
    """
    low, high = number(share.rope.low), number(share.rope.high)
    return (
        f"{capital(label)}: the probability that it lies in the region of practical equivalence, "
        f"{low} to {high}, is {probability(share.inside)}; that it is below, "
        f"{probability(share.below)}; above, {probability(share.above)}."
    )


def region_label(found: Findings) -> str:
    """Return the effect of the region in words."""
    share, fit = found.region, found.fit
    assert share is not None
    if is_trial(fit):
        own = found.labels.get(share.effect, share.effect)
        return f"{own} ({share.entry})" if share.entry else own
    in_mediators = share.entry in fit.data.mediators
    label = average_label(fit, share.effect, share.entry if in_mediators else "")
    return label if in_mediators or not share.entry else f"{label} ({share.entry})"
