"""How far a study is, and how long the rest will take."""

from __future__ import annotations

import time

from bayesmed.core.progress import Progress


class Pace:
    """Counts tasks as they come and tells a `Progress`.

    Parameters
    ----------
    total, missing
        Number of tasks of the study, and of those still to do.
    progress
        What to tell.
    """

    def __init__(self, total: int, missing: int, progress: Progress) -> None:
        self._total, self._missing, self._progress = total, missing, progress
        self._come, self._first = 0, (0, 0.0)

    def advance(self, count: int) -> None:
        """Say that so many more have come."""
        self._come += count
        now = time.monotonic()
        if self._first[0] == 0:
            self._first = self._come, now
        done = self._total - self._missing + self._come
        # From the first result on: workers start, and compile, before it.
        since, elapsed = self._come - self._first[0], now - self._first[1]
        left = f", {duration(elapsed / since * (self._missing - self._come))} left" if since else ""
        self._progress.advance(done / self._total, f"{done:,} of {self._total:,}{left}")


def duration(seconds: float) -> str:
    """Write a time that is only roughly known.

    Examples
    --------
    >>> duration(8.2), duration(100), duration(5000), duration(200_000)
    ('8 s', '1 min 40 s', '1 h 23 min', '2 d 7 h')
    """
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    whole, parts = round(seconds), list[str]()
    for name, size in units:
        count, whole = divmod(whole, size)
        if count or parts:
            parts.append(f"{count} {name}")
    return " ".join(part for part in parts[:2] if not part.startswith("0 ")) or "0 s"
