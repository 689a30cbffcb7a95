"""A table of raw cells that knows how its source calls rows and columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bayesmed.core.errors import DataError, nearest
from bayesmed.data.cells import as_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Place", "Table", "require_distinct_columns", "table_from_frame"]


@dataclass(frozen=True)
class Place:
    """How messages call the rows and quantities of one source.

    Parameters
    ----------
    source
        File, data set or "data frame".
    row
        Name of the i-th row, such as ``line 12``.
    quantity
        Names of quantities, such as ``{"total_effect": "column 'tau_hat'"}``.
    """

    source: str
    row: Callable[[int], str]
    quantity: Mapping[str, str]

    def at(self, quantity: str, row: int | None = None) -> str:
        """Name a quantity and, with ``row``, one row of it."""
        called = self.quantity.get(quantity, quantity)
        return ", ".join([self.source, *([] if row is None else [self.row(row)]), called])

    def at_row(self, row: int) -> str:
        """Name a row."""
        return f"{self.source}, {self.row(row)}"


@dataclass(frozen=True)
class Table:
    """Cells by column, in the order of the source; ``row_names`` is how a user finds a row."""

    source: str
    columns: Mapping[str, Sequence[object]]
    row_names: Sequence[str]

    def __len__(self) -> int:
        return len(self.row_names)

    def cells(self, column: str) -> Sequence[object]:
        """Return the cells of one column, or say which columns there are."""
        if column not in self.columns:
            raise DataError(
                f"{self.source} has no column {column!r}.", nearest(column, self.columns)
            )
        return self.columns[column]

    def texts(self, column: str) -> tuple[str, ...]:
        """Return one column as names; an empty cell is an error, the text NA is a name."""
        texts = tuple(as_text(cell) for cell in self.cells(column))
        for row, text in enumerate(texts):
            if not text:
                raise DataError(
                    f"{self.source}, {self.row_names[row]}, column {column!r}: the name is "
                    "missing.",
                    "Fill it in or remove the row. If the name is the text NA, read the file "
                    "with bayesmed, or with pandas' keep_default_na=False.",
                )
        return texts

    def filtered(self, where: Mapping[str, str]) -> Table:
        """Keep the rows whose cells equal ``where``, compared as text."""
        keep = list(range(len(self)))
        for column, value in where.items():
            cells = self.cells(column)
            matching = [row for row in keep if as_text(cells[row]) == as_text(value)]
            if not matching:
                present = dict.fromkeys(as_text(cells[row]) for row in keep)
                raise DataError(
                    f"{self.source}: no row has {as_text(value)!r} in column {column!r}"
                    f"{' together with the conditions before it' if len(where) > 1 else ''}.",
                    nearest(as_text(value), present),
                )
            keep = matching
        if len(keep) == len(self):
            return self
        return replace(
            self,
            columns={name: [cells[i] for i in keep] for name, cells in self.columns.items()},
            row_names=[self.row_names[i] for i in keep],
        )


def table_from_frame(frame: pd.DataFrame, source: str) -> Table:
    """Take the cells of a pandas data frame; rows count from 1 and show their index label."""
    if not hasattr(frame, "columns") or not hasattr(frame, "iloc"):
        raise DataError(
            f"A pandas data frame is needed, not a {type(frame).__name__}.",
            "Convert it first, for example with its `to_pandas()` method.",
        )
    names = [str(name) for name in frame.columns]
    require_distinct_columns(names, source)
    return Table(
        source=source,
        columns={name: frame.iloc[:, i].tolist() for i, name in enumerate(names)},
        row_names=[f"row {i + 1} (index {label!r})" for i, label in enumerate(frame.index)],
    )


def require_distinct_columns(names: Sequence[str], source: str) -> None:
    """Refuse a header that names two columns alike."""
    for name, count in Counter(names).items():
        if count > 1:
            raise DataError(
                f"{source}: the header names {count} columns {name!r}.",
                "Rename them so that every column has its own name.",
            )
