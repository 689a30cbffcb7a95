"""Estimands of a fit as labelled draws and tidy tables."""

from bayesmed.effects.compare import compare
from bayesmed.effects.comparison import POSTERIOR, Comparison, Difference, Reason
from bayesmed.effects.effects import Effects, effects
from bayesmed.effects.new_sites import NewSites
from bayesmed.effects.parameters import parameters
from bayesmed.effects.predict import predict
from bayesmed.effects.rope import PracticalEquivalence, Rope, practical_equivalence
from bayesmed.effects.trials.comparison import TrialComparison

__all__ = [
    "POSTERIOR",
    "Comparison",
    "Difference",
    "Effects",
    "NewSites",
    "PracticalEquivalence",
    "Reason",
    "Rope",
    "TrialComparison",
    "compare",
    "effects",
    "parameters",
    "practical_equivalence",
    "predict",
]
