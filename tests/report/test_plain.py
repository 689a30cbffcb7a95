"""Names become harmless text and stay recognisable."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from bayesmed.report.plain import plain, shortened


@given(st.text(alphabet=st.characters()))
def test_nothing_that_steers_a_reader_is_left(text: str) -> None:
    found = plain(text)
    assert not {unicodedata.category(c) for c in found} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(found) & set(
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"
    )
    found.encode("utf-8")
    assert plain(found) == found


def test_ordinary_names_in_any_script_stay_as_they_are() -> None:
    for name in ("Bogotá 1995", "שלום", "日本", "👩‍🔬", "a|b <c> $x$"):
        assert plain(name) == name


@given(st.text(), st.integers(3, 40))
def test_shortened_names_fit_and_keep_both_ends(text: str, limit: int) -> None:
    found = shortened(text, limit)
    assert len(found) <= limit
    whole = plain(text)
    assert found == whole or (whole.startswith(found[: limit // 2]) and "…" in found)
