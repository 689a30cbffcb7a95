"""What a caller gives, brought to the declared types of `SiteEstimates`."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayesmed.core.errors import DataError
from bayesmed.data.cells import as_text

if TYPE_CHECKING:
    from bayesmed.data.site_estimates import SiteEstimates

__all__ = ["codes", "mediator_names", "names", "normalised", "numeric", "summing_to_one"]


def numeric(name: str, values: ArrayLike, source: str) -> NDArray[np.float64]:
    """Return an array of numbers; texts and truth values are refused, not converted."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise DataError(f"{source}, {name}: the rows differ in length.", "Fill them up.") from error
    if array.dtype.kind not in "iuf":
        raise DataError(f"{source}, {name}: not an array of numbers.", "Give real numbers.")
    return array.astype(np.float64)


def names(given: Sequence[object] | None, rows: int) -> tuple[str, ...]:
    """Return names as text, or "1", "2", …."""
    return tuple(as_text(x) for x in (range(1, rows + 1) if given is None else given))


def mediator_names(given: Sequence[str] | None, p: int) -> tuple[str, ...]:
    """Return the names given, or "mediator", or "mediator_1", …."""
    if given is not None:
        return (given,) if isinstance(given, str) else tuple(given)
    return ("mediator",) if p == 1 else tuple(f"mediator_{i}" for i in range(1, p + 1))


def codes(given: Iterable[object]) -> NDArray[np.int64]:
    """Return a number 0, 1, … for every name, in order of first appearance."""
    known: dict[str, int] = {}
    array = np.array([known.setdefault(as_text(x), len(known)) for x in given], dtype=np.int64)
    array.flags.writeable = False
    return array


def summing_to_one(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale weights, some of them positive, to sum to 1; those that do stay as they are."""
    if abs(weight.sum() - 1.0) < 1e-12:
        return _read_only(weight)
    with np.errstate(under="ignore"):
        # Dividing by the largest first keeps the sum finite.
        relative = weight / weight.max()
        return _read_only(relative / relative.sum())


def normalised(data: SiteEstimates) -> dict[str, object]:
    """Return every field in its declared type; arrays become read-only copies."""
    return {
        "site": tuple(data.site),
        "arm": None if data.arm is None else tuple(data.arm),
        "block": codes(np.asarray(data.block).tolist()),
        "mediators": tuple(data.mediators),
        "mediator_effect": _read_only(data.mediator_effect),
        "total_effect": _read_only(data.total_effect),
        "cov": _read_only(data.cov),
        "cross_cov": {_row_pair(key): _read_only(m) for key, m in data.cross_cov.items()},
        "weight": _read_only(data.weight),
        "n": None if data.n is None else _read_only(data.n),
        "covariates": {name: _read_only(x) for name, x in data.covariates.items()},
        "notes": tuple(data.notes),
    }


def _row_pair(key: object) -> tuple[int, int]:
    """Return a key of ``cross_cov`` as two plain integers."""
    try:
        i, j = (operator.index(x) for x in key)  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise DataError(
            f"`cross_cov` has the key {key!r}.", "Use pairs of row numbers, such as (0, 1)."
        ) from error
    return i, j


def _read_only(array: Any) -> NDArray[np.float64]:
    copy = np.array(array, dtype=np.float64)
    copy.flags.writeable = False
    return copy
