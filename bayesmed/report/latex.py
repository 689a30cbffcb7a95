"""Tables as LaTeX that fits a line and is set by any engine."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bayesmed.report.content import Table
from bayesmed.report.great import great_table
from bayesmed.report.plain import plain

__all__ = ["to_latex"]

LONG = 40
"""Tables of more lines than this may break across pages."""
MOST = 150
"""Longer cells get no more of the line than those of so many characters."""
FEW = 12
"""Characters to a line that words in a narrow column keep, if they have so many."""
_FONT = re.compile(r"\\fontsize\{[^}]*\}\{[^}]*\}\\selectfont")
_COLUMNS = re.compile(
    r"(\\begin\{(?:tabular\*|longtable)\}(?:\{\\linewidth\})?"
    r"\{(?:@\{\\extracolsep\{\\fill\}\})?)[lrc|]+\}"
)
_HEAD = re.compile(
    r"(?<=\\begin\{longtable\}).*?\\toprule\n(.*?\\midrule(?:\\addlinespace\[[^]]*\])?)", re.DOTALL
)
_INTERVAL = re.compile(r"(\[[-−+.\de]+,) ([-−+.\de]+\])")
_NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
_LETTERS = dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", _NAMES.split(), strict=True))
_SIGNS = {
    "−": "-",
    "∞": r"\infty",
    "≤": r"\le",
    "≥": r"\ge",
    "≠": r"\ne",
    "√": r"\surd",
    "→": r"\rightarrow",
    "←": r"\leftarrow",
    "ᵀ": "^{T}",
    "ᵢ": "_{i}",
    "⁻": "^{-}",
    **{chr(0x2080 + digit): f"_{{{digit}}}" for digit in range(10)},
}
_ACCENTS = {"\u0302": r"\hat", "\u0303": r"\tilde", "\u0304": r"\bar"}
_MATHS = re.compile(
    f"([{''.join(_LETTERS)}])([{''.join(_ACCENTS)}]?)|([{re.escape(''.join(_SIGNS))}])"
)


class _Size(NamedTuple):
    """A size of print: how it is set, and what a letter and a column's margins take of a line."""

    command: str
    letter: float
    gap: float


# Of a line of 16 cm, measured.
_SIZES = (
    _Size(r"\small", 0.0108, 0.027),
    _Size(r"\footnotesize\setlength{\tabcolsep}{4pt}", 0.0099, 0.0176),
    _Size(r"\scriptsize\setlength{\tabcolsep}{3pt}", 0.0090, 0.0145),
)


@dataclass(frozen=True)
class _Layout:
    """How a table is set: print, columns, lines; whether rows have several, what keeps together."""

    size: _Size
    kinds: str
    lines: int
    stacked: bool
    tied: Callable[[str], str]


def to_latex(table: Table) -> str:
    r"""Return a table as LaTeX for a document with array, booktabs, caption and longtable.

    What does not fit a line of 16 cm is set in smaller print, and over several lines where it still
    does not. Greek letters and signs are set as mathematics. Names in other scripts than Latin need
    LuaLaTeX or XeLaTeX, and a font that has them.

    Examples
    --------
    >>> made = to_latex(Table("Sizes", ("Of", "n"), (("σ_δ", "3"),)))
    >>> r"\ensuremath{\sigma}\_\ensuremath{\delta} & 3" in made
    True
    """
    layout = _layout(table)
    latex = great_table(table).as_latex(use_longtable=layout.lines > LONG)
    latex = _FONT.sub(lambda m: layout.size.command, latex, count=1)
    latex = _COLUMNS.sub(lambda m: f"{m[1]}{layout.kinds}}}", latex, count=1)
    latex = latex.replace(r"\begin{minipage}", r"\noindent\begin{minipage}")
    # What a row begins with must not be taken for an argument of the line break before it.
    latex = re.sub(r"(\\\\\s*)(?=[\[*])", r"\1{}", latex)
    latex = _HEAD.sub(r"\g<0>\n\\endfirsthead\n\\toprule\n\1\n\\endhead", latex, count=1)
    if layout.stacked:
        latex = re.sub(r"\\\\(?=\s*\n(?!\s*\\))", r"\\\\[3pt]", latex)
    return _MATHS.sub(_maths, layout.tied(latex))


def _maths(found: re.Match[str]) -> str:
    letter, accent, sign = found.groups()
    made = _SIGNS[sign] if sign else rf"\{_LETTERS[letter]}"
    made = rf"{_ACCENTS[accent]}{{{made}}}" if accent else made
    return rf"\ensuremath{{{made}}}"


def _errors_tied(text: str) -> str:
    """Keep a number with the sign before it."""
    return text.replace("± ", "±~")


def _all_tied(text: str) -> str:
    """Keep the ends of an interval together, too."""
    return _INTERVAL.sub(r"\1~\2", _errors_tied(text))


def _layout(table: Table) -> _Layout:
    """Find the largest print in which a table fits a line.

    Words go over several lines before numbers do, and numbers before an interval is broken.
    """
    columns = [[plain(c) for c in own] for own in zip(table.columns, *table.rows, strict=True)]
    whole = [min(max(map(len, own)), MOST) for own in columns]
    for words_only, tied in ((True, _all_tied), (False, _all_tied), (False, _errors_tied)):
        least = [float(_least(own, tied)) for own in columns]
        for i, n in enumerate(whole):
            if i in table.texts:
                least[i] = max(least[i], min(FEW, n))
            elif words_only:
                least[i] = n
        for size in _SIZES:
            room = (1 - size.gap * len(columns)) / size.letter
            if sum(least) <= room or sum(whole) <= room:
                return _laid(table, columns, size, _kept(whole, least, room), tied)
    return _laid(table, columns, size, least, tied)


def _least(cells: Sequence[str], tied: Callable[[str], str]) -> int:
    """Return the letters of the longest word."""
    return max((len(word) for cell in cells for word in tied(cell).split()), default=1)


def _kept(whole: Sequence[float], least: Sequence[float], room: float) -> list[float]:
    """Return the letters each column keeps: all of them, or in proportion to what it can spare."""
    over = sum(whole) - room
    spare = sum(whole) - sum(least)
    give = max(0.0, over / spare) if spare > 0 else 0.0
    return [n - give * (n - m) for n, m in zip(whole, least, strict=True)]


def _laid(
    table: Table,
    columns: Sequence[Sequence[str]],
    size: _Size,
    kept: Sequence[float],
    tied: Callable[[str], str],
) -> _Layout:
    """Specify columns: paragraphs where one keeps less than its longest cell has."""
    kinds, stacked = [], False
    lines = [1] * len(columns[0])
    for i, (cells, letters) in enumerate(zip(columns, kept, strict=True)):
        words = i in table.texts
        if max(map(len, cells)) <= letters:
            kinds.append("l" if words else "r")
            continue
        ragged = r"\raggedright" if words else r"\raggedleft"
        kinds.append(rf">{{{ragged}\arraybackslash}}p{{{letters * size.letter:.3f}\linewidth}}")
        own = [math.ceil(len(cell) / letters) for cell in cells]
        lines = [max(pair) for pair in zip(lines, own, strict=True)]
        stacked = stacked or max(own[1:], default=1) > 1
    return _Layout(size, "".join(kinds), sum(lines), stacked, tied)
