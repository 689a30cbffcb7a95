"""Names from data as plain, harmless text, whatever they hold."""

from __future__ import annotations

import unicodedata

# Marks that turn the direction of everything after them, of text that is not theirs too.
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSHOWABLE = frozenset({"Cc", "Cs", "Co", "Cn"})
_SEPARATORS = frozenset({"Zl", "Zp"})


def plain(text: str) -> str:
    r"""Return text on one line, without characters that steer a page, an editor or a terminal.

    Line breaks and tabs become spaces, other control characters, lone surrogates and code points
    that mean nothing become the replacement character, direction marks are dropped.

    Examples
    --------
    >>> plain("two\nlines\x00")
    'two lines\ufffd'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_plain_character(c) for c in text)


def _plain_character(character: str) -> str:
    if character in _DIRECTION:
        return ""
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category in _SEPARATORS:
        return " "
    # Noncharacters U+FFFE, U+FFFF are category Cn.
    return "\ufffd" if category in _UNSHOWABLE else character


def shortened(text: str, limit: int) -> str:
    """Return plain text of at most ``limit`` characters, cut in the middle where it is longer.

    The middle goes because long names tend to differ at their ends.

    Examples
    --------
    >>> shortened("a name that is much too long", 11)
    'a nam… long'
    """
    text = plain(text)
    if len(text) <= limit:
        return text
    kept = limit - 1
    tail = kept // 2
    return f"{text[: kept - tail]}…{text[len(text) - tail :]}"
