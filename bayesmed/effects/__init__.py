"""Estimands of a fit as labelled draws and tidy tables."""

from bayesmed.effects.effects import Effects, effects
from bayesmed.effects.parameters import parameters

__all__ = ["Effects", "effects", "parameters"]
