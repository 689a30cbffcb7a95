"""Rows of persons: a lazy table and the role of each of its columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayesmed.core.errors import DataError
from bayesmed.core.progress import Progress, Silent
from bayesmed.data.rows.columns import RowColumns
from bayesmed.data.rows.frames import table_from
from bayesmed.data.rows.moments import Moments
from bayesmed.data.rows.reading import PARQUET, Files, csv_table, parquet_table, pieces, source_name

if TYPE_CHECKING:
    import ibis

__all__ = ["PersonRows"]


@dataclass(frozen=True, eq=False, repr=False)
class PersonRows:
    """Persons in rows, on any engine that Ibis speaks to; nothing is read before it is needed.

    Make one with `read` or `from_frame`, or give an Ibis table of DuckDB, Spark or another engine:
    each question asked of the rows is then a group-by there, and only its answer comes here.

    Parameters
    ----------
    table
        A lazy Ibis table, one row per person.
    columns
        Which column plays which role.
    source
        What messages and reports call the rows.

    Raises
    ------
    DataError
        If ``table`` is no Ibis table, or a column does not exist.

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesmed.data import RowColumns
    >>> people = pd.DataFrame({"t": [0, 1], "m": [1, 3], "y": [2, 2], "s": ["A", "A"]})
    >>> PersonRows.from_frame(people, RowColumns("t", ("m",), "y", site="s"))
    PersonRows(treatment 't', mediator 'm', outcome 'y', by 's', from data frame)
    """

    table: ibis.Table
    columns: RowColumns
    source: str = "rows"

    def __post_init__(self) -> None:
        import ibis

        from bayesmed.data.rows.cleaning import cleaned

        if not isinstance(self.table, ibis.Table):
            raise DataError(
                f"An Ibis table is needed, not a {type(self.table).__name__}.",
                "Use PersonRows.from_frame for data frames, PersonRows.read for files.",
            )
        # Building the expression finds columns that do not exist or cannot have their role.
        edges = dict.fromkeys((*self.columns.cuts, *self.columns.quantiles), (0.0,))
        cleaned(self.table, self.columns, edges, self.source)

    @classmethod
    def read(cls, paths: Files, columns: RowColumns) -> PersonRows:
        """Take CSV or Parquet files, read by DuckDB when they are needed.

        Parameters
        ----------
        paths
            A file, several files of the same columns, or a folder of them. Files ending in
            ``.parquet`` or ``.pq`` are Parquet; others are comma-separated UTF-8 with a header,
            in which empty cells, NA and the like are missing.
        columns
            Which column plays which role.

        Raises
        ------
        DataError
            If a file is missing, unreadable, or lacks a column.
        """
        files = pieces(paths)
        parquet = files[0].suffix.lower() in PARQUET
        table = parquet_table(files) if parquet else csv_table(files)
        return cls(table, columns, source_name(files))

    @classmethod
    def from_frame(
        cls, frame: Any, columns: RowColumns, *, source: str = "data frame"
    ) -> PersonRows:
        """Take a pandas or polars data frame, or an Arrow table.

        Raises
        ------
        DataError
            If it is none of these, a column mixes types, or a column does not exist.
        """
        return cls(table_from(frame, columns.named, source), columns, source)

    def moments(self, *, progress: Progress | None = None) -> Moments:
        """Count, average and cross-multiply complete persons by cell, in one scan.

        With weights, two scans.

        Raises
        ------
        DataError
            If a cell of a named column is no number, or no person is complete.
        """
        from bayesmed.data.rows.scanning import scan

        return scan(self, progress or Silent()).moments

    def __repr__(self) -> str:
        c = self.columns
        several = "s" if len(c.mediators) > 1 else ""
        treatment = ", ".join(map(repr, c.randomised))
        by = f"by {', '.join(map(repr, c.site_columns))}, " if c.site_columns else ""
        return (
            f"PersonRows({'instrument' if c.instrument else 'treatment'} {treatment}, "
            f"mediator{several} {', '.join(map(repr, c.mediators))}, outcome {c.outcome!r}, "
            f"{by}from {self.source})"
        )
