"""Pages that tests write and keep in `docs`, found where they are; and the changelog."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

HEAD = """# Measured, and assumed

Pages that the package writes from its own records and from stored studies; tests compare them.

"""


def stored_pages(docs: Path) -> Iterator[tuple[str, str]]:
    """Yield a list of the pages kept in a folder, and the changelog with links to them."""
    found = {path.stem: path for path in sorted(docs.glob("*.md")) if path.stem != "index"}
    rows = [f"* {{doc}}`/{name}`" for name in found]
    tree = ["", "```{toctree}", ":hidden:", "", *(f"/{name}" for name in found), "```", ""]
    yield "stored.md", HEAD + "\n".join([*rows, *tree])
    text = (docs.parent / "CHANGELOG.md").read_text(encoding="utf-8")
    yield "changelog.md", linked(text, set(found))


def linked(text: str, pages: set[str]) -> str:
    """Lead links into `docs` to its pages; a page that is not there yet is named only.

    >>> linked("[a](docs/a.md), [b](docs/b.md)", {"a"})
    '[a](/a.md), b'
    """

    def lead(link: re.Match[str]) -> str:
        return f"[{link[1]}](/{link[2]}.md)" if link[2] in pages else link[1]

    return re.sub(r"\[([^\]]+)\]\(docs/([\w-]+)\.md\)", lead, text)
