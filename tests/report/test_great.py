r"""Tables by great-tables hold every cell as text, on pages and in LaTeX."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from bayesmed.report.content import Table
from bayesmed.report.great import MANY_WORDS, great_table, page_table, to_latex
from bayesmed.report.plain import plain
from tests.report.fits import HOSTILE, HOSTILE_OUTCOME

EVIL = (*HOSTILE, HOSTILE_OUTCOME, "{{x^2}}", "{{<script>1</script>}}")


def hostile(columns: int = 3, texts: tuple[int, ...] = (0,)) -> Table:
    rows = tuple((name, *EVIL[: columns - 1]) for name in EVIL)
    return Table(EVIL[0], EVIL[-columns:], rows, texts, note=EVIL[-1])


def test_cells_headings_and_caption_are_those_of_the_table() -> None:
    table = hostile()
    root = ET.fromstring(page_table(table))
    assert root.find("caption").text == plain(table.caption)
    # A mark that joins words keeps braces apart, which would be read as units.
    heads = [(e.text or "").replace("\u2060", "") for e in root.find("thead").iter("th")]
    assert heads == [plain(c) for c in table.columns]
    rows = [[e.text or "" for e in row] for row in root.find("tbody")]
    assert rows == [[plain(c) for c in row] for row in table.rows]
    assert {e.tag for e in root.iter()} == {
        *("table", "caption", "thead", "tbody", "tr", "th", "td")
    }


def test_no_name_becomes_markup_in_what_a_notebook_shows() -> None:
    html = great_table(hostile()).as_raw_html()
    html = html[html.index("<table") :]
    assert set(re.findall(r"<(\w+)", html)) == {
        *("table", "thead", "tbody", "tfoot", "tr", "th", "td", "span")
    }


def test_words_stand_left_and_numbers_right() -> None:
    root = ET.fromstring(page_table(Table("c", ("A", "B", "n"), (("a", "b", "1"),), texts=(0, 1))))
    assert [e.get("class") for e in root.find("tbody")[0]] == ["text", "text", None]


def test_only_tables_of_words_are_stacked_and_stay_tables() -> None:
    few = ET.fromstring(page_table(hostile(texts=tuple(range(MANY_WORDS - 1)))))
    many = ET.fromstring(page_table(hostile(texts=tuple(range(MANY_WORDS)))))
    assert few.get("class") is None
    assert many.get("class") == "stack"
    assert all(e.get("role") for e in many.iter() if e.tag != "caption")
    assert [e.get("data-label") for e in many.find("tbody")[0]][1:] == [
        plain(c) for c in hostile().columns[1:]
    ]


def test_latex_escapes_what_means_something_there() -> None:
    latex = to_latex(Table("5 % of $x$", ("A_1", "{b}"), (("a & b", r"\input{x} ^~#"),)))
    for said in (r"5 \% of \$x\$", r"A\_1", r"\{b\}", r"a \& b"):
        assert said in latex
    assert r"\input" not in latex
    assert r"\textbackslash{}input\{x\} \textasciicircum{}\textasciitilde{}\#" in latex


def test_long_tables_break_across_pages() -> None:
    rows = tuple((str(i), "1") for i in range(40))
    assert r"\begin{longtable}" in to_latex(Table("c", ("A", "B"), rows))
    assert r"\begin{longtable}" not in to_latex(Table("c", ("A", "B"), rows[:5]))
