"""Persons with what was known of them before treatment as numbers, in random parts.

The rows that sites are found in. All of it is one lazy table: a part of the persons is read where
a tree is grown on it, and what is found comes back to the table as an expression of its columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError
from bayesmed.core.progress import Progress
from bayesmed.data.rows.choosing import Arms, chosen_arms
from bayesmed.data.rows.cleaning import ARM, CLUSTER, COMPLETE, STATE, WEIGHT, Cleaned, cleaned
from bayesmed.data.rows.columns import RowColumns
from bayesmed.data.rows.conditions import require_column
from bayesmed.data.rows.engine import fetch
from bayesmed.data.rows.features import Feature, features_of
from bayesmed.data.rows.moments import Moments
from bayesmed.data.rows.parts import part_of
from bayesmed.data.rows.person_rows import PersonRows
from bayesmed.data.rows.scanning import Scan, scan

if TYPE_CHECKING:
    import ibis

__all__ = ["PART", "Baseline", "PartOfPersons", "baseline"]

PART = "bayesmed_part"
_STATE = "bayesmed_state"


@dataclass(frozen=True, eq=False)
class PartOfPersons:
    """Complete persons of one part, in memory.

    Parameters
    ----------
    features
        (N, F) features.
    treatment
        (N, J) 0 or 1 for each arm compared, or amounts of treatment.
    mediators
        (N, P) mediators; with an instrument, treatment first.
    weight
        (N,) weights, or None.
    arms
        Whether treatment is in arms.
    """

    features: NDArray[np.float64]
    treatment: NDArray[np.float64]
    mediators: NDArray[np.float64]
    weight: NDArray[np.float64] | None = None
    arms: bool = True

    def take(self, inside: NDArray[np.bool_]) -> PartOfPersons:
        """Return some of the persons."""
        return replace(
            self,
            features=self.features[inside],
            treatment=self.treatment[inside],
            mediators=self.mediators[inside],
            weight=None if self.weight is None else self.weight[inside],
        )


@dataclass(frozen=True, eq=False)
class Baseline:
    """Rows of persons as sites are found in them.

    Parameters
    ----------
    table
        Lazy table: the columns that have a role, cleaned, by users' names; every feature by its
        ``name``; the person's part, 0, 1, … as `PART`.
    columns
        Roles of the columns, no column as site, and no condition.
    features
        What was known of a person before treatment, as numbers.
    site_columns
        Users' columns behind the features.
    arms
        Name of each arm and the engine's value for it, the reference first; empty where treatment
        is an amount.
    parts
        Number of parts.
    unit
        What was drawn into parts, in words.
    source
        What messages call the rows.
    backend
        The engine.
    """

    table: ibis.Table
    columns: RowColumns
    features: tuple[Feature, ...]
    site_columns: tuple[str, ...]
    arms: tuple[tuple[str, Any], ...]
    parts: int
    unit: str
    source: str
    backend: Any

    def persons(self, part: int | None, progress: Progress) -> PartOfPersons:
        """Bring the complete persons of one part, or of all parts, here."""
        columns, table = self.columns, self.table
        chosen = table[_STATE] == COMPLETE
        if part is not None:
            chosen &= table[PART] == part
        treatment = self._treatment(table)
        wanted: dict[str, Any] = {f.name: table[f.name] for f in self.features}
        wanted |= {f"t{j}": amount for j, amount in enumerate(treatment)}
        mediators = columns.estimated[:-1]
        wanted |= {f"m{p}": table[name].cast("float64") for p, name in enumerate(mediators)}
        if columns.weights is not None:
            wanted[WEIGHT] = table[columns.weights]
        if self.arms:
            chosen &= table[columns.randomised[0]].isin([value for _, value in self.arms])
        found = fetch(self.backend, table.filter(chosen).select(**wanted), progress, self.source)
        numbers = found.to_numpy(dtype=np.float64)
        f, j, p = len(self.features), len(treatment), len(mediators)
        return PartOfPersons(
            features=numbers[:, :f],
            treatment=numbers[:, f : f + j],
            mediators=numbers[:, f + j : f + j + p],
            weight=numbers[:, -1] if columns.weights is not None else None,
            arms=bool(self.arms),
        )

    def rows(self, table: ibis.Table, **changed: Any) -> PersonRows:
        """Return rows of persons on ``table``, made from this one's, with roles changed."""
        return PersonRows(table, replace(self.columns, **changed), self.source)

    def free(self, wanted: str) -> str:
        """Return a name that no column has, however it is spelled."""
        taken = {name.casefold() for name in self.table.columns}
        while wanted.casefold() in taken:
            wanted += "_"
        return wanted

    def _treatment(self, table: ibis.Table) -> list[Any]:
        columns = self.columns.randomised
        if not self.arms:
            return [table[name].cast("float64") for name in columns]
        return [(table[columns[0]] == value).cast("float64") for _, value in self.arms[1:]]


