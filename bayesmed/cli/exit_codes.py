"""What the exit codes of ``bayesmed`` mean."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
NOT_CONVERGED: Final = 1
BAD_INPUT: Final = 2
FAULT: Final = 3
INTERRUPTED: Final = 130
TERMINATED: Final = 143
