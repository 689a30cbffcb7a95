"""What ``bayesmed estimates`` does and prints."""

from __future__ import annotations

import os
import shlex
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bayesmed.cli.display import Display, clean
from bayesmed.cli.row_options import RowOptions
from bayesmed.cli.writing import checked_target, written_together
from bayesmed.core.errors import DataError, StorageError
from bayesmed.data import (
    DataWarning,
    PersonRows,
    Reduction,
    SiteColumns,
    reduce_rows,
    write_site_table,
)
from bayesmed.data.site_table import PARQUET

if TYPE_CHECKING:
    from bayesmed.data.rows.missingness import Missingness

MOST_DROPPED, MOST_ARMS, MOST_COLUMNS = 10, 20, 3
COMMAND = "estimates"
MARK = "# Written by `bayesmed {}`, which replaces this file as long as this line is here."


@dataclass(frozen=True)
class Targets:
    """Files to write; None where one is not asked for."""

    table: Path
    missing: Path | None = None
    card: Path | None = None

    def checked(self, inputs: Sequence[Path], command: str = COMMAND) -> list[Path]:
        """Return the files asked for, or say why they cannot be written."""
        found = [checked_target("--out", self.table, (".csv", *sorted(PARQUET)), inputs)]
        if self.missing is not None:
            found.append(checked_target("--missing", self.missing, (".csv",), inputs))
        if self.card is not None:
            found.append(checked_target("--card", self.card, (".toml",), inputs))
            _refuse_edited(self.card, command)
        if len({path.resolve() for path in found}) < len(found):
            raise StorageError("Two options name the same file.", "Name a file for each.")
        return found


@dataclass(frozen=True, eq=False)
class Estimated:
    """What there is to print: what became of the rows, and what was written."""

    reduction: Reduction
    columns: SiteColumns
    targets: Targets


def estimate(
    rows: Sequence[Path], options: RowOptions, targets: Targets, shown: Display
) -> Estimated:
    """Reduce rows of persons to site estimates, and write them.

    Everything that can be refused is refused before the rows are scanned.
    """
    columns, how = options.columns(), options.how()
    how.check_columns(columns)
    paths = targets.checked(rows)
    persons = PersonRows.read(rows, columns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # they are shown as notes
        reduction = reduce_rows(persons, how, progress=shown)
    shown.phase("Writing the estimates")
    with written_together(paths) as parts:
        places = dict(zip(paths, parts, strict=True))
        estimated = write_parts(reduction, targets, places)
    for note in reduction.estimates.notes:
        shown.note(f"Note: {note}")
    return estimated


def write_parts(
    reduction: Reduction, targets: Targets, places: Mapping[Path, Path], command: str = COMMAND
) -> Estimated:
    """Write the files asked for at their places."""
    roles = write_site_table(reduction.estimates, places[targets.table])
    if targets.missing is not None:
        table = reduction.by_site()
        table.to_csv(places[targets.missing], index=False, lineterminator="\n")
    if targets.card is not None:
        _write_card(places[targets.card], targets, roles, reduction, command)
    return Estimated(reduction, roles, targets)


def _refuse_edited(card: Path, command: str) -> None:
    """Refuse to write over a card that somebody wrote or edited."""
    mark = MARK.format(command)
    try:
        with card.open("rb") as stream:
            first = stream.readline(len(mark) + 2).strip()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"{card} cannot be read: {error}.", "Name another file.") from error
    if first != mark.encode():
        raise StorageError(
            f"{card} is there already and was not written by this command, or was kept by hand.",
            "Name another file for the card, or move that one away.",
        )


