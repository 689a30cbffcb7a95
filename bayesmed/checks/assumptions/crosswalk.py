"""Every assumption of every model, under one code and each paper's own number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bayesmed.checks.assumptions.of_designs import OF_DESIGNS
from bayesmed.checks.assumptions.of_sites import OF_SITES
from bayesmed.checks.assumptions.of_trials import OF_TRIALS
from bayesmed.checks.assumptions.record import Assumption

__all__ = ["CROSSWALK"]

CROSSWALK: Final[Mapping[str, Assumption]] = {
    assumption.code: assumption for assumption in (*OF_DESIGNS, *OF_SITES, *OF_TRIALS)
}
"""Assumptions by code."""
