"""Pages written from the package before every build: public names, model cards, formulas.

They go to `docs/generated`, which is not kept; the notebooks are copied beside them, since Sphinx
reads nothing outside its own folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api_pages import api_pages
from card_pages import card_pages
from cli_pages import cli_pages
from formula_pages import formula_pages
from stored_pages import stored_pages

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
GENERATED = DOCS / "generated"
NOTEBOOKS = GENERATED / "notebooks"


def pages() -> Iterator[tuple[str, str]]:
    """Yield every page as its path inside `docs/generated` and its text."""
    yield from api_pages()
    yield from card_pages(ROOT / "models")
    yield from cli_pages()
    yield from formula_pages()
    yield from stored_pages(DOCS)


def write(_: Sphinx) -> None:
    """Write what changed, so that a second build reads only that again."""
    wanted = {GENERATED / name: text for name, text in pages()}
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    NOTEBOOKS.mkdir(parents=True, exist_ok=True)
    notebooks = {NOTEBOOKS / found.name: found for found in (ROOT / "notebooks").glob("*.ipynb")}
    for copy, original in notebooks.items():
        if not copy.exists() or copy.read_bytes() != original.read_bytes():
            shutil.copyfile(original, copy)
    for old in GENERATED.rglob("*.*"):
        if old.is_file() and old not in wanted and old not in notebooks:
            old.unlink()


def readable(*found: Any) -> tuple[str, str] | None:
    """Write defaults that a function makes as dots: `<factory>` is no Python."""
    *_, signature, returned = found
    if signature is None or "<factory>" not in signature:
        return None
    return signature.replace("<factory>", "..."), returned


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages when the builder is known, before sources are read."""
    app.connect("builder-inited", write)
    app.connect("autodoc-process-signature", readable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
