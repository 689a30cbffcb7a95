"""Reference pages of published equations and of classical estimators, module by module."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

ROOMS = {
    "formulas": (
        "Published equations",
        "One equation per function, with its source and shapes. Graphs and tests call these.",
    ),
    "classical": (
        "Classical estimators",
        "As published and as corrected; `compare` sets them beside the posterior.",
    ),
}


def formula_pages() -> Iterator[tuple[str, str]]:
    """Yield a page for each room and one for each of its modules."""
    for room, (title, sentence) in ROOMS.items():
        package = importlib.import_module(f"bayesmed.{room}")
        modules = [
            found.name
            for found in pkgutil.iter_modules(package.__path__)
            if not found.name.startswith("_")
        ]
        lines = [f"# {title}", "", sentence, "", "| module | what is in it |", "| --- | --- |"]
        lines += [f"| {{doc}}`{name}` | {_summary(room, name)} |" for name in modules]
        lines += ["", "```{toctree}", ":hidden:", "", *modules, "```", ""]
        yield f"{room}/index.md", "\n".join(lines)
        for name in modules:
            yield f"{room}/{name}.rst", _module_page(room, name)


def _summary(room: str, name: str) -> str:
    doc = importlib.import_module(f"bayesmed.{room}.{name}").__doc__ or ""
    return doc.strip().split("\n\n")[0].replace("\n", " ").replace("``", "`")


def _module_page(room: str, name: str) -> str:
    where = f"bayesmed.{room}.{name}"
    return f"{where}\n{'=' * len(where)}\n\n.. automodule:: {where}\n   :members:\n"
