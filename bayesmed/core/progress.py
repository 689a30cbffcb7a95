"""Telling people what is going on, from the first second, without tying rooms to a display."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Something that shows phases of work and how far the current one is."""

    def phase(self, text: str) -> None:
        """Say that a new phase begins."""

    def advance(self, done: float, detail: str = "") -> None:
        """Say that the share ``done`` (0 to 1) of the current phase is done."""


class Silent:
    """Shows nothing."""

    def phase(self, text: str) -> None:
        """Ignore the phase."""

    def advance(self, done: float, detail: str = "") -> None:
        """Ignore the share."""
