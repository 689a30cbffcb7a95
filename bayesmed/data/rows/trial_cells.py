"""From rows of persons to the cells of one trial: counted in the engine, by one group-by."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError
from bayesmed.core.progress import Progress, Silent
from bayesmed.data.plausibility import DataWarning
from bayesmed.data.rows.choosing import Arms, Dropped, listed, two_arms
from bayesmed.data.rows.cleaning import (
    COMPLETE,
    INSTRUMENT_VALUE,
    MEDIATOR_VALUE,
    NEITHER,
    STATE,
)
from bayesmed.data.rows.columns import RowColumns
from bayesmed.data.rows.engine import fetch
from bayesmed.data.rows.scanning import Scan, scan
from bayesmed.data.trial_cells import TrialCells
from bayesmed.data.trial_names import TrialNames

if TYPE_CHECKING:
    from bayesmed.data.rows.person_rows import PersonRows

__all__ = ["trial_cells"]

_REMEDIES = {
    "instrument": "Name the instrument of the mediator as `mediator_instrument` instead.",
    "covariates": "Make strata of them: name them as `site`, with `cuts` for numbers.",
    "post_baseline": "Leave them out.",
    "fixed_effect": "Make strata of it: name it as `site`.",
    "cluster": "Standard errors would be too small; reduce the rows to site estimates instead.",
    "weights": "Leave them out, for persons as they are.",
    "site_covariates": "Leave them out.",
    "log_odds": "Leave it out: 0 and 1 are numbers here.",
}


def trial_cells(
    rows: PersonRows,
    *,
    keep: bool = False,
    strict: bool = False,
    progress: Progress | None = None,
) -> TrialCells:
    """Return the cells of complete persons; see `TrialCells.from_rows`."""
    columns, source = rows.columns, rows.source
    _check_roles(columns)
    progress = progress or Silent()
    found = scan(rows, progress, split=True)
    _refuse_not_binary(found, columns, source)
    arms = two_arms(found.moments, columns, source)
    strata, arrays = _arrays(found, arms)
    empty = (arrays[0].sum(axis=-1) == 0).any(axis=(1, 2))
    dropped = [
        Dropped(name, None, _why(arrays[0][s], columns, arms))
        for s, name in enumerate(strata)
        if empty[s]
    ]
    if dropped and (strict or empty.all()):
        raise DataError(
            f"{source}: strata cannot be used: {listed(dropped)}."
            if columns.site_columns
            else f"{source}: {dropped[0].reason}.",
            "Effects compare both values of the instrument in both arms: join strata, or check "
            "the columns.",
        )
    n, mean, squares = (array[~empty] for array in arrays)
    stratum = tuple(name for s, name in enumerate(strata) if not empty[s])
    return TrialCells(
        n=n,
        mean=mean,
        squares=squares,
        stratum=stratum,
        names=TrialNames(
            treatment=columns.randomised[0],
            mediator=columns.label(columns.mediators[0]),
            outcome=columns.label(columns.outcome),
            arms=(arms.reference, arms.compared[0]),
        ),
        instrument=columns.mediator_instrument or "",
        missingness=found.missingness,
        source=source,
        derivation=_derivation(found, columns),
        notes=_notes(found, arms, dropped),
        outcomes=_outcomes(found, arms, stratum, progress, source) if keep else None,
    )


def _check_roles(columns: RowColumns) -> None:
    """Refuse roles that cells do not know."""
    for role, remedy in _REMEDIES.items():
        if given := getattr(columns, role):
            named = given if isinstance(given, str) else ", ".join(given)
            raise DataError(f"{named!r} is named as {role}, which cells cannot hold.", remedy)
    if columns.mediator_instrument is None:
        raise DataError(
            "No column is named as mediator_instrument.",
            "Name the column, 0 or 1, of what moves the mediator.",
        )
    if not columns.has_arms:
        raise DataError("The treatment is an amount.", "Cells need two arms: leave it out.")
    if len(columns.mediators) != 1:
        raise DataError(
            f"{len(columns.mediators)} columns are named as mediator.", "Cells take one: name one."
        )


def _refuse_not_binary(found: Scan, columns: RowColumns, source: str) -> None:
    keys, n = found.moments.keys, found.moments.n
    named = {
        MEDIATOR_VALUE: ("mediator", columns.mediators[0]),
        INSTRUMENT_VALUE: ("instrument", columns.mediator_instrument),
    }
    for key, (role, column) in named.items():
        if count := n[keys[key].to_numpy() == NEITHER].sum():
            raise DataError(
                f"{source}, column {column!r}: {count:.0f} values are neither 0 nor 1.",
                f"Cells need a binary {role}: code it as 0 and 1.",
            )


def _arrays(found: Scan, arms: Arms) -> tuple[list[str], list[NDArray[np.float64]]]:
    """Put counts, means and sums of squares of the outcome into arrays (S, 2, 2, 2)."""
    moments = found.moments
    assert moments.arm is not None
    used = [c for c, arm in enumerate(moments.arm) if arm in arms.all]
    strata = list(dict.fromkeys(moments.site[c] for c in used))
    place = (
        [strata.index(moments.site[c]) for c in used],
        [arms.all.index(moments.arm[c]) for c in used],
        moments.keys[INSTRUMENT_VALUE].to_numpy(dtype=int)[used],
        moments.keys[MEDIATOR_VALUE].to_numpy(dtype=int)[used],
    )
    outcome = moments.cross.shape[1] - 1
    values = (moments.n, moments.mean[:, outcome], moments.cross[:, outcome, outcome])
    arrays = []
    for value in values:
        array = np.zeros((len(strata), 2, 2, 2))
        array[place] = value[used]
        arrays.append(array)
    return strata, arrays


def _outcomes(
    found: Scan, arms: Arms, strata: tuple[str, ...], progress: Progress, source: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bring the outcomes of persons in cells that are used, and the number of their cell."""
    moments = found.moments
    assert moments.arm is not None
    keys = moments.keys.reset_index(drop=True)
    names = [str(name) for name in keys.columns]
    places = (
        [strata.index(site) if site in strata else -1 for site in moments.site],
        [arms.all.index(arm) if arm in arms.all else -1 for arm in moments.arm],
        keys[INSTRUMENT_VALUE].to_numpy(dtype=int),
        keys[MEDIATOR_VALUE].to_numpy(dtype=int),
    )
    s, d, z, m = (np.asarray(place) for place in places)
    number = np.where((s >= 0) & (d >= 0), ((s * 2 + d) * 2 + z) * 2 + m, -1)
    table = found.rows.table
    outcome = table[f"v{len(found.rows.variables) - 1}"]
    table = table.filter(table[STATE] == COMPLETE).select(*names, outcome=outcome)
    progress.phase("Reading the outcomes")
    frame = fetch(found.backend, table, progress, source)
    frame = frame.merge(keys.assign(number=number), on=names, how="left")
    frame = frame[frame["number"] >= 0]
    return (
        frame["outcome"].to_numpy(dtype=np.float64),
        frame["number"].to_numpy(dtype=np.float64),
    )


