"""Checked values of designs: one message with the design, the field and the remedy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bayesmed.core.errors import ModelError, nearest


def whole(design: Any, name: str, least: int, most: int = 10_000_000) -> None:
    """Make a field a whole number within bounds, or refuse it."""
    value = getattr(design, name)
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise _wrong(design, name, "Give a whole number.")
    if not least <= value <= most:
        raise _wrong(design, name, f"Give {least} to {most}.")
    object.__setattr__(design, name, int(value))


def number(
    design: Any, name: str, low: float = -math.inf, high: float = math.inf, *, ends: bool = True
) -> None:
    """Make a field a finite number within bounds, with or without its ends, or refuse it."""
    value = getattr(design, name)
    real = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not real or not math.isfinite(value):
        raise _wrong(design, name, "Give a finite number.")
    inside = low <= value <= high if ends else low < value < high
    if not inside:
        if math.isinf(high):
            bounds = f"{low:g} or more" if ends else f"more than {low:g}"
        else:
            bounds = f"{low:g} to {high:g}" if ends else f"a number between {low:g} and {high:g}"
        raise _wrong(design, name, f"Give {bounds}.")
    object.__setattr__(design, name, float(value))


def choice(design: Any, name: str, known: tuple[str, ...]) -> None:
    """Refuse a text that is none of the known ones."""
    if getattr(design, name) not in known:
        raise _wrong(design, name, nearest(str(getattr(design, name)), known))


def flag(design: Any, name: str) -> None:
    """Refuse what is neither true nor false."""
    if not isinstance(getattr(design, name), bool):
        raise _wrong(design, name, "Write true or false.")


def _wrong(design: Any, name: str, remedy: str) -> ModelError:
    return ModelError(f"{type(design).__name__}: {name} is {getattr(design, name)!r}.", remedy)
