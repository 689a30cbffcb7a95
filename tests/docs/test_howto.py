"""Python blocks of how-to pages run, page by page, from top to bottom."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS

PAGES = sorted(path.name for path in (DOCS / "howto").glob("*.md"))
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(name: str) -> list[str]:
    return BLOCK.findall((DOCS / "howto" / name).read_text(encoding="utf-8"))


def test_pages_have_blocks_that_run() -> None:
    assert sum(bool(blocks(name)) for name in PAGES) >= 5


@pytest.mark.parametrize("name", [name for name in PAGES if blocks(name)])
def test_blocks_of_a_page_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    program = "\n".join(blocks(name))
    exec(compile(program, name, "exec"), {"__name__": "howto"})


def test_the_card_that_is_shown_is_a_card(tmp_path: Path) -> None:
    from bayesmed import load_card

    text = (DOCS / "howto" / "write_a_card.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "card.toml").write_text(shown, encoding="utf-8")
    card = load_card(tmp_path / "card.toml")
    assert card.model.slope == "random"
    assert card.assumption_study is not None
