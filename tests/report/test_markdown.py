"""Markdown says the same, and names from data cannot become anything but text."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bayesmed.inference import Fit
from bayesmed.report.compose import compose
from bayesmed.report.content import Content
from bayesmed.report.findings import findings
from bayesmed.report.markdown import escape, to_markdown
from bayesmed.report.plain import plain
from tests.report.fits import HOSTILE, HOSTILE_MEDIATOR

RENDERER = MarkdownIt("commonmark").enable("table").enable("strikethrough")


def cell_texts(markdown: str) -> list[str]:
    tokens = RENDERER.parse(markdown)
    return [
        "".join(child.content for child in token.children or [])
        for before, token in itertools.pairwise(tokens)
        if before.type in ("td_open", "th_open") and token.type == "inline"
    ]


@pytest.fixture(scope="module")
def hostile(hostile_fit: Fit) -> Content:
    return compose(findings(hostile_fit))


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1))
def test_escaped_text_renders_as_itself(text: str) -> None:
    table = f"| a |\n| :-- |\n| x{escape(text)}x |\n"
    shown = cell_texts(table)[1]
    assert shown.split() == f"x{plain(text).strip()}x".split()


def test_hostile_names_are_cells_of_tables(hostile: Content) -> None:
    cells = {" ".join(text.split()) for text in cell_texts(to_markdown(hostile))}
    assert {" ".join(plain(name).split()) for name in HOSTILE} <= cells
    assert any(HOSTILE_MEDIATOR in text for text in cells)


def test_every_table_arrives_with_all_its_cells(hostile: Content) -> None:
    tokens = RENDERER.parse(to_markdown(hostile))
    tables = [*hostile.tables]
    assert sum(t.type == "table_open" for t in tokens) == len(tables) + 1
    wanted = sum((len(t.rows) + 1) * len(t.columns) for t in tables)
    wanted += (len(hostile.answer.rows) + 1) * 3
    assert len(cell_texts(to_markdown(hostile))) == wanted


def test_nothing_but_what_the_report_writes_is_markup(hostile: Content) -> None:
    html = RENDERER.render(to_markdown(hostile))
    assert set(re.findall(r"<(\w+)", html)) <= {
        *("h1", "h2", "p", "strong", "em", "ul", "li", "table", "thead", "tbody", "tr", "th"),
        *("td", "hr", "blockquote", "pre", "code"),
    }
    assert html.count("<h1") == 1
    assert html.count("<h2") == len(hostile.sections) + 1


def test_the_answer_stands_before_the_sections(hostile: Content) -> None:
    text = to_markdown(hostile)
    assert text.startswith("# ")
    assert text.index("## Answer") < text.index(f"## {hostile.sections[0].title}")
