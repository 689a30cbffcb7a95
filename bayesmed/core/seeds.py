"""Randomness: one seed, one independent stream per purpose, no global state."""

from __future__ import annotations

import secrets
import zlib

import numpy as np

from bayesmed.core.errors import ModelError

MAX_SEED = 2**32 - 1


def checked_seed(seed: int | None) -> int:
    """Return ``seed`` if it is a whole number in [0, 2**32), or a fresh one for ``None``.

    Raises
    ------
    ModelError
        If ``seed`` is anything else.
    """
    if seed is None:
        return secrets.randbelow(MAX_SEED + 1)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise ModelError(f"The seed {seed!r} is not a whole number.", "Give one from 0 to 2**32-1.")
    if not 0 <= int(seed) <= MAX_SEED:
        raise ModelError(f"The seed {seed} is out of range.", "Give one from 0 to 2**32-1.")
    return int(seed)


def stream(seed: int, purpose: str) -> np.random.Generator:
    """Return the random generator of one purpose.

    Streams of different purposes are independent, and adding a purpose leaves the others as
    they were.

    Examples
    --------
    >>> a, b = stream(7, "sites"), stream(7, "sites")
    >>> bool(a.normal() == b.normal())
    True
    """
    key = zlib.crc32(purpose.encode())
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(key,)))


def child_seed(seed: int, purpose: str) -> int:
    """Return a 32-bit seed of one purpose, for libraries that take an integer."""
    return int(stream(seed, purpose).integers(0, MAX_SEED, endpoint=True))
