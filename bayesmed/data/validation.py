"""What every table of site estimates must satisfy, however it was made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError
from bayesmed.data.columns import TOTAL_EFFECT
from bayesmed.data.covariance_checks import check_block_covariances, check_row_covariances
from bayesmed.data.table import Place

if TYPE_CHECKING:
    from bayesmed.data.site_estimates import SiteEstimates

__all__ = ["check_estimates"]

_Array = NDArray[np.float64]
_LARGEST = 1e150
"""Larger numbers cannot be squared in double precision."""


def check_estimates(data: SiteEstimates, place: Place) -> None:
    """Check everything that must hold, in an order in which each message makes sense."""
    _check_names(data, place)
    _check_labels(data.site, data.arm, data.labels, place)
    _check_shapes(data, place)
    for p, name in enumerate(data.mediators):
        _check_finite(data.mediator_effect[:, p], f"mediator_effect[{name}]", place)
    _check_finite(data.total_effect, "total_effect", place)
    _check_finite(data.cov, "cov", place, largest=_LARGEST**2)
    for name, values in data.covariates.items():
        _check_finite(values, f"covariate[{name}]", place)
    _check_effects(data.mediators, data.mediator_effect, place)
    _check_weights(data.weight, place)
    if data.n is not None:
        _check_sizes(data.n, place)
    check_row_covariances((*data.mediators, TOTAL_EFFECT), data.cov, place)
    check_block_covariances(data.cov, data.cross_cov, data.block, place)
    _check_persons(data, place)


def _check_persons(data: SiteEstimates, place: Place) -> None:
    persons = data.persons
    if persons is None:
        return
    rows, k = len(data.site), len(data.mediators) + 1
    together = all(
        0 <= i < j < rows and data.block[i] == data.block[j] for i, j in persons.cross_weight
    )
    if len(persons.weight) != rows or persons.cross.shape[1] != k or not together:
        raise DataError(
            f"{place.source}: the products of persons are not those of these {rows} rows of "
            f"{k} estimates.",
            "Give weights for every row, and pairs i < j of rows of one block.",
        )


def _check_names(data: SiteEstimates, place: Place) -> None:
    rows = len(data.site)
    for name, count in (("arm", len(data.arm or data.site)), ("block", len(data.block))):
        if count != rows:
            raise DataError(
                f"{place.source}: `{name}` has {count} entries for {rows} rows.",
                "Give one entry per row.",
            )
    for row, named in enumerate(zip(data.site, data.arm or data.site, strict=True)):
        if not all(named):
            raise DataError(
                f"{place.source}, row {row + 1}: the name of the site or arm is empty.",
                "Give every row a site and, where arms are named, an arm.",
            )
    for text in (*data.site, *(data.arm or ()), *data.mediators, data.outcome, *data.covariates):
        if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
            raise DataError(
                f"{place.source}: the name {text!r} holds a character that cannot be stored.",
                "Remove the NUL or half surrogate from it.",
            )
    names = data.mediators
    taken = {*names, TOTAL_EFFECT}
    if not names or len(taken) <= len(names) or not all(n.strip() for n in names):
        raise DataError(
            f"{place.source}: the mediators are called {list(names)}.",
            f"Give every mediator, at least one, its own name other than {TOTAL_EFFECT}.",
        )


def _check_shapes(data: SiteEstimates, place: Place) -> None:
    rows, p = len(data.site), len(data.mediators)
    expected: dict[str, tuple[_Array, tuple[int, ...]]] = {
        "mediator_effect": (data.mediator_effect, (rows, p)),
        "total_effect": (data.total_effect, (rows,)),
        "cov": (data.cov, (rows, p + 1, p + 1)),
        "weight": (data.weight, (rows,)),
        **{f"covariate[{name}]": (x, (rows,)) for name, x in data.covariates.items()},
    }
    if data.n is not None:
        expected["n"] = (data.n, (rows,))
    for quantity, (array, shape) in expected.items():
        if array.shape != shape:
            raise DataError(
                f"{place.at(quantity)}: the shape is {array.shape}, not {shape}.",
                "Give one entry per row and, in covariances, mediators first and total effect "
                "last.",
            )


def _check_finite(array: _Array, quantity: str, place: Place, *, largest: float = _LARGEST) -> None:
    """Refuse missing, infinite and absurdly large numbers."""
    bad = ~(np.abs(array) <= largest)
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        value = array[index]
        what = "missing" if np.isnan(value) else "infinite" if np.isinf(value) else f"{value:g}"
        raise DataError(
            f"{place.at(quantity, index[0])}: the value is {what}.",
            "Remove the row or give a finite number, in a unit that keeps it moderate.",
        )


def _check_labels(
    site: Sequence[str], arm: Sequence[str] | None, labels: Sequence[str], place: Place
) -> None:
    """Refuse fewer than two rows, and rows that cannot be told apart."""
    if len(site) < 2:
        count = "1 row is" if len(site) == 1 else "no rows are"
        raise DataError(
            f"{place.source}: {count} left; the slope is learnt from differences between sites.",
            "Give at least two sites, better ten or more.",
        )
    seen: dict[str, int] = {}
    for row, label in enumerate(labels):
        first = seen.setdefault(label, row)
        if first != row:
            named = f"site {site[row]!r}" + (f" with arm {arm[row]!r}" if arm is not None else "")
            raise DataError(
                f"{place.at_row(row)}: {named} stands already in {place.row(first)}.",
                "Remove one of the rows; where a file stacks several mediators, outcomes or "
                "arms, keep one with `where` or name the arm column.",
            )


def _check_effects(mediators: Sequence[str], mediator_effect: _Array, place: Place) -> None:
    """Refuse mediators whose effect does not vary: no slope can be learnt from them."""
    for p, name in enumerate(mediators):
        effect = mediator_effect[:, p]
        if np.ptp(effect) <= 1e-12 * np.abs(effect).max():
            raise DataError(
                f"{place.at(f'mediator_effect[{name}]')}: the estimated effect of treatment on "
                f"{name!r} is {effect[0]:g} in all rows.",
                "The slope is learnt from differences between sites, so these data cannot "
                "answer; check that the right column is named.",
            )


def _check_weights(weight: _Array, place: Place) -> None:
    """Refuse negative weights and weights that are all 0."""
    _check_finite(weight, "weight", place)
    if (weight < 0).any():
        row = int(np.argmax(weight < 0))
        raise DataError(
            f"{place.at('weight', row)}: the weight is negative ({weight[row]:g}).",
            "Weights are 0 or positive.",
        )
    if not weight.any():
        raise DataError(
            f"{place.at('weight')}: all weights are 0.",
            "Give a positive weight to some row, or leave the weights out for equal ones.",
        )


def _check_sizes(n: _Array, place: Place) -> None:
    """Refuse sample sizes that are not positive."""
    _check_finite(n, "n", place)
    if (n <= 0).any():
        row = int(np.argmax(n <= 0))
        raise DataError(
            f"{place.at('n', row)}: the sample size is {n[row]:g}.",
            "Give the number of persons behind the row's estimates.",
        )
