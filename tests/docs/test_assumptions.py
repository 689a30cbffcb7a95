"""The page of assumptions is what the package says."""

from __future__ import annotations

from bayesmed.checks import CROSSWALK
from tests.docs.assumptions import PAGE, page


def test_the_page_is_that_of_the_crosswalk() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_assumption_has_a_row_and_a_section() -> None:
    text = page()
    for assumption in CROSSWALK.values():
        assert f"\n| {assumption.name} |" in text
        assert f"\n## {assumption.name}\n\n`{assumption.code}`. {assumption.statement}\n" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({row.count("|") for row in rows}) == 1
