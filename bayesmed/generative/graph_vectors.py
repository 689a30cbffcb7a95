"""Vectors of a graph put together and taken apart, so that the gradient compiles quickly.

PyTensor's gradients of a join, and of many slices, are operations that Numba takes seconds each to
compile. Here the gradient of putting together is taking apart, and the other way round. Vectors
may have axes in front.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import pytensor.tensor as pt
from pytensor.compile.builders import OpFromGraph

__all__ = ["columns", "joined", "parted"]


def joined(vectors: Sequence[Any]) -> Any:
    """Join vectors along their last axis."""
    inner = [vector.type() for vector in vectors]
    whole = pt.join(inner[0].ndim - 1, *inner)  # type: ignore[no-untyped-call]
    return OpFromGraph(inner, [whole], inline=True, pullback=_apart)(*vectors)


def parted(whole: Any, sizes: Sequence[int]) -> list[Any]:
    """Split the last axis into parts of these sizes."""
    inner = whole.type()
    ends = list(accumulate(sizes, initial=0))
    parts = [inner[..., start:stop] for start, stop in pairwise(ends)]
    found: Any = OpFromGraph([inner], parts, inline=True, pullback=_together)(whole)
    return list(found) if len(parts) > 1 else [found]


def columns(whole: Any) -> list[Any]:
    """Return the entries of the last axis; of a vector they are single numbers."""
    inner = whole.type()
    entries = [inner[..., i] for i in range(whole.type.shape[-1])]
    found: Any = OpFromGraph([inner], entries, inline=True, pullback=_stacked)(whole)
    return list(found) if len(entries) > 1 else [found]


def _apart(vectors: Sequence[Any], _: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
    ends = list(accumulate((vector.type.shape[-1] for vector in vectors), initial=0))
    return [cotangents[0][..., start:stop] for start, stop in pairwise(ends)]


def _together(_: Sequence[Any], __: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
    return [pt.join(cotangents[0].ndim - 1, *cotangents)]  # type: ignore[no-untyped-call]


def _stacked(_: Sequence[Any], __: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
    return [pt.stack(cotangents, axis=-1)]
