"""Priors: what the user writes, how data scale it, and how PyMC sees it."""

from bayesmed.priors.families import FAMILIES
from bayesmed.priors.preliz import from_preliz, to_preliz
from bayesmed.priors.prior import Prior

__all__ = ["FAMILIES", "Prior", "from_preliz", "to_preliz"]
