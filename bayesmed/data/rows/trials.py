"""From rows of persons to one trial without sites: its moments by arm, or the persons themselves.

The rows are cleaned, checked and counted as those of sites are; then either a group-by by arm
gives all moments, or the complete persons are brought here.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError
from bayesmed.core.progress import Progress, Silent
from bayesmed.data.plausibility import DataWarning
from bayesmed.data.rows.choosing import Arms, two_arms
from bayesmed.data.rows.cleaning import ARM, COMPLETE, STATE
from bayesmed.data.rows.columns import RowColumns
from bayesmed.data.rows.engine import fetch
from bayesmed.data.rows.moments import Moments
from bayesmed.data.rows.queries import moments_query
from bayesmed.data.rows.scanning import Scan, complete_cells, moments_of_cells, scan
from bayesmed.data.trial_moments import TrialMoments
from bayesmed.data.trial_names import TrialNames
from bayesmed.data.trial_persons import TrialPersons

if TYPE_CHECKING:
    from bayesmed.data.rows.person_rows import PersonRows

__all__ = ["trial_moments", "trial_persons"]

_OTHER_ROLES = (
    "site",
    "instrument",
    "mediator_instrument",
    "fixed_effect",
    "cluster",
    "weights",
    "site_covariates",
)


def trial_moments(rows: PersonRows, progress: Progress | None = None) -> TrialMoments:
    """Return moments by arm; see `TrialMoments.from_rows`."""
    columns, progress = rows.columns, progress or Silent()
    _require_trial(columns)
    if not columns.has_arms:
        raise DataError(
            f"{rows.source}: treatment is an amount.",
            "Moments by arm need two arms; use TrialPersons for amounts.",
        )
    found = scan(rows, progress)
    arms = two_arms(found.moments, columns, rows.source)
    cells = _of_arms(found.moments, arms)
    moments, mean, cross = found.moments, found.moments.mean, found.moments.cross
    if columns.covariates:
        progress.phase("Scanning the rows again, for products with the mediator")
        n = moments.n[cells]
        moments = _with_products(found, columns, n @ mean[cells] / n.sum(), progress, rows.source)
        mean, cross = moments.mean, moments.cross
    return TrialMoments(
        names=_names(columns, arms),
        n=moments.n[cells],
        mean=mean[cells],
        cross=cross[cells],
        source=rows.source,
        notes=_notes(found, arms),
    )


def trial_persons(rows: PersonRows, progress: Progress | None = None) -> TrialPersons:
    """Return the complete persons; see `TrialPersons.from_rows`."""
    columns, progress = rows.columns, progress or Silent()
    _require_trial(columns)
    found = scan(rows, progress)
    table = found.rows.table
    table = table.filter(table[STATE] == COMPLETE)
    arms = two_arms(found.moments, columns, rows.source) if columns.has_arms else None
    values = [f"v{i}" for i in range(len(found.rows.variables))]
    if arms is not None:
        keys = found.moments.keys[ARM].iloc[_of_arms(found.moments, arms)].tolist()
        treated = (table[ARM] == keys[1]).cast("float64")
        table = table.filter(table[ARM].isin(keys)).select(*values, treated=treated)
        values = ["treated", *values]
    progress.phase("Reading the persons")
    frame = fetch(found.backend, table.select(*values), progress, rows.source)
    numbers: NDArray[np.float64] = frame[values].to_numpy(dtype=np.float64)
    q, c = len(columns.covariates), len(columns.post_baseline)
    return TrialPersons(
        names=_names(columns, arms),
        treatment=numbers[:, 0],
        covariates=numbers[:, 1 : 1 + q],
        post_baseline=numbers[:, 1 + q : 1 + q + c],
        mediator=numbers[:, -2],
        outcome=numbers[:, -1],
        source=rows.source,
        notes=_notes(found, arms),
    )


def _require_trial(columns: RowColumns) -> None:
    """Refuse roles that one trial without sites does not know."""
    for role in _OTHER_ROLES:
        if given := getattr(columns, role):
            shown = given if isinstance(given, str) else ", ".join(given)
            raise DataError(
                f"{shown!r} is named as {role}, which one trial without sites does not take.",
                f"Leave `{role}` out, or reduce the rows to site estimates.",
            )
    for role, named in (("treatment", columns.randomised), ("mediator", columns.mediators)):
        if len(named) != 1:
            raise DataError(
                f"{len(named)} columns are named as {role}.",
                f"One trial takes one {role}: name one.",
            )
    if columns.log_odds:
        raise DataError(
            "`log_odds` is for estimates of sites.", "Leave it out: 0 and 1 are numbers here."
        )


def _of_arms(moments: Moments, arms: Arms) -> list[int]:
    """Return the cells of the reference and of the arm compared with it."""
    assert moments.arm is not None
    return [moments.arm.index(arm) for arm in arms.all]


def _with_products(
    found: Scan,
    columns: RowColumns,
    centre: NDArray[np.float64],
    progress: Progress,
    source: str,
) -> Moments:
    """Moments with the products of mediator and covariates about their means beside them."""
    rows, last = found.rows, len(found.rows.variables)
    table, mediator = rows.table, last - 2
    apart = table[f"v{mediator}"] - float(centre[mediator])
    products = {
        f"v{last + j}": apart * (table[f"v{j}"] - float(centre[j]))
        for j in range(len(columns.covariates))
    }
    more = replace(
        rows,
        table=table.filter(table[STATE] == COMPLETE).mutate(**products),
        variables=(*rows.variables, *products),
    )
    crossed = len(more.variables)
    frame = fetch(found.backend, moments_query(more, crossed, ()), progress, source)
    return moments_of_cells(complete_cells(frame, more), more, crossed)


def _names(columns: RowColumns, arms: Arms | None) -> TrialNames:
    return TrialNames(
        treatment=columns.randomised[0],
        mediator=columns.label(columns.mediators[0]),
        outcome=columns.label(columns.outcome),
        covariates=columns.covariates,
        post_baseline=columns.post_baseline,
        arms=None if arms is None else (arms.reference, arms.compared[0]),
    )


def _notes(found: Scan, arms: Arms | None) -> tuple[str, ...]:
    """Return what to keep in mind, and warn where completeness differs between arms."""
    if arms is None:
        return ()
    note = found.missingness.note(arms.compared, arms.reference)
    if note is None:
        return ()
    warnings.warn(note, DataWarning, skip_file_prefixes=(str(Path(__file__).parents[1]),))
    return (note,)
