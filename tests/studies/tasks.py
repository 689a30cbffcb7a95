"""Tasks that are quick, can be counted, and can go wrong; here so that workers can import them."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bayesmed.studies import Row


@dataclass(frozen=True)
class Noise:
    """Draws a few numbers; writes its key into a folder each time it runs, if there is one."""

    number: int
    log: Path | None = None
    seconds: float = 0.0

    @property
    def key(self) -> str:
        return f"noise {self.number}"

    def run(self, seed: int) -> list[Row]:
        if self.log is not None:
            with (self.log / str(os.getpid())).open("a") as file:
                file.write(f"{self.key}\n")
        time.sleep(self.seconds)
        rng = np.random.default_rng(seed)
        # As many rows as the number's last digit: some tasks have none.
        return [
            {"row": i, "value": rng.normal(), "text": f"ü{self.number}", "odd": bool(i % 2)}
            for i in range(self.number % 4)
        ]


@dataclass(frozen=True)
class Needs:
    """Fails until a file is there."""

    file: Path

    @property
    def key(self) -> str:
        return "needs a file"

    def run(self, seed: int) -> list[Row]:
        return [{"text": self.file.read_text()}]


@dataclass(frozen=True)
class Deadly:
    """Kills the process it runs in, unless a file is there."""

    file: Path

    @property
    def key(self) -> str:
        return "deadly"

    def run(self, seed: int) -> list[Row]:
        if not self.file.exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return [{"text": "survived"}]


@dataclass(frozen=True)
class Gives:
    """Gives what it is told to."""

    value: object

    @property
    def key(self) -> str:
        return "gives"

    def run(self, seed: int) -> list[Row]:
        return [{"value": self.value}]  # type: ignore[dict-item]


def executed(log: Path) -> list[str]:
    """Return the keys of what ran, as often as it ran."""
    return sorted(line for file in log.iterdir() for line in file.read_text().splitlines())
