"""Priors: what the user writes, how data scale it, and how PyMC sees it."""

from bayesmed.priors.families import FAMILIES
from bayesmed.priors.prior import Prior

__all__ = ["FAMILIES", "Prior"]
