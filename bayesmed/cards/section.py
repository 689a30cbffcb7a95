"""Strict reading of TOML: every key known, every value of its type, every message with its path."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayesmed.core.errors import CardError, InputError, nearest

MAX_BYTES = 256 * 1024
MAX_TEXT = 4000


def read_toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file of at most ``MAX_BYTES``.

    Raises
    ------
    CardError
        If the file is missing, too large, not text in UTF-8, or not TOML.
    """
    try:
        if path.is_dir():
            raise CardError(f"{path} is a folder, not a model card.", "Name the card in it.")
        if not path.is_file():
            raise CardError(f"There is no model card {path}.", _missing_remedy(path))
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise CardError(
            f"{str(path)!r} cannot be read: {error}.", "Check the path and its permissions."
        ) from error
    if len(content) > MAX_BYTES:
        raise CardError(
            f"{path.name} is larger than a model card may be ({MAX_BYTES // 1024} KiB).",
            "Is it the data file? Name that one in [data] file, or with --data.",
        )
    return parse_toml(content, path.name)


def parse_toml(content: bytes, name: str) -> dict[str, Any]:
    """Parse TOML, turning each way it can fail into one message."""
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CardError(
            f"{name}, line {line}: the card is not text in UTF-8.", "Save it as UTF-8."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise CardError(
            f"{name} is not valid TOML: {error}.",
            "Texts stand in quotes, keys as key = value, sections as [section].",
        ) from error
    except (ValueError, RecursionError) as error:
        raise CardError(
            f"{name} holds a number or a nesting too large to read.", "Write it smaller."
        ) from error


def _missing_remedy(path: Path) -> str:
    try:
        siblings = [p.name for p in path.parent.glob("*.toml")]
    except OSError:
        siblings = []
    offer = nearest(path.name, siblings)
    if offer.startswith("Did you mean"):
        return offer
    return "Write one with `bayesmed new site_slope > my_study.toml`."


@dataclass(frozen=True)
class Section:
    """One table of a card: its values, and where it stands.

    Parameters
    ----------
    card
        Name of the card's file, for messages.
    path
        Keys that lead here, as ``data.mediators[0]``; empty at the top.
    values
        What stands in the table.
    known
        Every key it may have.

    Raises
    ------
    CardError
        If a key is not known; the message offers the nearest one.
    """

    card: str
    path: str
    values: Mapping[str, Any]
    known: tuple[str, ...]

    def __post_init__(self) -> None:
        for key in self.values:
            if key not in self.known:
                raise CardError(
                    f"{self.card}: the key {self.at(key)!r} is not known.",
                    nearest(key, self.known),
                )

    def at(self, key: str) -> str:
        """Path of a key from the top of the card."""
        return f"{self.path}.{key}" if self.path else key

    def wrong(self, key: str, remedy: str) -> CardError:
        """Return the error that says the value of ``key`` cannot be used."""
        return CardError(f"{self.card}: {self.at(key)} is {_shown(self.values[key])}.", remedy)

    def missing(self, key: str, remedy: str) -> CardError:
        """Return the error that says ``key`` is not there."""
        return CardError(f"{self.card}: {self.at(key)} is missing.", remedy)

    @contextmanager
    def located(self) -> Iterator[None]:
        """Put the place in the card before what a noun says about its own values."""
        try:
            yield
        except CardError:
            raise
        except InputError as error:
            problem = f"{self.card}, [{self.path}]: {error.problem}"
            raise CardError(problem, error.remedy) from error

    def text(self, key: str, *, lines: bool = False) -> str | None:
        """Text, or None where the key is absent; several lines only where ``lines``."""
        if key not in self.values:
            return None
        value = self.values[key]
        if not isinstance(value, str):
            raise self.wrong(key, f'Write a text in quotes: {key} = "…".')
        return self._checked_text(key, value, lines=lines)

    def required_text(self, key: str, meaning: str) -> str:
        """Text that has to be there."""
        value = self.text(key)
        if value is None:
            raise self.missing(key, f'Write {key} = "…", {meaning}.')
        return value

    def _checked_text(self, key: str, value: str, *, lines: bool = False) -> str:
        if len(value) > MAX_TEXT:
            raise CardError(
                f"{self.card}: {self.at(key)} has {len(value)} characters.",
                f"At most {MAX_TEXT} are allowed.",
            )
        if not value.strip():
            raise self.wrong(key, "Fill it in, or take the key away.")
        if not all(c.isprintable() or (lines and c in "\n\t") for c in value):
            raise self.wrong(key, "Control characters and line breaks are not allowed here.")
        return value

    def texts(self, key: str, *, lines: bool = False) -> tuple[str, ...]:
        """List of texts, empty where the key is absent."""
        if key not in self.values:
            return ()
        value = self.values[key]
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(key, f'Write a list of texts: {key} = ["…", "…"].')
        return tuple(self._checked_text(key, item, lines=lines) for item in value)

    def one_or_more(self, key: str) -> tuple[str, ...]:
        """Return a text or a list of texts, empty where the key is absent."""
        if isinstance(self.values.get(key, []), list):
            return self.texts(key)
        if not isinstance(self.values[key], str):
            raise self.wrong(key, f'Write a text in quotes, or a list of texts: {key} = "…".')
        return (self._checked_text(key, self.values[key]),)

    def pair(self, key: str) -> tuple[str, str] | None:
        """Two texts, or None where the key is absent."""
        if key not in self.values:
            return None
        value = self.texts(key)
        if len(value) != 2:
            raise self.wrong(key, f'Write two columns: {key} = ["lower", "upper"].')
        return value[0], value[1]

    def grid(self, key: str, meaning: str) -> tuple[tuple[str, ...], ...]:
        """Rows of texts that have to be there."""
        example = f'{key} = [["…", "…"], ["…", "…"]]'
        if key not in self.values:
            raise self.missing(key, f"Write {example}, {meaning}.")
        rows = self.values[key]
        if not isinstance(rows, list) or not all(
            isinstance(row, list) and all(isinstance(item, str) for item in row) for row in rows
        ):
            raise self.wrong(key, f"Write a list of lists of texts: {example}.")
        return tuple(tuple(self._checked_text(key, item) for item in row) for row in rows)

    def flag(self, key: str, default: bool) -> bool:
        """Boolean; ``default`` where the key is absent."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "Write true or false, without quotes.")
        return value

    def whole(self, key: str, default: int, *, least: int, most: int) -> int:
        """Whole number within bounds; ``default`` where the key is absent."""
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.wrong(key, f"Write a whole number from {least} to {most}.")
        return value

    def number(self, key: str, default: float) -> float:
        """Finite number; ``default`` where the key is absent."""
        value = self.values.get(key, default)
        if not is_number(value):
            raise self.wrong(key, "Write a finite number, without quotes.")
        return float(value)

    def numbers(self, key: str) -> tuple[float, ...]:
        """List of finite numbers that has to be there."""
        value = self.values.get(key)
        if not isinstance(value, list) or not all(is_number(item) for item in value):
            raise self.wrong(key, f"Write a list of finite numbers: {key} = [30, 50].")
        return tuple(float(item) for item in value)

    def section(self, key: str, known: Iterable[str], *, example: str) -> Section | None:
        """Return the table under ``key``, or None where it is absent."""
        if key not in self.values:
            return None
        value = self.values[key]
        if not isinstance(value, dict):
            raise self.wrong(key, f"Write it as a section: {example}.")
        return Section(self.card, self.at(key), value, tuple(known))

    def sections(self, key: str, known: Iterable[str]) -> tuple[Section, ...]:
        """Return the tables under ``key``, written as ``[[key]]``; none where it is absent."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(key, f"Write each as a section of its own: [[{self.at(key)}]].")
        return tuple(
            Section(self.card, f"{self.at(key)}[{i}]", item, tuple(known))
            for i, item in enumerate(value)
        )


def is_number(value: object) -> bool:
    """Whether a TOML value is a finite number that fits a float (and no boolean)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _shown(value: object) -> str:
    """Return a TOML value as a message shows it: short, on one line, spelled as TOML does."""
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else ascii(value)
    return text if len(text) <= 60 else text[:57] + "…"
