"""One measured figure: its repetitions, its median, its target."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Figure:
    """Repeated measurements of one thing."""

    what: str
    unit: str
    values: tuple[float, ...]
    target: str = ""
    note: str = ""

    def __str__(self) -> str:
        low, middle, high = (
            f"{x:,.3g}" if abs(x) < 1000 else f"{x:,.0f}"
            for x in (min(self.values), median(self.values), max(self.values))
        )
        text = f"{self.what}: {middle} {self.unit} ({low} to {high}, n = {len(self.values)})"
        text += f"  target {self.target}" if self.target else ""
        return text + (f"  [{self.note}]" if self.note else "")

    def record(self) -> dict[str, Any]:
        """Return the figure as plain values."""
        return {
            "what": self.what,
            "unit": self.unit,
            "median": rounded(median(self.values)),
            "lowest": rounded(min(self.values)),
            "highest": rounded(max(self.values)),
            "repetitions": len(self.values),
            "target": self.target,
            "note": self.note,
        }


def rounded(value: float) -> float:
    """Keep four significant digits."""
    return float(f"{value:.4g}")


def timed[T, R](work: Callable[[T], R], given: T) -> tuple[float, R]:
    """Return the seconds of one call and its result."""
    began = time.perf_counter()
    result = work(given)
    return time.perf_counter() - began, result


def each[T](work: Callable[[T], object], inputs: Iterable[T]) -> tuple[float, ...]:
    """Time one call for each input."""
    return tuple(timed(work, given)[0] for given in inputs)
