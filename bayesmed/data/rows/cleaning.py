"""Columns of any type as numbers and keys, in the engine: missing, bad and usable cells told apart.

A cell of text is a number if it reads as one; it is missing if it is empty, NA or the like (as in
tables of site estimates); anything else is bad, counted, and refused by name. So is a number too
large to be squared twice. A name is missing if it is empty, NA or the like in their usual spelling.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bayesmed.core.errors import DataError
from bayesmed.data.cells import MISSING
from bayesmed.data.rows.columns import RowColumns
from bayesmed.data.rows.conditions import kept, require_column

if TYPE_CHECKING:
    import ibis

__all__ = [
    "ARM",
    "BAD",
    "BLOCK",
    "CLUSTER",
    "COMPLETE",
    "INSTRUMENT_VALUE",
    "LARGEST",
    "MEDIATOR_VALUE",
    "NEITHER",
    "STATE",
    "WEIGHT",
    "Cleaned",
    "cleaned",
    "number_of",
    "variables_of",
]

# Names of the cleaned table; users' names never reach the engine's grammar except as columns.
ARM, BLOCK, CLUSTER, WEIGHT, STATE = "arm", "block", "cluster", "weight", "state"
_INSTRUMENT = "instrument"

# Values of a mediator and its instrument as keys: 0, 1, or neither of them.
INSTRUMENT_VALUE, MEDIATOR_VALUE = "instrument_value", "mediator_value"
NEITHER = 2

# What a person is: complete, without some number or name, or with a cell that is bad.
COMPLETE, INCOMPLETE, BAD = 0, 1, 2

LARGEST = 1e50
"""Products of a weight, a treatment and an outcome that are larger cannot be squared."""

# Names are told apart by case: Nan is a province, "none" may be an arm.
_NO_NAME = ("", ".", "NA", "N/A", "n/a", "NaN", "nan", "<NA>", "NULL", "null")


@dataclass(frozen=True)
class Cleaned:
    """Rows with their roles as columns of known names and types.

    Parameters
    ----------
    table
        Lazy table: ``site_0`` …, ``block``, ``arm``, ``cluster``, ``weight``, ``instrument`` (the
        mediator's, as numbers) where there are any; ``instrument_value`` and ``mediator_value``
        where persons are split by them;
        ``v0`` … numbers without NaN; ``bad_…`` and ``text_…`` of the numbers that may be bad;
        ``state``, what a person is.
    variables
        Users' columns behind ``v0`` …: amounts of treatment, covariates, post-baseline
        confounders, what effects are estimated on, other covariates of sites.
    keys
        Names of the columns by which persons are grouped into cells: site, block, arm, value of
        the mediator's instrument, value of the mediator.
    counted
        Users' column of each name whose missing cells are counted.
    doubtful
        Those of ``counted`` that are read from text or decimal fractions, and have ``text_…`` and
        ``bad_…``.
    edges
        Where numeric site columns are cut.
    """

    table: ibis.Table
    variables: tuple[str, ...]
    keys: tuple[str, ...]
    counted: Mapping[str, str]
    doubtful: tuple[str, ...]
    edges: Mapping[str, Sequence[float]]

    @property
    def site_keys(self) -> list[str]:
        """Names of the columns that make up a site."""
        return [key for key in self.keys if key.startswith("site_")]


def variables_of(columns: RowColumns) -> tuple[str, ...]:
    """Return the columns that are read as numbers, in the order of ``v0`` …."""
    amounts = () if columns.has_arms else columns.randomised
    named = (*amounts, *columns.covariates, *columns.post_baseline, *columns.estimated)
    return (*named, *(c for c in columns.site_covariates if c not in columns.covariates))


def cleaned(
    table: ibis.Table,
    columns: RowColumns,
    edges: Mapping[str, Sequence[float]],
    source: str,
    *,
    split: bool = False,
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
    source
        What messages call the rows.
    split
        Whether cells are split by the values of the mediator and of its instrument.

    Raises
    ------
    DataError
        If a column does not exist, or is of a type that its role cannot have.
    """
    raw = _raw(table, columns, edges, source)
    found: dict[str, Any] = {}
    counted: dict[str, str] = {}
    for i, name in enumerate(columns.site_columns):
        key = f"site_{i}"
        found[key] = raw.group(name, edges[name]) if name in edges else raw.key(name)
        counted[key] = name
    site_keys = tuple(found)
    roles = {BLOCK: columns.fixed_effect, CLUSTER: columns.cluster}
    roles[ARM] = columns.randomised[0] if columns.has_arms else None
    for key, role in roles.items():
        if role is not None:
            found[key], counted[key] = raw.key(role), role
    variables = variables_of(columns)
    numbers = {f"v{i}": name for i, name in enumerate(variables)}
    if columns.weights is not None:
        numbers[WEIGHT] = columns.weights
    if columns.mediator_instrument is not None:
        numbers[_INSTRUMENT] = columns.mediator_instrument
    for key, name in numbers.items():
        found[key], counted[key] = raw.number(name), name
    numbers |= {key: counted[key] for key in site_keys if counted[key] in edges}
    doubtful = tuple(key for key, name in numbers.items() if raw.is_doubtful(name))
    raw = replace(raw, table=raw.table.mutate(**found).view())
    flags: dict[str, Any] = {}
    for key in doubtful:
        name = counted[key]
        flags |= {f"bad_{key}": raw.bad(name), f"text_{key}": raw.column(name).cast("string")}
    values: dict[str, Any] = {}
    if split:
        mediator = f"v{variables.index(columns.mediators[0])}"
        values[INSTRUMENT_VALUE] = _binary_value(raw.table[_INSTRUMENT])
        values[MEDIATOR_VALUE] = _binary_value(raw.table[mediator])
    return Cleaned(
        table=raw.table.mutate(**flags, **values, **{STATE: _state(raw.table, found, flags)}),
        variables=variables,
        keys=(*site_keys, *(key for key in (BLOCK, ARM) if key in found), *values),
        counted=counted,
        doubtful=doubtful,
        edges=edges,
    )


def _state(table: ibis.Table, found: Iterable[str], flags: Mapping[str, Any]) -> Any:
    """Say what each person is; cells are looked at for why only where one is missing."""
    import ibis

    complete = _all([table[key].notnull() for key in found])
    if WEIGHT in found:
        complete &= table[WEIGHT] > 0
    bad = [flag for name, flag in flags.items() if name.startswith("bad_")]
    cases = [(complete, COMPLETE), *((flag, BAD) for flag in bad)]
    return ibis.cases(*cases, else_=INCOMPLETE)


def _binary_value(number: Any) -> Any:
    """Return 0, 1 or `NEITHER`: whatever the numbers are, they make few cells."""
    import ibis

    return ibis.cases((number.isnull(), None), (number == 0, 0), (number == 1, 1), else_=NEITHER)


def number_of(table: ibis.Table, columns: RowColumns, name: str, source: str) -> Any:
    """Return one column of the persons kept, as numbers."""
    return _raw(table, columns, {name: ()}, source).number(name)


@dataclass(frozen=True)
class _Raw:
    """The columns that have a role, texts among the numbers read once.

    Engines would read a text anew wherever its number is used; `view` keeps them from it.
    """

    table: ibis.Table
    names: Mapping[str, str]
    parsed: Mapping[str, str]
    source: str

    def column(self, name: str) -> Any:
        """Return a column as it stands in the rows."""
        return self.table[self.names[name]]

    def key(self, name: str) -> Any:
        """Return a column by which to group, missing where it is empty."""
        import ibis

        column = self.column(name)
        kind = column.type()
        if kind.is_string():
            text = _stripped(column)
            return text.isin(_NO_NAME).ifelse(ibis.null("string"), text)
        if kind.is_boolean():
            return column.cast("int8")
        if kind.is_integer():
            return column
        if kind.is_floating():
            return _without_nan(column)
        if kind.is_nested() or kind.is_binary():
            raise DataError(
                f"{self.source}, column {name!r} is of type {kind}, which names nothing.",
                "Name another column.",
            )
        return column.cast("string")

    def number(self, name: str) -> Any:
        """Return a column as numbers, missing where they are bad."""
        import ibis

        column = self.column(name)
        kind = column.type()
        if kind.is_boolean():
            return column.cast("int8").cast("float64")
        missing = ibis.null("float64")
        if kind.is_floating():
            value = column.cast("float64")
            return value.between(-LARGEST, LARGEST).ifelse(value, missing)
        if kind.is_numeric():
            return column.cast("float64")
        parsed = self.table[self.parsed[name]]
        lower = column.strip().lower()
        return ibis.cases(
            (parsed.between(-LARGEST, LARGEST), parsed),
            (lower == "true", 1.0),
            (lower == "false", 0.0),
            else_=missing,
        )

    def is_doubtful(self, name: str) -> bool:
        """Say whether a column of numbers can hold bad cells."""
        return name in self.parsed or bool(self.column(name).type().is_floating())

    def bad(self, name: str) -> Any:
        """Say which cells are too large or infinite, or texts that say neither number nor NA."""
        import ibis

        column = self.column(name)
        if name not in self.parsed:
            value = column.cast("float64")
            usable = value.between(-LARGEST, LARGEST) | value.isnan()
            return ~usable.fill_null(True)
        parsed = self.table[self.parsed[name]]
        known = sorted(MISSING | {"true", "false"})
        return ibis.cases(
            (parsed.between(-LARGEST, LARGEST) | column.isnull(), False),
            else_=~column.strip().lower().isin(known),
        )

    def group(self, name: str, edges: Sequence[float]) -> Any:
        """Return the group of a numeric site column: 0 below the first edge, and so on."""
        import ibis

        value = self.number(name)
        above = [(value < edge, i) for i, edge in enumerate(edges)]
        return ibis.cases((value.isnull(), None), *above, else_=len(edges))


def _raw(
    table: ibis.Table, columns: RowColumns, edges: Mapping[str, Sequence[float]], source: str
) -> _Raw:
    """Choose the columns that have a role, and read texts as numbers where numbers are needed."""
    table = kept(table, columns.where, source)
    others = [name for name in (columns.weights, columns.mediator_instrument) if name is not None]
    numbers = [*variables_of(columns), *others, *edges]
    keys = [*columns.site_columns, columns.fixed_effect, columns.cluster, *columns.randomised]
    found: dict[str, Any] = {}
    names: dict[str, str] = {}
    parsed: dict[str, str] = {}
    for i, name in enumerate(dict.fromkeys([*numbers, *(key for key in keys if key)])):
        require_column(name, table.columns, source)
        column = table[name]
        names[name] = f"raw_{i}"
        found[names[name]] = column
        kind = column.type()
        if name not in numbers or kind.is_numeric() or kind.is_boolean():
            continue
        if not kind.is_string():
            raise DataError(
                f"{source}, column {name!r} is of type {kind}, not a number.",
                "Name a column of numbers, or convert it first.",
            )
        parsed[name] = f"parsed_{i}"
        found[parsed[name]] = column.try_cast("float64")
    return _Raw(table.select(**found).view(), names, parsed, source)


def _all(conditions: Sequence[Any]) -> Any:
    whole = conditions[0]
    for condition in conditions[1:]:
        whole &= condition
    return whole


def _stripped(column: Any) -> Any:
    """Take blanks off the ends; engines are slow at it, so only where there are any."""
    # A text that begins with a blank, or is empty, sorts before "!".
    blank = (column < "!") | column.endswith(" ") | column.endswith("\t")
    return blank.ifelse(column.strip(), column)


def _without_nan(column: Any) -> Any:
    import ibis

    return column.isnan().ifelse(ibis.null(column.type()), column)
