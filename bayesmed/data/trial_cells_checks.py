"""What the eight cells of a trial must satisfy, however they were made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError

if TYPE_CHECKING:
    from bayesmed.data.trial_cells import TrialCells

__all__ = ["check_cells", "checked_outcomes", "is_binary"]

_Array = NDArray[np.float64]
_LARGEST = 1e150
"""Larger numbers cannot be squared in double precision."""
_ROUNDING = 1e-9


def check_cells(cells: TrialCells) -> None:
    """Check everything that must hold, in an order in which each message makes sense."""
    _check_names(cells)
    _check_shapes(cells)
    n, filled = cells.n, cells.n > 0
    _refuse(cells, ~(np.abs(n) <= _LARGEST), n, "n", "Give the number of persons, 0 for none.")
    _refuse(cells, (n < 0) | (n != np.round(n)), n, "n", "Give whole numbers of persons.")
    finite = "Give finite numbers, in a unit that keeps them moderate."
    mean, squares = cells.mean, cells.squares
    _refuse(cells, filled & ~(np.abs(mean) <= _LARGEST), mean, "mean", finite)
    _refuse(cells, filled & ~(np.abs(squares) <= _LARGEST**2), squares, "squares", finite)
    _refuse(cells, filled & (squares < 0), squares, "squares", "A sum of squares is 0 or positive.")
    alone = (n == 1) & (squares > _ROUNDING * mean**2)
    _refuse(cells, alone, squares, "squares", "One person is at the mean: give 0 there.")
    _check_filled(cells)
    _check_varies(cells)


def checked_outcomes(cells: TrialCells) -> tuple[_Array, _Array]:
    """Return outcomes and cells of persons, read-only, if they are those the cells count."""
    assert cells.outcomes is not None
    outcome, cell = (np.array(x, dtype=np.float64) for x in cells.outcomes)
    size = cells.n.size
    fits = outcome.shape == cell.shape == (int(cells.n.sum()),) and bool(
        np.isfinite(outcome).all() and np.isin(cell, np.arange(size)).all()
    )
    if fits:
        number = cell.astype(np.int64)
        count = np.bincount(number, minlength=size).astype(np.float64)
        total = np.bincount(number, weights=outcome, minlength=size)
        scale = 1e-8 * max(float(np.abs(outcome).max()), 1.0) * np.maximum(count, 1.0)
        expected = np.where(cells.n > 0, cells.n * cells.mean, 0.0).ravel()
        fits = bool((count == cells.n.ravel()).all() and (np.abs(total - expected) <= scale).all())
    if not fits:
        raise DataError(
            f"{cells.source}: the outcomes of persons are not those the cells count.",
            "Give every person's outcome and cell, or leave them out.",
        )
    for array in (outcome, cell):
        array.flags.writeable = False
    return outcome, cell


def is_binary(n: _Array, mean: _Array, squares: _Array) -> bool:
    """Say whether every outcome is 0 or 1.

    Then n times mean is whole, and the sum of squares n p (1 − p) with p the mean. Other outcomes
    meet both in all cells by accident only.
    """
    events = n * mean
    whole = np.abs(events - np.round(events)) <= 1e-6 + _ROUNDING * n
    inside = (mean > -_ROUNDING) & (mean < 1 + _ROUNDING)
    alike = np.abs(squares - n * mean * (1 - mean)) <= 1e-6 + _ROUNDING * n
    return bool((whole & inside & alike)[n > 0].all())


def _check_names(cells: TrialCells) -> None:
    names, place = cells.names, cells.source
    others = (names.treatment, names.mediator, names.outcome)
    if not str(cells.instrument).strip() or cells.instrument in others:
        raise DataError(
            f"{place}: the instrument is called {cells.instrument!r}.",
            "Give it a name of its own.",
        )
    if names.arms is None:
        raise DataError(
            f"{place}, {names.treatment!r}: treatment is an amount.", "Cells need two arms."
        )
    if names.covariates or names.post_baseline:
        raise DataError(
            f"{place}: covariates are named, and cells hold none.",
            "Make strata of baseline covariates.",
        )
    for name in cells.stratum:
        if not name.strip() or cells.stratum.count(name) > 1:
            raise DataError(
                f"{place}: a stratum is called {name!r}"
                f"{', and another one too' if name.strip() else ''}.",
                "Give every stratum a name of its own.",
            )


def _check_shapes(cells: TrialCells) -> None:
    shape = (len(cells.stratum), 2, 2, 2)
    for name in ("n", "mean", "squares"):
        if (found := getattr(cells, name).shape) != shape:
            raise DataError(
                f"{cells.source}: {name} has the shape {found}, not {shape}.",
                "Give axes d, z, m (treatment, instrument, mediator), and strata in front where "
                "there are any, with a name each.",
            )


def _check_filled(cells: TrialCells) -> None:
    empty = np.argwhere(cells.n.sum(axis=-1) == 0)
    if len(empty):
        raise DataError(
            f"{_place(cells, *empty[0].tolist())}: there are no persons.",
            "Effects compare both values of the instrument in both arms: give persons in all four, "
            "or join strata.",
        )


def _check_varies(cells: TrialCells) -> None:
    names, filled = cells.names, cells.n > 0
    if (count := cells.n.sum(axis=(0, 1, 2))).min() == 0:
        raise DataError(
            f"{cells.source}: {names.mediator!r} is {int(count[1] > 0)} for everybody.",
            "Nothing can run through a mediator that does not vary; check the column.",
        )
    means = cells.mean[filled]
    if not cells.squares[filled].any() and np.ptp(means) <= 1e-12 * np.abs(means).max():
        raise DataError(
            f"{cells.source}: {names.outcome!r} is {means[0]:g} for everybody.",
            "Effects are differences in the outcome; check the column.",
        )


def _refuse(
    cells: TrialCells, bad: NDArray[np.bool_], array: _Array, name: str, remedy: str
) -> None:
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise DataError(f"{_place(cells, *index)}: {name} is {array[index]:g}.", remedy)


def _place(cells: TrialCells, s: int, d: int, z: int, m: int | None = None) -> str:
    """Name a cell, as messages do."""
    names = cells.names
    assert names.arms is not None
    parts = [f"stratum {cells.stratum[s]}"] if len(cells.stratum) > 1 else []
    parts += [f"{names.treatment} = {names.arms[d]}", f"{cells.instrument} = {z}"]
    parts += [] if m is None else [f"{names.mediator} = {m}"]
    return f"{cells.source}, {', '.join(parts)}"