def baseline(
    rows: PersonRows,
    categorical: Sequence[str],
    edges: Sequence[float],
    person: str | None,
    seed: int,
    progress: Progress,
) -> Baseline:
    """Clean the rows, make features of the columns named as site, and draw persons into parts.

    Parameters
    ----------
    rows
        The persons; ``site`` names the columns that sites are to be found in.
    categorical
        Those of them that are names, not numbers.
    edges
        Where the interval from 0 to 1 is cut into parts.
    person
        Column that tells persons apart; see `part_of`.
    seed
        Of the parts.
    progress
        Shows how far the scans are.

    Raises
    ------
    DataError
        If the rows cannot be used.
    """
    columns = rows.columns
    _check(columns, categorical, rows.source)
    if person is not None:
        require_column(person, rows.table.columns, rows.source)
    numbers = [name for name in columns.site_columns if name not in categorical]
    numeric = (*columns.site_covariates, *(n for n in numbers if n not in columns.site_covariates))
    plain = replace(columns, site=(), cuts={}, quantiles={}, site_covariates=numeric)
    found = _scanned(PersonRows(rows.table, plain, rows.source), numbers, progress)
    arms = chosen_arms(found.moments, columns, rows.source)
    keys = (*categorical, *(() if person is None else (person,)))
    clean = cleaned(rows.table, replace(plain, site=keys), {}, rows.source)
    names = {f"site_{i}": name for i, name in enumerate(categorical)}
    features = features_of(clean, numbers, names, found.backend, progress, rows.source)
    unit = clean.table[CLUSTER] if columns.cluster else None
    if unit is None and person is not None:
        unit = clean.table[f"site_{len(categorical)}"]
    part = part_of(rows, unit, edges, seed)
    called = (
        f"clusters of {columns.cluster}" if columns.cluster else "persons" if person else "rows"
    )
    return Baseline(
        table=_by_users_names(clean, features, part),
        columns=replace(columns, site=(), cuts={}, quantiles={}, where={}),
        features=tuple(feature for feature, _ in features),
        site_columns=columns.site_columns,
        arms=_arm_values(found.moments, arms),
        parts=len(edges) + 1,
        unit=called,
        source=rows.source,
        backend=found.backend,
    )


def _scanned(rows: PersonRows, numbers: Sequence[str], progress: Progress) -> Scan:
    """Scan the rows; where a site column is no number, say what to do with names."""
    try:
        return scan(rows, progress)
    except DataError as error:
        if not any(f"column {name!r}" in error.problem for name in numbers):
            raise
        raise DataError(
            error.problem, f"{error.remedy} A column of names is named in `categorical`."
        ) from error


def _arm_values(moments: Moments, arms: Arms | None) -> tuple[tuple[str, Any], ...]:
    if arms is None or moments.arm is None:
        return ()
    values = dict(zip(moments.arm, moments.keys[ARM].tolist(), strict=True))
    return tuple((arm, values[arm]) for arm in arms.all)


def _by_users_names(
    clean: Cleaned, features: Sequence[tuple[Feature, Any]], part: Any
) -> ibis.Table:
    table = clean.table
    columns = {
        name: table[key] for key, name in clean.counted.items() if not key.startswith("site_")
    }
    more = {feature.name: value for feature, value in features}
    return table.select(**columns, **more, **{PART: part, _STATE: table[STATE]}).view()


def _check(columns: RowColumns, categorical: Sequence[str], source: str) -> None:
    if not columns.site_columns:
        raise DataError(
            f"{source}: no column is named as site.",
            "Name what was known of persons before treatment: sites are found in those columns.",
        )
    for name in categorical:
        require_column(name, columns.site_columns, f"{source}: among its site columns")
    for role in ("cuts", "quantiles"):
        if given := getattr(columns, role):
            raise DataError(
                f"{source}: `{role}` cuts {next(iter(given))!r}, and so would the data.",
                f"Leave `{role}` out, or reduce the rows to its strata without looking for sites.",
            )
    for role in ("fixed_effect", "post_baseline", "mediator_instrument"):
        if getattr(columns, role):
            raise DataError(
                f"{source}: a column is named as {role}, which finding sites does not take.",
                f"Leave `{role}` out.",
            )