def _write_card(
    part: Path, targets: Targets, columns: SiteColumns, reduction: Reduction, command: str
) -> None:
    """Write a card for the table, and read it once to see that it is one."""
    # It brings PyMC along, which takes seconds: only where a card is asked for.
    from bayesmed.cards import card_text, load_card

    assert targets.card is not None
    table = os.path.relpath(targets.table.resolve(), targets.card.parent.resolve())
    data = reduction.estimates
    text = card_text(columns, Path(table).as_posix(), derivation=data.derivation, notes=data.notes)
    part.write_text(f"{MARK.format(command)}\n{text}", encoding="utf-8", newline="\n")
    if load_card(part).data.columns != columns:
        raise DataError(
            f"{targets.card.name} would name other columns than {targets.table.name} has.",
            "Take unusual characters out of the names of sites, arms and columns.",
        )


def show_estimates(estimated: Estimated) -> None:
    """Print on standard output: what was done, what is missing, what was dropped, what is next."""
    terminal = sys.stdout.isatty()
    # A pipe or a file takes whole lines: nothing in it is folded for a screen.
    console = Console(highlight=False, width=None if terminal else 1000)

    def say(text: str, style: str = "") -> None:
        console.print(Text(clean(text), style=style), soft_wrap=not terminal)

    reduction, targets = estimated.reduction, estimated.targets
    console.print()
    say(reduction.derivation)
    say(_left(reduction), "bold")
    console.print()
    console.print(_arms_table(reduction.missingness))
    console.print()
    if reduction.dropped:
        say("Dropped:")
        for item in reduction.dropped[:MOST_DROPPED]:
            say(f"* {_line(str(item))}")
        if (more := len(reduction.dropped) - MOST_DROPPED) > 0:
            where = f"all in {targets.missing}" if targets.missing else "--missing FILE.csv has all"
            say(f"* and {more} more; {where}")
        console.print()
    for name, path in (("Estimates", targets.table), ("Missing", targets.missing)):
        if path is not None:
            say(f"{name}: {path}")
    say(f"Next: {_next(estimated)}")


def _left(reduction: Reduction) -> str:
    data = reduction.estimates
    sites = len(set(data.site))
    return f"{sites} sites." if sites == data.n_rows else f"{data.n_rows} arms of {sites} sites."


def _arms_table(missingness: Missingness) -> Table:
    """Rows and complete rows of every arm, and the columns missing most often."""
    table = Table(box=None, pad_edge=False, expand=False)
    table.add_column("arm", overflow="fold")
    for heading in ("rows", "complete", "share"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("missing", overflow="fold")
    found = missingness.by_arm().to_dict("records")
    for row in found[:MOST_ARMS]:
        counts = {c: int(row[f"missing[{c}]"]) for c in missingness.columns}
        most = sorted((c for c in counts if counts[c]), key=lambda c: -counts[c])
        said = [f"{_line(c)} {counts[c]:,}" for c in most[:MOST_COLUMNS]]
        said += ["…"] if len(most) > MOST_COLUMNS else []
        table.add_row(
            Text(_line(str(row["arm"])) or "(missing)"),
            f"{row['rows']:,}",
            f"{row['complete']:,}",
            f"{row['share_complete']:.1%}",
            Text(", ".join(said)),
        )
    if len(found) > MOST_ARMS:
        table.add_row(f"{len(found) - MOST_ARMS} more", "", "", "", "")
    return table


def _next(estimated: Estimated) -> str:
    """Return the command that fits what was written."""
    columns, targets = estimated.columns, estimated.targets
    if targets.card is not None:
        return f"bayesmed fit {_quoted(targets.card)}"
    if len(columns.mediators) == 1 and columns.arm is None:
        return f"bayesmed fit site_estimates --data {_quoted(targets.table)}"
    return "the same once more with --card study.toml, for a card that names these columns"


def _quoted(path: Path) -> str:
    # A name that begins with a dash would be taken for an option.
    text = str(path)
    return shlex.quote(f"./{text}" if text.startswith("-") else text)


def _line(text: str) -> str:
    """Return a name on one line, without characters that steer a terminal."""
    return " ".join(clean(text).split())
