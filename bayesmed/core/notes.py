"""Beginnings of notes on data by which later rooms know them again, on any way they came."""

from __future__ import annotations

from typing import Final

__all__ = ["FOUND_APART", "FOUND_TWICE", "LOST"]

LOST: Final = "If what is missing depends on treatment"
"""Arms lose different persons."""
FOUND_APART: Final = "Sites were found in the data, with other persons than those in them: "
"""Sites of an honest tree, or of cross-fitted propensities."""
FOUND_TWICE: Final = "Sites were found among the same persons on whom effects are estimated: "
"""Sites of a tree that is not honest."""
