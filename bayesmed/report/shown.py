"""Reports with their figures and tables as files of their own."""

from __future__ import annotations

from pathlib import Path

from bayesmed.report.content import Content
from bayesmed.report.figures import save_png
from bayesmed.report.folder import replace_file
from bayesmed.report.great import to_latex
from bayesmed.report.report import write_content

__all__ = ["SHOWN", "write_shown"]

REPORTS = ("report.html", "report.md")
FIGURES = (
    *("scatter", "fan", "forest", "effects", "region", "priors", "estimators"),
    *("predicted", "refitted", "checks", "ranks"),
)
TABLES = ("effects", "sites", "parameters", "priors", "comparison", "assumptions")
SHOWN = (
    *REPORTS,
    *("figures", "tables"),
    *(f"figures/{name}.png" for name in FIGURES),
    *(f"tables/{name}.tex" for name in TABLES),
)
"""Every file and folder that may be there."""


def write_shown(content: Content, folder: Path) -> None:
    """Write the reports, every picture as PNG and the tables with a name as LaTeX.

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
        figure = picture.draw()
        replace_file(folder / "figures" / f"{picture.slug}.png", lambda to: save_png(figure, to))  # noqa: B023
    for table in content.tables:
        if table.slug:
            latex = to_latex(table)
            to = folder / "tables" / f"{table.slug}.tex"
            replace_file(to, lambda part: _write(part, latex))  # noqa: B023
    write_content(content, [folder / name for name in REPORTS])


def _write(part: Path, text: str) -> None:
    part.write_text(text, encoding="utf-8", newline="\n")
