"""Columns of any type as numbers and keys, in the engine: missing, bad and usable cells told apart.

A cell of text is a number if it reads as one; it is missing if it is empty, NA or the like (as in
tables of site estimates); anything else is bad, counted, and refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayesmed.core.errors import DataError, nearest
from bayesmed.data.cells import MISSING, CellError, as_number
from bayesmed.data.rows.columns import RowColumns

if TYPE_CHECKING:
    import ibis

__all__ = [
    "ARM",
    "BLOCK",
    "CLUSTER",
    "OK",
    "WEIGHT",
    "Cleaned",
    "cleaned",
    "number_of",
    "variables_of",
]

# Names of the cleaned table; users' names never reach the engine's grammar except as columns.
ARM, BLOCK, CLUSTER, WEIGHT, OK = "arm", "block", "cluster", "weight", "ok"


@dataclass(frozen=True)
class Cleaned:
    """Rows with their roles as columns of known names and types.

    Parameters
    ----------
    table
        Lazy table: ``site_0`` …, ``block``, ``arm``, ``cluster``, ``weight`` where there are any;
        ``v0`` … numbers without NaN; ``bad_…`` and ``text_…`` of the numbers read from text;
        ``ok``, whether a person is complete.
    variables
        Users' columns behind ``v0`` …: amounts of treatment, covariates, what effects are
        estimated on, other covariates of sites.
    keys
        Names of the columns by which persons are grouped into cells: site, block, arm.
    counted
        Users' column of each name whose missing cells are counted.
    texts
        Those of ``counted`` that are numbers read from text, and have ``text_…`` and ``bad_…``.
    edges
        Where numeric site columns are cut.
    """

    table: ibis.Table
    variables: tuple[str, ...]
    keys: tuple[str, ...]
    counted: Mapping[str, str]
    texts: tuple[str, ...]
    edges: Mapping[str, Sequence[float]]

    @property
    def site_keys(self) -> list[str]:
        """Names of the columns that make up a site."""
        return [key for key in self.keys if key not in (BLOCK, ARM)]


def variables_of(columns: RowColumns) -> tuple[str, ...]:
    """Return the columns that are read as numbers, in the order of ``v0`` …."""
    amounts = () if columns.has_arms else columns.randomised
    named = (*amounts, *columns.covariates, *columns.estimated)
    return (*named, *(c for c in columns.site_covariates if c not in columns.covariates))


def cleaned(
    table: ibis.Table, columns: RowColumns, edges: Mapping[str, Sequence[float]]
) -> Cleaned:
    """Choose, rename and convert the columns that have a role.

    Parameters
    ----------
    table
        The rows.
    columns
        The role of each column.
    edges
        Where numeric site columns are cut.

    Raises
    ------
    DataError
        If a column does not exist, or is of a type that its role cannot have.
    """
    table = _kept(table, columns.where)
    found: dict[str, Any] = {}
    counted: dict[str, str] = {}
    for i, name in enumerate(columns.site_columns):
        key = f"site_{i}"
        found[key] = _group(table, name, edges[name]) if name in edges else _key(table, name)
        counted[key] = name
    site_keys = tuple(found)
    roles = {BLOCK: columns.fixed_effect, CLUSTER: columns.cluster}
    roles[ARM] = columns.randomised[0] if columns.has_arms else None
    for key, role in roles.items():
        if role is not None:
            found[key], counted[key] = _key(table, role), role
    variables = variables_of(columns)
    numbers = {f"v{i}": name for i, name in enumerate(variables)}
    if columns.weights is not None:
        numbers[WEIGHT] = columns.weights
    flags: dict[str, Any] = {}
    for key, name in numbers.items():
        found[key], bad = _number(table, name)
        counted[key] = name
        if bad is not None:
            flags |= {f"bad_{key}": bad, f"text_{key}": table[name]}
    complete = _all([value.notnull() for value in found.values()])
    if columns.weights is not None:
        complete &= found[WEIGHT] > 0
    return Cleaned(
        table=table.select(**found, **flags, **{OK: complete}),
        variables=variables,
        keys=(*site_keys, *(key for key in (BLOCK, ARM) if key in found)),
        counted=counted,
        texts=tuple(key for key in numbers if f"bad_{key}" in flags),
        edges=edges,
    )


def number_of(table: ibis.Table, columns: RowColumns, name: str) -> Any:
    """Return one column of the persons kept, as numbers."""
    return _number(_kept(table, columns.where), name)[0]


def _column(table: ibis.Table, name: str) -> Any:
    """Return a column, or say which columns there are."""
    if name not in table.columns:
        raise DataError(f"The rows have no column {name!r}.", nearest(name, table.columns))
    return table[name]


def _all(conditions: Sequence[Any]) -> Any:
    whole = conditions[0]
    for condition in conditions[1:]:
        whole &= condition
    return whole


def _kept(table: ibis.Table, where: Mapping[str, str]) -> ibis.Table:
    """Keep the rows whose cells equal ``where``, compared as text (3 equals 3.0)."""
    for name, value in where.items():
        column = _column(table, name)
        kind = column.type()
        if kind.is_string():
            matching = column.strip() == value.strip()
        elif kind.is_boolean():
            matching = column == (value.strip().casefold() in {"true", "1"})
        elif kind.is_numeric():
            try:
                matching = column.cast("float64") == as_number(value)
            except CellError as bad:
                raise DataError(
                    f"Column {name!r} holds numbers, and `where` asks for {value!r}.", bad.remedy
                ) from bad
        else:
            matching = column.cast("string") == value.strip()
        table = table.filter(matching)
    return table


def _key(table: ibis.Table, name: str) -> Any:
    """Return a column by which to group, missing where it is empty."""
    column = _column(table, name)
    kind = column.type()
    if kind.is_string():
        return column.strip().nullif("")
    if kind.is_boolean():
        return column.cast("int8")
    if kind.is_integer():
        return column
    if kind.is_floating():
        return _without_nan(column)
    if kind.is_nested() or kind.is_binary():
        raise DataError(
            f"Column {name!r} is of type {kind}, which names nothing.", "Name another column."
        )
    return column.cast("string")


def _number(table: ibis.Table, name: str) -> tuple[Any, Any]:
    """Return a column as numbers, and a flag of bad cells where it is text."""
    column = _column(table, name)
    kind = column.type()
    if kind.is_boolean():
        return column.cast("int8").cast("float64"), None
    if kind.is_floating():
        return _without_nan(column.cast("float64")), None
    if kind.is_numeric():
        return column.cast("float64"), None
    if not kind.is_string():
        raise DataError(
            f"Column {name!r} is of type {kind}, not a number.",
            "Name a column of numbers, or convert it first.",
        )
    import ibis

    text = column.strip()
    lower = text.lower()
    # Engines read a few spellings more than a table should hold, none of them in doubt.
    truth = ibis.cases((lower == "true", 1.0), (lower == "false", 0.0), else_=None)
    parsed = ibis.coalesce(text.try_cast("float64"), truth)
    bad = text.notnull() & parsed.isnull() & ~lower.isin(sorted(MISSING))
    return _without_nan(parsed), bad


def _without_nan(column: Any) -> Any:
    import ibis

    return column.isnan().ifelse(ibis.null(column.type()), column)


def _group(table: ibis.Table, name: str, edges: Sequence[float]) -> Any:
    """Return the group of a numeric site column: 0 below the first edge, and so on."""
    import ibis

    value, _ = _number(table, name)
    above = [(value < edge, i) for i, edge in enumerate(edges)]
    return ibis.cases((value.isnull(), None), *above, else_=len(edges))
