"""What shows itself is text, cut where it is long, and harmless wherever it is shown."""

from __future__ import annotations

import re

from bayesmed.core.display import MOST_ROWS, Shown, as_html, as_text

EVIL = ("<script>alert(1)</script>", "\x1b[2Jevil", "two\nlines", "\u202eright", "a & b", "x" * 200)


def test_hostile_text_is_text_in_html() -> None:
    html = as_html(Shown(EVIL[0], EVIL, EVIL[:2], tuple((e, EVIL[0]) for e in EVIL)))
    assert set(re.findall(r"<(\w+)", html)) == {
        *("div", "p", "strong", "table", "thead", "tbody", "tr", "th", "td")
    }
    assert not set("\x1b\u202e") & set(html)


def test_a_terminal_is_not_steered_and_rows_stay_rows() -> None:
    text = as_text(Shown("t", (), ("a", "b"), tuple((e, "1") for e in EVIL)))
    assert not set("\x1b\u202e") & set(text)
    assert len(text.splitlines()) == 2 + len(EVIL)
    assert max(map(len, text.splitlines())) < 80


def test_words_stand_left_and_numbers_right() -> None:
    rows = (("A", "word", "1.5"), ("Long", "w", "-10"))
    assert as_text(Shown("t", (), ("Name", "Says", "Value"), rows)).splitlines() == [
        "t",
        "Name  Says  Value",
        "A     word    1.5",
        "Long  w       -10",
    ]


def test_long_tables_are_cut_and_say_so() -> None:
    shown = Shown("t", (), ("a",), tuple((str(i),) for i in range(MOST_ROWS + 5)))
    assert as_text(shown).endswith("and 5 more")
    assert as_html(shown).count("<tr>") == MOST_ROWS + 1
    assert "and 5 more" in as_html(shown)


def test_without_a_table_there_is_none() -> None:
    assert as_text(Shown("t", ("line",))) == "t\nline"
    assert "<table" not in as_html(Shown("t", ("line",)))


def test_a_table_without_rows_has_its_head() -> None:
    assert as_text(Shown("t", (), ("a", "b"))) == "t\na  b"
