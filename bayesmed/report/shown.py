"""Reports with their figures and tables as files of their own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from bayesmed.report.content import Content
from bayesmed.report.figures import save_png
from bayesmed.report.folder import replace_file
from bayesmed.report.latex import to_latex
from bayesmed.report.report import write_content

__all__ = ["shown_names", "write_shown"]

REPORTS = ("report.html", "report.md")


def shown_names(
    figures: Iterable[str], tables: Iterable[str], reports: Iterable[str] = REPORTS
) -> tuple[str, ...]:
    """Return every name that `write_shown` may give a file or a folder.

    Parameters
    ----------
    figures, tables
        Names of pictures and of tables; ``*`` for any.
    reports
        The reports.
    """
    return (
        *reports,
        *("figures", "tables"),
        *(f"figures/{name}.png" for name in figures),
        *(f"tables/{name}.tex" for name in tables),
    )


def write_shown(content: Content, folder: Path, reports: Iterable[str] = REPORTS) -> None:
    """Write the reports, every picture as PNG and the tables with a name as LaTeX.

    Parameters
    ----------
    content
        What they say.
    folder
        Where; pictures go to ``figures`` in it and tables to ``tables``.
    reports
        Names of the reports.

    Raises
    ------
    StorageError
        If a report cannot be written.
    OSError
        If a figure or a table cannot be written.
    """
    for name in ("figures", "tables"):
        (folder / name).mkdir(exist_ok=True)
    for picture in content.pictures:
        to = folder / "figures" / f"{picture.slug}.png"
        replace_file(to, partial(save_png, picture.draw()))
    for table in content.tables:
        if table.slug:
            to = folder / "tables" / f"{table.slug}.tex"
            replace_file(to, partial(_write, to_latex(table)))
    write_content(content, [folder / name for name in reports])


def _write(text: str, part: Path) -> None:
    part.write_text(text, encoding="utf-8", newline="\n")
