"""Cells to numbers and names, refusing whatever would have to be guessed."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

__all__ = ["MISSING", "CellError", "MissingCellError", "as_number", "as_numbers", "as_text"]

# Python's float() also takes "1_000", other scripts' digits and "infinity"; a table must not.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})*|\d*),\d+([eE][+-]?\d+)?", re.ASCII)
MISSING = frozenset({"", ".", "na", "n/a", "nan", "<na>", "null", "none"})
_INFINITE = frozenset({"inf", "infinity"})


class CellError(Exception):
    """A cell that is no finite number: what is wrong and what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


class MissingCellError(CellError):
    """A cell that holds nothing."""

    def __init__(self) -> None:
        super().__init__("the value is missing", "Fill it in, or remove the row.")


def as_number(cell: object) -> float:
    """Return one cell as a finite number, or raise `CellError`.

    Examples
    --------
    >>> as_number(" 1.5e-3 ")
    0.0015
    """
    if isinstance(cell, str):
        return _finite(_parse(cell.strip()))
    if type(cell) is float:
        return _finite(cell)
    if isinstance(cell, bool | np.bool_):
        raise CellError(f"{cell} is not a number", "Code it as 0 and 1.")
    if isinstance(cell, numbers.Real | Decimal):
        try:
            return _finite(float(cell))
        except OverflowError:
            raise CellError("the number is infinite", "Give a finite number.") from None
    if as_text(cell) == "":
        raise MissingCellError
    raise CellError(f"{cell!r} is not a number", "Give a number.")


def as_numbers(
    cells: Sequence[object], *, may_be_missing: bool = False
) -> NDArray[np.float64] | tuple[int, CellError]:
    """Return all cells as numbers (NaN where missing and allowed), or the first bad one's place."""
    values = np.empty(len(cells))
    for row, cell in enumerate(cells):
        try:
            values[row] = as_number(cell)
        except CellError as bad:
            if not (may_be_missing and isinstance(bad, MissingCellError)):
                return row, bad
            values[row] = math.nan
    return values


def as_text(cell: object) -> str:
    """Return one cell as a name: 3.0 is "3", a missing value is "".

    Examples
    --------
    >>> as_text(3.0), as_text(" NA "), as_text(float("nan"))
    ('3', 'NA', '')
    """
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, float | np.floating):
        number = float(cell)
        if math.isnan(number):
            return ""
        return str(int(number)) if number.is_integer() else repr(number)
    text = str(cell).strip()
    return "" if cell is None or text in {"<NA>", "NaT"} else text


def _finite(number: float) -> float:
    if math.isnan(number):
        raise MissingCellError
    if math.isinf(number):
        raise CellError("the number is infinite", "Give a finite number.")
    return number


def _parse(text: str) -> float:
    if _NUMBER.fullmatch(text):
        return float(text)
    lower = text.casefold()
    if lower in MISSING:
        return math.nan
    if lower.lstrip("+-") in _INFINITE:
        return math.inf
    raise CellError(f"{_shown(text)} is not a number", _remedy(text))


def _remedy(text: str) -> str:
    if _DECIMAL_COMMA.fullmatch(text):
        return "It looks like a decimal comma: write numbers with a decimal point, such as 0.5."
    if text[:1] in {"\u2212", "\u2013", "\u2012"} and len(text) > 1:
        return "It begins with a typographic dash: write the minus sign as '-'."
    if text.endswith("%"):
        return "Write the number without the percent sign, all rows in the same unit."
    if text.rstrip("*") != text:
        return "Remove the stars of significance."
    return "Write a plain number, such as -0.5 or 1.2e-3, or name another column."


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
