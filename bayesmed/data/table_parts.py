"""From a table of raw cells and the roles of its columns to the fields of `SiteEstimates`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesmed.data.arm_covariances import cross_cov_from_table
from bayesmed.data.columns import SiteColumns
from bayesmed.data.covariance import cov_name, estimates_from_table, numbers_of
from bayesmed.data.fields import codes, names
from bayesmed.data.table import Place, Table

__all__ = ["TableParts", "parts_from_table"]


@dataclass(frozen=True)
class TableParts:
    """Fields of `SiteEstimates`, how messages call them, and what to warn of."""

    fields: dict[str, Any]
    place: Place
    notes: tuple[str, ...]


def parts_from_table(table: Table, columns: SiteColumns) -> TableParts:
    """Keep the rows asked for and read every column that has a role."""
    whole, table = table, table.filtered(columns.where)
    estimates = estimates_from_table(table, columns)
    between = cross_cov_from_table(table, columns, estimates.cov, whole)
    rows = len(table)
    fields = {
        "site": names(None, rows) if columns.site is None else table.texts(columns.site),
        "arm": None if columns.arm is None else table.texts(columns.arm),
        "block": codes(range(rows) if columns.block is None else table.texts(columns.block)),
        "mediators": tuple(m.name for m in columns.mediators),
        "outcome": columns.outcome,
        "outcome_scale": columns.outcome_scale,
        "mediator_effect": estimates.estimate[:, :-1],
        "total_effect": estimates.estimate[:, -1],
        "cov": estimates.cov,
        "cross_cov": between.cross_cov,
        "weight": np.ones(rows) if columns.weight is None else numbers_of(table, columns.weight),
        "n": None if columns.n is None else numbers_of(table, columns.n),
        "covariates": {name: numbers_of(table, name) for name in columns.covariates},
        "covariance_given": all(m.cov or m.corr for m in columns.mediators),
        "source": table.source,
    }
    quantity = {
        **estimates.quantity,
        **between.quantity,
        "weight": f"column {columns.weight!r}",
        "n": f"column {columns.n!r}",
        **{f"covariate[{name}]": f"column {name!r}" for name in columns.covariates},
    }
    place = Place(table.source, table.row_names.__getitem__, quantity)
    return TableParts(fields, place, (*estimates.notes, *_absent_covariances(columns)))


def _absent_covariances(columns: SiteColumns) -> tuple[str, ...]:
    """Name the pairs of mediators whose covariance is not given."""
    given = {frozenset((pair.first, pair.second)) for pair in columns.covariances}
    called = [m.name for m in columns.mediators]
    absent = [
        cov_name(first, second)
        for i, first in enumerate(called)
        for second in called[i + 1 :]
        if frozenset((first, second)) not in given
    ]
    if not absent:
        return ()
    note = (
        f"Covariances between mediators' estimates are not given and taken as 0: "
        f"{', '.join(absent)}."
    )
    return (note,)
