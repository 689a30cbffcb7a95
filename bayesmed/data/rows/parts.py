"""Persons drawn into random parts, the same ones in every scan and on every engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bayesmed.core.errors import DataError
from bayesmed.data.rows.engine import backend_of

if TYPE_CHECKING:
    from bayesmed.data.rows.person_rows import PersonRows

__all__ = ["part_of"]

_HEX = 2**32


def part_of(rows: PersonRows, unit: Any, edges: Sequence[float], seed: int) -> Any:
    """Return each person's part, 0, 1, …, as an expression.

    The MD5 digest of seed and unit is as good as random, and what it is hangs on nothing else:
    persons of one unit (a cluster) are in one part, in whatever order they are read.

    Parameters
    ----------
    rows
        The persons.
    unit
        A column of their cleaned table; None for the number of the row, which holds where rows
        come in one order: files and data frames.
    edges
        Rising shares at which parts end; the last part ends at 1.
    seed
        Of the draw.

    Raises
    ------
    DataError
        If rows have neither unit nor order.
    """
    import ibis

    if unit is None:
        _require_order(rows)
        unit = ibis.row_number()
    digest = (ibis.literal(f"{seed}/") + unit.cast("string")).hexdigest("md5")
    # Digits of base 16 sort like the numbers they stand for.
    below = [(digest < f"{round(edge * _HEX):08x}", part) for part, edge in enumerate(edges)]
    return ibis.cases((unit.isnull(), None), *below, else_=len(edges))


def _require_order(rows: PersonRows) -> None:
    """Refuse rows whose order may differ between two scans."""
    import ibis.expr.operations as ops

    backend = backend_of(rows.table)
    plain = isinstance(rows.table.op(), ops.PhysicalTable)
    if not (plain and getattr(backend, "name", "") == "duckdb" and _keeps_order(backend)):
        raise DataError(
            f"{rows.source}: nothing tells the same persons apart in two scans of this table.",
            "Name a column that does as `person`, or a `cluster`.",
        )


def _keeps_order(backend: Any) -> bool:
    query = "SELECT current_setting('preserve_insertion_order')"
    return bool(backend.con.cursor().execute(query).fetchall()[0][0])
