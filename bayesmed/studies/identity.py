"""What a task is, as a short text that is equal only for equal tasks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd

from bayesmed.core.errors import ModelError


def digest(value: object) -> str:
    """Return a hash of a value that is the same in every process.

    Raises
    ------
    ModelError
        If the value holds something that has no description of its own.

    Examples
    --------
    >>> digest((1, {"b": 2.0, "a": None})) == digest((1, {"a": None, "b": 2.0}))
    True
    >>> digest(1) == digest(1.0)
    False
    """
    found = hashlib.blake2b(digest_size=16)
    for piece in _pieces(value):
        # With its length, so that no two sequences of pieces read alike.
        found.update(len(piece).to_bytes(8, "little"))
        found.update(piece)
    return found.hexdigest()


def _pieces(value: object) -> Iterator[bytes]:
    """Take a value apart into labelled pieces."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str | bytes | PurePath):
        yield f"{type(value).__name__}:{value!r}".encode(errors="surrogatepass")
    elif isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        yield f"array:{value.dtype.str}:{value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif is_dataclass(value) and not isinstance(value, type):
        yield from _record(value)
    elif isinstance(value, pd.DataFrame):
        yield from _collection("table", [*value.columns, *(value[c].tolist() for c in value)])
    elif isinstance(value, Mapping):
        pairs = sorted(value.items(), key=lambda pair: str(pair[0]))
        yield from _collection("mapping", [x for pair in pairs for x in pair])
    elif isinstance(value, Set):
        yield from _collection("set", sorted(value, key=str))
    elif isinstance(value, Sequence | np.ndarray):
        yield from _collection("sequence", list(value))
    elif isinstance(value, type | Callable):  # a class or a function
        yield f"named:{_name(value)}".encode()
    else:
        raise ModelError(
            f"A task holds a {type(value).__name__}, which cannot be told from another.",
            "Use numbers, texts, arrays, frozen dataclasses, and collections of them.",
        )


def _collection(kind: str, items: Sequence[object]) -> Iterator[bytes]:
    yield f"{kind}:{len(items)}".encode()
    for item in items:
        yield from _pieces(item)


def _record(value: Any) -> Iterator[bytes]:
    yield f"record:{type(value).__qualname__}".encode()
    for field in fields(value):
        yield field.name.encode()
        yield from _pieces(getattr(value, field.name))


def _name(value: object) -> str:
    name = getattr(value, "__qualname__", "")
    if not name or "<" in name:
        raise ModelError(
            "A task holds a function without a name of its own.",
            "Define it at the top of a module.",
        )
    return f"{getattr(value, '__module__', '')}.{name}"