def _why(n: NDArray[np.float64], columns: RowColumns, arms: Arms) -> str:
    """Say at which value of the instrument nobody complete is."""
    d, z = np.argwhere(n.sum(axis=-1) == 0)[0]
    return (
        f"nobody complete with {columns.randomised[0]} = {arms.all[d]} and "
        f"{columns.mediator_instrument} = {z}"
    )


def _derivation(found: Scan, columns: RowColumns) -> str:
    missingness = found.missingness
    by = [columns.randomised[0], columns.mediator_instrument, columns.mediators[0]]
    strata = f", in strata of {', '.join(columns.site_columns)}" if columns.site_columns else ""
    return (
        f"From {missingness.rows:,} rows of persons, {missingness.complete:,} of them complete: "
        f"counts, means and sums of squares of {columns.outcome} by {', '.join(map(str, by))}"
        f"{strata}."
    )


def _notes(found: Scan, arms: Arms, dropped: list[Dropped]) -> tuple[str, ...]:
    """Return what to keep in mind, and warn of it."""
    moments, notes = found.moments, []
    if dropped:
        notes.append(f"Dropped, {len(dropped)} of the rows' strata: {listed(dropped)}.")
    assert moments.arm is not None
    if other := sum(n for n, a in zip(moments.n, moments.arm, strict=True) if a not in arms.all):
        notes.append(f"{other:,.0f} persons are in arms that are not compared, and left out.")
    if (note := found.missingness.note(arms.compared, arms.reference)) is not None:
        notes.append(note)
    for note in notes:
        warnings.warn(note, DataWarning, skip_file_prefixes=(str(Path(__file__).parents[1]),))
    return tuple(notes)
